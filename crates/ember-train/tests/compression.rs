//! Trainings that compress: what they promise of the weights holds at the end, and the quantizer makes the integers that
//! were trained.

mod digits;

use std::collections::BTreeSet;
use std::path::Path;

use ember_compress::cluster::Clustering;
use ember_compress::prune::{Pruning, Schedule};
use ember_graph::{Elements, QuantizedGraph, QuantizedSource};
use ember_train::Compression;
use ember_train::compression::{Prune, WeightBits};
use ember_train::job::{RANGES_FILE, Start};

use digits::{digits, qat, quantized, right, settings, train, trained, whole};

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
