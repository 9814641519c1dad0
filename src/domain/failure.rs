//! What went wrong, and what is known of something asked for.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::{Foreign, redacted};

/// The stage at which a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// callsweep itself did not send it: read-only, stopped, no run file.
    Withheld,
    /// callsweep itself did not send it: another program is changing this PBX, or that is not known.
    Locked,
    /// callsweep itself did not send it: what was about to be sent could not be written down.
    Unwritten,
    /// callsweep itself did not send it: the service issued no token for it.
    NoToken,
    /// The run is simulated: the request was built and not sent.
    Simulated,
    /// No connection came about, name, TCP or TLS, or it ended before the request was written.
    Unreachable,
    /// TLS was refused: no connection until certificate or profile are mended.
    Untrusted,
    /// No connection came about in time, though the service had answered before: an address blocker
    /// may have struck, and asking on would be in vain.
    Blocked,
    /// The request was sent, and no complete answer came back.
    NoAnswer,
    /// The request was sent, and this program was suspended while it waited: that says nothing
    /// about the service.
    Asleep,
    /// The service answered with a refusal (4xx).
    Rejected,
    /// The service refused the token that made an event, and there is another token by now.
    Renewed,
    /// The service answered that it should be asked elsewhere (3xx); redirects are not followed.
    Redirected,
    /// The service failed inside (5xx).
    ServiceFailed,
    /// A success was announced, and its body makes no sense.
    Unreadable,
}

/// One failed request, in the service's own words where it had any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The stage at which it failed.
    pub cause: Cause,
    /// HTTP status of the answer, where there was one.
    pub http_status: Option<u16>,
    /// The service's code, as `pce_id_invalid` (page *HTTP Return Codes*); empty without one.
    pub code: Foreign,
    /// What happened.
    pub message: Foreign,
    /// What to do about it, where callsweep knows it; empty otherwise.
    pub remedy: Foreign,
    /// How long the service asks to be left alone, where it says so (header `Retry-After`).
    pub retry_after: Option<Duration>,
    /// The moment until which the service asks to be left alone.
    pub not_before: Option<Timestamp>,
}

/// The code of a service that knows no such event.
const NO_EVENT: &str = "pce_id_invalid";

impl Failure {
    /// A failure with no answer of the service behind it. Whoever repeats a secret of ours in a
    /// message is not quoted there.
    pub fn new(cause: Cause, message: impl AsRef<str>) -> Self {
        Self {
            cause,
            http_status: None,
            code: Foreign::default(),
            message: Foreign::from(&*redacted(message.as_ref())),
            remedy: Foreign::default(),
            retry_after: None,
            not_before: None,
        }
    }

    /// A failure from a sentence of this program whose remedy follows its last colon.
    pub fn of(cause: Cause, sentence: &str) -> Self {
        let (what, remedy) = parted(sentence);
        Self::new(cause, what).remedied(remedy)
    }

    /// Adds a code of the service.
    #[must_use]
    pub fn coded(self, code: &str) -> Self {
        Self { code: Foreign::from(&*redacted(code)), ..self }
    }

    /// Adds a remedy.
    #[must_use]
    pub fn remedied(self, remedy: impl AsRef<str>) -> Self {
        Self { remedy: Foreign::from(&*redacted(remedy.as_ref())), ..self }
    }

    /// Adds what else is known.
    #[must_use]
    pub fn saying(&self, what: &str) -> Self {
        let message = Foreign::from(format!("{}; {what}", self.message.raw()));
        Self { message, ..self.clone() }
    }

    /// The code and what happened, as it may be shown.
    pub fn without_remedy(&self) -> String {
        Self { remedy: Foreign::default(), ..self.clone() }.to_string()
    }

    /// The failure with a remedy for an operator who has no profile.
    #[must_use]
    pub fn without_profile(self) -> Self {
        let told = |text: &Foreign| Foreign::from(without_profile(text.raw()));
        Self { message: told(&self.message), remedy: told(&self.remedy), ..self }
    }

    /// What happened and what to do about it, without the code: for files and documents.
    pub fn told(&self) -> String {
        let message = self.message.told();
        if self.remedy.is_empty() {
            message.into_owned()
        } else {
            format!("{}: {}", message.trim_end_matches('.'), self.remedy.told())
        }
    }

    /// Whether the service may have done what was asked all the same. 501 says that it cannot; any other
    /// 5xx may come from a proxy whose service acted.
    pub fn may_have_acted(&self) -> bool {
        match self.cause {
            Cause::NoAnswer | Cause::Asleep | Cause::Unreadable => true,
            Cause::ServiceFailed => self.http_status != Some(501),
            Cause::Withheld
            | Cause::Locked
            | Cause::Unwritten
            | Cause::NoToken
            | Cause::Simulated
            | Cause::Unreachable
            | Cause::Untrusted
            | Cause::Blocked
            | Cause::Rejected
            | Cause::Renewed
            | Cause::Redirected => false,
        }
    }

    /// Its code or else the status of the answer; empty without either.
    pub fn in_short(&self) -> String {
        match self.http_status {
            Some(status) if self.code.is_empty() => status.to_string(),
            Some(_) | None => self.code.to_string(),
        }
    }

    /// callsweep did not send it for now: in a while there is room for it.
    pub fn has_no_room(&self) -> bool {
        self.cause == Cause::Withheld && self.retry_after.is_some()
    }

    /// The service itself asked not to be asked before.
    pub fn is_pause(&self) -> bool {
        self.retry_after.is_some() && !self.is_of_budget()
    }

    /// Too many requests failed lately: nothing is asked until fewer are remembered.
    pub fn is_of_budget(&self) -> bool {
        self.has_no_room() && self.not_before.is_none()
    }

    /// Whether the same question may go better later: after a while, or once there is room for it.
    pub fn may_pass(&self) -> bool {
        self.is_worth_repeating() || self.has_no_room()
    }

    /// What is said of it while its end is waited for.
    pub fn words_of_wait(left: Duration) -> String {
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        format!(
            "waiting {seconds} s, as too many requests failed within a minute, here or in another \
             start; after more of them the PBX may block this address and its phones"
        )
    }

    /// Whether what was asked may be done all the same, though the answer reads as a refusal: it is
    /// none of those that the service documents.
    pub fn proves_little(&self) -> bool {
        match (self.cause, self.http_status) {
            (Cause::Rejected, Some(400)) => self.code.is_empty(),
            (Cause::Rejected, Some(401 | 403 | 407 | 429)) => false,
            (Cause::Rejected, _) | (Cause::ServiceFailed, Some(501)) => true,
            (
                Cause::Withheld
                | Cause::Locked
                | Cause::Unwritten
                | Cause::NoToken
                | Cause::Simulated
                | Cause::Unreachable
                | Cause::Untrusted
                | Cause::Blocked
                | Cause::NoAnswer
                | Cause::Asleep
                | Cause::Unreadable
                | Cause::Renewed
                | Cause::Redirected
                | Cause::ServiceFailed,
                _,
            ) => false,
        }
    }

    /// The service says that there is no such event (page *Delete PhoneCallEvents*).
    pub fn names_no_event(&self) -> bool {
        self.http_status == Some(400) && self.code.raw() == NO_EVENT
    }

    /// What a service says that knows no such event.
    pub fn no_event() -> Self {
        let code = Foreign::from(NO_EVENT);
        let said = Self::new(Cause::Rejected, "the service says that there is no such event");
        Self { http_status: Some(400), code, ..said }
    }

    /// Whether the service answered, and would answer the same again: not the token was refused, but
    /// what was asked.
    pub fn is_refusal(&self) -> bool {
        let is_of_token =
            self.http_status == Some(401) || matches!(self.cause, Cause::NoToken | Cause::Renewed);
        self.http_status.is_some() && !is_of_token && !self.is_worth_repeating()
    }

    /// Whether the service says what it has against this extension, so that it may well answer of
    /// another.
    pub fn is_of_its_extension(&self) -> bool {
        self.cause == Cause::Rejected && self.http_status == Some(400) && !self.code.is_empty()
    }

    /// Whether the same request may succeed a little later: the connection or the service was in
    /// trouble, or asked too often. Every other failure repeats itself until its cause is mended.
    ///
    /// Says a retry may help, not that it is safe. A GET may always be repeated, and so may a DELETE or
    /// PUT that names its event, as doing it twice is as if done once; a POST that creates an event may
    /// be only where nothing [may have been made](Self::may_have_acted).
    pub fn is_worth_repeating(&self) -> bool {
        match self.cause {
            Cause::Unreachable | Cause::NoAnswer | Cause::Asleep => true,
            Cause::Rejected => self.http_status == Some(429),
            Cause::ServiceFailed => self.http_status != Some(501),
            Cause::Withheld
            | Cause::Locked
            | Cause::Unwritten
            | Cause::NoToken
            | Cause::Simulated
            | Cause::Untrusted
            | Cause::Blocked
            | Cause::Renewed
            | Cause::Redirected
            | Cause::Unreadable => false,
        }
    }
}

/// What a sentence of this program says, and the remedy behind its last colon; empty where it has none.
pub fn parted(sentence: &str) -> (&str, &str) {
    sentence.rsplit_once(": ").unwrap_or((sentence, ""))
}

/// A sentence for an operator whose PBX stands in flags alone: what flags cannot say takes a profile.
pub fn without_profile(sentence: &str) -> String {
    const NONE: &str =
        "in a profile (--url has none; `callsweep config --print-example` shows one)";
    let by_flags = [
        (
            "write url = \"http://127.0.0.1:PORT\" in the profile",
            "start with --url http://127.0.0.1:PORT",
        ),
        ("url in the profile", "--url"),
        ("under extensions in the profile", "with --extension"),
        ("what auth in the profile names", "the token in CALLSWEEP_TOKEN"),
        (", and the profile does not name it", ""),
    ];
    let sentence = by_flags
        .iter()
        .fold(sentence.to_owned(), |text, (of_file, of_flags)| text.replace(of_file, of_flags));
    sentence.replacen("in the profile", NONE, 1).replace("in the profile", "there")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.code.is_empty() {
            write!(f, "{}: ", self.code)?;
        }
        if self.remedy.is_empty() {
            return self.message.fmt(f);
        }
        let message = self.message.to_string();
        write!(f, "{}: {}", message.trim_end_matches('.'), self.remedy)
    }
}

/// What the service said to a DELETE that it accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteAnswer {
    /// 200 or 204.
    pub http_status: u16,
    /// The ids returned; `None` with 204, which has no body.
    pub ids: Option<Vec<Foreign>>,
}

/// What the service said to a POST or PUT that it accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteAnswer {
    /// 200 or 204.
    pub http_status: u16,
    /// The id returned; `None` where the answer has none: then a listing tells it.
    pub id: Option<Foreign>,
}

/// Something that is asked of the service once and then known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fetched<T> {
    /// Not asked yet.
    #[default]
    Not,
    /// Asked, not answered yet.
    UnderWay,
    /// Answered.
    Ready(T),
    /// The last attempt failed.
    Failed(Failure),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(cause: Cause, http_status: Option<u16>) -> Failure {
        Failure { http_status, ..Failure::new(cause, "no") }
    }

    #[test]
    fn trouble_on_the_way_and_inside_the_service_may_pass() {
        assert!(failure(Cause::Unreachable, None).is_worth_repeating());
        assert!(failure(Cause::NoAnswer, None).is_worth_repeating());
        assert!(failure(Cause::NoAnswer, Some(200)).is_worth_repeating());
        assert!(failure(Cause::Rejected, Some(429)).is_worth_repeating());
        for status in [500, 502, 503, 504, 505, 599] {
            assert!(failure(Cause::ServiceFailed, Some(status)).is_worth_repeating(), "{status}");
        }
    }

    #[test]
    fn what_somebody_has_to_mend_is_not_worth_repeating() {
        for status in [400, 401, 403, 404, 407, 409] {
            assert!(!failure(Cause::Rejected, Some(status)).is_worth_repeating(), "{status}");
        }
        assert!(!failure(Cause::ServiceFailed, Some(501)).is_worth_repeating());
        assert!(!failure(Cause::Rejected, Some(200)).is_worth_repeating());
        assert!(!failure(Cause::Redirected, Some(301)).is_worth_repeating());
        assert!(!failure(Cause::Unreadable, Some(200)).is_worth_repeating());
        assert!(!failure(Cause::Withheld, None).is_worth_repeating());
    }

    #[test]
    fn without_a_profile_a_remedy_names_flags_and_how_to_write_one() {
        let flags = |remedy| failure(Cause::NoAnswer, None).remedied(remedy).without_profile();
        assert_eq!(flags("check url in the profile").remedy.raw(), "check --url");
        let told =
            flags("name the file as ca_file in the profile, or as fingerprint in the profile");
        let expected = "name the file as ca_file in a profile (--url has none; `callsweep config \
                        --print-example` shows one), or as fingerprint there";
        assert_eq!(told.remedy.raw(), expected);
    }

    #[test]
    fn only_a_service_that_says_it_cannot_do_it_has_not_acted() {
        for (status, acted) in [(500, true), (502, true), (503, true), (504, true), (501, false)] {
            let failure = failure(Cause::ServiceFailed, Some(status));
            assert_eq!(failure.may_have_acted(), acted, "{status}");
        }
        assert!(!failure(Cause::Rejected, Some(429)).may_have_acted());
        assert!(!failure(Cause::Unreachable, None).may_have_acted());
        assert!(failure(Cause::NoAnswer, None).may_have_acted());
    }
}
