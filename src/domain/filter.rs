//! Which rows are shown: an expression together with the text it was typed as.

use jiff::ZonedDateTime;

use super::{
    Candidate, EventStore, Expression, ExpressionError, Extension, Meant, PassedOver,
    PhoneCallEvent, Standing, Standings, Verdict,
};

/// What an operator typed after `/`. The empty filter lets everything through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    text: String,
    expression: Expression,
}

impl Filter {
    /// A filter of events that are listed.
    ///
    /// # Errors
    /// Refuses a text that is no expression.
    pub fn of_events(text: &str, now: &ZonedDateTime) -> Result<Self, ExpressionError> {
        let expression = Expression::parse(text, now, &Standing::ALL)?;
        Ok(Self { text: text.to_owned(), expression })
    }

    /// A filter of events that stand for themselves, with nothing known beside them.
    ///
    /// # Errors
    /// Refuses a text that is no expression, and `is:`.
    pub fn of_planned(text: &str, now: &ZonedDateTime) -> Result<Self, ExpressionError> {
        Ok(Self { text: text.to_owned(), expression: Expression::parse(text, now, &[])? })
    }

    /// A filter of extensions: of those that have an event that it means, where it asks about
    /// events.
    ///
    /// # Errors
    /// Refuses a text that is no expression.
    pub fn of_extensions(text: &str, now: &ZonedDateTime) -> Result<Self, ExpressionError> {
        let expression = Expression::parse_for_extensions(text, now, &Standing::ALL)?;
        Ok(Self { text: text.to_owned(), expression })
    }

    /// This filter, which admits only what has a duplicate.
    #[must_use]
    pub fn of_alike(&self) -> Self {
        Self { text: self.text.clone(), expression: self.expression.clone().and_alike() }
    }

    /// The text as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it lets through.
    pub(super) fn expression(&self) -> &Expression {
        &self.expression
    }

    /// True when everything is let through.
    pub fn is_empty(&self) -> bool {
        self.expression.is_empty()
    }

    /// True when what it lets through changes with marks, failures and other events.
    pub fn asks_standing(&self) -> bool {
        self.expression.asks_standing()
    }

    /// Whether an extension is shown. As long as its events are not listed it has none.
    pub fn judge_extension(&self, extension: &Extension, store: &EventStore) -> Verdict {
        let Some(narrowed) = self.expression.narrowed(extension) else {
            return Verdict::NotMeant;
        };
        narrowed.of_all().unwrap_or_else(|| {
            let mut passed_over = Verdict::NotMeant;
            for (_, verdict) in store.judged(&self.expression, extension) {
                if verdict == Verdict::Meant {
                    return verdict;
                }
                passed_over = verdict;
            }
            passed_over
        })
    }

    /// The rows of an extension's listing that are shown, in order, and how many are not as nobody
    /// can tell whether they are meant.
    pub fn rows(&self, extension: &Extension, store: &EventStore) -> (Vec<usize>, PassedOver) {
        let (mut rows, mut passed_over) = (Vec::new(), PassedOver::default());
        for (row, verdict) in store.judged(&self.expression, extension) {
            passed_over.count(verdict);
            rows.extend((verdict == Verdict::Meant).then_some(row));
        }
        (rows, passed_over)
    }

    /// What is shown of these extensions, as far as they are listed.
    pub fn meant(&self, extensions: &[Extension], store: &EventStore) -> Meant {
        store.meant(&self.expression, extensions)
    }

    /// Whether one row of an extension's listing is shown.
    pub fn admits_row(&self, extension: &Extension, row: usize, store: &EventStore) -> bool {
        if self.asks_standing() {
            return self.rows(extension, store).0.binary_search(&row).is_ok();
        }
        let event = store.listing(&extension.number).and_then(|listing| listing.row(row));
        event.is_some_and(|event| self.expression.matches(&event.candidate(extension)))
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
            standings: Standings::default(),
        })
    }
}
