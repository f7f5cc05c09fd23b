//! The committed models, `artifacts/zoo/<model>/`: a trained checkpoint, the files made of it, their hashes, and what
//! they cost on each core.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use ember_lite::MappedModel;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::bench::{self, Cost};
use crate::manifest::RunDir;
use crate::stages::firmware::Firmware;
use crate::stages::{eval, file, firmware, train};
use crate::{atomic, hash, json, toolchain, workspace};

/// The reference model: its firmware is verified and measured on every machine.
pub const REFERENCE: &str = "seed-cnn";
/// The committed checkpoint.
pub const CHECKPOINT: &str = "model.safetensors";
const MANIFEST: &str = "manifest.json";
const BASELINE: &str = "baseline.json";

/// Committed files with their names in a run.
const COMMITTED: [(&str, &str); 3] = [
    (CHECKPOINT, file::CHECKPOINT),
    (file::RANGES, file::RANGES),
    (file::INT8, file::INT8),
];

/// What the checkpoint becomes, by the name in a run, and the command that makes it.
const MADE: [(&str, &str); 8] = [
    (file::CHECKPOINT, "train"),
    (file::RANGES, "quantize"),
    (file::FLOAT32, "quantize"),
    (file::INT8, "quantize"),
    (file::FLOAT16, "quantize"),
    (file::DYNAMIC, "quantize"),
    (file::INT16X8, "quantize"),
    (file::SOURCE, "codegen"),
];

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
    /// Bytes of the arena that the int8 model takes.
    pub arena_bytes: u64,
    /// The compiler that made the firmware.
    pub rustc: String,
    /// SHA-256 of every file that the checkpoint becomes.
    pub files: BTreeMap<String, String>,
    /// SHA-256 of the firmware's ELF file per machine.
    pub firmware: BTreeMap<String, String>,
}

/// A committed model.
#[derive(Clone, Debug)]
pub struct Zoo {
    dir: PathBuf,
    name: String,
}

/// What one needs to know of a committed model to choose it for a chip.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The model's name: of its folder, and what `--model` takes.
    pub name: String,
    /// The data set that it was trained and tested on.
    pub dataset: String,
    /// Share of the test images that the int8 model gets right.
    pub test_accuracy: f64,
    /// Size of the int8 model, which lies in flash.
    pub model_bytes: u64,
    /// Bytes of the arena that it takes.
    pub arena_bytes: u64,
    /// Most bytes of stack that the firmware took on each machine, as far as it was measured.
    pub stack_bytes: BTreeMap<String, u64>,
}

/// The committed models, the most accurate first, and of equals the one with the smaller arena.
///
/// # Errors
/// A file that is not there or damaged.
pub fn entries() -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = all()?.iter().map(Zoo::entry).collect::<Result<_>>()?;
    entries.sort_by(|a, b| {
        (b.test_accuracy.total_cmp(&a.test_accuracy)).then(a.arena_bytes.cmp(&b.arena_bytes))
    });
    Ok(entries)
}

/// `cargo xtask zoo`: shows the committed models.
///
/// # Errors
/// As [`entries`].
pub fn list(app: &App) -> Result<()> {
    for entry in entries()? {
        let stack = entry
            .stack_bytes
            .iter()
            .map(|(machine, bytes)| format!("{machine} {bytes}"))
            .collect::<Vec<_>>();
        app.console.result(format!(
            "{}: {:.2} % of the test images of {}, model {} bytes, arena {} bytes, stack in bytes: {}",
            entry.name,
            100.0 * entry.test_accuracy,
            entry.dataset,
            entry.model_bytes,
            entry.arena_bytes,
            if stack.is_empty() {
                "not measured".to_owned()
            } else {
                stack.join(", ")
            }
        ));
    }
    Ok(())
}

/// Every committed model, the reference first.
///
/// # Errors
/// A folder that cannot be listed.
pub fn all() -> Result<Vec<Zoo>> {
    let dir = workspace::root().join("artifacts/zoo");
    let listed =
        fs::read_dir(&dir).with_context(|| format!("cannot list {}", workspace::shown(&dir)));
    let mut names = Vec::new();
    for folder in listed? {
        let folder = folder?;
        if folder.path().join(MANIFEST).is_file() {
            names.push(folder.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort_by_key(|name| (name != REFERENCE, name.clone()));
    Ok(names.iter().map(|name| Zoo::new(name)).collect())
}

/// The committed models with these names; all of them for none.
///
/// # Errors
/// A name that there is not: those that there are.
pub fn chosen(names: &[String]) -> Result<Vec<Zoo>> {
    let all = all()?;
    for name in names {
        if !all.iter().any(|zoo| zoo.name == *name) {
            let there: Vec<_> = all.iter().map(|zoo| zoo.name.as_str()).collect();
            bail!(
                "the zoo has no model `{name}`: there are {}",
                there.join(", ")
            );
        }
    }
    let wanted = |zoo: &Zoo| names.is_empty() || names.contains(&zoo.name);
    Ok(all.into_iter().filter(wanted).collect())
}

impl Zoo {
    /// The committed model called `name`, which need not be there yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            dir: workspace::root().join("artifacts/zoo").join(name),
            name: name.to_owned(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is the reference.
    #[must_use]
    pub fn is_reference(&self) -> bool {
        self.name == REFERENCE
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

    /// What it cost on each machine when that was last written down; nothing where it never was.
    ///
    /// # Errors
    /// A damaged file.
    pub fn baseline(&self) -> Result<BTreeMap<String, Cost>> {
        let path = self.file(BASELINE);
        if path.is_file() {
            json::read(&path)
        } else {
            Ok(BTreeMap::new())
        }
    }

    /// Writes down what it costs.
    ///
    /// # Errors
    /// What the file system says.
    pub fn set_baseline(&self, baseline: &BTreeMap<String, Cost>) -> Result<()> {
        json::write(&self.file(BASELINE), baseline)
    }

    fn entry(&self) -> Result<Entry> {
        let manifest = self.manifest()?;
        let model = self.file(file::INT8);
        let bytes = fs::metadata(&model)
            .with_context(|| format!("cannot read {}", workspace::shown(&model)))?
            .len();
        let accuracy = manifest.test_accuracy.get("int8");
        Ok(Entry {
            name: self.name.clone(),
            test_accuracy: *accuracy.with_context(|| {
                let path = self.file(MANIFEST);
                format!("{} has no accuracy of int8", workspace::shown(&path))
            })?,
            dataset: manifest.dataset,
            model_bytes: bytes,
            arena_bytes: manifest.arena_bytes,
            stack_bytes: bench::stack_bytes(&self.baseline()?),
        })
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

    /// Takes the finished run as this committed model. `training` are the settings that its checkpoint was made with.
    ///
    /// # Errors
    /// A run that lacks a stage, or the firmware of a machine.
    pub fn take(&self, run: &RunDir, training: BTreeMap<String, String>) -> Result<()> {
        let evaluation = eval::read(run)?;
        let mut files = BTreeMap::new();
        for (name, made_by) in MADE {
            let path = run.existing(name, made_by)?;
            files.insert(name.to_owned(), hash::of_file(&path)?);
        }
        let mut elves = BTreeMap::new();
        for machine in firmware::committed(self)? {
            let elf = Firmware::from(machine).file("firmware.elf");
            let made_by = format!("firmware --on {}", machine.name);
            elves.insert(
                machine.name.to_owned(),
                hash::of_file(&run.existing(&elf, &made_by)?)?,
            );
        }
        let arena_bytes = MappedModel::open(&run.file(file::INT8))?.slot_arena_bytes()? as u64;
        let manifest = ZooManifest {
            model: self.name.clone(),
            dataset: evaluation.dataset,
            dataset_sha256: evaluation.dataset_sha256,
            training,
            test_accuracy: evaluation
                .variants
                .into_iter()
                .filter_map(|variant| Some((variant.name, variant.test_accuracy?)))
                .collect(),
            arena_bytes,
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

/// The settings that the model of a run was trained with, by name.
#[must_use]
pub fn training_settings(trained: &train::TrainingFile) -> BTreeMap<String, String> {
    let settings = &trained.training;
    let mut named = vec![
        ("backend", settings.backend.clone()),
        ("epochs", settings.epochs.to_string()),
        ("batch", settings.batch_size.to_string()),
        ("learning rate", settings.learning_rate.to_string()),
        ("seed", settings.seed.to_string()),
        ("validation images", trained.validation_images.to_string()),
        ("burn", trained.burn_version.clone()),
    ];
    if let Some(rate) = trained.final_learning_rate {
        named.push(("final learning rate", rate.to_string()));
    }
    named
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{REFERENCE, all, chosen, entries};

    #[test]
    fn the_zoo_offers_a_model_for_every_size_of_chip() {
        let entries = entries().unwrap();
        let names = || entries.iter().map(|entry| entry.name.as_str());
        assert!(names().any(|name| name == REFERENCE));
        for name in names() {
            assert_eq!(ember_graph::models::find(name).unwrap().name, name);
        }
        for pair in entries.windows(2) {
            assert!(pair[0].test_accuracy >= pair[1].test_accuracy);
        }
        assert!(entries[0].test_accuracy >= 0.99, "{:?}", entries[0]);
        let tiny = entries
            .iter()
            .find(|entry| entry.arena_bytes <= 2100)
            .unwrap();
        assert!(tiny.test_accuracy >= 0.95, "{tiny:?}");
        for entry in &entries {
            assert!(
                !entry.stack_bytes.is_empty(),
                "{} has no baseline",
                entry.name
            );
            assert!(entry.model_bytes <= 40_000, "{entry:?}");
        }
    }

    #[test]
    fn the_reference_comes_first_and_an_unknown_name_gets_those_that_there_are() {
        assert!(all().unwrap()[0].is_reference());
        assert_eq!(chosen(&[REFERENCE.to_owned()]).unwrap().len(), 1);
        let error = chosen(&["lenet".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("there are seed-cnn, "), "{error}");
    }
}
