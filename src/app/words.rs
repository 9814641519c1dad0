//! What an extension, a group and a panel are called: each is said here and nowhere else.

use std::fmt::Write as _;

use crate::domain::{Extension, ExtensionKind, GroupKey, Listing};

use super::events::Scope;
use super::{Model, text};

impl Model {
    /// Number and label, and what the extension is and whose, where that tells more than the number.
    pub fn called(&self, extension: &Extension) -> String {
        let mut words = String::new();
        self.put_called(&mut words, extension);
        words
    }

    /// Writes what an extension is [called](Self::called) behind other words.
    pub fn put_called(&self, words: &mut String, extension: &Extension) {
        words.push_str(&self.mask.seen_number(&extension.number));
        let label = self.mask.seen_words(&extension.label);
        let label = label.trim_end();
        words.extend([if label.is_empty() { "" } else { " " }, label]);
        if let Some(kind) = extension.kind.as_ref().filter(|kind| **kind != ExtensionKind::Phone) {
            let _written = write!(words, " · {kind}");
        }
        if let Some(owner) = &extension.owner {
            let _written = if owner.name.is_empty() {
                write!(words, " · owner {}", owner.id)
            } else {
                write!(words, " · {}", self.mask.seen_words(&owner.name))
            };
        }
    }

    /// The profile's name; without a configuration that is the host.
    pub fn profile_words(&self) -> String {
        let target = &self.facts.target;
        if target.profile == target.host() {
            self.mask.host(&target.profile)
        } else {
            target.profile.clone()
        }
    }

    /// The name of a run: its stamp alone where the rest may name the host.
    pub fn run_words(&self, name: &str) -> String {
        let target = &self.facts.target;
        match name.split_once('-').filter(|_| self.mask.is_on()) {
            Some((stamp, _)) if target.profile == target.host() => format!("{stamp}-…"),
            Some(_) | None => self.mask.text(name),
        }
    }

    /// What the events of a group have in common.
    pub fn group_words(&self, key: &GroupKey) -> String {
        let mut words = String::new();
        self.put_group(&mut words, key);
        words
    }

    /// Writes the [words of a group](Self::group_words) behind other words.
    pub fn put_group(&self, words: &mut String, key: &GroupKey) {
        let mask = &self.mask;
        let _written = match key {
            GroupKey::Type(event_type) => write!(words, "{event_type}"),
            GroupKey::Extension(number) => {
                self.put_called(words, &self.extension(number));
                Ok(())
            }
            GroupKey::Host(Some(host)) => write!(words, "{}", mask.host(host.raw())),
            GroupKey::Host(None) => write!(words, "(no host)"),
            GroupKey::Note(note) if note.is_empty() => write!(words, "(no note)"),
            GroupKey::Note(note) => write!(words, "{}", mask.seen_words(note)),
            GroupKey::Owner(None) => write!(words, "(owner not known)"),
            GroupKey::Owner(Some(id)) => {
                let owners = self.extensions.found().iter().filter_map(|it| it.owner.as_ref());
                let name = owners.into_iter().find(|owner| owner.id == *id).map(|it| &it.name);
                let name = name.map(|name| mask.seen_words(name)).unwrap_or_default();
                write!(words, "{}", format!("owner {id} {name}").trim_end())
            }
            GroupKey::Alike { extension, event_type, method, url } => {
                let number = mask.seen_number(extension);
                write!(words, "{number} {event_type} {method} {}", mask.seen_url(url))
            }
        };
    }

    /// The title of the panel of events.
    pub fn events_title(&self) -> String {
        let events = self.events();
        let by = match events.grouping() {
            grouping if grouping == crate::domain::Grouping::default() => String::new(),
            grouping => format!(" by {}", grouping.word()),
        };
        match (events.scope(), self.shown_extension()) {
            (Some(Scope::One(_)), Some(extension)) => {
                format!("Events of {}{by}", self.called(extension))
            }
            (Some(Scope::All), _) => format!("Events of all extensions{by}"),
            (Some(Scope::One(_)) | None, _) => "Events".to_owned(),
        }
    }

    /// How many events are shown, of how many that are there, as far as that is known.
    pub fn events_count(&self) -> String {
        let filter = self.events.filter();
        let (listed, complete) = match self.events.scope() {
            None => return String::new(),
            Some(Scope::All) => (self.store.len(), self.extensions_loaded()),
            Some(Scope::One(number)) => {
                let Some(listing) = self.store.listing(number) else { return String::new() };
                (listing.len(), self.completeness(listing).to_owned())
            }
        };
        let shown = self.events.arrangement().len();
        if filter.is_empty() && shown == listed {
            format!("{listed}{complete}")
        } else if filter.is_empty() {
            format!("{shown}/{listed}{complete}")
        } else {
            format!("{} {shown}/{listed}{complete}", self.mask.typed(filter.text()))
        }
    }

    fn completeness(&self, listing: &Listing) -> &'static str {
        match listing.is_complete() {
            _ if self.is_not_read_again(listing.extension()) => "? NOT READ AGAIN",
            false if listing.is_unproven() => " EMPTY?",
            true => "",
            false => " NOT COMPLETE",
        }
    }

    /// Whether every extension is loaded.
    pub fn is_all_loaded(&self) -> bool {
        self.loaded == self.extensions.found().len()
    }

    /// ` · 312 of 9,900 extensions loaded`; empty where all of them are.
    fn extensions_loaded(&self) -> String {
        let (all, loaded) = (self.extensions.found().len(), self.loaded);
        if loaded == all {
            return String::new();
        }
        format!(" · {} of {} extensions loaded", text::grouped(loaded), text::grouped(all))
    }
}
