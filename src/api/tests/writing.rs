//! What goes out to make or change an event, and what its answers mean.

use super::*;
use crate::domain::{Change, Foreign, Method, Modified, PhoneCallEvent, Status};

pub(super) fn event() -> PhoneCallEvent {
    PhoneCallEvent {
        key: key(),
        method: Method::Get,
        url: Foreign::from("https://crm.test/in?a=%20&b=%C3%A9&n=100%"),
        note: Foreign::from("Zo\u{eb} \u{1b}[2J \"q\"\\\u{200b}\u{202e}\n"),
        status: Status::Enabled,
        modified: Modified::Missing,
        text: None,
    }
}

fn key() -> EventKey {
    EventKey {
        extension: number("0003*210"),
        event_type: EventType::Hangup,
        id: EventId::parse("MyPhoneCallEvent").unwrap(),
    }
}

/// Makes the event against a script: what came of it, and what the server received.
fn created(script: Vec<Reply>, event: &PhoneCallEvent) -> (Result<WriteAnswer, Failure>, Requests) {
    let server = Server::start(script);
    let answer = wait(client(&server).create(event, &mut Vec::new()));
    (answer, server.requests())
}

type Requests = Vec<String>;

fn body_of(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn told(answer: Result<WriteAnswer, Failure>) -> (u16, Option<String>) {
    let answer = answer.unwrap();
    (answer.http_status, answer.id.map(|id| id.raw().to_owned()))
}

#[test]
fn a_new_event_goes_out_as_the_page_has_it_with_numbers_as_texts() {
    let (answer, requests) = created(vec![Reply::json(200, r#"{"id":"new"}"#)], &event());
    assert_eq!(told(answer), (200, Some("new".to_owned())));
    let head = "POST /uapi/extensions/@me/0003*210/phoneCallEvents HTTP/1.1\r\n";
    assert!(requests[0].starts_with(head), "{}", requests[0]);
    for header in
        [format!("authorization: Bearer {TOKEN}"), "content-type: application/json".into()]
    {
        assert!(requests[0].contains(&format!("\r\n{header}\r\n")), "{}", requests[0]);
    }
    let (url, note) = (event().url.raw().to_owned(), event().note.raw().to_owned());
    let expected = json!({ "type": "2", "method": "0", "url": url, "note": note, "status": "1" });
    assert_eq!(body_of(&requests[0]), expected);
}

#[test]
fn values_that_nobody_documented_go_back_as_they_came() {
    let (method, status) = (Foreign::from("7"), Foreign::from("x%\u{200b}"));
    let odd = PhoneCallEvent {
        key: EventKey { event_type: EventType::Unknown(9), ..key() },
        method: Method::Other(method),
        status: Status::Other(status),
        ..event()
    };
    let (answer, requests) = created(vec![Reply::json(200, "")], &odd);
    assert_eq!(told(answer), (200, None));
    let body = body_of(&requests[0]);
    assert_eq!((&body["type"], &body["method"]), (&json!("9"), &json!("7")));
    assert_eq!(body["status"], json!("x%\u{200b}"));
}

#[test]
fn the_type_stands_in_the_path_where_the_profile_says_so_and_in_the_body_all_the_same() {
    let server = Server::start(vec![Reply::json(204, "")]);
    let mut settings = settings(&server.origin);
    settings.target.create_path = CreatePath::WithType;
    let client = Client::new(settings).unwrap();
    assert_eq!(told(wait(client.create(&event(), &mut Vec::new()))), (204, None));
    let request = &server.requests()[0];
    assert!(request.starts_with("POST /uapi/extensions/@me/0003*210/phoneCallEvents/2 HTTP"));
    assert_eq!(body_of(request)["type"], json!("2"));
}

#[test]
fn every_form_of_an_id_is_read_and_an_empty_answer_is_a_success_without_one() {
    for (body, id) in [
        (r#"{"id":"a"}"#, Some("a")),
        (r#"[{"id":"a"}]"#, Some("a")),
        (
            r#"{"type":"2","id":17,"method":"0","url":"http://x","note":"","status":"1"}"#,
            Some("17"),
        ),
        (r#"{"entry":[{"id":"a"}]}"#, Some("a")),
        (r#""a""#, Some("a")),
        ("17", Some("17")),
        ("", None),
        (" \n", None),
        ("null", None),
        ("[]", None),
        ("{}", None),
        (r#"{"id":""}"#, None),
    ] {
        let (answer, _) = created(vec![Reply::json(200, body)], &event());
        assert_eq!(told(answer), (200, id.map(ToOwned::to_owned)), "{body}");
    }
}

#[test]
fn a_success_that_makes_no_sense_may_have_acted() {
    for body in ["<html>Sign in</html>", "ok", "true", r#"{"done":1}"#, r#"[{"url":"x"}]"#, "[[]]"]
    {
        let (answer, requests) = created(vec![Reply::json(200, body)], &event());
        let failure = answer.unwrap_err();
        assert_eq!((failure.cause, failure.http_status), (Cause::Unreadable, Some(200)), "{body}");
        assert!(failure.may_have_acted() && requests.len() == 1, "{body}");
    }
}

#[test]
fn a_post_that_makes_an_event_is_sent_once_whatever_becomes_of_it() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"id\"".to_vec();
    for reply in [
        Reply::Raw(Vec::new()),
        Reply::Raw(cut),
        Reply::json(500, ""),
        Reply::json(503, ""),
        Reply::json(429, ""),
        Reply::json(401, r#"{"error":{"code":"access_denied","message":"No"}}"#),
    ] {
        let again = Reply::json(200, r#"{"id":"twice"}"#);
        let (answer, requests) = created(vec![reply, again], &event());
        assert!(answer.is_err());
        assert_eq!(requests.len(), 1);
    }
}

#[test]
fn a_post_whose_token_is_refused_says_so_and_goes_out_again_only_when_it_is_asked_for_once_more() {
    let token = |token: &str| Reply::json(200, &format!(r#"{{"access_token":"{token}"}}"#));
    for status in [401, 403] {
        let server = Server::start(vec![
            token("old"),
            Reply::json(status, r#"{"error":{"code":"access_denied","message":"No"}}"#),
            token("new"),
            Reply::json(200, r#"{"id":"a"}"#),
        ]);
        let client = app(&server);
        let failure = wait(client.create(&event(), &mut Vec::new())).unwrap_err();
        assert_eq!((failure.cause, failure.http_status), (Cause::Renewed, Some(status)));
        let answer = wait(client.create(&event(), &mut Vec::new()));
        assert_eq!(told(answer), (200, Some("a".to_owned())));
        let requests = server.requests();
        let bearer = |request: &str, token: &str| {
            request.starts_with("POST /uapi") && request.contains(&format!("Bearer {token}\r\n"))
        };
        assert!(bearer(&requests[1], "old") && bearer(&requests[3], "new"), "{requests:?}");
        assert_eq!(body_of(&requests[1]), body_of(&requests[3]));
    }
}

#[test]
fn a_post_that_is_refused_with_the_next_token_too_is_refused_for_good() {
    let token = |token: &str| Reply::json(200, &format!(r#"{{"access_token":"{token}"}}"#));
    let refusal = || Reply::json(401, r#"{"error":{"code":"access_denied","message":"No"}}"#);
    let server = Server::start(vec![token("old"), refusal(), token("new"), refusal()]);
    let client = app(&server);
    let causes = [(); 2].map(|()| wait(client.create(&event(), &mut Vec::new())));
    let causes = causes.map(|answer| answer.unwrap_err().cause);
    assert_eq!(causes, [Cause::Renewed, Cause::Rejected]);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_change_names_what_it_changes_and_nothing_else() {
    let server = Server::start(vec![Reply::json(200, r#"[{"id":"MyPhoneCallEvent"}]"#)]);
    let change =
        Change { method: Some(Method::Post), note: Some(Foreign::default()), ..Change::default() };
    let mut trace = Vec::new();
    let answer = wait(client(&server).update(&key(), &change, &mut trace));
    assert_eq!(told(answer), (200, Some("MyPhoneCallEvent".to_owned())));
    assert_eq!((trace[0].method, trace[0].answer.clone()), ("PUT", Ok(200)));
    let request = &server.requests()[0];
    let path = "/uapi/extensions/@me/0003*210/phoneCallEvents/2/MyPhoneCallEvent";
    assert!(request.starts_with(&format!("PUT {path} HTTP/1.1\r\n")), "{request}");
    assert_eq!(body_of(request), json!({ "method": "1", "note": "" }));
}

#[test]
fn read_only_neither_makes_nor_changes_anything() {
    let server = Server::start(vec![]);
    let read_only = Settings { writes: Writes::ReadOnly, ..settings(&server.origin) };
    let client = Client::new(read_only).unwrap();
    let mut trace = Vec::new();
    let created = wait(client.create(&event(), &mut trace)).unwrap_err();
    let updated = wait(client.update(&key(), &Change::default(), &mut trace)).unwrap_err();
    assert_eq!((created.cause, updated.cause), (Cause::Withheld, Cause::Withheld));
    assert!(trace.is_empty() && server.requests().is_empty());
}

#[test]
fn no_way_of_asking_gets_a_change_past_a_client_that_simulates_or_only_reads() {
    let server = Server::start(vec![Reply::json(200, r#"{"entry":[]}"#)]);
    let with = |writes| Client::new(Settings { writes, ..settings(&server.origin) }).unwrap();
    let mut trace = Vec::new();
    for (client, cause) in [
        (with(Writes::ReadOnly), Cause::Withheld),
        (with(Writes::Simulated), Cause::Simulated),
        (with(Writes::Allowed).simulating(), Cause::Simulated),
        (with(Writes::ReadOnly).simulating(), Cause::Simulated),
        (with(Writes::Allowed).simulating().simulating().clone(), Cause::Simulated),
    ] {
        let by_type = DeleteCall::Type(number("0003*210"), EventType::Hangup);
        for call in [one_event(), by_type, whole_extension()] {
            let failure = wait(client.delete(&call, &mut trace)).unwrap_err();
            assert_eq!((failure.cause, failure.may_have_acted()), (cause, false), "{call:?}");
        }
        let made = wait(client.create(&event(), &mut trace)).unwrap_err();
        let changed = wait(client.update(&key(), &Change::default(), &mut trace)).unwrap_err();
        assert_eq!((made.cause, changed.cause), (cause, cause));
    }
    assert!(trace.is_empty());
    let simulating = with(Writes::Allowed).simulating();
    wait(simulating.events(&number("210"), &mut trace)).unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("GET "), "questions go out, and nothing else did");
}

#[test]
fn a_client_that_simulates_takes_nothing_from_the_one_it_comes_from() {
    let server = Server::start(vec![Reply::json(200, r#"[{"id":"x"}]"#)]);
    let client = client(&server);
    let _ = client.simulating();
    wait(client.delete(&one_event(), &mut Vec::new())).unwrap();
    assert!(server.requests()[0].starts_with("DELETE "));
}
