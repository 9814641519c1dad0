//! The vendor's SystemAPI beside the service: `GetExtensions` in the shapes that are in the wild,
//! `GetExtensionDetails` and `GetUsers`.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;
use serde::Deserialize;

use super::answer::{Answer, Request};
use super::owners::{User, short};
use super::world::{Extension, Kind, World};

/// Where it listens for extensions, whatever the base path of the service is.
const EXTENSIONS: &str = "/soap2/extension_agent.php";
/// Where it listens for users.
const USERS: &str = "/soap2/user_agent.php";

/// Which SystemAPI a world has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Soap {
    /// Schema 3.0.0, with a prefix on every element.
    #[default]
    #[serde(rename = "3.0.0")]
    V300,
    /// Schema 2.5.1: default namespaces, and other names for numbers and queues.
    #[serde(rename = "2.5.1")]
    V251,
    /// One that refuses everything with a fault.
    #[serde(rename = "fault")]
    Fault,
    /// No SystemAPI: the web server knows no such path.
    #[serde(rename = "off")]
    Off,
}

/// What an envelope asks; the last of equal elements counts.
#[derive(Debug, Default)]
struct Asked {
    operation: Option<Operation>,
    token: String,
    extension_type: Option<String>,
    parent: Option<String>,
    number: String,
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Extensions,
    Details,
    Users,
}

/// The answer, if the request is for SystemAPI.
pub(super) fn answer(world: &World, request: &Request) -> Option<Answer> {
    let here = [EXTENSIONS, USERS].contains(&request.target.as_str());
    if !here || request.method != "POST" || world.soap == Soap::Off {
        return None;
    }
    let Some(asked) = read(&String::from_utf8_lossy(&request.body)) else {
        return Some(fault("SOAP-ENV:Client", "Bad Request"));
    };
    if !world.takes(&asked.token) {
        let why = "Access denied: the accessToken is missing or not valid.";
        return Some(fault("SOAP-ENV:Client", why));
    }
    if world.soap == Soap::Fault {
        let why = "Extension management is not available in this edition.";
        return Some(fault("SOAP-ENV:Server", why));
    }
    Some(match (asked.operation, request.target.as_str()) {
        (Some(Operation::Extensions), EXTENSIONS) => get_extensions(world, &asked),
        (Some(Operation::Details), EXTENSIONS) => details(world, &asked.number),
        (Some(Operation::Users), USERS) => users(world),
        _ => fault("SOAP-ENV:Client", "Procedure not present"),
    })
}

fn get_extensions(world: &World, asked: &Asked) -> Answer {
    let parent = asked.parent.as_deref();
    let known = |id: &str| id == world.user() || world.users().iter().any(|user| user.id == id);
    if !parent.map_or(world.owners.without_parent, known) {
        return fault("SOAP-ENV:Client", "The parentID is invalid.");
    }
    // Who may not see the users sees what is theirs.
    let own = (!world.owners.get_users).then(|| world.user());
    let owner = parent.or(own);
    // The default of the type in the schema.
    let wanted = asked.extension_type.as_deref().unwrap_or("term");
    let rows: Vec<(usize, &Extension)> = world
        .extensions()
        .enumerate()
        .filter(|(_, extension)| names(extension.kind).contains(&wanted))
        .filter(|(_, extension)| owner.is_none_or(|id| world.owner_of(extension) == id))
        .collect();
    match world.soap {
        Soap::V251 => old(&rows),
        Soap::V300 | Soap::Fault | Soap::Off => new(&rows),
    }
}

/// What one extension is, and whose.
fn details(world: &World, number: &str) -> Answer {
    let Some(extension) = world.extension(number).filter(|_| world.owners.details) else {
        return fault("SOAP-ENV:Client", "The extendedNumber is invalid.");
    };
    let owner = world.owner_of(extension);
    let name = world.users().iter().find(|user| user.id == owner).map_or("", |user| &user.name);
    let [kind, _] = names(extension.kind);
    envelope(
        200,
        &format!(
            "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:ns2=\"http://4psa.com/ExtensionMessages.xsd/3.0.0\"><SOAP-ENV:Body>\
             <ns2:GetExtensionDetailsResponse><extensionNo>{}</extensionNo>\
             <extendedNumber>{}</extendedNumber><label>{}</label>\
             <extensionType>{kind}</extensionType><parentID>{}</parentID>\
             <parentName>{}</parentName></ns2:GetExtensionDetailsResponse></SOAP-ENV:Body>\
             </SOAP-ENV:Envelope>",
            xml(short(number)),
            xml(number),
            xml(&extension.label),
            xml(owner),
            xml(name),
        ),
    )
}

/// The users of the organisation, those that own something and those that do not.
fn users(world: &World) -> Answer {
    if !world.owners.get_users {
        return fault("SOAP-ENV:Client", "Access denied: the account may not list users.");
    }
    let row = |User { id, name }: &User| {
        let (id, name) = (xml(id), xml(name));
        format!(
            "<ns2:user><ns4:ID>{id}</ns4:ID><ns3:name>{name}</ns3:name>\
             <ns3:parentID>{}</ns3:parentID></ns2:user>",
            xml(world.user())
        )
    };
    let rows: String = match world.users() {
        [] => NOTHING.to_owned(),
        users => users.iter().map(row).collect(),
    };
    envelope(
        200,
        &format!(
            "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:ns2=\"http://4psa.com/UserMessages.xsd/3.0.0\" \
             xmlns:ns3=\"http://4psa.com/UserData.xsd/3.0.0\" \
             xmlns:ns4=\"http://4psa.com/Common.xsd/3.0.0\"><SOAP-ENV:Body>\
             <ns2:GetUsersResponse>{rows}</ns2:GetUsersResponse></SOAP-ENV:Body>\
             </SOAP-ENV:Envelope>"
        ),
    )
}

/// What is said where there is no row.
const NOTHING: &str = "<ns2:notice><ns4:code>0</ns4:code><ns4:message>No records.</ns4:message>\
                       </ns2:notice>";

/// The name of a type since 3.0.0, and that of 2.5.1.
fn names(kind: Kind) -> [&'static str; 2] {
    match kind {
        Kind::Terminal => ["term", "term"],
        Kind::Queue => ["phoneQueue", "queue"],
        Kind::Ivr => ["ivr", "ivr"],
        Kind::Conference => ["conference", "conference"],
    }
}

fn new(rows: &[(usize, &Extension)]) -> Answer {
    let mut body = String::from(
        "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:ns1=\"http://4psa.com/HeaderData.xsd/3.0.0\" \
         xmlns:ns2=\"http://4psa.com/ExtensionMessages.xsd/3.0.0\" \
         xmlns:ns3=\"http://4psa.com/ExtensionData.xsd/3.0.0\" \
         xmlns:ns4=\"http://4psa.com/Common.xsd/3.0.0\">\
         <SOAP-ENV:Header><ns1:serverInfo><ns1:version>3.0.0</ns1:version></ns1:serverInfo>\
         </SOAP-ENV:Header><SOAP-ENV:Body><ns2:GetExtensionsResponse>",
    );
    for (place, extension) in rows {
        let label = xml(&extension.label);
        let number = xml(extension.number());
        let [kind, _] = names(extension.kind);
        // Writing into a string cannot fail.
        let _ = write!(
            body,
            "<ns2:extension><ns3:name>{label}</ns3:name><ns3:label>{label}</ns3:label>\
             <ns3:extensionType>{kind}</ns3:extensionType>\
             <ns4:extendedNumber>{number}</ns4:extendedNumber>\
             <ns4:identifier>{}</ns4:identifier></ns2:extension>",
            place + 1
        );
    }
    if rows.is_empty() {
        body.push_str(NOTHING);
    }
    body.push_str("</ns2:GetExtensionsResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>");
    envelope(200, &body)
}

fn old(rows: &[(usize, &Extension)]) -> Answer {
    let mut body = String::from(
        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>\
         <GetExtensionsResponse xmlns=\"http://4psa.com/ExtensionMessages.xsd/2.5.1\">",
    );
    for (place, extension) in rows {
        let label = xml(&extension.label);
        let number = xml(extension.number());
        let [_, kind] = names(extension.kind);
        // Writing into a string cannot fail.
        let _ = write!(
            body,
            "<extension><ID>{0}</ID><extensionID>{0}</extensionID><name>{label}</name><label/>\
             <extensionType>{kind}</extensionType><extensionNo>{number}</extensionNo>\
             <scope>local</scope></extension>",
            place + 1
        );
    }
    body.push_str("</GetExtensionsResponse></soap:Body></soap:Envelope>");
    envelope(200, &body)
}

/// SOAP 1.1 sends every fault with 500.
fn fault(code: &str, message: &str) -> Answer {
    let message = xml(message);
    envelope(
        500,
        &format!(
            "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\">\
             <SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>{code}</faultcode>\
             <faultstring>{message}</faultstring></SOAP-ENV:Fault></SOAP-ENV:Body>\
             </SOAP-ENV:Envelope>"
        ),
    )
}

fn envelope(status: u16, xml: &str) -> Answer {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{xml}\n");
    Answer::text(status, "text/xml; charset=utf-8", body.into())
}

/// Text as it may stand in an element; what XML 1.0 has no way to write is replaced.
fn xml(text: &str) -> String {
    let writable: String = text
        .chars()
        .map(|character| match character {
            '\t' | '\n' | '\r' => character,
            '\u{0}'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            _ => character,
        })
        .collect();
    escape(writable).into_owned()
}

/// What the envelope asks, by local names; nothing when it is no well-formed XML.
fn read(text: &str) -> Option<Asked> {
    let mut asked = Asked::default();
    let mut open: Vec<String> = Vec::new();
    let mut text_of = String::new();
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                open.push(start.local_name().into_inner().to_owned());
                text_of.clear();
            }
            Event::Empty(start) => asked.hear(start.local_name().into_inner(), ""),
            Event::End(_) => asked.hear(&open.pop()?, text_of.trim()),
            Event::Text(text) => text_of.push_str(&text.xml10_content()),
            Event::CData(text) => text_of.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                Some(character) => text_of.push(character),
                None => text_of.push_str(resolve_predefined_entity(&reference.xml10_content())?),
            },
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => {}
            Event::Eof if open.is_empty() => return Some(asked),
            Event::Eof => return None,
        }
    }
}

impl Asked {
    fn hear(&mut self, name: &str, text: &str) {
        match name {
            "GetExtensions" | "GetExtensionsRequest" => {
                self.operation = Some(Operation::Extensions);
            }
            "GetExtensionDetails" => self.operation = Some(Operation::Details),
            "GetUsers" => self.operation = Some(Operation::Users),
            "extendedNumber" => text.clone_into(&mut self.number),
            "accessToken" => text.clone_into(&mut self.token),
            "extensionType" => self.extension_type = Some(text.to_owned()),
            "parentID" => self.parent = Some(text.to_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(soap: Soap) -> World {
        let mut world = World::new("a phone and a queue", "a|b<&~c");
        world.insert(Extension::new("0003*210", Kind::Terminal, "Müller & <Söhne>\u{1b}"));
        world.insert(Extension::new("0003*600", Kind::Queue, "Sales"));
        world.soap = soap;
        world
    }

    fn ask(world: &mut World, inside: &str) -> (u16, String) {
        let token = escape(world.token()).into_owned();
        post(
            world,
            &format!(
                "<e:Envelope xmlns:e=\"x\"><e:Header><accessToken>{token}</accessToken></e:Header>\
                 <e:Body><GetExtensions>{inside}</GetExtensions></e:Body></e:Envelope>"
            ),
        )
    }

    fn post(world: &mut World, body: &str) -> (u16, String) {
        let request = Request { body: body.into(), ..Request::new("POST", EXTENSIONS) };
        let answer = world.answer(&request);
        (answer.status, String::from_utf8(answer.body).unwrap())
    }

    #[test]
    fn each_type_is_listed_for_itself_and_an_omitted_one_means_phones() {
        let mut world = world(Soap::V300);
        let phone = "<ns3:label>Müller &amp; &lt;Söhne&gt;\u{fffd}</ns3:label>";
        for asked in ["", "<extensionType>term</extensionType>", "<parentID>12</parentID>"] {
            let (status, body) = ask(&mut world, asked);
            assert_eq!(status, 200);
            assert!(body.contains(phone) && !body.contains("0003*600"), "{body}");
        }
        let (_, body) = ask(&mut world, "<extensionType>phoneQueue</extensionType>");
        assert!(body.contains("<ns4:extendedNumber>0003*600</ns4:extendedNumber>"), "{body}");
        assert!(!body.contains("0003*210"));
        for none in ["ivr", "conference", "callback", "", "*"] {
            let (status, body) = ask(&mut world, &format!("<extensionType>{none}</extensionType>"));
            assert!(status == 200 && !body.contains("<ns2:extension>"), "{none}: {body}");
        }
    }

    #[test]
    fn an_organisation_names_its_users_what_each_owns_and_whose_a_number_is() {
        let mut world = world(Soap::V300);
        world.add_user("101", "Ada & Co");
        let mut own = Extension::new("0003*211", Kind::Terminal, "Sales");
        own.owner = Some("101".to_owned());
        world.insert(own);
        let token = escape(world.token()).into_owned();
        let mut ask = |path: &str, inside: &str| {
            let body = format!("<a><accessToken>{token}</accessToken>{inside}</a>");
            let request = Request { body: body.into(), ..Request::new("POST", path) };
            let answer = world.answer(&request);
            (answer.status, String::from_utf8(answer.body).unwrap())
        };
        let (status, body) = ask(USERS, "<GetUsers/>");
        assert!(status == 200 && body.contains("<ns4:ID>101</ns4:ID>"), "{body}");
        assert!(body.contains("<ns3:name>Ada &amp; Co</ns3:name>"), "{body}");
        let (_, body) = ask(EXTENSIONS, "<GetExtensions><parentID>101</parentID></GetExtensions>");
        assert!(body.contains("0003*211") && !body.contains("0003*210"), "{body}");
        let asked =
            "<GetExtensionDetails><extendedNumber>0003*211</extendedNumber></GetExtensionDetails>";
        let (_, body) = ask(EXTENSIONS, asked);
        assert!(body.contains("<extensionNo>211<") && body.contains("<parentID>101<"), "{body}");
        assert_eq!(ask(EXTENSIONS, "<GetUsers/>").0, 500);
        assert_eq!(ask(USERS, "<GetExtensions/>").0, 500);
    }

    #[test]
    fn the_old_schema_has_its_own_names() {
        let (status, body) =
            ask(&mut world(Soap::V251), "<extensionType>phoneQueue</extensionType>");
        assert_eq!(status, 200);
        for text in ["<extensionType>queue<", "<extensionNo>0003*600<", "<name>Sales<"] {
            assert!(body.contains(text), "{body}");
        }
    }

    #[test]
    fn what_is_refused_gets_a_fault_with_500() {
        let faults = |answer: (u16, String), word: &str| {
            assert_eq!(answer.0, 500);
            assert!(answer.1.contains("<SOAP-ENV:Fault>"), "{}", answer.1);
            assert!(answer.1.contains(word), "{}", answer.1);
        };
        let mut world = world(Soap::V300);
        faults(post(&mut world, "<a><accessToken>x</accessToken></a>"), "accessToken");
        faults(post(&mut world, "<a>"), "Bad Request");
        faults(post(&mut world, "{}<"), "Bad Request");
        faults(ask(&mut world, "<parentID>13</parentID>"), "parentID");
        let token = "<a><accessToken><![CDATA[a|b<&~c]]></accessToken></a>";
        faults(post(&mut world, token), "Procedure");
        world.soap = Soap::Fault;
        faults(ask(&mut world, ""), "not available");
    }

    #[test]
    fn without_one_and_for_other_methods_there_is_a_page_for_people() {
        let mut without = world(Soap::Off);
        let (status, body) = ask(&mut without, "");
        assert!(status == 404 && body.starts_with("<!DOCTYPE html>"), "{body}");
        let answer = world(Soap::V300).answer(&Request::new("GET", EXTENSIONS));
        assert_eq!(answer.status, 404);
    }
}
