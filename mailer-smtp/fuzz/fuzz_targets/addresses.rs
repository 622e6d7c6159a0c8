//! Any text at the door for addresses.

#![no_main]

#[allow(dead_code, unused_imports, reason = "each target checks one of them")]
#[path = "../../src/fuzzing/properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|input: &str| properties::check_address(input));
