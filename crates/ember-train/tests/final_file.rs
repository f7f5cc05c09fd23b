//! What a training promises of the weights holds in the `.tflite` file that comes out at the end.

mod digits;

use std::collections::BTreeSet;
use std::path::Path;

use ember_compress::cluster::Clustering;
use ember_compress::prune::{Pruning, Schedule};
use ember_compress::scheme::Granularity;
use ember_core::Dtype;
use ember_data::Dataset;
use ember_tflite::Model;
use ember_train::Compression;
use ember_train::compression::{Prune, WeightBits};

use digits::{digits, qat, quantized, settings, whole};

/// A constant of integers.
struct Weights {
    dtype: Dtype,
    /// Integers of one row of its first dimension.
    row: usize,
    integers: Vec<i8>,
}

impl Weights {
    fn sparsity(&self) -> f64 {
        let zeros = self.integers.iter().filter(|integer| **integer == 0);
        zeros.count() as f64 / self.integers.len() as f64
    }

    fn different(integers: &[i8]) -> usize {
        integers.iter().collect::<BTreeSet<_>>().len()
    }
}

/// The filters and weights of the file that the last training of a folder gives. All else in it is made of integers, too.
fn in_file(folder: &Path) -> Vec<Weights> {
    let bytes = ember_codegen::tflite::quantized(&quantized(folder)).unwrap();
    let model = Model::parse(&bytes).unwrap();
    let mut found = Vec::new();
    let graphs = model.subgraphs();
    let tensors = graphs.flat_map(|graph| graph.tensors().collect::<Vec<_>>());
    for tensor in tensors {
        let packed = match tensor.dtype() {
            Dtype::Int8 => 1,
            Dtype::Int4 => 2,
            Dtype::Int2 => 4,
            // Biases and shapes.
            Dtype::Int32 => continue,
            other => panic!("{}: {other:?}", tensor.name()),
        };
        if tensor.data().is_empty() {
            assert_eq!(tensor.dtype(), Dtype::Int8, "{}", tensor.name());
            continue;
        }
        let bits = 8 / packed;
        let integers = tensor.data().iter().flat_map(|byte| {
            // The first element has the lowest bits; the sign is the highest of its own.
            (0..packed).map(move |at| ((byte << (8 - bits * (at + 1))) as i8) >> (8 - bits))
        });
        let integers: Vec<i8> = integers.take(tensor.elements()).collect();
        found.push(Weights {
            dtype: tensor.dtype(),
            row: integers.len() / tensor.shape().get(0).unwrap(),
            integers,
        });
    }
    found
}

/// The tensor with the most weights.
fn largest(folder: &Path) -> Weights {
    let all = in_file(folder).into_iter();
    all.max_by_key(|weights| weights.integers.len()).unwrap()
}

fn prune(pattern: Pruning, schedule: Schedule) -> Compression {
    Compression {
        prune: Some(Prune { pattern, schedule }),
        min_weights: 1024,
        ..Compression::default()
    }
}

const fn polynomial(last: f64) -> Schedule {
    Schedule::Polynomial {
        initial: 0.1,
        last,
        begin: 2,
        end: 50,
        power: 3.0,
        frequency: 8,
    }
}

const fn constant(sparsity: f64) -> Schedule {
    Schedule::Constant {
        sparsity,
        begin: 4,
        frequency: 25,
    }
}

const UNSTRUCTURED: Pruning = Pruning::Unstructured { sparsity: 0.0 };

/// Trains from what is in `from`, in a new folder.
fn step(
    data: &Dataset,
    model: &str,
    from: Option<&Path>,
    compression: Compression,
) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(model, 5, compression);
    let record = whole(data, settings, [from, Some(folder.path())]).unwrap();
    assert!(record.test_accuracy > 0.6, "{}", record.test_accuracy);
    folder
}

#[test]
fn pruned_clustered_and_quantized_all_hold_in_the_file() {
    let data = digits();
    let model = "seed-cnn";
    let base = step(&data, model, None, Compression::default());
    let pruned = step(
        &data,
        model,
        Some(base.path()),
        prune(UNSTRUCTURED, polynomial(0.8)),
    );
    for per in [Granularity::Tensor, Granularity::Channel] {
        let cluster = Compression {
            cluster: Some(Clustering {
                clusters: 16,
                per,
                ..Clustering::default()
            }),
            keep_zeros: true,
            min_weights: 1024,
            ..Compression::default()
        };
        let clustered = step(&data, model, Some(pruned.path()), cluster.clone());
        let keep = Compression {
            keep_zeros: true,
            keep_clusters: true,
            ..qat(WeightBits::Int8)
        };
        // In a training of its own, and together with the clustering.
        let apart = step(&data, model, Some(clustered.path()), keep);
        let at_once = Compression {
            qat: Some(WeightBits::Int8),
            ..cluster
        };
        let at_once = step(&data, model, Some(pruned.path()), at_once);
        for folder in [apart, at_once] {
            let all = in_file(folder.path());
            assert_eq!(all.len(), 3);
            assert!(all.iter().all(|weights| weights.dtype == Dtype::Int8));
            let weights = largest(folder.path());
            assert!(weights.sparsity() >= 0.8, "{per:?}: {}", weights.sparsity());
            let part = match per {
                Granularity::Tensor => weights.integers.len(),
                Granularity::Channel => weights.row,
            };
            for part in weights.integers.chunks(part) {
                let different = Weights::different(part);
                assert!((3..=16).contains(&different), "{per:?}: {different} values");
            }
        }
    }
}

#[test]
fn patterns_hold_through_fine_tuning_and_quantization() {
    let data = digits();
    let block = Pruning::Block {
        rows: 4,
        columns: 1,
        sparsity: 0.0,
    };
    let base = step(&data, "mlp", None, Compression::default());
    for (pattern, schedule, share, bits) in [
        (UNSTRUCTURED, constant(0.7), 0.7, WeightBits::Int8),
        (UNSTRUCTURED, polynomial(0.8), 0.8, WeightBits::Int4),
        (block, constant(0.5), 0.5, WeightBits::Int4),
        (block, polynomial(0.75), 0.75, WeightBits::Int8),
        (Pruning::TWO_OF_FOUR, constant(0.5), 0.5, WeightBits::Int8),
        (
            Pruning::TWO_OF_FOUR,
            polynomial(0.5),
            0.5,
            WeightBits::Ternary,
        ),
    ] {
        let pruned = step(&data, "mlp", Some(base.path()), prune(pattern, schedule));
        let keep = Compression {
            keep_zeros: true,
            ..Compression::default()
        };
        let tuned = step(&data, "mlp", Some(pruned.path()), keep.clone());
        let keep = Compression {
            qat: Some(bits),
            ..keep
        };
        let last = step(&data, "mlp", Some(tuned.path()), keep);
        let weights = largest(last.path());
        let case = format!("{pattern:?} {schedule:?} {bits:?}");
        // What rounds to 0 comes on top.
        assert!(
            weights.sparsity() >= share - 0.001,
            "{case}: {}",
            weights.sparsity()
        );
        let row = weights.row;
        match pattern {
            Pruning::NOfM { keep, of } => {
                let zeros = |group: &[i8]| group.iter().filter(|own| **own == 0).count();
                assert!(
                    weights
                        .integers
                        .chunks(of)
                        .all(|group| zeros(group) >= of - keep)
                );
            }
            Pruning::Block { rows, .. } => {
                let blocks = weights.integers.chunks(rows * row);
                let zero = blocks.flat_map(|rows_of| {
                    (0..row).map(move |column| (0..rows).all(|at| rows_of[at * row + column] == 0))
                });
                let zero: Vec<bool> = zero.collect();
                let whole = zero.iter().filter(|zero| **zero).count() as f64;
                assert!(whole / zero.len() as f64 >= share - 0.001, "{case}");
            }
            Pruning::Unstructured { .. } => {}
        }
    }
}

#[test]
fn low_precision_is_in_the_file() {
    let data = digits();
    for (name, dtype, most) in [
        ("int8", Dtype::Int8, 127),
        ("int4", Dtype::Int4, 7),
        ("ternary", Dtype::Int2, 1),
        ("int2", Dtype::Int2, 1),
    ] {
        let bits: WeightBits = name.parse().unwrap();
        let folder = step(&data, "seed-cnn", None, qat(bits));
        let weights = largest(folder.path());
        assert_eq!(weights.dtype, dtype, "{name}");
        let (least, greatest) = (weights.integers.iter().min(), weights.integers.iter().max());
        assert_eq!((least, greatest), (Some(&-most), Some(&most)), "{name}");
        // The few weights of the convolution and the last layer stay int8.
        let others = in_file(folder.path());
        let small = others.iter().filter(|own| own.integers.len() < 1024);
        assert!(
            small.clone().count() == 2 && small.into_iter().all(|own| own.dtype == Dtype::Int8)
        );
    }
}
