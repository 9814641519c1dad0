//! Tokens that are asked for, on the way between client and simulator.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use callsweep::api::{Client, Settings, Writes};
use callsweep::domain::{
    Credentials, DeleteCall, Exchange, ExtensionNumber, Failure, Origin, Secret, Target, Trust,
    UserId,
};
use callsweep::simulator::{Fault, Simulator, World};

fn simulator() -> Simulator {
    let world = World::named("three-extensions-with-events").unwrap();
    Simulator::start(world, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap()
}

fn client(simulator: &Simulator, secret: &str) -> Client {
    with(simulator, &Secret::new(secret))
}

fn with(simulator: &Simulator, secret: &Secret) -> Client {
    let origin = simulator.origin();
    let key = simulator.with_world(|world| world.app().0.to_owned());
    let user = UserId::parse("@me").unwrap();
    let settings = Settings {
        target: Target::new("test", &origin, "/uapi", user).unwrap(),
        credentials: Credentials::App {
            key,
            secret: secret.clone(),
            token_url: format!("{origin}/oauth/token.php"),
            redirect_uri: format!("{origin}/ouath/token.php"),
        },
        timeout: crate::session::PATIENCE,
        trust: Trust::Machine,
        writes: Writes::Allowed,
        concurrency: 8,
    };
    assert!(!format!("{settings:?}").contains(secret.expose()));
    Client::new(settings).unwrap()
}

fn good(simulator: &Simulator) -> Client {
    let secret = simulator.with_world(|world| world.app().1.to_owned());
    client(simulator, &secret)
}

fn number(simulator: &Simulator) -> ExtensionNumber {
    let number =
        simulator.with_world(|world| world.extensions().next().unwrap().number().to_owned());
    ExtensionNumber::parse(&number).unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn token_requests(simulator: &Simulator) -> usize {
    simulator.with_world(|world| {
        world.requests().iter().filter(|seen| seen.target == "/oauth/token.php").count()
    })
}

/// So many listings at once: how many worked, and the failures.
async fn listings(client: &Client, number: &ExtensionNumber, many: usize) -> Vec<Failure> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..many {
        let (client, number) = (client.clone(), number.clone());
        tasks.spawn(async move { client.events(&number, &mut Vec::new()).await.err() });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

#[test]
fn the_first_request_brings_a_token_and_the_next_ones_use_it() {
    let simulator = simulator();
    let (client, number) = (good(&simulator), number(&simulator));
    let mut trace: Vec<Exchange> = Vec::new();
    wait(async {
        client.events(&number, &mut trace).await.unwrap();
        client.events(&number, &mut trace).await.unwrap();
        client.delete(&DeleteCall::Extension(number.clone()), &mut trace).await.unwrap();
    });
    let methods: Vec<_> = trace.iter().map(|exchange| exchange.method).collect();
    assert_eq!(methods, ["POST", "GET", "GET", "GET", "GET", "DELETE"]);
    assert_eq!(trace[0].path, "/oauth/token.php");
    let text = format!("{trace:?}");
    assert!(!text.contains("app-secret") && !text.contains("issued~"), "{text}");
}

#[test]
fn a_token_at_its_end_is_renewed_before_the_next_request() {
    let simulator = simulator();
    simulator.with_world(|world| world.set_token_lifetime(0));
    let (client, number) = (good(&simulator), number(&simulator));
    wait(async {
        for _ in 0..3 {
            client.events(&number, &mut Vec::new()).await.unwrap();
        }
    });
    assert_eq!(token_requests(&simulator), 6);
}

#[test]
fn an_expired_token_is_renewed_once_for_eight_requests_in_flight() {
    let simulator = simulator();
    let (client, number) = (good(&simulator), number(&simulator));
    wait(async {
        assert!(listings(&client, &number, 8).await.is_empty());
        assert_eq!(token_requests(&simulator), 1);
        simulator.with_world(World::expire_tokens);
        simulator.with_world(|world| world.latency.get = Duration::from_millis(30));
        assert!(listings(&client, &number, 8).await.is_empty());
        assert_eq!(token_requests(&simulator), 2);
        simulator.with_world(World::expire_tokens);
        let delete = DeleteCall::Extension(number.clone());
        client.delete(&delete, &mut Vec::new()).await.unwrap();
        assert_eq!(token_requests(&simulator), 3);
    });
}

#[test]
fn what_is_refused_with_a_new_token_too_is_reported_and_not_renewed_for_again() {
    let simulator = simulator();
    simulator.with_world(|world| {
        let (status, code) = (Some(403), Some("not_yours".to_owned()));
        world.add_fault(Fault { path: Some("phoneCall".into()), status, code, ..Fault::default() });
    });
    let (client, number) = (good(&simulator), number(&simulator));
    wait(async {
        for _ in 0..3 {
            let failure = client.events(&number, &mut Vec::new()).await.unwrap_err();
            assert_eq!(failure.code.raw(), "not_yours");
        }
    });
    assert_eq!(token_requests(&simulator), 2);
}

#[test]
fn an_unknown_app_is_asked_for_once_whatever_follows() {
    let simulator = simulator();
    let (client, number) = (client(&simulator, "wr0ng-s3cr3t"), number(&simulator));
    wait(async {
        for failure in listings(&client, &number, 8).await {
            let said = failure.to_string();
            assert!(said.contains("app_key and app_secret") && !said.contains("wr0ng"), "{said}");
        }
        let delete = DeleteCall::Extension(number.clone());
        let failure = client.delete(&delete, &mut Vec::new()).await.unwrap_err();
        assert!(!failure.may_have_acted());
    });
    assert_eq!(simulator.with_world(|world| world.requests().len()), 1);
}

#[test]
fn an_app_secret_that_was_exchanged_is_got_once_more_where_it_came_from() {
    let simulator = simulator();
    let good = simulator.with_world(|world| world.app().1.to_owned());
    let again = move || Ok(Secret::new(&good));
    let place = "in the file secret".to_owned();
    let origin = Origin::new(place, Duration::ZERO, Some(Box::new(again)));
    let client = with(&simulator, &Secret::new("wr0ng-s3cr3t").from(origin));
    let number = number(&simulator);
    wait(async {
        assert!(listings(&client, &number, 8).await.is_empty());
        assert_eq!(token_requests(&simulator), 2);
        // The next one is asked for with the new secret at once.
        simulator.with_world(World::expire_tokens);
        assert!(listings(&client, &number, 1).await.is_empty());
        assert_eq!(token_requests(&simulator), 3);
    });
}

#[test]
fn a_fixed_token_stays_good_when_the_issued_ones_end() {
    let simulator = simulator();
    simulator.with_world(World::expire_tokens);
    let answer = simulator.with_world(|world| {
        let token = world.token().to_owned();
        let presence = "/uapi/extensions/@me/@self/presence";
        world.answer(&callsweep::simulator::Request::new("GET", presence).bearing(&token)).status
    });
    assert_eq!(answer, 200);
}
