//! The committed models, `artifacts/zoo/<model>/`: a trained checkpoint, the files made of it, and their hashes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use ember_deploy::machine::MACHINES;
use serde::{Deserialize, Serialize};

use crate::manifest::RunDir;
use crate::stages::{eval, file, firmware, train};
use crate::{atomic, hash, json, toolchain, workspace};

/// The model that `verify` and `bench` work on.
pub const SEED_CNN: &str = "seed-cnn";
/// The committed checkpoint.
pub const CHECKPOINT: &str = "model.safetensors";
const MANIFEST: &str = "manifest.json";

/// `manifest.json` of a committed model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZooManifest {
    /// The model's name.
    pub model: String,
    /// The data set that it was trained, calibrated and tested on.
    pub dataset: String,
    /// SHA-256 of that data set's images and labels.
    pub dataset_sha256: String,
    /// Settings of the training by name.
    pub training: BTreeMap<String, String>,
    /// Accuracy on the test set per model file.
    pub test_accuracy: BTreeMap<String, f64>,
    /// The compiler that made the firmware.
    pub rustc: String,
    /// SHA-256 of every file that the checkpoint becomes.
    pub files: BTreeMap<String, String>,
    /// SHA-256 of the firmware's ELF file per machine.
    pub firmware: BTreeMap<String, String>,
}

/// A committed model.
pub struct Zoo {
    dir: PathBuf,
}

impl Zoo {
    /// The committed model called `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            dir: workspace::root().join("artifacts/zoo").join(name),
        }
    }

    /// A file of it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Its manifest.
    ///
    /// # Errors
    /// A file that is not there or damaged.
    pub fn manifest(&self) -> Result<ZooManifest> {
        json::read(&self.file(MANIFEST))
    }

    /// Lays its files out as a run, so that the stages can work on them. Nothing of the zoo itself is changed.
    ///
    /// # Errors
    /// A committed file that is not what the manifest says.
    pub fn lay_out(&self, run: &RunDir) -> Result<()> {
        let manifest = self.manifest()?;
        for (committed, in_run) in COMMITTED {
            let path = self.file(committed);
            let bytes = workspace::read(&path)?;
            if manifest.files.get(in_run) != Some(&hash::of_bytes(&bytes)) {
                bail!(
                    "{} is not the file that {MANIFEST} beside it describes: git restore it",
                    workspace::shown(&path)
                );
            }
            atomic::write(&run.file(in_run), &bytes)?;
        }
        Ok(())
    }

    /// Takes the finished run as the committed model.
    ///
    /// # Errors
    /// A run that lacks a stage, or the firmware of a machine.
    pub fn adopt(&self, run: &RunDir) -> Result<()> {
        let training = train::read(run)?;
        let evaluation = eval::read(run)?;
        let mut files = BTreeMap::new();
        for name in [
            file::CHECKPOINT,
            file::RANGES,
            file::FLOAT32,
            file::INT8,
            file::SOURCE,
        ] {
            files.insert(
                name.to_owned(),
                hash::of_file(&run.existing(name, "pipeline")?)?,
            );
        }
        let mut elves = BTreeMap::new();
        for machine in MACHINES {
            let elf = firmware::file_name(machine, "firmware.elf");
            let made_by = format!("firmware --on {}", machine.name);
            elves.insert(
                machine.name.to_owned(),
                hash::of_file(&run.existing(&elf, &made_by)?)?,
            );
        }
        let settings = &training.training;
        let manifest = ZooManifest {
            model: training.model.clone(),
            dataset: evaluation.dataset.clone(),
            dataset_sha256: evaluation.dataset_sha256.clone(),
            training: BTreeMap::from([
                ("backend".to_owned(), settings.backend.clone()),
                ("epochs".to_owned(), settings.epochs.to_string()),
                ("batch".to_owned(), settings.batch_size.to_string()),
                (
                    "learning rate".to_owned(),
                    settings.learning_rate.to_string(),
                ),
                ("seed".to_owned(), settings.seed.to_string()),
                (
                    "validation images".to_owned(),
                    training.validation_images.to_string(),
                ),
                ("burn".to_owned(), training.burn_version.clone()),
            ]),
            test_accuracy: evaluation
                .variants
                .iter()
                .filter_map(|variant| Some((variant.name.clone(), variant.test_accuracy?)))
                .collect(),
            rustc: toolchain::rustc_version()?,
            files,
            firmware: elves,
        };
        for (committed, in_run) in COMMITTED {
            atomic::write(&self.file(committed), &workspace::read(&run.file(in_run))?)?;
        }
        json::write(&self.file(MANIFEST), &manifest)
    }
}

/// Committed files with their names in a run.
const COMMITTED: [(&str, &str); 3] = [
    (CHECKPOINT, file::CHECKPOINT),
    (file::RANGES, file::RANGES),
    (file::INT8, file::INT8),
];
