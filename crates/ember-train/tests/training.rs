//! Trainings from start to end: they learn, they go on after an interruption with the same bits, they refuse what cannot
//! work.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ember_data::{Dataset, DatasetSource, LoadOptions, SyntheticOptions};
use ember_graph::{checkpoint, models};
use ember_train::job::{Job, MODEL_FILE, STATE_FILE, Start, check_directory};
use ember_train::{
    Backend, Compression, EpochRecord, Observer, Outcome, RECORD_FILE, Score, Settings, TrainError,
    TrainingRecord,
};

/// Raises the stop flag after so many steps.
struct StopAfter<'a> {
    steps: u64,
    stop: &'a AtomicBool,
    epochs: Vec<EpochRecord>,
}

impl Observer for StopAfter<'_> {
    fn epoch_started(&mut self, _epoch: usize, _epochs: usize, _step: usize, _steps: usize) {}

    fn step_done(&mut self, _step: usize, _score: &Score) {
        self.steps = self.steps.saturating_sub(1);
        if self.steps == 0 {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn epoch_done(&mut self, record: &EpochRecord) {
        self.epochs.push(record.clone());
    }
}

fn digits() -> Dataset {
    let mut options = LoadOptions::for_workspace(Path::new("."));
    options.synthetic = SyntheticOptions {
        seed: 4,
        train: 700,
        test: 300,
    };
    ember_data::load(&DatasetSource::Synthetic, &options, &|_| ())
        .unwrap()
        .dataset
}

fn settings(model: &str, epochs: usize) -> Settings {
    Settings {
        model: model.to_owned(),
        dataset: "synthetic".to_owned(),
        backend: Backend::Flex,
        epochs,
        batch: 32,
        learning_rate: 1e-3,
        final_learning_rate: None,
        seed: 11,
        validation: 100,
        limit_steps: None,
        compression: Compression::default(),
    }
}

/// Trains for at most `steps` steps; the record when that was enough.
fn train(
    data: &Dataset,
    settings: &Settings,
    directory: &Path,
    start: Start,
    steps: u64,
) -> Result<Option<TrainingRecord>, TrainError> {
    let graph = models::find(&settings.model)?.build()?;
    let mut job = Job::new(
        graph,
        data,
        settings.clone(),
        directory,
        start,
        Instant::now(),
    )?;
    let stop = AtomicBool::new(false);
    let mut observer = StopAfter {
        steps,
        stop: &stop,
        epochs: Vec::new(),
    };
    match job.run(&stop, &mut observer)? {
        Outcome::Interrupted => Ok(None),
        Outcome::Finished => job.finish(&[], |_, _| ()).map(Some),
    }
}

#[test]
fn a_training_learns_and_records_itself() {
    let data = digits();
    let directory = tempfile::tempdir().unwrap();
    let record = train(
        &data,
        &settings("seed-cnn", 8),
        directory.path(),
        Start::New,
        u64::MAX,
    )
    .unwrap()
    .unwrap();
    assert_eq!(
        (record.training_images, record.validation_images),
        (600, 100)
    );
    assert_eq!(record.steps, 8 * 19);
    assert_eq!(record.history.len(), 8);
    assert!(record.history[7].loss < 0.5 * record.history[0].loss);
    assert!(record.test_accuracy > 0.6, "{}", record.test_accuracy);
    assert_eq!(record.validation_accuracy, record.history[7].val_accuracy);

    let text = std::fs::read_to_string(directory.path().join(RECORD_FILE)).unwrap();
    let stored: TrainingRecord = serde_json::from_str(&text).unwrap();
    assert_eq!(stored, record);

    // The model in the file is the one that was tested.
    let loaded = checkpoint::load(&directory.path().join(MODEL_FILE)).unwrap();
    assert_eq!(loaded.graph.name, "seed-cnn");
    assert_eq!(loaded.metadata["ember.seed"], "11");
    let images: Vec<f32> = data
        .test
        .images()
        .iter()
        .map(|&pixel| f32::from(pixel) / 255.0)
        .collect();
    let scores = ember_graph::eval::evaluate(&loaded.graph, data.test.len(), &[&images]).unwrap();
    let correct = scores[0]
        .chunks(10)
        .zip(data.test.labels())
        .filter(|(scores, label)| {
            let best = (0..10).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
            best == Some(usize::from(**label))
        });
    let accuracy = correct.count() as f64 / data.test.len() as f64;
    assert!((accuracy - record.test_accuracy).abs() <= 1.0 / 300.0 + 1e-9);
}

#[test]
fn an_interrupted_training_ends_with_the_same_bytes() {
    let data = digits();
    let settings = settings("mlp", 2);
    let whole = tempfile::tempdir().unwrap();
    let whole = train(&data, &settings, whole.path(), Start::New, u64::MAX)
        .unwrap()
        .unwrap();
    // The first step, within an epoch, its last step, the first of the next, the last of all.
    for stops in [&[1][..], &[7], &[19], &[20], &[38], &[3, 9, 1, 16]] {
        let directory = tempfile::tempdir().unwrap();
        let mut start = Start::New;
        for &steps in stops {
            let record = train(&data, &settings, directory.path(), start, steps).unwrap();
            assert!(
                record.is_none(),
                "it should have stopped after {steps} steps"
            );
            assert!(!directory.path().join(MODEL_FILE).exists());
            start = Start::Resume;
        }
        let resumed = train(&data, &settings, directory.path(), start, u64::MAX)
            .unwrap()
            .unwrap();
        assert_eq!(
            resumed.checkpoint_sha256, whole.checkpoint_sha256,
            "{stops:?}"
        );
        assert!(resumed.resumed && !whole.resumed);
        let without_times = |record: &TrainingRecord| {
            let mut history = record.history.clone();
            history.iter_mut().for_each(|epoch| epoch.seconds = 0.0);
            history
        };
        assert_eq!(without_times(&resumed), without_times(&whole));
    }
}

#[test]
fn a_limit_of_steps_can_be_lifted_later() {
    let data = digits();
    let whole = tempfile::tempdir().unwrap();
    let whole = train(
        &data,
        &settings("mlp", 2),
        whole.path(),
        Start::New,
        u64::MAX,
    );
    let directory = tempfile::tempdir().unwrap();
    let limited = Settings {
        limit_steps: Some(25),
        ..settings("mlp", 2)
    };
    let record = train(&data, &limited, directory.path(), Start::New, u64::MAX)
        .unwrap()
        .unwrap();
    assert_eq!((record.steps, record.history.len()), (25, 2));
    let record = train(
        &data,
        &settings("mlp", 2),
        directory.path(),
        Start::Resume,
        u64::MAX,
    );
    assert_eq!(
        record.unwrap().unwrap().checkpoint_sha256,
        whole.unwrap().unwrap().checkpoint_sha256
    );
}

#[test]
fn another_seed_is_another_training() {
    let data = digits();
    let hash = |seed| {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings {
            seed,
            ..settings("mlp", 1)
        };
        let record = train(&data, &settings, directory.path(), Start::New, u64::MAX);
        record.unwrap().unwrap().checkpoint_sha256
    };
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
}

#[test]
fn what_the_directory_holds_is_respected() {
    let data = digits();
    let settings = settings("mlp", 2);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let train = |start, steps| train(&data, &settings, directory, start, steps);

    let error = train(Start::Resume, 1).unwrap_err();
    assert!(matches!(error, TrainError::NothingToResume { .. }));
    train(Start::New, 5).unwrap();
    let error = train(Start::New, 5).unwrap_err();
    assert!(matches!(
        error,
        TrainError::Unfinished {
            epoch: 1,
            epochs: 2,
            ..
        }
    ));
    train(Start::Force, u64::MAX).unwrap().unwrap();
    // A finished one may be replaced, and its results do not outlive it.
    train(Start::New, 5).unwrap();
    assert!(!directory.join(MODEL_FILE).exists() && !directory.join(RECORD_FILE).exists());
    check_directory(directory, Start::Resume).unwrap();
}

#[test]
fn only_the_same_training_is_resumed() {
    let data = digits();
    let directory = tempfile::tempdir().unwrap();
    train(&data, &settings("mlp", 2), directory.path(), Start::New, 5).unwrap();
    let error = |settings: &Settings, data: &Dataset| {
        let error = train(data, settings, directory.path(), Start::Resume, 1);
        error.unwrap_err().to_string()
    };
    let other = Settings {
        batch: 64,
        seed: 12,
        ..settings("mlp", 2)
    };
    let text = error(&other, &data);
    assert!(
        text.contains("--batch is 64 now and was 32, --seed is 12 now and was 11"),
        "{text}"
    );
    let text = error(&settings("mlp", 2), &{
        let (train, _) = data.train.hold_out(1, 0);
        Dataset::new("synthetic", train, data.test.clone())
    });
    assert!(text.contains("other images"), "{text}");
    // More epochs are not another training.
    train(
        &data,
        &settings("mlp", 3),
        directory.path(),
        Start::Resume,
        1,
    )
    .unwrap();

    let state = directory.path().join(STATE_FILE);
    let bytes = std::fs::read(&state).unwrap();
    std::fs::write(&state, &bytes[..bytes.len() / 2]).unwrap();
    let text = error(&settings("mlp", 2), &data);
    assert!(
        text.contains("damaged") && text.contains("--force"),
        "{text}"
    );
}

#[test]
fn settings_outside_their_range_are_refused() {
    let data = digits();
    let good = settings("mlp", 1);
    let cases = [
        (
            Settings {
                epochs: 0,
                ..good.clone()
            },
            "--epochs = 0",
        ),
        (
            Settings {
                batch: 0,
                ..good.clone()
            },
            "--batch = 0",
        ),
        (
            Settings {
                batch: 601,
                ..good.clone()
            },
            "expected 1 to 600",
        ),
        (
            Settings {
                validation: 700,
                ..good.clone()
            },
            "fewer than the 700",
        ),
        (
            Settings {
                learning_rate: 0.0,
                ..good.clone()
            },
            "--learning-rate = 0",
        ),
        (
            Settings {
                learning_rate: f64::NAN,
                ..good.clone()
            },
            "--learning-rate = NaN",
        ),
        (
            Settings {
                limit_steps: Some(0),
                ..good.clone()
            },
            "--limit-steps = 0",
        ),
    ];
    for (settings, expected) in cases {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        let error = train(&data, &settings, &out, Start::New, 1)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!out.exists(), "a refused training leaves nothing");
    }
}

#[test]
fn a_training_that_diverges_says_so() {
    let data = digits();
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings {
        learning_rate: 1e36,
        ..settings("mlp", 2)
    };
    let error = train(&data, &settings, directory.path(), Start::New, u64::MAX).unwrap_err();
    assert!(matches!(error, TrainError::Diverged { .. }), "{error}");
}

#[test]
fn images_of_another_size_are_refused() {
    let split = ember_data::Split::new(vec![0; 10 * 16], vec![0; 10], 4, 4).unwrap();
    let data = Dataset::new("tiny", split.clone(), split);
    let directory = tempfile::tempdir().unwrap();
    let error = train(&data, &settings("mlp", 1), directory.path(), Start::New, 1).unwrap_err();
    assert!(error.to_string().contains("4x4"), "{error}");
}
