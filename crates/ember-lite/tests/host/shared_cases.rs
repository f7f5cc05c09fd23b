//! Models that others made, found through `EMBER_CASES_DIR`: integer outputs equal to the byte, float ones within 1e-5.
//! Which operators the runtime has is the affair of its own tests; here a case that it refuses to prepare is only listed.

use std::{env, fs, path::Path};

use ember_core::Dtype;
use ember_lite::{LiteError, MappedModel};

#[test]
fn shared_cases_run_as_their_engines_ran_them() {
    let Some(dir) = env::var_os("EMBER_CASES_DIR") else {
        eprintln!("EMBER_CASES_DIR is not set: the shared cases were not run");
        return;
    };
    let mut folders: Vec<_> = fs::read_dir(&dir)
        .unwrap_or_else(|error| panic!("{}: {error}", Path::new(&dir).display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("case.json").is_file())
        .collect();
    folders.sort();
    let ran = folders.iter().filter(|folder| run(folder)).count();
    assert!(ran > 0, "none of {} cases could be run", folders.len());
}

/// Runs all records of a case; `false` when the runtime has not all its operators.
fn run(folder: &Path) -> bool {
    let case: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("case.json")).unwrap()).unwrap();
    let records = case["count"].as_u64().unwrap() as usize;
    let inputs = fs::read(folder.join("inputs.bin")).unwrap();
    let outputs = fs::read(folder.join("outputs.bin")).unwrap();
    let model = MappedModel::open(&folder.join("model.tflite")).unwrap();
    let mut arena = match model.arena() {
        Ok(arena) => arena,
        Err(error @ LiteError::Prepare { .. }) => {
            eprintln!("not run: {error}");
            return false;
        }
        Err(error) => panic!("{error}"),
    };
    let mut session = model.session(&mut arena).unwrap();
    let dtype = session.output_tensor(0).unwrap().dtype();
    let input_bytes = inputs.len() / records;
    let output_bytes = outputs.len() / records;
    for record in 0..records {
        let input = &inputs[record * input_bytes..][..input_bytes];
        let expected = &outputs[record * output_bytes..][..output_bytes];
        session.input(0).unwrap().copy_from_slice(input);
        session.invoke().unwrap();
        let found = session.output(0).unwrap();
        if dtype == Dtype::Float32 {
            let floats = |bytes: &[u8]| -> Vec<f32> {
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|word| f32::from_le_bytes(*word))
                    .collect()
            };
            for (found, expected) in floats(found).iter().zip(floats(expected)) {
                assert!(
                    (found - expected).abs() <= 1e-5,
                    "{}, record {record}",
                    folder.display()
                );
            }
        } else {
            assert_eq!(found, expected, "{}, record {record}", folder.display());
        }
    }
    true
}
