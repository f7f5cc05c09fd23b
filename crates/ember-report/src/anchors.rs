//! Reference figures: what TensorFlow, TensorFlow Lite and TensorFlow Lite Micro need for the reference CNN.
//!
//! They were measured once, beforehand, with the versions that each source names, or are quoted from a source; no run of
//! Ember measures them. Every table that shows one marks it with † and its source. All are for the model
//! [`MODEL`] on the data set [`DATASET`]; beside another model they are not shown, beside another data set the accuracies
//! are not.
//!
//! "The project documents" are the papers that Ember set out from, which state sizes in KB without saying of 1,000 or 1,024.

/// The model that the figures are for: Conv 8 3×3 relu, MaxPool 2, Dense 16 relu, Dense 10 softmax, input `[1, 28, 28, 1]`.
pub const MODEL: &str = "seed-cnn";

/// The data set that the accuracies are for.
pub const DATASET: &str = "mnist";

/// Size of a model file.
#[derive(Debug, Clone, Copy)]
pub struct SizeAnchor {
    /// The variant beside whose row it stands.
    pub variant: &'static str,
    /// Which program wrote the file.
    pub framework: &'static str,
    /// Size of the file, in bytes.
    pub file_bytes: u64,
    /// Size of the file after `gzip -9`, in bytes.
    pub gzip_bytes: Option<u64>,
    /// Where the figure comes from.
    pub source: &'static str,
}

/// Accuracy of a model on the 10,000 test images.
#[derive(Debug, Clone, Copy)]
pub struct AccuracyAnchor {
    /// The variant beside whose row it stands.
    pub variant: &'static str,
    /// Which program ran the model.
    pub framework: &'static str,
    /// Lowest and highest accuracy seen, as fractions.
    pub accuracy: (f64, f64),
    /// Mean cross entropy, in nats.
    pub loss: Option<f64>,
    /// Where the figure comes from.
    pub source: &'static str,
}

/// A training run of 5 epochs at batch 32 with Adam.
#[derive(Debug, Clone, Copy)]
pub struct TrainingAnchor {
    /// The framework.
    pub framework: &'static str,
    /// Wall-clock seconds of the fit.
    pub seconds: f64,
    /// Wall-clock seconds of the process.
    pub process_seconds: f64,
    /// Epochs.
    pub epochs: u64,
    /// Images per step.
    pub batch_size: u64,
    /// Optimizer and learning rate.
    pub optimizer: &'static str,
    /// Lowest and highest test accuracy seen, as fractions.
    pub accuracy: (f64, f64),
    /// Highest resident memory, in bytes.
    pub peak_ram_bytes: u64,
    /// What has to be installed, in bytes on disk.
    pub program_bytes: u64,
    /// Where the figures come from.
    pub source: &'static str,
}

/// A host runtime.
#[derive(Debug, Clone, Copy)]
pub struct HostAnchor {
    /// The runtime.
    pub framework: &'static str,
    /// What has to be installed, in bytes on disk.
    pub program_bytes: u64,
    /// Highest resident memory while it evaluates the 10,000 test images, in bytes.
    pub peak_ram_bytes: u64,
    /// Where the figures come from.
    pub source: &'static str,
}

/// Time of one inference of one image on one host thread.
#[derive(Debug, Clone, Copy)]
pub struct LatencyAnchor {
    /// The variant beside whose row it stands.
    pub variant: &'static str,
    /// Runtime and kernels.
    pub framework: &'static str,
    /// Median, in microseconds.
    pub median_us: f64,
    /// Where the figure comes from.
    pub source: &'static str,
}

/// A firmware with the int8 or float32 model in it.
#[derive(Debug, Clone, Copy)]
pub struct DeviceAnchor {
    /// The core.
    pub target: &'static str,
    /// The variant in the firmware.
    pub variant: &'static str,
    /// Runtime and kernels.
    pub framework: &'static str,
    /// Flash without the model, in bytes.
    pub code_bytes: u64,
    /// Flash with the model, in bytes.
    pub flash_bytes: u64,
    /// The arena, in bytes.
    pub arena_bytes: u64,
    /// Stack high-water mark, in bytes.
    pub stack_bytes: u64,
    /// Instructions of one inference.
    pub instructions_per_inference: u64,
    /// Instructions of one inference per operator, in order, where known.
    pub ops: &'static [(&'static str, u64)],
    /// Where the figures come from.
    pub source: &'static str,
}

/// What it takes a person.
#[derive(Debug, Clone, Copy)]
pub struct DevelopmentAnchor {
    /// Which row of the table it stands in.
    pub measure: DevelopmentMeasure,
    /// The figure, as it is shown.
    pub value: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

/// The rows of the table of development complexity that have a reference figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DevelopmentMeasure {
    /// Languages that a user writes.
    Languages,
    /// Lines that define and train a model.
    ModelLines,
    /// Lines that run a model in a firmware.
    FirmwareLines,
    /// Packages or crates from others on the host.
    HostDependencies,
    /// Libraries from others in the firmware.
    DeviceDependencies,
}

const CONVERTED: &str = "measured: converted by TensorFlow 2.21, static batch";
const EVALUATED: &str = "measured: TensorFlow 2.21's conversion of its own training, run by LiteRT 2.3 (builtin kernels, no delegates) on the 10,000 MNIST test images";
const TIMED: &str = "measured: LiteRT 2.3, median of single invocations, one thread, x86-64";
const TFLM_M4: &str = "measured: TFLM on a Cortex-M4F, QEMU 7.2 -icount shift=0 (instructions, not cycles), release; int8 firmwares register int8 kernels only";
const TFLM_EXAMPLE: &str =
    "measured: TFLM at 90b983c2b, lines of examples/hello_world without comments and blank lines";

/// Model files, the training framework's own first.
pub const SIZES: &[SizeAnchor] = &[
    SizeAnchor {
        variant: CHECKPOINT,
        framework: "Keras",
        file_bytes: 293_017,
        gzip_bytes: None,
        source: "measured: TensorFlow 2.21, .keras file with the optimizer's state; the project documents say 287 KB",
    },
    SizeAnchor {
        variant: "float32",
        framework: "TFLite",
        file_bytes: 90_316,
        gzip_bytes: Some(82_873),
        source: "measured: converted by TensorFlow 2.21, static batch; the project documents say 88.89 KB",
    },
    SizeAnchor {
        variant: "float16",
        framework: "TFLite",
        file_bytes: 47_604,
        gzip_bytes: Some(42_416),
        source: CONVERTED,
    },
    SizeAnchor {
        variant: "dynamic",
        framework: "TFLite",
        file_bytes: 25_744,
        gzip_bytes: Some(22_345),
        source: CONVERTED,
    },
    SizeAnchor {
        variant: "int8",
        framework: "TFLite",
        file_bytes: 25_992,
        gzip_bytes: Some(21_903),
        source: "measured: converted by TensorFlow 2.21, int8 in and out; the project documents say 26.26 KB",
    },
    SizeAnchor {
        variant: "int16x8",
        framework: "TFLite",
        file_bytes: 26_640,
        gzip_bytes: Some(22_350),
        source: CONVERTED,
    },
];

/// The name under which the training framework's own file stands in [`SIZES`] and [`ACCURACIES`].
pub const CHECKPOINT: &str = "checkpoint";

/// Accuracies on MNIST.
pub const ACCURACIES: &[AccuracyAnchor] = &[
    AccuracyAnchor {
        variant: CHECKPOINT,
        framework: "Keras",
        accuracy: (0.976, 0.978),
        loss: None,
        source: "measured: TensorFlow 2.21, 5 epochs, batch 32, Adam; the range over its trainings",
    },
    AccuracyAnchor {
        variant: "float32",
        framework: "TFLite",
        accuracy: (0.9784, 0.9784),
        loss: Some(0.0667),
        source: EVALUATED,
    },
    AccuracyAnchor {
        variant: "float16",
        framework: "TFLite",
        accuracy: (0.9784, 0.9784),
        loss: Some(0.0667),
        source: EVALUATED,
    },
    AccuracyAnchor {
        variant: "dynamic",
        framework: "TFLite",
        accuracy: (0.9785, 0.9785),
        loss: Some(0.0667),
        source: EVALUATED,
    },
    AccuracyAnchor {
        variant: "int8",
        framework: "TFLite",
        accuracy: (0.9792, 0.9792),
        loss: Some(0.0724),
        source: EVALUATED,
    },
    AccuracyAnchor {
        variant: "int16x8",
        framework: "TFLite",
        accuracy: (0.9787, 0.9787),
        loss: Some(0.0667),
        source: EVALUATED,
    },
];

/// TensorFlow's training of the model.
pub const TRAINING: TrainingAnchor = TrainingAnchor {
    framework: "TensorFlow (Keras)",
    seconds: 22.7,
    process_seconds: 28.0,
    epochs: 5,
    batch_size: 32,
    optimizer: "adam, 0.001",
    accuracy: (0.976, 0.978),
    peak_ram_bytes: 1_150_000_000,
    program_bytes: 1_539_367_283,
    source: "measured: TensorFlow 2.21 on two x86-64 cores; program = the pip package tensorflow-cpu with the 31 packages that it needs, on disk; the project documents say 2-3 s per epoch",
};

/// TensorFlow Lite on the host.
pub const HOST: HostAnchor = HostAnchor {
    framework: "TFLite (LiteRT)",
    program_bytes: 138_163_133,
    peak_ram_bytes: 51_056_640,
    source: "measured: LiteRT 2.3 in Python, int8, 10,000 images, one thread; program = the pip package ai-edge-litert with the 7 packages that it needs, on disk",
};

/// Host latencies.
pub const LATENCIES: &[LatencyAnchor] = &[
    LatencyAnchor {
        variant: "float32",
        framework: "TFLite XNNPACK",
        median_us: 5.9,
        source: TIMED,
    },
    LatencyAnchor {
        variant: "float32",
        framework: "TFLite builtin kernels",
        median_us: 27.6,
        source: TIMED,
    },
    LatencyAnchor {
        variant: "float32",
        framework: "TFLite reference kernels",
        median_us: 126.0,
        source: TIMED,
    },
    LatencyAnchor {
        variant: "int8",
        framework: "TFLite XNNPACK",
        median_us: 6.7,
        source: TIMED,
    },
    LatencyAnchor {
        variant: "int8",
        framework: "TFLite builtin kernels",
        median_us: 24.6,
        source: TIMED,
    },
    LatencyAnchor {
        variant: "int8",
        framework: "TFLite reference kernels",
        median_us: 158.0,
        source: TIMED,
    },
];

/// Firmwares on the Cortex-M4F.
pub const DEVICES: &[DeviceAnchor] = &[
    DeviceAnchor {
        target: "cortex-m4",
        variant: "int8",
        framework: "TFLM reference kernels",
        code_bytes: 35_752,
        flash_bytes: 61_744,
        arena_bytes: 8_052,
        stack_bytes: 664,
        instructions_per_inference: 3_144_636,
        ops: &[],
        source: TFLM_M4,
    },
    DeviceAnchor {
        target: "cortex-m4",
        variant: "int8",
        framework: "TFLM + CMSIS-NN",
        code_bytes: 44_932,
        flash_bytes: 70_924,
        arena_bytes: 8_132,
        stack_bytes: 844,
        instructions_per_inference: 803_124,
        ops: &[
            ("CONV_2D", 683_560),
            ("MAX_POOL_2D", 70_480),
            ("FULLY_CONNECTED", 42_000),
            ("FULLY_CONNECTED", 1_360),
            ("SOFTMAX", 5_000),
        ],
        source: TFLM_M4,
    },
    DeviceAnchor {
        target: "cortex-m4",
        variant: "int8",
        framework: "TFLM + CMSIS-NN (LTO, -Os)",
        code_bytes: 34_354,
        flash_bytes: 60_346,
        arena_bytes: 8_132,
        stack_bytes: 660,
        instructions_per_inference: 935_408,
        ops: &[],
        source: TFLM_M4,
    },
    DeviceAnchor {
        target: "cortex-m4",
        variant: "float32",
        framework: "TFLM reference kernels",
        code_bytes: 35_752,
        flash_bytes: 126_068,
        arena_bytes: 28_064,
        stack_bytes: 488,
        instructions_per_inference: 2_687_656,
        ops: &[],
        source: TFLM_M4,
    },
];

/// Development complexity with TensorFlow and TFLM.
pub const DEVELOPMENT: &[DevelopmentAnchor] = &[
    DevelopmentAnchor {
        measure: DevelopmentMeasure::Languages,
        value: "Python, C++, make",
        source: "TFLM at 90b983c2b, examples/hello_world: train.py, quantization/ptq.py, hello_world_test.cc, Makefile.inc",
    },
    DevelopmentAnchor {
        measure: DevelopmentMeasure::ModelLines,
        value: "143 (train.py 76, ptq.py 67)",
        source: TFLM_EXAMPLE,
    },
    DevelopmentAnchor {
        measure: DevelopmentMeasure::FirmwareLines,
        value: "123 (hello_world_test.cc 99, Makefile.inc 24)",
        source: TFLM_EXAMPLE,
    },
    DevelopmentAnchor {
        measure: DevelopmentMeasure::HostDependencies,
        value: "32 pip packages, 1,539,367,283 bytes",
        source: "measured: pip install tensorflow-cpu (2.21), on disk",
    },
    DevelopmentAnchor {
        measure: DevelopmentMeasure::DeviceDependencies,
        value: "4 (flatbuffers, gemmlowp, ruy, CMSIS-NN)",
        source: "TFLM at 90b983c2b, tools/make: what a Cortex-M build with OPTIMIZED_KERNEL_DIR=cmsis_nn downloads, kissfft left out",
    },
];
