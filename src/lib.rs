//! callsweep

pub mod domain;
