//! A graph of which every value has its type: integers with what they stand for, or real numbers; every constant is
//! already rounded.
//!
//! An integer `q` stands for the real number `scale * (q - zero_point)`. [`QuantizedGraph::new`] checks the rules that
//! the kernels rely on.

mod rules;

pub use rules::{OutputParameters, has_integers, layer_types, output_parameters, weight_limit};

use ember_core::Dtype;
pub use half::f16;

use crate::{Graph, GraphError, Node, Source, Value, ValueId};

/// The numbers of a constant as they are stored, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// Real numbers.
    Float32(Vec<f32>),
    /// Real numbers in half the bytes.
    Float16(Vec<f16>),
    /// Weights in a quarter of a byte, each in -2..=1.
    Int2(Vec<i8>),
    /// Weights in half a byte, each in -8..=7.
    Int4(Vec<i8>),
    /// Weights, filters and constant activations.
    Int8(Vec<i8>),
    /// Constant activations.
    Int16(Vec<i16>),
    /// Biases of int8 layers.
    Int32(Vec<i32>),
    /// Biases of int16 layers.
    Int64(Vec<i64>),
}

impl Elements {
    /// Their type.
    #[must_use]
    pub const fn dtype(&self) -> Dtype {
        match self {
            Self::Float32(_) => Dtype::Float32,
            Self::Float16(_) => Dtype::Float16,
            Self::Int2(_) => Dtype::Int2,
            Self::Int4(_) => Dtype::Int4,
            Self::Int8(_) => Dtype::Int8,
            Self::Int16(_) => Dtype::Int16,
            Self::Int32(_) => Dtype::Int32,
            Self::Int64(_) => Dtype::Int64,
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Float32(numbers) => numbers.len(),
            Self::Float16(numbers) => numbers.len(),
            Self::Int2(numbers) | Self::Int4(numbers) | Self::Int8(numbers) => numbers.len(),
            Self::Int16(numbers) => numbers.len(),
            Self::Int32(numbers) => numbers.len(),
            Self::Int64(numbers) => numbers.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their bytes as a file has them: little-endian, and of those that share a byte the first in its lowest bits.
    #[must_use]
    pub fn to_le_bytes(&self) -> Vec<u8> {
        fn each<T: Copy, const N: usize>(numbers: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
            numbers.iter().flat_map(|number| bytes(*number)).collect()
        }
        match self {
            Self::Float32(numbers) => each(numbers, f32::to_le_bytes),
            Self::Float16(numbers) => each(numbers, f16::to_le_bytes),
            Self::Int2(numbers) => packed::<2>(numbers),
            Self::Int4(numbers) => packed::<4>(numbers),
            Self::Int8(numbers) => each(numbers, i8::to_le_bytes),
            Self::Int16(numbers) => each(numbers, i16::to_le_bytes),
            Self::Int32(numbers) => each(numbers, i32::to_le_bytes),
            Self::Int64(numbers) => each(numbers, i64::to_le_bytes),
        }
    }

    /// The numbers that are stored: integers, or real numbers in f64.
    pub(crate) fn stored(&self) -> Vec<f64> {
        match self {
            Self::Float32(numbers) => numbers.iter().map(|number| f64::from(*number)).collect(),
            Self::Float16(numbers) => numbers.iter().map(|number| f64::from(*number)).collect(),
            Self::Int2(numbers) | Self::Int4(numbers) | Self::Int8(numbers) => {
                numbers.iter().map(|number| f64::from(*number)).collect()
            }
            Self::Int16(numbers) => numbers.iter().map(|number| f64::from(*number)).collect(),
            Self::Int32(numbers) => numbers.iter().map(|number| f64::from(*number)).collect(),
            // Biases stay far below 2⁵³.
            Self::Int64(numbers) => numbers.iter().map(|number| *number as f64).collect(),
        }
    }
}

/// The lowest `BITS` bits of each number, the first in the lowest bits of a byte.
fn packed<const BITS: usize>(numbers: &[i8]) -> Vec<u8> {
    let mask = (1_u8 << BITS) - 1;
    let byte = |numbers: &[i8]| {
        let places = numbers.iter().zip((0..8).step_by(BITS));
        places.fold(0, |byte, (number, place)| {
            byte | ((number.cast_unsigned() & mask) << place)
        })
    };
    numbers.chunks(8 / BITS).map(byte).collect()
}

/// How stored numbers stand for real numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Quantization {
    /// They are real numbers.
    Real,
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
    /// The scales: one, or one for each channel; none of real numbers.
    #[must_use]
    pub fn scales(&self) -> &[f32] {
        match self {
            Self::Real => &[],
            Self::PerTensor { scale, .. } => std::slice::from_ref(scale),
            Self::PerChannel { scales, .. } => scales,
        }
    }

    /// The zero point of every channel.
    #[must_use]
    pub const fn zero_point(&self) -> i32 {
        match self {
            Self::PerTensor { zero_point, .. } => *zero_point,
            Self::Real | Self::PerChannel { .. } => 0,
        }
    }

    /// The quantized dimension; 0 when there is one scale for all.
    #[must_use]
    pub const fn axis(&self) -> usize {
        match self {
            Self::Real | Self::PerTensor { .. } => 0,
            Self::PerChannel { axis, .. } => *axis,
        }
    }

    /// The scale of the element at this row-major position of a tensor of this shape.
    fn scale_at(&self, shape: &[usize], position: usize) -> Option<f32> {
        match self {
            Self::Real => Some(1.0),
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
#[derive(Clone, Debug, PartialEq)]
pub enum QuantizedSource {
    /// Given from outside at every run.
    Input,
    /// Fixed numbers.
    Constant(Elements),
    /// The result of a node.
    Node,
}

/// A named tensor, row-major; images are NHWC.
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

/// A graph whose every value has a type and what its numbers stand for: what can be written as a model of integers, or of
/// integers and real numbers where they meet.
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

    /// The type in which every activation is; none where they differ.
    #[must_use]
    pub fn activation_type(&self) -> Option<Dtype> {
        let inputs = self.0.inputs.iter().copied();
        let made = self.0.nodes.iter().map(|node| node.output);
        let mut types = inputs.chain(made).map(|id| self.value(id).dtype);
        let first = types.next()?;
        types.all(|dtype| dtype == first).then_some(first)
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
                QuantizedSource::Constant(elements) => Source::Constant(real(value, elements)),
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
fn real(value: &QuantizedValue, elements: &Elements) -> Vec<f32> {
    let zero_point = f64::from(value.quantization.zero_point());
    let numbers = elements.stored().into_iter().enumerate();
    numbers
        .map(|(position, number)| {
            let scale = value.quantization.scale_at(&value.shape, position);
            (f64::from(scale.unwrap_or(0.0)) * (number - zero_point)) as f32
        })
        .collect()
}
