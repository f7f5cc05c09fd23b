//! The data of a report: `report.json` is [`Report`] as serde writes it.
//!
//! Units are fixed for every field of every struct here: sizes in bytes, durations in seconds unless the name says
//! microseconds, accuracies as a fraction in 0..=1, losses as mean cross entropy in nats, instructions as counted by the
//! emulator or the core. What was not measured is `None` (`null`) or an empty list.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of the layout of `report.json`; it grows when a field changes its meaning or goes away.
pub const FORMAT: u32 = 1;

/// Everything that one run of the pipeline measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`] of the writer.
    pub format: u32,
    /// The run's name: the folder under `artifacts/runs/`.
    pub run: String,
    /// The data set: `"mnist"`, `"synthetic"` or the name of an IDX set. `"synthetic"` is named in every table.
    pub dataset: String,
    /// How many images of the set were used for what.
    pub data: Option<Data>,
    /// What was trained.
    pub model: Option<Model>,
    /// The training run.
    pub training: Option<Training>,
    /// The model files that came out, float32 first: the others are compared with it.
    #[serde(default)]
    pub variants: Vec<Variant>,
    /// The host runtime's program.
    pub host: Option<HostRuntime>,
    /// One entry per firmware that ran, on an emulator or on a chip.
    #[serde(default)]
    pub device: Vec<DeviceRun>,
    /// What it takes a person to get from nothing to a firmware.
    pub development: Option<Development>,
    /// Tool or crate name → version ("rustc" → "1.95.0").
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// Sentences that a reader of the figures must not miss, shown above the tables.
    #[serde(default)]
    pub notices: Vec<String>,
}

impl Default for Report {
    fn default() -> Self {
        Report {
            format: FORMAT,
            run: String::new(),
            dataset: String::new(),
            data: None,
            model: None,
            training: None,
            variants: Vec::new(),
            host: None,
            device: Vec::new(),
            development: None,
            versions: BTreeMap::new(),
            notices: Vec::new(),
        }
    }
}

/// How many images of the data set were used for what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// Images that the weights were fitted to.
    pub training_images: u64,
    /// Images split off the training set, which every choice was made on.
    pub validation_images: u64,
    /// Images of the test set, used once at the end.
    pub test_images: u64,
    /// Training images that calibrated the activations' ranges.
    pub representative_images: u64,
}

/// What was trained.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// The model's name: `"seed-cnn"`, `"mlp"`, …
    pub name: String,
    /// Trained parameters.
    pub parameters: u64,
    /// Multiply-accumulates of one inference.
    pub macs: u64,
    /// Shape of one input, batch first: `[1, 28, 28, 1]`.
    pub input_shape: Vec<u64>,
}

/// The training run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Burn's backend: `"flex"` or `"ndarray"`.
    pub backend: String,
    /// Epochs trained.
    pub epochs: u64,
    /// Images per step.
    pub batch_size: u64,
    /// The optimizer's name.
    pub optimizer: String,
    /// The optimizer's (first) learning rate.
    pub learning_rate: f64,
    /// The seed of initial weights and shuffling.
    pub seed: u64,
    /// Wall-clock seconds of the fit, without start-up and data reading.
    pub seconds: f64,
    /// Wall-clock seconds of the whole process.
    pub process_seconds: Option<f64>,
    /// Accuracy on the test set after the last epoch.
    pub test_accuracy: f64,
    /// Loss on the test set after the last epoch.
    pub test_loss: Option<f64>,
    /// The training curve.
    #[serde(default)]
    pub history: Vec<Epoch>,
    /// The same training from several seeds, this one included, where that was done.
    #[serde(default)]
    pub seeds: Vec<SeedResult>,
    /// The saved model, in bytes.
    pub checkpoint_bytes: Option<u64>,
    /// The saved model with the optimizer's state, in bytes.
    pub resume_bytes: Option<u64>,
    /// The training program's executable file, in bytes.
    pub program_bytes: Option<u64>,
    /// The training process's highest resident memory, in bytes.
    pub peak_ram_bytes: Option<u64>,
}

/// One epoch of the training curve.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Number, from 1.
    pub epoch: u64,
    /// Mean loss over the epoch's training batches.
    pub loss: f64,
    /// Accuracy over the epoch's training batches.
    pub accuracy: f64,
    /// Loss on the validation split at the end of the epoch.
    pub val_loss: Option<f64>,
    /// Accuracy on the validation split at the end of the epoch.
    pub val_accuracy: Option<f64>,
    /// Wall-clock seconds of the epoch.
    pub seconds: f64,
}

/// The test result of one seed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SeedResult {
    /// The seed.
    pub seed: u64,
    /// Accuracy on the test set.
    pub test_accuracy: f64,
    /// Loss on the test set.
    pub test_loss: Option<f64>,
}

/// One model file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// `"float32"`, `"float16"`, `"dynamic"`, `"int8"`, `"int16x8"`, …
    pub name: String,
    /// The file's name inside the run's folder.
    pub file: String,
    /// Whether it was trained on after it was pruned, clustered or quantized.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fine_tuned: bool,
    /// Size of the whole file.
    pub file_bytes: u64,
    /// Size of the file after gzip, where that was measured.
    pub gzip_bytes: Option<u64>,
    /// Size of the constant tensors alone.
    pub weight_bytes: u64,
    /// What the interpreter's arena needs, where the runtime takes the file.
    pub arena_bytes: Option<u64>,
    /// How many test images the host runtime evaluated.
    pub test_images: Option<u64>,
    /// Accuracy of the file itself on those images, in the host runtime; the mean over [`seeds`](Self::seeds) where there are any.
    pub test_accuracy: Option<f64>,
    /// Loss of the file itself on those images; the mean over [`seeds`](Self::seeds) where there are any.
    pub test_loss: Option<f64>,
    /// The same variant of trainings from several seeds, where that was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<SeedResult>,
    /// Time of one inference of one image on the host.
    pub latency: Option<Latency>,
    /// SHA-256 of the file, in hex.
    pub sha256: Option<String>,
}

/// The time of one inference (batch 1) in the host runtime.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Inferences that were timed.
    pub runs: u64,
    /// Threads that worked on one inference.
    pub threads: u64,
    /// Fastest, in microseconds.
    pub min_us: f64,
    /// Mean, in microseconds.
    pub mean_us: f64,
    /// Median, in microseconds.
    pub p50_us: f64,
    /// 90th percentile, in microseconds.
    pub p90_us: f64,
    /// 99th percentile, in microseconds.
    pub p99_us: f64,
}

/// The host runtime's program and what it takes to evaluate a model in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HostRuntime {
    /// The variant that was evaluated while memory was watched.
    pub variant: String,
    /// The executable file with the runtime in it, in bytes.
    pub program_bytes: Option<u64>,
    /// The evaluating process's highest resident memory, in bytes.
    pub peak_ram_bytes: Option<u64>,
}

/// One firmware on one machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceRun {
    /// The core: `"cortex-m4"`, `"riscv32imac"`, …
    pub target: String,
    /// What played the chip: `"qemu-system-arm 7.2.22 mps2-an386"`, `"built-in (Cortex-M3)"`; `None` is real silicon.
    pub emulator: Option<String>,
    /// `"interpreter"` or `"compiled"`.
    pub engine: String,
    /// The variant that is in the firmware.
    pub variant: String,
    /// The whole image: [`code_bytes`](Self::code_bytes) + [`model_bytes`](Self::model_bytes).
    pub flash_bytes: u64,
    /// Vector table, code, constants and initial values of statics, without the model.
    pub code_bytes: u64,
    /// The model in flash.
    pub model_bytes: u64,
    /// Statics (`.data`, `.bss`, uninitialized) without the arena.
    pub static_ram_bytes: u64,
    /// The arena.
    pub arena_bytes: u64,
    /// Stack high-water mark.
    pub stack_bytes: Option<u64>,
    /// Instructions of one inference, mean over the images. QEMU's `-icount shift=0` counts instructions, not cycles.
    pub instructions_per_inference: Option<u64>,
    /// Instructions that the runtime spends once, before the first inference: checking the model and preparing it.
    pub init_instructions: Option<u64>,
    /// Instructions per operator in the order of execution; their sum may lie below
    /// [`instructions_per_inference`](Self::instructions_per_inference), which has the interpreter's loop in it.
    #[serde(default)]
    pub ops: Vec<OpCost>,
    /// Test images that ran on the device.
    pub images: u64,
    /// Images whose output bytes are not those of the host runtime.
    pub mismatches_with_host: u64,
    /// Accuracy over [`images`](Self::images).
    pub accuracy: f64,
    /// Wall-clock seconds of the run.
    pub seconds: Option<f64>,
}

/// What one operator costs on a device.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OpCost {
    /// The operator's name in the schema: `"CONV_2D"`.
    pub op: String,
    /// Instructions, mean over the images.
    pub instructions: u64,
    /// Multiply-accumulates, where the operator has them.
    pub macs: Option<u64>,
}

/// What it takes a person to get from nothing to a firmware.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Development {
    /// The commands that a user types, in order.
    #[serde(default)]
    pub commands: Vec<String>,
    /// The languages that a user has to write: `["Rust"]`.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Non-empty, non-comment lines that a user writes to define a model of their own.
    pub model_lines: Option<u64>,
    /// Non-empty, non-comment lines that a user writes to run a model in a firmware of their own.
    pub firmware_lines: Option<u64>,
    /// Crates compiled from outside the workspace for the whole pipeline on the host.
    pub host_dependencies: Option<u64>,
    /// Crates compiled from outside the workspace for the firmware.
    pub device_dependencies: Option<u64>,
    /// Seconds of a build of the firmware when only the model changed.
    pub firmware_build_seconds: Option<f64>,
    /// Seconds of the whole pipeline, training included.
    pub pipeline_seconds: Option<f64>,
}

impl Report {
    /// Whether the images were drawn, not photographed: then every table says so.
    #[must_use]
    pub fn is_synthetic(&self) -> bool {
        self.dataset == "synthetic"
    }

    /// The variant of this name.
    #[must_use]
    pub fn variant(&self, name: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.name == name)
    }
}

impl DeviceRun {
    /// All the RAM that the firmware needs, in bytes: statics, arena and stack. `None` while the stack is not known.
    #[must_use]
    pub fn ram_bytes(&self) -> Option<u64> {
        let fixed = self.static_ram_bytes.saturating_add(self.arena_bytes);
        Some(fixed.saturating_add(self.stack_bytes?))
    }
}
