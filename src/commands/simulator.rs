//! `callsweep simulator`: the simulated PBX on its own, for any client.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::path::Path;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use color_eyre::eyre::{Result, WrapErr, eyre};

use super::completions;
use super::ending::{Ending, remark};
use super::{say, signals};
use crate::domain::{Fingerprint, Foreign};
use crate::origins::read_named;
use crate::simulator::{Certified, DEMO_SEED, Identity, Served, Simulator, World, scenario_names};

/// Which world is served, where and how.
#[derive(Debug, Args)]
pub struct SimulatorArguments {
    /// Where to listen, HOST:PORT; port 0 takes a free one. Where other machines can reach it, token and
    /// secret are made anew
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: String,
    /// A built-in scenario, or a file with one
    #[arg(long, value_name = "NAME|FILE", default_value = "demo")]
    #[arg(add = ArgValueCompleter::new(completions::scenarios))]
    scenario: String,
    /// Seed of the demo world
    #[arg(long, value_name = "N", default_value_t = DEMO_SEED)]
    seed: u64,
    /// Serve over TLS, with a self-signed certificate that is made now
    #[arg(
        long,
        value_enum,
        value_name = "CERTIFICATE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "named"
    )]
    tls: Option<Certified>,
    /// Print every request on standard error: its method, path and the status of its answer
    #[arg(long)]
    log: bool,
}

/// Prints where it listens and how to be let in, then serves until a signal ends it.
///
/// # Errors
/// When scenario or address cannot be used.
pub(super) fn run(arguments: &SimulatorArguments) -> Result<Ending> {
    let mut world = world(&arguments.scenario, arguments.seed)?;
    let listener = listen(&arguments.listen)?;
    let address = listener.local_addr()?;
    if !address.ip().to_canonical().is_loopback() {
        world.make_secrets().wrap_err("the system gives no random numbers for a token")?;
        remark(&format!(
            "other machines can reach {address}: whoever has the token can change the simulated PBX; \
             --listen 127.0.0.1:{} keeps it to this one",
            address.port()
        ));
    }
    let identity = arguments.tls.map(Identity::new).transpose()?;
    // Whoever reads where it listens may end it.
    let end = signals::Ends::watch().wrap_err("signals cannot be watched")?;
    let log: fn(&Served) = if arguments.log { log } else { |_| {} };
    let simulator = Simulator::on(listener, world, identity.as_ref(), log)
        .wrap_err_with(|| format!("the simulator cannot listen on {address}"))?;
    let told = say(&told(arguments, &simulator, identity.as_ref()));
    if told != Ending::Done {
        return Ok(told);
    }
    let signal = end.wait();
    drop(simulator);
    Ok(Ending::Signalled(signal))
}

/// Takes the first address of this machine that the text means.
fn listen(text: &str) -> Result<TcpListener> {
    let form = "write HOST:PORT, as in localhost:8080";
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    if port.is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
        return Err(eyre!("--listen {text:?} is no address: {form}"));
    }
    let addresses: Vec<SocketAddr> = text
        .to_socket_addrs()
        .map_err(|error| eyre!("--listen {text:?} was not found ({error}): {form}"))?
        .collect();
    TcpListener::bind(&*addresses).map_err(|error| {
        eyre!(
            "the simulator cannot listen on {text} ({error}): name an address of this machine and a \
             port that is free"
        )
    })
}

fn world(scenario: &str, seed: u64) -> Result<World> {
    if scenario == "demo" {
        return Ok(World::demo(seed));
    }
    if scenario_names().contains(&scenario) {
        return Ok(World::named(scenario)?);
    }
    let text = read_named(Path::new(scenario))
        .and_then(|text| String::from_utf8(text).map_err(io::Error::other));
    let text = text.map_err(|error| {
        let names = scenario_names().join(", ");
        eyre!(
            "{scenario:?} is no built-in scenario and no readable file ({error}); built in: {names}"
        )
    })?;
    World::scenario(&text).wrap_err_with(|| format!("{scenario:?} is not a scenario"))
}

/// Where it listens, and how to be let in.
fn told(
    arguments: &SimulatorArguments,
    simulator: &Simulator,
    identity: Option<&Identity>,
) -> String {
    let certificate = identity.map_or_else(String::new, |identity| {
        format!("pin    {}\n{}", Fingerprint::of(identity.der()), identity.pem())
    });
    let (scenario, origin, token) = (&arguments.scenario, simulator.origin(), simulator.token());
    let flag = if identity.is_some() { "--insecure " } else { "" };
    let (app, base) = simulator.with_world(|world| {
        let (key, secret) = world.app();
        (format!("key {key}, secret {secret}"), world.base_path().to_owned())
    });
    format!(
        "callsweep simulator: scenario {scenario}\nurl    {origin}\ntoken  {token}\napp    {app}\n\
         try    curl {flag}-H 'Authorization: Bearer {token}' \
         '{origin}{base}/extensions/@me/@self/presence'\n{certificate}ctrl-c stops it\n"
    )
}

/// A line on standard error, which may be gone.
fn log(Served { method, target, status }: &Served) {
    let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let line = format!("{} {} {status}", Foreign::from(&**method), Foreign::from(&**target));
    let _ = writeln!(io::stderr(), "{line}");
}
