//! The stages of the pipeline, one file each. Each reads what the one before it left in the run's folder.

pub mod codegen;
pub mod data;
pub mod emulate;
pub mod eval;
pub mod firmware;
pub mod quantize;
pub mod report;
pub mod train;

/// File names inside a run's folder.
pub mod file {
    /// The model that a training started from, where it did not start from nothing.
    pub const INITIAL: &str = "init.safetensors";
    /// The trained float graph.
    pub const CHECKPOINT: &str = "train/model.safetensors";
    /// How the training went.
    pub const TRAINING: &str = "train/training.json";
    /// Ranges that the activations were trained for, where they were.
    pub const TRAINED_RANGES: &str = "train/ranges.json";
    /// The quantizer's recipe that goes with them.
    pub const TRAINED_RECIPE: &str = "train/recipe.toml";
    /// Ranges of the activations over the representative data set.
    pub const RANGES: &str = "ranges.json";
    /// The float model.
    pub const FLOAT32: &str = "model.f32.tflite";
    /// The int8 model.
    pub const INT8: &str = "model.int8.tflite";
    /// The model with weights in float16.
    pub const FLOAT16: &str = "model.f16.tflite";
    /// The model with int8 weights and float activations.
    pub const DYNAMIC: &str = "model.dynamic.tflite";
    /// The model with int16 activations and int8 weights.
    pub const INT16X8: &str = "model.int16x8.tflite";
    /// The variants of the model: name, file, and what it says of each test image, class by class: little-endian numbers of the
    /// type of its output.
    pub const MODELS: [(&str, &str, &str); 5] = [
        ("float32", FLOAT32, "scores.f32.bin"),
        ("int8", INT8, SCORES),
        ("float16", FLOAT16, "scores.f16.bin"),
        ("dynamic", DYNAMIC, "scores.dynamic.bin"),
        ("int16x8", INT16X8, "scores.int16x8.bin"),
    ];
    /// Figures of the model files on the test set.
    pub const EVALUATION: &str = "evaluation.json";
    /// What the int8 model says of each test image: one int8 per class and image.
    pub const SCORES: &str = "scores.int8.bin";
    /// The int8 model as Rust source.
    pub const SOURCE: &str = "model_data.rs";
    /// The int8 model compiled to Rust.
    pub const COMPILED: &str = "model_compiled.rs";
}
