//! Opening: a file and the same bytes give the same model, and what is no model is named.

use std::fs;

use ember_lite::{LiteError, MappedModel};

use crate::models;

#[test]
fn a_mapped_file_is_the_model_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bright.tflite");
    let bytes = models::int8();
    fs::write(&path, &bytes).unwrap();
    let model = MappedModel::open(&path).unwrap();
    assert_eq!(model.bytes(), bytes);
    assert_eq!(model.bytes().as_ptr() as usize % 16, 0);
    let copied = models::opened(&bytes);
    assert_eq!(copied.bytes(), bytes);
    assert_eq!(model.arena_bytes().unwrap(), copied.arena_bytes().unwrap());
    // The file may be replaced while it is open: the mapping keeps the old one.
    fs::write(dir.path().join("new"), b"something else").unwrap();
    fs::rename(dir.path().join("new"), &path).unwrap();
    assert_eq!(model.bytes(), bytes);
}

#[test]
fn weight_bytes_are_those_of_the_constants() {
    // Three rows of four int8 weights and three int32 biases; the same in float32.
    assert_eq!(
        models::opened(&models::int8()).weight_bytes().unwrap(),
        12 + 12
    );
    assert_eq!(
        models::opened(&models::float32()).weight_bytes().unwrap(),
        48 + 12
    );
}

#[test]
fn what_cannot_be_opened_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = MappedModel::open(&dir.path().join("none.tflite")).unwrap_err();
    assert!(matches!(missing, LiteError::Open { .. }), "{missing}");
    assert!(missing.to_string().contains("none.tflite"), "{missing}");
    let folder = MappedModel::open(dir.path()).unwrap_err();
    assert!(matches!(folder, LiteError::NotAFile { .. }), "{folder}");
}

#[test]
fn what_is_not_a_model_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bad.tflite");
    let model = models::int8();
    for bytes in [&[][..], b"\x7fELF", &[0; 4096], &model[..model.len() / 2]] {
        fs::write(&path, bytes).unwrap();
        let error = MappedModel::open(&path).unwrap_err();
        assert!(matches!(error, LiteError::Read { .. }), "{error}");
        assert!(error.to_string().contains("bad.tflite: "), "{error}");
    }
}
