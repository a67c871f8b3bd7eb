#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stella_tests::fuzz::run("json_members", data));
