//! callsweep

pub mod domain;
pub mod simulator;
