//! What a plan holds, counted once when it is frozen: nothing is counted again for a picture.

use std::collections::{BTreeMap, HashMap};

use crate::app::text;
use crate::domain::{EventType, PhoneCallEvent, Status, host_of};

/// Columns of the word that stands before the statuses where they are beside the hosts.
pub const STATUS_BESIDE: usize = 11;

/// Counts of a plan's events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Digest {
    /// Extensions that are touched.
    pub extensions: usize,
    /// Events by type, in the order of the types' numbers.
    pub types: Vec<(EventType, usize)>,
    /// Events by the host of their URL, the most first; empty where a URL has none.
    pub hosts: Vec<(String, usize)>,
    /// Events by status: on, off, and anything else.
    pub statuses: [usize; 3],
    /// Columns of the longest of their extensions' numbers.
    pub number: usize,
    /// Calls that may remove more than they cover.
    pub wide_calls: usize,
    /// Wide calls that name a type.
    pub type_calls: usize,
}

impl Digest {
    pub(super) fn of<'a>(
        events: impl Iterator<Item = &'a PhoneCallEvent>,
        wide_calls: usize,
        type_calls: usize,
    ) -> Self {
        let (mut extensions, mut number, mut before) = (0, 0, None);
        let mut types: BTreeMap<EventType, usize> = BTreeMap::new();
        let mut hosts: HashMap<&str, usize> = HashMap::new();
        let mut statuses = [0; 3];
        for event in events {
            let extension = &event.key.extension;
            if before.replace(extension) != Some(extension) {
                extensions += 1;
                number = number.max(text::width(extension.as_str()));
            }
            *types.entry(event.key.event_type).or_default() += 1;
            *hosts.entry(host_of(event.url.raw())).or_default() += 1;
            let [on, off, other] = &mut statuses;
            *match event.status {
                Status::Enabled => on,
                Status::Disabled => off,
                Status::Other(_) => other,
            } += 1;
        }
        let mut hosts: Vec<(String, usize)> =
            hosts.into_iter().map(|(host, count)| (host.to_owned(), count)).collect();
        hosts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let types = types.into_iter().collect();
        Self { extensions, types, hosts, statuses, number, wide_calls, type_calls }
    }
    /// How many events are on, and how many of the others there are, each with its word.
    pub fn statuses(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let parts = ["on", "off", "other"].into_iter().zip(self.statuses);
        parts.filter(|(name, count)| *count > 0 || *name == "on")
    }

    /// Whether all hosts and statuses have room in one line.
    pub(super) fn fits_in(&self, columns: usize) -> bool {
        let width = |name: &str, count: usize| text::width(name) + count.to_string().len() + 3;
        // A URL without a host is counted under a word of its own.
        let hosts = self.hosts.iter().map(|(host, count)| width(host, *count).max(8));
        let statuses = self.statuses().map(|(name, count)| width(name, count));
        hosts.sum::<usize>() + statuses.sum::<usize>() + 7 + STATUS_BESIDE <= columns + 4
    }
}
