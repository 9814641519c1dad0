//! callsweep

#![cfg_attr(
    test,
    expect(
        clippy::wildcard_enum_match_arm,
        clippy::unnecessary_wraps,
        reason = "a test names the one case it is about"
    )
)]

pub mod api;
pub mod app;
pub mod commands;
pub mod config;
pub mod deletion;
pub mod domain;
pub mod journal;
pub mod runtime;
pub mod simulator;
pub mod terminal;
pub mod view;
