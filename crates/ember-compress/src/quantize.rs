//! Full-integer quantization: a calibrated graph in int8, int8 in and out.
//!
//! The parameters are those that TensorFlow Lite's converter chooses for the same ranges:
//!
//! - activations: `scale = (max - min) / 255` in f32 over a range that contains 0; the zero point from the end of the
//!   range where rounding errs less, rounded half away from zero and kept in -128..=127 (`getNudgedScaleAndZeroPoint`,
//!   `mlir/lib/Dialect/Quant/Utils/FakeQuantSupport.cpp`);
//! - filters and weights: symmetric in -127..=127, one `scale = max|w| / 127` for each output channel;
//! - biases: int32, `scale = input scale * weight scale` of the channel;
//! - results of pooling, reshape and relu6: the parameters of their input; of softmax: 1/256 and -128.
//!
//! Where its choice would lose the bias, ours differs: a channel whose weights are so small (or pruned to zero) that the
//! bias would leave ±2³⁰ gets the scale at which the bias fits.

use std::collections::BTreeSet;

use ember_core::Dtype;
use ember_graph::quantized::{OutputParameters, QuantizedParts, output_parameters};
use ember_graph::{
    Graph, Integers, Node, Op, Quantization, QuantizedGraph, QuantizedSource, QuantizedValue, Role,
    Source, Value, ValueId,
};

use crate::{Calibration, CompressError, Range};

/// No activation has a smaller scale: below, the integer softmax has no exponent left (`kernels/softmax.cc` refuses
/// 2⁻²⁶), and what so small a range holds is noise.
const LEAST_ACTIVATION_SCALE: f32 = 1.0 / (1 << 24) as f32;

/// No weight has a smaller scale, so that its product with an activation's is still a normal f32.
const LEAST_WEIGHT_SCALE: f32 = 1e-30;

/// Biases stay within this, half of what an int32 holds, so that sums have room.
const BIAS_LIMIT: f64 = (1_u32 << 30) as f64;

/// The graph in int8 with the ranges of `calibration`, which must be of this very graph.
///
/// # Errors
/// When the graph is not valid, a value has no range, or a range is too wide for a scale in f32.
pub fn quantize(graph: &Graph, calibration: &Calibration) -> Result<QuantizedGraph, CompressError> {
    ember_graph::verify(graph)?;
    let mut quantizer = Quantizer {
        graph,
        calibration,
        names: graph
            .values
            .iter()
            .map(|value| value.name.clone())
            .collect(),
        places: vec![None; graph.values.len()],
        constants: Vec::new(),
        values: Vec::with_capacity(graph.values.len()),
    };
    for id in &graph.inputs {
        let quantization = quantizer.calibrated(*id)?;
        quantizer.activation(*id, quantization, QuantizedSource::Input);
    }
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        nodes.push(quantizer.node(node)?);
    }
    let mut outputs = Vec::with_capacity(graph.outputs.len());
    for id in &graph.outputs {
        outputs.push(quantizer.operand(*id)?);
    }
    let mut inputs = Vec::with_capacity(graph.inputs.len());
    for id in &graph.inputs {
        inputs.push(quantizer.operand(*id)?);
    }
    Ok(QuantizedGraph::new(QuantizedParts {
        name: graph.name.clone(),
        values: quantizer.values,
        nodes,
        inputs,
        outputs,
    })?)
}

/// Scale and zero point of int8 activations in this range, widened to contain 0; none when the scale is not finite.
#[must_use]
pub fn activation_parameters(range: Range) -> Option<Quantization> {
    let (min, max) = (range.min.min(0.0), range.max.max(0.0));
    if min == max {
        return Some(Quantization::PerTensor {
            scale: 1.0,
            zero_point: i32::from(i8::MIN),
        });
    }
    let scale = ((max - min) / 255.0).max(LEAST_ACTIVATION_SCALE);
    if !scale.is_finite() {
        return None;
    }
    let (least, greatest) = (f64::from(i8::MIN), f64::from(i8::MAX));
    // The zero point is that of the scale before it is rounded to f32.
    let exact = ((f64::from(max) - f64::from(min)) / 255.0).max(f64::from(LEAST_ACTIVATION_SCALE));
    let steps = |real: f32| f64::from(real) / exact;
    // Both ends of the range give a zero point; the one nearer to 0 in sum gives it more exactly.
    let from_min = least - steps(min);
    let from_max = greatest - steps(max);
    let min_error = least.abs() + steps(min).abs();
    let max_error = greatest.abs() + steps(max).abs();
    let zero_point = if min_error < max_error {
        from_min
    } else {
        from_max
    };
    Some(Quantization::PerTensor {
        scale,
        zero_point: zero_point.clamp(least, greatest).round() as i32,
    })
}

struct Quantizer<'a> {
    graph: &'a Graph,
    calibration: &'a Calibration,
    names: BTreeSet<String>,
    /// Where each activation of the graph is among `values`.
    places: Vec<Option<ValueId>>,
    /// The integer constants made so far, by the constant that they round.
    constants: Vec<(ValueId, ValueId)>,
    values: Vec<QuantizedValue>,
}

impl Quantizer<'_> {
    fn node(&mut self, node: &Node) -> Result<Node, CompressError> {
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for (role, id) in node.op.operands().iter().zip(&node.inputs) {
            inputs.push(match role {
                Role::Activation => self.operand(*id)?,
                Role::Filter | Role::Weights => {
                    self.weights(&node.op, inputs[0], *id, node.inputs[2])
                }
                Role::Bias => self.bias(inputs[0], inputs[1], *id),
                Role::Gamma | Role::Beta | Role::Mean | Role::Variance => {
                    return Err(CompressError::NotFolded {
                        node: self.value(node.output).name.clone(),
                        op: node.op.name(),
                    });
                }
            });
        }
        let quantization = match output_parameters(&node.op) {
            OutputParameters::Own => self.calibrated(node.output)?,
            OutputParameters::OfInput => self.values[inputs[0].index()].quantization.clone(),
            OutputParameters::Fixed(quantization) => quantization,
        };
        let output = self.activation(node.output, quantization, QuantizedSource::Node);
        Ok(Node {
            op: node.op.clone(),
            inputs,
            output,
        })
    }

    /// An activation that was made before, or a constant that stands where an activation can.
    fn operand(&mut self, id: ValueId) -> Result<ValueId, CompressError> {
        if let Some(place) = self.places[id.index()] {
            return Ok(place);
        }
        let value = self.value(id);
        let numbers = match &value.source {
            Source::Constant(numbers) => numbers,
            // The verifier has seen that inputs and results stand before their users.
            Source::Input | Source::Node => {
                return Err(CompressError::NoRange {
                    value: value.name.clone(),
                });
            }
        };
        let start = Range { min: 0.0, max: 0.0 };
        let range = numbers.iter().fold(start, |range, number| Range {
            min: range.min.min(*number),
            max: range.max.max(*number),
        });
        let quantization = parameters(value, range)?;
        let scale = f64::from(quantization.scales()[0]);
        let zero_point = f64::from(quantization.zero_point());
        let integers = numbers
            .iter()
            .map(|number| (f64::from(*number) / scale + zero_point).round() as i8)
            .collect();
        let source = QuantizedSource::Constant(Integers::Int8(integers));
        Ok(self.activation(id, quantization, source))
    }

    fn activation(
        &mut self,
        id: ValueId,
        quantization: Quantization,
        source: QuantizedSource,
    ) -> ValueId {
        let value = self.value(id);
        let place = self.push(QuantizedValue {
            name: value.name.clone(),
            shape: value.shape.clone(),
            dtype: Dtype::Int8,
            quantization,
            source,
        });
        self.places[id.index()] = Some(place);
        place
    }

    fn weights(&mut self, op: &Op, input: ValueId, weights: ValueId, bias: ValueId) -> ValueId {
        let axis = channel_axis(op);
        let input_scale = self.values[input.index()].quantization.scales()[0];
        let value = self.value(weights);
        let numbers = self.graph.constant(weights).unwrap_or_default();
        let bias = self.graph.constant(bias).unwrap_or_default();
        let channels = Channels::new(&value.shape, axis);

        let mut greatest = vec![0.0_f32; channels.count];
        for (position, number) in numbers.iter().enumerate() {
            let greatest = &mut greatest[channels.of(position)];
            *greatest = greatest.max(number.abs());
        }
        let scales: Vec<f32> = greatest
            .iter()
            .zip(bias)
            .map(|(greatest, bias)| weight_scale(*greatest, *bias, input_scale))
            .collect();
        let integers = numbers
            .iter()
            .enumerate()
            .map(|(position, number)| {
                let scale = f64::from(scales[channels.of(position)]);
                (f64::from(*number) / scale).round().clamp(-127.0, 127.0) as i8
            })
            .collect();
        self.constant(
            weights,
            Quantization::PerChannel { axis, scales },
            Integers::Int8(integers),
        )
    }

    fn bias(&mut self, input: ValueId, weights: ValueId, bias: ValueId) -> ValueId {
        let input_scale = self.values[input.index()].quantization.scales()[0];
        let weight_scales = self.values[weights.index()].quantization.scales();
        let scales: Vec<f32> = weight_scales
            .iter()
            .map(|scale| input_scale * scale)
            .collect();
        let numbers = self.graph.constant(bias).unwrap_or_default();
        let integers = numbers
            .iter()
            .zip(&scales)
            // The weights' scale keeps this within the limit but for rounding.
            .map(|(number, scale)| (f64::from(*number) / f64::from(*scale)).round() as i32)
            .collect();
        self.constant(
            bias,
            Quantization::PerChannel { axis: 0, scales },
            Integers::Int32(integers),
        )
    }

    /// An integer constant; one for all uses of a constant that need the same one.
    fn constant(&mut self, id: ValueId, quantization: Quantization, integers: Integers) -> ValueId {
        let value = self.value(id);
        let dtype = integers.dtype();
        let source = QuantizedSource::Constant(integers);
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

    fn calibrated(&self, id: ValueId) -> Result<Quantization, CompressError> {
        let value = self.value(id);
        let range = self
            .calibration
            .range(id)
            .ok_or_else(|| CompressError::NoRange {
                value: value.name.clone(),
            })?;
        parameters(value, range)
    }

    fn value(&self, id: ValueId) -> &Value {
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

fn parameters(value: &Value, range: Range) -> Result<Quantization, CompressError> {
    activation_parameters(range).ok_or_else(|| CompressError::Unrepresentable {
        value: value.name.clone(),
        min: range.min,
        max: range.max,
    })
}

/// The scale of one channel, at which its weights lie in -127..=127 and its bias within the limit.
fn weight_scale(greatest: f32, bias: f32, input_scale: f32) -> f32 {
    let for_bias = f64::from(bias.abs()) / (f64::from(input_scale) * BIAS_LIMIT);
    let scale = (greatest / 127.0).max(for_bias as f32);
    if scale == 0.0 {
        return 1.0;
    }
    scale.max(LEAST_WEIGHT_SCALE)
}

/// The dimension of the weights that counts the output channels.
const fn channel_axis(op: &Op) -> usize {
    match op {
        Op::DepthwiseConv2d { .. } => 3,
        Op::Conv2d { .. }
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
        | Op::Dequantize => 0,
    }
}

/// Which channel a row-major position belongs to.
struct Channels {
    count: usize,
    inner: usize,
}

impl Channels {
    fn new(shape: &[usize], axis: usize) -> Self {
        Self {
            count: shape[axis],
            inner: shape[axis + 1..].iter().product(),
        }
    }

    const fn of(&self, position: usize) -> usize {
        position / self.inner % self.count
    }
}
