//! What answers say of the calls that wait: an extension that refuses again and again is left alone,
//! and a service that refuses everything stops the run.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Cause, ExtensionNumber, Failure};

/// So many of the same in a row leave an extension alone.
const SAME: usize = 3;
/// So many in a row that name no code, over two extensions or more, stop the run.
const VAGUE: usize = 5;
/// So many extensions in a row that give nothing but 403 stop it.
const BARRED: usize = 3;

/// The answers to the calls of one run, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Answers {
    said: BTreeMap<ExtensionNumber, Said>,
    /// Refusals without a code in a row, and where they came from.
    vague: usize,
    vague_from: BTreeSet<ExtensionNumber>,
    /// Extensions in a row that gave nothing but 403.
    barred: usize,
}

/// What one extension answered.
#[derive(Debug, Default)]
struct Said {
    last: Option<Refusal>,
    times: usize,
    /// Something else than 403.
    otherwise: bool,
    is_left: bool,
    is_barred: bool,
}

/// What makes two refusals the same.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Refusal {
    Code(String),
    Status(u16),
}

/// What is to be done after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Send the next call.
    GoOn,
    /// Send no more calls for this extension.
    Leave,
    /// Send no more calls.
    Stop,
}

/// What a failure says of the next call.
enum Weight {
    /// No reason to stop: the failure may pass, or the pause was asked for.
    None,
    /// The service refused with a code.
    Told(Refusal),
    /// The service refused with a status alone.
    Vague(Refusal),
    /// Every further call would fail the same way.
    Final,
}

impl Answers {
    /// Takes the last answer to a call; `is_last` where nothing more of its extension is to come.
    pub(super) fn take(
        &mut self,
        extension: &ExtensionNumber,
        failure: Option<&Failure>,
        is_last: bool,
    ) -> Then {
        let said = self.said.entry(extension.clone()).or_default();
        let (refusal, is_vague) = match failure.map(weigh) {
            None => {
                (said.last, said.times, said.otherwise) = (None, 0, true);
                self.barred = 0;
                self.clear();
                return Then::GoOn;
            }
            Some(Weight::None) => return Then::GoOn,
            Some(Weight::Final) => return Then::Stop,
            Some(Weight::Told(refusal)) => (refusal, false),
            Some(Weight::Vague(refusal)) => (refusal, true),
        };
        said.times = if said.last.as_ref() == Some(&refusal) { said.times + 1 } else { 1 };
        said.last = Some(refusal);
        let leave = said.times >= SAME && !said.is_left;
        said.is_left |= leave;
        if failure.is_some_and(|failure| failure.http_status != Some(403)) {
            said.otherwise = true;
            self.barred = 0;
        } else if !said.otherwise && !said.is_barred && (said.is_left || is_last) {
            said.is_barred = true;
            self.barred += 1;
        }
        if is_vague {
            self.vague += 1;
            self.vague_from.insert(extension.clone());
        } else {
            self.clear();
        }
        let all_vague = self.vague >= VAGUE && self.vague_from.len() > 1;
        match (all_vague || self.barred >= BARRED, leave) {
            (true, _) => Then::Stop,
            (false, true) => Then::Leave,
            (false, false) => Then::GoOn,
        }
    }

    fn clear(&mut self) {
        self.vague = 0;
        self.vague_from.clear();
    }
}

fn weigh(failure: &Failure) -> Weight {
    let status = failure.http_status.unwrap_or_default();
    let named = !failure.code.is_empty();
    match failure.cause {
        Cause::Withheld
        | Cause::Locked
        | Cause::Unwritten
        | Cause::NoToken
        | Cause::Untrusted
        | Cause::Blocked
        | Cause::Redirected => Weight::Final,
        Cause::Rejected if status == 401 => Weight::Final,
        Cause::Simulated | Cause::Asleep | Cause::Renewed => Weight::None,
        _ if failure.is_worth_repeating() => Weight::None,
        Cause::Rejected if matches!(status, 400 | 403) && named => {
            Weight::Told(Refusal::Code(failure.code.raw().to_owned()))
        }
        Cause::Rejected if status == 403 => Weight::Told(Refusal::Status(status)),
        Cause::Rejected
        | Cause::ServiceFailed
        | Cause::Unreadable
        | Cause::Unreachable
        | Cause::NoAnswer => Weight::Vague(Refusal::Status(status)),
    }
}

/// Why the rest of an extension is not sent after this refusal.
pub(super) fn left_alone(failure: &Failure) -> Failure {
    let said = failure.in_short();
    let why = format!("not sent: the extension refused {SAME} times in a row ({said})");
    Failure::new(Cause::Withheld, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Foreign;

    fn said(status: u16, code: &str) -> Failure {
        let cause = match status {
            300..=399 => Cause::Redirected,
            500..=599 => Cause::ServiceFailed,
            _ => Cause::Rejected,
        };
        let code = Foreign::from(code);
        Failure { http_status: Some(status), code, ..Failure::new(cause, "no") }
    }

    /// What is done after each answer: extension, status (200 a success) and code.
    fn after(answers: &[(&str, u16, &str)]) -> Vec<Then> {
        let mut all = Answers::default();
        let take = |(extension, status, code): &(&str, u16, &str)| {
            let failure = (*status != 200).then(|| said(*status, code));
            let extension = ExtensionNumber::parse(extension).unwrap();
            all.take(&extension, failure.as_ref(), false)
        };
        answers.iter().map(take).collect()
    }

    use Then::{GoOn, Leave, Stop};

    #[test]
    fn three_of_the_same_code_in_a_row_leave_their_extension_and_no_other() {
        let no = |extension| (extension, 400, "pce_access_denied");
        assert_eq!(after(&[no("1"), no("1"), no("2"), no("1")]), [GoOn, GoOn, GoOn, Leave]);
        assert_eq!(after(&[no("1"), no("1"), ("1", 200, ""), no("1")]), [GoOn; 4]);
        assert_eq!(after(&[no("1"), no("1"), ("1", 400, "other"), no("1")]), [GoOn; 4]);
        let many: Vec<_> =
            ["1", "2", "3", "4", "5", "6"].iter().flat_map(|it| [no(it); 3]).collect();
        assert_eq!(after(&many), [GoOn, GoOn, Leave].repeat(6), "each for itself, never the run");
    }

    #[test]
    fn what_came_back_late_of_an_extension_that_is_left_leaves_it_no_second_time() {
        assert_eq!(after(&[("1", 400, "no"); 5]), [GoOn, GoOn, Leave, GoOn, GoOn]);
    }

    #[test]
    fn a_status_without_a_code_leaves_its_extension_and_five_over_two_stop_the_run() {
        for status in [404, 409, 413, 418, 422, 501, 400] {
            let no = |extension| (extension, status, "");
            let four = [no("1"), no("1"), no("1"), no("2")];
            assert_eq!(after(&four), [GoOn, GoOn, Leave, GoOn], "{status}");
            assert_eq!(after(&[&four[..], &[no("2")]].concat()).last(), Some(&Stop), "{status}");
            let seven = [no("1"); 7];
            assert!(!after(&seven).contains(&Stop), "{status} of one extension alone");
            let between = [&four[..], &[("3", 200, ""), no("2")]].concat();
            assert!(!after(&between).contains(&Stop), "{status}, and a success between");
        }
    }

    #[test]
    fn three_extensions_in_a_row_that_give_only_403_stop_the_run() {
        let barred = |extension| [(extension, 403, "access_denied"); 3];
        let two = [barred("1"), barred("2")].concat();
        assert_eq!(after(&two), [GoOn, GoOn, Leave, GoOn, GoOn, Leave]);
        assert_eq!(after(&[&two[..], &barred("3")].concat()).last(), Some(&Stop));
        let one_works = [&two[..], &[("3", 403, ""), ("3", 200, "")], &barred("4")].concat();
        assert!(!after(&one_works).contains(&Stop));
        let mut all = Answers::default();
        let last = |extension: &str| {
            let extension = ExtensionNumber::parse(extension).unwrap();
            all.take(&extension, Some(&said(403, "")), true)
        };
        assert_eq!(["1", "2", "3"].map(last), [GoOn, GoOn, Stop], "one event each is enough");
    }

    #[test]
    fn what_would_go_no_better_stops_at_once_and_what_may_pass_says_nothing() {
        let untrusted = Failure::new(Cause::Untrusted, "its certificate is not trusted");
        for end in [said(401, "access_denied"), said(301, ""), said(307, ""), untrusted] {
            let one = ExtensionNumber::parse("1").unwrap();
            assert_eq!(Answers::default().take(&one, Some(&end), false), Stop, "{end:?}");
        }
        for trouble in [429, 500, 502, 503, 504, 505, 599] {
            assert_eq!(after(&[("1", trouble, ""); 9]), [GoOn; 9], "{trouble}");
        }
    }

    #[test]
    fn why_an_extension_is_left_alone_names_the_code_or_else_the_status() {
        let words = |failure: Failure| left_alone(&failure).to_string();
        assert!(words(said(400, "extension_invalid")).ends_with("(extension_invalid)"));
        assert!(words(said(404, "")).ends_with("(404)"));
    }
}
