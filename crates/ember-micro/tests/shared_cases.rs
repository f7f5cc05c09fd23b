//! Models of others, with inputs and the outputs that TFLM gave for them: integers to the byte, floats within 1e-5.
//!
//! The cases are found through `EMBER_CASES_DIR`, a folder with one folder per case: `model.tflite`, `case.json`,
//! `inputs.bin`, `outputs.bin`.

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};

use ember_core::{BuiltinOp, Dtype, view};
use ember_micro::{Fault, Interpreter, PrepareError, Slot, registry};
use ember_tflite::Model;
use support::Aligned;

/// The folder of cases, or a word on standard error and none.
fn cases_dir() -> Option<PathBuf> {
    let dir = std::env::var_os("EMBER_CASES_DIR").map(PathBuf::from);
    if dir.is_none() {
        // Not through eprintln, which the test harness keeps to itself.
        let mut out = std::io::stderr();
        let _ = writeln!(
            out,
            "EMBER_CASES_DIR is not set: the shared cases were NOT run"
        );
    }
    dir
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn model_bytes(dir: &Path) -> Aligned {
    Aligned::new(&read(&dir.join("model.tflite")))
}

/// Runs all records of a case; gives the bytes of arena.
fn run(dir: &Path) -> usize {
    let name = dir.file_name().unwrap().to_string_lossy().into_owned();
    let bytes = model_bytes(dir);
    let model = Model::parse(bytes.bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut arena = Aligned::new(&vec![0xa5; 1 << 20]);
    let mut interpreter = Interpreter::new(&model, registry::ALL, arena.bytes_mut())
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let (inputs, outputs) = (
        read(&dir.join("inputs.bin")),
        read(&dir.join("outputs.bin")),
    );
    let (mut inputs, mut outputs) = (&inputs[..], &outputs[..]);
    let mut record = 0;
    while !inputs.is_empty() {
        for index in 0..model.main().inputs().len() {
            let input = interpreter.input(index).unwrap();
            let (now, later) = inputs.split_at(input.len());
            input.copy_from_slice(now);
            inputs = later;
        }
        interpreter
            .invoke()
            .unwrap_or_else(|error| panic!("{name}, record {record}: {error}"));
        for index in 0..model.main().outputs().len() {
            let found = interpreter.output(index).unwrap();
            let (expected, later) = outputs.split_at(found.len());
            outputs = later;
            if interpreter.output_tensor(index).unwrap().dtype() == Dtype::Float32 {
                let expected = Aligned::new(expected);
                let expected = view::from_bytes::<f32>(expected.bytes()).unwrap();
                let found = interpreter.output_as::<f32>(index).unwrap();
                for (found, expected) in found.iter().zip(expected) {
                    assert!(
                        (found - expected).abs() <= 1e-5,
                        "{name}, record {record}: {found} for {expected}"
                    );
                }
            } else {
                assert_eq!(found, expected, "{name}, record {record}, output {index}");
            }
        }
        record += 1;
    }
    assert!(record > 0 && outputs.is_empty(), "{name}: {record} records");
    interpreter.arena_bytes_used()
}

#[test]
fn every_case_is_equal() {
    let Some(dir) = cases_dir() else { return };
    for name in [
        "hello_world_int8",
        "micro_speech",
        "mlperf_ad",
        "mlperf_ic",
        "mlperf_kws",
        "mlperf_sww",
        "mlperf_vww",
        "person_detect",
        "seed_cnn_float32",
        "seed_cnn_int8",
        "seed_cnn_int8_keras_flatten",
    ] {
        let arena = run(&dir.join(name));
        eprintln!("{name}: equal, {arena} bytes of arena");
    }
}

#[test]
fn the_arena_need_is_exact() {
    let Some(dir) = cases_dir() else { return };
    for name in [
        "hello_world_int8",
        "micro_speech",
        "person_detect",
        "seed_cnn_int8",
        "seed_cnn_float32",
    ] {
        let bytes = model_bytes(&dir.join(name));
        let model = Model::parse(bytes.bytes()).unwrap();
        let mut arena = Aligned::new(&vec![0; 1 << 20]);
        let needed = Interpreter::new(&model, registry::ALL, arena.bytes_mut())
            .unwrap()
            .arena_bytes_used();
        let mut exact = Aligned::new(&vec![0; needed]);
        let mut interpreter = Interpreter::new(&model, registry::ALL, exact.bytes_mut()).unwrap();
        interpreter.invoke().unwrap();
        let mut short = Aligned::new(&vec![0; needed - 1]);
        let error = Interpreter::new(&model, registry::ALL, short.bytes_mut()).err();
        let Some(PrepareError::ArenaTooSmall {
            needed: said,
            given,
            ..
        }) = error
        else {
            panic!("{name}: {error:?}");
        };
        assert_eq!(
            (said as usize, given as usize),
            (needed, needed - 1),
            "{name}"
        );
        for len in (0..needed).step_by(7) {
            let mut short = Aligned::new(&vec![0; len]);
            let error = Interpreter::new(&model, registry::ALL, short.bytes_mut()).err();
            let Some(PrepareError::ArenaTooSmall {
                needed: said,
                exact,
                ..
            }) = error
            else {
                panic!("{name} with {len}: {error:?}");
            };
            let said = said as usize;
            assert!(
                said > len && (said == needed || !exact && said < needed),
                "{name} with {len}: {said}"
            );
        }
    }
}

#[test]
fn what_is_missing_is_named() {
    let Some(dir) = cases_dir() else { return };
    let error = |name: &str, registry| {
        let bytes = model_bytes(&dir.join(name));
        let model = Model::parse(bytes.bytes()).unwrap();
        let mut arena = Aligned::new(&vec![0; 1 << 20]);
        Interpreter::new(&model, registry, arena.bytes_mut())
            .err()
            .unwrap_or_else(|| panic!("{name} was prepared"))
    };
    let dynamic = error("seed_cnn_dynamic", registry::FLOAT32);
    assert_eq!(
        dynamic,
        PrepareError::Operator {
            subgraph: 0,
            index: 3,
            op: BuiltinOp::FullyConnected,
            fault: Fault::Dtype {
                slot: Slot::input(1),
                found: Dtype::Int8,
                expected: Dtype::Float32
            },
        }
    );
    assert!(
        dynamic
            .to_string()
            .contains("not supported with these types"),
        "{dynamic}"
    );
    let missing = error("seed_cnn_float32", registry::INT8).to_string();
    assert!(
        missing.contains("operator 0 is CONV_2D version"),
        "{missing}"
    );
    assert!(
        missing.contains("no kernel for CONV_2D on FLOAT32"),
        "{missing}"
    );
}
