//! A whole training in its output directory: start or resume, train, test, write the results.
//!
//! The directory holds `training-state.safetensors` from the start on, and `model.safetensors` and
//! `training.json` once the training has finished; after a training for low precision also `ranges.json` and `recipe.toml`,
//! with which the quantizer makes the integers that were trained. `training.json` is written last and removed first, so it is
//! there exactly when the others are whole and belong together.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use ember_data::Dataset;
use ember_graph::{Graph, checkpoint};
use sha2::{Digest as _, Sha256};

use crate::record::{OtherTest, RECORD_FILE, TrainingRecord};
use crate::state::{self, State};
use crate::{
    Compression, Observer, Outcome, Score, Settings, TrainError, Trainer, fake_quantize, file, host,
};

/// The trained model's file.
pub const MODEL_FILE: &str = "model.safetensors";
/// The file that an interrupted training goes on from.
pub const STATE_FILE: &str = "training-state.safetensors";

/// The ranges of the activations, after a training for low precision.
pub const RANGES_FILE: &str = "ranges.json";
/// The quantizer's recipe that goes with them.
pub const RECIPE_FILE: &str = "recipe.toml";

/// `ranges.json`.
#[derive(serde::Serialize)]
struct Ranges<'a> {
    /// The data set that the images are from.
    dataset: &'a str,
    /// How many there are.
    images: u64,
    /// The seed that ordered them.
    seed: u64,
    /// Least and greatest number per value of the graph.
    ranges: BTreeMap<&'a str, [f32; 2]>,
}

/// What to do with a training that the directory already holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A new one; an unfinished one in the directory is an error.
    New,
    /// Go on with it.
    Resume,
    /// A new one; what is there is dropped.
    Force,
}

/// A training and the directory of its results.
pub struct Job<'a> {
    graph: Graph,
    dataset: &'a Dataset,
    settings: Settings,
    trainer: Trainer,
    directory: PathBuf,
    resumed: bool,
    started: Instant,
}

/// The graph of a checkpoint to start from, and the SHA-256 of its file.
///
/// # Errors
/// When the file cannot be read or is no checkpoint.
pub fn load_init(path: &Path) -> Result<(Graph, String), TrainError> {
    let bytes = fs::read(path).map_err(|source| TrainError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    let graph = checkpoint::load(path)?.graph;
    Ok((graph, state::hex(&Sha256::digest(&bytes))))
}

/// Whether `directory` can take a training that starts like this: `New` does not overwrite an unfinished one, `Resume`
/// needs one. Nothing is changed yet.
///
/// # Errors
/// When it cannot, or the stored state is damaged.
pub fn check_directory(directory: &Path, start: Start) -> Result<(), TrainError> {
    let state = directory.join(STATE_FILE);
    match start {
        Start::Force => Ok(()),
        Start::Resume => match State::load(&state)? {
            Some(_) => Ok(()),
            None => Err(TrainError::NothingToResume {
                path: directory.to_owned(),
            }),
        },
        Start::New if directory.join(RECORD_FILE).exists() => Ok(()),
        Start::New => match State::load(&state)? {
            None => Ok(()),
            Some(state) => Err(TrainError::Unfinished {
                path: directory.to_owned(),
                epoch: state.position.epoch + 1,
                epochs: state.settings.epochs,
            }),
        },
    }
}

impl<'a> Job<'a> {
    /// Prepares a training of `graph`: gives it its initial weights, unless the settings say that it begins with those that
    /// it has, or those of the stored state. `started` is when the process began.
    ///
    /// # Errors
    /// What [`check_directory`], [`Trainer::new`] and [`Trainer::resume_from`] say, and when the directory cannot be made
    /// or its old results cannot be removed.
    pub fn new(
        graph: Graph,
        dataset: &'a Dataset,
        settings: Settings,
        directory: &Path,
        start: Start,
        started: Instant,
    ) -> Result<Self, TrainError> {
        check_directory(directory, start)?;
        let mut prepared = settings.compression.prepare(graph)?;
        if settings.compression.init.is_none() {
            crate::initialize(&mut prepared.graph, settings.seed)?;
        }
        let mut trainer = Trainer::prepared(&prepared, dataset, settings.clone())?;
        fs::create_dir_all(directory).map_err(|source| TrainError::File {
            action: "create",
            path: directory.to_owned(),
            source,
        })?;
        let state = directory.join(STATE_FILE);
        let resumed = start == Start::Resume && trainer.resume_from(&state)?;
        file::remove(&directory.join(RECORD_FILE))?;
        for name in [MODEL_FILE, RANGES_FILE, RECIPE_FILE] {
            file::remove(&directory.join(name))?;
        }
        // The old state is replaced, not removed: from here on there is one at every moment.
        trainer.store_in(&state)?;
        Ok(Self {
            graph: prepared.graph,
            dataset,
            settings,
            trainer,
            directory: directory.to_owned(),
            resumed,
            started,
        })
    }

    /// Tests after each epoch, too; see [`Trainer::test_each_epoch`].
    pub fn test_each_epoch(&mut self) {
        let test = self.dataset.test.clone();
        self.trainer.test_each_epoch(test, self.started);
    }

    /// The training itself, for its figures.
    #[must_use]
    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }

    /// Trains; see [`Trainer::run`].
    ///
    /// # Errors
    /// What [`Trainer::run`] says.
    pub fn run(
        &mut self,
        stop: &AtomicBool,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, TrainError> {
        self.trainer.run(stop, observer)
    }

    /// Tests the trained model, on the dataset's test images and on those of `others`, and writes the results.
    ///
    /// # Errors
    /// When the test images do not fit the model, or a file cannot be written.
    pub fn finish(
        mut self,
        others: &[Dataset],
        mut progress: impl FnMut(&str, u64),
    ) -> Result<TrainingRecord, TrainError> {
        self.trainer.store_trained(&mut self.graph)?;
        let mut test = |dataset: &Dataset| -> Result<Score, TrainError> {
            let progress = |done| progress(&dataset.name, done);
            self.trainer.score(&dataset.test, &dataset.name, progress)
        };
        let score = test(self.dataset)?;
        let mut also_tested = Vec::with_capacity(others.len());
        for other in others {
            let score = test(other)?;
            also_tested.push(OtherTest {
                dataset: other.name.clone(),
                test_images: score.images,
                test_accuracy: score.accuracy(),
                test_loss: score.loss(),
            });
        }
        let mut record = self.record(&score, also_tested);
        let bytes = checkpoint::to_bytes(&self.graph, &metadata(&record))?;
        record.checkpoint_sha256 = state::hex(&Sha256::digest(&bytes));
        record.checkpoint_bytes = bytes.len() as u64;
        file::write_atomically(&self.directory.join(MODEL_FILE), &bytes)?;
        self.write_quantization()?;
        write_json(&self.directory.join(RECORD_FILE), &record)?;
        Ok(record)
    }

    fn write_quantization(&self) -> Result<(), TrainError> {
        let compression = &self.settings.compression;
        let (Some(bits), Some(ranges)) = (compression.qat, self.trainer.ranges()) else {
            return Ok(());
        };
        let named = self.graph.values.iter().zip(ranges);
        let named = named.filter_map(|(value, range)| {
            let range = (*range)?;
            Some((value.name.as_str(), [range.min, range.max]))
        });
        let [images, _] = self.trainer.image_counts();
        let ranges = Ranges {
            dataset: &self.settings.dataset,
            images: images as u64,
            seed: self.settings.seed,
            ranges: named.collect(),
        };
        write_json(&self.directory.join(RANGES_FILE), &ranges)?;
        let recipe = fake_quantize::recipe(bits, compression).to_toml()?;
        file::write_atomically(&self.directory.join(RECIPE_FILE), recipe.as_bytes())
    }

    fn record(&self, score: &Score, also_tested: Vec<OtherTest>) -> TrainingRecord {
        let history = self.trainer.history();
        let last = history.last();
        let size = |path: PathBuf| fs::metadata(path).ok().map(|file| file.len());
        let [training_images, validation_images] = self.trainer.image_counts();
        TrainingRecord {
            model: self.settings.model.clone(),
            parameters: self.graph.parameter_count() as u64,
            dataset: self.settings.dataset.clone(),
            dataset_fingerprint: self.dataset.fingerprint.clone(),
            training_images: training_images as u64,
            validation_images: validation_images as u64,
            test_images: score.images,
            backend: self.settings.backend.name().to_owned(),
            epochs: history.len() as u64,
            steps: self.trainer.steps(),
            batch_size: self.settings.batch as u64,
            optimizer: crate::optimizer::DESCRIPTION.to_owned(),
            learning_rate: self.settings.learning_rate,
            compression: Some(self.settings.compression.clone())
                .filter(|own| *own != Compression::default()),
            final_learning_rate: self.settings.final_learning_rate,
            seed: self.settings.seed,
            resumed: self.resumed,
            seconds: history.iter().map(|epoch| epoch.seconds).sum(),
            process_seconds: self.started.elapsed().as_secs_f64(),
            validation_accuracy: last.and_then(|epoch| epoch.val_accuracy),
            validation_loss: last.and_then(|epoch| epoch.val_loss),
            test_accuracy: score.accuracy(),
            test_loss: score.loss(),
            also_tested,
            history,
            checkpoint_sha256: String::new(),
            checkpoint_bytes: 0,
            resume_bytes: size(self.directory.join(STATE_FILE)),
            program_bytes: std::env::current_exe().ok().and_then(size),
            peak_ram_bytes: host::peak_ram_bytes(),
            burn_version: host::burn_version().to_owned(),
            ember_version: env!("CARGO_PKG_VERSION").to_owned(),
            cpu: host::cpu(),
        }
    }
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), TrainError> {
    let mut text = serde_json::to_string_pretty(value).map_err(|error| TrainError::File {
        action: "write",
        path: path.to_owned(),
        source: error.into(),
    })?;
    text.push('\n');
    file::write_atomically(path, text.as_bytes())
}

/// What the model's file says about its training. Nothing here may differ between two runs of the same training.
fn metadata(record: &TrainingRecord) -> BTreeMap<String, String> {
    let share = |share: f64| format!("{share:.4}");
    let mut metadata = BTreeMap::from([
        ("ember.model".to_owned(), record.model.clone()),
        ("ember.dataset".to_owned(), record.dataset.clone()),
        (
            "ember.dataset_fingerprint".to_owned(),
            record.dataset_fingerprint.clone(),
        ),
        ("ember.backend".to_owned(), record.backend.clone()),
        ("ember.epochs".to_owned(), record.epochs.to_string()),
        ("ember.steps".to_owned(), record.steps.to_string()),
        ("ember.batch_size".to_owned(), record.batch_size.to_string()),
        ("ember.optimizer".to_owned(), record.optimizer.clone()),
        (
            "ember.learning_rate".to_owned(),
            record.learning_rate.to_string(),
        ),
        ("ember.seed".to_owned(), record.seed.to_string()),
        (
            "ember.validation_images".to_owned(),
            record.validation_images.to_string(),
        ),
        (
            "ember.test_accuracy".to_owned(),
            share(record.test_accuracy),
        ),
        ("ember.burn_version".to_owned(), record.burn_version.clone()),
        ("ember.cpu".to_owned(), record.cpu.clone()),
    ]);
    if let Some(rate) = record.final_learning_rate {
        metadata.insert("ember.final_learning_rate".to_owned(), rate.to_string());
    }
    if let Some(accuracy) = record.validation_accuracy {
        metadata.insert("ember.validation_accuracy".to_owned(), share(accuracy));
    }
    metadata
}
