//! The program `ember-gpu`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ember_core::{BuiltinOp, Dtype};
use ember_tflite::write::{ModelSpec, OperatorSpec, TensorSpec, write};
use ember_tflite::{FullyConnectedOptions, Options};

use crate::{gpu, to_bytes, to_floats};

/// `[1, 4]` through a dense layer that is the identity, and SIN of it.
fn model() -> Vec<u8> {
    let mut spec = ModelSpec::default();
    let [x, y, z] =
        ["x", "y", "z"].map(|name| spec.push_tensor(TensorSpec::new(name, Dtype::Float32, [1, 4])));
    let identity: Vec<f32> = (0..16)
        .map(|at| if at % 5 == 0 { 1.0 } else { 0.0 })
        .collect();
    let weights = TensorSpec::new("w", Dtype::Float32, [4, 4]).with_data(to_bytes(&identity));
    let weights = spec.push_tensor(weights);
    let options = FullyConnectedOptions::default();
    spec.operators = vec![
        OperatorSpec::new(BuiltinOp::FullyConnected, [x, weights], [y], options),
        OperatorSpec::new(BuiltinOp::Sin, [y], [z], Options::None),
    ];
    (spec.inputs, spec.outputs) = (vec![x], vec![y, z]);
    write(&spec).unwrap()
}

/// The path of a file of a test, in a folder of its own.
fn in_folder(test: &str, file: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&folder).unwrap();
    folder.join(file).display().to_string()
}

fn program(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ember-gpu"));
    command.args(arguments).output().unwrap()
}

/// What a program that succeeded says.
fn said(arguments: &[&str]) -> String {
    let output = program(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_program_inspects_runs_and_times() {
    if gpu().is_none() {
        return;
    }
    let path = |name: &str| in_folder("runs", name);
    fs::write(path("model"), model()).unwrap();
    fs::write(path("x"), to_bytes(&[0.5, -0.25, 0.0, 1.0])).unwrap();

    let text = said(&["inspect", &path("model")]);
    assert!(
        text.contains("0 FULLY_CONNECTED          gpu, partition 0"),
        "{text}"
    );
    assert!(
        text.contains("1 SIN                      interpreter   gpu: no GPU code for SIN"),
        "{text}"
    );

    let (input, outputs) = (path("x"), [path("y"), path("z")]);
    let text = said(&[
        "run",
        &path("model"),
        "--input",
        &input,
        "--output",
        &outputs[0],
        "--output",
        &outputs[1],
    ]);
    assert!(
        text.starts_with("output 0 FLOAT32 [1, 4]: 0.5 -0.25 0 1\n"),
        "{text}"
    );
    assert_eq!(
        to_floats(&fs::read(&outputs[0]).unwrap()),
        [0.5, -0.25, 0.0, 1.0]
    );
    let sines = to_floats(&fs::read(&outputs[1]).unwrap());
    assert!((sines[3] - 1.0_f32.sin()).abs() < 1e-6, "{sines:?}");

    let text = said(&["bench", &path("model"), "--runs", "3"]);
    assert!(text.contains("gpu: FULLY_CONNECTED"), "{text}");
}

#[test]
fn the_program_measures_accuracy() {
    if gpu().is_none() {
        return;
    }
    let path = |name: &str| in_folder("accuracy", name);
    let mut spec = ModelSpec::default();
    let [x, y] =
        ["x", "y"].map(|name| spec.push_tensor(TensorSpec::new(name, Dtype::Float32, [1, 4])));
    let options = ember_tflite::SoftmaxOptions { beta: 9.0 };
    spec.operators = vec![OperatorSpec::new(BuiltinOp::Softmax, [x], [y], options)];
    (spec.inputs, spec.outputs) = (vec![x], vec![y]);
    fs::write(path("model"), write(&spec).unwrap()).unwrap();
    // The brightest pixel is the class; one of the labels says otherwise.
    fs::write(
        path("images"),
        [255, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 255, 0, 0],
    )
    .unwrap();
    fs::write(path("labels"), [0, 2, 3, 0]).unwrap();
    let (images, labels) = (path("images"), path("labels"));
    let files = ["--images", &images, "--labels", &labels];
    let text = said(
        &[
            &["accuracy", &path("model"), "--rows", "2", "--cols", "2"],
            &files[..],
        ]
        .concat(),
    );
    assert!(text.starts_with("75.00 % of 4 images"), "{text}");
}

#[test]
fn a_file_that_is_not_there_is_said_once() {
    let output = program(&["inspect", "nowhere.tflite"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.matches("nowhere.tflite").count(), 1, "{text}");
    assert_eq!(text.matches("os error 2").count(), 1, "{text}");
}

#[test]
fn without_an_adapter_one_error_says_what_to_install() {
    let path = in_folder("none", "model");
    fs::write(&path, model()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ember-gpu"));
    // A manifest that is not there is all that the Vulkan loader finds, and there is no other API to go to.
    command.args(["inspect", &path]);
    command
        .env("VK_DRIVER_FILES", "/nonexistent")
        .env("VK_ICD_FILENAMES", "/nonexistent");
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    // On Windows and macOS there is another API than Vulkan.
    if cfg!(target_os = "linux") {
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("mesa-vulkan-drivers"), "{text}");
        assert!(!text.contains("panicked"), "{text}");
    }
}
