//! A terminal program that deletes phone call events of a VoipNow PBX: those that its operator
//! marked, reviewed and said yes to, and no others.
//!
//! ```text
//!  demo 127.0.0.1:44093 [DEMO]            40 ext  298 events  * 2 marked     a  header
//! ┌ 1 Extensions ── 40 ┐┌ 2 Events of 0003*100 ────────────────── 6 ┐
//! │>[-] 0003*100  6 *2 ││ v [x] Hangup                  2  2 marked │       b  Extensions, Events
//! │ [ ] 0003*101  6    ││   [x] URtugv3n POST crm.acme.test/p… on  C│
//! │ [ ] 0003*102  4    ││   [x] DawctaVk GET  crm-old.acme.te… on  o│
//! │ [ ] 0003*110  7    ││───────────────────────────────────────────│
//! │ [ ] 0003*111  6    ││POST https://crm.acme.test/pbx/hangup?ext=…│       c  the event under the cursor
//! └────────────────────┘└───────────────────────────────────────────┘
//! ┌ 3 Run 20261123T234541Z-demo ─────────────────────── 3/3  23.5/s ┐
//! │ finished: 3 deleted                                             │       d  Status: the run, its calls,
//! │ deleted    200  126ms 0003*100 Dial-In yuqwWfd00BjGohPg1CdZXHYY…│          then the log
//! └─────────────────────────────────────────────────────────────────┘
//! ┌ 5 Calls ─────────────────────────────────────────────────── 44  ┐
//! │ DELETE 0003*100/0/yuqwWfd00BjGohPg1CdZXHYYwqQRys       200 126ms│       e  Calls: every HTTP request
//! └─────────────────────────────────────────────────────────────────┘
//!                                                                            f  prompt: a notice, the filter
//!  d review 2  4 see marks  u take back  U unmark all  ? help                g  hints
//! ```
//!
//! * *a* what must never be out of sight: [`app::Facts`] with its badges, and the count of marks.
//! * *b* rows and marks are [`domain::EventStore`]'s; which rows are shown, open and under the
//!   cursor `>` is [`app::Model`]'s.
//! * *c* text of the service, cleaned on its way to the screen by [`domain::Foreign`].
//! * *d* a [`change::Machine`] of one frozen [`change::Plan`]; beside it, on disk, its
//!   [`journal::RunFile`]. `d` lays an [`app::Review`] of the plan over all this first.
//! * *e* what [`api::Client`] sent, as [`domain::Exchange`]s; 4, the Marked panel, stands beside it
//!   where there is room.
//! * *f* an [`app::Notice`], until the next key.
//! * *g* from [`keys::ACTIONS`], the one table of what can be done; the list of `?` reads it too.
//!
//! All of it is drawn by [`view::draw`], which changes nothing, and changed by [`app::update`],
//! which does nothing but hand out [`app::Effect`]s. [`runtime::perform`] carries each of them out
//! and brings back one [`app::Message`]. What a run wants done is a [`change::Act`]: the command line
//! has [`runtime::carry`] do it without any of the rest.
//!
//! # Modules, lowest floor first
//!
//! A module uses lower floors only; ARCHITECTURE.md says why, and a test holds it.
//!
//! * [`domain`]: the field's words as values that cannot be wrong, the event store, the marks
//! * [`origins`]: what is kept of each PBX: its lock, its budget of failures
//! * [`log`]: what was asked, answered and decided, for whoever looks afterwards
//! * [`keys`]: what can be asked for, and with which keys
//! * [`looks`]: which colours and characters the picture is drawn with
//! * [`change`]: plan, machine and judgement; decides what is sent, sends nothing
//! * [`app`]: the interactive program as a value
//! * [`view`]: that value as a picture
//! * [`api`]: the service over HTTP
//! * [`journal`]: run files
//! * [`config`]: file, environment and flags to one checked profile
//! * [`simulator`]: a small PBX for the demo, the tests and other clients
//! * [`runtime`]: the one place where effects become acts
//! * [`terminal`]: the interactive front
//! * [`commands`]: the command line, and what the program does without its screen

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
pub mod change;
pub mod commands;
pub mod config;
pub mod domain;
pub mod journal;
pub mod keys;
pub mod log;
pub mod looks;
pub mod origins;
pub mod runtime;
pub mod simulator;
pub mod terminal;
pub mod view;
