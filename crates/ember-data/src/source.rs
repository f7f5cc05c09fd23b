//! Which data set the user asked for.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::DataError;

/// A data set as the command line names it: `auto`, `mnist`, `synthetic`, or a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DatasetSource {
    /// MNIST, and where it cannot be had, synthetic digits.
    #[default]
    Auto,
    /// MNIST or an error.
    Mnist,
    /// Digits that this crate draws.
    Synthetic,
    /// A folder with four IDX files.
    Path(PathBuf),
}

const NAMES: [(&str, DatasetSource); 3] = [
    ("auto", DatasetSource::Auto),
    ("mnist", DatasetSource::Mnist),
    ("synthetic", DatasetSource::Synthetic),
];

impl FromStr for DatasetSource {
    type Err = DataError;

    /// A known name; else a path, where it exists or looks like one; else an error that names the nearest known name.
    fn from_str(text: &str) -> Result<Self, DataError> {
        if let Some((_, source)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(source.clone());
        }
        let path = PathBuf::from(text);
        if text.contains(['/', '\\', '.']) || path.exists() {
            return Ok(Self::Path(path));
        }
        let lower = text.to_lowercase();
        let nearest = NAMES
            .iter()
            .map(|(name, _)| (strsim::jaro_winkler(&lower, name), *name))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        Err(DataError::UnknownSource {
            name: text.to_owned(),
            suggestion: nearest
                .filter(|(likeness, _)| *likeness > 0.7)
                .map(|(_, name)| name),
            expected: NAMES.map(|(name, _)| name).join(", "),
        })
    }
}

impl fmt::Display for DatasetSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Auto => f.write_str("auto"),
            Self::Mnist => f.write_str("mnist"),
            Self::Synthetic => f.write_str("synthetic"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DatasetSource, NAMES};
    use std::path::PathBuf;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (name, source) in NAMES {
            assert_eq!(name.parse::<DatasetSource>().unwrap(), source);
            assert_eq!(source.to_string(), name);
        }
    }

    #[test]
    fn what_exists_or_looks_like_a_path_is_one() {
        let path = |text: &str| DatasetSource::Path(PathBuf::from(text));
        assert_eq!("src".parse::<DatasetSource>().unwrap(), path("src"));
        assert_eq!("./mnits".parse::<DatasetSource>().unwrap(), path("./mnits"));
    }

    #[test]
    fn a_typo_gets_the_nearest_name() {
        for (typo, name) in [
            ("mnits", "mnist"),
            ("MNIST", "mnist"),
            ("syntetic", "synthetic"),
            ("autp", "auto"),
        ] {
            let error = typo.parse::<DatasetSource>().unwrap_err().to_string();
            assert!(
                error.contains(&format!("did you mean `{name}`?")),
                "{error}"
            );
        }
        let error = "qqq".parse::<DatasetSource>().unwrap_err().to_string();
        assert!(!error.contains("did you mean"), "{error}");
        assert!(error.contains("auto, mnist, synthetic"), "{error}");
    }
}
