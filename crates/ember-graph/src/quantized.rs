//! A graph in integers: every value has its quantization, every constant is already rounded.
//!
//! A number `q` stands for the real number `scale * (q - zero_point)`. [`QuantizedGraph::new`] checks the rules that
//! the integer kernels rely on.

mod rules;

pub use rules::{OutputParameters, output_parameters};

use ember_core::Dtype;

use crate::{Graph, GraphError, Node, Source, Value, ValueId};

/// The integers of a constant, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Integers {
    /// Weights, filters and constant activations.
    Int8(Vec<i8>),
    /// Biases.
    Int32(Vec<i32>),
}

impl Integers {
    /// Their type.
    #[must_use]
    pub const fn dtype(&self) -> Dtype {
        match self {
            Self::Int8(_) => Dtype::Int8,
            Self::Int32(_) => Dtype::Int32,
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Int8(numbers) => numbers.len(),
            Self::Int32(numbers) => numbers.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their bytes, little-endian.
    #[must_use]
    pub fn to_le_bytes(&self) -> Vec<u8> {
        match self {
            Self::Int8(numbers) => numbers
                .iter()
                .map(|number| number.cast_unsigned())
                .collect(),
            Self::Int32(numbers) => numbers
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect(),
        }
    }

    fn get(&self, index: usize) -> Option<i32> {
        match self {
            Self::Int8(numbers) => numbers.get(index).copied().map(i32::from),
            Self::Int32(numbers) => numbers.get(index).copied(),
        }
    }
}

/// How integers stand for real numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Quantization {
    /// One scale for all.
    PerTensor {
        /// The step between neighbours.
        scale: f32,
        /// The integer that stands for 0.
        zero_point: i32,
    },
    /// A scale for each index of one dimension; 0 stands for 0.
    PerChannel {
        /// The dimension.
        axis: usize,
        /// One step for each of its indices.
        scales: Vec<f32>,
    },
}

impl Quantization {
    /// The scales: one, or one for each channel.
    #[must_use]
    pub fn scales(&self) -> &[f32] {
        match self {
            Self::PerTensor { scale, .. } => std::slice::from_ref(scale),
            Self::PerChannel { scales, .. } => scales,
        }
    }

    /// The zero point of every channel.
    #[must_use]
    pub const fn zero_point(&self) -> i32 {
        match self {
            Self::PerTensor { zero_point, .. } => *zero_point,
            Self::PerChannel { .. } => 0,
        }
    }

    /// The quantized dimension; 0 when there is one scale for all.
    #[must_use]
    pub const fn axis(&self) -> usize {
        match self {
            Self::PerTensor { .. } => 0,
            Self::PerChannel { axis, .. } => *axis,
        }
    }

    /// The scale of the element at this row-major position of a tensor of this shape.
    fn scale_at(&self, shape: &[usize], position: usize) -> Option<f32> {
        match self {
            Self::PerTensor { scale, .. } => Some(*scale),
            Self::PerChannel { axis, scales } => {
                let inner: usize = shape.get(axis + 1..)?.iter().product();
                scales
                    .get(position / inner.max(1) % scales.len().max(1))
                    .copied()
            }
        }
    }
}
/// Where a quantized value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuantizedSource {
    /// Given from outside at every run.
    Input,
    /// Fixed integers.
    Constant(Integers),
    /// The result of a node.
    Node,
}

/// A named integer tensor, row-major; images are NHWC.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedValue {
    /// Unique in its graph.
    pub name: String,
    /// Extent of each dimension, the batch of 1 included.
    pub shape: Vec<usize>,
    /// The type of its elements.
    pub dtype: Dtype,
    /// What they stand for.
    pub quantization: Quantization,
    /// Where the numbers come from.
    pub source: QuantizedSource,
}

/// The parts of a [`QuantizedGraph`] before they are checked.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedParts {
    /// The model's name.
    pub name: String,
    /// All values; a [`ValueId`] is an index here.
    pub values: Vec<QuantizedValue>,
    /// The nodes in execution order.
    pub nodes: Vec<Node>,
    /// Values given from outside.
    pub inputs: Vec<ValueId>,
    /// Values that the caller reads.
    pub outputs: Vec<ValueId>,
}

/// A graph whose every value has quantization parameters: what can be written as a full-integer model.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedGraph(QuantizedParts);

impl QuantizedGraph {
    /// The graph of these parts.
    ///
    /// # Errors
    /// When the parts break one of the rules in the header of `rules.rs`.
    pub fn new(parts: QuantizedParts) -> Result<Self, GraphError> {
        let graph = Self(parts);
        rules::check(&graph)?;
        Ok(graph)
    }

    /// The model's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// All values; a [`ValueId`] is an index here.
    #[must_use]
    pub fn values(&self) -> &[QuantizedValue] {
        &self.0.values
    }

    /// The value, which exists: ids of this graph were checked.
    ///
    /// # Panics
    /// When the id is of another graph.
    #[must_use]
    pub fn value(&self, id: ValueId) -> &QuantizedValue {
        &self.0.values[id.index()]
    }

    /// The nodes in execution order.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.0.nodes
    }

    /// Values given from outside.
    #[must_use]
    pub fn inputs(&self) -> &[ValueId] {
        &self.0.inputs
    }

    /// Values that the caller reads.
    #[must_use]
    pub fn outputs(&self) -> &[ValueId] {
        &self.0.outputs
    }

    /// The parts, to change them and check again.
    #[must_use]
    pub fn into_parts(self) -> QuantizedParts {
        self.0
    }

    /// The same graph in f32, its constants the real numbers that the integers stand for: what weight rounding alone does.
    #[must_use]
    pub fn dequantize(&self) -> Graph {
        let values = self.0.values.iter().map(|value| Value {
            name: value.name.clone(),
            shape: value.shape.clone(),
            source: match &value.source {
                QuantizedSource::Input => Source::Input,
                QuantizedSource::Node => Source::Node,
                QuantizedSource::Constant(integers) => Source::Constant(real(value, integers)),
            },
        });
        Graph {
            name: self.0.name.clone(),
            values: values.collect(),
            nodes: self.0.nodes.clone(),
            inputs: self.0.inputs.clone(),
            outputs: self.0.outputs.clone(),
        }
    }
}

/// The real numbers that a constant stands for, in f64 until the last rounding.
fn real(value: &QuantizedValue, integers: &Integers) -> Vec<f32> {
    let zero_point = i64::from(value.quantization.zero_point());
    (0..integers.len())
        .map(|position| {
            let scale = value.quantization.scale_at(&value.shape, position);
            let integer = integers.get(position).map_or(0, i64::from);
            (f64::from(scale.unwrap_or(0.0)) * (integer - zero_point) as f64) as f32
        })
        .collect()
}
