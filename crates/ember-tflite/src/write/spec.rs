//! A model as owned values: what [`write()`](super::write()) writes.

use std::borrow::ToOwned;
use std::string::String;
use std::vec::Vec;

use ember_core::{BuiltinOp, Dtype};

use crate::metadata::{PLAN, RUNTIME_VERSION};
use crate::model::TensorId;
use crate::options::Options;

/// Bytes of the metadata that names the oldest runtime: text, filled up with zeros, as TensorFlow writes it.
const RUNTIME_VERSION_BYTES: usize = 16;

/// A model: its main subgraph, and those that operators of it call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelSpec {
    /// What the file says about itself; may be empty.
    pub description: String,
    /// The subgraph's name; may be empty.
    pub name: String,
    /// The tensors: [`TensorId`]s are positions in this list.
    pub tensors: Vec<TensorSpec>,
    /// The operators in the order of execution.
    pub operators: Vec<OperatorSpec>,
    /// The tensors that the caller fills.
    pub inputs: Vec<TensorId>,
    /// The tensors that hold the result.
    pub outputs: Vec<TensorId>,
    /// The named ways to call the model.
    pub signatures: Vec<SignatureSpec>,
    /// Names with their bytes.
    pub metadata: Vec<(String, Vec<u8>)>,
    /// The subgraphs behind the main one: the first of them has number 1.
    pub called: Vec<SubgraphSpec>,
}

/// A subgraph that operators such as IF and WHILE call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubgraphSpec {
    /// Its name; may be empty.
    pub name: String,
    /// The tensors: [`TensorId`]s are positions in this list.
    pub tensors: Vec<TensorSpec>,
    /// The operators in the order of execution.
    pub operators: Vec<OperatorSpec>,
    /// The tensors that the calling operator fills.
    pub inputs: Vec<TensorId>,
    /// The tensors that hold the result.
    pub outputs: Vec<TensorId>,
}

impl ModelSpec {
    /// Adds a tensor.
    pub fn push_tensor(&mut self, tensor: TensorSpec) -> TensorId {
        let id = TensorId(self.tensors.len() as u32);
        self.tensors.push(tensor);
        id
    }

    /// Sets the metadata with this name.
    pub fn set_metadata(&mut self, name: &str, bytes: Vec<u8>) {
        match self.metadata.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = bytes,
            None => self.metadata.push((name.to_owned(), bytes)),
        }
    }

    /// Names the oldest TensorFlow release that runs the model, such as `1.14.0`; at most 16 bytes are kept.
    pub fn set_min_runtime_version(&mut self, version: &str) {
        let mut bytes = version.as_bytes().to_vec();
        bytes.resize(RUNTIME_VERSION_BYTES, 0);
        self.set_metadata(RUNTIME_VERSION, bytes);
    }

    /// Sets the arena plan: one offset per tensor, in bytes from the start of the arena, or
    /// [`UNPLANNED`](crate::UNPLANNED).
    pub fn set_arena_plan(&mut self, offsets: &[i32]) {
        const FORMAT_VERSION: i32 = 1;
        const SUBGRAPH: i32 = 0;
        let header = [FORMAT_VERSION, SUBGRAPH, offsets.len() as i32];
        let words = header.iter().chain(offsets);
        self.set_metadata(PLAN, words.flat_map(|word| word.to_le_bytes()).collect());
    }
}

/// A tensor to write.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorSpec {
    /// Its name; may be empty.
    pub name: String,
    /// The type of its elements.
    pub dtype: Dtype,
    /// Its dimensions, outermost first; none for a scalar.
    pub shape: Vec<usize>,
    /// The bytes of a constant: little-endian, row-major, sub-byte types packed.
    pub data: Option<Vec<u8>>,
    /// What integers stand for.
    pub quantization: Option<QuantizationSpec>,
    /// Whether its content lives from one run to the next.
    pub is_variable: bool,
}

impl TensorSpec {
    /// A tensor that is computed, or filled by the caller.
    #[must_use]
    pub fn new(name: impl Into<String>, dtype: Dtype, shape: impl Into<Vec<usize>>) -> Self {
        Self {
            name: name.into(),
            dtype,
            shape: shape.into(),
            data: None,
            quantization: None,
            is_variable: false,
        }
    }

    /// The same tensor as a constant with these bytes.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// The same tensor with this quantization.
    #[must_use]
    pub fn with_quantization(mut self, quantization: QuantizationSpec) -> Self {
        self.quantization = Some(quantization);
        self
    }
}

/// What a tensor's integers stand for: `scale * (q - zero_point)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QuantizationSpec {
    /// One scale, or one per channel.
    pub scales: Vec<f32>,
    /// As many zero points as scales.
    pub zero_points: Vec<i64>,
    /// The dimension of the shape whose positions are the channels.
    pub quantized_dimension: i32,
}

impl QuantizationSpec {
    /// One scale and zero point for the whole tensor.
    #[must_use]
    pub fn per_tensor(scale: f32, zero_point: i32) -> Self {
        Self {
            scales: [scale].into(),
            zero_points: [i64::from(zero_point)].into(),
            quantized_dimension: 0,
        }
    }

    /// A scale for every position of a dimension, zero points 0.
    #[must_use]
    pub fn per_channel(scales: impl Into<Vec<f32>>, quantized_dimension: i32) -> Self {
        let scales = scales.into();
        Self {
            zero_points: std::vec![0; scales.len()],
            scales,
            quantized_dimension,
        }
    }
}

/// An operator to write.
#[derive(Clone, Debug, PartialEq)]
pub struct OperatorSpec {
    /// What it does.
    pub op: BuiltinOp,
    /// The version of the operator: higher where newer features are used.
    pub version: i32,
    /// The tensors that it reads, in the operator's own order; `None` where one is left out.
    pub inputs: Vec<Option<TensorId>>,
    /// The tensors that it writes.
    pub outputs: Vec<Option<TensorId>>,
    /// Its options; [`Options::None`] writes none, which reads as the schema's defaults.
    pub options: Options,
    /// The variable of a VAR_HANDLE; `None` for others.
    pub variable: Option<VariableSpec>,
    /// The name of a custom operator; unused for others.
    pub custom_code: String,
    /// The options of a custom operator.
    pub custom_options: Vec<u8>,
}

impl OperatorSpec {
    /// A builtin operator of version 1 with all its inputs and outputs.
    #[must_use]
    pub fn new(
        op: BuiltinOp,
        inputs: impl IntoIterator<Item = TensorId>,
        outputs: impl IntoIterator<Item = TensorId>,
        options: impl Into<Options>,
    ) -> Self {
        Self {
            op,
            version: 1,
            inputs: inputs.into_iter().map(Some).collect(),
            outputs: outputs.into_iter().map(Some).collect(),
            options: options.into(),
            variable: None,
            custom_code: String::new(),
            custom_options: Vec::new(),
        }
    }

    /// A VAR_HANDLE of this variable, which gives its handle in `output`.
    #[must_use]
    pub fn var_handle(variable: VariableSpec, output: TensorId) -> Self {
        Self {
            variable: Some(variable),
            ..Self::new(BuiltinOp::VarHandle, [], [output], Options::None)
        }
    }

    /// The same operator in another version.
    #[must_use]
    pub fn with_version(mut self, version: i32) -> Self {
        self.version = version;
        self
    }
}

/// Which variable a VAR_HANDLE stands for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VariableSpec {
    /// What it is in; may be empty.
    pub container: String,
    /// Its name; may be empty.
    pub name: String,
}

/// A named way to call a subgraph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SignatureSpec {
    /// Its name, such as `serving_default`.
    pub key: String,
    /// Which subgraph it calls: 0 is the main one.
    pub subgraph: u32,
    /// The names of the inputs.
    pub inputs: Vec<(String, TensorId)>,
    /// The names of the outputs.
    pub outputs: Vec<(String, TensorId)>,
}

impl SignatureSpec {
    /// The name under which TensorFlow's tools look for a model's main signature.
    pub const DEFAULT_KEY: &'static str = "serving_default";
}
