//! The one integration test binary: every module is a theme, every test a sentence.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "a test that cannot go on should stop where it is"
)]

mod config;
mod papers;
mod tidy;
