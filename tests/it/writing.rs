//! Events are made and changed as the pages say, in every form that services answer.

use std::net::{Ipv4Addr, SocketAddr};

use callsweep::api::{Client, Settings, Writes};
use callsweep::domain::{
    Cause, Change, CreatePath, Credentials, ExtensionNumber, Foreign, Listing, PhoneCallEvent,
    Secret, Status, Target, Trust, UserId,
};
use callsweep::simulator::{Fault, Shapes, Simulator, World, Written};

/// A simulator and a client of its own.
pub(crate) struct Pbx {
    pub(crate) simulator: Simulator,
    client: Client,
    hands: tokio::runtime::Runtime,
}

impl Pbx {
    fn with(writes: Writes, create_path: CreatePath) -> Self {
        let world = World::named("the-page").unwrap();
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let simulator = Simulator::start(world, listen).unwrap();
        let user = UserId::parse("@me").unwrap();
        let mut target = Target::new("test", &simulator.origin(), "/uapi", user).unwrap();
        target.create_path = create_path;
        let client = Client::new(Settings {
            target,
            credentials: Credentials::Token(Secret::new(&simulator.token())),
            timeout: crate::session::PATIENCE,
            trust: Trust::Machine,
            writes,
            concurrency: 1,
        });
        let hands = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { simulator, client: client.unwrap(), hands }
    }

    pub(crate) fn open() -> Self {
        Self::with(Writes::Allowed, CreatePath::Plain)
    }

    pub(crate) fn listing(&self) -> Listing {
        let number = ExtensionNumber::parse("0003*210").unwrap();
        self.hands.block_on(self.client.events(&number, &mut Vec::new())).unwrap()
    }

    fn events(&self) -> Vec<PhoneCallEvent> {
        let listing = self.listing();
        (0..listing.len()).map(|row| listing.row(row).unwrap().to_event()).collect()
    }

    fn create(
        &self,
        event: &PhoneCallEvent,
    ) -> Result<Option<Foreign>, callsweep::domain::Failure> {
        let answer = self.hands.block_on(self.client.create(event, &mut Vec::new()));
        answer.map(|answer| answer.id)
    }

    fn posts(&self) -> Vec<String> {
        self.simulator.with_world(|world| {
            let posts = world.requests().iter().filter(|seen| seen.method == "POST");
            posts.map(|seen| seen.target.clone()).collect()
        })
    }
}

/// Everything of an event but its name and its time.
fn body(event: &PhoneCallEvent) -> (u16, String, String, String, String) {
    (
        event.key.event_type.number(),
        event.method.written().to_owned(),
        event.url.raw().to_owned(),
        event.note.raw().to_owned(),
        event.status.written().to_owned(),
    )
}

#[test]
fn an_event_that_is_made_again_is_the_same_but_for_its_id_in_every_shape_of_answer() {
    for shape in [Written::Object, Written::Array, Written::Id, Written::NoContent] {
        for create_path in [CreatePath::Plain, CreatePath::WithType] {
            let pbx = Pbx::with(Writes::Allowed, create_path);
            pbx.simulator.with_world(|world| {
                world.shapes = Shapes { create: shape, ..Shapes::default() };
            });
            let before = pbx.events();
            let mut original = before[0].clone();
            original.note = Foreign::from("Zoë \u{1b}[2J \"quoted\"\u{200b}");
            original.url = Foreign::from("https://crm.test/?a=%20&b=%C3%A9");
            original.text = None;
            let id = pbx.create(&original).unwrap();
            let made: Vec<_> = pbx
                .events()
                .into_iter()
                .filter(|event| before.iter().all(|old| old.key != event.key))
                .collect();
            assert_eq!(made.len(), 1);
            assert_eq!(body(&made[0]), body(&original));
            let told = id.map(|id| id.raw().to_owned());
            let expected =
                (shape != Written::NoContent).then(|| made[0].key.id.as_str().to_owned());
            assert_eq!(told, expected);
        }
    }
}

#[test]
fn a_post_whose_answer_is_lost_is_sent_once_and_may_have_acted() {
    let pbx = Pbx::open();
    let event = pbx.events()[0].clone();
    pbx.simulator.with_world(|world| {
        let method = Some("POST".to_owned());
        world.add_fault(Fault { method, reset: true, acts: true, ..Fault::default() });
    });
    let failure = pbx.create(&event).unwrap_err();
    assert!(failure.may_have_acted(), "{failure:?}");
    assert_eq!((pbx.posts().len(), pbx.events().len()), (1, 4));
}

#[test]
fn a_refusal_comes_back_in_the_services_words_and_nothing_was_made() {
    let pbx = Pbx::open();
    let mut event = pbx.events()[0].clone();
    event.method = callsweep::domain::Method::Other(Foreign::from("7"));
    let failure = pbx.create(&event).unwrap_err();
    assert_eq!((failure.code.raw(), failure.may_have_acted()), ("pce_method_invalid", false));
    assert_eq!(pbx.events().len(), 3);
}

#[test]
fn a_change_touches_what_it_names_and_nothing_else() {
    let pbx = Pbx::open();
    let before = pbx.events()[0].clone();
    let off = Change { status: Some(Status::Disabled), ..Change::default() };
    pbx.hands.block_on(pbx.client.update(&before.key, &off, &mut Vec::new())).unwrap();
    let after = pbx.events()[0].clone();
    assert_eq!(after.status, Status::Disabled);
    let rest = PhoneCallEvent { status: before.status.clone(), ..after };
    assert_eq!((body(&rest), rest.key), (body(&before), before.key));
}

#[test]
fn a_read_only_client_makes_and_changes_nothing() {
    let pbx = Pbx::with(Writes::ReadOnly, CreatePath::Plain);
    let event = pbx.events()[0].clone();
    let created = pbx.create(&event).unwrap_err();
    let change = Change::default();
    let updated = pbx.hands.block_on(pbx.client.update(&event.key, &change, &mut Vec::new()));
    assert_eq!((created.cause, updated.unwrap_err().cause), (Cause::Withheld, Cause::Withheld));
    assert!(pbx.posts().is_empty());
}
