//! The ndarray backend trains, and agrees with flex.
#![cfg(all(feature = "flex", feature = "ndarray"))]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use ember_data::{Dataset, DatasetSource, LoadOptions, SyntheticOptions};
use ember_graph::models;
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
