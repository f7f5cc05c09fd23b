//! The report that the tests render: made-up figures of plausible size, in every field.

use ember_report::{
    Data, Development, DeviceRun, Epoch, HostRuntime, Latency, Model, OpCost, Report, SeedResult,
    Training, Variant,
};

/// A run in which every stage ran, on MNIST.
pub(crate) fn complete() -> Report {
    Report {
        run: "sample".to_owned(),
        dataset: "mnist".to_owned(),
        data: Some(Data {
            training_images: 55_000,
            validation_images: 5_000,
            test_images: 10_000,
            representative_images: 200,
        }),
        model: Some(Model {
            name: "seed-cnn".to_owned(),
            parameters: 21_898,
            macs: 70_464,
            input_shape: vec![1, 28, 28, 1],
        }),
        training: Some(training()),
        variants: vec![
            variant("float32", 90_000, 87_592, 27_100, 0.9771, 0.0712, 31.4),
            variant("int8", 25_600, 22_094, 6_912, 0.9769, 0.0721, 29.8),
        ],
        host: Some(HostRuntime {
            variant: "int8".to_owned(),
            program_bytes: Some(2_345_678),
            peak_ram_bytes: Some(11_000_000),
        }),
        device: vec![
            device("cortex-m4", "qemu-system-arm 7.2.22 mps2-an386", 2_900_000),
            device("riscv32imac", "qemu-system-riscv32 7.2.22 virt", 3_300_000),
        ],
        development: Some(Development {
            commands: vec!["cargo xtask pipeline".to_owned()],
            languages: vec!["Rust".to_owned()],
            model_lines: Some(24),
            firmware_lines: Some(12),
            host_dependencies: Some(310),
            device_dependencies: Some(9),
            firmware_build_seconds: Some(4.25),
            pipeline_seconds: Some(96.4),
        }),
        versions: [("ember", "0.1.0"), ("rustc", "1.95.0")]
            .map(|(tool, version)| (tool.to_owned(), version.to_owned()))
            .into(),
        ..Report::default()
    }
}

/// A run on drawn digits that stopped after the training.
pub(crate) fn synthetic_without_device() -> Report {
    let complete = complete();
    Report {
        dataset: "synthetic".to_owned(),
        variants: Vec::new(),
        host: None,
        device: Vec::new(),
        development: None,
        ..complete
    }
}

fn training() -> Training {
    let epoch = |epoch: u64, loss: f64, accuracy: f64, val_loss: f64, val_accuracy: f64| Epoch {
        epoch,
        loss,
        accuracy,
        val_loss: Some(val_loss),
        val_accuracy: Some(val_accuracy),
        seconds: 3.4,
    };
    Training {
        backend: "flex".to_owned(),
        epochs: 5,
        batch_size: 32,
        optimizer: "adam".to_owned(),
        learning_rate: 0.001,
        seed: 1,
        seconds: 17.0,
        process_seconds: Some(18.6),
        test_accuracy: 0.9771,
        test_loss: Some(0.0712),
        history: vec![
            epoch(1, 0.3821, 0.8902, 0.1712, 0.9511),
            epoch(2, 0.1463, 0.9581, 0.1131, 0.9668),
            epoch(3, 0.1052, 0.9694, 0.0954, 0.9721),
            epoch(4, 0.0843, 0.9751, 0.0861, 0.9747),
            epoch(5, 0.0711, 0.9789, 0.0812, 0.9762),
        ],
        seeds: [(1, 0.9771), (2, 0.9783), (3, 0.9760)]
            .map(|(seed, test_accuracy)| SeedResult {
                seed,
                test_accuracy,
                test_loss: None,
            })
            .to_vec(),
        checkpoint_bytes: Some(89_120),
        resume_bytes: Some(264_900),
        program_bytes: Some(21_400_000),
        peak_ram_bytes: Some(412_000_000),
    }
}

fn variant(
    name: &str,
    file_bytes: u64,
    weight_bytes: u64,
    arena_bytes: u64,
    accuracy: f64,
    loss: f64,
    mean_us: f64,
) -> Variant {
    Variant {
        name: name.to_owned(),
        file: format!("model.{name}.tflite"),
        file_bytes,
        gzip_bytes: Some(file_bytes - file_bytes / 10),
        weight_bytes,
        arena_bytes: Some(arena_bytes),
        test_images: Some(10_000),
        test_accuracy: Some(accuracy),
        test_loss: Some(loss),
        latency: Some(Latency {
            runs: 2_000,
            threads: 1,
            min_us: mean_us - 1.0,
            mean_us,
            p50_us: mean_us - 0.2,
            p90_us: mean_us + 1.5,
            p99_us: mean_us + 6.0,
        }),
        sha256: None,
        ..Variant::default()
    }
}

fn device(target: &str, emulator: &str, instructions: u64) -> DeviceRun {
    let op = |op: &str, share: f64, macs: Option<u64>| OpCost {
        op: op.to_owned(),
        instructions: (instructions as f64 * share) as u64,
        macs,
    };
    DeviceRun {
        target: target.to_owned(),
        emulator: Some(emulator.to_owned()),
        engine: "interpreter".to_owned(),
        variant: "int8".to_owned(),
        flash_bytes: 18_400 + 25_600,
        code_bytes: 18_400,
        model_bytes: 25_600,
        static_ram_bytes: 212,
        arena_bytes: 6_912,
        stack_bytes: Some(1_040),
        instructions_per_inference: Some(instructions),
        init_instructions: Some(61_000),
        ops: vec![
            op("CONV_2D", 0.8, Some(48_672)),
            op("MAX_POOL_2D", 0.05, None),
            op("RESHAPE", 0.0001, None),
            op("FULLY_CONNECTED", 0.13, Some(21_632)),
            op("FULLY_CONNECTED", 0.003, Some(160)),
            op("SOFTMAX", 0.01, None),
        ],
        images: 10_000,
        mismatches_with_host: 0,
        accuracy: 0.9769,
        seconds: Some(48.2),
    }
}
