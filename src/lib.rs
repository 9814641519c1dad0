//! callsweep

pub mod deletion;
pub mod domain;
