//! The vendor's own client, request by request: what it sends is answered with success.
//!
//! Its habits, read from `calls` 5.7.0 of github.com/4psa/mcp-voipnow: a slash ends every path, `@`
//! and `*` are left as they are, numbers are texts, a content type stands on requests without a
//! body too, redirects are not followed, and the order of events is asked under a misspelt name.

use std::net::{Ipv4Addr, SocketAddr};

use callsweep::simulator::{CreatePath, Simulator, World};
use serde_json::{Value, json};

const EVENTS: &str = "/uapi/extensions/@me/0003*210/phoneCallEvents/";
const FIRST: &str = "NqeyDRqo4FtabmFj8gNWq3hsiGNYyq";

fn simulator() -> Simulator {
    let world = World::named("the-page").unwrap();
    Simulator::start(world, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap()
}

/// One request with the headers of that client; its answer is read as JSON, as it does.
fn send(simulator: &Simulator, method: &str, rest: &str, body: Option<&Value>) -> Value {
    let _first = rustls::crypto::ring::default_provider().install_default();
    let client =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
    let mut request = client
        .unwrap()
        .request(method.parse().unwrap(), format!("{}{rest}", simulator.origin()))
        .header("Content-Type", "application/json")
        .header("User-Agent", "mcp-voipnow/5.7.0")
        .header("Authorization", format!("Bearer {}", simulator.token()));
    if let Some(body) = body {
        request = request.body(body.to_string());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{method} {rest}");
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    })
}

fn ids(listing: &Value) -> Vec<&str> {
    let rows = listing["entry"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[test]
fn its_listings_are_answered() {
    let simulator = simulator();
    let list = |rest: &str| send(&simulator, "GET", &format!("{EVENTS}{rest}"), None);
    assert_eq!(ids(&list("?count=20&startIndex=0")).len(), 3);
    assert_eq!(ids(&list("?count=4999&startIndex=2")).len(), 1);
    assert_eq!(ids(&list("0/?count=20&startIndex=0")), [FIRST]);
    assert_eq!(ids(&list(&format!("0/{FIRST}/?count=20&startIndex=0"))), [FIRST]);
    let ascending = list("?count=20&startIndex=0&sortOder=ascending");
    let descending = list("?count=20&startIndex=0&sortOder=descending");
    let mut turned = ids(&descending);
    turned.reverse();
    assert_eq!(ids(&ascending), turned);
    let some = list(
        "?count=20&filterBy=status&filterValue=1&startIndex=0&fields=id%2Curl&sortOder=ascending",
    );
    assert_eq!(ids(&some), ["Asds2qw2frtabmFj8gNWq3hsiGNYyq", FIRST]);
    assert_eq!(some["entry"][1].as_object().unwrap().len(), 2);
}

#[test]
fn its_new_event_is_made_with_the_type_in_the_body() {
    let simulator = simulator();
    simulator.with_world(|world| world.create_path = CreatePath::Plain);
    let event = json!({
        "type": "4",
        "method": "1",
        "note": "made by the other client",
        "url": "https://crm.acme.test/connected?ext=0003%2A210",
        "status": "1",
    });
    let answer = send(&simulator, "POST", EVENTS, Some(&event));
    simulator.with_world(|world| {
        let made = world.extension("0003*210").unwrap().events.last().unwrap();
        assert_eq!(answer["id"], made.id.as_str());
        assert_eq!((made.event_type, made.method, made.status), (4, 1, 1));
        assert_eq!(event["url"], made.url.as_str());
    });
}

#[test]
fn its_change_names_the_fields_that_change_and_no_others() {
    let simulator = simulator();
    let change = json!({ "status": "0" });
    let answer = send(&simulator, "PUT", &format!("{EVENTS}0/{FIRST}/"), Some(&change));
    assert_eq!(answer["id"], FIRST);
    simulator.with_world(|world| {
        let event = &world.extension("0003*210").unwrap().events[0];
        assert_eq!((event.status, event.method, event.note.as_str()), (0, 1, "CRM"));
    });
}

#[test]
fn its_deletes_are_answered_with_the_ids_that_went() {
    let simulator = simulator();
    let one = send(&simulator, "DELETE", &format!("{EVENTS}0/{FIRST}/"), None);
    assert_eq!(one, json!([{ "id": FIRST }]));
    let of_a_type = send(&simulator, "DELETE", &format!("{EVENTS}1/"), None);
    assert_eq!(of_a_type, json!([{ "id": "Asds2qw2frtabmFj8gNWq3hsiGNYyq" }]));
    let rest = send(&simulator, "DELETE", EVENTS, None);
    assert_eq!(rest, json!([{ "id": "GOp2s68AfgtabmFj8gNWq3hsiGNYyq" }]));
    simulator.with_world(|world| assert_eq!(world.event_count(), 0));
}

#[test]
fn its_presence_is_answered_for_all_phones_and_for_one() {
    let simulator = simulator();
    for place in [
        "@self/presence/?count=20&startIndex=0",
        "@self/presence/?count=20&filterBy=extension&filterOp=startsWith&filterValue=0003*\
         &startIndex=0&fields=extension%2Cstatus&sortOrder=ascending",
        "0003*210/presence/?count=20&startIndex=0",
    ] {
        let answer = send(&simulator, "GET", &format!("/uapi/extensions/@me/{place}"), None);
        assert_eq!(answer["entry"][0]["extension"], "0003*210", "{place}");
    }
}
