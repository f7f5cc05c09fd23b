//! Lets burn-onnx write Burn code for each model.

use burn_onnx::ModelGen;

const MODELS: [&str; 8] = [
    "mlp",
    "mlp_bn",
    "cnn",
    "cnn_bn",
    "residual",
    "residual_bn",
    "depthwise",
    "depthwise_bn",
];

fn main() {
    for name in MODELS {
        let file = format!("../../crates/ember-onnx/tests/models/{name}.onnx");
        println!("cargo::rerun-if-changed={file}");
        ModelGen::new()
            .input(&file)
            .out_dir("models/")
            .run_from_script();
    }
}
