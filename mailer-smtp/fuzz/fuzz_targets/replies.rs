//! Any bytes of a relay, in any pieces.

#![no_main]

#[allow(dead_code, unused_imports, reason = "each target checks one of them")]
#[path = "../../src/fuzzing/properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|input: &[u8]| properties::check_replies(input));
