//! The program, run as a user runs it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bad_input;
mod default_run;
mod endings;
mod program;
mod relay_trouble;
mod return_path;
mod rows;
mod simulate;
mod small_examples;
mod test_mail;
