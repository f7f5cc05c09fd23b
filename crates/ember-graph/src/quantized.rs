//! A graph in integers: every value has its quantization, every constant is already rounded.
//!
//! A number `q` stands for the real number `scale * (q - zero_point)`. [`QuantizedGraph::new`] checks that
//!
//! - the graph, its numbers made real again, passes [`verify()`](crate::verify());
//! - scales are positive and finite, zero points lie in the range of their type;
//! - per-channel quantization has one scale for each index of its dimension;
//! - activations are INT8 with one scale; filters and weights are INT8 in -127..=127 with zero point 0, per channel along
//!   the output channels; biases are INT32 with zero point 0;
//! - a bias has the scale `input scale * weight scale` of its channel, the product rounded to f32 once;
//! - pooling, reshape and a relu6 that stands alone give back their input's parameters; softmax gives 1/256 and -128.
//!
//! These are the rules of TensorFlow Lite's 8-bit quantization specification, which its integer kernels rely on. The one
//! about relu6 is because the engines differ: TensorFlow Lite brings its result to the output's parameters, TensorFlow
//! Lite Micro (`kernels/activations.cc`) does not.

use ember_core::Dtype;

use crate::{Graph, GraphError, Node, Op, Role, Source, Value, ValueId, verify};

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

/// Which parameters the result of an integer operator has.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputParameters {
    /// Its own, from its range.
    Own,
    /// Those of its first operand.
    OfInput,
    /// These.
    Fixed(Quantization),
}

/// Which parameters the result of `op` must have.
#[must_use]
pub const fn output_parameters(op: &Op) -> OutputParameters {
    match op {
        Op::Conv2d { .. }
        | Op::DepthwiseConv2d { .. }
        | Op::FullyConnected { .. }
        | Op::Add { .. }
        | Op::Relu => OutputParameters::Own,
        Op::MaxPool2d { .. } | Op::AveragePool2d { .. } | Op::Reshape { .. } | Op::Relu6 => {
            OutputParameters::OfInput
        }
        Op::Softmax { .. } => OutputParameters::Fixed(Quantization::PerTensor {
            scale: 1.0 / 256.0,
            zero_point: -128,
        }),
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
    /// When the parts break one of the rules in the header of this file.
    pub fn new(parts: QuantizedParts) -> Result<Self, GraphError> {
        for value in &parts.values {
            check_value(value)?;
        }
        let graph = Self(parts);
        verify(&graph.dequantize())?;
        for node in &graph.0.nodes {
            graph.check_node(node)?;
        }
        for (role, id) in graph.roles() {
            graph.check_role(role, graph.value(id))?;
        }
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

    /// What each value is used as; inputs and results are activations.
    fn roles(&self) -> impl Iterator<Item = (Role, ValueId)> {
        let uses = self.0.nodes.iter().flat_map(|node| {
            let operands = node
                .op
                .operands()
                .iter()
                .copied()
                .zip(node.inputs.iter().copied());
            operands.chain([(Role::Activation, node.output)])
        });
        uses.chain(self.0.inputs.iter().map(|id| (Role::Activation, *id)))
    }

    fn check_role(&self, role: Role, value: &QuantizedValue) -> Result<(), GraphError> {
        let wrong = |problem: &str| Err(fault(value, format!("as {} {problem}", role.name())));
        let dtype = match role {
            Role::Activation | Role::Filter | Role::Weights => Dtype::Int8,
            Role::Bias => Dtype::Int32,
        };
        if value.dtype != dtype {
            return wrong(&format!("must be {dtype}, and is {}", value.dtype));
        }
        if role == Role::Activation {
            return match value.quantization {
                Quantization::PerTensor { .. } => Ok(()),
                Quantization::PerChannel { .. } => wrong("must have one scale"),
            };
        }
        if value.quantization.zero_point() != 0 {
            return wrong("must have the zero point 0");
        }
        match &value.source {
            QuantizedSource::Constant(Integers::Int8(numbers)) if numbers.contains(&i8::MIN) => {
                wrong("holds -128: weights stay in -127..=127")
            }
            _ => Ok(()),
        }
    }

    fn check_node(&self, node: &Node) -> Result<(), GraphError> {
        let output = self.value(node.output);
        match output_parameters(&node.op) {
            OutputParameters::Own => {}
            OutputParameters::Fixed(fixed) => {
                if output.quantization != fixed {
                    return Err(fault(
                        output,
                        format!("a {} must have {fixed:?}", node.op.name()),
                    ));
                }
            }
            OutputParameters::OfInput => {
                let input = self.value(node.inputs[0]);
                if input.quantization != output.quantization {
                    return Err(fault(
                        output,
                        format!(
                            "a {} must have the scale and zero point of its input {:?}",
                            node.op.name(),
                            input.name
                        ),
                    ));
                }
            }
        }
        match &node.op {
            Op::Conv2d { .. } | Op::FullyConnected { .. } => self.check_sum(node, 0),
            Op::DepthwiseConv2d { .. } => self.check_sum(node, 3),
            Op::MaxPool2d { .. }
            | Op::AveragePool2d { .. }
            | Op::Reshape { .. }
            | Op::Softmax { .. }
            | Op::Add { .. }
            | Op::Relu
            | Op::Relu6 => Ok(()),
        }
    }

    /// The rules for a node that adds products of weights, whose output channels are `axis` of the weights.
    fn check_sum(&self, node: &Node, axis: usize) -> Result<(), GraphError> {
        let [input, weights, bias] = [0, 1, 2].map(|operand| self.value(node.inputs[operand]));
        let Quantization::PerTensor { scale, .. } = input.quantization else {
            return Ok(()); // `check_role` refuses it.
        };
        match &weights.quantization {
            Quantization::PerChannel { axis: got, .. } if *got != axis => {
                return Err(fault(
                    weights,
                    format!("must be quantized along dimension {axis}, and is along {got}"),
                ));
            }
            Quantization::PerChannel { .. } | Quantization::PerTensor { .. } => {}
        }
        let weight_scales = weights.quantization.scales();
        let bias_scales = bias.quantization.scales();
        let fits = weight_scales.len() == bias_scales.len()
            && weight_scales
                .iter()
                .zip(bias_scales)
                .all(|(weight, bias)| (scale * weight).to_bits() == bias.to_bits());
        if fits {
            Ok(())
        } else {
            Err(fault(
                bias,
                format!(
                    "must have for each channel the product of the scales of {:?} and {:?}",
                    input.name, weights.name
                ),
            ))
        }
    }
}

fn fault(value: &QuantizedValue, problem: String) -> GraphError {
    GraphError::Quantization {
        value: value.name.clone(),
        problem,
    }
}

fn check_value(value: &QuantizedValue) -> Result<(), GraphError> {
    let usable = |scale: &f32| scale.is_finite() && *scale > 0.0;
    if let Some(scale) = value
        .quantization
        .scales()
        .iter()
        .find(|scale| !usable(scale))
    {
        return Err(fault(
            value,
            format!("the scale {scale} is not a positive finite number"),
        ));
    }
    match &value.quantization {
        Quantization::PerTensor { zero_point, .. } => {
            let in_range = match value.dtype {
                Dtype::Int8 => i8::try_from(*zero_point).is_ok(),
                _ => *zero_point == 0,
            };
            if !in_range {
                return Err(fault(
                    value,
                    format!("the zero point {zero_point} does not fit {}", value.dtype),
                ));
            }
        }
        Quantization::PerChannel { axis, scales } => {
            if value.shape.get(*axis) != Some(&scales.len()) {
                return Err(fault(
                    value,
                    format!(
                        "{} scales along dimension {axis} of the shape {:?}",
                        scales.len(),
                        value.shape
                    ),
                ));
            }
        }
    }
    if let QuantizedSource::Constant(integers) = &value.source
        && integers.dtype() != value.dtype
    {
        return Err(fault(
            value,
            format!("is {} and holds {}", value.dtype, integers.dtype()),
        ));
    }
    Ok(())
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
