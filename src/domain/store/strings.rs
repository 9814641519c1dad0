//! The distinct texts of all listings: each is held once, and has a number.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::super::{Foreign, host_of};
use super::sorting;

/// Distinct texts, numbered as they came in. None is ever taken out.
#[derive(Debug, Default)]
pub(super) struct Strings {
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
    /// The number of each text's host, read as a URL.
    hosts: Vec<Option<u32>>,
    /// As they are written; those that differ in case have one number.
    host_numbers: HashMap<Box<str>, u32>,
    host_names: Vec<Foreign>,
    /// Found out when they are asked for, and until another text comes in.
    ranks: OnceLock<Box<[u32]>>,
}

impl Strings {
    /// Lets a text be the one that is known already, and says its number.
    pub(super) fn share(&mut self, text: &mut Arc<str>) -> u32 {
        if let Some((known, number)) = self.numbers.get_key_value(text) {
            *text = Arc::clone(known);
            return *number;
        }
        let number = number_of(self.texts.len());
        let host = self.host_number(host_of(text));
        self.numbers.insert(Arc::clone(text), number);
        self.texts.push(Arc::clone(text));
        self.hosts.push(host);
        self.ranks = OnceLock::new();
        number
    }

    fn host_number(&mut self, host: &str) -> Option<u32> {
        if host.is_empty() {
            return None;
        }
        if let Some(number) = self.host_numbers.get(host) {
            return Some(*number);
        }
        let lower = host.to_ascii_lowercase();
        let known = self.host_numbers.get(lower.as_str()).copied();
        let number = known.unwrap_or_else(|| {
            self.host_names.push(lower.as_str().into());
            number_of(self.host_names.len() - 1)
        });
        self.host_numbers.insert(host.into(), number);
        self.host_numbers.insert(lower.into(), number);
        Some(number)
    }

    /// The number of a text.
    pub(super) fn number(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
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
        self.host_numbers.get(name).copied()
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

fn number_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
