//! A run's manifest: what went into each stage and what came out, so that a stage whose inputs did not change is not
//! run again and anybody can check where a file comes from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{atomic, hash, workspace};

const FILE: &str = "manifest.json";

/// The folder of one run, `artifacts/runs/<name>/`.
#[derive(Clone, Debug)]
pub struct RunDir {
    dir: PathBuf,
    name: String,
}

impl RunDir {
    /// The run called `name`.
    ///
    /// # Errors
    /// A name that is not a plain folder name.
    pub fn new(name: &str) -> Result<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if name.is_empty() || name.starts_with('.') || !name.bytes().all(plain) {
            bail!(
                "`{name}` cannot name a run: use letters, digits, `-`, `_` and `.`, not starting with a dot"
            );
        }
        Ok(Self {
            dir: workspace::root().join("artifacts/runs").join(name),
            name: name.to_owned(),
        })
    }

    /// A run in another place, such as a temporary folder.
    #[must_use]
    pub fn at(dir: &Path, name: &str) -> Self {
        Self {
            dir: dir.to_path_buf(),
            name: name.to_owned(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A file in it that an earlier stage must have written.
    ///
    /// # Errors
    /// Where it is not there: the command that makes it.
    pub fn existing(&self, name: &str, made_by: &str) -> Result<PathBuf> {
        let path = self.file(name);
        if !path.is_file() {
            bail!(
                "{} is not there yet: `cargo xtask {made_by} --name {name}` makes it, and `cargo xtask \
                 pipeline --name {name}` all that it needs, too",
                workspace::shown(&path),
                name = self.name
            );
        }
        Ok(path)
    }

    /// What is recorded of it; empty for a new run.
    ///
    /// # Errors
    /// A manifest that cannot be read or parsed.
    pub fn manifest(&self) -> Result<Manifest> {
        let path = self.file(FILE);
        if !path.exists() {
            return Ok(Manifest::default());
        }
        let text = workspace::read(&path)?;
        serde_json::from_slice(&text).with_context(|| {
            format!(
                "{} is damaged: remove it and run the pipeline again",
                workspace::shown(&path)
            )
        })
    }

    fn save(&self, manifest: &Manifest) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(manifest)?;
        text.push(b'\n');
        atomic::write(&self.file(FILE), &text)
    }

    /// Whether `stage` ran with these inputs and its files are still what it wrote.
    ///
    /// # Errors
    /// A manifest that cannot be read.
    pub fn is_fresh(&self, stage: &str, inputs: &Inputs) -> Result<bool> {
        let manifest = self.manifest()?;
        let Some(record) = manifest.stages.get(stage) else {
            return Ok(false);
        };
        let unchanged = |(name, sha256): (&String, &String)| {
            hash::of_file(&self.file(name)).is_ok_and(|now| now == *sha256)
        };
        Ok(record.inputs == inputs.0 && record.outputs.iter().all(unchanged))
    }

    /// Forgets `stage` before it runs, so that a stage that was killed is not taken for done.
    ///
    /// # Errors
    /// A manifest that cannot be read or written.
    pub fn begin(&self, stage: &str) -> Result<()> {
        let mut manifest = self.manifest()?;
        if manifest.stages.remove(stage).is_some() {
            self.save(&manifest)?;
        }
        Ok(())
    }

    /// Records that `stage` turned `inputs` into the files `outputs`.
    ///
    /// # Errors
    /// An output that is not there, or a manifest that cannot be written.
    pub fn finish(
        &self,
        stage: &str,
        inputs: Inputs,
        outputs: &[String],
        seconds: f64,
    ) -> Result<()> {
        let mut manifest = self.manifest()?;
        let mut hashes = BTreeMap::new();
        for name in outputs {
            hashes.insert(name.clone(), hash::of_file(&self.file(name))?);
        }
        manifest.ember = env!("CARGO_PKG_VERSION").to_owned();
        manifest.rustc = crate::toolchain::rustc_version()?;
        manifest.cpu_features = cpu_features();
        manifest.stages.insert(
            stage.to_owned(),
            Record {
                inputs: inputs.0,
                outputs: hashes,
                seconds,
            },
        );
        self.save(&manifest)
    }
}

/// `manifest.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this workspace.
    pub ember: String,
    /// Version of the compiler, which decides the firmware's bytes.
    pub rustc: String,
    /// Features of the host's processor that decide which float kernels training runs on.
    pub cpu_features: Vec<String>,
    /// Per stage, what it read and wrote.
    pub stages: BTreeMap<String, Record>,
}

/// What one stage read and wrote.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Settings by name, and SHA-256 of files and sources.
    pub inputs: BTreeMap<String, String>,
    /// SHA-256 by file name, relative to the run.
    pub outputs: BTreeMap<String, String>,
    /// Wall time.
    pub seconds: f64,
}

/// What a stage's result depends on.
#[derive(Clone, Debug, Default)]
pub struct Inputs(BTreeMap<String, String>);

impl Inputs {
    /// Begins with the sources of the crate that does the work.
    ///
    /// # Errors
    /// Sources that cannot be read.
    pub fn of_sources(krate: &str) -> Result<Self> {
        let mut inputs = Self::default();
        inputs.0.insert(
            format!("sources of {krate}"),
            workspace::sources_fingerprint(krate)?,
        );
        Ok(inputs)
    }

    /// Adds a setting.
    #[must_use]
    pub fn value(mut self, name: &str, value: impl ToString) -> Self {
        self.0.insert(name.to_owned(), value.to_string());
        self
    }

    /// Adds a file's content.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn file(mut self, path: &Path) -> Result<Self> {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        self.0.insert(name, hash::of_file(path)?);
        Ok(self)
    }
}

fn cpu_features() -> Vec<String> {
    let mut features = vec![std::env::consts::ARCH.to_owned()];
    #[cfg(target_arch = "x86_64")]
    for (name, there) in [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
    ] {
        if there {
            features.push(name.to_owned());
        }
    }
    features
}

#[cfg(test)]
mod tests {
    use super::{Inputs, RunDir};

    #[test]
    fn a_stage_is_fresh_until_an_input_or_an_output_changes() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::at(dir.path(), "test");
        let inputs = || Inputs::default().value("epochs", 5);
        assert!(!run.is_fresh("train", &inputs()).unwrap());
        std::fs::write(run.file("weights"), b"1").unwrap();
        run.finish("train", inputs(), &["weights".to_owned()], 1.0)
            .unwrap();
        assert!(run.is_fresh("train", &inputs()).unwrap());
        assert!(
            !run.is_fresh("train", &Inputs::default().value("epochs", 6))
                .unwrap()
        );
        std::fs::write(run.file("weights"), b"2").unwrap();
        assert!(
            !run.is_fresh("train", &inputs()).unwrap(),
            "the output was changed behind our back"
        );
        std::fs::write(run.file("weights"), b"1").unwrap();
        run.begin("train").unwrap();
        assert!(
            !run.is_fresh("train", &inputs()).unwrap(),
            "a stage that began is not done"
        );
    }

    #[test]
    fn a_run_cannot_leave_its_folder() {
        for name in ["", "..", "../x", "a/b", ".hidden", "a b"] {
            assert!(RunDir::new(name).is_err(), "{name:?}");
        }
        assert!(RunDir::new("seed-cnn_1.2").is_ok());
    }
}
