//! What a list of runs tells of each: enough to find one again, and to know what can be done with it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::kind::Kind;
use super::ledger::Tally;
use super::verification::Check;
use crate::domain::{Foreign, Stop, Word};

/// One run, without its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// What the run is called.
    pub name: String,
    /// What it did.
    pub kind: Kind,
    /// The profile's name.
    pub profile: String,
    /// Which PBX; empty where the first line of its file is lost.
    pub origin: String,
    /// The run that this one undoes.
    pub undoes: Option<String>,
    /// When it began, in UTC, as its file says.
    pub started: String,
    /// When it ended, stopped or not; `None` where it was cut off or is going on.
    pub finished: Option<String>,
    /// Number of planned events.
    pub planned: usize,
    /// Its events by what became of them.
    pub tally: Tally,
    /// What listing again said of it.
    pub check: Check,
    /// Why it ended before everything was done; one that was cut off was killed.
    pub stop: Option<Stop>,
    /// How far it is undone, where an undo of it has begun.
    pub undone: Option<Undone>,
    /// Something went beside the plan.
    pub took_more: bool,
    /// A program is carrying it out right now.
    pub is_going_on: bool,
    /// A newer program wrote its file: it is shown, and never acted on.
    pub is_newer: bool,
    /// Lines of its file that are not used, each with what is wrong.
    pub flaws: Vec<String>,
}

/// What the undos of a run have come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The newest undo of the run.
    pub run: String,
    /// Events that are back.
    pub restored: usize,
    /// Events that are back and differ.
    pub altered: usize,
    /// Events that are not.
    pub not_back: usize,
    /// The undo has ended, and a list showed everything that it made.
    pub is_over: bool,
}

impl Undone {
    /// The name of the undo, where all is back.
    pub fn by(&self) -> Option<&str> {
        (self.is_over && self.not_back == 0).then_some(self.run.as_str())
    }

    /// `undone by …`, or what is still missing.
    pub fn words(&self) -> String {
        match self.by() {
            Some(by) => format!("undone by {by}"),
            None if self.not_back == 0 => format!("not sure to be back: its undo is {}", self.run),
            None => format!("{} not back: its undo is {}", self.not_back, self.run),
        }
    }
}

impl Summary {
    /// Whether it ran on the PBX at this origin.
    pub fn is_at(&self, origin: &str) -> bool {
        !self.origin.is_empty() && self.origin.eq_ignore_ascii_case(origin)
    }

    /// Events that are refused, not sent or unknown: what going on with it would do.
    pub fn left(&self) -> usize {
        if self.kind.keeps() { 0 } else { self.tally.left() }
    }

    /// The run that is to be named to go on with it: of an undo the one that it undoes. `None` where
    /// nothing is left, where it is going on, where its undo has begun, and where a newer program wrote it.
    pub fn goes_on_as(&self) -> Option<&str> {
        let is_open = self.left() > 0 && !self.is_going_on && !self.is_newer;
        let is_open = is_open && self.undone.is_none();
        let run = if self.kind == Kind::Undo { self.undoes.as_deref() } else { Some(&*self.name) };
        run.filter(|_| is_open)
    }

    /// `finished`, `STOPPED (operator)`, `UNFINISHED` where it was cut off, or `GOING ON`.
    pub fn state(&self) -> String {
        match (&self.finished, &self.stop) {
            _ if self.is_going_on => "GOING ON".to_owned(),
            (None, _) => "UNFINISHED".to_owned(),
            (Some(_), Some(stop)) => format!("STOPPED ({})", stop.reason.name()),
            (Some(_), None) => "finished".to_owned(),
        }
    }

    /// What a start says of it; `None` where nobody can or needs to go on with it.
    pub fn unfinished(&self) -> Option<String> {
        let name = &self.name;
        if self.is_going_on {
            return Some(format!("run {name} is going on right now in another callsweep"));
        }
        let (stop, left) = (self.stop.as_ref()?, self.goes_on_as().map(|_| self.left())?);
        let how = if self.finished.is_some() { "stopped" } else { "was interrupted" };
        let (all, why) = (self.planned, &stop.message);
        Some(format!("run {name} {how}: {left} of {all} not done ({why})"))
    }

    /// What is wrong with its file, in one sentence with what that means; `None` where nothing is.
    pub fn flaw(&self) -> Option<String> {
        let name = &self.name;
        if self.is_newer {
            return Some(format!(
                "run {name}: a newer callsweep wrote it, and only that one acts on it"
            ));
        }
        if self.origin.is_empty() {
            return Some(format!(
                "run {name} has lost its first line, and so its PBX: callsweep show {name} tells the rest"
            ));
        }
        let first = self.flaws.first()?;
        let more = match self.flaws.len() - 1 {
            0 => String::new(),
            1 => " (1 line more)".to_owned(),
            more => format!(" ({more} lines more)"),
        };
        Some(format!("run {name}, {first}{more}: the rest is used, what is lost is unknown"))
    }

    /// Events that it may have taken or changed and that no undo of it has given back. What went beside
    /// the plan counts as one.
    pub fn not_back(&self) -> usize {
        let took = self.tally.taken() + usize::from(self.took_more);
        // What was refused may be gone all the same, where no list says otherwise.
        let may_have = match self.check {
            Check::Agrees | Check::Differs | Check::NothingSent => 0,
            Check::InPart | Check::NotChecked => {
                self.tally.of(Word::Refused) + self.tally.of(Word::AlreadyGone)
            }
        };
        match &self.undone {
            _ if self.kind == Kind::Undo || self.kind.keeps() => 0,
            Some(undone) if undone.by().is_some() => 0,
            Some(undone) => undone.not_back.max(1),
            None => took + may_have,
        }
    }

    /// When it began, in local time, to the second.
    pub fn begun(&self, local: &TimeZone) -> String {
        local_time(&self.started, local)
    }

    /// What happened and what became of that since, in words.
    pub fn words(&self) -> String {
        let mut words = self.tally.words(self.kind);
        if self.kind.keeps() {
            words = format!("{} kept", self.planned);
        }
        let later = self.stop.as_ref().and_then(Stop::not_before);
        if let Some(time) = later.filter(|_| self.left() > 0) {
            words = format!("{words}, resumable after {time}");
        }
        match &self.undone {
            Some(undone) => format!("{words}, {}", undone.words()),
            None => words,
        }
    }
}

/// A moment of a run file in local time, to the second; what cannot be read stays as it is, cleaned.
pub fn local_time(written: &str, local: &TimeZone) -> String {
    match written.parse::<Timestamp>() {
        Ok(at) => local.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => Foreign::from(written).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{StopReason, Success};

    fn run(kind: Kind, tally: Tally) -> Summary {
        Summary {
            name: "r1".to_owned(),
            kind,
            profile: "acme".to_owned(),
            origin: "https://pbx.test".to_owned(),
            undoes: (kind == Kind::Undo).then(|| "r0".to_owned()),
            started: "2026-05-31T22:00:00.000Z".to_owned(),
            finished: Some("2026-05-31T22:00:09.000Z".to_owned()),
            planned: tally.settled(),
            tally,
            check: Check::Agrees,
            stop: None,
            undone: None,
            took_more: false,
            is_going_on: false,
            is_newer: false,
            flaws: Vec::new(),
        }
    }

    fn deleted() -> Tally {
        Tally::default().with(Success::Deleted, 2)
    }

    fn some_left() -> Tally {
        deleted().with(Word::Refused, 1).with(Word::NotSent, 3)
    }

    #[test]
    fn what_is_left_is_gone_on_with_by_the_name_of_the_run_or_of_the_one_that_is_undone() {
        assert_eq!(run(Kind::Delete, some_left()).goes_on_as(), Some("r1"));
        assert_eq!(run(Kind::Change, some_left()).goes_on_as(), Some("r1"));
        assert_eq!(run(Kind::Undo, some_left()).goes_on_as(), Some("r0"));
        assert_eq!(run(Kind::Backup, some_left()).goes_on_as(), None);
        let done = deleted().with(Word::AlreadyGone, 1);
        assert_eq!(run(Kind::Delete, done).goes_on_as(), None);
        let going_on = Summary { is_going_on: true, ..run(Kind::Delete, some_left()) };
        let newer = Summary { is_newer: true, ..run(Kind::Delete, some_left()) };
        let undone = Summary { undone: Some(undo(1)), ..run(Kind::Delete, some_left()) };
        for closed in [&going_on, &newer, &undone] {
            assert_eq!(closed.goes_on_as(), None, "{closed:?}");
        }
        assert_eq!(going_on.state(), "GOING ON");
    }

    fn undo(not_back: usize) -> Undone {
        Undone { run: "r9".to_owned(), restored: 1, altered: 0, not_back, is_over: true }
    }

    #[test]
    fn what_a_run_may_have_taken_is_not_back_until_its_undo_gave_back_all_of_it() {
        let back = |run: &Summary| run.not_back();
        let deleted = run(Kind::Delete, some_left());
        assert_eq!(back(&deleted), 2);
        assert_eq!(back(&Summary { check: Check::NotChecked, ..deleted.clone() }), 3);
        assert_eq!(back(&Summary { took_more: true, ..deleted.clone() }), 3);
        assert_eq!(back(&Summary { undone: Some(undo(1)), ..deleted.clone() }), 1);
        assert_eq!(back(&Summary { undone: Some(undo(0)), ..deleted.clone() }), 0);
        let open = Undone { is_over: false, ..undo(0) };
        assert_eq!(back(&Summary { undone: Some(open), ..deleted }), 1);
        assert_eq!(back(&run(Kind::Backup, some_left())), 0);
        assert_eq!(back(&run(Kind::Undo, some_left())), 0);
        assert_eq!(back(&run(Kind::Delete, Tally::default().with(Word::Refused, 4))), 0);
    }

    #[test]
    fn a_row_tells_when_in_what_state_and_what_came_of_it() {
        let stop = Stop::new(StopReason::Operator, Foreign::from("stopped by the operator"));
        let run = Summary { stop: Some(stop), ..run(Kind::Delete, some_left()) };
        let local = TimeZone::fixed(jiff::tz::Offset::constant(2));
        assert_eq!(run.begun(&local), "2026-06-01 00:00:00");
        assert_eq!(run.state(), "STOPPED (operator)");
        assert_eq!(run.words(), "2 deleted, 1 refused, 3 not sent");
        let said = "run r1 stopped: 4 of 6 not done (stopped by the operator)";
        assert_eq!(run.unfinished().as_deref(), Some(said));
        let cut = Summary { finished: None, undone: Some(undo(1)), ..run };
        assert_eq!((cut.state(), cut.unfinished()), ("UNFINISHED".to_owned(), None));
        assert_eq!(cut.words(), "2 deleted, 1 refused, 3 not sent, 1 not back: its undo is r9");
        assert_eq!(local_time("\u{1b}[2J", &local), "␛[2J");
    }
}
