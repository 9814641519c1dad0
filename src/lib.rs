//! callsweep

pub mod app;
pub mod deletion;
pub mod domain;
pub mod simulator;
pub mod view;
