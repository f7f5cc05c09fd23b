//! A model by the name that a user gave: a file, a model of `artifacts/zoo`, or a run.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::manifest::RunDir;
use crate::zoo::{self, Zoo};

/// Where a model was found.
pub enum Named {
    /// In a file.
    File(PathBuf),
    /// In `artifacts/zoo`.
    Zoo(Zoo),
    /// In a run of the pipeline.
    Run(RunDir),
}

/// The run that the pipeline leaves when it is not told another name.
const DEFAULT_RUN: &str = "default";

impl Named {
    /// Finds what is called `name`, in the order of the variants; without a name the default run, and where that has none
    /// the reference model. A run counts where it has a `wanted`; `files` says what files are taken, as in "a .tflite file".
    ///
    /// # Errors
    /// Nothing of that name, with what there is.
    pub fn find(name: Option<&str>, wanted: &str, files: &str) -> Result<Self> {
        let run = |name| {
            // What cannot be the name of a run is none.
            let run = RunDir::new(name).ok()?;
            run.file(wanted).is_file().then_some(Self::Run(run))
        };
        let Some(name) = name else {
            return Ok(run(DEFAULT_RUN).unwrap_or_else(|| Self::Zoo(Zoo::new(zoo::REFERENCE))));
        };
        if Path::new(name).is_file() {
            return Ok(Self::File(name.into()));
        }
        let zoo = zoo::all()?;
        let names: Vec<_> = zoo.iter().map(|zoo| zoo.name().to_owned()).collect();
        if let Some(zoo) = zoo.into_iter().find(|zoo| zoo.name() == name) {
            return Ok(Self::Zoo(zoo));
        }
        match run(name) {
            Some(run) => Ok(run),
            None if Path::new(name).is_dir() => bail!("`{name}` is a folder: expected {files}"),
            None => bail!(
                "there is no model `{name}`: expected {files}, a model of artifacts/zoo ({}), or a run below artifacts/runs \
                 that has a {wanted}",
                names.join(", ")
            ),
        }
    }
}
