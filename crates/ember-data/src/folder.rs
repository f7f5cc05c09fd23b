//! Finds and reads the four files of a data set in a folder.

use std::path::{Path, PathBuf};

use crate::dataset::{Dataset, Split};
use crate::error::DataError;
use crate::idx;

/// What a file of a data set is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    TrainImages,
    TrainLabels,
    TestImages,
    TestLabels,
}

impl Role {
    pub(crate) const ALL: [Self; 4] = [
        Self::TrainImages,
        Self::TrainLabels,
        Self::TestImages,
        Self::TestLabels,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::TrainImages => "training images",
            Self::TrainLabels => "training labels",
            Self::TestImages => "test images",
            Self::TestLabels => "test labels",
        }
    }

    /// A file is for this role if its name contains one of these.
    fn stems(self) -> &'static [&'static str] {
        match self {
            Self::TrainImages => &["train-images"],
            Self::TrainLabels => &["train-labels"],
            Self::TestImages => &["t10k-images", "test-images"],
            Self::TestLabels => &["t10k-labels", "test-labels"],
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::TrainImages => "train-images*",
            Self::TrainLabels => "train-labels*",
            Self::TestImages => "t10k-images* or test-images*",
            Self::TestLabels => "t10k-labels* or test-labels*",
        }
    }
}

/// The paths of the four files, in the order of [`Role::ALL`].
pub(crate) type Files = [PathBuf; 4];

/// Finds the four files in `folder` by their names.
pub(crate) fn find(folder: &Path) -> Result<Files, DataError> {
    let names = file_names(folder)?;
    let find = |role: Role| find_role(folder, &names, role);
    let [a, b, c, d] = Role::ALL;
    Ok([find(a)?, find(b)?, find(c)?, find(d)?])
}

fn find_role(folder: &Path, names: &[String], role: Role) -> Result<PathBuf, DataError> {
    let fits = |name: &&String| {
        role.stems().iter().any(|stem| name.contains(stem)) && !name.ends_with(".part")
    };
    let mut found: Vec<&String> = names.iter().filter(fits).collect();
    // Plain and gzip side by side are one file kept twice: the plain one is read.
    found.dedup_by(|gzip, plain| gzip.strip_suffix(".gz") == Some(plain.as_str()));
    match found.as_slice() {
        [one] => Ok(folder.join(one)),
        [] => Err(DataError::MissingFile {
            folder: folder.to_owned(),
            role: role.name(),
            expected: role.expected(),
            found: list(names.iter()),
        }),
        several => Err(DataError::AmbiguousFile {
            folder: folder.to_owned(),
            role: role.name(),
            found: list(several.iter().copied()),
        }),
    }
}

/// The names of the files in `folder`, sorted.
fn file_names(folder: &Path) -> Result<Vec<String>, DataError> {
    let metadata = folder.metadata().map_err(DataError::read(folder))?;
    if !metadata.is_dir() {
        return Err(DataError::NotAFolder {
            path: folder.to_owned(),
        });
    }
    let mut names = Vec::new();
    for entry in folder.read_dir().map_err(DataError::read(folder))? {
        let entry = entry.map_err(DataError::read(folder))?;
        if entry.path().is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn list<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    const SHOWN: usize = 8;
    let count = names.len();
    let mut shown: Vec<&str> = names.take(SHOWN).map(String::as_str).collect();
    if count == 0 {
        shown.push("no files");
    } else if count > SHOWN {
        shown.push("…");
    }
    shown.join(", ")
}

/// Reads the four files; `check` sees each file's SHA-256 (decoded content) before the next is read.
pub(crate) fn read(
    name: &str,
    files: &Files,
    classes: usize,
    check: impl Fn(Role, &Path, &dyn Fn() -> String) -> Result<(), DataError>,
) -> Result<Dataset, DataError> {
    let [train_images, train_labels, test_images, test_labels] = files;
    let images = |role, path: &Path| {
        let images = idx::read_images(path)?;
        check(role, path, &|| images.sha256())?;
        Ok(images)
    };
    let labels = |role, path: &Path| {
        let labels = idx::read_labels(path, classes)?;
        check(role, path, &|| labels.sha256())?;
        Ok(labels)
    };
    let train = pair(
        (train_images, images(Role::TrainImages, train_images)?),
        (train_labels, labels(Role::TrainLabels, train_labels)?),
    )?;
    let test = pair(
        (test_images, images(Role::TestImages, test_images)?),
        (test_labels, labels(Role::TestLabels, test_labels)?),
    )?;
    if (train.rows(), train.cols()) != (test.rows(), test.cols()) {
        return Err(DataError::SizeMismatch {
            folder: train_images.parent().unwrap_or(Path::new("")).to_owned(),
            train: (train.rows(), train.cols()),
            test: (test.rows(), test.cols()),
        });
    }
    Ok(Dataset::new(name, train, test))
}

fn pair(images: (&Path, idx::Images), labels: (&Path, idx::Labels)) -> Result<Split, DataError> {
    let mismatch = DataError::CountMismatch {
        images_path: images.0.to_owned(),
        labels_path: labels.0.to_owned(),
        images: images.1.count(),
        labels: labels.1.0.len(),
    };
    let (images, labels) = (images.1, labels.1);
    Split::new(images.pixels, labels.0, images.rows, images.cols).ok_or(mismatch)
}
