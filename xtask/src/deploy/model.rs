//! Which model goes onto a chip, by the name that a user gave.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ember_lite::MappedModel;

use crate::manifest::RunDir;
use crate::stages::file;
use crate::workspace;
use crate::zoo::{self, Zoo};

/// A model that was found.
pub struct Chosen {
    /// What to call it.
    pub title: String,
    /// Its file.
    pub path: PathBuf,
    /// The file, read and checked.
    pub mapped: MappedModel,
    /// Fraction of its test set that it gets right, where that is known.
    pub accuracy: Option<f64>,
}

/// The run that the pipeline leaves when it is not told another name.
const DEFAULT_RUN: &str = "default";

/// Finds the model called `name`: a file, a committed model or a run, in this order.
///
/// # Errors
/// Nothing of that name (with what there is), or a file that is no model.
pub fn choose(name: Option<&str>) -> Result<Chosen> {
    match name {
        Some(name) => named(name),
        None => match of_run(DEFAULT_RUN) {
            Some(path) => open(format!("run {DEFAULT_RUN}"), path, None),
            None => of_zoo(zoo::REFERENCE),
        },
    }
}

fn named(name: &str) -> Result<Chosen> {
    let path = Path::new(name);
    if path.is_file() {
        let title = path.file_name().unwrap_or_default().to_string_lossy();
        return open(title.into_owned(), path.to_path_buf(), None);
    }
    let zoo: Vec<_> = zoo::entries()?
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    if zoo.iter().any(|entry| entry == name) {
        return of_zoo(name);
    }
    if let Some(path) = of_run(name) {
        return open(format!("run {name}"), path, None);
    }
    bail!(
        "there is no model `{name}`: expected a .tflite file, a model of artifacts/zoo ({}), or a run below artifacts/runs \
         that has a {}",
        zoo.join(", "),
        file::INT8
    )
}

/// The int8 model of a run; `None` where there is none.
fn of_run(name: &str) -> Option<PathBuf> {
    // What cannot be the name of a run is none.
    let path = RunDir::new(name).ok()?.file(file::INT8);
    path.is_file().then_some(path)
}

fn of_zoo(name: &str) -> Result<Chosen> {
    let zoo = Zoo::new(name);
    let accuracy = zoo.manifest()?.test_accuracy.get("int8").copied();
    open(name.to_owned(), zoo.file(file::INT8), accuracy)
}

fn open(title: String, path: PathBuf, accuracy: Option<f64>) -> Result<Chosen> {
    let mapped = MappedModel::open(&path)
        .with_context(|| format!("cannot deploy {}", workspace::shown(&path)))?;
    Ok(Chosen {
        title,
        path,
        mapped,
        accuracy,
    })
}
