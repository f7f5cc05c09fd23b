//! Where the model files of others are found.

use std::path::PathBuf;

/// The model files of the cases; empty, with a notice, where the folder is not set.
pub(crate) fn cases() -> Vec<(String, Vec<u8>)> {
    let Some(folder) = std::env::var_os("EMBER_CASES_DIR") else {
        eprintln!("EMBER_CASES_DIR is not set: the models of others are not tested");
        return Vec::new();
    };
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(PathBuf::from(&folder)).expect("EMBER_CASES_DIR is a folder") {
        let entry = entry.unwrap();
        let file = entry.path().join("model.tflite");
        if file.exists() {
            let name = entry.file_name().to_string_lossy().into_owned();
            cases.push((name, std::fs::read(file).unwrap()));
        }
    }
    assert!(!cases.is_empty(), "EMBER_CASES_DIR holds no model.tflite");
    cases
}
