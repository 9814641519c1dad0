//! The arguments of a command that select again exactly what is marked.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use jiff::ZonedDateTime;

use super::expression::type_word;
use super::{EventStore, EventType, EventView, Expression, Extension, Listing, Standing, Verdict};

/// Longest arguments that are written, in characters.
const LONGEST: usize = 2_000;

/// The reason why no arguments select exactly the marked events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSelected {
    /// There are no marks.
    #[error("nothing is marked")]
    Nothing,
    /// They would be longer than anybody pastes.
    #[error(
        "naming these {events} events takes {characters} characters, which is too long to show"
    )]
    TooLong {
        /// Marked events.
        events: usize,
        /// How long the arguments would be.
        characters: usize,
    },
    /// Terms are joined by *and*, and there are marks that none so joined mean alone.
    #[error("no single selection means exactly these events")]
    None,
}

/// The arguments that select exactly the marked events among the listed ones, quoted for a shell:
/// the expression that marked last, where it means just these, else the shortest that name them.
/// What also reaches events of other extensions is written only where all of `extensions`, which are
/// those that a command would list, are listed.
///
/// # Errors
/// Says why there are none, or how long they would be.
pub fn selecting(
    store: &EventStore,
    extensions: &[Extension],
    last: Option<&Expression>,
    now: &ZonedDateTime,
) -> Result<String, NotSelected> {
    if store.marked() == 0 {
        return Err(NotSelected::Nothing);
    }
    let marked = Marked::of(store, extensions);
    // On the command line nothing is marked and nothing has failed, and ages are counted anew.
    let last = last
        .and_then(|last| Expression::parse(&last.to_string(), now, &[Standing::Duplicate]).ok());
    let last = last.filter(|last| !last.is_empty());
    let mut written = Vec::new();
    if let Some(last) = last.as_ref().filter(|_| marked.all_is_listed) {
        match marked.exactly(last, extensions) {
            Some(exact) if exact == *last && fits(&in_where(last)) => return Ok(in_where(last)),
            exact => written.extend(exact.as_ref().map(in_where)),
        }
    }
    written.extend(marked.widely(extensions));
    written.extend(marked.by_extension(last));
    let shortest = |written: Vec<String>| {
        written.into_iter().filter(|text| fits(text)).min_by_key(|text| text.chars().count())
    };
    if let Some(text) = shortest(written).or_else(|| shortest(marked.by_what_is_left_out())) {
        Ok(text)
    } else if marked.are_few() {
        Err(NotSelected::None)
    } else {
        Err(NotSelected::TooLong { events: store.marked(), characters: marked.length() })
    }
}

fn fits(text: &str) -> bool {
    text.chars().count() <= LONGEST
}

fn in_where(expression: &Expression) -> String {
    format!("--where {}", shell_word(&expression.to_string()))
}

/// A text as one word of a POSIX shell, quoted where it has to be.
pub fn shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:@%+,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    quoted(text)
}

/// A text in single quotes, in which nothing but a single quote means anything to a POSIX shell.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The marked events, and what of them can be named.
struct Marked<'a> {
    store: &'a EventStore,
    listings: Vec<&'a Listing>,
    /// The extensions of these listings; `None` where one is not among those that a command lists.
    extensions: Option<Vec<&'a Extension>>,
    types: BTreeSet<EventType>,
    ids: BTreeSet<&'a str>,
    all_is_listed: bool,
}

impl<'a> Marked<'a> {
    fn of(store: &'a EventStore, extensions: &'a [Extension]) -> Self {
        let listings: Vec<&Listing> = store.marked_listings().map(|(listing, _)| listing).collect();
        let marked = store.marked_rows().filter_map(|(listing, row)| listing.row(row));
        let (types, ids) = marked.map(|event| (event.event_type(), event.id())).unzip();
        let numbers: BTreeSet<_> = listings.iter().map(|listing| listing.extension()).collect();
        let found: Vec<_> = extensions.iter().filter(|one| numbers.contains(&one.number)).collect();
        let is_listed = |one: &Extension| {
            store.listing(&one.number).is_some_and(Listing::is_all_there_is_to_see)
        };
        Self {
            store,
            extensions: (found.len() == listings.len()).then_some(found),
            listings,
            types,
            ids,
            all_is_listed: extensions.iter().all(is_listed),
        }
    }

    /// The expression, less the ids that it means beyond what is marked; `None` where it does not
    /// mean all that is marked, or too much beside it.
    fn exactly<'e>(
        &self,
        expression: &Expression,
        extensions: impl IntoIterator<Item = &'e Extension>,
    ) -> Option<Expression> {
        let (mut met, mut beside) = (0, BTreeSet::new());
        for extension in extensions {
            let mut marked = self.store.marked_rows_in(&extension.number).peekable();
            let listing = self.store.listing(&extension.number);
            for (row, verdict) in self.store.judged(expression, extension) {
                if verdict != Verdict::Meant {
                    continue;
                }
                match marked.peek().map(|first| first.cmp(&row)) {
                    Some(Ordering::Less) => return None,
                    Some(Ordering::Equal) => {
                        marked.next();
                        met += 1;
                    }
                    Some(Ordering::Greater) | None => {
                        beside.insert(listing?.row(row)?.id());
                    }
                }
                if beside.len() > LONGEST / 2 {
                    return None;
                }
            }
        }
        let apart = beside.iter().all(|id| !self.ids.contains(id));
        let all = met == self.store.marked() && apart;
        all.then(|| expression.clone().and_ids(beside, true))
    }

    /// By what is common to events of all extensions.
    fn widely(&self, extensions: &[Extension]) -> Vec<String> {
        let of_types = Expression::default().and_types(&self.types);
        let wide = [Expression::every(), of_types].into_iter().filter(|_| self.all_is_listed);
        wide.filter(|wide| self.exactly(wide, extensions).as_ref() == Some(wide))
            .map(|wide| in_where(&wide))
            .collect()
    }

    /// By their extensions, and by types, ids or what marked last within these.
    fn by_extension(&self, last: Option<Expression>) -> Vec<String> {
        let mut written = Vec::new();
        for types in [&BTreeSet::new(), &self.types] {
            let Some((these, exact)) = self.of_extensions(types) else { continue };
            let whole = exact.as_ref() == Some(&these);
            let by_id = self.are_few() && self.are_named_by_id(types);
            for (holds, ids) in [(whole, None), (by_id, Some(&self.ids))] {
                if holds {
                    let named = ids.into_iter().flatten().copied();
                    written.push(self.in_flags(types, ids.is_some()));
                    let these = these.clone().and_ids(named, false);
                    written.extend(self.extensions.as_ref().map(|_| in_where(&these)));
                }
            }
        }
        let numbers = self.listings.iter().map(|listing| listing.extension());
        let within = last.filter(|_| self.are_whole()).map(|last| last.and_extensions(numbers));
        if let (Some(within), Some(extensions)) = (within, &self.extensions) {
            let exact = self.exactly(&within, extensions.iter().copied());
            written.extend(exact.as_ref().map(in_where));
        }
        written
    }

    /// By their extensions, and types, less some ids: what is made there later is selected too.
    fn by_what_is_left_out(&self) -> Vec<String> {
        let reached = self.extensions.iter();
        let some = reached.flat_map(|_| [BTreeSet::new(), self.types.clone()]);
        some.filter_map(|types| self.of_extensions(&types)?.1.as_ref().map(in_where)).collect()
    }

    /// All of their extensions and of these types, and the same without what is not marked, where that
    /// can be said.
    fn of_extensions(
        &self,
        types: &BTreeSet<EventType>,
    ) -> Option<(Expression, Option<Expression>)> {
        let numbers = || self.listings.iter().map(|listing| listing.extension());
        if numbers().map(|number| number.as_str().len() + 1).sum::<usize>() > LONGEST {
            return None;
        }
        let these = Expression::default().and_extensions(numbers()).and_types(types);
        let bare: Vec<Extension> = numbers().cloned().map(Extension::of).collect();
        let exact = self.exactly(&these, &bare).filter(|_| self.are_whole());
        Some((these, exact))
    }

    /// Whether all that there is to see of their extensions is listed.
    fn are_whole(&self) -> bool {
        self.listings.iter().all(|listing| listing.is_all_there_is_to_see())
    }

    /// Whether no other event of their extensions has one of their ids and, where any are given, one
    /// of these types.
    fn are_named_by_id(&self, types: &BTreeSet<EventType>) -> bool {
        let of_types =
            |event: &EventView<'_>| types.is_empty() || types.contains(&event.event_type());
        let named = self.listings.iter().flat_map(|listing| {
            let events = (0..listing.len()).filter_map(|row| listing.row(row));
            events.filter(|event| self.ids.contains(event.id()) && of_types(event))
        });
        named.count() == self.store.marked()
    }

    fn in_flags(&self, types: &BTreeSet<EventType>, by_id: bool) -> String {
        let numbers = self
            .listings
            .iter()
            .map(|listing| ("--extension", shell_word(listing.extension().as_str())));
        let types = types.iter().map(|one| ("--type", type_word(*one)));
        let ids = self.ids.iter().filter(|_| by_id).map(|id| ("--id", shell_word(id)));
        let flags = numbers.chain(types).chain(ids);
        flags.map(|(flag, value)| format!("{flag} {value}")).collect::<Vec<_>>().join(" ")
    }

    /// How long the arguments are that name every id.
    fn length(&self) -> usize {
        let numbers = self.listings.iter().map(|listing| listing.extension().as_str());
        let values = numbers.chain(self.ids.iter().copied());
        "--where 'ext: id:'".len() + values.map(|value| value.len() + 1).sum::<usize>() - 2
    }

    /// Whether naming every id is short enough.
    fn are_few(&self) -> bool {
        self.length() <= LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ExtensionNumber, ListingBuilder, RawEvent};

    fn now() -> ZonedDateTime {
        jiff::Timestamp::UNIX_EPOCH.to_zoned_datetime(jiff::tz::TimeZone::UTC)
    }

    fn number(text: &str) -> ExtensionNumber {
        ExtensionNumber::parse(text).unwrap()
    }

    /// What is listed of some extensions: type and id of each event, and its host.
    fn store() -> (EventStore, Vec<Extension>) {
        let mut store = EventStore::default();
        let mut extensions = Vec::new();
        for (of, events) in [
            ("0003*210", &["0 a old", "0 b old", "2 c new"][..]),
            ("0003*211", &["0 d old", "2 e old", "2 f new"]),
            ("77", &["1 g new", "2 a new"]),
            ("88", &["1 NqeyDRqo4FtabmFj new", "1 8gNWq3hsiGNYyqxe new", "2 h new"]),
        ] {
            let mut builder = ListingBuilder::new(number(of));
            for event in events {
                let [event_type, id, host] = event.split(' ').collect::<Vec<_>>()[..] else {
                    panic!("{event}")
                };
                let url = format!("https://{host}.test/");
                builder.push(RawEvent { event_type, id, url: &url, ..RawEvent::default() });
            }
            store.insert(builder.finish(true));
            extensions.push(Extension::of(number(of)));
        }
        (store, extensions)
    }

    fn selected(marks: &str, last: Option<&str>) -> Result<String, NotSelected> {
        let (mut store, extensions) = store();
        for mark in marks.split(' ').filter(|mark| !mark.is_empty()) {
            let (of, row) = mark.split_once('/').unwrap();
            store.set_marks(&number(of), [row.parse().unwrap()], true);
        }
        let read = |text| Expression::parse(text, &now(), &Standing::ALL).unwrap();
        selecting(&store, &extensions, last.map(read).as_ref(), &now())
    }

    #[test]
    fn what_marked_last_is_written_where_it_means_just_that_and_else_the_shortest() {
        let old = "0003*210/0 0003*210/1 0003*211/0 0003*211/1";
        for (marks, last, written) in [
            (old, Some("host:old.*"), "--where 'host:old.*'"),
            (old, Some("host:old.* is:marked"), "--where 'ext:0003*210|0003*211 id:a|b|d|e'"),
            ("0003*210/0 0003*211/0 0003*211/1", Some("host:old.*"), "--where '-id:b host:old.*'"),
            ("0003*210/0 0003*210/1 0003*210/2", None, "--extension '0003*210'"),
            ("0003*210/0 0003*210/1", None, "--where 'ext:0003*210 id:a|b'"),
            ("88/0 88/1", None, "--extension 88 --type dial-out"),
            ("77/0", Some("-type:0"), "--extension 77 --id g"),
            ("88/0 88/1 77/0", None, "--where type:dial-out"),
            ("77/0 77/1", Some("crm"), "--extension 77"),
            ("0003*210/0 0003*210/2 77/0", None, ""),
        ] {
            let text = selected(marks, last).unwrap_or_default();
            assert_eq!(text, written, "{marks}");
        }
        let all = (0..3).map(|row| format!("0003*210/{row} 0003*211/{row} 77/{row} 88/{row}"));
        assert_eq!(selected(&all.collect::<Vec<_>>().join(" "), None).unwrap(), "--where 'ext:*'");
        assert_eq!(selected("", None), Err(NotSelected::Nothing));
    }

    #[test]
    fn what_reaches_further_is_not_written_where_not_all_is_listed() {
        let (mut store, mut extensions) = store();
        extensions.push(Extension::of(number("99")));
        let last = Expression::parse("type:1", &now(), &Standing::ALL).unwrap();
        store.set_marks(&number("77"), [0], true);
        let text = selecting(&store, &extensions, Some(&last), &now()).unwrap();
        assert_eq!(text, "--extension 77 --id g");
    }

    #[test]
    fn what_would_be_too_long_says_how_long() {
        let mut builder = ListingBuilder::new(number("77"));
        for event in 0..1_000 {
            let id = format!("id{event:04}");
            builder.push(RawEvent { event_type: "0", id: &id, ..RawEvent::default() });
        }
        let mut store = EventStore::default();
        store.insert(builder.finish(true));
        let of = [Extension::of(number("77"))];
        store.set_marks(&number("77"), (0..1_000).filter(|row| row % 2 == 0), true);
        let text = selecting(&store, &of, None, &now()).unwrap_err().to_string();
        assert_eq!(
            text,
            "naming these 500 events takes 3519 characters, which is too long to show"
        );
        store.set_marks(&number("77"), (0..997).filter(|row| row % 2 == 1), true);
        let text = selecting(&store, &of, None, &now()).unwrap();
        assert_eq!(text, "--where 'ext:77 -id:id0997|id0999'");
    }

    #[test]
    fn a_word_for_a_shell_is_quoted_where_it_has_to_be() {
        for (text, word) in [
            ("0003", "0003"),
            ("0003*210", "'0003*210'"),
            ("", "''"),
            ("it's", r"'it'\''s'"),
            ("~a", "'~a'"),
            ("type:hangup", "type:hangup"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }
}
