//! Which rows are shown: an expression together with the text it was typed as.

use super::{
    Candidate, EventView, Expression, ExpressionError, Extension, Listing, PassedOver,
    PhoneCallEvent,
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
    pub fn of_events(text: &str) -> Result<Self, ExpressionError> {
        Ok(Self { text: text.to_owned(), expression: Expression::parse(text)? })
    }

    /// A filter of extensions.
    ///
    /// # Errors
    /// Refuses a text that is no expression, or asks what only an event can answer.
    pub fn of_extensions(text: &str) -> Result<Self, ExpressionError> {
        Ok(Self { text: text.to_owned(), expression: Expression::parse_for_extensions(text)? })
    }

    /// The text as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True when everything is let through.
    pub fn is_empty(&self) -> bool {
        self.expression.is_empty()
    }

    /// Whether an extension is shown.
    pub fn admits_extension(&self, extension: &Extension) -> bool {
        self.expression.matches_extension(extension)
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

    /// The same of an event that stands for itself.
    pub fn admits(&self, extension: &Extension, event: &PhoneCallEvent) -> bool {
        self.is_empty()
            || self.expression.matches(&Candidate {
                number: extension.number.as_str(),
                label: extension.label.raw(),
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
