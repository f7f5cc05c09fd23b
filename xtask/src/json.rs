//! JSON files of a run.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::atomic;
use crate::workspace::{self, shown};

/// Writes `value`, indented.
///
/// # Errors
/// What the file system says.
pub fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    atomic::write(path, &text)
}

/// Reads a value back.
///
/// # Errors
/// A file that cannot be read or holds something else.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = workspace::read(path)?;
    serde_json::from_slice(&text).with_context(|| {
        format!(
            "{} is damaged: remove it and run the stage again",
            shown(path)
        )
    })
}
