//! A graph with its numbers in one safetensors file.
//!
//! The tensors are the constants, little-endian f32, sorted by name. The file's metadata carries the graph's text form
//! under `ember.graph` and any strings of the caller's. The same graph and strings give the same bytes everywhere: the
//! header is written here, in sorted order, because the `safetensors` crate writes metadata in the order of a hash map.
//! Reading is that crate's.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use serde_json::{Value as Json, json};

use crate::text::{self, Constants};
use crate::{Graph, GraphError};

/// The metadata key of the graph's text.
pub const GRAPH_KEY: &str = "ember.graph";

/// The entry of the header that is no tensor.
const METADATA: &str = "__metadata__";

/// The file's header starts after its length, and is padded with spaces to a multiple of this many bytes.
const LENGTH_BYTES: usize = 8;

/// What a checkpoint holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The graph, verified.
    pub graph: Graph,
    /// The caller's strings.
    pub metadata: BTreeMap<String, String>,
}

/// The file's bytes.
///
/// # Errors
/// When the graph is not valid, or `metadata` has the key [`GRAPH_KEY`].
pub fn to_bytes(graph: &Graph, metadata: &BTreeMap<String, String>) -> Result<Vec<u8>, GraphError> {
    crate::verify(graph)?;
    if metadata.contains_key(GRAPH_KEY) {
        return Err(GraphError::Checkpoint {
            problem: format!("the metadata key {GRAPH_KEY:?} is taken by the graph itself"),
        });
    }
    if graph.find(METADATA).is_some() {
        return Err(GraphError::Checkpoint {
            problem: format!("a value cannot be named {METADATA:?} in a safetensors file"),
        });
    }
    let mut strings = metadata.clone();
    strings.insert(GRAPH_KEY.to_owned(), text::print(graph, Constants::Elided));

    let mut tensors: Vec<_> = graph.constants().collect();
    tensors.sort_by(|(_, left, _), (_, right, _)| left.name.cmp(&right.name));
    // Not serde_json's own map: a feature of that crate, which any other crate can switch on, changes its order.
    let mut header = BTreeMap::from([(METADATA, json!(strings))]);
    let mut data = Vec::new();
    for (_, value, numbers) in tensors {
        let start = data.len();
        data.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        let tensor = BTreeMap::from([
            ("data_offsets", json!([start, data.len()])),
            ("dtype", json!("F32")),
            ("shape", json!(value.shape)),
        ]);
        header.insert(&value.name, json!(tensor));
    }
    let mut header = json!(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(LENGTH_BYTES), b' ');
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.append(&mut header);
    bytes.append(&mut data);
    Ok(bytes)
}

/// The checkpoint in a file's bytes.
///
/// # Errors
/// When the bytes are cut short or are no safetensors file, when they carry no graph, when a tensor is missing, unknown,
/// of another shape or type, or not finite, and when the graph is not valid.
pub fn from_bytes(bytes: &[u8]) -> Result<Checkpoint, GraphError> {
    let broken = |problem: String| GraphError::Checkpoint { problem };
    whole(bytes)?;
    let (_, header) =
        SafeTensors::read_metadata(bytes).map_err(|error| broken(error.to_string()))?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| broken(error.to_string()))?;
    let mut metadata: BTreeMap<String, String> = header
        .metadata()
        .clone()
        .unwrap_or_default()
        .into_iter()
        .collect();
    let text = metadata.remove(GRAPH_KEY).ok_or_else(|| {
        broken(format!(
            "a safetensors file without the metadata {GRAPH_KEY:?}: it was not written by Ember"
        ))
    })?;
    let graph = text::parse_with(&text, |name, shape| {
        let tensor = tensors
            .tensor(name)
            .map_err(|_| broken(format!("the tensor {name:?} of the graph is missing")))?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
            return Err(broken(format!(
                "the tensor {name:?} is {:?} {:?}, and the graph has it as F32 {shape:?}",
                tensor.dtype(),
                tensor.shape()
            )));
        }
        let (numbers, _) = tensor.data().as_chunks::<4>();
        Ok(numbers
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect())
    })?;
    let mut names = tensors.names();
    names.sort_unstable();
    match names.iter().find(|name| graph.find(name).is_none()) {
        Some(name) => Err(broken(format!(
            "the tensor {name:?} is not a constant of the graph"
        ))),
        None => Ok(Checkpoint { graph, metadata }),
    }
}

/// Writes a checkpoint beside `path` and renames it, so that `path` is whole at every moment.
///
/// # Errors
/// What [`to_bytes`] says, and what the system says about the file.
pub fn save(
    path: &Path,
    graph: &Graph,
    metadata: &BTreeMap<String, String>,
) -> Result<(), GraphError> {
    let bytes = to_bytes(graph, metadata)?;
    let beside = beside(path);
    let written = write_and_rename(&bytes, &beside, path);
    written.map_err(|source| {
        // The error that matters is the first one; the rest of a failed write must not stay.
        let _ = fs::remove_file(&beside);
        GraphError::File {
            action: "write",
            path: path.to_owned(),
            source,
        }
    })
}

/// Reads the checkpoint in a file.
///
/// # Errors
/// What the system says about the file, and, with the file's name, what [`from_bytes`] says.
pub fn load(path: &Path) -> Result<Checkpoint, GraphError> {
    let bytes = fs::read(path).map_err(|source| GraphError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    from_bytes(&bytes).map_err(|problem| GraphError::InFile {
        path: path.to_owned(),
        problem: Box::new(problem),
    })
}

fn write_and_rename(bytes: &[u8], beside: &Path, path: &Path) -> std::io::Result<()> {
    let mut file = fs::File::create(beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(beside, path)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

/// Checks the lengths first: a file that was cut short is the common fault, and deserves its own words.
fn whole(bytes: &[u8]) -> Result<(), GraphError> {
    let cut = |expected: u64| {
        Err(GraphError::Checkpoint {
            problem: format!(
                "the file ends after {} bytes and should have at least {expected}: was it cut short?",
                bytes.len()
            ),
        })
    };
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return cut(LENGTH_BYTES as u64);
    };
    let length = u64::from_le_bytes(*length);
    let Some(header) = usize::try_from(length)
        .ok()
        .and_then(|length| rest.get(..length))
    else {
        if rest.first() != Some(&b'{') {
            return Err(GraphError::Checkpoint {
                problem: "the file does not start as a safetensors file does".to_owned(),
            });
        }
        return cut(length.saturating_add(LENGTH_BYTES as u64));
    };
    let ends = serde_json::from_slice::<Json>(header)
        .ok()
        .and_then(|header| {
            let tensors = header.as_object()?.values();
            tensors
                .filter_map(|tensor| tensor.get("data_offsets")?.get(1)?.as_u64())
                .max()
        })
        .unwrap_or(0);
    let expected = ends
        .saturating_add(length)
        .saturating_add(LENGTH_BYTES as u64);
    if (bytes.len() as u64) < expected {
        return cut(expected);
    }
    Ok(())
}
