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
        None => match of_run(DEFAULT_RUN)? {
            Some(path) => open(format!("run {DEFAULT_RUN}"), path),
            None => of_zoo(zoo::SEED_CNN),
        },
    }
}

fn named(name: &str) -> Result<Chosen> {
    let path = Path::new(name);
    if path.is_file() {
        let title = path.file_name().unwrap_or_default().to_string_lossy();
        return open(title.into_owned(), path.to_path_buf());
    }
    let zoo = zoo::names()?;
    if zoo.iter().any(|entry| entry == name) {
        return of_zoo(name);
    }
    if let Some(path) = of_run(name)? {
        return open(format!("run {name}"), path);
    }
    bail!(
        "there is no model `{name}`: expected a .tflite file, a model of artifacts/zoo ({}), or a run below artifacts/runs \
         that has a {}",
        zoo.join(", "),
        file::INT8
    )
}

/// The int8 model of a run; `None` where there is none.
fn of_run(name: &str) -> Result<Option<PathBuf>> {
    // What cannot be the name of a run is none.
    let path = RunDir::new(name).map(|run| run.file(file::INT8)).ok();
    Ok(path.filter(|path| path.is_file()))
}

fn of_zoo(name: &str) -> Result<Chosen> {
    open(name.to_owned(), Zoo::new(name).file(file::INT8))
}

fn open(title: String, path: PathBuf) -> Result<Chosen> {
    let mapped = MappedModel::open(&path)
        .with_context(|| format!("cannot deploy {}", workspace::shown(&path)))?;
    Ok(Chosen {
        title,
        path,
        mapped,
    })
}
