//! The distinct texts of all listings: each is held once, and has a number.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, OnceLock};

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::super::{Foreign, host_of};
use super::sorting;

/// Distinct texts, numbered as they came in. None is ever taken out.
#[derive(Debug, Default)]
pub(super) struct Strings {
    numbers: Numbers,
    texts: Vec<Arc<str>>,
    /// The number of each text's host, read as a URL.
    hosts: Vec<Option<u32>>,
    host_numbers: Numbers,
    /// In lower case.
    host_names: Vec<Foreign>,
    /// Found out when they are asked for, and until another text comes in.
    ranks: OnceLock<Box<[u32]>>,
}

/// Numbers of things that somebody else holds, found by what those are: eight bytes for each. The
/// hashes are seeded at random, so that no service can choose texts of which many have the same.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    seed: RandomState,
    slots: HashTable<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u32,
    number: u32,
}

impl Numbers {
    /// For so many without growing.
    pub(super) fn for_so_many(count: usize) -> Self {
        Self { slots: HashTable::with_capacity(count), ..Self::default() }
    }

    /// The number of a thing that is known, as `is` tells of the numbers that it may have. Otherwise
    /// it has this number from now on.
    pub(super) fn known(
        &mut self,
        thing: impl Hash,
        number: u32,
        is: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let hash = self.hash(thing);
        let same = |slot: &Slot| slot.hash == hash && is(slot.number);
        match self.slots.entry(spread(hash), same, |slot| spread(slot.hash)) {
            Entry::Occupied(known) => Some(known.get().number),
            Entry::Vacant(vacant) => {
                vacant.insert(Slot { hash, number });
                None
            }
        }
    }

    /// The number of a thing, where it has one.
    fn find(&self, thing: impl Hash, is: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = self.hash(thing);
        let same = |slot: &Slot| slot.hash == hash && is(slot.number);
        self.slots.find(spread(hash), same).map(|slot| slot.number)
    }

    fn hash(&self, thing: impl Hash) -> u32 {
        u32::try_from(self.seed.hash_one(thing) >> 32).unwrap_or_default()
    }
}

/// A hash as the table wants it: it looks at the highest bits and at the lowest.
fn spread(hash: u32) -> u64 {
    (u64::from(hash) << 32) | u64::from(hash)
}

impl Strings {
    /// Lets a text be the one that is known already, and says its number.
    pub(super) fn share(&mut self, text: &mut Arc<str>) -> u32 {
        let number = number_of(self.texts.len());
        let is = |number| self.texts.get(index(number)) == Some(text);
        if let Some(known) = self.numbers.known(&**text, number, is) {
            if let Some(shared) = self.texts.get(index(known)) {
                *text = Arc::clone(shared);
            }
            return known;
        }
        let host = self.host_number(host_of(text));
        self.texts.push(Arc::clone(text));
        self.hosts.push(host);
        self.ranks = OnceLock::new();
        number
    }

    /// The number of a host: those that differ in case have one.
    fn host_number(&mut self, host: &str) -> Option<u32> {
        if host.is_empty() {
            return None;
        }
        let is_lower = !host.bytes().any(|byte| byte.is_ascii_uppercase());
        let host = if is_lower { Cow::Borrowed(host) } else { host.to_ascii_lowercase().into() };
        let number = number_of(self.host_names.len());
        let is =
            |number| self.host_names.get(index(number)).is_some_and(|name| *name.raw() == *host);
        let known = self.host_numbers.known(&*host, number, is);
        if known.is_none() {
            self.host_names.push((&*host).into());
        }
        Some(known.unwrap_or(number))
    }

    /// The number of a text.
    pub(super) fn number(&self, text: &str) -> Option<u32> {
        self.numbers.find(text, |number| self.text(number).is_some_and(|known| **known == *text))
    }

    /// A text by its number.
    pub(super) fn text(&self, number: u32) -> Option<&Arc<str>> {
        self.texts.get(index(number))
    }

    /// How many hosts there are.
    pub(super) fn hosts(&self) -> usize {
        self.host_names.len()
    }

    /// The host of a text that is a URL; those that differ in case are one.
    pub(super) fn host_of(&self, text: u32) -> Option<u32> {
        self.hosts.get(index(text)).copied().flatten()
    }

    /// The number of a host by its name, in lower case.
    pub(super) fn number_of_host(&self, name: &str) -> Option<u32> {
        let is = |number| self.host_name(number).is_some_and(|known| known.raw() == name);
        self.host_numbers.find(name, is)
    }

    /// The name of a host, in lower case.
    pub(super) fn host_name(&self, host: u32) -> Option<&Foreign> {
        self.host_names.get(index(host))
    }

    /// The place of each text among all of them when they are sorted byte by byte.
    pub(super) fn ranks(&self) -> &[u32] {
        self.ranks.get_or_init(|| sorting::ranks(&self.texts))
    }
}

/// The number of what comes behind so many.
pub(super) fn number_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The place of what has this number.
pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
