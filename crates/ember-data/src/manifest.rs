//! The manifests in `datasets/`: which files a data set has, their checksums and where they can be had.

use serde::Deserialize;

use crate::error::DataError;
use crate::folder::Role;

/// A data set that can be downloaded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) name: String,
    /// Each ends with `/`; a file's address is the mirror, the file's name and `.gz`.
    pub(crate) mirrors: Vec<String>,
    pub(crate) files: Vec<ManifestFile>,
}

/// One file of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManifestFile {
    pub(crate) role: Role,
    /// The name without `.gz`.
    pub(crate) file: String,
    /// Length of the decoded content, bytes.
    pub(crate) bytes: u64,
    /// SHA-256 (hexadecimal) of the decoded content.
    pub(crate) sha256: String,
}

impl Manifest {
    /// MNIST, from `datasets/mnist.toml`.
    pub(crate) fn mnist() -> Result<Self, DataError> {
        Self::parse(
            "datasets/mnist.toml",
            include_str!("../../../datasets/mnist.toml"),
        )
    }

    pub(crate) fn parse(manifest: &'static str, text: &str) -> Result<Self, DataError> {
        let wrong = |reason: String| DataError::Manifest { manifest, reason };
        let parsed: Self = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        for role in Role::ALL {
            let count = parsed.files.iter().filter(|file| file.role == role).count();
            if count != 1 {
                return Err(wrong(format!(
                    "{count} files have the role {role:?}, expected 1"
                )));
            }
        }
        Ok(parsed)
    }

    /// The file for `role`; `parse` has seen to it that there is one.
    pub(crate) fn file(&self, role: Role) -> Option<&ManifestFile> {
        self.files.iter().find(|file| file.role == role)
    }
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    #[test]
    fn mnist_has_two_mirrors_and_four_files() {
        let manifest = Manifest::mnist().unwrap();
        assert!(manifest.mirrors.len() >= 2);
        assert!(
            manifest
                .mirrors
                .iter()
                .all(|mirror| mirror.starts_with("https://"))
        );
        assert_eq!(manifest.files.len(), 4);
        assert!(
            manifest
                .files
                .iter()
                .all(|file| file.sha256.len() == 64 && file.bytes > 10_000)
        );
    }

    #[test]
    fn a_manifest_needs_each_role_once() {
        let text = include_str!("../../../datasets/mnist.toml").replace("t10k", "any");
        let doubled = text.replace("\"test-labels\"", "\"test-images\"");
        let error = Manifest::parse("any.toml", &doubled)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("2 files have the role TestImages"),
            "{error}"
        );
        assert!(Manifest::parse("any.toml", "nmae = 1").is_err());
    }
}
