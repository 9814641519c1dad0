//! Events that are made and changed, and every way to be refused.

use serde_json::json;

use super::super::answer::Request;
use super::super::world::{Extension, Kind};
use super::*;

const ID: &str = "MyPhoneCallEvent";

fn world() -> World {
    let mut phone = Extension::new("0003*210", Kind::Terminal, "Reception");
    phone.events = vec![Event {
        event_type: 0,
        id: ID.to_owned(),
        method: 0,
        url: "https://crm.acme.test/in?n=%2B1".to_owned(),
        note: "CRM".to_owned(),
        status: 1,
        modified: "2012-07-10T18:16:12+03:00".to_owned(),
    }];
    let mut world = World::new("a phone", "token");
    world.insert(phone);
    world
}

fn send(world: &mut World, method: &str, rest: &str, body: &Value) -> Answer {
    let target = format!("/uapi/extensions/@me/0003*210/phoneCallEvents{rest}");
    let mut request = Request::new(method, &target).bearing("token");
    request.body = body.to_string().into_bytes();
    world.answer(&request)
}

fn said(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_slice(&answer.body).unwrap()
}

fn code(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    body["error"]["code"].as_str().unwrap().to_owned()
}

fn last(world: &World) -> &Event {
    world.extension("0003*210").unwrap().events.last().unwrap()
}

fn new_event() -> Value {
    json!({"type": "2", "method": "1", "note": "n", "url": "https://x.test/%20", "status": "0"})
}

#[test]
fn a_new_event_gets_an_id_of_the_service_and_a_date() {
    let mut world = world();
    let answer = send(&mut world, "POST", "", &new_event());
    let event = last(&world).clone();
    assert_eq!(said(&answer), json!({ "id": event.id }));
    assert_eq!(event.id.len(), 30);
    assert!(event.id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!((event.event_type, event.method, event.status), (2, 1, 0));
    assert_eq!((event.url.as_str(), event.note.as_str()), ("https://x.test/%20", "n"));
    assert_eq!(event.modified, "2027-01-01T03:00:00+03:00");
    send(&mut world, "POST", "/", &new_event());
    assert_ne!(last(&world).id, event.id);
    assert_eq!(last(&world).modified, "2027-01-01T03:01:00+03:00");
}

#[test]
fn the_same_requests_make_the_same_events() {
    let (mut one, mut two) = (world(), world());
    for world in [&mut one, &mut two] {
        send(world, "POST", "", &new_event());
        send(world, "PUT", &format!("/0/{ID}"), &json!({"note": "x"}));
        send(world, "POST", "/2", &new_event());
    }
    assert_eq!(one.extension("0003*210"), two.extension("0003*210"));
}

#[test]
fn numbers_come_in_quotes_or_without_and_the_type_in_body_or_path() {
    for (rest, body) in [
        ("", new_event()),
        (
            "/",
            json!({"type": 2, "method": 1, "note": "n", "url": "https://x.test/%20", "status": 0}),
        ),
        ("/2", json!({"method": 1, "note": "n", "url": "https://x.test/%20", "status": "0"})),
        ("/2/", new_event()),
    ] {
        let mut world = world();
        said(&send(&mut world, "POST", rest, &body));
        let event = last(&world);
        assert_eq!((event.event_type, event.method, event.status), (2, 1, 0), "{rest} {body}");
    }
}

#[test]
fn status_and_note_may_be_left_out() {
    let mut world = world();
    let body = json!({"type": 4, "method": 0, "url": "u", "note": null});
    said(&send(&mut world, "POST", "", &body));
    assert_eq!((last(&world).status, last(&world).note.as_str()), (1, ""));
}

#[test]
fn a_world_may_understand_one_form_of_post_only() {
    for (create_path, plain, with_type) in [
        (CreatePath::Plain, 200, 501),
        (CreatePath::WithType, 501, 200),
        (CreatePath::Both, 200, 200),
    ] {
        let mut world = world();
        world.create_path = create_path;
        assert_eq!(send(&mut world, "POST", "", &new_event()).status, plain);
        assert_eq!(send(&mut world, "POST", "/2", &new_event()).status, with_type);
    }
}

#[test]
fn a_new_event_is_refused_with_the_code_of_what_is_wrong() {
    let mut world = world();
    for (rest, field, value, expected) in [
        ("", "type", Value::Null, "pcet_type_invalid"),
        ("", "type", json!("5"), "pcet_type_invalid"),
        ("", "type", json!("+1"), "pcet_type_invalid"),
        ("", "type", json!(1.5), "pcet_type_invalid"),
        ("/x", "type", json!("2"), "pcet_type_invalid"),
        ("/1", "type", json!("2"), "pcet_type_invalid"),
        ("", "method", Value::Null, "pce_method_invalid"),
        ("", "method", json!(2), "pce_method_invalid"),
        ("", "method", json!([1]), "pce_method_invalid"),
        ("", "url", Value::Null, "pce_url_invalid"),
        ("", "url", json!(""), "pce_url_invalid"),
        ("", "status", json!("on"), "pce_status_invalid"),
    ] {
        let mut body = new_event();
        body[field] = value;
        let answer = send(&mut world, "POST", rest, &body);
        assert_eq!((answer.status, code(&answer).as_str()), (400, expected), "{rest} {body}");
    }
    assert_eq!(send(&mut world, "POST", "", &json!("no object")).status, 500);
    assert_eq!(world.event_count(), 1);
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let mut world = world();
    let rest = format!("/0/{ID}/");
    assert_eq!(said(&send(&mut world, "PUT", &rest, &json!({"status": "0"}))), json!({"id": ID}));
    let mut expected = last(&self::world()).clone();
    expected.status = 0;
    expected.modified = "2027-01-01T03:00:00+03:00".to_owned();
    assert_eq!(*last(&world), expected);
    let body = json!({"method": 1, "note": "", "url": "u", "type": "3", "id": "other"});
    said(&send(&mut world, "PUT", &rest, &body));
    let event = last(&world);
    assert_eq!((event.method, event.note.as_str(), event.url.as_str()), (1, "", "u"));
    assert_eq!((event.event_type, event.id.as_str()), (0, ID));
    assert_eq!(event.modified, "2027-01-01T03:01:00+03:00");
}

#[test]
fn a_change_is_refused_with_the_code_of_what_is_wrong() {
    let mut world = world();
    let before = last(&world).clone();
    let whole = format!("/0/{ID}");
    for (rest, body, expected) in [
        ("", json!({}), "pce_type_invalid"),
        (ID, json!({}), "pce_type_invalid"),
        ("0", json!({}), "pce_id_invalid"),
        ("1/MyPhoneCallEvent", json!({}), "pce_id_invalid"),
        ("0/other", json!({}), "pce_id_invalid"),
        (whole.trim_start_matches('/'), json!({"method": "PUT"}), "pce_method_invalid"),
        (whole.trim_start_matches('/'), json!({"url": ""}), "pce_url_invalid"),
        (whole.trim_start_matches('/'), json!({"status": 3}), "pce_status_invalid"),
    ] {
        let answer = send(&mut world, "PUT", &format!("/{rest}"), &body);
        assert_eq!((answer.status, code(&answer).as_str()), (400, expected), "{rest} {body}");
    }
    assert_eq!(send(&mut world, "PUT", &whole, &json!([])).status, 500);
    assert_eq!(*last(&world), before);
}

#[test]
fn an_extension_may_refuse_to_be_written() {
    let mut world = world();
    let rest = format!("/0/{ID}");
    let refuse = |world: &mut World, refusal| {
        world.extension_mut("0003*210").unwrap().refuse_write = Some(refusal);
    };
    refuse(&mut world, Refusal::PceAccessDenied);
    assert_eq!(code(&send(&mut world, "POST", "", &new_event())), "pce_access_denied");
    assert_eq!(code(&send(&mut world, "PUT", &rest, &json!({}))), "pce_access_denied");
    assert_eq!(send(&mut world, "GET", "", &json!({})).status, 200);
    refuse(&mut world, Refusal::PceIdInvalid);
    assert_eq!(code(&send(&mut world, "PUT", &rest, &json!({}))), "pce_id_invalid");
    assert_eq!(send(&mut world, "POST", "", &new_event()).status, 200);
    for method in ["POST", "PUT"] {
        let target = "/uapi/extensions/@me/@self/phoneCallEvents";
        let answer = world.answer(&Request::new(method, target).bearing("token"));
        assert_eq!(code(&answer), "extension_invalid");
    }
}

#[test]
fn a_change_may_give_another_id_and_may_leave_fields_as_they_are() {
    let mut world = world();
    world.changes = Changes { renames: true, ignores: vec!["url".to_owned()] };
    let rest = format!("/0/{ID}");
    let body = json!({"status": "0", "url": "https://elsewhere.test/"});
    let new = said(&send(&mut world, "PUT", &rest, &body))["id"].as_str().unwrap().to_owned();
    let (now, before) = (last(&world).clone(), last(&self::world()).clone());
    assert_eq!((now.id.as_str(), now.status, &now.url), (new.as_str(), 0, &before.url));
    assert_ne!(now.id, ID);
    assert_eq!(code(&send(&mut world, "PUT", &rest, &body)), "pce_id_invalid");
}
