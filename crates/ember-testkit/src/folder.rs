//! Cases of whole models in folders outside the repository, found through the environment.
//!
//! A folder is a case when it has a `case.json`; beside it lie `model.tflite`, `inputs.bin` and `outputs.bin`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::aligned::AlignedBytes;
use crate::case::{Case, CaseError, Port, Record, dtype_named, split_records};

/// The environment variable that names the folder of case folders.
pub const VARIABLE: &str = "EMBER_CASES_DIR";

#[derive(Deserialize)]
struct Description {
    count: usize,
    inputs: Vec<PortDescription>,
    outputs: Vec<PortDescription>,
}

#[derive(Deserialize)]
struct PortDescription {
    dtype: String,
    shape: Vec<usize>,
}

/// The folder that [`VARIABLE`] names; none when it is not set or empty.
#[must_use]
pub fn root() -> Option<PathBuf> {
    std::env::var_os(VARIABLE)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// The names of the case folders in `root`, sorted.
///
/// # Errors
/// When the folder cannot be listed.
pub fn names(root: &Path) -> Result<Vec<String>, CaseError> {
    let fail = |source| CaseError::File {
        path: root.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if let (true, Some(name)) = (path.join("case.json").is_file(), path.file_name()) {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The case in the folder `name` of `root`.
///
/// # Errors
/// When a file is missing, or the files do not fit together.
pub fn case(root: &Path, name: &str) -> Result<Case, CaseError> {
    let folder = root.join(name);
    let text = read(&folder.join("case.json"))?;
    let place = folder.join("case.json").display().to_string();
    let description: Description =
        serde_json::from_slice(&text).map_err(|error| CaseError::Description {
            place: place.clone(),
            found: error.to_string(),
            expected: "a case's description (count, inputs, outputs)",
        })?;
    let inputs = ports(&place, &description.inputs)?;
    let outputs = ports(&place, &description.outputs)?;
    let side = |file: &str, ports: &[Port]| {
        let path = folder.join(file);
        split_records(
            &path.display().to_string(),
            &read(&path)?,
            ports,
            description.count,
        )
    };
    let (ins, outs) = (side("inputs.bin", &inputs)?, side("outputs.bin", &outputs)?);
    Ok(Case {
        name: name.to_owned(),
        model: AlignedBytes::copy_of(&read(&folder.join("model.tflite"))?),
        inputs,
        outputs,
        records: ins
            .into_iter()
            .zip(outs)
            .map(|(inputs, outputs)| Record { inputs, outputs })
            .collect(),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, CaseError> {
    std::fs::read(path).map_err(|source| CaseError::File {
        path: path.to_owned(),
        source,
    })
}

fn ports(place: &str, described: &[PortDescription]) -> Result<Vec<Port>, CaseError> {
    described
        .iter()
        .map(|port| {
            Ok(Port {
                dtype: dtype_named(place, &port.dtype)?,
                shape: port.shape.clone(),
            })
        })
        .collect()
}
