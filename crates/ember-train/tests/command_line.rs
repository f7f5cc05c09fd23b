//! The program as a user meets it: killed, interrupted, misused.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use ember_data::{DatasetSource, LoadOptions, Split, SyntheticOptions};
use ember_train::TrainingRecord;
use ember_train::job::{MODEL_FILE, STATE_FILE};

/// Writes a small dataset as four IDX files.
fn write_data(folder: &Path) {
    let mut options = LoadOptions::for_workspace(Path::new("."));
    options.synthetic = SyntheticOptions {
        seed: 5,
        train: 1000,
        test: 100,
    };
    let data = ember_data::load(&DatasetSource::Synthetic, &options, &|_| ()).unwrap();
    let write = |name: &str, split: &Split| {
        let mut images = vec![0, 0, 8, 3];
        for size in [split.len(), split.rows(), split.cols()] {
            images.extend((size as u32).to_be_bytes());
        }
        images.extend(split.images());
        let mut labels = vec![0, 0, 8, 1];
        labels.extend((split.len() as u32).to_be_bytes());
        labels.extend(split.labels());
        fs::write(folder.join(format!("{name}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{name}-labels-idx1-ubyte")), labels).unwrap();
    };
    write("train", &data.dataset.train);
    write("t10k", &data.dataset.test);
}

struct Workplace {
    folder: tempfile::TempDir,
}

impl Workplace {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        write_data(&data);
        Self { folder }
    }

    fn command(&self, out: &str, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ember-train"));
        command
            .current_dir(self.folder.path())
            .args([
                "--dataset",
                "./data",
                "--validation",
                "100",
                "--model",
                "mlp",
                "--out",
                out,
            ])
            .args(arguments.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, out: &str, arguments: &str) -> Output {
        self.command(out, arguments).output().unwrap()
    }

    fn record(&self, out: &str) -> TrainingRecord {
        let path = self.folder.path().join(out).join("training.json");
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Starts a training and returns it once it has stored its state.
    fn start(&self, out: &str, arguments: &str) -> Child {
        let child = self.command(out, arguments).spawn().unwrap();
        let state = self.folder.path().join(out).join(STATE_FILE);
        let started = Instant::now();
        while !state.exists() {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "no state was stored"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
        child
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_killed_training_goes_on_to_the_same_bytes() {
    let place = Workplace::new();
    assert!(place.run("whole", "--epochs 40 --quiet").status.success());
    for delay in [0, 15, 60] {
        let out = format!("killed-after-{delay}");
        let mut child = place.start(&out, "--epochs 40");
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        let resumed = place.run(&out, "--epochs 40 --resume");
        assert!(resumed.status.success(), "{}", stderr(&resumed));
        let [whole, killed] = ["whole", &out].map(|out| place.record(out));
        assert_eq!(whole.checkpoint_sha256, killed.checkpoint_sha256);
        let left = fs::read_dir(place.folder.path().join(&out)).unwrap();
        assert_eq!(left.count(), 3, "nothing half-written stays");
    }
}

#[test]
fn ctrl_c_stores_the_state_and_says_how_to_go_on() {
    let place = Workplace::new();
    let child = place.start("out", "--epochs 100000");
    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(stderr(&output).contains("--resume"), "{}", stderr(&output));
    let output = place.run("out", "--epochs 2");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("unfinished"),
        "{}",
        stderr(&output)
    );
    // Fewer epochs than it already has: nothing is left to do.
    let output = place.run("out", "--epochs 1 --resume");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let place = Workplace::new();
    let hash = |threads: &str| {
        let mut command = place.command("out", "--epochs 1 --model seed-cnn --quiet");
        // The last --model counts.
        let output = command.env("RAYON_NUM_THREADS", threads).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        place.record("out").checkpoint_sha256
    };
    let one = hash("1");
    assert_eq!(one, hash("2"));
    assert_eq!(one, hash("5"));
}

#[test]
fn without_a_terminal_there_are_plain_lines() {
    let place = Workplace::new();
    let output = place.run("out", "--epochs 2 --also-test ./data");
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stderr(&output);
    assert!(!text.contains('\u{1b}'), "no escape sequences: {text}");
    let epochs: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("val_accuracy: "))
        .collect();
    assert!(
        epochs[0].starts_with("Epoch 1/2  accuracy: ") && epochs.len() == 2,
        "{text}"
    );
    let record = place.record("out");
    assert_eq!(record.also_tested[0].test_accuracy, record.test_accuracy);

    let output = place.run("quiet", "--epochs 1 --quiet");
    assert!(output.status.success() && output.stderr.is_empty() && output.stdout.is_empty());
}

#[test]
fn a_training_tells_how_good_it_was_when() {
    let place = Workplace::new();
    let output = place.run("out", "--epochs 3 --test-each-epoch");
    assert!(output.status.success(), "{}", stderr(&output));
    let record = place.record("out");
    let mut tests = record
        .history
        .iter()
        .map(|epoch| epoch.test_accuracy.unwrap());
    assert_eq!(tests.next_back(), Some(record.test_accuracy));
    let times = record
        .history
        .iter()
        .map(|epoch| epoch.tested_after_seconds.unwrap());
    let times: Vec<f64> = times.collect();
    assert!(times.is_sorted() && times[0] >= record.history[0].seconds);
    assert!(times[2] >= record.seconds && times[2] <= record.process_seconds);
    // It changes nothing.
    assert!(place.run("without", "--epochs 3").status.success());
    let without = place.record("without");
    assert_eq!(without.checkpoint_sha256, record.checkpoint_sha256);
    assert_eq!(without.history[0].test_accuracy, None);
}

#[test]
fn every_mistake_gets_one_clear_error() {
    let place = Workplace::new();
    fs::write(place.folder.path().join("file"), "").unwrap();
    let cases = [
        ("out", "--model sed-cnn", "did you mean \"seed-cnn\"?"),
        ("out", "--backend cuda", "choose flex or ndarray"),
        ("out", "--dataset mnits", "did you mean `mnist`?"),
        ("out", "--dataset ./nowhere", "./nowhere"),
        ("out", "--also-test ./nowhere", "./nowhere"),
        ("out", "--epochs 0", "--epochs = 0"),
        ("out", "--batch 0", "--batch = 0"),
        ("out", "--batch 901", "expected 1 to 900"),
        ("out", "--validation 1000", "fewer than the 1000"),
        ("out", "--learning-rate -1", "a positive number"),
        ("out", "--resume", "no training to resume"),
        ("out", "--init nowhere", "nowhere"),
        ("out", "--cluster 16", "--cluster = 16"),
        (
            "out",
            "--prune 0.5 --prune-end 100000",
            "--prune-end = 100000",
        ),
        (
            "out",
            "--prune 0.5 --prune-schedule constant --prune-begin 100000",
            "--prune-begin = 100000",
        ),
        (
            "out",
            "--prune 0.5 --prune-begin 9 --prune-end 3",
            "it ends at step 3, before it begins at 9",
        ),
        (
            "out",
            "--prune 0.5 --prune-frequency 0",
            "the frequency is 0",
        ),
        ("out", "--prune 0.5 --prune-power 0", "the power is 0"),
        ("out", "--keep-zeros", "--keep-zeros = true"),
        (
            "out",
            "--keep-clusters --qat int8",
            "--keep-clusters = true",
        ),
        ("file/out", "", "file/out"),
    ];
    for (out, arguments, expected) in cases {
        let output = place.run(out, arguments);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments}: {text}");
        assert!(text.contains(expected), "{arguments}: {text}");
        assert_eq!(text.matches("error:").count(), 1, "{arguments}: {text}");
        assert!(text.matches("os error").count() <= 1, "{arguments}: {text}");
        assert!(!text.contains("panicked"), "{arguments}: {text}");
        assert!(!place.folder.path().join("out").join(MODEL_FILE).exists());
    }
}

#[test]
fn what_is_no_value_of_a_flag_is_refused_at_once() {
    let place = Workplace::new();
    for (arguments, expected) in [
        ("--prune 1.5", "a sparsity of 1.5"),
        ("--prune=-0.1", "-0.1"),
        ("--prune NaN", "NaN"),
        ("--prune 5:4", "5:4"),
        ("--prune 0.5/0x1", "0.5/0x1"),
        ("--qat int3", "int8, int4 or ternary"),
        ("--prune 0.5 --prune-schedule linear", "polynomial"),
        ("--prune-end 7", "--prune"),
        ("--cluster many", "many"),
        ("--cluster 8 --keep-clusters", "--keep-clusters"),
    ] {
        let output = place.run("out", arguments);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {text}");
        assert!(text.contains(expected), "{arguments}: {text}");
        assert_eq!(text.matches("error:").count(), 1, "{arguments}: {text}");
    }
}

#[test]
fn weights_that_cannot_be_compressed_get_one_clear_error() {
    let place = Workplace::new();
    let base = "--epochs 1 --model nano-cnn --quiet";
    assert!(place.run("base", base).status.success());
    let base = place.folder.path().join("base").join(MODEL_FILE);
    let bytes = fs::read(&base).unwrap();
    // The last weight of the file becomes a NaN.
    let mut broken = bytes.clone();
    let end = broken.len();
    broken[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(place.folder.path().join("nan"), broken).unwrap();
    fs::write(place.folder.path().join("cut"), &bytes[..bytes.len() / 2]).unwrap();
    let base = "--init base/model.safetensors";
    for (arguments, expected) in [
        ("--init nan", "NaN"),
        ("--init cut", "cut"),
        (
            &format!("{base} --cluster 256"),
            "150 weights in 256 clusters",
        ),
        (&format!("{base} --cluster 1"), "in 1 clusters"),
        (
            &format!("{base} --cluster 64 --cluster-channels"),
            "25 weights in 64 clusters",
        ),
        (
            &format!("{base} --prune 0.5 --prune-end 7 --prune-begin 8"),
            "before it begins",
        ),
    ] {
        let output = place.run("out", arguments);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments}: {text}");
        assert!(text.contains(expected), "{arguments}: {text}");
        assert_eq!(text.matches("error:").count(), 1, "{arguments}: {text}");
        assert!(!text.contains("panicked"), "{arguments}: {text}");
        assert!(!place.folder.path().join("out").join(MODEL_FILE).exists());
    }
}

#[test]
fn help_has_defaults_and_examples() {
    let output = Workplace::new().run("out", "--help");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success());
    for expected in [
        "[default: 5]",
        "[default: 32]",
        "[default: 0.001]",
        "Examples:",
    ] {
        assert!(text.contains(expected), "{text}");
    }
}
