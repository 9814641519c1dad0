//! Tokens that are renewed early, and services that do not renew them.

use super::*;

const NONE: &str = r#"{"entry":[]}"#;

fn token(token: &str) -> Reply {
    Reply::json(200, &format!(r#"{{"access_token":"{token}","expires_in":3600}}"#))
}

/// Who asked for what, in the order of arrival: a path, and the token where there is one.
fn asked(server: Server) -> Vec<String> {
    let bearer = |request: &String| {
        let path = request.split(' ').nth(1).unwrap().split('?').next().unwrap().to_owned();
        let token = request.lines().find_map(|line| line.strip_prefix("authorization: Bearer "));
        token.map_or(path, ToOwned::to_owned)
    };
    server.requests().iter().map(bearer).collect()
}

#[test]
fn a_good_token_is_used_on_when_its_early_renewal_fails_and_renewed_later() {
    for trouble in [Reply::json(503, "busy"), Reply::json(500, ""), Reply::Raw(Vec::new())] {
        let server = Server::start(vec![
            token("old"),
            Reply::json(200, NONE),
            trouble,
            Reply::json(200, NONE),
            Reply::json(200, NONE),
            token("new"),
            Reply::json(200, NONE),
        ]);
        let (client, number) = (app(&server), number("1"));
        wait(async {
            client.events(&number, &mut Vec::new()).await.unwrap();
            client.inner.transport.tokens.fall_due().await;
            client.events(&number, &mut Vec::new()).await.unwrap();
            client.events(&number, &mut Vec::new()).await.unwrap();
            client.inner.transport.tokens.fall_due().await;
            client.events(&number, &mut Vec::new()).await.unwrap();
        });
        let at = "/oauth/token.php";
        assert_eq!(asked(server), [at, "old", at, "old", "old", at, "new"]);
    }
}

#[test]
fn an_app_that_is_unknown_by_now_stops_at_once_though_its_token_would_last() {
    let server = Server::start(vec![
        token("old"),
        Reply::json(200, NONE),
        Reply::json(401, r#"{"error":"invalid_client"}"#),
    ]);
    let (client, number) = (app(&server), number("1"));
    wait(async {
        client.events(&number, &mut Vec::new()).await.unwrap();
        client.inner.transport.tokens.fall_due().await;
        for _ in 0..3 {
            let failure = client.events(&number, &mut Vec::new()).await.unwrap_err();
            assert_eq!(failure.code.raw(), "invalid_client");
        }
        let failure = client.delete(&one_event(), &mut Vec::new()).await.unwrap_err();
        assert_eq!((failure.cause, failure.http_status), (Cause::NoToken, None));
    });
    assert_eq!(asked(server), ["/oauth/token.php", "old", "/oauth/token.php"]);
}

#[test]
fn a_refused_token_is_not_used_on_when_its_renewal_fails() {
    let server = Server::start(vec![
        token("old"),
        Reply::json(401, r#"{"error":{"code":"access_denied","message":"No"}}"#),
        Reply::json(503, "busy"),
        Reply::json(503, "busy"),
    ]);
    let (client, number) = (app(&server), number("1"));
    wait(async {
        let failure = client.events(&number, &mut Vec::new()).await.unwrap_err();
        assert_eq!(failure.http_status, Some(401));
        assert!(client.events(&number, &mut Vec::new()).await.is_err());
    });
    let at = "/oauth/token.php";
    assert_eq!(asked(server), [at, "old", at, at]);
}
