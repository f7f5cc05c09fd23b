//! Steps on the device.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use burn_tensor::module::{avg_pool2d, conv2d, max_pool2d};
use burn_tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn_tensor::{Device, Tensor, TensorData, activation};
use ember_lite::{Compiled, Partition};
use ember_tflite::TensorId;

use crate::step::{Binary, Clamp, Kind, Operand, Reduce, Step, Unary, Window};
use crate::{caught, lower};

/// A partition whose constants are on the device.
pub(crate) struct Program {
    device: Device,
    /// One thread at a time: the device has one queue.
    steps: Mutex<Vec<Ready>>,
    /// With the number of elements.
    inputs: Vec<(TensorId, usize)>,
    outputs: Vec<TensorId>,
}

/// A step and its constants; where one has `None`, the operand is computed.
struct Ready {
    step: Step,
    constants: Vec<Option<Tensor<1>>>,
}

impl Program {
    /// Uploads the constants and runs once on zeros.
    ///
    /// # Errors
    /// What the device said.
    pub(crate) fn new(device: &Device, partition: &Partition<'_>) -> Result<Program, String> {
        let mut steps = Vec::new();
        for node in partition.nodes() {
            let step = lower::step(node)?;
            let constants = step.operands.iter();
            let constants = constants.map(|operand| constant(device, partition, *operand));
            steps.push(Ready {
                constants: constants.collect(),
                step,
            });
        }
        let elements = |id: &TensorId| partition.tensor(*id).map_or(0, |tensor| tensor.elements());
        let inputs = partition.inputs().iter();
        let program = Program {
            device: device.clone(),
            steps: Mutex::new(steps),
            inputs: inputs.map(|id| (*id, elements(id))).collect(),
            outputs: partition.outputs().to_vec(),
        };
        let zeros: Vec<Vec<u8>> = program.inputs.iter().map(|(_, n)| vec![0; n * 4]).collect();
        let zeros: Vec<&[u8]> = zeros.iter().map(Vec::as_slice).collect();
        let mut results: Vec<Vec<u8>> = program
            .outputs
            .iter()
            .map(|id| vec![0; elements(id) * 4])
            .collect();
        let mut results: Vec<&mut [u8]> = results.iter_mut().map(Vec::as_mut_slice).collect();
        program.compute(&zeros, &mut results)?;
        Ok(program)
    }

    fn compute(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<(), String> {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let mut computed: HashMap<TensorId, Tensor<1>> = HashMap::new();
        for ((id, _), bytes) in self.inputs.iter().zip(inputs) {
            computed.insert(*id, uploaded(&self.device, floats(bytes)));
        }
        for Ready { step, constants } in steps.iter() {
            let operands = step.operands.iter().zip(constants);
            let operands = operands.map(|(operand, constant)| match (operand, constant) {
                (_, Some(constant)) => Ok(constant.clone()),
                (Operand::Computed(id), None) => computed
                    .get(id)
                    .cloned()
                    .ok_or("an operand that nobody computes"),
                (_, None) => Err("a constant that is not there"),
            });
            let operands = operands.collect::<Result<Vec<_>, _>>()?;
            let result = clamped(executed(&step.kind, operands)?, step.clamp);
            computed.insert(step.output, result);
        }
        for (id, bytes) in self.outputs.iter().zip(outputs) {
            let result = computed.get(id).ok_or("an output that nobody computes")?;
            let data = result
                .clone()
                .try_into_data()
                .map_err(|error| error.to_string())?;
            let numbers: Vec<f32> = data.try_to_vec().map_err(|error| format!("{error:?}"))?;
            if numbers.len() * 4 != bytes.len() {
                return Err(format!(
                    "tensor {} came out with {} elements, expected {}",
                    id.0,
                    numbers.len(),
                    bytes.len() / 4
                ));
            }
            for (word, number) in bytes.as_chunks_mut().0.iter_mut().zip(numbers) {
                *word = number.to_le_bytes();
            }
        }
        Ok(())
    }
}

impl Compiled for Program {
    fn run(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<(), String> {
        caught(|| self.compute(inputs, outputs))
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let words = bytes.as_chunks().0.iter();
    words.map(|word| f32::from_le_bytes(*word)).collect()
}

fn uploaded(device: &Device, numbers: Vec<f32>) -> Tensor<1> {
    let shape = [numbers.len()];
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

/// A constant in the order in which its step reads it.
fn constant(device: &Device, partition: &Partition<'_>, operand: Operand) -> Option<Tensor<1>> {
    let stored = |id| Some(floats(partition.tensor(id)?.data()));
    let numbers = match operand {
        Operand::Computed(_) => return None,
        Operand::Constant(id) => stored(id)?,
        Operand::Transposed(id, [a, b]) => {
            let numbers = stored(id)?;
            let columns = (0..b).flat_map(|column| numbers.iter().skip(column).step_by(b).take(a));
            columns.copied().collect()
        }
    };
    Some(uploaded(device, numbers))
}

fn clamped(tensor: Tensor<1>, Clamp(least, greatest): Clamp) -> Tensor<1> {
    match (least, greatest) {
        (None, None) => tensor,
        (Some(least), None) => tensor.clamp_min(least),
        (None, Some(greatest)) => tensor.clamp_max(greatest),
        (Some(least), Some(greatest)) => tensor.clamp(least, greatest),
    }
}

/// Images as Burn has them, `[N, C, H, W]`.
fn images(flat: Tensor<1>, window: &Window) -> Tensor<4> {
    flat.reshape(window.input).permute([0, 3, 1, 2])
}

/// And back.
fn flat(images: Tensor<4>) -> Tensor<1> {
    images.permute([0, 2, 3, 1]).reshape([-1])
}

fn executed(kind: &Kind, operands: Vec<Tensor<1>>) -> Result<Tensor<1>, &'static str> {
    const MISSING: &str = "an operator without its operands";

    let mut operands = operands.into_iter();
    if let Kind::Concat { outer, widths } = kind {
        let parts = operands.zip(widths);
        let parts = parts.map(|(part, width)| part.reshape([*outer, *width]));
        let parts: Vec<Tensor<2>> = parts.collect();
        return Ok(Tensor::cat(parts, 1).reshape([-1]));
    }
    let x = operands.next().ok_or(MISSING)?;
    Ok(match kind {
        Kind::Conv {
            window,
            outputs,
            groups,
        } => {
            let [rows, columns] = window.size;
            let depth = window.input[3] / groups;
            let filter = operands.next().ok_or(MISSING)?;
            let filter: Tensor<4> = filter.reshape([*outputs, rows, columns, depth]);
            let filter = filter.permute([0, 3, 1, 2]);
            let options = ConvOptions::new_with_padding(
                window.stride,
                window.padding,
                window.dilation,
                *groups,
            );
            flat(conv2d(images(x, window), filter, operands.next(), options))
        }
        Kind::Dense { rows, depth, units } => {
            let weights: Tensor<2> = operands.next().ok_or(MISSING)?.reshape([*units, *depth]);
            let mut sums = x.reshape([*rows, *depth]).matmul(weights.transpose());
            if let Some(bias) = operands.next() {
                sums = sums + bias.reshape([1, *units]);
            }
            sums.reshape([-1])
        }
        Kind::MaxPool(window) => {
            let options = MaxPoolOptions::new(window.size)
                .with_stride(window.stride)
                .with_padding_pairs(window.padding);
            flat(max_pool2d(images(x, window), options))
        }
        Kind::AveragePool(window) => {
            let options = AvgPoolOptions::new(window.size)
                .with_stride(window.stride)
                .with_padding_pairs(window.padding)
                .with_count_include_pad(false);
            flat(avg_pool2d(images(x, window), options))
        }
        Kind::Binary { op, shapes: [a, b] } => {
            let y = operands.next().ok_or(MISSING)?;
            binary(*op, x.reshape(*a), y.reshape(*b)).reshape([-1])
        }
        Kind::Unary(op) => unary(*op, x),
        Kind::Softmax { rows, depth, beta } => {
            let scaled: Tensor<2> = x.reshape([*rows, *depth]).mul_scalar(*beta);
            activation::softmax(scaled, 1).reshape([-1])
        }
        Kind::Same => x,
        Kind::Concat { .. } => return Err(MISSING),
        Kind::Pad {
            shape,
            padding,
            value,
        } => {
            let x: Tensor<4> = x.reshape(*shape);
            x.pad(*padding, *value).reshape([-1])
        }
        Kind::Reduce { op, shape, axes } => {
            let mut x: Tensor<4> = x.reshape(*shape);
            for axis in (0..4).filter(|axis| axes[*axis]) {
                x = match op {
                    Reduce::Mean => x.mean_dim(axis),
                    Reduce::Sum => x.sum_dim(axis),
                    Reduce::Max => x.max_dim(axis),
                    Reduce::Min => x.min_dim(axis),
                };
            }
            x.reshape([-1])
        }
        Kind::Transpose { shape, order } => {
            let x: Tensor<4> = x.reshape(*shape);
            x.permute(*order).reshape([-1])
        }
    })
}

/// Dimensions of 1 are repeated.
fn binary(op: Binary, x: Tensor<4>, y: Tensor<4>) -> Tensor<4> {
    match op {
        Binary::Add => x + y,
        Binary::Sub => x - y,
        Binary::Mul => x * y,
        Binary::Div => x / y,
        Binary::Maximum => x.max_pair(y),
        Binary::Minimum => x.min_pair(y),
        Binary::SquaredDifference => {
            let difference = x - y;
            difference.clone() * difference
        }
        Binary::Prelu => x.clone().clamp_min(0.0) + y * x.clamp_max(0.0),
    }
}

fn unary(op: Unary, x: Tensor<1>) -> Tensor<1> {
    match op {
        Unary::LeakyRelu(slope) => activation::leaky_relu(x, f64::from(slope)),
        Unary::Logistic => activation::sigmoid(x),
        Unary::Tanh => x.tanh(),
        Unary::Elu => activation::elu(x, 1.0),
        Unary::HardSwish => activation::hard_swish(x),
        Unary::Abs => x.abs(),
        Unary::Neg => x.neg(),
        Unary::Exp => x.exp(),
        Unary::Log => x.log(),
        Unary::Sqrt => x.sqrt(),
        Unary::Rsqrt => x.sqrt().recip(),
        Unary::Square => x.square(),
        Unary::Identity => x,
    }
}
