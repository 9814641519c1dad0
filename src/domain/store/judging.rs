//! What an expression says of the rows of a listing: term by term of all of them, so that each text
//! is asked once, however many events have it, and nothing is made of a row that a term needs not.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;

use super::super::{
    EventKey, Expression, Extension, Facet, Failure, Open, PassedOver, Standing, Standings, Unread,
    Verdict,
};
use super::alike::Alike;
use super::listing::Listing;
use super::strings::Strings;

/// What the store knows of the rows of a listing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known<'a> {
    pub(super) marks: Option<&'a FixedBitSet>,
    pub(super) failures: Option<&'a HashMap<EventKey, Failure>>,
    /// The hosts of its URLs.
    pub(super) strings: Option<&'a Strings>,
}

/// What was said of each row of a listing.
#[derive(Debug, Default)]
pub(super) struct Judged(Vec<Verdict>);

/// Whether a term holds for a row.
type Answer = Result<bool, Unread>;

impl Listing {
    /// The rows that an expression means, or can say nothing about, where there are no marks.
    /// `extension` is what is known of the one whose events these are.
    pub fn judged(
        &self,
        expression: &Expression,
        extension: &Extension,
    ) -> impl Iterator<Item = (usize, Verdict)> + use<> {
        Judged::of(self, expression, extension, Known::default()).rows()
    }

    /// The rows that an expression means.
    pub fn rows_where(
        &self,
        expression: &Expression,
        extension: &Extension,
    ) -> impl Iterator<Item = usize> + use<> {
        let judged = self.judged(expression, extension);
        judged.filter(|(_, verdict)| *verdict == Verdict::Meant).map(|(row, _)| row)
    }

    /// How many of its events an expression can say nothing about.
    pub fn passed_over(&self, expression: &Expression, extension: &Extension) -> PassedOver {
        Judged::of(self, expression, extension, Known::default()).passed_over()
    }
}

impl Judged {
    pub(super) fn of(
        listing: &Listing,
        expression: &Expression,
        extension: &Extension,
        known: Known<'_>,
    ) -> Self {
        let Some(narrowed) = expression.narrowed(extension) else { return Self::default() };
        #[cfg(test)]
        super::looked::at(listing.len());
        let mut judged = Self(vec![narrowed.of_extension(); listing.len()]);
        for term in narrowed.open() {
            judged.ask(listing, term, known);
        }
        judged
    }

    /// Asks one more term.
    fn ask(&mut self, listing: &Listing, term: &Open<'_>, known: Known<'_>) {
        match term.facet() {
            Facet::Type => {
                for (event_type, rows) in listing.groups() {
                    if !term.says(term.fits_type(event_type)) {
                        self.0.get_mut(rows).unwrap_or_default().fill(Verdict::NotMeant);
                    }
                }
            }
            Facet::Method => self.ask_choices(listing, term, |row| listing.method_at(row)),
            Facet::Status => self.ask_choices(listing, term, |row| listing.status_at(row)),
            Facet::Standing => self.ask_standings(listing, term, known),
            Facet::Modified => self.each(term, |row| match listing.row(row) {
                Some(event) => term.fits_modified(&event.modified()),
                None => Ok(false),
            }),
            Facet::Id => self.each(term, |row| Ok(term.fits_text(listing.id_at(row), true))),
            Facet::Url => {
                let texts = Texts::new(listing, term, known.strings);
                self.each(term, |row| Ok(texts.fit(listing.url_at(row))));
            }
            Facet::Note => {
                let texts = Texts::new(listing, term, known.strings);
                self.each(term, |row| Ok(texts.fit(listing.note_at(row))));
            }
            Facet::Texts => {
                let texts = Texts::new(listing, term, known.strings);
                // Where no id has a word of it, none is asked one by one.
                let in_ids = term.fits_text(listing.all_ids(), true);
                self.each(term, |row| {
                    let fits = texts.fit(listing.url_at(row)) || texts.fit(listing.note_at(row));
                    Ok(fits || in_ids && term.fits_text(listing.id_at(row), true))
                });
            }
        }
    }

    /// Asks about each row that may still be meant.
    fn each(&mut self, term: &Open<'_>, mut fits: impl FnMut(usize) -> Answer) {
        for (row, verdict) in self.0.iter_mut().enumerate() {
            if *verdict != Verdict::NotMeant {
                *verdict = verdict.and(fits(row).map(|fits| term.says(fits)));
            }
        }
    }

    /// Asks about a method or status, each of which many rows have.
    fn ask_choices(&mut self, listing: &Listing, term: &Open<'_>, choice_of: impl Fn(usize) -> u8) {
        let mut answers: [Option<Answer>; 256] = [None; 256];
        self.each(term, |row| {
            let choice = choice_of(row);
            let fits = || term.fits_written(listing.written(choice));
            let known = answers.get_mut(usize::from(choice));
            known.map_or_else(fits, |known| *known.get_or_insert_with(fits))
        });
    }

    fn ask_standings(&mut self, listing: &Listing, term: &Open<'_>, known: Known<'_>) {
        let asks_alike = term.asks(Standing::Duplicate) || term.asks(Standing::Alike);
        let alike = asks_alike.then(|| Alike::of(listing, term.zone()));
        let failures = known.failures.filter(|_| term.asks(Standing::Failed));
        self.each(term, |row| {
            let has_failed = |failures: &HashMap<EventKey, Failure>| {
                listing.row(row).is_some_and(|event| failures.contains_key(&event.key()))
            };
            Ok(term.fits_standings(Standings {
                duplicate: alike.as_ref().is_some_and(|alike| alike.is_duplicate(row)),
                marked: known.marks.is_some_and(|marks| marks.contains(row)),
                failed: failures.is_some_and(has_failed),
                alike: alike.as_ref().is_some_and(|alike| alike.has_others(row)),
            }))
        });
    }

    /// The rows that are meant, or of which nobody can tell, each with what was said of it.
    pub(super) fn rows(self) -> impl Iterator<Item = (usize, Verdict)> {
        self.0.into_iter().enumerate().filter(|(_, verdict)| *verdict != Verdict::NotMeant)
    }

    /// The rows that are meant.
    pub(super) fn meant(&self) -> impl Iterator<Item = usize> + '_ {
        let meant = self.0.iter().enumerate().filter(|(_, verdict)| **verdict == Verdict::Meant);
        meant.map(|(row, _)| row)
    }

    /// How many rows it could say nothing about.
    pub(super) fn passed_over(&self) -> PassedOver {
        self.passed_over_of(|_| true)
    }

    /// The same of some rows.
    pub(super) fn passed_over_of(&self, counts: impl Fn(usize) -> bool) -> PassedOver {
        let mut passed_over = PassedOver::default();
        for (row, verdict) in self.0.iter().enumerate() {
            if matches!(verdict, Verdict::PassedOver(_)) && counts(row) {
                passed_over.count(*verdict);
            }
        }
        passed_over
    }
}

/// What a term says of each text of a listing: each is asked once, however many rows have it.
struct Texts(Vec<bool>);

impl Texts {
    fn new(listing: &Listing, term: &Open<'_>, strings: Option<&Strings>) -> Self {
        Self(match strings.filter(|_| term.asks_host_alone()) {
            Some(strings) => listing.hosts_that(strings, |host| term.fits_host(host)),
            None => listing.texts_that_fit(term),
        })
    }

    fn fit(&self, place: Option<usize>) -> bool {
        place.and_then(|place| self.0.get(place).copied()).unwrap_or(false)
    }
}
