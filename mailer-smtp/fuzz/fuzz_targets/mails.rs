//! Any letter, put into its wire form.

#![no_main]

#[allow(dead_code, unused_imports, reason = "each target checks one of them")]
#[path = "../../src/fuzzing/properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    properties::check_mail(&properties::Letter::from_bytes(input));
});
