//! Gets the data set that the user asked for from where it can be had.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::dataset::Dataset;
use crate::download::Downloader;
use crate::error::DataError;
use crate::folder::{self, Files};
use crate::manifest::Manifest;
use crate::source::DatasetSource;
use crate::synthetic::{self, SyntheticOptions};

/// Where to look for data and how to get it.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// A folder that may hold the four MNIST files; looked at first.
    pub data_dir: Option<PathBuf>,
    /// The folder below which downloads are kept, each data set in its own: `datasets/` of the workspace.
    pub datasets_dir: PathBuf,
    /// Labels must be below this.
    pub classes: usize,
    /// Where to download MNIST from instead of the mirrors in `datasets/mnist.toml`: addresses of folders.
    pub mirrors: Option<Vec<String>>,
    /// The longest time for a mirror to answer, and between two pieces of what it sends.
    pub patience: Duration,
    /// How synthetic digits are drawn.
    pub synthetic: SyntheticOptions,
}

/// `auto` has an alternative to a slow network, so that it waits no longer than this.
const PATIENCE_OF_AUTO: Duration = Duration::from_secs(3);

impl LoadOptions {
    /// The options for a workspace: its `datasets/` folder, `EMBER_DATA_DIR` where it is set, ten classes.
    #[must_use]
    pub fn for_workspace(root: &Path) -> Self {
        Self {
            data_dir: std::env::var_os("EMBER_DATA_DIR")
                .filter(|dir| !dir.is_empty())
                .map(PathBuf::from),
            datasets_dir: root.join("datasets"),
            classes: 10,
            mirrors: None,
            patience: Duration::from_secs(20),
            synthetic: SyntheticOptions::default(),
        }
    }
}

/// What happens while a data set is loaded, for a progress display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The files in this folder are being read.
    Reading {
        /// The folder.
        folder: &'a Path,
    },
    /// A place was looked at and left.
    Skipped {
        /// The place.
        place: &'a Path,
        /// Why.
        why: &'a str,
    },
    /// Bytes of a download have arrived.
    Downloading {
        /// The file's name.
        file: &'a str,
        /// Bytes so far.
        received: u64,
        /// Bytes in all, where the server says so.
        total: Option<u64>,
    },
    /// A mirror did not deliver; the next one is tried.
    MirrorFailed {
        /// The address.
        url: &'a str,
        /// Why.
        why: &'a str,
    },
    /// A file was downloaded, checked and stored.
    Stored {
        /// Where.
        path: &'a Path,
    },
    /// Synthetic digits were drawn.
    Drawing {
        /// Images so far.
        done: usize,
        /// Images in all.
        total: usize,
    },
}

/// A data set and how it was had.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The data set.
    pub dataset: Dataset,
    /// Where it is from, for people: a folder, or how it was drawn.
    pub origin: String,
    /// Only for [`DatasetSource::Auto`]: why these are synthetic digits and not MNIST. Show it so that nobody can miss
    /// it.
    pub fallback: Option<String>,
}

/// Loads `source`. `progress` is told what happens, from any thread.
pub fn load(
    source: &DatasetSource,
    options: &LoadOptions,
    progress: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Loaded, DataError> {
    match source {
        DatasetSource::Path(folder) => path(folder, options, progress),
        DatasetSource::Mnist => mnist(options, options.patience, progress),
        DatasetSource::Synthetic => Ok(synthetic(options, progress)),
        DatasetSource::Auto => {
            match mnist(options, options.patience.min(PATIENCE_OF_AUTO), progress) {
                // It cannot be had. Any other error is one in data that are there, and not to be hidden.
                Err(error @ (DataError::Download { .. } | DataError::Write { .. })) => Ok(Loaded {
                    fallback: Some(error.to_string()),
                    ..synthetic(options, progress)
                }),
                result => result,
            }
        }
    }
}

fn synthetic(options: &LoadOptions, progress: &(dyn Fn(Event<'_>) + Sync)) -> Loaded {
    let drawn = &options.synthetic;
    Loaded {
        dataset: synthetic::draw(drawn, &|done, total| {
            progress(Event::Drawing { done, total })
        }),
        origin: format!("drawn with seed {}", drawn.seed),
        fallback: None,
    }
}

fn path(
    folder: &Path,
    options: &LoadOptions,
    progress: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Loaded, DataError> {
    let files = folder::find(folder)?;
    progress(Event::Reading { folder });
    let name = folder.canonicalize().map_err(DataError::read(folder))?;
    let name = name
        .file_name()
        .unwrap_or(folder.as_os_str())
        .to_string_lossy();
    Ok(Loaded {
        dataset: folder::read(&name, &files, options.classes, |_, _, _| Ok(()))?,
        origin: folder.display().to_string(),
        fallback: None,
    })
}

fn mnist(
    options: &LoadOptions,
    patience: Duration,
    progress: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Loaded, DataError> {
    let manifest = Manifest::mnist()?;
    let kept = options.datasets_dir.join(&manifest.name);
    for place in places(options, &kept) {
        match folder::find(place) {
            Ok(files) => return checked(&manifest, place, &files, options.classes, progress),
            // That nothing was downloaded yet is nothing to tell.
            Err(_) if *place == kept && !kept.exists() => {}
            Err(error) => progress(Event::Skipped {
                place,
                why: &error.to_string(),
            }),
        }
    }
    Downloader {
        manifest: &manifest,
        folder: &kept,
        mirrors: options.mirrors.as_ref().unwrap_or(&manifest.mirrors),
        patience,
        progress,
    }
    .fetch_missing()?;
    checked(
        &manifest,
        &kept,
        &folder::find(&kept)?,
        options.classes,
        progress,
    )
}

/// The folder on this machine that [`load`] would take MNIST from, if there is one. Nothing is read or downloaded.
///
/// # Errors
/// The manifest of MNIST is damaged.
pub fn find_mnist(options: &LoadOptions) -> Result<Option<PathBuf>, DataError> {
    let kept = options.datasets_dir.join(Manifest::mnist()?.name);
    let found = places(options, &kept).find(|place| folder::find(place).is_ok());
    Ok(found.cloned())
}

/// Where MNIST may be, the first choice first.
fn places<'a>(options: &'a LoadOptions, kept: &'a PathBuf) -> impl Iterator<Item = &'a PathBuf> {
    options.data_dir.iter().chain([kept])
}

/// Reads the files of a data set that the manifest describes; each must have the content that it should.
fn checked(
    manifest: &Manifest,
    folder: &Path,
    files: &Files,
    classes: usize,
    progress: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Loaded, DataError> {
    progress(Event::Reading { folder });
    let check = |role, path: &Path, sha256: &dyn Fn() -> String| match manifest.file(role) {
        Some(file) if file.sha256 != sha256() => Err(DataError::WrongChecksum {
            path: path.to_owned(),
            dataset: manifest.name.clone(),
            found: sha256(),
            expected: file.sha256.clone(),
        }),
        _ => Ok(()),
    };
    Ok(Loaded {
        dataset: folder::read(&manifest.name, files, classes, check)?,
        origin: folder.display().to_string(),
        fallback: None,
    })
}
