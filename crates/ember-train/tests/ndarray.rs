//! The ndarray backend trains, and agrees with flex.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use ember_compress::cluster::Clustering;
use ember_compress::prune::{Pruning, Schedule};
use ember_data::{Dataset, DatasetSource, LoadOptions, SyntheticOptions};
use ember_graph::models;
use ember_train::compression::{Prune, WeightBits};
use ember_train::{
    Backend, Compression, EpochRecord, Observer, Score, Settings, Trainer, initialize,
};

/// Keeps the loss of each step.
#[derive(Default)]
struct Losses {
    sums: Vec<f64>,
}

impl Observer for Losses {
    fn epoch_started(&mut self, _epoch: usize, _epochs: usize, _step: usize, _steps: usize) {}

    fn step_done(&mut self, _step: usize, score: &Score) {
        self.sums.push(score.loss_sum);
    }

    fn epoch_done(&mut self, _record: &EpochRecord) {}
}

fn digits(train: usize) -> Dataset {
    let mut options = LoadOptions::for_workspace(Path::new("."));
    options.synthetic = SyntheticOptions {
        seed: 6,
        train,
        test: 500,
    };
    ember_data::load(&DatasetSource::Synthetic, &options, &|_| ())
        .unwrap()
        .dataset
}

/// The losses of `steps` steps of one epoch, the parameters after them, and the accuracy on the test images.
fn train(backend: Backend, data: &Dataset, steps: u64) -> (Vec<f64>, Vec<Vec<f32>>, f64) {
    let mut graph = models::find("seed-cnn").unwrap().build().unwrap();
    initialize(&mut graph, 2).unwrap();
    let settings = Settings {
        model: graph.name.clone(),
        dataset: data.name.clone(),
        backend,
        epochs: 1,
        batch: 32,
        learning_rate: 1e-3,
        final_learning_rate: None,
        seed: 2,
        validation: 0,
        limit_steps: Some(steps),
        compression: Compression::default(),
    };
    let mut trainer = Trainer::new(&graph, data, settings).unwrap();
    let mut losses = Losses::default();
    trainer.run(&AtomicBool::new(false), &mut losses).unwrap();
    assert_eq!(trainer.steps(), steps);
    let mut before = 0.0;
    let per_step = losses.sums.iter().map(|sum| {
        let loss = (sum - before) / 32.0;
        before = *sum;
        loss
    });
    let per_step = per_step.collect();
    let accuracy = trainer
        .score(&data.test, &data.name, |_| ())
        .unwrap()
        .accuracy();
    (per_step, trainer.network().numbers(), accuracy)
}

#[test]
fn ndarray_learns_in_300_steps() {
    let (losses, _, accuracy) = train(Backend::Ndarray, &digits(300 * 32), 300);
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let [first, last] = [mean(&losses[..10]), mean(&losses[290..])];
    assert!(
        first > 2.0 && last < 0.5 * first,
        "loss went from {first} to {last}"
    );
    assert!(accuracy > 0.7, "{accuracy}");
}

#[test]
fn ndarray_takes_the_same_first_steps_as_flex() {
    let data = digits(20 * 32);
    let (flex_losses, flex, _) = train(Backend::Flex, &data, 20);
    let (ndarray_losses, ndarray, _) = train(Backend::Ndarray, &data, 20);
    for (step, (flex, ndarray)) in flex_losses.iter().zip(&ndarray_losses).enumerate() {
        assert!(
            (flex - ndarray).abs() < 1e-3,
            "step {step}: {flex} and {ndarray}"
        );
    }
    // Adam divides by the gradient's size, so that a tiny gradient, all rounding, moves a weight by up to the learning
    // rate: the weights agree in the mean much better than at their worst.
    let distances = flex.iter().flatten().zip(ndarray.iter().flatten());
    let distances: Vec<f64> = distances.map(|(a, b)| f64::from((a - b).abs())).collect();
    let mean = distances.iter().sum::<f64>() / distances.len() as f64;
    let worst = distances.iter().fold(0.0f64, |worst, &d| worst.max(d));
    assert!(mean < 1e-5 && worst < 5e-3, "mean {mean}, worst {worst}");
}

/// Compressed trainings on this backend: the losses of 12 steps and the weights after them.
fn compressed(
    backend: Backend,
    model: &str,
    compression: Compression,
    data: &Dataset,
) -> (Vec<f64>, Vec<Vec<f32>>) {
    let graph = models::find(model).unwrap().build().unwrap();
    let mut prepared = compression.prepare(graph).unwrap();
    initialize(&mut prepared.graph, 2).unwrap();
    let settings = Settings {
        model: model.to_owned(),
        dataset: data.name.clone(),
        backend,
        epochs: 1,
        batch: 32,
        learning_rate: 1e-3,
        final_learning_rate: Some(1e-4),
        seed: 2,
        validation: 0,
        limit_steps: Some(12),
        compression,
    };
    let mut trainer = Trainer::prepared(&prepared, data, settings).unwrap();
    let mut losses = Losses::default();
    trainer.run(&AtomicBool::new(false), &mut losses).unwrap();
    let accuracy = trainer.score(&data.test, &data.name, |_| ()).unwrap();
    losses.sums.push(accuracy.loss());
    trainer.store_trained(&mut prepared.graph).unwrap();
    let constants = prepared.graph.constants();
    let weights = constants.map(|(_, _, numbers)| numbers.to_vec()).collect();
    (losses.sums, weights)
}

#[test]
fn ndarray_compresses_as_flex_does() {
    let data = digits(20 * 32);
    let init = Some("of a test".to_owned());
    let pruned = |pattern, schedule| Compression {
        prune: Some(Prune { pattern, schedule }),
        min_weights: 1024,
        ..Compression::default()
    };
    let constant = Schedule::Constant {
        sparsity: 0.5,
        begin: 2,
        frequency: 4,
    };
    let polynomial = Schedule::Polynomial {
        initial: 0.0,
        last: 0.75,
        begin: 0,
        end: 10,
        power: 3.0,
        frequency: 2,
    };
    let block = Pruning::Block {
        rows: 4,
        columns: 1,
        sparsity: 0.0,
    };
    let qat = |bits| Compression {
        qat: Some(bits),
        ..Compression::default()
    };
    let clustered = Compression {
        init,
        cluster: Some(Clustering::default()),
        ..Compression::default()
    };
    // With how much of the weights is 0 at the end, in the largest tensor.
    for (model, compression, zeros) in [
        ("mlp", pruned(Pruning::TWO_OF_FOUR, constant), 0.5),
        ("mlp", pruned(block, polynomial), 0.75),
        ("mlp", clustered, 0.0),
        ("seed-cnn", qat(WeightBits::Int8), 0.0),
        ("seed-cnn", qat(WeightBits::Int4), 0.0),
        ("mlp", qat(WeightBits::Ternary), 0.3),
        ("small-cnn-bn", Compression::default(), 0.0),
        ("small-cnn-bn", qat(WeightBits::Int8), 0.0),
    ] {
        let [flex, ndarray] = [Backend::Flex, Backend::Ndarray]
            .map(|backend| compressed(backend, model, compression.clone(), &data));
        let case = format!("{model} {compression:?}");
        for (step, (flex, ndarray)) in flex.0.iter().zip(&ndarray.0).enumerate() {
            // A weight on the edge of two integers may take the other.
            let close = (flex - ndarray).abs() < 0.01 * flex.abs();
            assert!(close, "{case}, step {step}: {flex} and {ndarray}");
        }
        let largest = |weights: &[Vec<f32>]| weights.iter().max_by_key(|own| own.len()).cloned();
        for (_, weights) in [&flex, &ndarray] {
            let weights = largest(weights).unwrap();
            let zero = weights.iter().filter(|weight| **weight == 0.0).count();
            let share = zero as f64 / weights.len() as f64;
            assert!(share >= zeros - 0.001, "{case}: {share}");
            if compression.cluster.is_some() {
                let bits: BTreeSet<u32> = weights.iter().map(|own| own.to_bits()).collect();
                assert!(bits.len() <= 16, "{case}: {} values", bits.len());
            }
        }
    }
}
