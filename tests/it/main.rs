//! The one integration test binary: every module is a theme, every test a sentence.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods,
    clippy::match_wild_err_arm,
    clippy::allow_attributes,
    reason = "a test that cannot go on should stop where it is"
)]

mod answers;
mod asleep;
mod backup;
mod blocker;
mod budget;
mod certificates;
mod change;
mod choosing;
mod choosing_profile;
mod config;
mod connections;
mod delete;
mod desk;
mod earlier_runs;
mod elsewhere;
mod ends;
mod far;
mod faults;
mod first_hour;
mod footprint;
mod full_disk;
mod hands;
mod headless;
mod help;
mod hostile;
mod journey;
mod limits;
mod lists;
mod logs;
mod long_lists;
mod looks;
mod masks;
mod monkey;
mod one_writer;
mod outages;
mod owners;
mod paint;
mod papers;
mod processes;
mod proxies;
mod pty;
mod rebound;
mod receipts;
mod remote;
mod removing;
mod reports;
mod resume;
mod run_files;
mod secrets;
mod selection;
mod session;
mod shells;
mod simulated;
mod slow;
mod ssh_demo;
mod start;
mod story;
mod surroundings;
mod switching;
mod tidy;
mod tls;
mod tokens;
mod undo;
mod unseen;
mod vendor;
mod way_back;
mod writing;
