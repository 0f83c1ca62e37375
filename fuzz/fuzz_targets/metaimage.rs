#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| brainmesh_fuzz::run("metaimage", input));
