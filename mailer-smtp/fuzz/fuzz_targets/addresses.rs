//! Any text at the door for addresses.

#![no_main]

#[path = "../../src/fuzzing/properties/addresses.rs"]
mod addresses;

libfuzzer_sys::fuzz_target!(|input: &str| addresses::check_address(input));
