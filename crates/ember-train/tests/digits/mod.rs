//! Trainings on drawn digits, as the tests of this folder make them.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ember_compress::simulate::simulate;
use ember_compress::{Calibration, Range, Recipe, quantize_by};
use ember_data::{Dataset, DatasetSource, LoadOptions, SyntheticOptions};
use ember_graph::{Graph, QuantizedGraph, checkpoint, models};
use ember_train::compression::WeightBits;
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

pub(crate) fn digits() -> Dataset {
    draw(700, 300)
}

/// So many digits to train on and to test with.
pub(crate) fn draw(train: usize, test: usize) -> Dataset {
    let mut options = LoadOptions::for_workspace(Path::new("."));
    options.synthetic = SyntheticOptions {
        seed: 4,
        train,
        test,
    };
    ember_data::load(&DatasetSource::Synthetic, &options, &|_| ())
        .unwrap()
        .dataset
}

pub(crate) fn settings(model: &str, epochs: usize, compression: Compression) -> Settings {
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
pub(crate) fn train(
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

pub(crate) fn whole(
    data: &Dataset,
    settings: Settings,
    folders: [Option<&Path>; 2],
) -> Result<TrainingRecord, TrainError> {
    Ok(train(data, settings, folders, Start::New, u64::MAX)?.unwrap())
}

pub(crate) fn trained(folder: &Path) -> Graph {
    checkpoint::load(&folder.join(MODEL_FILE)).unwrap().graph
}

/// The model as its own ranges and recipe quantize it.
pub(crate) fn quantized(folder: &Path) -> QuantizedGraph {
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
pub(crate) fn right(graph: &QuantizedGraph, data: &Dataset) -> usize {
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

pub(crate) fn qat(bits: WeightBits) -> Compression {
    Compression {
        qat: Some(bits),
        ..Compression::default()
    }
}
