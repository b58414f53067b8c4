#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| oauth_fuzz_macros::policy(text));
