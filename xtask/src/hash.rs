//! SHA-256 of files and bytes, in hexadecimal.

use std::path::Path;

use anyhow::Result;
use sha2::{Digest, Sha256};

use crate::workspace;

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of `bytes`.
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of the file at `path`.
///
/// # Errors
/// A file that cannot be read.
pub fn of_file(path: &Path) -> Result<String> {
    Ok(of_bytes(&workspace::read(path)?))
}
