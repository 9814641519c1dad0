//! What an answer's status means, and the sentence for it.

use reqwest::StatusCode;

use super::answer::{Answer, Body};
use super::wire;
use crate::domain::{Cause, Failure, redacted};

/// Longest foreign plain text put into a sentence, in characters.
const QUOTED_CHARS: usize = 200;
/// What to do where something else than the service answers.
const BASE_PATH: &str = "is base_path in the profile right?";

/// The body of an accepted request: `None` with 204, which has none.
///
/// # Errors
/// Everything else is a refusal, in the service's own words where it had any. Other successes than
/// 200 and 204 are not documented, so they promise nothing.
pub(super) fn accepted(answer: Answer) -> Result<Option<Body>, Failure> {
    let failure = match (answer.status, &answer.coding) {
        (200, Some(coding)) => misread(wire::Fault::Senseless(wire::coded(coding))),
        (200, None) => return Ok(Some(answer.body)),
        (204, _) => return Ok(None),
        (300..=399, _) => redirected(&answer),
        (400..=499, _) => refused(&answer, Cause::Rejected),
        (500..=599, _) => refused(&answer, Cause::ServiceFailed),
        (status, _) => Failure {
            http_status: Some(status),
            ..Failure::new(
                Cause::Unreadable,
                format!("the service answered {}, which it does not document", name(status)),
            )
        },
    };
    let Answer { retry_after, not_before, .. } = answer;
    Err(Failure { retry_after, not_before, ..failure })
}

/// A 200 whose body is not what was asked for.
pub(super) fn misread(fault: wire::Fault) -> Failure {
    let failure = match fault {
        wire::Fault::Refused(refusal) => spoken(&refusal, Cause::Rejected, 200),
        wire::Fault::Senseless(reason) => Failure::new(
            Cause::Unreadable,
            format!("the service announced success, but its answer {reason}"),
        ),
    };
    Failure { http_status: Some(200), ..failure }
}

fn redirected(answer: &Answer) -> Failure {
    let said = name(answer.status);
    let message = match &answer.elsewhere {
        Some(place) => format!(
            "the service answered {said} and wants to be asked at {place}; redirects are not \
             followed"
        ),
        None => format!(
            "the service answered {said} without saying where else to ask; redirects are not \
             followed"
        ),
    };
    let remedy = match &answer.elsewhere {
        Some(_) => "check url in the profile",
        None => "check url and base_path in the profile",
    };
    let failure = Failure::new(Cause::Redirected, message).remedied(remedy);
    Failure { http_status: Some(answer.status), ..failure }
}

fn refused(answer: &Answer, cause: Cause) -> Failure {
    let remedy = remedy(answer);
    if let Some(refusal) = wire::refusal(&answer.body) {
        // Only a refused token makes every further request pointless.
        let remedy = if answer.status == 401 || refusal.message.is_empty() { &remedy } else { "" };
        return spoken(&refusal, cause, answer.status).remedied(remedy);
    }
    // A compressed body is not read; the status says enough.
    let body: &[u8] = if answer.coding.is_some() { &[] } else { &answer.body };
    let text = wire::text(body);
    let page = wire::is_web_page(&text);
    let mut message = format!("the service answered {}", name(answer.status));
    let remedy = if page && remedy.is_empty() && cause == Cause::Rejected {
        BASE_PATH.to_owned()
    } else {
        remedy
    };
    if page {
        message.push_str(" with a page instead of JSON");
    } else if remedy.is_empty() && !text.trim().is_empty() {
        let quoted: String = redacted(text.trim()).chars().take(QUOTED_CHARS).collect();
        message.extend([": ", &quoted]);
    }
    let failure = Failure::new(cause, message).remedied(remedy);
    Failure { http_status: Some(answer.status), ..failure }
}

/// A refusal in the service's own words, kept as they are.
fn spoken(refusal: &wire::Refusal, cause: Cause, status: u16) -> Failure {
    let message = match refusal.message.as_str() {
        "" => format!("the service answered {}", name(status)),
        message => message.to_owned(),
    };
    let failure = Failure::new(cause, message).coded(&refusal.code);
    Failure { http_status: Some(status), ..failure }
}

/// What to do about a status; empty where nothing is known that helps.
pub(super) fn remedy(answer: &Answer) -> String {
    let renew =
        answer.renew.as_deref().unwrap_or("replace the token that auth in the profile names");
    match answer.status {
        401 => renew.to_owned(),
        403 => format!("check user in the profile, as it may not be allowed this, or {renew}"),
        404 => BASE_PATH.to_owned(),
        407 => "the proxy wants a login: check the proxy variables of the environment".to_owned(),
        429 => "too many requests: lower concurrency in the profile and wait".to_owned(),
        _ => String::new(),
    }
}

/// `404 Not Found`.
fn name(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    match reason {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, body: &str) -> Failure {
        let answer = Answer { status, body: body.as_bytes().to_vec().into(), ..Answer::default() };
        accepted(answer).unwrap_err()
    }

    #[test]
    fn the_services_own_words_are_kept() {
        let failure = failure(
            400,
            r#"{"error":{"code":"pce_access_denied","message":"You are not allowed"}}"#,
        );
        assert_eq!(failure.cause, Cause::Rejected);
        assert_eq!(failure.http_status, Some(400));
        assert_eq!(failure.to_string(), "pce_access_denied: You are not allowed");
    }

    #[test]
    fn a_refused_token_gets_its_remedy_in_either_envelope() {
        let nested = failure(401, r#"{"error":{"code":"access_denided","message":"No access"}}"#);
        assert!(nested.to_string().starts_with("access_denided: No access: replace"));
        let flat = failure(401, r#"{"error":"invalid_client"}"#);
        assert_eq!(flat.code.raw(), "invalid_client");
        assert!(flat.remedy.raw().contains("replace the token"));
    }

    #[test]
    fn statuses_tell_refusals_from_failures_inside_the_service() {
        assert_eq!(failure(404, "").cause, Cause::Rejected);
        assert_eq!(failure(501, "{}").cause, Cause::ServiceFailed);
        assert_eq!(failure(503, "<html>").cause, Cause::ServiceFailed);
        assert_eq!(failure(304, "").cause, Cause::Redirected);
        for status in [202, 206, 101, 999] {
            assert_eq!(failure(status, "[]").cause, Cause::Unreadable, "{status}");
        }
    }

    #[test]
    fn a_page_instead_of_json_asks_for_the_base_path() {
        let message = failure(404, " <!DOCTYPE html><h1>Nope</h1>").to_string();
        assert_eq!(
            message,
            "the service answered 404 Not Found with a page instead of JSON: \
             is base_path in the profile right?"
        );
    }

    #[test]
    fn plain_text_is_quoted_briefly() {
        let message = failure(409, &"x".repeat(9_000)).to_string();
        assert!(message.starts_with("the service answered 409 Conflict: xxx"));
        assert!(message.len() < 300);
    }
}
