//! The hash of a plan: what was reviewed, what a dry run showed and what a run file holds are the
//! same where their hashes are.

use std::fmt;

use sha2::{Digest, Sha256};

use super::PhoneCallEvent;

/// SHA-256 over origin, base path, kind, every call and every planned event, in order.
#[derive(Clone, PartialEq, Eq)]
pub struct PlanHash(String);

impl PlanHash {
    /// The hash as a run file holds it.
    pub fn recorded(hash: &str) -> Self {
        Self(hash.to_owned())
    }
}

/// Takes in a plan part by part. Each part is its length in bytes, a colon and its bytes, and one
/// that is missing is a dash, so that no two plans are the same text.
#[derive(Debug)]
pub struct PlanHasher(Sha256);

impl PlanHasher {
    /// A hash that begins with the service, the base path and the kind of the plan.
    pub fn new(origin: &str, base_path: &str, kind: &str) -> Self {
        let mut hasher = Self(Sha256::new());
        hasher.parts(&[origin, base_path, kind]);
        hasher
    }

    /// One call and how many events it covers; all calls stand before the events.
    pub fn call(&mut self, method: &str, path: &str, covers: usize) {
        let covers = covers.to_string();
        self.parts(&[method, path, &covers]);
    }

    /// One event: its key, the id of its owner, its row as the service wrote it and the fields to
    /// be. Without a row its fields stand for it.
    pub fn event(&mut self, event: &PhoneCallEvent, owner: Option<&str>, want: Option<&str>) {
        let key = &event.key;
        let event_type = key.event_type.number().to_string();
        self.parts(&[key.extension.as_str(), &event_type, key.id.as_str()]);
        self.part(owner.map(str::as_bytes));
        self.part(event.text.as_ref().map(super::RowText::bytes));
        if event.text.is_none() {
            let modified = event.modified.written();
            let (url, note) = (event.url.raw(), event.note.raw());
            self.parts(&[event.method.written(), url, note, event.status.written(), &modified]);
        }
        self.part(want.map(str::as_bytes));
    }

    /// The hash of all that was taken in.
    pub fn finish(self) -> PlanHash {
        let digest = self.0.finalize();
        let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        PlanHash(nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16)).collect())
    }

    fn parts(&mut self, parts: &[&str]) {
        for part in parts {
            self.part(Some(part.as_bytes()));
        }
    }

    fn part(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => {
                self.0.update(bytes.len().to_string());
                self.0.update(b":");
                self.0.update(bytes);
            }
            None => self.0.update(b"-"),
        }
    }
}

impl PlanHash {
    /// All 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, enough to compare by eye.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Debug for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ExtensionNumber, ListingBuilder, RawEvent, RowText};

    fn event() -> PhoneCallEvent {
        let mut builder = ListingBuilder::new(ExtensionNumber::parse("210").unwrap());
        builder.push(RawEvent { event_type: "0", id: "a", url: "u", ..RawEvent::default() });
        builder.finish(true).row(0).unwrap().to_event()
    }

    fn hash(
        origin: &str,
        call: (&str, usize),
        event: &PhoneCallEvent,
        want: Option<&str>,
    ) -> PlanHash {
        let mut hasher = PlanHasher::new(origin, "/uapi", "delete");
        hasher.call("DELETE", call.0, call.1);
        hasher.event(event, None, want);
        hasher.finish()
    }

    #[test]
    fn whatever_differs_in_a_plan_differs_in_its_hash() {
        let text = |text: &str| Some(RowText::new(text.as_bytes()));
        let plain = || hash("https://x", ("/a", 1), &event(), None);
        assert_eq!((plain(), plain().as_str().len(), plain().short().len()), (plain(), 64, 12));
        let mut other_url = event();
        other_url.url = crate::domain::Foreign::from("v");
        let all = [
            plain(),
            hash("https://y", ("/a", 1), &event(), None),
            hash("https://x", ("/b", 1), &event(), None),
            hash("https://x", ("/a", 2), &event(), None),
            hash("https://x", ("/a", 1), &other_url, None),
            hash("https://x", ("/a", 1), &event(), Some("")),
            hash("https://x", ("/a", 1), &PhoneCallEvent { text: text("{}"), ..event() }, None),
            hash("https://x", ("/a", 1), &PhoneCallEvent { text: text("{ }"), ..event() }, None),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(!all[place + 1..].contains(one), "{place}");
        }
    }
}
