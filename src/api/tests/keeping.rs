//! Connections that are kept and end between two requests, or under one.

use std::sync::{Arc, Barrier};

use super::server::End;
use super::*;
use crate::domain::Change;

const NONE: &str = r#"{"entry":[]}"#;
const ONE: &str = r#"[{"id":"NqeyDRqo4FtabmFj8gNWq3hsiGNYyq"}]"#;

/// What a trace holds, in short.
fn seen(trace: &[Exchange]) -> Vec<(&'static str, Option<u16>)> {
    trace.iter().map(|exchange| (exchange.method, exchange.answer.clone().ok())).collect()
}

#[test]
fn a_kept_connection_that_ended_meanwhile_costs_nothing() {
    let closed = Arc::new(Barrier::new(2));
    let server = Server::start(vec![
        Reply::Kept(NONE, End::Idle(Arc::clone(&closed))),
        Reply::Kept(ONE, End::Idle(Arc::clone(&closed))),
        Reply::json(200, NONE),
    ]);
    let (client, number) = (client(&server), number("1"));
    let mut trace = Vec::new();
    wait(async {
        client.events(&number, &mut trace).await.unwrap();
        closed.wait();
        // The reactor gets its turn, as it has between any two requests of an operator.
        tokio::task::yield_now().await;
        client.delete(&one_event(), &mut trace).await.unwrap();
        closed.wait();
        tokio::task::yield_now().await;
        client.events(&number, &mut trace).await.unwrap();
    });
    assert_eq!(seen(&trace), [("GET", Some(200)), ("DELETE", Some(200)), ("GET", Some(200))]);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_question_whose_connection_ended_under_it_is_asked_once_more() {
    let listed = r#"{"entry":[{"type":"0","id":"a"}]}"#;
    let server = Server::start(vec![
        Reply::Kept(NONE, End::Read),
        Reply::json(200, listed),
        Reply::json(204, ""),
    ]);
    let (client, number) = (client(&server), number("1"));
    let mut trace = Vec::new();
    let listing = wait(async {
        client.events(&number, &mut trace).await.unwrap();
        client.events(&number, &mut trace).await
    });
    assert_eq!(listing.unwrap().len(), 1);
    let answers = [Some(200), None, Some(200), Some(204)].map(|answer| ("GET", answer));
    assert_eq!(seen(&trace), answers);
    let requests = server.requests();
    assert_eq!((requests.len(), requests[0].matches("GET ").count()), (3, 2));
}

#[test]
fn a_question_that_is_never_answered_is_asked_twice_and_no_more() {
    let server = Server::start(vec![Reply::Raw(Vec::new()); 3]);
    let failure = wait(client(&server).events(&number("1"), &mut Vec::new())).unwrap_err();
    assert_eq!((failure.cause, server.requests().len()), (Cause::NoAnswer, 2));
}

#[test]
fn a_question_that_was_answered_in_part_or_not_in_time_is_asked_once() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{".to_vec();
    let nonsense = b"SSH-2.0-OpenSSH_9.2\r\n".to_vec();
    for reply in [Reply::Raw(half), Reply::Raw(nonsense), Reply::Silence(Vec::new())] {
        let server = Server::start(vec![reply, Reply::json(200, NONE)]);
        let timeout = Duration::from_millis(200);
        let hasty = Client::new(Settings { timeout, ..settings(&server.origin) }).unwrap();
        let failure = wait(hasty.events(&number("1"), &mut Vec::new())).unwrap_err();
        assert_eq!((failure.cause, server.requests().len()), (Cause::NoAnswer, 1), "{failure}");
    }
}

#[test]
fn a_change_whose_connection_ended_under_it_may_have_been_made_and_is_not_sent_again() {
    let server = || Server::start(vec![Reply::Kept(NONE, End::Read), Reply::json(200, ONE)]);
    let key = || match one_event() {
        DeleteCall::Event(key) => key,
        wide => panic!("{wide:?}"),
    };
    for method in ["DELETE", "PUT"] {
        let server = server();
        let (client, number) = (client(&server), number("1"));
        let mut trace = Vec::new();
        let failure = wait(async {
            client.events(&number, &mut trace).await.unwrap();
            match method {
                "PUT" => client.update(&key(), &Change::default(), &mut trace).await.err(),
                _ => client.delete(&one_event(), &mut trace).await.err(),
            }
        });
        let failure = failure.unwrap();
        assert_eq!(failure.cause, Cause::NoAnswer, "{method}");
        assert!(failure.may_have_acted() && failure.is_worth_repeating());
        assert_eq!(seen(&trace), [("GET", Some(200)), (method, None)]);
        let requests = server.requests();
        assert_eq!((requests.len(), requests[0].matches("HTTP/1.1\r\n").count()), (1, 2));
    }
}
