//! Quantization after training: a calibrated graph in the types of a recipe.
//!
//! The parameters are those that TensorFlow Lite's converter chooses for the same ranges:
//!
//! - int8 activations: `scale = (max - min) / 255` in f32 over a range that contains 0; the zero point from the end of the
//!   range where rounding errs less, rounded half away from zero and kept in -128..=127 (`getNudgedScaleAndZeroPoint`,
//!   `mlir/lib/Dialect/Quant/Utils/FakeQuantSupport.cpp`);
//! - int16 activations: `scale = max(|min|, |max|) / 32767`, zero point 0;
//! - filters and weights: symmetric in -127..=127, as int4 in -7..=7, as int2 in -1..=1, one scale for each output channel;
//! - biases: int32, beside int16 activations int64, `scale = input scale * weight scale` of the channel;
//! - results of pooling, reshape, pad and relu6 and of what moves elements: the parameters of their input; of softmax and its
//!   like: those that their kernels have; operands of concatenation, maximum and minimum are brought to those of the result.
//!
//! Where its choice would lose the bias, ours differs: a channel whose weights are so small (or pruned to zero) that the
//! bias would leave its limit gets the scale at which the bias fits.

mod parameters;

pub(crate) use parameters::Channels;
pub use parameters::{WeightRounding, activation_parameters, int16_parameters};

use std::collections::BTreeSet;

use ember_core::Dtype;
use ember_graph::quantized::{OutputParameters, QuantizedParts, output_parameters};
use ember_graph::{
    Elements, Graph, Node, Op, Quantization, QuantizedGraph, QuantizedSource, QuantizedValue, Role,
    Source, Value, ValueId,
};

use crate::recipe::{Plan, Recipe, carries};
use crate::scheme::{ActivationType, Granularity, Scheme, WeightType};
use crate::{Calibration, CompressError, Range};

/// Biases of int8 layers stay within this, half of what an int32 holds, so that sums have room.
const INT32_BIAS_LIMIT: f64 = (1_u32 << 30) as f64;

/// Biases of int16 layers stay within this: the kernels scale sums of at most 48 bits
/// (`MultiplyByQuantizedMultiplier` of an int64, `kernels/internal/common.cc`).
const INT64_BIAS_LIMIT: f64 = (1_u64 << 46) as f64;

/// The graph in int8 with the ranges of `calibration`, which must be of this very graph.
///
/// # Errors
/// When the graph is not valid or is already quantized, a value has no range, or a range is too wide for a scale in f32.
pub fn quantize(graph: &Graph, calibration: &Calibration) -> Result<QuantizedGraph, CompressError> {
    quantize_by(graph, Some(calibration), &Recipe::default())
}

/// The graph in the types of `recipe`, with the ranges of `calibration`, which must be of this very graph; a recipe
/// without integer activations needs none.
///
/// # Errors
/// As [`quantize`]; when the recipe does not fit the graph.
pub fn quantize_by(
    graph: &Graph,
    calibration: Option<&Calibration>,
    recipe: &Recipe,
) -> Result<QuantizedGraph, CompressError> {
    ember_graph::verify(graph)?;
    let converts = |node: &&Node| matches!(node.op, Op::Quantize | Op::Dequantize);
    if let Some(node) = graph.nodes.iter().find(converts) {
        return Err(CompressError::AlreadyQuantized {
            graph: graph.name.clone(),
            node: graph.values[node.output.index()].name.clone(),
        });
    }
    let plan = recipe.plan(graph)?;
    let mut quantizer = Quantizer::new(graph, calibration);
    for (id, activations) in graph.inputs.iter().zip(&plan.inputs) {
        let quantization = quantizer.calibrated(*id, *activations)?;
        quantizer.activation(*id, *activations, quantization, QuantizedSource::Input);
    }
    quantizer.run(&plan)
}

struct Quantizer<'a> {
    graph: &'a Graph,
    calibration: Option<&'a Calibration>,
    names: BTreeSet<String>,
    /// Where each activation of the graph is among `values`, in each type that somebody wants; the first one is what its
    /// node makes.
    places: Vec<Vec<(ActivationType, ValueId)>>,
    /// The constants made so far, by the constant that they round.
    constants: Vec<(ValueId, ValueId)>,
    values: Vec<QuantizedValue>,
    nodes: Vec<Node>,
}

impl<'a> Quantizer<'a> {
    fn new(graph: &'a Graph, calibration: Option<&'a Calibration>) -> Self {
        Self {
            graph,
            calibration,
            names: graph
                .values
                .iter()
                .map(|value| value.name.clone())
                .collect(),
            places: vec![Vec::new(); graph.values.len()],
            constants: Vec::new(),
            values: Vec::with_capacity(graph.values.len()),
            nodes: Vec::with_capacity(graph.nodes.len()),
        }
    }

    fn run(mut self, plan: &Plan) -> Result<QuantizedGraph, CompressError> {
        let graph = self.graph;
        for (node, scheme) in graph.nodes.iter().zip(&plan.schemes) {
            let mut scheme = *scheme;
            if carries(&node.op) {
                scheme.activations = self.arriving(node.inputs[0]);
            }
            self.node(node, &scheme)?;
        }
        let mut made = |ids: &[ValueId]| -> Result<Vec<ValueId>, CompressError> {
            let each = ids.iter().map(|id| {
                let activations = self.arriving(*id);
                self.operand(*id, activations)
            });
            each.collect()
        };
        let outputs = made(&graph.outputs)?;
        let inputs = made(&graph.inputs)?;
        Ok(QuantizedGraph::new(QuantizedParts {
            name: graph.name.clone(),
            values: self.values,
            nodes: self.nodes,
            inputs,
            outputs,
        })?)
    }

    /// The type in which a value is made; int8 of a constant, which is made in any.
    fn arriving(&self, id: ValueId) -> ActivationType {
        let places = self.places[id.index()].first();
        places.map_or(ActivationType::Int8, |(activations, _)| *activations)
    }

    fn node(&mut self, node: &Node, scheme: &Scheme) -> Result<(), CompressError> {
        let activations = scheme.activations;
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for (role, id) in node.op.operands().iter().zip(&node.inputs) {
            inputs.push(match role {
                Role::Activation => self.operand(*id, activations)?,
                Role::Filter | Role::Weights => {
                    self.weights(node, scheme, inputs[0], *id, node.inputs[2])
                }
                Role::Bias => self.bias(scheme, inputs[0], inputs[1], *id),
                Role::Gamma | Role::Beta | Role::Mean | Role::Variance => {
                    return Err(CompressError::NotFolded {
                        node: self.value(node.output).name.clone(),
                        op: node.op.name(),
                    });
                }
            });
        }
        let quantization = match output_parameters(&node.op, activations.dtype()) {
            _ if activations == ActivationType::Float32 => Quantization::Real,
            OutputParameters::Own => self.calibrated(node.output, activations)?,
            OutputParameters::Shared => {
                let shared = self.calibrated(node.output, activations)?;
                for (input, id) in inputs.iter_mut().zip(&node.inputs) {
                    *input = self.rescaled(*input, *id, activations, &shared);
                }
                shared
            }
            OutputParameters::OfInput => self.values[inputs[0].index()].quantization.clone(),
            OutputParameters::Fixed(quantization) => quantization,
        };
        let source = QuantizedSource::Node;
        let output = self.activation(node.output, activations, quantization, source);
        self.nodes.push(Node {
            op: node.op.clone(),
            inputs,
            output,
        });
        Ok(())
    }

    /// An activation that was made before, converted where it is of another type; or a constant that stands where an
    /// activation can.
    fn operand(
        &mut self,
        id: ValueId,
        activations: ActivationType,
    ) -> Result<ValueId, CompressError> {
        let places = &self.places[id.index()];
        if let Some((_, place)) = places.iter().find(|(known, _)| *known == activations) {
            return Ok(*place);
        }
        let made = places.first().copied();
        let value = self.value(id);
        let Source::Constant(numbers) = &value.source else {
            // The verifier has seen that inputs and results stand before their users.
            return match made {
                Some((_, made)) => self.convert(id, made, activations),
                None => Err(self.without_range(id)),
            };
        };
        let start = Range { min: 0.0, max: 0.0 };
        let range = numbers.iter().fold(start, |range, number| Range {
            min: range.min.min(*number),
            max: range.max.max(*number),
        });
        let quantization = parameters_of(value, range, activations)?;
        let elements = parameters::round_activation(numbers, activations.dtype(), &quantization);
        let source = QuantizedSource::Constant(elements);
        Ok(self.activation(id, activations, quantization, source))
    }

    /// `made`, which is `id`, with these parameters: itself where it has them, otherwise brought to them.
    fn rescaled(
        &mut self,
        made: ValueId,
        id: ValueId,
        activations: ActivationType,
        quantization: &Quantization,
    ) -> ValueId {
        let known = &self.values[made.index()];
        if known.quantization == *quantization {
            return made;
        }
        let value = self.value(id);
        let (stem, shape) = (format!("{}.rescaled", value.name), value.shape.clone());
        let source =
            match &value.source {
                Source::Constant(numbers) => QuantizedSource::Constant(
                    parameters::round_activation(numbers, activations.dtype(), quantization),
                ),
                Source::Input | Source::Node => QuantizedSource::Node,
            };
        let is_constant = source != QuantizedSource::Node;
        let name = self.unique(&stem);
        let output = self.push(QuantizedValue {
            name,
            shape,
            dtype: activations.dtype(),
            quantization: quantization.clone(),
            source,
        });
        if !is_constant {
            self.nodes.push(Node {
                op: Op::Quantize,
                inputs: vec![made],
                output,
            });
        }
        output
    }

    /// A conversion of `made`, which is `id` in another type.
    fn convert(
        &mut self,
        id: ValueId,
        made: ValueId,
        activations: ActivationType,
    ) -> Result<ValueId, CompressError> {
        let (op, quantization) = match activations {
            ActivationType::Float32 => (Op::Dequantize, Quantization::Real),
            ActivationType::Int8 | ActivationType::Int16 => {
                (Op::Quantize, self.calibrated(id, activations)?)
            }
        };
        let output = self.activation(id, activations, quantization, QuantizedSource::Node);
        self.nodes.push(Node {
            op,
            inputs: vec![made],
            output,
        });
        Ok(output)
    }

    fn activation(
        &mut self,
        id: ValueId,
        activations: ActivationType,
        quantization: Quantization,
        source: QuantizedSource,
    ) -> ValueId {
        let value = self.value(id);
        let (mut name, shape) = (value.name.clone(), value.shape.clone());
        if !self.places[id.index()].is_empty() {
            name = self.unique(&format!("{name}.{}", activations.name()));
        }
        let place = self.push(QuantizedValue {
            name,
            shape,
            dtype: activations.dtype(),
            quantization,
            source,
        });
        self.places[id.index()].push((activations, place));
        place
    }

    fn weights(
        &mut self,
        node: &Node,
        scheme: &Scheme,
        input: ValueId,
        weights: ValueId,
        bias: ValueId,
    ) -> ValueId {
        let value = self.value(weights);
        let numbers = self.graph.constant(weights).unwrap_or_default();
        if matches!(scheme.weights, WeightType::Float32 | WeightType::Float16) {
            let elements = parameters::float_weights(numbers, scheme.weights.dtype());
            return self.constant(weights, Quantization::Real, elements);
        }
        let axis = channel_axis(&node.op);
        let rounding = WeightRounding {
            weights: scheme.weights,
            clip: scheme.clip,
            per: scheme.per,
        };
        let mut scales = rounding.scales(numbers, &value.shape, axis);
        let input_scale = self.values[input.index()]
            .quantization
            .scales()
            .first()
            .copied();
        let biases = self.graph.constant(bias).unwrap_or_default();
        let count = scales.len();
        for (channel, scale) in scales.iter_mut().enumerate() {
            // A scale for the whole tensor has to do for every bias.
            let own = biases
                .iter()
                .enumerate()
                .filter(|(at, _)| at % count == channel);
            let bias = own.fold(0.0_f32, |most, (_, bias)| most.max(bias.abs()));
            *scale = match input_scale {
                Some(input_scale) => {
                    let limit = bias_limit(scheme.activations);
                    parameters::with_room_for_bias(*scale, bias, input_scale, limit)
                }
                None => parameters::usable(*scale),
            };
        }
        let integers = rounding.round(numbers, &value.shape, axis, &scales);
        let elements = match scheme.weights {
            WeightType::Int4 => Elements::Int4(integers),
            WeightType::Int2 => Elements::Int2(integers),
            _ => Elements::Int8(integers),
        };
        let quantization = match (scheme.per, &scales[..]) {
            (Granularity::Tensor, [scale]) => Quantization::PerTensor {
                scale: *scale,
                zero_point: 0,
            },
            _ => Quantization::PerChannel { axis, scales },
        };
        self.constant(weights, quantization, elements)
    }

    fn bias(
        &mut self,
        scheme: &Scheme,
        input: ValueId,
        weights: ValueId,
        bias: ValueId,
    ) -> ValueId {
        let numbers = self.graph.constant(bias).unwrap_or_default();
        let input = &self.values[input.index()].quantization;
        let Some(input_scale) = input.scales().first().copied() else {
            let dtype = match scheme.weights {
                WeightType::Float16 => Dtype::Float16,
                _ => Dtype::Float32,
            };
            let elements = parameters::float_weights(numbers, dtype);
            return self.constant(bias, Quantization::Real, elements);
        };
        let of_weights = &self.values[weights.index()].quantization;
        let scales: Vec<f32> = of_weights
            .scales()
            .iter()
            .map(|scale| input_scale * scale)
            .collect();
        let rounded = numbers.iter().enumerate().map(|(channel, number)| {
            // The weights' scale keeps this within the limit but for rounding.
            (f64::from(*number) / f64::from(scales[channel % scales.len()])).round()
        });
        let elements = match scheme.activations {
            ActivationType::Int16 => Elements::Int64(rounded.map(|number| number as i64).collect()),
            _ => Elements::Int32(rounded.map(|number| number as i32).collect()),
        };
        let quantization = match (of_weights, &scales[..]) {
            (Quantization::PerTensor { .. }, [scale]) => Quantization::PerTensor {
                scale: *scale,
                zero_point: 0,
            },
            _ => Quantization::PerChannel { axis: 0, scales },
        };
        self.constant(bias, quantization, elements)
    }

    /// A rounded constant; one for all uses of a constant that need the same one.
    fn constant(&mut self, id: ValueId, quantization: Quantization, elements: Elements) -> ValueId {
        let value = self.value(id);
        let dtype = elements.dtype();
        let source = QuantizedSource::Constant(elements);
        let same = self.constants.iter().find(|(of, place)| {
            let known = &self.values[place.index()];
            *of == id && known.quantization == quantization && known.source == source
        });
        if let Some((_, place)) = same {
            return *place;
        }
        let shape = value.shape.clone();
        let mut name = value.name.clone();
        if self.constants.iter().any(|(of, _)| *of == id) {
            name = self.unique(&name);
        }
        let place = self.push(QuantizedValue {
            name,
            shape,
            dtype,
            quantization,
            source,
        });
        self.constants.push((id, place));
        place
    }

    fn calibrated(
        &self,
        id: ValueId,
        activations: ActivationType,
    ) -> Result<Quantization, CompressError> {
        if activations == ActivationType::Float32 {
            return Ok(Quantization::Real);
        }
        let range = self
            .calibration
            .and_then(|calibration| calibration.range(id));
        let range = range.ok_or_else(|| self.without_range(id))?;
        parameters_of(self.value(id), range, activations)
    }

    fn without_range(&self, id: ValueId) -> CompressError {
        CompressError::NoRange {
            value: self.value(id).name.clone(),
        }
    }

    fn value(&self, id: ValueId) -> &'a Value {
        &self.graph.values[id.index()]
    }

    fn unique(&mut self, stem: &str) -> String {
        let mut name = stem.to_owned();
        let mut number = 0_usize;
        while !self.names.insert(name.clone()) {
            number += 1;
            name = format!("{stem}_{number}");
        }
        name
    }

    fn push(&mut self, value: QuantizedValue) -> ValueId {
        self.values.push(value);
        ValueId::from_index(self.values.len() - 1)
    }
}

fn parameters_of(
    value: &Value,
    range: Range,
    activations: ActivationType,
) -> Result<Quantization, CompressError> {
    let parameters = match activations {
        ActivationType::Float32 => Some(Quantization::Real),
        ActivationType::Int8 => activation_parameters(range),
        ActivationType::Int16 => int16_parameters(range),
    };
    parameters.ok_or_else(|| CompressError::Unrepresentable {
        value: value.name.clone(),
        min: range.min,
        max: range.max,
    })
}

const fn bias_limit(activations: ActivationType) -> f64 {
    match activations {
        ActivationType::Int16 => INT64_BIAS_LIMIT,
        ActivationType::Float32 | ActivationType::Int8 => INT32_BIAS_LIMIT,
    }
}

/// The dimension of a layer's weights that counts the output channels.
#[must_use]
pub const fn channel_axis(op: &Op) -> usize {
    match op {
        Op::DepthwiseConv2d { .. } => 3,
        Op::Conv2d { .. }
        | Op::TransposeConv { .. }
        | Op::FullyConnected { .. }
        | Op::MaxPool2d { .. }
        | Op::AveragePool2d { .. }
        | Op::Add { .. }
        | Op::Reshape { .. }
        | Op::Relu
        | Op::Relu6
        | Op::Softmax { .. }
        | Op::BatchNorm { .. }
        | Op::Pad { .. }
        | Op::Quantize
        | Op::Dequantize
        | Op::Weightless(_) => 0,
    }
}
