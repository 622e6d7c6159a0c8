//! `campaign` over Redis, each command in a process of its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bad_server;
mod chaos;
mod policy;
#[path = "../it/program.rs"]
mod program;
mod resubmit;
mod scenario_4;
mod signals;
mod stage;
mod test_mail;
mod windows;
