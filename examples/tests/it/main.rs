//! The program, run as a user runs it.

mod bad_input;
mod default_run;
mod endings;
mod program;
mod relay_trouble;
mod rows;
mod simulate;
mod small_examples;
mod test_mail;
