//! Any bytes: the reader never panics, and what it accepts the official flatbuffers verifier accepts too, every
//! accessor answers, and writing what was read gives a file that is written the same again.

#![no_main]

use std::hash::DefaultHasher;

use ember_tflite::write::{ModelSpec, verify, write};
use ember_tflite::{Model, walk};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = Model::parse(bytes).inspect_err(|error| assert!(!error.to_string().is_empty()))
    else {
        return;
    };
    walk(&model, &mut DefaultHasher::new());
    verify(bytes).expect("what the reader accepts the official verifier accepts");
    if let Ok(written) = ModelSpec::from_model(&model).and_then(|spec| write(&spec)) {
        let model = Model::parse(&written).expect("what was written is accepted");
        let spec = ModelSpec::from_model(&model).expect("what was written is taken over");
        assert!(write(&spec).expect("it is written again") == written);
    }
});
