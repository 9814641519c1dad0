//! What SystemAPI (SOAP 1.1) is asked: the question as an envelope, and the answer read.
//!
//! Versions differ in namespaces, prefixes and some names, so elements are matched by local name.
//! Nothing is expanded but character references and XML's own five entities.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::{BytesRef, Event};

use super::answer::{Answer, Body};
use super::refusal;
use super::wire::{self, Fault, Refusal};
use crate::domain::{
    Cause, Extension, ExtensionKind, ExtensionNumber, Failure, Foreign, Owner, UserId,
};

/// One question of SystemAPI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Question {
    /// The extensions of one type, all or those of one user.
    Extensions(&'static str, Option<UserId>),
    /// What an extension is, by its extended number.
    Details(ExtensionNumber),
    /// The users below the one who asks.
    Users,
}

/// Deepest nesting read; an answer has five levels.
const DEEPEST: usize = 64;
/// Longest text kept of one element, in bytes.
const LONGEST: usize = 4_000;

/// What is asked for, one call each: whether an omitted type means all is not documented.
pub(super) const TYPES: [(&str, &str); 4] =
    [("term", "phones"), ("phoneQueue", "queues"), ("ivr", "IVRs"), ("conference", "conferences")];

/// The extensions that an answer lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Listed {
    pub(super) extensions: Vec<Extension>,
    /// Rows whose number cannot stand in a path.
    pub(super) odd: usize,
}

impl Question {
    /// Where it is asked, below the origin.
    pub(super) fn path(&self) -> &'static str {
        match self {
            Self::Extensions(..) | Self::Details(_) => "/soap2/extension_agent.php",
            Self::Users => "/soap2/user_agent.php",
        }
    }

    /// The header `SOAPAction`, with the quotes that belong to it.
    pub(super) fn action(&self) -> &'static str {
        match self {
            Self::Extensions(..) => "\"http://4psa.com/Extension/3.5.0:getExtensionsIn\"",
            Self::Details(_) => "\"http://4psa.com/Extension/3.5.0:getExtensionDetailsIn\"",
            Self::Users => "\"http://4psa.com/User/3.5.0:getUsersIn\"",
        }
    }

    /// The operation; the element that answers it begins with its name.
    fn operation(&self) -> &'static str {
        match self {
            Self::Extensions(..) => "GetExtensions",
            Self::Details(_) => "GetExtensionDetails",
            Self::Users => "GetUsers",
        }
    }

    /// The element of a row; `None` where the answer is one row.
    fn row(&self) -> Option<&'static str> {
        match self {
            Self::Extensions(..) => Some("extension"),
            Self::Details(_) => None,
            Self::Users => Some("user"),
        }
    }

    /// The question as it goes out.
    pub(super) fn envelope(&self, token: &str) -> String {
        let (messages, inside) = match self {
            Self::Extensions(extension_type, owner) => {
                let parent = owner.iter().map(|user| format!("<a:parentID>{user}</a:parentID>"));
                let parent: String = parent.collect();
                (
                    "Extension",
                    format!("<d:extensionType>{extension_type}</d:extensionType>{parent}"),
                )
            }
            Self::Details(number) => {
                ("Extension", format!("<c:extendedNumber>{number}</c:extendedNumber>"))
            }
            Self::Users => ("User", String::new()),
        };
        let operation = self.operation();
        format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\">\
             <e:Header><h:userCredentials xmlns:h=\"http://4psa.com/HeaderData.xsd/3.5.0\">\
             <h:accessToken>{}</h:accessToken></h:userCredentials></e:Header>\
             <e:Body><m:{operation} xmlns:m=\"http://4psa.com/{messages}Messages.xsd/3.5.0\" \
             xmlns:d=\"http://4psa.com/ExtensionData.xsd/3.5.0\" \
             xmlns:a=\"http://4psa.com/AccountData.xsd/3.5.0\" \
             xmlns:c=\"http://4psa.com/Common.xsd/3.5.0\">{inside}\
             </m:{operation}></e:Body></e:Envelope>",
            escape(token),
        )
    }

    /// The rows that the service answered, or its refusal: a fault is one with any status.
    pub(super) fn rows(&self, answer: &Answer) -> Result<Vec<Row>, Failure> {
        let status = answer.status;
        if answer.coding.is_some() {
            return Err(no_soap(self.path(), answer, ""));
        }
        let text = wire::text(&answer.body);
        match read(self, &text) {
            Err(Fault::Refused(refusal)) => Err(faulted(&refusal, answer)),
            Ok(rows) if status == 200 => Ok(rows),
            Err(senseless @ Fault::Senseless(_)) if status == 200 => {
                Err(refusal::misread(senseless))
            }
            Ok(_) | Err(Fault::Senseless(_)) => Err(no_soap(self.path(), answer, &text)),
        }
    }
}

/// The extensions in the rows of an answer, each with its owner where the row says it.
pub(super) fn listed(rows: Vec<Row>) -> Listed {
    let mut listed = Listed::default();
    for row in rows {
        match row.extension() {
            Some(extension) => listed.extensions.push(extension),
            None => listed.odd += 1,
        }
    }
    listed
}

fn faulted(refusal: &Refusal, answer: &Answer) -> Failure {
    let message = match refusal.message.as_str() {
        "" => "SystemAPI refuses without a reason".to_owned(),
        message => message.to_owned(),
    };
    let failure = Failure::new(Cause::Rejected, message).coded(&refusal.code);
    Failure {
        http_status: Some(answer.status),
        retry_after: answer.retry_after,
        not_before: answer.not_before,
        ..failure.remedied(if answer.status == 401 {
            refusal::remedy(answer)
        } else {
            String::new()
        })
    }
}

/// The failure behind a status other than 200 whose body is no fault. A page says nothing that
/// its status does not say, and the remedies for the other service do not fit here.
fn no_soap(path: &str, answer: &Answer, text: &str) -> Failure {
    if answer.status == 404 {
        let message =
            format!("the service answered 404 Not Found: there is no SystemAPI at {path}");
        let remedy = "check url, or leave \"system_api\" out of discover in the profile";
        let failure = Failure::new(Cause::Rejected, message).remedied(remedy);
        return Failure { http_status: Some(404), ..failure };
    }
    let body = if wire::is_web_page(text) { Body::default() } else { answer.body.clone() };
    match refusal::accepted(Answer { body, ..answer.clone() }) {
        Err(failure) => failure,
        Ok(_) => refusal::misread(Fault::Senseless("is empty".to_owned())),
    }
}

/// Reads the body of an answer, whatever its status was.
fn read(question: &Question, text: &str) -> Result<Vec<Row>, Fault> {
    let mut reader = Reader::from_str(text);
    let mut answer = Reading::of(question);
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
#[derive(Debug)]
struct Reading {
    operation: &'static str,
    row_element: Option<&'static str>,
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
    rows: Vec<Row>,
}

/// One element of an answer: the texts of those of its children that mean something here.
#[derive(Debug, Default)]
pub(super) struct Row(BTreeMap<&'static str, String>);

/// The children that mean something here.
const FIELDS: [&str; 14] = [
    "ID",
    "extendedNumber",
    "extensionID",
    "extensionNo",
    "extensionType",
    "firstName",
    "identifier",
    "label",
    "lastName",
    "login",
    "name",
    "parentID",
    "parentIdentifier",
    "parentName",
];

impl Reading {
    fn of(question: &Question) -> Self {
        Self {
            operation: question.operation(),
            row_element: question.row(),
            open: Vec::new(),
            text: String::new(),
            row_at: None,
            row: Row::default(),
            fault: None,
            answered: false,
            rows: Vec::new(),
        }
    }

    fn open(&mut self, name: &str) -> Result<(), Fault> {
        let depth = self.open.len();
        match (depth, name) {
            (0, "Envelope") => {}
            (0, _) => return Err(senseless("is no SOAP envelope")),
            (DEEPEST.., _) => return Err(senseless("is nested too deeply to be an answer")),
            (2.., _) if self.open.get(1).is_some_and(|part| part == "Body") => {
                if depth == 2 && name == "Fault" {
                    self.fault = Some(Refusal::default());
                } else if depth == 2 && name.starts_with(self.operation) {
                    self.answered = true;
                    if self.row_element.is_none() {
                        self.row_at = Some(depth);
                    }
                } else if Some(name) == self.row_element && self.row_at.is_none() {
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
                self.rows.push(std::mem::take(&mut self.row));
            }
            // What is one row may hold its fields in an element of its own.
            Some(at) if at + 1 == depth || self.row_element.is_none() => {
                self.row.hear(&name, text.trim());
            }
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

    fn finish(self) -> Result<Vec<Row>, Fault> {
        match (self.fault, self.answered) {
            _ if !self.open.is_empty() => Err(senseless("ends in the middle")),
            (Some(fault), _) => Err(Fault::Refused(fault)),
            (None, true) => Ok(self.rows),
            (None, false) => Err(senseless(&format!("holds no answer to {}", self.operation))),
        }
    }
}

impl Row {
    /// The first text of a name counts.
    fn hear(&mut self, name: &str, text: &str) {
        if let Some(field) = FIELDS.into_iter().find(|field| *field == name)
            && !text.is_empty()
        {
            self.0.entry(field).or_insert_with(|| text.to_owned());
        }
    }

    /// The text of one of [`FIELDS`], empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The first of these that is there.
    fn first(&self, names: &[&str]) -> &str {
        names.iter().map(|name| self.text(name)).find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// What the row is called: its name, or that of a person.
    fn called(&self, names: &[&str]) -> Foreign {
        let person = [self.text("firstName"), self.text("lastName")];
        let person = person.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        let name = self.first(names);
        Foreign::from(if name.is_empty() { person.join(" ") } else { name.to_owned() })
    }

    /// The extension of a row, where its number can stand in a path. Numbers had other names in
    /// schema 2.5.1.
    fn extension(&self) -> Option<Extension> {
        let number = self.first(&["extendedNumber", "extensionNo", "extensionID"]);
        Some(self.of_number(ExtensionNumber::parse(number).ok()?))
    }

    /// What the details of an extension say, under the number that they were asked for by.
    pub(super) fn of_number(&self, number: ExtensionNumber) -> Extension {
        Extension {
            kind: ExtensionKind::parse(self.text("extensionType")),
            label: self.called(&["label", "name"]),
            owner: self.owner(),
            ..Extension::of(number)
        }
    }

    /// Whom the row of an extension says that it belongs to.
    fn owner(&self) -> Option<Owner> {
        let id = UserId::parse(self.text("parentID")).ok()?;
        Some(Owner { id, name: Foreign::from(self.text("parentName")) })
    }

    /// The user of a row of `GetUsers`.
    pub(super) fn user(&self) -> Option<Owner> {
        let id = UserId::parse(self.text("ID")).ok()?;
        Some(Owner { id, name: self.called(&["name", "login"]) })
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
