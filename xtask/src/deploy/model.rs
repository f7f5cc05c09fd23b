//! Which model goes onto a chip, by the name that a user gave.

use std::path::PathBuf;

use anyhow::Result;
use ember_lite::MappedModel;

use crate::named::Named;
use crate::stages::file;

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

/// Finds the model called `name`: a file, a committed model or a run, in this order.
///
/// # Errors
/// Nothing of that name (with what there is), or a file that is no model.
pub fn choose(name: Option<&str>) -> Result<Chosen> {
    match Named::find(name, file::INT8, "a .tflite file")? {
        Named::File(path) => {
            let title = path.file_name().unwrap_or_default().to_string_lossy();
            open(title.into_owned(), path.clone(), None)
        }
        Named::Zoo(zoo) => {
            let accuracy = zoo.manifest()?.test_accuracy.get("int8").copied();
            open(zoo.name().to_owned(), zoo.file(file::INT8), accuracy)
        }
        Named::Run(run) => open(format!("run {}", run.name()), run.file(file::INT8), None),
    }
}

fn open(title: String, path: PathBuf, accuracy: Option<f64>) -> Result<Chosen> {
    let mapped = MappedModel::open(&path)?;
    Ok(Chosen {
        title,
        path,
        mapped,
        accuracy,
    })
}
