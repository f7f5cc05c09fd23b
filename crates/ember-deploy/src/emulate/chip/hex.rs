//! Reads the HEX file that would be flashed, before an emulator does: QEMU takes a damaged one for a raw image.

use crate::error::DeployError;
use crate::image::{Segment, parse_hex};
use crate::machine::Region;
use std::fs;
use std::path::Path;

/// What the file puts into flash.
///
/// # Errors
/// [`DeployError::File`], and [`DeployError::NotLoadable`] when it is damaged or puts something outside of `flash`.
pub(super) fn read(path: &Path, flash: Region) -> Result<Vec<Segment>, DeployError> {
    let text =
        fs::read_to_string(path).map_err(|source| DeployError::file("read", path, source))?;
    let bad = |problem: String| DeployError::NotLoadable {
        path: path.to_owned(),
        problem,
    };
    let segments = parse_hex(&text).map_err(|error| bad(error.to_string()))?;
    let outside = segments
        .iter()
        .find(|segment| !flash.contains(segment.address.into(), segment.bytes.len() as u64));
    match outside {
        None => Ok(segments),
        Some(Segment { address, bytes }) => Err(bad(format!(
            "it has {} bytes for {address:#010x}, which is outside of the chip's flash",
            bytes.len()
        ))),
    }
}
