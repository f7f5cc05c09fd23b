//! ONNX files as graphs: what others trained, with our passes, quantization and firmware behind it.
//!
//! ```text
//! model.onnx ──► Graph (NHWC, float32) ──► whatever is made of a trained graph
//!            └─► QuantizedGraph, where the file quantizes: its integers, scales and zero points
//! ```
//!
//! [`import`] reads a file. What it gives
//!
//! - has NHWC images where the file has NCHW: filters are turned around, and the columns of a dense layer behind a flattened
//!   image; **images that go in and out are NHWC**, too: [`ChannelsLast`] says which those are. A signal `[1,C,W]` is an image
//!   of one row. Where an operator needs the order of the file, the graph moves the numbers;
//! - takes a batch of 1, whatever batch the file leaves open;
//! - computes in f32 what the file says, operator by operator; a relu or the addition of a constant becomes part of the layer
//!   before.
//!
//! [`supported`] lists the operators. Anything else is one error that names the node.
//!
//! A file with `QuantizeLinear` and `DequantizeLinear` (QDQ) keeps its quantization: see [`Quantized`].
//!
//! The protobuf messages are those of `onnx-ir`. Its intermediate representation is not used: it gives nodes and values new
//! names, and an error has to name what the file names.
//!
//! **Invariant:** no file makes this crate panic.

mod constant;
mod error;
mod layout;
mod lower;
mod model;
mod node;
mod ops;
mod quantized;
mod ranges;
mod tensor;

use std::fs;
use std::path::Path;

pub use error::OnnxError;
pub use ops::supported;
pub use ranges::Ranges;

use ember_compress::Recipe;
use ember_graph::{Graph, QuantizedGraph};
use model::Model;

/// A model that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// What it computes in f32; of a quantized file, with the weights that its integers stand for.
    pub graph: Graph,
    /// How the file quantizes it; nothing where it does not.
    pub quantized: Option<Quantized>,
    /// Which inputs and outputs have their channels first in the file and last here.
    pub channels_last: ChannelsLast,
}

/// Which inputs and outputs of a model are `[1,C,H,W]` or `[1,C,W]` in the file, and `[1,H,W,C]` or `[1,1,W,C]` in the graph.
/// The numbers of all others lie as they do in the file; what has no batch of 1 in front there has one here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelsLast {
    /// One for each input, in the order of the graph's.
    pub inputs: Vec<bool>,
    /// One for each output.
    pub outputs: Vec<bool>,
}

/// The quantization of a file, kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantized {
    /// The int8 model with the very integers, scales and zero points of the file.
    pub model: QuantizedGraph,
    /// The same for quantizing the graph again: zero points are the file's; scales are, but for rounding, and those of weights
    /// are what their numbers need.
    pub ranges: Ranges,
    /// Which weights share a scale.
    pub recipe: Recipe,
}

/// Reads an ONNX file; weights may lie in files beside it. The graph is named after the file.
///
/// # Errors
/// When the file cannot be read, is damaged, or has something that is not supported: the first such thing, with its node.
pub fn import(path: &Path) -> Result<Imported, OnnxError> {
    let bytes = fs::read(path).map_err(|source| OnnxError::File {
        path: path.to_owned(),
        source,
    })?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let folder = path.parent();
    import_from(&bytes, &stem, folder).map_err(|problem| OnnxError::InFile {
        path: path.to_owned(),
        problem: Box::new(problem),
    })
}

/// Reads the bytes of an ONNX file that holds all its weights; `name` becomes the graph's.
///
/// # Errors
/// As [`import`].
pub fn import_bytes(bytes: &[u8], name: &str) -> Result<Imported, OnnxError> {
    import_from(bytes, name, None)
}

fn import_from(bytes: &[u8], name: &str, folder: Option<&Path>) -> Result<Imported, OnnxError> {
    let model = Model::parse(bytes, folder)?;
    let (graph, kept, channels_last) = lower::lower(&model, name)?;
    let quantized = if kept.is_empty() {
        None
    } else {
        let model = quantized::keep(&graph, &kept)?;
        let (optimized, _) = ember_compress::optimize(&graph)?;
        Some(Quantized {
            ranges: Ranges::new(&model, &optimized, name),
            recipe: ranges::recipe(&model),
            model,
        })
    };
    Ok(Imported {
        graph,
        quantized,
        channels_last,
    })
}
