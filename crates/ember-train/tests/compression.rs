//! Trainings that compress: what they promise of the weights holds at the end, and the quantizer makes the integers that
//! were trained.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ember_compress::cluster::Clustering;
use ember_compress::prune::{Pruning, Schedule};
use ember_compress::simulate::simulate;
use ember_compress::{Calibration, Range, Recipe, quantize_by};
use ember_data::{Dataset, DatasetSource, LoadOptions, SyntheticOptions};
use ember_graph::{Elements, Graph, QuantizedGraph, QuantizedSource, checkpoint, models};
use ember_train::compression::{Prune, WeightBits};
use ember_train::job::{Job, MODEL_FILE, RANGES_FILE, RECIPE_FILE, Start, load_init};
use ember_train::{
    Backend, Compression, EpochRecord, Observer, Outcome, Score, Settings, TrainError,
    TrainingRecord,
};

/// Raises the stop flag after so many steps.
struct StopAfter<'a> {
    steps: u64,
    stop: &'a AtomicBool,
}

impl Observer for StopAfter<'_> {
    fn epoch_started(&mut self, _epoch: usize, _epochs: usize, _step: usize, _steps: usize) {}

    fn step_done(&mut self, _step: usize, _score: &Score) {
        self.steps = self.steps.saturating_sub(1);
        if self.steps == 0 {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn epoch_done(&mut self, _record: &EpochRecord) {}
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

fn settings(model: &str, epochs: usize, compression: Compression) -> Settings {
    Settings {
        model: model.to_owned(),
        dataset: "synthetic".to_owned(),
        backend: Backend::Flex,
        epochs,
        batch: 32,
        learning_rate: 5e-3,
        final_learning_rate: Some(0.0),
        seed: 11,
        validation: 100,
        limit_steps: None,
        compression,
    }
}

/// Trains for at most `steps` steps, from the checkpoint in `init` where there is one.
fn train(
    data: &Dataset,
    mut settings: Settings,
    [init, out]: [Option<&Path>; 2],
    start: Start,
    steps: u64,
) -> Result<Option<TrainingRecord>, TrainError> {
    let graph = match init {
        None => models::find(&settings.model)?.build()?,
        Some(folder) => {
            let (graph, sha256) = load_init(&folder.join(MODEL_FILE))?;
            settings.compression.init = Some(sha256);
            graph
        }
    };
    let mut job = Job::new(graph, data, settings, out.unwrap(), start, Instant::now())?;
    let stop = AtomicBool::new(false);
    let mut observer = StopAfter { steps, stop: &stop };
    match job.run(&stop, &mut observer)? {
        Outcome::Interrupted => Ok(None),
        Outcome::Finished => job.finish(&[], |_, _| ()).map(Some),
    }
}

fn whole(
    data: &Dataset,
    settings: Settings,
    folders: [Option<&Path>; 2],
) -> Result<TrainingRecord, TrainError> {
    Ok(train(data, settings, folders, Start::New, u64::MAX)?.unwrap())
}

fn trained(folder: &Path) -> Graph {
    checkpoint::load(&folder.join(MODEL_FILE)).unwrap().graph
}

/// The model as its own ranges and recipe quantize it.
fn quantized(folder: &Path) -> QuantizedGraph {
    #[derive(serde::Deserialize)]
    struct Ranges {
        images: usize,
        ranges: BTreeMap<String, [f32; 2]>,
    }
    let graph = trained(folder);
    let ranges: Ranges =
        serde_json::from_slice(&std::fs::read(folder.join(RANGES_FILE)).unwrap()).unwrap();
    let recipe = std::fs::read_to_string(folder.join(RECIPE_FILE)).unwrap();
    let named = ranges.ranges.iter();
    let named = named.map(|(name, [min, max])| {
        let range = Range {
            min: *min,
            max: *max,
        };
        (name.as_str(), range)
    });
    let calibration = Calibration::from_named(&graph, ranges.images, named).unwrap();
    quantize_by(&graph, Some(&calibration), &Recipe::parse(&recipe).unwrap()).unwrap()
}

/// How many test images it gets right.
fn right(graph: &QuantizedGraph, data: &Dataset) -> usize {
    let pixels = data.test.images().iter();
    let pixels: Vec<f32> = pixels.map(|pixel| f32::from(*pixel) / 255.0).collect();
    let scores = simulate(graph, data.test.len(), &[&pixels], |_, _| ()).unwrap();
    let best = |scores: &[f32]| {
        let scores = scores.iter().enumerate();
        scores.fold((0, f32::MIN), |best, (class, score)| {
            if *score > best.1 {
                (class, *score)
            } else {
                best
            }
        })
    };
    let answers = scores[0].chunks(10).map(|scores| best(scores).0);
    let labels = data.test.labels().iter();
    answers
        .zip(labels)
        .filter(|(class, label)| *class == usize::from(**label))
        .count()
}

/// The integers of every constant with more than 20 elements.
fn integers(graph: &QuantizedGraph) -> Vec<Vec<i8>> {
    let numbers = graph
        .values()
        .iter()
        .filter_map(|value| match &value.source {
            QuantizedSource::Constant(
                Elements::Int8(numbers) | Elements::Int4(numbers) | Elements::Int2(numbers),
            ) => Some(numbers.clone()),
            _ => None,
        });
    numbers.filter(|numbers| numbers.len() > 20).collect()
}

fn different<T: Ord + Copy>(numbers: &[T]) -> usize {
    numbers.iter().copied().collect::<BTreeSet<T>>().len()
}

fn qat(bits: WeightBits) -> Compression {
    Compression {
        qat: Some(bits),
        ..Compression::default()
    }
}

#[test]
fn the_quantized_model_is_the_one_that_was_trained() {
    let data = digits();
    let float = tempfile::tempdir().unwrap();
    let plain = settings("seed-cnn", 8, Compression::default());
    let float = whole(&data, plain, [None, Some(float.path())]).unwrap();
    for (bits, most, loss) in [
        (WeightBits::Int8, 255, 0.04),
        (WeightBits::Int4, 15, 0.06),
        (WeightBits::Ternary, 3, 0.15),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings("seed-cnn", 8, qat(bits));
        let record = whole(&data, settings, [None, Some(folder.path())]).unwrap();
        assert!(
            record.test_accuracy > float.test_accuracy - loss,
            "{bits:?}: {} {}",
            record.test_accuracy,
            float.test_accuracy
        );
        let quantized = quantized(folder.path());
        let large = integers(&quantized)
            .into_iter()
            .find(|own| own.len() > 20_000)
            .unwrap();
        assert!(
            different(&large) <= most && different(&large) > 2,
            "{bits:?}"
        );
        let images = data.test.len() as f64;
        let difference = record.test_accuracy - right(&quantized, &data) as f64 / images;
        // One of 300 images may lie on the edge, where softmax rounds its scores to 1/256.
        assert!(difference.abs() < 1.5 / images, "{bits:?}: {difference}");
    }
}

#[test]
fn pruned_weights_stay_zero_in_each_pattern() {
    let data = digits();
    let base = tempfile::tempdir().unwrap();
    let plain = settings("mlp", 6, Compression::default());
    let float = whole(&data, plain, [None, Some(base.path())]).unwrap();
    let polynomial = |last| Schedule::Polynomial {
        initial: 0.2,
        last,
        begin: 5,
        end: 40,
        power: 3.0,
        frequency: 10,
    };
    let constant = Schedule::Constant {
        sparsity: 0.5,
        begin: 3,
        frequency: 100,
    };
    let unstructured = Pruning::Unstructured { sparsity: 0.0 };
    let block = Pruning::Block {
        rows: 4,
        columns: 1,
        sparsity: 0.0,
    };
    for (pattern, schedule, share) in [
        (unstructured, polynomial(0.8), 0.8),
        (block, polynomial(0.75), 0.75),
        (Pruning::TWO_OF_FOUR, constant, 0.5),
    ] {
        let out = tempfile::tempdir().unwrap();
        let compression = Compression {
            prune: Some(Prune { pattern, schedule }),
            min_weights: 1024,
            ..Compression::default()
        };
        let folders = [Some(base.path()), Some(out.path())];
        let record = whole(&data, settings("mlp", 6, compression), folders).unwrap();
        assert!(
            record.test_accuracy > float.test_accuracy - 0.1,
            "{pattern:?}: {} {}",
            record.test_accuracy,
            float.test_accuracy
        );
        let graph = trained(out.path());
        let weights = graph
            .constant(graph.find("dense.weights").unwrap())
            .unwrap();
        let zeros = weights.iter().filter(|weight| **weight == 0.0).count() as f64;
        assert!(
            (zeros / weights.len() as f64 - share).abs() < 0.001,
            "{pattern:?}"
        );
        match pattern {
            Pruning::NOfM { .. } => assert!(
                weights
                    .chunks(4)
                    .all(|four| { four.iter().filter(|weight| **weight == 0.0).count() == 2 })
            ),
            Pruning::Block { .. } => {
                let row = 28 * 28;
                assert!((0..row).all(|column| {
                    (0..8).all(|block| {
                        let zero =
                            |row_of: usize| weights[(4 * block + row_of) * row + column] == 0.0;
                        (1..4).all(|at| zero(at) == zero(0))
                    })
                }));
            }
            Pruning::Unstructured { .. } => {}
        }
    }
}

#[test]
fn pruned_then_clustered_then_quantized_keeps_all_three() {
    let data = digits();
    let folders = [(); 4].map(|()| tempfile::tempdir().unwrap());
    let [base, pruned, clustered, last] = folders.each_ref().map(|folder| folder.path());
    whole(
        &data,
        settings("nano-cnn", 12, Compression::default()),
        [None, Some(base)],
    )
    .unwrap();
    let prune = Compression {
        prune: Some(Prune {
            pattern: Pruning::Unstructured { sparsity: 0.0 },
            schedule: Schedule::Polynomial {
                initial: 0.0,
                last: 0.6,
                begin: 0,
                end: 50,
                power: 3.0,
                frequency: 10,
            },
        }),
        min_weights: 200,
        ..Compression::default()
    };
    whole(
        &data,
        settings("nano-cnn", 6, prune),
        [Some(base), Some(pruned)],
    )
    .unwrap();
    let cluster = Compression {
        cluster: Some(Clustering::default()),
        keep_zeros: true,
        ..Compression::default()
    };
    whole(
        &data,
        settings("nano-cnn", 2, cluster),
        [Some(pruned), Some(clustered)],
    )
    .unwrap();
    let all = Compression {
        keep_zeros: true,
        keep_clusters: true,
        ..qat(WeightBits::Int8)
    };
    let settings = settings("nano-cnn", 3, all);
    let record = whole(&data, settings, [Some(clustered), Some(last)]).unwrap();
    assert!(record.test_accuracy > 0.75, "{}", record.test_accuracy);
    let tensors = integers(&quantized(last));
    assert_eq!(tensors.len(), 3);
    for integers in tensors {
        assert!(
            different(&integers) <= 16,
            "{} values",
            different(&integers)
        );
        let zeros = integers.iter().filter(|integer| **integer == 0).count() as f64;
        let share = if integers.len() < 200 { 0.0 } else { 0.6 };
        assert!(zeros / integers.len() as f64 >= share - 0.001);
    }
}

#[test]
fn an_interrupted_training_keeps_ranges_masks_and_clusters() {
    let data = digits();
    let base = tempfile::tempdir().unwrap();
    whole(
        &data,
        settings("mlp", 2, Compression::default()),
        [None, Some(base.path())],
    )
    .unwrap();
    let compression = Compression {
        prune: Some(Prune {
            pattern: Pruning::Unstructured { sparsity: 0.0 },
            schedule: Schedule::Polynomial {
                initial: 0.0,
                last: 0.5,
                begin: 4,
                end: 30,
                power: 3.0,
                frequency: 7,
            },
        }),
        cluster: Some(Clustering {
            clusters: 64,
            ..Clustering::default()
        }),
        ..qat(WeightBits::Int4)
    };
    let [once, twice] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let settings = settings("mlp", 3, compression);
    let at_once = whole(
        &data,
        settings.clone(),
        [Some(base.path()), Some(once.path())],
    )
    .unwrap();
    let folders = [Some(base.path()), Some(twice.path())];
    assert!(
        train(&data, settings.clone(), folders, Start::New, 23)
            .unwrap()
            .is_none()
    );
    assert!(
        train(&data, settings.clone(), folders, Start::Resume, 11)
            .unwrap()
            .is_none()
    );
    let resumed = train(&data, settings.clone(), folders, Start::Resume, u64::MAX).unwrap();
    assert_eq!(
        resumed.unwrap().checkpoint_sha256,
        at_once.checkpoint_sha256
    );
    let read = |folder: &tempfile::TempDir| std::fs::read(folder.path().join(RANGES_FILE)).unwrap();
    assert_eq!(read(&once), read(&twice));

    let mut other = settings;
    other.compression.qat = Some(WeightBits::Int8);
    train(&data, other.clone(), folders, Start::Force, 3).unwrap();
    other.compression.qat = None;
    let error = train(&data, other, folders, Start::Resume, 1)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("--qat is None now and was Some(Int8)"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_compressed_gets_one_clear_error() {
    let data = digits();
    let base = tempfile::tempdir().unwrap();
    whole(
        &data,
        settings("mlp", 1, Compression::default()),
        [None, Some(base.path())],
    )
    .unwrap();
    let clustering = |clusters| Compression {
        cluster: Some(Clustering {
            clusters,
            ..Clustering::default()
        }),
        ..Compression::default()
    };
    let pruning = |last, end| Compression {
        prune: Some(Prune {
            pattern: Pruning::Unstructured { sparsity: 0.0 },
            schedule: Schedule::Polynomial {
                initial: 0.0,
                last,
                begin: 0,
                end,
                power: 3.0,
                frequency: 1,
            },
        }),
        ..Compression::default()
    };
    let out = tempfile::tempdir().unwrap();
    let error = |compression, init: Option<&Path>| {
        let settings = settings("mlp", 1, compression);
        whole(&data, settings, [init, Some(out.path())])
            .unwrap_err()
            .to_string()
    };
    let from = Some(base.path());
    for (compression, init, expected) in [
        (clustering(16), None, "give it --init"),
        (clustering(257), from, "257"),
        (clustering(1), from, "1"),
        (pruning(1.5, 5), from, "1.5"),
        (pruning(0.5, 19), from, "--prune-end = 19"),
    ] {
        let error = error(compression, init);
        assert!(error.contains(expected), "{error}");
    }
}
