//! `campaign` over Redis, each command in a process of its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "figures, for whoever runs one alone")]

mod bad_server;
mod chaos;
mod half_done;
mod policy;
#[path = "../it/program.rs"]
mod program;
mod resubmit;
mod scenario_4;
mod signals;
mod stage;
mod test_mail;
mod windows;
