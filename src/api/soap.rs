//! SystemAPI's `GetExtensions` (SOAP 1.1): the question as an envelope, and the answer read.
//!
//! Versions differ in namespaces, prefixes and some names, so elements are matched by local name.
//! Nothing is expanded but character references and XML's own five entities.

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::{BytesRef, Event};

use super::answer::{Answer, Body};
use super::refusal;
use super::wire::{self, Fault, Refusal};
use crate::domain::{Cause, Extension, ExtensionKind, ExtensionNumber, Failure, Foreign, UserId};

/// Where the service listens, below the origin.
pub(super) const PATH: &str = "/soap2/extension_agent.php";
/// The header `SOAPAction`, with the quotes that belong to it.
pub(super) const ACTION: &str = "\"http://4psa.com/Extension/3.5.0:getExtensionsIn\"";

/// Deepest nesting read; an answer has five levels.
const DEEPEST: usize = 64;
/// Longest text kept of one element, in bytes.
const LONGEST: usize = 4_000;

/// What is asked for, one call each: whether an omitted type means all is not documented.
pub(super) const TYPES: [(&str, &str); 4] = [
    ("term", "phone terminals"),
    ("phoneQueue", "queues"),
    ("ivr", "IVRs"),
    ("conference", "conferences"),
];

/// What an answer lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Listed {
    pub(super) extensions: Vec<Extension>,
    /// Rows whose number cannot stand in a path.
    pub(super) odd: usize,
}

/// The envelope that asks for one type; the owner is named when the profile names a numeric user.
pub(super) fn envelope(token: &str, extension_type: &str, user: &UserId) -> String {
    let user = user.as_str();
    let parent = if user.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("<a:parentID>{user}</a:parentID>")
    } else {
        String::new()
    };
    format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\">\
         <e:Header><h:userCredentials xmlns:h=\"http://4psa.com/HeaderData.xsd/3.5.0\">\
         <h:accessToken>{}</h:accessToken></h:userCredentials></e:Header>\
         <e:Body><m:GetExtensions xmlns:m=\"http://4psa.com/ExtensionMessages.xsd/3.5.0\" \
         xmlns:d=\"http://4psa.com/ExtensionData.xsd/3.5.0\" \
         xmlns:a=\"http://4psa.com/AccountData.xsd/3.5.0\">\
         <d:extensionType>{extension_type}</d:extensionType>{parent}\
         </m:GetExtensions></e:Body></e:Envelope>",
        escape(token),
    )
}

/// What the service answered, or its refusal: a fault is one with any status.
pub(super) fn listed(answer: &Answer) -> Result<Listed, Failure> {
    let status = answer.status;
    if answer.coding.is_some() {
        return Err(no_soap(answer, ""));
    }
    let text = wire::text(&answer.body);
    match read(&text) {
        Err(Fault::Refused(refusal)) => Err(faulted(refusal, answer)),
        Ok(listed) if status == 200 => Ok(listed),
        Err(senseless @ Fault::Senseless(_)) if status == 200 => Err(refusal::misread(senseless)),
        Ok(_) | Err(Fault::Senseless(_)) => Err(no_soap(answer, &text)),
    }
}

fn faulted(refusal: Refusal, answer: &Answer) -> Failure {
    let message = match refusal.message.as_str() {
        "" => "SystemAPI refuses without a reason".to_owned(),
        message => message.to_owned(),
    };
    Failure {
        http_status: Some(answer.status),
        code: Foreign::from(refusal.code),
        retry_after: answer.retry_after,
        not_before: answer.not_before,
        ..Failure::new(Cause::Rejected, message)
    }
}

/// The failure behind a status other than 200 whose body is no fault. A page says nothing that
/// its status does not say, and the remedies for the other service do not fit here.
fn no_soap(answer: &Answer, text: &str) -> Failure {
    if answer.status == 404 {
        let message = format!(
            "the service answered 404 Not Found: there is no SystemAPI at {PATH}; check url, or \
             leave \"system_api\" out of discover in the profile"
        );
        return Failure { http_status: Some(404), ..Failure::new(Cause::Rejected, message) };
    }
    let body = if wire::is_web_page(text) { Body::default() } else { answer.body.clone() };
    match refusal::accepted(Answer { body, ..answer.clone() }) {
        Err(failure) => failure,
        Ok(_) => refusal::misread(Fault::Senseless("is empty".to_owned())),
    }
}

/// Reads the body of an answer, whatever its status was.
fn read(text: &str) -> Result<Listed, Fault> {
    let mut reader = Reader::from_str(text);
    let mut answer = Reading::default();
    loop {
        let event = reader.read_event();
        match event.map_err(|error| senseless(&format!("is no readable XML ({error})")))? {
            Event::Start(start) => answer.open(start.local_name().into_inner())?,
            Event::Empty(start) => {
                answer.open(start.local_name().into_inner())?;
                answer.close();
            }
            Event::End(_) => answer.close(),
            Event::Text(text) => answer.say(&text.xml10_content()),
            Event::CData(text) => answer.say(&text.xml10_content()),
            Event::GeneralRef(reference) => answer.refer(&reference),
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => {}
            Event::Eof => return answer.finish(),
        }
    }
}

/// An answer while it is read.
#[derive(Debug, Default)]
struct Reading {
    /// The local names of the elements that are open.
    open: Vec<String>,
    /// The text of the innermost element so far.
    text: String,
    /// How many elements were open when the row began.
    row_at: Option<usize>,
    row: Row,
    fault: Option<Refusal>,
    /// Whether the answer to this very question was in the body.
    answered: bool,
    listed: Listed,
}

/// One `extension` element; of the numbers the first that is there counts.
#[derive(Debug, Default)]
struct Row {
    name: String,
    label: String,
    extension_type: String,
    /// `extendedNumber`, and the names it had in 2.5.1.
    numbers: [String; 3],
}

impl Reading {
    fn open(&mut self, name: &str) -> Result<(), Fault> {
        let depth = self.open.len();
        match (depth, name) {
            (0, "Envelope") => {}
            (0, _) => return Err(senseless("is no SOAP envelope")),
            (DEEPEST.., _) => return Err(senseless("is nested too deeply to be an answer")),
            (2.., _) if self.open.get(1).is_some_and(|part| part == "Body") => {
                if depth == 2 && name == "Fault" {
                    self.fault = Some(Refusal::default());
                } else if depth == 2 && name.starts_with("GetExtensions") {
                    self.answered = true;
                } else if name == "extension" && self.row_at.is_none() {
                    self.answered = true;
                    self.row_at = Some(depth);
                    self.row = Row::default();
                }
            }
            _ => {}
        }
        self.open.push(name.chars().take(LONGEST).collect());
        self.text.clear();
        Ok(())
    }

    fn close(&mut self) {
        let Some(name) = self.open.pop() else {
            return;
        };
        let text = std::mem::take(&mut self.text);
        let depth = self.open.len();
        match self.row_at {
            Some(at) if at == depth => {
                self.row_at = None;
                self.listed.take(std::mem::take(&mut self.row));
            }
            Some(at) if at + 1 == depth => self.row.hear(&name, text.trim()),
            Some(_) => {}
            None => {
                if let Some(fault) = &mut self.fault {
                    hear_fault(fault, &name, text.trim());
                }
            }
        }
    }

    fn say(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.text.len());
        if text.len() <= room {
            self.text.push_str(text);
        } else {
            // As many characters as there are bytes left: a few bytes too many do no harm.
            self.text.extend(text.chars().take(room));
        }
    }

    /// `&amp;` and `&#228;` stand for characters; what a document defines itself stays as written.
    fn refer(&mut self, reference: &BytesRef<'_>) {
        let name = reference.xml10_content();
        match (reference.resolve_char_ref(), resolve_predefined_entity(&name)) {
            (Ok(Some(character)), _) => self.say(character.encode_utf8(&mut [0; 4])),
            (_, Some(text)) => self.say(text),
            (_, None) => self.say(&format!("&{name};")),
        }
    }

    fn finish(self) -> Result<Listed, Fault> {
        match (self.fault, self.answered) {
            _ if !self.open.is_empty() => Err(senseless("ends in the middle")),
            (Some(fault), _) => Err(Fault::Refused(fault)),
            (None, true) => Ok(self.listed),
            (None, false) => Err(senseless("holds no answer to GetExtensions")),
        }
    }
}

impl Row {
    fn hear(&mut self, name: &str, text: &str) {
        let [extended, old, oldest] = &mut self.numbers;
        let field = match name {
            "name" => &mut self.name,
            "label" => &mut self.label,
            "extensionType" => &mut self.extension_type,
            "extendedNumber" => extended,
            "extensionNo" => old,
            "extensionID" => oldest,
            _ => return,
        };
        if field.is_empty() {
            text.clone_into(field);
        }
    }
}

impl Listed {
    fn take(&mut self, row: Row) {
        let number = row.numbers.iter().find(|text| !text.is_empty());
        let Some(Ok(number)) = number.map(|text| ExtensionNumber::parse(text)) else {
            self.odd += 1;
            return;
        };
        let label = if row.label.is_empty() { row.name } else { row.label };
        let kind = ExtensionKind::parse(&row.extension_type);
        let label = Foreign::from(label);
        self.extensions.push(Extension { kind, label, ..Extension::of(number) });
    }
}

/// The parts of a fault: SOAP 1.1's names, and those of 1.2.
fn hear_fault(fault: &mut Refusal, name: &str, text: &str) {
    let field = match name {
        "faultcode" | "Value" => &mut fault.code,
        "faultstring" | "Text" => &mut fault.message,
        _ => return,
    };
    if field.is_empty() {
        text.clone_into(field);
    }
}

fn senseless(reason: &str) -> Fault {
    Fault::Senseless(reason.to_owned())
}

#[cfg(test)]
mod tests;
