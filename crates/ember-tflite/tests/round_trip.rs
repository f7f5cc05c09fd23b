//! Files of others, taken over and written again.

#![cfg(feature = "write")]

mod cases;

use ember_tflite::Model;
use ember_tflite::write::{ModelSpec, verify, write};

#[test]
fn the_models_of_others_are_the_same_after_writing() {
    for (name, bytes) in cases::cases() {
        let model = Model::parse(&bytes).unwrap();
        let spec = ModelSpec::from_model(&model).unwrap_or_else(|error| panic!("{name}: {error}"));
        let ours = write(&spec).unwrap_or_else(|error| panic!("{name}: {error}"));
        let again = ModelSpec::from_model(&Model::parse(&ours).unwrap()).unwrap();
        assert_eq!(again, spec, "{name}");
        assert_eq!(write(&again).unwrap(), ours, "{name}");
        verify(&ours).unwrap();
        assert!(
            ours.len() <= bytes.len(),
            "{name}: {} bytes, theirs {}",
            ours.len(),
            bytes.len()
        );
        println!("{name}: {} bytes, theirs {}", ours.len(), bytes.len());
        if let Some(folder) = std::env::var_os("EMBER_WRITTEN_DIR") {
            std::fs::write(std::path::Path::new(&folder).join(name + ".tflite"), ours).unwrap();
        }
    }
}
