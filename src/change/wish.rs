//! What an operator wants changed of many events at once, and the plan that it becomes: what is so
//! already, and what it does not fit, is left out and named.

use std::collections::HashMap;

use super::edit::Edit;
use super::kind::Deed;
use super::repoint::{Pointed, Repoint};
use super::{Plan, PlanRefused, Selection};
use crate::domain::{Change, EventKey, EventView, Foreign, PhoneCallEvent, Status, Target};

/// What is to be done with each event of a selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Switch the event on, or off.
    Switch(Deed, bool),
    /// Give the event another URL.
    Repoint(Repoint),
}

/// Why an event is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It is off already.
    Off,
    /// It is on already.
    On,
    /// Its URL is the new one already.
    There,
    /// Its URL is not one of those that are meant.
    Elsewhere,
    /// Its URL holds what cannot be written again letter by letter.
    Inexact,
}

/// What a wish comes to, on what is listed.
#[derive(Debug)]
pub struct Wished {
    /// The plan, where anything is to be changed.
    pub plan: Result<Plan, PlanRefused>,
    /// What is left out.
    pub left_out: Vec<(EventKey, Unfit)>,
    /// What becomes a duplicate of another event, which stands behind it.
    pub twins: Vec<(EventKey, EventKey)>,
}

impl Unfit {
    /// Why, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Off => "is off already",
            Self::On => "is on already",
            Self::There => "has that URL already",
            Self::Elsewhere => "has another URL",
            Self::Inexact => "has a URL that cannot be written again letter by letter",
        }
    }
}

/// What a wish would come to, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reckoned {
    /// Events that would be changed.
    pub fit: usize,
    /// Events that would be left out.
    pub left_out: usize,
    /// The first whose URL would be none any more.
    pub broken: Option<(EventKey, Foreign)>,
}

impl Wish {
    /// Switch the event off; it is kept.
    pub const DISABLE: Self = Self::Switch(Deed::Disable, false);
    /// Switch the event on.
    pub const ENABLE: Self = Self::Switch(Deed::Enable, true);

    /// What is done to the events.
    pub fn deed(&self) -> Deed {
        match self {
            Self::Switch(deed, _) => *deed,
            Self::Repoint(_) => Deed::Repoint,
        }
    }

    /// Counts what would become of these events.
    pub fn reckon<'a>(&self, events: impl Iterator<Item = EventView<'a>>) -> Reckoned {
        let mut reckoned = Reckoned::default();
        for event in events {
            let is_exact = || event.to_event().is_exact("url");
            match self.change(&event.status(), &event.url(), is_exact) {
                Ok(_) => reckoned.fit += 1,
                Err(Why::Unfit(_)) => reckoned.left_out += 1,
                Err(Why::Broken(url)) => {
                    reckoned.broken.get_or_insert_with(|| (event.key(), url));
                }
            }
        }
        reckoned
    }

    /// The plan that changes what is chosen, of at most so many events.
    pub fn plan(&self, target: Target, selection: &Selection, most: usize) -> Wished {
        let (mut events, mut edits, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        let mut broken = None;
        for event in selection.events() {
            match self.change(&event.status, &event.url, || event.is_exact("url")) {
                Ok(change) => {
                    events.push(event.clone());
                    edits.push(Edit { change, ..Edit::default() });
                }
                Err(Why::Unfit(why)) => left_out.push((event.key.clone(), why)),
                Err(Why::Broken(url)) => broken = broken.or(Some((event.key.clone(), url))),
            }
        }
        let twins = twins(selection, &events, &edits);
        let plan = match broken {
            Some((key, url)) => Err(PlanRefused::Broken { key: Box::new(key), url }),
            None if selection.is_empty() => Err(PlanRefused::Empty),
            None if events.is_empty() => Err(self.nothing()),
            None if events.len() > most => {
                Err(PlanRefused::TooLarge { events: events.len(), most })
            }
            None => Ok(Plan::of_edits(self.deed().kind(), target, selection, events, edits)),
        };
        Wished { plan, left_out, twins }
    }

    fn nothing(&self) -> PlanRefused {
        match self {
            Self::Switch(deed, _) => PlanRefused::AllSo(deed.done()),
            Self::Repoint(_) => PlanRefused::FitsNone,
        }
    }

    fn change(
        &self,
        now: &Status,
        url: &Foreign,
        is_exact: impl Fn() -> bool,
    ) -> Result<Change, Why> {
        match self {
            Self::Switch(_, on) => {
                let (to, already) = match on {
                    true => (Status::Enabled, Unfit::On),
                    false => (Status::Disabled, Unfit::Off),
                };
                let is_so = *now == to;
                let change = Change { status: Some(to), ..Change::default() };
                if is_so { Err(Why::Unfit(already)) } else { Ok(change) }
            }
            Self::Repoint(repoint) => match repoint.of(url.raw()) {
                Pointed::To(_) | Pointed::Broken(_) if !is_exact() => {
                    Err(Why::Unfit(Unfit::Inexact))
                }
                Pointed::To(url) => {
                    Ok(Change { url: Some(Foreign::from(url)), ..Change::default() })
                }
                Pointed::Elsewhere => Err(Why::Unfit(Unfit::Elsewhere)),
                Pointed::Already => Err(Why::Unfit(Unfit::There)),
                Pointed::Broken(url) => Err(Why::Broken(Foreign::from(url))),
            },
        }
    }
}

/// Why an event is not in a plan.
enum Why {
    Unfit(Unfit),
    Broken(Foreign),
}

/// Events that get the URL of another one of their kind, which was not theirs before.
fn twins(
    selection: &Selection,
    events: &[PhoneCallEvent],
    edits: &[Edit],
) -> Vec<(EventKey, EventKey)> {
    let to_be: HashMap<&EventKey, &Change> =
        events.iter().zip(edits).map(|(event, edit)| (&event.key, &edit.change)).collect();
    if edits.iter().all(|edit| edit.change.url.is_none()) {
        return Vec::new();
    }
    let all = selection.events().iter().chain(selection.bystanders.iter());
    let mut by_kind: HashMap<_, Vec<&PhoneCallEvent>> = HashMap::new();
    for event in all {
        let change = to_be.get(&event.key);
        let url = change.and_then(|change| change.url.as_ref()).unwrap_or(&event.url);
        let EventKey { extension, event_type, .. } = &event.key;
        let kind = (extension, event_type, event.method.written(), url.raw());
        by_kind.entry(kind).or_default().push(event);
    }
    let mut twins = Vec::new();
    for alike in by_kind.into_values().filter(|alike| alike.len() > 1) {
        // Of those that had the same URL before, none is a twin of the next.
        let first = alike.first();
        let other = alike.iter().find(|other| first.is_some_and(|first| first.url != other.url));
        for event in alike.iter().filter(|event| to_be.contains_key(&event.key)) {
            let other = [first, other].into_iter().flatten().find(|other| other.url != event.url);
            twins.extend(other.map(|other| (event.key.clone(), other.key.clone())));
        }
    }
    twins.sort();
    twins
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::target;
    use super::*;
    use crate::domain::{ExtensionNumber, ListingBuilder, RawEvent};

    /// Rows as id, URL, status and text; the first so many are chosen.
    fn wished(wish: &Wish, rows: &[(&str, &str, &str)], chosen: usize) -> Wished {
        let mut builder = ListingBuilder::new(ExtensionNumber::parse("210").unwrap());
        for &(id, url, status) in rows {
            builder.push(RawEvent { event_type: "0", id, url, status, ..RawEvent::default() });
        }
        let selection = Selection::of_rows(&builder.finish(true), 0..chosen);
        wish.plan(target(), &selection, 3)
    }

    fn ids(wished: &Wished) -> Vec<&str> {
        let events = wished.plan.as_ref().unwrap().events().iter();
        events.map(|event| event.key.id.as_str()).collect()
    }

    #[test]
    fn what_is_so_already_is_left_out_and_named_and_stands_beside_the_plan() {
        let rows = [("a", "x", "1"), ("b", "x", "0"), ("c", "x", "9"), ("d", "x", "1")];
        let off = wished(&Wish::DISABLE, &rows, 3);
        assert_eq!(ids(&off), ["a", "c"]);
        let left: Vec<_> = off.left_out.iter().map(|(key, why)| (key.id.as_str(), *why)).collect();
        assert_eq!(left, [("b", Unfit::Off)]);
        let plan = off.plan.unwrap();
        assert_eq!((plan.deed(), plan.all_bystanders().len()), (Deed::Disable, 2));
        let call = plan.call(0).unwrap();
        assert_eq!((call.method(), call.is_wide()), ("PUT", false));
        assert!(call.path(&target()).ends_with("/210/phoneCallEvents/0/a"));
        assert_eq!(ids(&wished(&Wish::ENABLE, &rows, 3)), ["b", "c"]);
        let none = wished(&Wish::ENABLE, &rows[..1], 1).plan;
        assert_eq!(none, Err(PlanRefused::AllSo("enabled")));
        let many = [("a", "x", "1"), ("b", "x", "1"), ("c", "x", "1"), ("d", "x", "1")];
        assert!(matches!(wished(&Wish::DISABLE, &many, 4).plan, Err(PlanRefused::TooLarge { .. })));
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_what_would_be_no_url_refuses_all() {
        let how = |text| Wish::Repoint(Repoint::parse(text).unwrap());
        let rows = [("a", "http://old.test/1", "1"), ("b", "http://else.test/", "1")];
        let moved = wished(&how("old.test=new.test"), &rows, 2);
        assert_eq!((ids(&moved), moved.left_out.len()), (vec!["a"], 1));
        assert_eq!(moved.plan.unwrap().want(0).unwrap().value()["url"], "http://new.test/1");
        let none = wished(&how("no.test=new.test"), &rows, 2).plan;
        assert_eq!(none, Err(PlanRefused::FitsNone));
        let broken = wished(&how("http://old.test/=http://new.test"), &rows, 2).plan;
        assert!(matches!(broken, Err(PlanRefused::Broken { .. })), "{broken:?}");
    }

    #[test]
    fn duplicates_that_it_would_make_are_named_and_those_there_were_are_not() {
        let how = Wish::Repoint(Repoint::parse("old.test=new.test").unwrap());
        let rows = [
            ("a", "http://old.test/1", "1"),
            ("b", "http://old.test/2", "1"),
            ("c", "http://old.test/2", "1"),
            ("d", "http://new.test/1", "0"),
        ];
        let twins = wished(&how, &rows, 3).twins;
        let named: Vec<_> = twins.iter().map(|(a, b)| (a.id.as_str(), b.id.as_str())).collect();
        assert_eq!(named, [("a", "d")]);
    }
}
