//! What an extension, a group and a panel are called: each is said here and nowhere else.

use crate::domain::{Extension, ExtensionKind, GroupKey, Listing};

use super::events::Scope;
use super::{Model, text};

impl Model {
    /// Number and label, and what the extension is and whose, where that tells more than the number.
    pub fn called(&self, extension: &Extension) -> String {
        let mask = &self.mask;
        let (number, label) = (mask.number(&extension.number), mask.words(&extension.label));
        let mut words = format!("{number} {label}").trim_end().to_owned();
        if let Some(kind) = extension.kind.as_ref().filter(|kind| **kind != ExtensionKind::Phone) {
            words = format!("{words} · {kind}");
        }
        if let Some(owner) = &extension.owner {
            let name = mask.words(&owner.name);
            let owner = if owner.name.is_empty() { format!("owner {}", owner.id) } else { name };
            words = format!("{words} · {owner}");
        }
        words
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
        let mask = &self.mask;
        match key {
            GroupKey::Type(event_type) => event_type.to_string(),
            GroupKey::Extension(number) => self.called(&self.extension(number)),
            GroupKey::Host(Some(host)) => mask.host(host.raw()),
            GroupKey::Host(None) => "(no host)".to_owned(),
            GroupKey::Note(note) if note.is_empty() => "(no note)".to_owned(),
            GroupKey::Note(note) => mask.words(note),
            GroupKey::Owner(None) => "(owner not known)".to_owned(),
            GroupKey::Owner(Some(id)) => {
                let owners = self.extensions.found().iter().filter_map(|it| it.owner.as_ref());
                let name = owners.into_iter().find(|owner| owner.id == *id).map(|it| &it.name);
                let name = name.map(|name| mask.words(name)).unwrap_or_default();
                format!("owner {id} {name}").trim_end().to_owned()
            }
            GroupKey::Alike { extension, event_type, method, url } => {
                let number = mask.number(extension);
                format!("{number} {event_type} {method} {}", mask.url(url))
            }
        }
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
