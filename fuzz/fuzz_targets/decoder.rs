//! Throws anything at the decoders: `cargo +nightly fuzz run decoder fuzz/corpus/decoder fuzz/seeds`.

#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| callsweep::api::decode_anything(body));
