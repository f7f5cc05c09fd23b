//! The program: what it writes, what it says.

mod golden;

use std::path::Path;
use std::process::{Command, Output};

use ember_graph::checkpoint;
use ember_onnx::{Ranges, import};
use golden::path;

fn run(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_ember-onnx");
    Command::new(program).args(arguments).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_float_model_becomes_a_checkpoint_and_json() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model.safetensors");
    let model = path("residual");
    let output = run(&["import", text(&model), "--out", text(&out), "--json", "-q"]);
    assert!(output.status.success(), "{output:?}");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["name"], "residual");
    assert_eq!(summary["quantized"], false);
    assert_eq!(
        summary["inputs"][0]["shape"],
        serde_json::json!([1, 8, 8, 2])
    );
    let graph = checkpoint::load(&out).unwrap().graph;
    assert_eq!(graph, import(&model).unwrap().graph);
}

#[test]
fn a_quantized_model_leaves_its_quantization_beside() {
    let folder = tempfile::tempdir().unwrap();
    let [out, int8, ranges, recipe] = [
        "m.safetensors",
        "m.int8.tflite",
        "ranges.json",
        "recipe.toml",
    ]
    .map(|name| folder.path().join(name));
    let model = path("qdq_per_tensor");
    let output = run(&[
        "import",
        text(&model),
        "--out",
        text(&out),
        "--int8",
        text(&int8),
        "--ranges",
        text(&ranges),
        "--recipe",
        text(&recipe),
    ]);
    assert!(output.status.success(), "{output:?}");
    let kept = import(&model).unwrap().quantized.unwrap();
    assert_eq!(
        std::fs::read(&int8).unwrap(),
        ember_codegen::tflite::quantized(&kept.model).unwrap()
    );
    let read: Ranges = serde_json::from_slice(&std::fs::read(&ranges).unwrap()).unwrap();
    assert_eq!(read, kept.ranges);
    let recipe = std::fs::read_to_string(&recipe).unwrap();
    assert_eq!(ember_compress::Recipe::parse(&recipe).unwrap(), kept.recipe);
    assert!(recipe.contains("tensor"), "{recipe}");
}

/// The images of a model, as `--samples` takes them.
fn samples(name: &str) -> Vec<u8> {
    let golden = golden::Golden::read(name);
    let images = golden.samples(&golden.outputs).into_iter();
    let numbers = images.flat_map(|(image, _)| image);
    numbers.flat_map(f32::to_le_bytes).collect()
}

#[test]
fn a_float_model_becomes_model_files() {
    let folder = tempfile::tempdir().unwrap();
    let [out, float, int8, inputs] = ["m.safetensors", "m.f32.tflite", "m.tflite", "samples"]
        .map(|name| folder.path().join(name));
    std::fs::write(&inputs, samples("cnn")).unwrap();
    let model = path("cnn");
    let mut arguments = vec!["import", text(&model), "--out", text(&out)];
    arguments.extend(["--float", text(&float), "--int8", text(&int8)]);
    let output = run(&[&arguments[..], &["--samples", text(&inputs)]].concat());
    assert!(output.status.success(), "{output:?}");

    let golden = golden::Golden::read("cnn");
    for (file, tolerance) in [(&float, 1e-4), (&int8, 0.05)] {
        let model = ember_lite::MappedModel::open(file).unwrap();
        let mut arena = model.arena().unwrap();
        let mut session = model.session(&mut arena).unwrap();
        for (image, expected) in golden.samples(&golden.outputs) {
            let got = session.run_real(&image).unwrap();
            for (got, expected) in got.iter().zip(expected) {
                assert!((got - expected).abs() <= tolerance, "{got} {expected}");
            }
        }
    }

    // Half a number, and no numbers at all.
    for bytes in [&samples("cnn")[1..], &[]] {
        std::fs::write(&inputs, bytes).unwrap();
        let output = run(&[&arguments[..], &["--samples", text(&inputs)]].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("expected a multiple of 1440"), "{said}");
    }
}

#[test]
fn errors_are_one_line_and_leave_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model.safetensors");
    let damaged = folder.path().join("damaged.onnx");
    std::fs::write(&damaged, b"?").unwrap();
    let output = run(&["import", text(&damaged), "--out", text(&out)]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("damaged.onnx") && said.contains("not an ONNX model"),
        "{said}"
    );
    let int8 = folder.path().join("m.tflite");
    let output = run(&[
        "import",
        text(&path("mlp")),
        "--out",
        text(&out),
        "--int8",
        text(&int8),
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!out.exists() && !int8.exists());
}

#[test]
fn the_operators_are_listed() {
    let output = run(&["ops"]);
    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(listed.lines().any(|line| line == "Conv"), "{listed}");
    assert_eq!(listed.lines().count(), ember_onnx::supported().count());
}
