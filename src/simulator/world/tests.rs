//! Every route of the world, and both answers to every question it leaves open.

use serde_json::{Value, json};

use super::*;

const TOKEN: &str = "token";

/// A terminal 0003*210 with events a, b (type 0) and c (type 2), and a queue without events.
fn world() -> World {
    let event = |event_type, id: &str| Event {
        event_type,
        id: id.to_owned(),
        method: 1,
        url: format!("https://crm.acme.test/{id}?n=%2B1"),
        note: String::new(),
        status: 1,
        modified: "2012-07-10T18:16:12+03:00".to_owned(),
    };
    let mut phone = Extension::new("0003*210", Kind::Terminal, "Reception");
    phone.events = vec![event(0, "a"), event(0, "b"), event(2, "c")];
    let mut world = World::new("a phone and a queue", TOKEN);
    world.insert(Extension::new("0003*600", Kind::Queue, "Sales"));
    world.insert(phone);
    world
}

fn ask(world: &mut World, method: &str, target: &str) -> Answer {
    world.answer(&Request::new(method, target).bearing(TOKEN))
}

/// Below the events of 0003*210.
fn events(world: &mut World, method: &str, rest: &str) -> Answer {
    let target = format!("/uapi/extensions/@me/0003*210/phoneCallEvents{rest}");
    ask(world, method, &target)
}

fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn listed(answer: &Answer) -> Vec<String> {
    let body = body(answer);
    let rows = body["entry"].as_array().unwrap().clone();
    let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
    rows.iter().map(id).collect()
}

fn assert_refused(answer: &Answer, refusal: Refusal) {
    assert_eq!(answer.status, refusal.status(), "{answer:?}");
    let expected = json!({"error": {"code": refusal.code(), "message": refusal.message()}});
    assert_eq!(body(answer), expected);
}

#[test]
fn a_listing_has_the_fields_of_the_page_with_numbers_as_strings() {
    let answer = events(&mut world(), "GET", "/2");
    assert_eq!(answer.status, 200);
    assert_eq!(
        body(&answer),
        json!({
            "entry": [{
                "type": "2",
                "id": "c",
                "method": "1",
                "url": "https://crm.acme.test/c?n=%2B1",
                "note": "",
                "status": "1",
                "modified": "2012-07-10T18:16:12+03:00",
                "links": {"self":
                    "https://uapi.voipnow.com/uapi/extensions/@me/0003*210/phoneCallEvents/2/c"},
            }],
            "totalResults": "1",
            "itemsPerPage": "20",
            "startIndex": "0",
        })
    );
}

#[test]
fn a_listing_narrows_by_type_and_by_id() {
    let mut world = world();
    assert_eq!(listed(&events(&mut world, "GET", "")), ["a", "b", "c"]);
    assert_eq!(listed(&events(&mut world, "GET", "/0/")), ["a", "b"]);
    assert_eq!(listed(&events(&mut world, "GET", "/0/b")), ["b"]);
    assert_refused(&events(&mut world, "GET", "/2/b"), Refusal::PceIdInvalid);
    assert_refused(&events(&mut world, "GET", "/hangup"), Refusal::PceTypeInvalid);
}

#[test]
fn where_there_is_nothing_the_answer_is_204_without_a_body() {
    let mut world = world();
    for target in [
        "/uapi/extensions/@me/0003*600/phoneCallEvents",
        "/uapi/extensions/@me/0003*210/phoneCallEvents/4",
        "/uapi/extensions/@me/0003*210/phoneCallEvents?startIndex=3",
        "/uapi/extensions/@me/@self/presence?startIndex=1",
    ] {
        let answer = ask(&mut world, "GET", target);
        assert_eq!((answer.status, answer.body.len()), (204, 0), "{target}");
        assert!(answer.headers.is_empty());
    }
}

#[test]
fn pages_join_up_to_the_whole_list() {
    let mut world = world();
    let first = events(&mut world, "GET", "?count=2");
    let second = events(&mut world, "GET", "?count=2&startIndex=2");
    assert_eq!(listed(&first), ["a", "b"]);
    assert_eq!(listed(&second), ["c"]);
    assert_eq!(body(&second)["totalResults"], "3");
    assert_eq!(body(&second)["itemsPerPage"], "2");
    assert_eq!(body(&second)["startIndex"], "2");
}

#[test]
fn twenty_rows_come_when_nobody_says_how_many() {
    let mut world = world();
    let phone = world.extension_mut("0003*210").unwrap();
    let row = phone.events[0].clone();
    phone.events = vec![row; 21];
    assert_eq!(listed(&events(&mut world, "GET", "")).len(), 20);
    assert_eq!(listed(&events(&mut world, "GET", "?count=21")).len(), 21);
}

#[test]
fn count_and_start_index_have_limits() {
    let mut world = world();
    for good in ["?count=1", "?count=4999", "?startIndex=0", "?count=3&x=y"] {
        assert_eq!(events(&mut world, "GET", good).status, 200, "{good}");
    }
    assert_eq!(events(&mut world, "GET", "?startIndex=4999").status, 204);
    for bad in ["0", "5000", "-1", "+5", "x", "", "99999999999"] {
        let count = events(&mut world, "GET", &format!("?count={bad}"));
        assert_refused(&count, Refusal::CountInvalid);
    }
    for bad in ["5000", "-1", "x", ""] {
        let start = events(&mut world, "GET", &format!("?startIndex={bad}"));
        assert_refused(&start, Refusal::StartindexInvalid);
    }
    let target = "/uapi/extensions/@me/@self/presence?count=0";
    assert_refused(&ask(&mut world, "GET", target), Refusal::CountInvalid);
}

#[test]
fn a_listing_is_filtered_sorted_and_narrowed_as_asked() {
    let mut world = world();
    for (query, ids) in [
        ("?filterBy=type&filterValue=0", &["a", "b"][..]),
        ("?filterBy=id&filterValue=c", &["c"]),
        ("?filterBy=url&filterOp=contains&filterValue=test/b", &["b"]),
        ("?filterBy=id&filterOp=inArray&filterValue=c,a", &["a", "c"]),
        ("?filterValue=c", &["a", "b", "c"]),
        ("?sortOder=descending", &["c", "b", "a"]),
        ("?sortOrder=desc&count=2", &["c", "b"]),
        ("?sortOrder=asc", &["a", "b", "c"]),
        ("?filterBy=type&filterValue=0&startIndex=1", &["b"]),
    ] {
        assert_eq!(listed(&events(&mut world, "GET", query)), ids, "{query}");
    }
    assert_eq!(events(&mut world, "GET", "?filterBy=note&filterValue=x").status, 204);
    let narrowed = body(&events(&mut world, "GET", "/2?fields=id,%20status"));
    assert_eq!(narrowed["entry"], json!([{"id": "c", "status": "1"}]));
}

#[test]
fn a_listing_refuses_what_it_cannot_filter_sort_or_narrow_by() {
    let mut world = world();
    for (query, refusal) in [
        ("?filterBy=colour&filterValue=x", Refusal::FilterbyInvalid),
        ("?filterBy=links&filterValue=x", Refusal::FilterbyInvalid),
        ("?filterBy=id", Refusal::FiltervalueInvalid),
        ("?filterBy=id&filterOp=like&filterValue=x", Refusal::FilteropInvalid),
        ("?sortOrder=up", Refusal::SortorderInvalid),
        ("?sortOder=", Refusal::SortorderInvalid),
        ("?fields=id,colour", Refusal::FieldsInvalid),
    ] {
        assert_refused(&events(&mut world, "GET", query), refusal);
    }
    let target = "/uapi/extensions/@me/@self/presence?filterBy=status&filterValue=1";
    assert_refused(&ask(&mut world, "GET", target), Refusal::FilterbyInvalid);
}

#[test]
fn presence_tells_of_one_phone_by_its_number() {
    let mut world = world();
    let one = ask(&mut world, "GET", "/uapi/extensions/@owner/0003*210/presence/");
    assert_eq!(body(&one)["entry"][0]["extension"], "0003*210");
    for number in ["0003*600", "0003*999"] {
        let target = format!("/uapi/extensions/@me/{number}/presence");
        assert_refused(&ask(&mut world, "GET", &target), Refusal::ExtensionInvalid);
    }
}

#[test]
fn a_fault_speaks_in_the_shape_of_the_world() {
    let mut world = world();
    world.shapes.errors = crate::simulator::Errors::Flat;
    world.add_fault(Fault { code: Some("c".to_owned()), ..Fault::default() });
    assert_eq!(body(&events(&mut world, "GET", "")), json!({"error": "c"}));
}

#[test]
fn presence_lists_the_phones_by_number_and_nothing_else() {
    let mut world = world();
    let mut offline = Extension::new("0003*101", Kind::Terminal, "Fax");
    offline.online = false;
    world.insert(offline);
    let answer = ask(&mut world, "GET", "/uapi/extensions/@me/@self/presence?count=50");
    let body = body(&answer);
    let rows = body["entry"].as_array().unwrap();
    let facts: Vec<_> = rows
        .iter()
        .map(|row| {
            let registration = &row["registration"][0]["registration"];
            (&row["extension"], &row["status"], registration)
        })
        .collect();
    assert_eq!(
        facts,
        [
            (&json!("0003*101"), &json!("0"), &json!("-1")),
            (&json!("0003*210"), &json!("1"), &json!("1")),
        ]
    );
    assert_eq!(body["totalResults"], "2");
    assert_eq!(world.numbers_outside_presence(), ["0003*600"]);
}

#[test]
fn a_delete_with_an_id_takes_one_event_and_names_it() {
    let mut world = world();
    let answer = events(&mut world, "DELETE", "/0/b");
    assert_eq!(answer.status, 200);
    assert_eq!(body(&answer), json!([{"id": "b"}]));
    assert_eq!(world.event_ids("0003*210"), ["a", "c"]);
    assert_refused(&events(&mut world, "DELETE", "/0/b"), Refusal::PceIdInvalid);
}

#[test]
fn an_id_of_another_type_or_an_empty_one_deletes_nothing() {
    let mut world = world();
    for rest in ["/2/a", "/0/x", "/0//", "/0/a%2F"] {
        assert_refused(&events(&mut world, "DELETE", rest), Refusal::PceIdInvalid);
    }
    for rest in ["/", "/a", "/-1", "/+0"] {
        let answer = events(&mut world, "DELETE", &format!("{rest}/"));
        assert_refused(&answer, Refusal::PceTypeInvalid);
    }
    assert_eq!(world.event_count(), 3);
}

#[test]
fn a_delete_with_a_type_takes_that_type_when_it_narrows() {
    let mut world = world();
    let answer = events(&mut world, "DELETE", "/0");
    assert_eq!(body(&answer), json!([{"id": "a"}, {"id": "b"}]));
    assert_eq!(world.event_ids("0003*210"), ["c"]);
    assert_eq!(events(&mut world, "DELETE", "/0").status, 204);
}

#[test]
fn a_delete_with_a_type_takes_everything_when_it_wipes_the_extension() {
    let mut world = world();
    world.type_delete = TypeDelete::WipesExtension;
    let answer = events(&mut world, "DELETE", "/4");
    assert_eq!(body(&answer), json!([{"id": "a"}, {"id": "b"}, {"id": "c"}]));
    assert_eq!(world.event_count(), 0);
}

#[test]
fn a_delete_without_a_type_takes_everything_and_then_has_no_ids_to_return() {
    let mut world = world();
    let answer = events(&mut world, "DELETE", "/");
    assert_eq!(body(&answer), json!([{"id": "a"}, {"id": "b"}, {"id": "c"}]));
    let again = events(&mut world, "DELETE", "");
    assert_eq!((again.status, again.body.len()), (204, 0));
}

#[test]
fn a_delete_may_work_and_return_no_ids() {
    let mut world = world();
    world.delete_answer = DeleteAnswer::NoContent;
    for rest in ["/0/a", "/2", ""] {
        let answer = events(&mut world, "DELETE", rest);
        assert_eq!((answer.status, answer.body.len()), (204, 0), "{rest}");
    }
    assert_eq!(world.event_count(), 0);
    assert_refused(&events(&mut world, "DELETE", "/0/a"), Refusal::PceIdInvalid);
}

#[test]
fn an_unknown_extension_and_self_are_invalid() {
    let mut world = world();
    for number in ["0003*999", "@self", "%40self", "210", "", "0003*210%20"] {
        for method in ["GET", "DELETE"] {
            let target = format!("/uapi/extensions/@me/{number}/phoneCallEvents");
            let answer = ask(&mut world, method, &target);
            assert_refused(&answer, Refusal::ExtensionInvalid);
        }
    }
    assert_eq!(world.event_count(), 3);
}

#[test]
fn an_extension_may_refuse_its_deletes_or_its_listings() {
    let mut world = world();
    let phone = world.extension_mut("0003*210").unwrap();
    phone.refuse_delete = Some(Refusal::PceAccessDenied);
    for rest in ["", "/0", "/0/a"] {
        let answer = events(&mut world, "DELETE", rest);
        assert_refused(&answer, Refusal::PceAccessDenied);
    }
    assert_eq!(events(&mut world, "GET", "").status, 200);
    let phone = world.extension_mut("0003*210").unwrap();
    phone.refuse_list = Some(Refusal::InternalServerError);
    assert_refused(&events(&mut world, "GET", ""), Refusal::InternalServerError);
    assert_eq!(world.event_count(), 3);
}

#[test]
fn unknown_ids_are_the_business_of_the_form_with_an_id() {
    let mut world = world();
    let phone = world.extension_mut("0003*210").unwrap();
    phone.refuse_delete = Some(Refusal::PceIdInvalid);
    assert_refused(&events(&mut world, "DELETE", "/0/a"), Refusal::PceIdInvalid);
    assert_eq!(events(&mut world, "DELETE", "").status, 200);
}

#[test]
fn the_user_is_named_or_has_an_id_of_his_own() {
    let mut world = world();
    for user in ["@me", "@viewer", "@owner", "12", "%40me"] {
        let target = format!("/uapi/extensions/{user}/0003*210/phoneCallEvents");
        assert_eq!(ask(&mut world, "GET", &target).status, 200, "{user}");
    }
    for user in ["13", "@self", "", "me"] {
        let target = format!("/uapi/extensions/{user}/0003*210/phoneCallEvents");
        let answer = ask(&mut world, "DELETE", &target);
        assert_refused(&answer, Refusal::UserInvalid);
    }
    let presence = ask(&mut world, "GET", "/uapi/extensions/@owner/@self/presence");
    assert_refused(&presence, Refusal::UserInvalid);
}

#[test]
fn without_the_right_token_nothing_happens() {
    let mut world = world();
    let target = "/uapi/extensions/@me/0003*210/phoneCallEvents";
    for header in [None, Some("Bearer wrong"), Some("token"), Some("Basic token")] {
        let mut request = Request::new("DELETE", target);
        request.authorization = header.map(str::to_owned);
        assert_refused(&world.answer(&request), Refusal::AccessDenied);
    }
    assert_eq!(world.event_count(), 3);
    world.set_token("renewed");
    assert_refused(&ask(&mut world, "GET", target), Refusal::AccessDenied);
}

#[test]
fn outside_the_service_there_is_a_page_for_people() {
    let mut world = world();
    for target in ["/", "/unifiedapi/extensions/@me/@self/presence"] {
        let answer = ask(&mut world, "GET", target);
        assert_eq!(answer.status, 404);
        assert!(answer.body.starts_with(b"<!DOCTYPE html>"));
    }
    world.set_base_path("/unifiedapi/");
    let target = "/unifiedapi/extensions/@me/@self/presence";
    assert_eq!(ask(&mut world, "GET", target).status, 200);
}

#[test]
fn other_methods_and_places_are_not_implemented() {
    let mut world = world();
    for (method, target) in [
        ("POST", "/uapi/extensions/@me/0003*210/phoneCallEvents/0/a"),
        ("POST", "/uapi/extensions/@me/@self/presence"),
        ("HEAD", "/uapi/extensions/@me/0003*210/phoneCallEvents"),
        ("delete", "/uapi/extensions/@me/0003*210/phoneCallEvents"),
        ("DELETE", "/uapi/extensions/@me/@self/presence"),
        ("GET", "/uapi/extensions"),
    ] {
        let answer = ask(&mut world, method, target);
        assert_refused(&answer, Refusal::RequestNotImplemented);
    }
    assert_eq!(world.event_count(), 3);
}

#[test]
fn the_log_keeps_targets_and_headers_as_they_came() {
    let mut world = world();
    events(&mut world, "DELETE", "/0/a/?x=%41");
    world.answer(&Request::new("GET", "/"));
    let expected = [
        Seen {
            method: "DELETE".to_owned(),
            target: "/uapi/extensions/@me/0003*210/phoneCallEvents/0/a/?x=%41".to_owned(),
            authorization: Some("Bearer token".to_owned()),
            status: 200,
        },
        Seen { method: "GET".to_owned(), target: "/".to_owned(), authorization: None, status: 404 },
    ];
    assert_eq!(world.requests(), expected);
    world.forget_requests();
    assert!(world.requests().is_empty());
}

#[test]
fn every_kind_of_request_takes_its_own_time() {
    let mut world = world();
    world.latency = Latency {
        presence: Duration::from_millis(1),
        delete: Duration::from_millis(2),
        get: Duration::from_millis(3),
    };
    let presence = ask(&mut world, "GET", "/uapi/extensions/@me/@self/presence");
    assert_eq!(presence.delay, world.latency.presence);
    assert_eq!(events(&mut world, "GET", "").delay, world.latency.get);
    let refused = events(&mut world, "DELETE", "/0/x");
    assert_eq!(refused.delay, world.latency.delete);
}

#[test]
fn a_fault_answers_the_nth_match_and_the_world_does_not_act() {
    let mut world = world();
    world.add_fault(Fault {
        method: Some("DELETE".to_owned()),
        path: Some("0003*210".to_owned()),
        nth: Some(2),
        status: Some(503),
        retry_after: Some("7".to_owned()),
        ..Fault::default()
    });
    assert_eq!(events(&mut world, "GET", "").status, 200);
    assert_eq!(events(&mut world, "DELETE", "/0/a").status, 200);
    let second = events(&mut world, "DELETE", "/0/b");
    assert_eq!(second.status, 503);
    assert_eq!(second.headers, [("retry-after", "7".to_owned())]);
    assert_eq!(world.event_ids("0003*210"), ["b", "c"]);
    assert_eq!(events(&mut world, "DELETE", "/0/b").status, 200);
}

#[test]
fn a_fault_may_lose_the_answer_to_something_that_was_done() {
    let mut world = world();
    world.add_fault(Fault { reset: true, acts: true, ..Fault::default() });
    assert!(events(&mut world, "DELETE", "/0/a").reset);
    assert_eq!(world.event_ids("0003*210"), ["b", "c"]);
    assert_eq!(world.requests().len(), 1);
    world.clear_faults();
    assert!(!events(&mut world, "GET", "").reset);
}

#[test]
fn a_fault_speaks_in_codes_pages_or_json() {
    let answer = |code: Option<&str>, text: Option<&str>| {
        let mut world = world();
        world.add_fault(Fault {
            code: code.map(str::to_owned),
            body: text.map(str::to_owned),
            ..Fault::default()
        });
        events(&mut world, "GET", "")
    };
    let coded = answer(Some("internal_server_error"), None);
    assert_eq!(coded.status, 500);
    assert_eq!(body(&coded)["error"]["code"], "internal_server_error");
    let page = answer(None, Some("<html>busy</html>"));
    assert_eq!(page.headers[0].1, "text/html; charset=utf-8");
    let json = answer(Some("ignored"), Some("[]"));
    assert_eq!(json.headers[0].1, "application/json");
    assert_eq!(json.body, b"[]");
}
