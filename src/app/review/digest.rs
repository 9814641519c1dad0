//! What a plan holds, counted once when it is frozen: nothing is counted again for a picture.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{EventType, PhoneCallEvent, Status, host_of};

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
    /// Calls that may remove more than they cover.
    pub wide_calls: usize,
    /// Those of them that name a type.
    pub type_calls: usize,
}

impl Digest {
    pub(super) fn of(events: &[PhoneCallEvent], wide_calls: usize, type_calls: usize) -> Self {
        let mut types: BTreeMap<EventType, usize> = BTreeMap::new();
        let mut hosts: HashMap<&str, usize> = HashMap::new();
        let mut statuses = [0; 3];
        for event in events {
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
        let extensions = events.chunk_by(|a, b| a.key.extension == b.key.extension).count();
        let types = types.into_iter().collect();
        Self { extensions, types, hosts, statuses, wide_calls, type_calls }
    }
}
