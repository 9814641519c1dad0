//! Events that an expression can say nothing about, counted by what of them cannot be read.

use std::fmt;
use std::ops::AddAssign;

use super::Verdict;

/// A value that is missing, or that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// When it was last changed.
    Date,
    /// How the URL is requested.
    Method,
    /// Whether it is on.
    Status,
}

/// How many events were passed over, by the first of their values that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PassedOver {
    dates: usize,
    methods: usize,
    statuses: usize,
}

impl PassedOver {
    /// One more, where an event was passed over.
    pub fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::PassedOver(Unread::Date) => self.dates += 1,
            Verdict::PassedOver(Unread::Method) => self.methods += 1,
            Verdict::PassedOver(Unread::Status) => self.statuses += 1,
            Verdict::Meant | Verdict::NotMeant => {}
        }
    }

    /// True when nothing was passed over.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What one part adds now, in place of what it added before.
    #[must_use]
    pub fn again(self, before: Self, now: Self) -> Self {
        let again = |all: usize, before: usize, now: usize| (all + now).saturating_sub(before);
        Self {
            dates: again(self.dates, before.dates, now.dates),
            methods: again(self.methods, before.methods, now.methods),
            statuses: again(self.statuses, before.statuses, now.statuses),
        }
    }
}

impl AddAssign for PassedOver {
    fn add_assign(&mut self, more: Self) {
        *self = self.again(Self::default(), more);
    }
}

impl fmt::Display for PassedOver {
    /// `3 events passed over: their date cannot be read`, for each kind of value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.dates, "date cannot be read"),
            (self.methods, "method is not known"),
            (self.statuses, "status is not known"),
        ];
        let some = counts.iter().filter(|(count, _)| *count > 0);
        for (place, (count, why)) in some.enumerate() {
            let (events, whose) = if *count == 1 { ("event", "its") } else { ("events", "their") };
            let between = if place > 0 { "; " } else { "" };
            write!(f, "{between}{count} {events} passed over: {whose} {why}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_many_were_passed_over_and_why_is_one_sentence() {
        let mut passed = PassedOver::default();
        assert!(passed.is_empty() && passed.to_string().is_empty());
        passed.count(Verdict::PassedOver(Unread::Date));
        assert_eq!(passed.to_string(), "1 event passed over: its date cannot be read");
        passed.count(Verdict::PassedOver(Unread::Date));
        passed.count(Verdict::PassedOver(Unread::Status));
        passed += passed;
        let told = "4 events passed over: their date cannot be read; \
                    2 events passed over: their status is not known";
        assert_eq!(passed.to_string(), told);
    }
}
