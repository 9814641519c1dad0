//! Worlds as data: TOML files whose names are sentences, some of them built in.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::blocker::Blocker;
use super::demo::DEMO_SEED;
use super::fault::Fault;
use super::limit::RateLimit;
use super::owners::{Owners, User};
use super::refusal::Refusal;
use super::shapes::Shapes;
use super::soap::Soap;
use super::world::{DeleteAnswer, Event, Extension, Kind, Latency, TypeDelete, World};
use super::write::{Changes, CreatePath};

/// The seeded world is asked for by name like the others.
const DEMO: &str = "demo";

/// The scenarios of `assets/scenarios`, by file name.
const BUILT_IN: &[(&str, &str)] = &[
    (
        "an-address-blocker-watches",
        include_str!("../../assets/scenarios/an-address-blocker-watches.toml"),
    ),
    ("an-extension-refuses", include_str!("../../assets/scenarios/an-extension-refuses.toml")),
    ("an-extension-vanished", include_str!("../../assets/scenarios/an-extension-vanished.toml")),
    (
        "an-organisation-at-owner",
        include_str!("../../assets/scenarios/an-organisation-at-owner.toml"),
    ),
    ("an-organisation-by-id", include_str!("../../assets/scenarios/an-organisation-by-id.toml")),
    ("an-organisation-open", include_str!("../../assets/scenarios/an-organisation-open.toml")),
    ("an-organisation-silent", include_str!("../../assets/scenarios/an-organisation-silent.toml")),
    ("an-organisation-strict", include_str!("../../assets/scenarios/an-organisation-strict.toml")),
    ("changes-are-ignored", include_str!("../../assets/scenarios/changes-are-ignored.toml")),
    ("changes-give-new-ids", include_str!("../../assets/scenarios/changes-give-new-ids.toml")),
    ("ids-are-unknown", include_str!("../../assets/scenarios/ids-are-unknown.toml")),
    ("nothing-there", include_str!("../../assets/scenarios/nothing-there.toml")),
    ("requests-are-limited", include_str!("../../assets/scenarios/requests-are-limited.toml")),
    (
        "short-numbers-and-unknown-types",
        include_str!("../../assets/scenarios/short-numbers-and-unknown-types.toml"),
    ),
    ("the-page", include_str!("../../assets/scenarios/the-page.toml")),
    (
        "three-extensions-with-events",
        include_str!("../../assets/scenarios/three-extensions-with-events.toml"),
    ),
];

/// The reason why a scenario makes no world.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// Something in the file.
    #[error("scenario, line {line}: {message}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A name that is not built in.
    #[error("no scenario is called {name:?}: name a file or one of {known}")]
    Unknown {
        /// The name as given.
        name: String,
        /// Those there are, with commas.
        known: String,
    },
}

/// The names [`World::named`] knows: `demo`, then the files in order.
pub fn scenario_names() -> Vec<&'static str> {
    let files = BUILT_IN.iter().map(|(name, _)| *name);
    std::iter::once(DEMO).chain(files).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    token: String,
    app_key: Option<String>,
    app_secret: Option<String>,
    token_lifetime_s: Option<u32>,
    #[serde(default = "default_user")]
    user: String,
    #[serde(default = "default_base_path")]
    base_path: String,
    #[serde(default)]
    latency_ms: u32,
    delete_latency_ms: Option<u32>,
    presence_latency_ms: Option<u32>,
    #[serde(default)]
    list_lag_ms: u32,
    #[serde(default)]
    delete_answer: DeleteAnswer,
    #[serde(default)]
    type_delete: TypeDelete,
    #[serde(default)]
    create_path: CreatePath,
    #[serde(default)]
    changes: Changes,
    #[serde(default)]
    shapes: Shapes,
    #[serde(default)]
    soap: Soap,
    #[serde(default)]
    owners: Owners,
    #[serde(default)]
    users: Vec<User>,
    close_after: Option<NonZeroU32>,
    blocker: Option<Blocker>,
    rate_limit: Option<RateLimit>,
    #[serde(default)]
    extensions: Vec<ExtensionTable>,
    #[serde(default)]
    faults: Vec<Spanned<Fault>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExtensionTable {
    number: Spanned<String>,
    #[serde(default = "default_kind")]
    kind: Kind,
    #[serde(default)]
    label: String,
    owner: Option<String>,
    #[serde(default = "yes")]
    online: bool,
    refuse_delete: Option<Refusal>,
    refuse_list: Option<Refusal>,
    refuse_write: Option<Refusal>,
    #[serde(default)]
    events: Vec<EventTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventTable {
    #[serde(rename = "type")]
    event_type: u16,
    id: Spanned<String>,
    #[serde(default)]
    method: u16,
    url: String,
    #[serde(default)]
    note: String,
    #[serde(default = "enabled")]
    status: u16,
    #[serde(default = "default_modified")]
    modified: String,
}

impl World {
    /// The world a scenario file describes.
    ///
    /// # Errors
    /// Names the line and what is wrong there: no TOML, an unknown key, a number or an id given
    /// twice, a fault that could never happen.
    pub fn scenario(text: &str) -> Result<Self, ScenarioError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            at(text, &span, error.message().to_owned())
        })?;
        let mut world = Self::new(&file.name, &file.token);
        let (key, secret) = world.app();
        let key = file.app_key.clone().unwrap_or_else(|| key.to_owned());
        let secret = file.app_secret.clone().unwrap_or_else(|| secret.to_owned());
        world.set_app(&key, &secret);
        if let Some(seconds) = file.token_lifetime_s {
            world.set_token_lifetime(seconds);
        }
        world.set_user(&file.user);
        world.set_base_path(&file.base_path);
        world.latency = file.latency();
        world.list_lag = Duration::from_millis(file.list_lag_ms.into());
        world.delete_answer = file.delete_answer;
        world.type_delete = file.type_delete;
        world.create_path = file.create_path;
        world.changes = file.changes;
        world.shapes = file.shapes.clone();
        world.soap = file.soap;
        world.owners = file.owners;
        world.users = file.users;
        world.close_after = file.close_after.map(NonZeroU32::get);
        world.set_blocker(file.blocker);
        world.set_rate_limit(file.rate_limit);
        let mut ids = BTreeSet::new();
        for table in file.extensions {
            let span = table.number.span();
            let extension = table.extension(text, &mut ids)?;
            if world.extension(extension.number()).is_some() {
                let message = format!("{:?} is there already", extension.number());
                return Err(at(text, &span, message));
            }
            world.insert(extension);
        }
        for fault in file.faults {
            let span = fault.span();
            let fault = fault.into_inner();
            fault.check().map_err(|message| at(text, &span, message.to_owned()))?;
            world.add_fault(fault);
        }
        Ok(world)
    }

    /// A built-in world: `demo`, or a file of `assets/scenarios` without its ending.
    ///
    /// # Errors
    /// Says which names there are.
    pub fn named(name: &str) -> Result<Self, ScenarioError> {
        if name == DEMO {
            return Ok(Self::demo(DEMO_SEED));
        }
        match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::scenario(text),
            None => Err(ScenarioError::Unknown {
                name: name.to_owned(),
                known: scenario_names().join(", "),
            }),
        }
    }
}

impl File {
    fn latency(&self) -> Latency {
        let milliseconds = |value: u32| Duration::from_millis(value.into());
        Latency {
            presence: milliseconds(self.presence_latency_ms.unwrap_or(self.latency_ms)),
            delete: milliseconds(self.delete_latency_ms.unwrap_or(self.latency_ms)),
            get: milliseconds(self.latency_ms),
        }
    }
}

impl ExtensionTable {
    fn extension(self, text: &str, ids: &mut BTreeSet<String>) -> Result<Extension, ScenarioError> {
        let mut extension = Extension::new(self.number.as_ref(), self.kind, &self.label);
        extension.owner = self.owner;
        extension.online = self.online;
        extension.refuse_delete = self.refuse_delete;
        extension.refuse_list = self.refuse_list;
        extension.refuse_write = self.refuse_write;
        for event in self.events {
            if !ids.insert(event.id.get_ref().clone()) {
                let message = format!("{:?} is there already", event.id.get_ref());
                return Err(at(text, &event.id.span(), message));
            }
            extension.events.push(event.event());
        }
        Ok(extension)
    }
}

impl EventTable {
    fn event(self) -> Event {
        Event {
            event_type: self.event_type,
            id: self.id.into_inner(),
            method: self.method,
            url: self.url,
            note: self.note,
            status: self.status,
            modified: self.modified,
        }
    }
}

/// An error with the line its span starts on.
fn at(text: &str, span: &Range<usize>, message: String) -> ScenarioError {
    let before = text.bytes().take(span.start);
    let line = 1 + before.filter(|byte| *byte == b'\n').count();
    ScenarioError::Line { line, message }
}

fn default_user() -> String {
    "12".to_owned()
}

fn default_base_path() -> String {
    "/uapi".to_owned()
}

/// The date of the vendor's sample.
fn default_modified() -> String {
    "2012-07-10T18:16:12+03:00".to_owned()
}

fn default_kind() -> Kind {
    Kind::Terminal
}

fn enabled() -> u16 {
    1
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::answer::{Delivery, Request};
    use super::super::owners::{Me, OutOfReach};
    use super::super::shapes::{
        AccessRefusal, Empty, Entry, Errors, Modified, Numbers, PastEnd, Registration, Totals,
        Written,
    };
    use super::*;

    const HEAD: &str = "name = \"x\"\ntoken = \"t\"\n";

    fn wrong(rest: &str) -> String {
        let scenario = World::scenario(&format!("{HEAD}{rest}"));
        scenario.unwrap_err().to_string()
    }

    #[test]
    fn every_file_is_built_in_and_makes_a_world() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/scenarios");
        let mut files: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let built_in: Vec<String> =
            BUILT_IN.iter().map(|(name, _)| format!("{name}.toml")).collect();
        assert_eq!(files, built_in);
        for name in scenario_names() {
            let world = World::named(name).unwrap();
            assert!(world.name().contains(' '), "{name} has no sentence");
            assert!(!world.token().is_empty(), "{name} has no token");
        }
    }

    #[test]
    fn the_page_has_one_extension_with_its_three_events() {
        let world = World::named("the-page").unwrap();
        assert_eq!(world.extensions().count(), 1);
        assert_eq!(
            world.event_ids("0003*210"),
            [
                "NqeyDRqo4FtabmFj8gNWq3hsiGNYyq",
                "Asds2qw2frtabmFj8gNWq3hsiGNYyq",
                "GOp2s68AfgtabmFj8gNWq3hsiGNYyq"
            ]
        );
        let first = &world.extension("0003*210").unwrap().events[0];
        assert_eq!(first.event_type, 0);
    }

    #[test]
    fn three_phones_and_a_queue_have_events_of_several_types() {
        let world = World::named("three-extensions-with-events").unwrap();
        let kinds: Vec<Kind> = world.extensions().map(|each| each.kind).collect();
        let phone = Kind::Terminal;
        assert_eq!(kinds, [phone, phone, phone, Kind::Queue]);
        for extension in world.extensions() {
            let types: BTreeSet<u16> = extension.events.iter().map(|e| e.event_type).collect();
            assert!(types.len() >= 2, "{} has too few", extension.number());
        }
    }

    #[test]
    fn trouble_starts_at_the_twentieth_failure_and_at_the_eleventh_request_at_once() {
        let statuses = |name| {
            let mut world = World::named(name).unwrap();
            assert_eq!((world.extensions().count(), world.event_count()), (3, 9), "{name}");
            let nowhere = Request::new("GET", "/uapi/nowhere");
            (0..21).map(|_| world.answer(&nowhere).status).collect::<Vec<u16>>()
        };
        let watched = statuses("an-address-blocker-watches");
        assert_eq!((watched[19], watched[20]), (401, 0));
        let limited = statuses("requests-are-limited");
        assert_eq!((limited[9], limited[10]), (401, 429));
    }

    #[test]
    fn every_key_finds_its_place() {
        let world = World::scenario(
            "name = \"all keys\"\ntoken = \"t\"\nuser = \"33\"\nbase_path = \"/unifiedapi\"\n\
             latency_ms = 5\ndelete_latency_ms = 120\npresence_latency_ms = 0\nlist_lag_ms = 3\n\
             delete_answer = \"no content\"\ntype_delete = \"wipes extension\"\nsoap = \"2.5.1\"\n\
             create_path = \"with type\"\n\
             [shapes]\nentry = \"map\"\nwrapped = true\nempty = \"no entry\"\n\
             numbers = \"mixed\"\npaging_fields = false\nmodified = \"z\"\n\
             create = \"object\"\nupdate = \"204\"\nregistration = \"flat\"\n\
             errors = \"flat\"\nmisspelt = true\naccess_refusal = \"403\"\n\
             ignores_paging = true\npage_size = 7\nnext_link = true\n\
             totals = \"page\"\npast_end = \"refused\"\n\
             [[extensions]]\nnumber = \"1\"\nkind = \"ivr\"\nlabel = \"Menu\"\nonline = false\n\
             \
             refuse_delete = \"extension_invalid\"\nrefuse_list = \"pce_access_denied\"\n\
             refuse_write = \"user_invalid\"\n\
             [[extensions.events]]\ntype = 9\nid = \"a\"\nmethod = 7\nurl = \"u\"\nnote = \"n\"\n\
             status = 0\nmodified = \"never\"\n\
             [[faults]]\nmethod = \"DELETE\"\npath = \"/0/\"\nnth = 2\nstatus = 503\nbody = \"\"\n\
             code = \"c\"\nretry_after = \"1\"\ndelay_ms = 1\nacts = true\n\
             [[faults]]\nreset = true\n",
        )
        .unwrap();
        assert_eq!(world.user(), "33");
        assert_eq!(world.base_path(), "/unifiedapi");
        assert_eq!(world.latency.get, Duration::from_millis(5));
        assert_eq!(world.latency.delete, Duration::from_millis(120));
        assert_eq!(world.latency.presence, Duration::ZERO);
        assert_eq!(world.list_lag, Duration::from_millis(3));
        assert_eq!(world.delete_answer, DeleteAnswer::NoContent);
        assert_eq!(world.type_delete, TypeDelete::WipesExtension);
        assert_eq!(world.soap, Soap::V251);
        assert_eq!(world.create_path, CreatePath::WithType);
        let shapes = Shapes {
            entry: Entry::Map,
            wrapped: true,
            empty: Empty::NoEntry,
            numbers: Numbers::Mixed,
            paging_fields: false,
            modified: Modified::Z,
            create: Written::Object,
            update: Written::NoContent,
            registration: Registration::Flat,
            errors: Errors::Flat,
            misspelt: true,
            access_refusal: AccessRefusal::Forbidden,
            ignores_paging: true,
            page_size: Some(7),
            next_link: true,
            totals: Totals::Page,
            past_end: PastEnd::Refused,
        };
        assert_eq!(world.shapes, shapes);
        let menu = world.extension("1").unwrap();
        assert_eq!((menu.kind, menu.online), (Kind::Ivr, false));
        assert_eq!(menu.refuse_delete, Some(Refusal::ExtensionInvalid));
        assert_eq!(menu.refuse_list, Some(Refusal::PceAccessDenied));
        assert_eq!(menu.refuse_write, Some(Refusal::UserInvalid));
        assert_eq!((menu.events[0].event_type, menu.events[0].method), (9, 7));
    }

    #[test]
    fn every_key_about_owners_finds_its_place() {
        let world = World::scenario(&format!(
            "{HEAD}[owners]\nme = \"own\"\nby_id = false\nat_owner = false\n\
             out_of_reach = \"empty\"\nget_users = false\nwithout_parent = false\n\
             short_presence = true\ndetails = false\n\
             [[users]]\nid = \"101\"\nname = \"Ada\"\n\
             [[extensions]]\nnumber = \"1\"\nowner = \"101\"\n"
        ))
        .unwrap();
        let owners = Owners {
            me: Me::Own,
            by_id: false,
            at_owner: false,
            out_of_reach: OutOfReach::Empty,
            get_users: false,
            without_parent: false,
            short_presence: true,
            details: false,
        };
        assert_eq!(world.owners, owners);
        assert_eq!(world.users(), [User { id: "101".to_owned(), name: "Ada".to_owned() }]);
        assert_eq!(world.owner_of(world.extension("1").unwrap()), "101");
    }

    #[test]
    fn one_latency_is_for_all_where_no_other_is_given() {
        let world = World::scenario(&format!("{HEAD}latency_ms = 7")).unwrap();
        let seven = Duration::from_millis(7);
        assert_eq!(world.latency, Latency { presence: seven, delete: seven, get: seven });
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let number = "[[extensions]]\nnumber = \"1\"\n";
        let event = "[[extensions.events]]\ntype = 0\nid = \"a\"\nurl = \"u\"\n";
        for (rest, line, word) in [
            ("colour = 1", 3, "colour"),
            ("delete_answer = \"maybe\"", 3, "maybe"),
            ("soap = \"4\"", 3, "4"),
            ("[owners]\nme = \"none\"", 4, "none"),
            ("[[users]]\nid = \"1\"", 3, "name"),
            ("create_path = \"v5\"", 3, "v5"),
            ("[shapes]\nentry = \"list\"", 4, "list"),
            ("[shapes]\ncolour = 1", 4, "colour"),
            ("latency_ms = -1", 3, "-1"),
            ("= 3", 3, ""),
            ("[[extensions]]\nnumber = 3", 4, "3"),
            ("[[extensions]]\nnumber = \"3\"\nrefuse_delete = \"no\"", 5, "no"),
            (&format!("{number}{number}"), 6, "\"1\" is there already"),
            (&format!("{number}{event}{event}"), 11, "\"a\" is there already"),
            ("[[faults]]\nstatus = 500\nnth = 0", 3, "from 1"),
            ("[[faults]]\nstatus = 99", 3, "between"),
            ("[[faults]]\nnth = 1", 3, "reset"),
            ("[[faults]]\nwhen = 1", 4, "when"),
            ("[[faults]]\nstatus = 500\nevery = 0", 3, "from 1"),
            ("[[faults]]\nstatus = 500\ntimes = 0", 3, "from 1"),
            ("[[faults]]\nreset = true\nno_answer = true", 3, "one way"),
            ("[[faults]]\nhuge_mb = 1\ntruncated = true", 3, "one way"),
            ("[[faults]]\ndrip_ms = 1\nwrong_length = \"longer\"", 3, "one way"),
            ("[[faults]]\ndrip_ms = 1\nbody = \"{}\"", 3, "has a status"),
            ("[[faults]]\ntruncated = true\ncode = \"c\"", 3, "has a status"),
            ("[[faults]]\nno_answer = 1", 4, "1"),
            ("[[faults]]\ntruncated = 1", 4, "1"),
            ("[[faults]]\ndrip_ms = -1", 4, "-1"),
            ("[[faults]]\nhuge_mb = -1", 4, "-1"),
            ("[[faults]]\nwrong_length = \"no\"", 4, "no"),
            ("[[faults]]\nlocation = 1", 4, "1"),
            ("[[faults]]\ncontent_type = 1", 4, "1"),
            ("close_after = 0", 3, "nonzero"),
        ] {
            let message = wrong(rest);
            let place = format!("scenario, line {line}: ");
            assert!(message.starts_with(&place), "{rest}\n→ {message}");
            assert!(message.contains(word), "{rest}\n→ {message}");
        }
        let error = World::scenario("name = \"no token\"").unwrap_err();
        assert!(error.to_string().contains("token"), "{error}");
    }

    #[test]
    fn every_key_of_a_fault_finds_its_place() {
        let drip = Delivery::Drip(Duration::from_millis(3));
        for (keys, status, delivery) in [
            ("every = 1\ntimes = 1\nstatus = 302\nlocation = \"to\"", 302, Delivery::Whole),
            ("status = 200\nbody = \"\"\ncontent_type = \"x/y\"", 200, Delivery::Whole),
            ("no_answer = true", 500, Delivery::Never),
            ("drip_ms = 3", 404, drip),
            ("truncated = true\nstatus = 200", 200, Delivery::Truncated),
            ("wrong_length = \"shorter\"", 404, Delivery::Shorter),
            ("wrong_length = \"longer\"", 404, Delivery::Longer),
            ("huge_mb = 2", 404, Delivery::Huge(2_000_000)),
        ] {
            let text = format!("{HEAD}close_after = 9\n[[faults]]\n{keys}\n");
            let mut world = World::scenario(&text).unwrap();
            assert_eq!(world.close_after, Some(9));
            let answer = world.answer(&Request::new("GET", "/elsewhere"));
            assert_eq!((answer.status, answer.delivery), (status, delivery), "{keys}");
            for value in ["to", "x/y"].into_iter().filter(|value| keys.contains(value)) {
                assert!(answer.headers.iter().any(|(_, given)| given == value), "{keys}");
            }
        }
        assert_eq!(World::scenario(HEAD).unwrap().close_after, None);
    }

    #[test]
    fn a_blocker_has_the_vendor_s_figures_or_its_own() {
        let nowhere = Request::new("GET", "/uapi/nowhere");
        for (table, limit) in [("[blocker]", 20), ("[blocker]\nfailures = 3\nwithin_s = 5", 3)] {
            let mut world = World::scenario(&format!("{HEAD}{table}")).unwrap();
            for _ in 1..limit {
                world.answer(&nowhere);
            }
            assert!(!world.blocked(), "{table}");
            world.answer(&nowhere);
            assert!(world.blocked(), "{table}");
        }
    }

    #[test]
    fn a_rate_limit_has_its_pace_its_burst_its_method_and_its_header() {
        for (form, has_header) in [("", true), ("seconds", true), ("date", true), ("none", false)] {
            let form =
                if form.is_empty() { String::new() } else { format!("retry_after = {form:?}") };
            let table =
                format!("[rate_limit]\nper_second = 1\nburst = 2\napplies_to = \"GET\"\n{form}\n");
            let mut world = World::scenario(&format!("{HEAD}{table}")).unwrap();
            let mut ask = |method| world.answer(&Request::new(method, "/uapi/nowhere"));
            assert_ne!(ask("GET").status, 429);
            assert_ne!(ask("GET").status, 429);
            assert_ne!(ask("PUT").status, 429);
            let refused = ask("GET");
            assert_eq!(refused.status, 429);
            let header = refused.headers.iter().any(|(name, _)| *name == "retry-after");
            assert_eq!(header, has_header, "{form}");
        }
    }

    #[test]
    fn a_mistake_in_what_stands_before_the_service_is_named_with_its_line() {
        for (rest, line, word) in [
            ("[blocker]\nfailures = 0", 4, "nonzero"),
            ("[blocker]\nfailures = 5\nwithin_s = 0", 5, "nonzero"),
            ("[blocker]\nbantime = 5", 4, "bantime"),
            ("blocker = true", 3, "true"),
            ("[rate_limit]\nper_second = 0\nburst = 1", 4, "nonzero"),
            ("[rate_limit]\nper_second = 1\nburst = 0", 5, "nonzero"),
            ("[rate_limit]\nper_second = 1", 3, "burst"),
            ("[rate_limit]\nper_second = 1\nburst = 1\nretry_after = \"soon\"", 6, "soon"),
            ("[rate_limit]\nper_second = 1\nburst = 1\napplies_to = 1", 6, "1"),
            ("[rate_limit]\nper_minute = 1", 4, "per_minute"),
        ] {
            let message = wrong(rest);
            let place = format!("scenario, line {line}: ");
            assert!(message.starts_with(&place), "{rest}\n→ {message}");
            assert!(message.contains(word), "{rest}\n→ {message}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_those_there_are() {
        let error = World::named("the-pge").unwrap_err().to_string();
        assert!(error.contains("\"the-pge\""), "{error}");
        assert!(
            error.contains("demo, an-address-blocker-watches, an-extension-refuses"),
            "{error}"
        );
    }
}
