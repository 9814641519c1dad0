//! `callsweep check`: one line for every step on the way to the service, up to the first that
//! fails.

use std::fmt;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use color_eyre::eyre::{Result, eyre};
use url::{Host, Url};

use super::arguments::PbxArguments;
use super::ending::Ending;
use super::profile::{self, Opened};
use super::room;
use crate::api::{Client, OldTls, Proxy};
use crate::config::{Environment, Flags, Profile};
use crate::domain::{
    CallForm, Cause, Discovery, ExtensionNumber, Failure, Listing, Seen, Source, Target, parted,
    without_profile,
};
use crate::runtime::{self, Listed, Ports};

/// The steps in their order.
const STEPS: [&str; 7] = ["configuration", "name", "TCP", "TLS", "token", "discovery", "listing"];
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Which PBX is checked.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Which PBX.
    #[command(flatten)]
    pub(super) pbx: PbxArguments,
    /// An extension beside the discovered ones; may be repeated
    #[arg(long = "extension", value_name = "N")]
    pub(super) extensions: Vec<String>,
}

/// How a step ended.
enum Step {
    Fine(String),
    Skipped(&'static str),
    Wrong { what: String, remedy: String },
}

impl Step {
    fn wrong(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Wrong { what: what.into(), remedy: remedy.into() }
    }
}

/// The steps as they are printed.
struct Steps {
    done: usize,
    failed: bool,
    written: io::Result<()>,
    /// There is no profile that a remedy could name.
    of_flags: bool,
}

/// Checks and prints.
///
/// # Errors
/// When the network runtime cannot start.
pub(super) fn run(demo: bool, flags: &Flags, environment: &Environment) -> Result<Ending> {
    let mut steps = Steps { done: 0, failed: false, written: Ok(()), of_flags: false };
    let started = profile::open(demo, flags, environment).and_then(|opened| {
        let profile = &opened.profile;
        if profile.rules.discover.is_empty() && profile.extensions.is_empty() {
            return Err(eyre!(
                "the profile knows no extension and asks for none: name some under extensions, or \
                 write discover = [\"presence\"]"
            ));
        }
        let client = opened.client()?.read_only();
        Ok((opened, client))
    });
    // The simulator of a demo lives as long as `opened` does.
    let (opened, client) = match started {
        Ok(started) => started,
        Err(report) => {
            let sentence = format!("{report:#}");
            let (what, remedy) = parted(&sentence);
            steps.say(&Step::wrong(what, remedy));
            return Ok(steps.end(Ending::Usage));
        }
    };
    let Opened { profile, .. } = &opened;
    let Target { profile: name, origin, user, .. } = &profile.target;
    steps.of_flags = profile.target.is_of_flags;
    let deletion = deletion(profile);
    steps.say(&Step::Fine(format!("profile {name}, {origin}, user {user}; {deletion}")));
    let address = reach(profile, client.proxy(), &mut steps);
    if !steps.failed {
        ask(&opened, &client, address, &mut steps)?;
    }
    let ending = if steps.failed { Ending::Failed } else { Ending::Done };
    Ok(steps.end(ending))
}

/// Name and TCP, without the service noticing more than a connection; of the proxy, where one stands
/// between. The address, where it is the service's own.
fn reach(profile: &Profile, proxy: Option<&Proxy>, steps: &mut Steps) -> Option<SocketAddr> {
    let url = Url::parse(proxy.map_or(&*profile.target.origin, Proxy::place)).ok();
    let place = url.as_ref().and_then(|url| Some((url.host()?, url.port_or_known_default()?)));
    let Some((host, port)) = place else {
        steps.say(&Step::wrong("the address cannot be read", "check url in the profile"));
        return None;
    };
    let remedy = |own: &str| proxy.map_or_else(|| own.to_owned(), Proxy::remedy);
    let who = proxy.map_or_else(|| host.to_string(), ToString::to_string);
    let found = match &host {
        Host::Domain(name) => (*name, port).to_socket_addrs().map(Iterator::collect),
        Host::Ipv4(address) => Ok(vec![SocketAddr::from((*address, port))]),
        Host::Ipv6(address) => Ok(vec![SocketAddr::from((*address, port))]),
    };
    let addresses: Vec<SocketAddr> = match found {
        Ok(addresses) => addresses,
        Err(error) => {
            let remedy = remedy("check url in the profile and the name service of this machine");
            steps.say(&Step::wrong(format!("{who} was not found ({error})"), remedy));
            return None;
        }
    };
    let listed: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
    steps.say(&Step::Fine(format!("{who} is {}", listed.join(", "))));
    let through = proxy.map_or("", |_| ", the proxy");
    let patience = CONNECT.min(profile.rules.timeout);
    let mut reason = "it has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(_) => {
                steps.say(&Step::Fine(format!("connected to {address}{through}")));
                return Some(address).filter(|_| proxy.is_none());
            }
            Err(error) => reason = format!("no connection to {address}{through} ({error})"),
        }
    }
    steps.say(&Step::wrong(
        reason,
        remedy(
            "check the port of url in the profile, firewall and VPN, and that the service runs there",
        ),
    ));
    None
}

/// TLS, token, discovery and one listing.
fn ask(
    opened: &Opened,
    client: &Client,
    address: Option<SocketAddr>,
    steps: &mut Steps,
) -> Result<()> {
    let (profile, hands) = (&opened.profile, opened.hands()?);
    hands.block_on(room::wait(client));
    // No typed numbers: they would soften a refusal into a remark.
    let ports =
        Ports::new(client.clone(), Vec::new(), profile.rules.discover.clone(), PathBuf::new());
    let ports = std::sync::Arc::new(ports);
    let list = |extension: ExtensionNumber| {
        let mut listed = hands.block_on(runtime::list_all(&ports, &[extension], 1, || ()));
        match listed.pop() {
            Some(Listed::Answered(result)) => result,
            Some(Listed::NotAsked) | None => Err(Failure::new(
                Cause::Withheld,
                "its listing was interrupted by a defect of this program",
            )),
        }
    };
    let named = profile.extensions.first().map(|one| one.number.clone());
    if profile.rules.discover.is_empty() {
        // `run` saw to it that there is one.
        let Some(extension) = named else { return Ok(()) };
        let listing = list(extension.clone());
        if judge(listing.as_ref().err(), client, address, steps) {
            steps.say(&Step::Skipped("discover in the profile does not name it"));
            steps.say(&listed(profile, listing));
        }
        return Ok(());
    }
    let (discovery, _) = hands.block_on(runtime::discover(&ports));
    if !judge(discovery.as_ref().err(), client, address, steps) {
        return Ok(());
    }
    let discovery = match discovery {
        Ok(discovery) => discovery,
        Err(failure) => {
            steps.say(&refused(&failure, "check base_path and user, or write discover = []"));
            return Ok(());
        }
    };
    steps.say(&discovered(&discovery));
    let found = discovery.extensions.into_iter().next().map(|found| found.number);
    steps.say(&match named.or(found) {
        Some(extension) => listed(profile, list(extension)),
        None => Step::Skipped("there is no extension to list"),
    });
    Ok(())
}

/// What can be told of the service's TLS, where that is what failed.
fn met(client: &Client, address: Option<SocketAddr>) -> Option<String> {
    if let Some(certificate) = client.certificate() {
        return Some(certificate.to_string()).filter(|_| !certificate.is_trusted());
    }
    let url = Url::parse(&client.target().origin).ok().filter(|url| url.scheme() == "https")?;
    let patience = CONNECT.min(client.patience());
    let old = OldTls::meet(address?, url.host_str()?.trim_matches(['[', ']']), patience).ok()?;
    Some(old.to_string()).filter(|_| old.is_old())
}

/// Says TLS and token from the first answer; whether what was asked itself is still to be said.
fn judge(
    failure: Option<&Failure>,
    client: &Client,
    address: Option<SocketAddr>,
    steps: &mut Steps,
) -> bool {
    let gone = |failure: &&Failure| {
        matches!(failure.cause, Cause::Unreachable | Cause::Untrusted | Cause::Blocked)
    };
    if let Some(failure) = failure.filter(gone) {
        let mut step = refused(failure, "check url in the profile");
        if let (Step::Wrong { what, .. }, Some(met)) = (&mut step, met(client, address)) {
            *what = format!("{what}; {met}");
        }
        steps.say(&step);
        return false;
    }
    steps.say(&match client.certificate() {
        Some(met) => Step::Fine(format!("encrypted; {met}")),
        None => Step::Skipped("http, to this machine alone"),
    });
    match failure {
        None => steps.say(&Step::Fine("accepted".to_owned())),
        Some(failure) if matches!(failure.http_status, Some(401 | 403)) => {
            steps.say(&refused(failure, "check auth and user in the profile"));
            return false;
        }
        Some(_) => steps.say(&Step::Skipped("not known, as the answer does not say")),
    }
    true
}

/// What each source listed. What none of them can see is no mistake; what one could not say is.
fn discovered(discovery: &Discovery) -> Step {
    let Discovery { extensions, remarks, complete, seen, .. } = discovery;
    let by_source: Vec<_> = seen.iter().map(told).collect();
    let found = super::counted(extensions.len(), "extension");
    let found = format!("{found} ({})", by_source.join("; "));
    match remarks.last() {
        Some(why) if !complete => {
            let (why, remedy) = parted(why);
            Step::wrong(format!("{found}; {why}"), remedy)
        }
        Some(_) if seen.iter().all(|seen| seen.source == Source::Presence) => Step::Fine(format!(
            "{found}; to see queues, IVRs, conferences and owners too write discover = \
             [\"presence\", \"system_api\"] in a profile"
        )),
        _ => Step::Fine(found),
    }
}

/// `presence: 3 phones`, `system_api: 7 extensions of 2 users`.
fn told(seen: &Seen) -> String {
    let things = if seen.source == Source::Presence { "phone" } else { "extension" };
    let listed = format!("{}: {}", seen.source.name(), super::counted(seen.extensions, things));
    if seen.users == 0 {
        listed
    } else {
        format!("{listed} of {}", super::counted(seen.users, "user"))
    }
}

/// What was read of an extension and who was let in.
fn listed(profile: &Profile, listing: Result<Listing, Failure>) -> Step {
    let listing = match listing {
        Ok(listing) => listing,
        Err(failure) => return refused(&failure, "check extensions and user in the profile"),
    };
    let access = listing.access();
    let user = access.user.as_ref().unwrap_or(&profile.target.user);
    let owner = access.owner.as_ref().filter(|owner| *owner != user);
    let owner = owner.map(|owner| format!(", owner {owner}")).unwrap_or_default();
    let events = super::counted(listing.len(), "event");
    let doubt =
        if listing.is_unproven() { "; that does not prove that this user reaches it" } else { "" };
    Step::Fine(format!("{} has {events}, as {user}{owner}{doubt}", listing.extension()))
}

/// What the profile lets go: whether the PBX does too, only a deletion shows.
fn deletion(profile: &Profile) -> String {
    if profile.rules.read_only {
        return "read-only: nothing can be deleted".to_owned();
    }
    let forms = [CallForm::Extension, CallForm::Type].into_iter();
    let wide = forms.filter(|form| profile.rules.wide_calls.allows(*form)).map(CallForm::name);
    let wide: Vec<_> = wide.collect();
    let wide = if wide.is_empty() { "none".to_owned() } else { wide.join(" and ") };
    let typed = if profile.rules.protected { ", the number must always be typed" } else { "" };
    let most = super::counted(profile.rules.max_delete, "event");
    format!("may delete up to {most} at once, wide calls: {wide}{typed}")
}

fn refused(failure: &Failure, otherwise: &str) -> Step {
    let own = failure.remedy.to_string();
    let remedy = if own.is_empty() { otherwise.to_owned() } else { own };
    Step::wrong(failure.without_remedy(), remedy)
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fine(detail) => f.write_str(detail),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
            Self::Wrong { what, remedy } if remedy.is_empty() => f.write_str(what),
            Self::Wrong { what, remedy } => write!(f, "{what}  → {remedy}"),
        }
    }
}

impl Steps {
    /// Prints the next step at once: the one after it may take long.
    fn say(&mut self, step: &Step) {
        let mark = match *step {
            Step::Fine(_) => '✓',
            Step::Skipped(_) => '-',
            Step::Wrong { .. } => '✗',
        };
        self.failed |= mark == '✗';
        let said = step.to_string();
        self.print(mark, &if self.of_flags { without_profile(&said) } else { said });
    }

    fn print(&mut self, mark: char, text: &dyn fmt::Display) {
        let name = STEPS.get(self.done).copied().unwrap_or_default();
        self.done += 1;
        if self.written.is_ok() {
            self.written = writeln!(io::stdout(), "{mark} {name:<15}{text}");
        }
    }

    fn end(mut self, ending: Ending) -> Ending {
        while self.done < STEPS.len() {
            self.print('-', &"not tried");
        }
        ending.written(self.written)
    }
}
