//! callsweep

pub mod app;
pub mod deletion;
pub mod domain;
pub mod view;
