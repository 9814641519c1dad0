//! Which rows are shown: an expression together with the text it was typed as.

use jiff::ZonedDateTime;

use super::{
    Candidate, EventView, Expression, ExpressionError, Extension, Listing, PassedOver,
    PhoneCallEvent, Verdict,
};

/// What an operator typed after `/`. The empty filter lets everything through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    text: String,
    expression: Expression,
}

impl Filter {
    /// A filter of events.
    ///
    /// # Errors
    /// Refuses a text that is no expression.
    pub fn of_events(text: &str, now: &ZonedDateTime) -> Result<Self, ExpressionError> {
        Ok(Self { text: text.to_owned(), expression: Expression::parse(text, now)? })
    }

    /// A filter of extensions: of those that have an event that it means, where it asks about
    /// events.
    ///
    /// # Errors
    /// Refuses a text that is no expression.
    pub fn of_extensions(text: &str, now: &ZonedDateTime) -> Result<Self, ExpressionError> {
        Ok(Self { text: text.to_owned(), expression: Expression::parse_for_extensions(text, now)? })
    }

    /// The text as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True when everything is let through.
    pub fn is_empty(&self) -> bool {
        self.expression.is_empty()
    }

    /// Whether an extension is shown. As long as its events are not listed it has none.
    pub fn judge_extension(&self, extension: &Extension, listing: Option<&Listing>) -> Verdict {
        let Some(narrowed) = self.expression.narrowed(extension) else {
            return Verdict::NotMeant;
        };
        narrowed.of_all().unwrap_or_else(|| {
            let mut passed_over = Verdict::NotMeant;
            let judged = listing.map(|listing| listing.judged(&self.expression, extension));
            for (_, verdict) in judged.into_iter().flatten() {
                if verdict == Verdict::Meant {
                    return verdict;
                }
                passed_over = verdict;
            }
            passed_over
        })
    }

    /// Whether an event of an extension is shown.
    pub fn admits_event(&self, extension: &Extension, event: &EventView<'_>) -> bool {
        self.is_empty() || self.expression.matches(&event.candidate(extension))
    }

    /// How many events of a listing are not shown as nobody can tell whether they are meant.
    pub fn passed_over(&self, extension: &Extension, listing: &Listing) -> PassedOver {
        if self.is_empty() {
            return PassedOver::default();
        }
        listing.passed_over(&self.expression, extension)
    }

    /// Whether an event that stands for itself is shown.
    pub fn judge(&self, extension: &Extension, event: &PhoneCallEvent) -> Verdict {
        self.expression.judge(&Candidate {
            extension,
            event_type: event.key.event_type,
            id: event.key.id.as_str(),
            method: event.method.written(),
            url: event.url.raw(),
            note: event.note.raw(),
            status: event.status.written(),
            modified: event.modified.clone(),
        })
    }
}
