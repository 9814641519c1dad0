//! The client against a loopback server that answers from a script, and against the recorded
//! bodies of `assets/wire`.

mod blocked;
mod keeping;
mod renewing;
mod server;
mod whole;
mod writing;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::answer::Answer;
use super::*;
use crate::domain::{
    Access, Cause, CreatePath, Discovery, EventId, EventType, ExtensionKind, ListingBuilder,
    Secret, Source, UserId,
};
use server::{Reply, Server};

const PRESENCE: [Source; 1] = [Source::Presence];
const TOKEN: &str = "1|abc~d.e_f-g|1|1343822097";

/// Its extensions were reached before.
fn settings(origin: &str) -> Settings {
    let known = ["1", "210", "0003*210"].map(|text| (number(text), Access::default()));
    Settings {
        target: target(origin).knowing(known),
        credentials: Credentials::Token(Secret::new(TOKEN)),
        timeout: Duration::from_secs(20),
        trust: Trust::Machine,
        writes: Writes::Allowed,
        concurrency: 4,
    }
}

fn target(origin: &str) -> Target {
    Target::new("acme", origin, "/uapi", UserId::parse("@me").unwrap()).unwrap()
}

fn client(server: &Server) -> Client {
    Client::new(settings(&server.origin)).unwrap()
}

/// A client of an App, whose tokens the server issues.
fn app(server: &Server) -> Client {
    let credentials = Credentials::App {
        key: "key".to_owned(),
        secret: Secret::new("secret"),
        token_url: format!("{}/oauth/token.php", server.origin),
        redirect_uri: "x".to_owned(),
    };
    Client::new(Settings { credentials, ..settings(&server.origin) }).unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn number(text: &str) -> ExtensionNumber {
    ExtensionNumber::parse(text).unwrap()
}

fn one_event() -> DeleteCall {
    DeleteCall::Event(EventKey {
        extension: number("0003*210"),
        event_type: EventType::DialIn,
        id: EventId::parse("NqeyDRqo4FtabmFj8gNWq3hsiGNYyq").unwrap(),
    })
}

fn whole_extension() -> DeleteCall {
    DeleteCall::Extension(number("0003*210"))
}

fn raw_ids(answer: &DeleteAnswer) -> Option<Vec<&str>> {
    let ids = answer.ids.as_ref()?;
    Some(ids.iter().map(crate::domain::Foreign::raw).collect())
}

/// One DELETE against one reply: what came of it, its trace, and what the server received.
fn delete_meets(reply: Reply) -> (Result<DeleteAnswer, Failure>, Vec<Exchange>, Vec<String>) {
    let server = Server::start(vec![reply]);
    let mut trace = Vec::new();
    let answer = wait(client(&server).delete(&one_event(), &mut trace));
    (answer, trace, server.requests())
}

fn refusal_of(reply: Reply) -> Failure {
    let (answer, trace, requests) = delete_meets(reply);
    assert_eq!((trace.len(), requests.len()), (1, 1));
    answer.unwrap_err()
}

#[test]
fn the_two_examples_of_the_page_go_out_byte_for_byte() {
    let server = Server::start(vec![
        Reply::json(200, r#"[ { "id": "NqeyDRqo4FtabmFj8gNWq3hsiGNYyq"  } ]"#),
        Reply::json(200, r#"[{"id":"a"},{"id":"b"},{"id":"c"}]"#),
    ]);
    let client = client(&server);
    let mut trace = Vec::new();
    let (one, all) = wait(async {
        (
            client.delete(&one_event(), &mut trace).await.unwrap(),
            client.delete(&whole_extension(), &mut trace).await.unwrap(),
        )
    });
    assert_eq!(raw_ids(&one).unwrap(), ["NqeyDRqo4FtabmFj8gNWq3hsiGNYyq"]);
    assert_eq!(raw_ids(&all).unwrap(), ["a", "b", "c"]);
    let requests = server.requests();
    let event = "/uapi/extensions/@me/0003*210/phoneCallEvents/0/NqeyDRqo4FtabmFj8gNWq3hsiGNYyq";
    let extension = "/uapi/extensions/@me/0003*210/phoneCallEvents";
    assert!(requests[0].starts_with(&format!("DELETE {event} HTTP/1.1\r\n")));
    assert!(requests[1].starts_with(&format!("DELETE {extension} HTTP/1.1\r\n")));
    for request in &requests {
        for header in [
            format!("authorization: Bearer {TOKEN}"),
            "content-type: application/json".to_owned(),
            "accept: application/json".to_owned(),
            concat!("user-agent: callsweep/", env!("CARGO_PKG_VERSION")).to_owned(),
        ] {
            assert!(request.contains(&format!("\r\n{header}\r\n")), "{request}");
        }
        assert!(request.ends_with("\r\n\r\n"), "a DELETE has no body");
    }
    let seen: Vec<_> = trace
        .iter()
        .map(|exchange| (exchange.method, exchange.path.as_str(), exchange.answer.clone()))
        .collect();
    assert_eq!(seen, [("DELETE", event, Ok(200)), ("DELETE", extension, Ok(200))]);
}

#[test]
fn read_only_sends_no_delete_and_lists_all_the_same() {
    let server = Server::start(vec![Reply::json(200, r#"{"entry":[]}"#)]);
    let client =
        Client::new(Settings { writes: Writes::ReadOnly, ..settings(&server.origin) }).unwrap();
    let mut trace = Vec::new();
    for call in [one_event(), whole_extension()] {
        let withheld = wait(client.delete(&call, &mut trace)).unwrap_err();
        assert_eq!(withheld.cause, Cause::Withheld);
    }
    assert!(trace.is_empty());
    wait(client.events(&number("210"), &mut trace)).unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("GET "));
}

#[test]
fn success_without_a_body_is_a_success_only_when_the_status_says_so() {
    let (answer, ..) =
        delete_meets(Reply::Raw(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".into()));
    let answer = answer.unwrap();
    assert_eq!((answer.http_status, raw_ids(&answer)), (204, None));
    let failure = refusal_of(Reply::json(200, ""));
    assert_eq!(failure.cause, Cause::Unreadable);
    assert_eq!(failure.http_status, Some(200));
    assert!(failure.may_have_acted());
    let page = refusal_of(Reply::json(200, "<html><body>Sign in</body></html>"));
    assert_eq!(page.cause, Cause::Unreadable);
    assert!(page.to_string().contains("base_path"), "{page}");
}

#[test]
fn a_refusal_is_told_in_the_services_words() {
    let failure = refusal_of(Reply::json(
        400,
        r#"{"error":{"code":"pce_id_invalid","message":"The event does not exist"}}"#,
    ));
    assert_eq!(failure.cause, Cause::Rejected);
    assert_eq!(failure.code.raw(), "pce_id_invalid");
    assert_eq!(failure.message.raw(), "The event does not exist");
    let announced = refusal_of(Reply::json(200, r#"{"error":{"code":"x","message":"y"}}"#));
    assert_eq!((announced.cause, announced.http_status), (Cause::Rejected, Some(200)));
    let page = refusal_of(Reply::json(404, "<html>not here</html>"));
    assert_eq!(page.cause, Cause::Rejected);
    assert!(page.to_string().contains("base_path"), "{page}");
    let broken = refusal_of(Reply::json(503, "<html>busy</html>"));
    assert_eq!(broken.cause, Cause::ServiceFailed);
}

#[test]
fn redirects_are_reported_and_never_followed() {
    let elsewhere = Server::start(vec![Reply::json(200, "[]")]);
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: {}/else?secret=1\r\n", elsewhere.origin);
        let failure = refusal_of(Reply::with_header(status, &location, ""));
        assert_eq!(failure.cause, Cause::Redirected);
        let sentence = failure.to_string();
        assert!(sentence.contains(&elsewhere.origin), "{sentence}");
        assert!(!sentence.contains("secret"), "{sentence}");
    }
    assert!(elsewhere.requests().is_empty());
    let slash = refusal_of(Reply::with_header(301, "Location: other/\r\n", ""));
    assert!(slash.to_string().contains("another path of http://127.0.0.1"), "{slash}");
}

#[test]
fn what_never_got_an_answer_may_have_been_done() {
    for reply in [
        Reply::Raw(Vec::new()),
        Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n[{\"id\"".to_vec()),
        Reply::Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{\"i".to_vec()),
        Reply::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
    ] {
        let failure = refusal_of(reply);
        assert_eq!(failure.cause, Cause::NoAnswer, "{failure}");
    }
}

#[test]
fn a_refusal_whose_body_breaks_off_is_still_a_refusal() {
    let failure = refusal_of(Reply::Raw(
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 500\r\n\r\n{\"error\"".to_vec(),
    ));
    assert_eq!((failure.cause, failure.http_status), (Cause::Rejected, Some(400)));
}

#[test]
fn an_answer_that_takes_too_long_is_no_answer() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n[".to_vec();
    for sent in [Vec::new(), half] {
        let server = Server::start(vec![Reply::Silence(sent)]);
        let impatient = Client::new(Settings {
            timeout: Duration::from_millis(50),
            ..settings(&server.origin)
        })
        .unwrap();
        let failure = wait(impatient.delete(&one_event(), &mut Vec::new())).unwrap_err();
        assert_eq!(failure.cause, Cause::NoAnswer);
        assert!(failure.to_string().contains("no answer within 50 ms"), "{failure}");
    }
}

#[test]
fn a_status_that_came_before_the_patience_ended_is_known_whatever_became_of_its_body() {
    for (line, cause) in [("200 OK", Cause::NoAnswer), ("403 Forbidden", Cause::Rejected)] {
        let half = format!("HTTP/1.1 {line}\r\nContent-Length: 500\r\n\r\n[").into_bytes();
        let server = Server::start(vec![Reply::Silence(half.clone()), Reply::Silence(half)]);
        let timeout = Duration::from_millis(100);
        let impatient = Client::new(Settings { timeout, ..settings(&server.origin) }).unwrap();
        let failure = wait(impatient.delete(&one_event(), &mut Vec::new())).unwrap_err();
        let status = line.split(' ').next().unwrap().parse().ok();
        assert_eq!((failure.cause, failure.http_status), (cause, status), "{failure}");
    }
}

#[test]
fn a_body_without_end_is_not_read_to_the_end() {
    let failure =
        refusal_of(Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n[".to_vec()));
    assert_eq!(failure.cause, Cause::Unreadable);
    assert!(failure.to_string().contains("2 MiB"), "{failure}");
}

#[test]
fn a_refused_connection_names_the_host_and_the_remedy() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = Client::new(settings(&format!("http://{address}"))).unwrap();
    let mut trace = Vec::new();
    let failure = wait(client.delete(&one_event(), &mut trace)).unwrap_err();
    assert_eq!(failure.cause, Cause::Unreachable);
    let sentence = failure.to_string();
    assert!(sentence.contains(&address.to_string()) && sentence.contains("url in the profile"));
    assert_eq!(trace[0].answer, Err(failure));
}

#[test]
fn a_port_that_speaks_no_tls_is_none_that_waiting_mends() {
    let server = Server::start(vec![Reply::Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())]);
    let client = Client::new(Settings {
        trust: Trust::Anything,
        ..settings(&server.origin.replace("http:", "https:"))
    })
    .unwrap();
    let failure = wait(client.delete(&one_event(), &mut Vec::new())).unwrap_err();
    assert_eq!(failure.cause, Cause::Untrusted);
    assert!(failure.to_string().contains("scheme and port"), "{failure}");
}

#[test]
fn what_cannot_be_a_client_is_refused_with_the_remedy() {
    let refused = |settings: Settings| Client::new(settings).unwrap_err().to_string();
    let sealed = || settings("https://pbx.example.com");
    let missing =
        refused(Settings { trust: Trust::MachineAnd("/does/not/exist.pem".into()), ..sealed() });
    assert!(missing.contains("/does/not/exist.pem") && missing.contains("ca_file"), "{missing}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    fs::write(&path, "not a certificate").unwrap();
    let empty = refused(Settings { trust: Trust::MachineAnd(path), ..sealed() });
    assert!(empty.contains("BEGIN CERTIFICATE"), "{empty}");
    let clear = refused(settings("http://pbx.example.com"));
    assert!(clear.contains("loopback"), "{clear}");
    let token =
        refused(Settings { credentials: Credentials::Token(Secret::new("se cret")), ..sealed() });
    assert!(!token.contains("cret"), "{token}");
}

#[test]
fn every_question_can_be_asked_from_any_thread() {
    fn on_any_thread(_: impl Send) {}
    let client = Client::new(settings("http://127.0.0.1:1")).unwrap();
    let (number, call) = (number("1"), one_event());
    on_any_thread(client.extensions(&[], &PRESENCE, &mut Vec::new()));
    on_any_thread(client.events(&number, &mut Vec::new()));
    on_any_thread(client.delete(&call, &mut Vec::new()));
    let (event, change) = (writing::event(), Change::default());
    on_any_thread(client.create(&event, &mut Vec::new()));
    on_any_thread(client.update(&event.key, &change, &mut Vec::new()));
}

#[test]
fn no_debug_text_holds_the_token() {
    let settings = settings("http://127.0.0.1:1");
    let client = Client::new(settings.clone()).unwrap();
    for text in [format!("{settings:?}"), format!("{client:?}"), format!("{client:#?}")] {
        assert!(!text.contains("abc~d"), "{text}");
    }
}

/// The page behind the last row.
fn nothing_more() -> Reply {
    Reply::json(204, "")
}

#[test]
fn a_listing_is_asked_page_by_page() {
    let rows = |range: std::ops::Range<usize>| -> Vec<Value> {
        range.map(|id| json!({ "type": "0", "id": format!("e{id}") })).collect()
    };
    let first = json!({ "entry": rows(0..500) }).to_string();
    let second = json!({ "entry": rows(500..503) }).to_string();
    let server =
        Server::start(vec![Reply::json(200, &first), Reply::json(200, &second), nothing_more()]);
    let mut trace = Vec::new();
    let listing = wait(client(&server).events(&number("0003*210"), &mut trace)).unwrap();
    assert_eq!((listing.len(), listing.is_complete()), (503, true));
    let path = "/uapi/extensions/@me/0003*210/phoneCallEvents";
    let requests = server.requests();
    assert!(requests[0].starts_with(&format!("GET {path}?count=500&startIndex=0 HTTP/1.1\r\n")));
    assert!(requests[1].starts_with(&format!("GET {path}?count=500&startIndex=500 HTTP/1.1\r\n")));
    assert!(requests[2].starts_with(&format!("GET {path}?count=500&startIndex=503 HTTP/1.1\r\n")));
    assert!(trace.iter().all(|exchange| exchange.path == path));
}

#[test]
fn a_listing_with_a_failed_page_is_no_listing() {
    let first = r#"{"entry":[{"type":"0","id":"a"}],"totalResults":2}"#;
    let server = Server::start(vec![Reply::json(200, first), Reply::json(500, "")]);
    let mut trace = Vec::new();
    let failure = wait(client(&server).events(&number("1"), &mut trace)).unwrap_err();
    assert_eq!(failure.cause, Cause::ServiceFailed);
    assert_eq!(trace.len(), 2);
}

#[test]
fn a_list_that_moved_while_it_was_read_is_read_once_more_and_not_forever() {
    let page = |ids: std::ops::Range<usize>| {
        let rows: Vec<Value> = ids.map(|id| json!({ "type": "0", "id": id })).collect();
        Reply::json(200, &json!({ "entry": rows }).to_string())
    };
    // An event came in before the second page: the last row of the first is there again.
    let calm = [page(0..500), page(500..511), nothing_more()];
    let moved = || [page(0..500), page(499..510)];
    let server = Server::start(moved().into_iter().chain(calm).collect());
    let listing = wait(client(&server).events(&number("1"), &mut Vec::new())).unwrap();
    assert_eq!((listing.len(), listing.is_complete()), (511, true));

    let twice = moved().into_iter().chain([page(0..500), page(499..511), nothing_more()]);
    let server = Server::start(twice.collect());
    let listing = wait(client(&server).events(&number("1"), &mut Vec::new())).unwrap();
    assert_eq!((listing.len(), listing.is_complete()), (511, false));
}

#[test]
fn an_empty_extension_may_answer_204() {
    let server = Server::start(vec![Reply::json(204, "")]);
    let listing = wait(client(&server).events(&number("1"), &mut Vec::new())).unwrap();
    assert!(listing.is_empty() && listing.is_complete());
}

#[test]
fn presence_and_typed_numbers_are_merged_each_once() {
    let body = r#"{"entry":[{"status":"0","extension":"0003*210"},{"extension":"@self"},
        {"extension":"0003*001","registration":[{"agent":"x"}]}]}"#;
    let server = Server::start(vec![Reply::json(200, body), nothing_more()]);
    let typed = ["0003*300", "0003*210"].map(|text| Extension::of(number(text)));
    let mut trace = Vec::new();
    let found = wait(client(&server).extensions(&typed, &PRESENCE, &mut trace)).unwrap();
    let extensions: Vec<_> = found
        .extensions
        .iter()
        .map(|extension| (extension.number.as_str(), extension.kind.clone()))
        .collect();
    let phone = || Some(ExtensionKind::Phone);
    assert_eq!(extensions, [("0003*001", phone()), ("0003*210", phone()), ("0003*300", None)]);
    assert_eq!(found.remarks.len(), 2, "{:?}", found.remarks);
    assert!(found.remarks[0].contains("queues, IVRs and conferences"));
    assert!(found.remarks[1].contains("1 extension "));
    assert_eq!(trace[0].path, "/uapi/extensions/@me/@self/presence");
    assert!(server.requests()[0].contains("/@me/@self/presence?count=500&startIndex=0 "));
}

#[test]
fn without_presence_nothing_is_asked() {
    let server = Server::start(vec![]);
    let mut trace = Vec::new();
    let found =
        wait(client(&server).extensions(&[Extension::of(number("2"))], &[], &mut trace)).unwrap();
    assert_eq!((found.extensions.len(), found.remarks.len()), (1, 0));
    assert!(trace.is_empty() && server.requests().is_empty());
}

#[test]
fn typed_numbers_stand_in_for_a_refused_presence_and_for_nothing_worse() {
    let discover = |reply: Reply, typed: &[Extension]| {
        let server = Server::start(vec![reply]);
        wait(client(&server).extensions(typed, &PRESENCE, &mut Vec::new()))
    };
    let typed = [Extension::of(number("210"))];
    let denied =
        || Reply::json(400, r#"{"error":{"code":"presence_denied","message":"Not for you"}}"#);
    let found = discover(denied(), &typed).unwrap();
    assert_eq!(found.extensions, [Extension::of(number("210"))]);
    assert!(found.remarks[0].contains("presence_denied: Not for you"));
    assert!(discover(denied(), &[]).is_err());
    let expired = r#"{"error":{"code":"access_denided","message":"No"}}"#;
    assert!(discover(Reply::json(401, expired), &typed).is_err());
    assert!(discover(Reply::json(404, "<html>"), &typed).is_err());
    assert!(discover(Reply::json(500, ""), &typed).is_err());
    assert!(discover(Reply::Raw(Vec::new()), &typed).is_err());
}

const EMPTY_LIST: &str = "<e:Envelope><e:Body><m:GetExtensionsResponse/></e:Body></e:Envelope>";

/// What a server with this script makes of both sources, and what it received.
fn both_sources(script: Vec<Reply>) -> (Result<Discovery, Failure>, Vec<Exchange>, Vec<String>) {
    let server = Server::start(script);
    let mut trace = Vec::new();
    let client =
        Client::new(Settings { writes: Writes::ReadOnly, ..settings(&server.origin) }).unwrap();
    let sources = [Source::Presence, Source::SystemApi];
    let found = wait(client.extensions(&[], &sources, &mut trace));
    (found, trace, server.requests())
}

#[test]
fn system_api_is_asked_once_for_each_type_also_when_read_only() {
    let queue = "<e:Envelope><e:Body><m:GetExtensionsResponse><m:extension><d:label>Sales</d:label>\
                 <d:extensionType>phoneQueue</d:extensionType><c:extendedNumber>600\
                 </c:extendedNumber></m:extension></m:GetExtensionsResponse></e:Body></e:Envelope>";
    let (found, trace, requests) = both_sources(vec![
        Reply::json(200, r#"{"entry":[{"extension":"210"}]}"#),
        nothing_more(),
        Reply::json(200, EMPTY_LIST),
        Reply::json(200, queue),
        Reply::json(200, EMPTY_LIST),
        Reply::json(200, EMPTY_LIST),
        Reply::json(404, "<html>"),
    ]);
    let found = found.unwrap();
    assert!(found.remarks.is_empty(), "{:?}", found.remarks);
    let labels: Vec<_> = found.extensions.iter().map(|one| one.label.raw()).collect();
    assert_eq!(labels, ["", "Sales"]);
    let asked: Vec<_> = trace.iter().map(|one| (one.method, one.path.as_str())).collect();
    assert_eq!((asked[0].0, asked[1].0), ("GET", "GET"));
    assert_eq!(asked[2..6], [("POST", "/soap2/extension_agent.php"); 4]);
    assert_eq!(asked[6..], [("POST", "/soap2/user_agent.php")]);
    for (request, kind) in requests[2..].iter().zip(["term", "phoneQueue", "ivr", "conference"]) {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /soap2/extension_agent.php HTTP/1.1\r\n"), "{head}");
        let head = head.to_lowercase();
        for header in [
            "content-type: text/xml; charset=utf-8".to_owned(),
            "soapaction: \"http://4psa.com/extension/3.5.0:getextensionsin\"".to_owned(),
            format!("content-length: {}", body.len()),
        ] {
            assert!(head.lines().any(|line| line == header), "{header}: {head}");
        }
        assert_eq!(head.matches("content-type").count(), 1, "{head}");
        assert!(!head.contains("chunked") && !head.contains("expect:"), "{head}");
        assert!(body.contains(&format!("<h:accessToken>{TOKEN}</h:accessToken>")), "{body}");
        assert!(body.contains(&format!("<d:extensionType>{kind}</d:extensionType>")), "{body}");
    }
}

#[test]
fn a_type_that_is_not_listed_is_named_and_a_broken_source_is_not_asked_on() {
    let presence = || Reply::json(200, r#"{"entry":[{"extension":"210"}]}"#);
    let fault = "<s:Envelope><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>Unknown \
                 type</faultstring></s:Fault></s:Body></s:Envelope>";
    let (found, _, requests) = both_sources(vec![
        presence(),
        nothing_more(),
        Reply::json(200, EMPTY_LIST),
        Reply::json(500, fault),
        Reply::json(200, EMPTY_LIST),
        Reply::json(503, ""),
    ]);
    let remarks = found.unwrap().remarks;
    assert_eq!((remarks.len(), requests.len()), (2, 6), "{remarks:?}");
    let queues = "system_api could not list queues (s:Client: Unknown type): ";
    assert!(remarks[0].starts_with(queues), "{remarks:?}");
    assert!(remarks[1].starts_with("system_api could not list conferences ("), "{remarks:?}");

    let (found, _, requests) = both_sources(vec![
        presence(),
        nothing_more(),
        Reply::json(200, EMPTY_LIST),
        Reply::json(503, ""),
    ]);
    let remarks = found.unwrap().remarks;
    assert_eq!(requests.len(), 4);
    assert!(remarks[0].contains("list queues, IVRs, conferences ("), "{remarks:?}");

    let (found, _, requests) =
        both_sources(vec![presence(), nothing_more(), Reply::json(404, "<html>")]);
    let remarks = found.unwrap().remarks;
    assert_eq!((requests.len(), remarks.len()), (3, 2), "{remarks:?}");
    assert!(remarks[1].starts_with("system_api could not be listed ("), "{remarks:?}");
}

/// A service that keeps to the documented limits: `count` below 5,000, `startIndex` up to 4,999,
/// pages of `cap` rows at most, and a list for each type.
fn limited(rows: Vec<Value>, cap: usize, with_total: bool) -> Server {
    Server::answering(move |request| {
        let (path, query) = request.split_whitespace().nth(1)?.split_once('?')?;
        let asked = |name: &str| -> usize {
            let found = query.split('&').find_map(|pair| pair.strip_prefix(name));
            found.and_then(|text| text.strip_prefix('=')).unwrap().parse().unwrap()
        };
        let (count, start) = (asked("count"), asked("startIndex"));
        if count > 4_999 || start > 4_999 {
            return Some(Reply::json(400, r#"{"error":{"code":"count_invalid","message":"No"}}"#));
        }
        let of_type = path.rsplit_once("/phoneCallEvents/").map(|(_, number)| number);
        let wanted = |row: &&Value| of_type.is_none_or(|number| row["type"] == number);
        let listed: Vec<_> = rows.iter().filter(wanted).collect();
        let page: Vec<_> = listed.iter().skip(start).take(count.min(cap)).collect();
        let mut body = json!({ "entry": page });
        if with_total {
            body["totalResults"] = listed.len().into();
        }
        Some(Reply::json(200, &body.to_string()))
    })
}

fn typed_rows(counts: &[(u16, usize)]) -> Vec<Value> {
    let of = |&(number, count): &(u16, usize)| {
        (0..count)
            .map(move |id| json!({"type": number.to_string(), "id": format!("{number}e{id}")}))
    };
    counts.iter().flat_map(of).collect()
}

fn listed_by(server: &Server) -> Listing {
    wait(client(server).events(&number("1"), &mut Vec::new())).unwrap()
}

#[test]
fn rows_behind_the_last_start_are_read_with_the_largest_page() {
    let server = limited(typed_rows(&[(0, 5_000), (1, 2_000)]), 5_000, true);
    let listing = listed_by(&server);
    assert_eq!((listing.len(), listing.is_complete()), (7_000, true));
    assert_eq!(server.requests().len(), 11);
}

#[test]
fn a_list_longer_than_its_limits_is_read_type_by_type() {
    let counts = [(0, 6_000), (2, 5_000), (7, 30)];
    let mut rows = typed_rows(&counts);
    // The unknown type shows in the plain list, as the service has its own order.
    rows.rotate_right(30);
    let server = limited(rows.clone(), 5_000, true);
    let listing = listed_by(&server);
    assert_eq!((listing.len(), listing.is_complete()), (11_030, true));
    let requests = server.requests();
    for event_type in [0, 1, 2, 3, 4, 7] {
        let first = format!("/phoneCallEvents/{event_type}?count=500&startIndex=0 ");
        assert!(requests.iter().any(|request| request.contains(&first)), "{event_type}");
    }

    let server = limited(typed_rows(&[(0, 10_100), (1, 10)]), 5_000, true);
    let listing = listed_by(&server);
    assert_eq!((listing.len(), listing.is_complete()), (10_008, false), "one type is too long");

    rows.push(json!({ "id": "of-no-type" }));
    rows.rotate_right(1);
    let listing = listed_by(&limited(rows, 5_000, true));
    assert_eq!(listing.odd().len(), 1);
    assert!(!listing.is_complete(), "a row is in no list of a type");
}

#[test]
fn a_list_that_moved_is_read_once_more_and_then_called_incomplete() {
    let page = |ids: std::ops::Range<usize>, total: usize| {
        let rows: Vec<_> = ids.map(|id| json!({ "type": "0", "id": id })).collect();
        Reply::json(200, &json!({ "entry": rows, "totalResults": total }).to_string())
    };
    let moved = || [page(0..500, 510), page(499..509, 509)];
    let calm = || [page(1..501, 509), page(501..510, 509)];
    let read = |script: Vec<Reply>| {
        let server = Server::start(script);
        let listing = listed_by(&server);
        (listing.len(), listing.is_complete(), server.requests().len())
    };
    let once = moved().into_iter().chain(calm()).chain([nothing_more()]).collect();
    assert_eq!(read(once), (509, true, 5), "nothing of the first reading is left");
    let rest = [Reply::json(204, "")];
    let twice = moved().into_iter().chain(moved()).chain(rest).collect();
    assert_eq!(read(twice), (509, false, 5));
}

#[test]
fn a_service_that_refuses_the_last_page_or_a_type_leaves_the_list_incomplete() {
    let refused = || Some(Reply::json(400, r#"{"error":{"code":"count_invalid","message":""}}"#));
    let rows: Vec<_> = (0..500).map(|id| json!({ "type": "0", "id": id })).collect();
    let server = Server::answering(move |request| {
        let target = request.split_whitespace().nth(1)?;
        let start: usize = target.rsplit_once("startIndex=")?.1.parse().ok()?;
        if target.contains("phoneCallEvents/") || start > 4_500 {
            return refused();
        }
        let mut page = rows.clone();
        for (place, row) in page.iter_mut().enumerate() {
            row["id"] = (start + place).into();
        }
        Some(Reply::json(200, &json!({ "entry": page }).to_string()))
    });
    let listing = listed_by(&server);
    assert_eq!((listing.len(), listing.is_complete()), (5_000, false));
    assert_eq!(server.requests().len(), 16);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn more_than_five_thousand_rows_come_back_whole(
        counts in prop::collection::vec(1_500_usize..3_000, 5),
        cap in 300_usize..5_000,
        with_total: bool,
        start in 0_usize..1_000,
    ) {
        let counts: Vec<_> = (0..5).zip(counts).collect();
        let mut rows = typed_rows(&counts);
        rows.rotate_left(start);
        let all = rows.len();
        let listing = listed_by(&limited(rows, cap, with_total));
        prop_assert_eq!(listing.len(), all);
        prop_assert!(listing.is_complete() || !with_total, "{:?}", listing.why_incomplete());
    }
}

type Check = fn(&Recorded);

/// What a recorded answer has to come out as, by the beginning of its file's name.
const CHECKS: [(&str, Check); 6] = [
    ("list-", check_list),
    ("presence-", check_presence),
    ("delete-", check_delete),
    ("create-", check_written),
    ("update-", check_written),
    ("error-", check_error),
];

/// One file of `assets/wire`.
struct Recorded {
    name: String,
    status: u16,
    body: Value,
}

impl Recorded {
    fn text(&self) -> String {
        match &self.body {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            json => json.to_string(),
        }
    }

    /// The body of a success, if there is one.
    fn accepted(&self) -> Result<Option<answer::Body>, Failure> {
        let body = self.text().into_bytes().into();
        refusal::accepted(Answer { status: self.status, body, ..Answer::default() })
    }

    /// The body as a page; an empty one for a success without a body.
    fn page_of<T>(&self, read: impl FnOnce(&wire::Page<'_>) -> T) -> T {
        let name = &self.name;
        let body = self.accepted().unwrap_or_else(|failure| panic!("{name}: {failure}"));
        if let Some(body) = body {
            read(&wire::page(&body).unwrap_or_else(|fault| panic!("{name}: {fault:?}")))
        } else {
            assert_eq!(self.status, 204, "{name}");
            read(&wire::Page::default())
        }
    }

    /// The rows that the body holds, in whatever it wraps them, each with its key.
    fn rows(&self) -> Vec<(Option<String>, Value)> {
        fn rows_in(value: &Value) -> Vec<(Option<String>, Value)> {
            let has = |names: &[&str]| names.iter().any(|name| !value[name].is_null());
            match value {
                Value::Array(items) => items.iter().flat_map(rows_in).collect(),
                Value::Object(_) if has(&["entry"]) => match &value["entry"] {
                    Value::Object(keyed) if keyed.values().all(Value::is_object) => {
                        keyed.iter().map(|(key, row)| (Some(key.clone()), row.clone())).collect()
                    }
                    entry => rows_in(entry),
                },
                Value::Object(_) if has(&["id", "extension"]) => vec![(None, value.clone())],
                _ => Vec::new(),
            }
        }
        rows_in(&self.body)
    }
}

fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn recordings() -> Vec<Recorded> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/wire");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let json = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    json.map(|path| {
        let recorded: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        Recorded {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            status: recorded["status"].as_u64().unwrap().try_into().unwrap(),
            body: recorded["body"].clone(),
        }
    })
    .collect()
}

#[test]
fn every_recorded_body_comes_out_as_what_it_holds() {
    let recordings = recordings();
    assert!(!recordings.is_empty());
    for recorded in recordings {
        match CHECKS.iter().find(|(prefix, _)| recorded.name.starts_with(prefix)) {
            Some((_, check)) => check(&recorded),
            None => panic!("{}: no beginning of a name says what it is", recorded.name),
        }
    }
}

fn check_list(recorded: &Recorded) {
    let listing = recorded.page_of(|page| {
        let mut listing = ListingBuilder::new(number("1"));
        page.rows.iter().for_each(|row| row.facts().put_into(&mut listing));
        listing.finish(true)
    });
    let (name, rows) = (&recorded.name, recorded.rows());
    assert_eq!(listing.len() + listing.odd().len(), rows.len(), "{name}");
    let ids: Vec<_> =
        (0..listing.len()).map(|row| listing.row(row).unwrap().id().to_owned()).collect();
    for (key, row) in rows {
        let own = Some(&row["id"]).filter(|id| !id.is_null()).map(written);
        let id = own.or(key).unwrap_or_default();
        let odd = listing.odd().iter().any(|odd| odd.text.raw().contains(&id));
        assert!(ids.contains(&id) || odd, "{name}: {id}");
    }
}

fn check_presence(recorded: &Recorded) {
    let found: Vec<_> = recorded
        .page_of(|page| page.rows.iter().map(|row| row.facts().extension().to_owned()).collect());
    let held: Vec<_> = recorded.rows().iter().map(|(_, row)| written(&row["extension"])).collect();
    assert_eq!(found, held, "{}", recorded.name);
}

fn check_delete(recorded: &Recorded) {
    let name = &recorded.name;
    match recorded.accepted().unwrap_or_else(|failure| panic!("{name}: {failure}")) {
        Some(body) => {
            let ids = wire::deleted_ids(&body).unwrap();
            let ids: Vec<_> = ids.iter().map(|id| id.raw().to_owned()).collect();
            let held: Vec<_> = recorded.rows().iter().map(|(_, row)| written(&row["id"])).collect();
            assert_eq!(ids, held, "{name}");
        }
        None => assert_eq!(recorded.status, 204, "{name}"),
    }
}

/// Every success of a POST or PUT but the empty one tells the id.
fn check_written(recorded: &Recorded) {
    let name = &recorded.name;
    match recorded.accepted().unwrap_or_else(|failure| panic!("{name}: {failure}")) {
        Some(body) => {
            let id = wire::written_id(&body).unwrap().unwrap_or_default();
            let held: Vec<_> = recorded.rows().iter().map(|(_, row)| written(&row["id"])).collect();
            let bare = written(&recorded.body);
            assert!(held.iter().any(|held| held == id.raw()) || bare == id.raw(), "{name}: {id}");
        }
        None => assert_eq!(recorded.status, 204, "{name}"),
    }
}

/// The code of the body, nested or flat, whatever the status says; a body without one is refused
/// all the same.
fn check_error(recorded: &Recorded) {
    let name = &recorded.name;
    let error = &recorded.body["error"];
    let nested = Some(&error["code"]).filter(|code| !code.is_null()).map(written);
    let code = nested.or_else(|| error.as_str().map(ToOwned::to_owned)).unwrap_or_default();
    let failure = match recorded.accepted() {
        Err(failure) => failure,
        Ok(body) => {
            let body = body.unwrap_or_else(|| panic!("{name} passes for a success"));
            refusal::misread(wire::page(&body).unwrap_err())
        }
    };
    assert_eq!(failure.code.raw(), code, "{name}");
    assert!(!failure.to_string().is_empty(), "{name}");
}

#[test]
fn every_refusal_carries_the_pause_that_its_answer_asks_for() {
    for status in [429, 503, 500, 400, 301] {
        let failure = refusal_of(Reply::with_header(status, "Retry-After: 7\r\n", ""));
        assert_eq!(failure.retry_after, Some(Duration::from_secs(7)), "{status}");
        assert_eq!(refusal_of(Reply::json(status, "")).retry_after, None);
    }
    let date = "Date: Sun, 06 Nov 1994 12:00:00 GMT\r\n\
                Retry-After: Sun, 06 Nov 1994 12:01:00 GMT\r\n";
    let failure = refusal_of(Reply::with_header(503, date, "{}"));
    assert_eq!(failure.retry_after, Some(Duration::from_secs(60)));
    let worded = r#"{"error":{"code":"limit","message":"Too many"}}"#;
    let failure = refusal_of(Reply::with_header(429, "Retry-After: 7\r\n", worded));
    assert_eq!((failure.code.raw(), failure.retry_after), ("limit", Some(Duration::from_secs(7))));
}
