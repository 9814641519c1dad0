//! The distinct texts of all listings: each is held once, and has a number.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use super::super::bundle::Bundle;
use super::super::{Foreign, host_of};
use super::distinct::{Distinct, Part};
use super::numbers::{Numbers, index, number_of};
use super::sorting;

/// Distinct texts, numbered as they came in. None is ever taken out.
#[derive(Debug, Default)]
pub(super) struct Strings {
    numbers: Numbers,
    /// Each with the number of its first text.
    pub(super) bundles: Vec<(u32, Arc<Bundle>)>,
    /// The number of each text's host, read as a URL; [`NONE`] where there is no host.
    hosts: Vec<u32>,
    host_numbers: Numbers,
    /// In lower case.
    host_names: Vec<Foreign>,
    /// Found out when they are asked for, and until another text comes in.
    ranks: OnceLock<Box<[u32]>>,
}

const NONE: u32 = u32::MAX;

impl Strings {
    /// The same texts as they are known here, after taking in those that are not.
    pub(super) fn share(&mut self, texts: &Distinct) -> Distinct {
        let hashes: Vec<u32> = texts.texts().map(|text| self.numbers.hash(text)).collect();
        self.numbers.fetch(&hashes);
        let first = self.hosts.len();
        let (mut new, mut numbers) = (Vec::new(), Vec::with_capacity(texts.len()));
        for (text, hash) in texts.texts().zip(hashes) {
            let number = number_of(first + new.len());
            let is = |number| text_in(&self.bundles, number) == Some(text);
            let known = self.numbers.known_by(hash, number, is);
            if known.is_none() {
                new.push(text);
            }
            numbers.push(known.unwrap_or(number));
        }
        self.take_in(&new);
        let mut sorted = numbers.clone();
        sorted.sort_unstable();
        let (mut parts, mut rest) = (Vec::new(), sorted.as_slice());
        let lies = |number: &u32| bundle_of(&self.bundles, *number);
        while let Some((first, bundle)) = rest.first().and_then(lies) {
            let behind = index(first) + bundle.len();
            let (these, others) = rest.split_at(rest.partition_point(|it| index(*it) < behind));
            let used = number_of(these.len());
            parts.push(Part { first, used, bundle: Arc::clone(bundle) });
            rest = others;
        }
        Distinct::of(parts, numbers)
    }

    /// Keeps the texts that were numbered last, those of one listing.
    fn take_in(&mut self, new: &[&str]) {
        if new.is_empty() {
            return;
        }
        let first = number_of(self.hosts.len());
        let mut bundle = Bundle::with_room(new.len(), new.iter().map(|text| text.len()).sum());
        for text in new {
            // They came in one bundle, so that one has room for them.
            let _fits = bundle.push(text);
            let host = self.host_number(host_of(text));
            self.hosts.push(host.unwrap_or(NONE));
        }
        self.bundles.push((first, Arc::new(bundle)));
        self.ranks = OnceLock::new();
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
        self.numbers.find(text, |number| self.text(number) == Some(text))
    }

    /// A text by its number.
    pub(super) fn text(&self, number: u32) -> Option<&str> {
        text_in(&self.bundles, number)
    }

    /// The same for somebody to keep.
    pub(super) fn shared(&self, number: u32) -> Option<Foreign> {
        let (first, bundle) = bundle_of(&self.bundles, number)?;
        Some(Foreign::bundled(bundle, number - first))
    }

    /// How many hosts there are.
    pub(super) fn hosts(&self) -> usize {
        self.host_names.len()
    }

    /// The host of a text that is a URL; those that differ in case are one.
    pub(super) fn host_of(&self, text: u32) -> Option<u32> {
        self.hosts.get(index(text)).copied().filter(|host| *host != NONE)
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
        self.ranks.get_or_init(|| {
            let all = self.bundles.iter().flat_map(|(_, bundle)| bundle.texts());
            sorting::ranks(&all.collect::<Vec<_>>())
        })
    }
}

/// The bundle that a text lies in, with the number of its first text.
fn bundle_of(bundles: &[(u32, Arc<Bundle>)], number: u32) -> Option<(u32, &Arc<Bundle>)> {
    let behind = bundles.partition_point(|(first, _)| *first <= number);
    bundles.get(behind.checked_sub(1)?).map(|(first, bundle)| (*first, bundle))
}

fn text_in(bundles: &[(u32, Arc<Bundle>)], number: u32) -> Option<&str> {
    let (first, bundle) = bundle_of(bundles, number)?;
    bundle.get(number - first)
}
