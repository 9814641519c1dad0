//! A small PBX that answers as the service does, for the demo, for the tests and standalone.
//!
//! It is written from the vendor's pages alone and shares no type with the client, so that a
//! misreading on one side cannot hide on the other: the two meet only in `assets/wire/*.json`.
//! [`World::answer`] is pure, a request in and an answer out; sockets and waiting are
//! [`Simulator`]'s.

mod answer;
mod blocker;
mod collection;
mod demo;
mod fault;
mod limit;
mod oauth;
mod owners;
mod payload;
mod refusal;
mod route;
mod scenario;
mod server;
mod shapes;
mod soap;
mod tls;
#[cfg(test)]
mod wire;
mod world;
mod write;

pub use answer::{Answer, Delivery, Request};
pub use blocker::Blocker;
pub use demo::DEMO_SEED;
pub use fault::{Fault, WrongLength};
pub use limit::{RateLimit, RetryAfter};
pub use owners::{Me, OutOfReach, Owners, User};
pub use refusal::Refusal;
pub use scenario::{ScenarioError, scenario_names};
pub use server::{Served, Simulator};
pub use shapes::{
    AccessRefusal, Empty, Entry, Errors, Modified, Numbers, PastEnd, Registration, Shapes, Totals,
    Written,
};
pub use soap::Soap;
pub use tls::{Certified, Identity};
pub use world::{DeleteAnswer, Event, Extension, Kind, Latency, Seen, TypeDelete, World};
pub use write::{Besides, Changes, CreatePath};
