//! Any bytes of a relay, in any pieces.

#![no_main]

#[path = "../../src/fuzzing/properties/replies.rs"]
mod replies;

libfuzzer_sys::fuzz_target!(|input: &[u8]| replies::check_replies(input));
