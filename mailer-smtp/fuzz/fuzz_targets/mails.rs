//! Any letter, put into its wire form.

#![no_main]

#[path = "../../src/fuzzing/properties/letter.rs"]
mod letter;
#[path = "../../src/fuzzing/properties/mails.rs"]
mod mails;
#[path = "../../src/fuzzing/properties/mime.rs"]
mod mime;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    mails::check_mail(&letter::Letter::from_bytes(input));
});
