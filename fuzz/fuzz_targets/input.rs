//! Throws anything at the reader of the terminal: `cargo +nightly fuzz run input`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| callsweep::terminal::hear_anything(bytes));
