//! Events that an expression can say nothing about, counted by what of them cannot be read.

use std::fmt;
use std::ops::AddAssign;

use super::Verdict;

/// A value that is missing, or that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// What the extension is.
    Kind,
    /// Whom the extension belongs to.
    Owner,
    /// What people call the extension.
    Label,
    /// When it was last changed.
    Date,
    /// How the URL is requested.
    Method,
    /// Whether it is on.
    Status,
}

/// How many events were passed over, by the first of their values that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PassedOver([usize; Unread::ALL.len()]);

impl Unread {
    const ALL: [Self; 6] =
        [Self::Kind, Self::Owner, Self::Label, Self::Date, Self::Method, Self::Status];

    fn why(self) -> &'static str {
        match self {
            Self::Kind => "kind is not known",
            Self::Owner => "owner is not known",
            Self::Label => "label is not known",
            Self::Date => "date cannot be read",
            Self::Method => "method is not known",
            Self::Status => "status is not known",
        }
    }
}

impl PassedOver {
    /// One more, where an event was passed over.
    pub fn count(&mut self, verdict: Verdict) {
        for (count, unread) in self.0.iter_mut().zip(Unread::ALL) {
            *count += usize::from(verdict == Verdict::PassedOver(unread));
        }
    }

    /// True when nothing was passed over.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What one part adds now, in place of what it added before.
    #[must_use]
    pub fn again(mut self, before: Self, now: Self) -> Self {
        for (all, (before, now)) in self.0.iter_mut().zip(before.0.iter().zip(now.0)) {
            *all = (*all + now).saturating_sub(*before);
        }
        self
    }

    /// `3 events passed over: their date cannot be read`, for each kind of value; `noun` is what
    /// was counted.
    pub fn in_words(&self, noun: &str) -> String {
        let some = self.0.iter().zip(Unread::ALL).filter(|(count, _)| **count > 0);
        let told = some.map(|(count, unread)| {
            let (s, whose) = if *count == 1 { ("", "its") } else { ("s", "their") };
            format!("{count} {noun}{s} passed over: {whose} {}", unread.why())
        });
        told.collect::<Vec<_>>().join("; ")
    }
}

impl AddAssign for PassedOver {
    fn add_assign(&mut self, more: Self) {
        *self = self.again(Self::default(), more);
    }
}

impl fmt::Display for PassedOver {
    /// Of events.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_words("event"))
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
