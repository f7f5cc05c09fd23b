//! The evaluator: runs a graph in f32 on a batch, with the float kernels of `ember-kernels`.
//!
//! The arithmetic is that of the device; a batch of N images gives the same bits as N runs of one image.

mod batch_norm;
mod pad;
mod weightless;

use ember_core::{Activation, Clamp};
use ember_kernels::broadcast::Broadcast;
use ember_kernels::conv_2d::Conv2d;
use ember_kernels::depthwise_conv_2d::DepthwiseConv2d;
use ember_kernels::fully_connected::FullyConnected;
use ember_kernels::max_pool_2d::Pool2d;
use ember_kernels::softmax::Softmax;
use ember_kernels::transpose_conv::{TransposeConv, TransposedAxis};
use ember_kernels::{
    Axis, Float32, add, average_pool_2d, conv_2d, depthwise_conv_2d, fully_connected, max_pool_2d,
    relu, softmax, transpose_conv,
};

use crate::batch_norm::BatchNorm;
use crate::{Graph, GraphError, Node, Op, Source, ValueId, Window, shape, verify};

/// The outputs of `graph`, in their order, each `[batch, ...]` row-major.
///
/// `inputs` are in the order of [`Graph::inputs`], each `batch` times the input's elements.
///
/// # Errors
/// When the graph is not valid, or an input has another length.
pub fn evaluate(
    graph: &Graph,
    batch: usize,
    inputs: &[&[f32]],
) -> Result<Vec<Vec<f32>>, GraphError> {
    evaluate_observed(graph, batch, inputs, |_, _| {})
}

/// [`evaluate`], calling `observe` with every input and every result as soon as it is there: `[batch, ...]` row-major,
/// or `[1, ...]` for a result that no input reaches.
///
/// # Errors
/// When the graph is not valid, or an input has another length.
pub fn evaluate_observed(
    graph: &Graph,
    batch: usize,
    inputs: &[&[f32]],
    mut observe: impl FnMut(ValueId, &[f32]),
) -> Result<Vec<Vec<f32>>, GraphError> {
    evaluate_mapped(graph, batch, inputs, |id, numbers| observe(id, numbers))
}

/// [`evaluate_observed`] whose `map` may change what it sees: those who use the value, and the outputs, get what it
/// leaves.
///
/// # Errors
/// When the graph is not valid, or an input has another length.
pub fn evaluate_mapped(
    graph: &Graph,
    batch: usize,
    inputs: &[&[f32]],
    mut map: impl FnMut(ValueId, &mut [f32]),
) -> Result<Vec<Vec<f32>>, GraphError> {
    verify(graph)?;
    let mut run = Run {
        graph,
        slots: graph.values.iter().map(constant_slot).collect(),
    };
    run.feed(batch, inputs)?;
    for id in &graph.inputs {
        if let Numbers::Made(numbers) = &mut run.slots[id.index()].numbers {
            map(*id, numbers);
        }
    }
    for node in &graph.nodes {
        let (batch, mut numbers) = run.compute(node)?;
        map(node.output, &mut numbers);
        let slot = Slot {
            batch,
            numbers: Numbers::Made(numbers),
        };
        run.slots[node.output.index()] = slot;
    }
    Ok(graph
        .outputs
        .iter()
        .map(|id| run.slot(*id).numbers().to_vec())
        .collect())
}

/// The numbers of one value during a run.
struct Slot<'g> {
    /// 1 for constants and what is made of them alone.
    batch: usize,
    numbers: Numbers<'g>,
}

enum Numbers<'g> {
    Constant(&'g [f32]),
    Made(Vec<f32>),
}

impl Slot<'_> {
    fn numbers(&self) -> &[f32] {
        match &self.numbers {
            Numbers::Constant(numbers) => numbers,
            Numbers::Made(numbers) => numbers,
        }
    }
}

fn constant_slot(value: &crate::Value) -> Slot<'_> {
    let numbers = match &value.source {
        Source::Constant(numbers) => Numbers::Constant(numbers),
        Source::Input | Source::Node => Numbers::Made(Vec::new()),
    };
    Slot { batch: 1, numbers }
}

struct Run<'g> {
    graph: &'g Graph,
    slots: Vec<Slot<'g>>,
}

impl Run<'_> {
    fn slot(&self, id: ValueId) -> &Slot<'_> {
        &self.slots[id.index()]
    }

    fn feed(&mut self, batch: usize, inputs: &[&[f32]]) -> Result<(), GraphError> {
        if inputs.len() != self.graph.inputs.len() {
            return Err(GraphError::InputCount {
                expected: self.graph.inputs.len(),
                got: inputs.len(),
            });
        }
        for (id, numbers) in self.graph.inputs.iter().zip(inputs) {
            let value = &self.graph.values[id.index()];
            let expected = shape::elements(&value.shape).and_then(|one| one.checked_mul(batch));
            if expected != Some(numbers.len()) || batch == 0 {
                return Err(GraphError::InputLength {
                    value: value.name.clone(),
                    shape: value.shape.clone(),
                    batch,
                    got: numbers.len(),
                });
            }
            self.slots[id.index()] = Slot {
                batch,
                numbers: Numbers::Made(numbers.to_vec()),
            };
        }
        Ok(())
    }

    /// The node's result with its batch.
    fn compute(&self, node: &Node) -> Result<(usize, Vec<f32>), GraphError> {
        let output = &self.graph.values[node.output.index()];
        let operands: Vec<&Slot<'_>> = node.inputs.iter().map(|id| self.slot(*id)).collect();
        let roles = node.op.operands().iter().zip(&operands);
        // A constant operand of an addition has a batch of 1 and is added to every image.
        let batch = roles
            .filter(|(role, _)| **role == crate::Role::Activation)
            .map(|(_, slot)| slot.batch)
            .max()
            .unwrap_or(1);
        let dims: Vec<Option<Vec<u32>>> = node
            .inputs
            .iter()
            .zip(&operands)
            .map(|(id, slot)| extents(&self.graph.values[id.index()].shape, slot.batch))
            .collect();
        let too_large = || GraphError::BatchTooLarge {
            value: output.name.clone(),
            batch,
        };
        let dims: Vec<Vec<u32>> = dims
            .into_iter()
            .collect::<Option<_>>()
            .ok_or_else(too_large)?;
        let count = shape::elements(&output.shape)
            .and_then(|one| one.checked_mul(batch))
            .ok_or_else(too_large)?;
        let slices: Vec<&[f32]> = operands.iter().map(|slot| slot.numbers()).collect();
        let mut result = vec![0.0; count];
        let kernel = run_kernel(&node.op, &dims, &slices, &mut result).ok_or_else(too_large)?;
        kernel.map_err(|problem| GraphError::Kernel {
            node: output.name.clone(),
            op: node.op.name(),
            problem,
        })?;
        Ok((batch, result))
    }
}

/// A shape whose first extent is the batch, as the kernels want it.
fn extents(shape: &[usize], batch: usize) -> Option<Vec<u32>> {
    let mut extents: Vec<u32> = shape
        .iter()
        .map(|extent| u32::try_from(*extent).ok())
        .collect::<Option<_>>()?;
    if batch > 1 {
        *extents.first_mut()? = u32::try_from(batch).ok()?;
    }
    Some(extents)
}

/// Runs the kernel of a verified node; `None` when an extent leaves the kernels' 31 bits.
fn run_kernel(
    op: &Op,
    dims: &[Vec<u32>],
    operands: &[&[f32]],
    output: &mut [f32],
) -> Option<Result<(), ember_kernels::KernelError>> {
    let input = operands[0];
    Some(match op {
        Op::Conv2d { window, activation } => {
            let [batches, height, width, input_channels] = dims[0][..].try_into().ok()?;
            let [output_channels, rows, columns, filter_channels] = dims[1][..].try_into().ok()?;
            let [rows, columns] = axes([height, width], [rows, columns], window)?;
            let shape = Conv2d {
                batches,
                rows,
                columns,
                input_channels,
                filter_channels,
                output_channels,
            };
            let arithmetic = arithmetic(*activation, operands[2])?;
            conv_2d::convolve(&shape, &arithmetic, input, operands[1], output)
        }
        Op::DepthwiseConv2d { window, activation } => {
            let [batches, height, width, channels] = dims[0][..].try_into().ok()?;
            let [_, rows, columns, output_channels] = dims[1][..].try_into().ok()?;
            let [rows, columns] = axes([height, width], [rows, columns], window)?;
            let shape = DepthwiseConv2d {
                batches,
                rows,
                columns,
                channels,
                multiplier: output_channels / channels.max(1),
            };
            let arithmetic = arithmetic(*activation, operands[2])?;
            depthwise_conv_2d::convolve(&shape, &arithmetic, input, operands[1], output)
        }
        Op::TransposeConv {
            size,
            window,
            activation,
        } => {
            let [batches, height, width, input_channels] = dims[0][..].try_into().ok()?;
            let [output_channels, rows, columns, _] = dims[1][..].try_into().ok()?;
            let along = |axis: usize, input: u32, filter: u32| {
                let output = u32::try_from(size[axis]).ok()?;
                let stride = u32::try_from(window.stride[axis]).ok()?;
                TransposedAxis::new(input, filter, output, stride, window.padding)
            };
            let shape = TransposeConv {
                batches,
                rows: along(0, height, rows)?,
                columns: along(1, width, columns)?,
                input_channels,
                output_channels,
            };
            let arithmetic = arithmetic(*activation, operands[2])?;
            transpose_conv::float32(&shape, &arithmetic, input, operands[1], output)
        }
        Op::Weightless(op) => weightless::run(op, dims, operands, output)?,
        Op::FullyConnected { activation } => {
            let [batches, depth] = dims[0][..].try_into().ok()?;
            let [units, _] = dims[1][..].try_into().ok()?;
            let shape = FullyConnected {
                batches,
                depth,
                units,
            };
            let arithmetic = arithmetic(*activation, operands[2])?;
            fully_connected::connect(&shape, &arithmetic, input, operands[1], output)
        }
        Op::MaxPool2d { size, window } => {
            let shape = pool(&dims[0], *size, window)?;
            max_pool_2d::pool(&shape, clamp(Activation::None)?, input, output)
        }
        Op::AveragePool2d { size, window } => {
            let shape = pool(&dims[0], *size, window)?;
            average_pool_2d::pool(&shape, clamp(Activation::None)?, input, output)
        }
        Op::Add { activation } => {
            let [left, right] = [&dims[0], &dims[1]].map(|dims| dims.iter().rev().copied());
            let shape = Broadcast::new(left, right)?;
            add::float32(&shape, clamp(*activation)?, input, operands[1], output)
        }
        Op::Reshape { .. } | Op::Quantize | Op::Dequantize => {
            output.copy_from_slice(input);
            Ok(())
        }
        Op::BatchNorm { epsilon } => {
            let norm = BatchNorm {
                gamma: operands[1],
                beta: operands[2],
                mean: operands[3],
                variance: operands[4],
                epsilon: *epsilon,
            };
            batch_norm::run(&norm, &dims[0], input, output)?
        }
        Op::Pad { before, after } => {
            pad::run(&dims[0], *before, *after, input, output)?;
            Ok(())
        }
        Op::Relu => relu::clamp(clamp(Activation::Relu)?, input, output),
        Op::Relu6 => relu::clamp(clamp(Activation::Relu6)?, input, output),
        Op::Softmax { beta } => {
            let (depth, outer) = dims[0].split_last()?;
            let shape = Softmax {
                outer: outer
                    .iter()
                    .try_fold(1_u32, |product, extent| product.checked_mul(*extent))?,
                depth: *depth,
            };
            softmax::float32(&shape, *beta, input, output)
        }
    })
}

fn axes(image: [u32; 2], size: [u32; 2], window: &Window) -> Option<[Axis; 2]> {
    let along = |axis: usize| {
        Axis::new(
            image[axis],
            size[axis],
            u32::try_from(window.stride[axis]).ok()?,
            u32::try_from(window.dilation[axis]).ok()?,
            window.padding,
        )
    };
    Some([along(0)?, along(1)?])
}

fn pool(dims: &[u32], size: [usize; 2], window: &Window) -> Option<Pool2d> {
    let [batches, height, width, channels] = dims.try_into().ok()?;
    let size = [u32::try_from(size[0]).ok()?, u32::try_from(size[1]).ok()?];
    let [rows, columns] = axes([height, width], size, window)?;
    Some(Pool2d {
        batches,
        rows,
        columns,
        channels,
    })
}

fn arithmetic(activation: Activation, bias: &[f32]) -> Option<Float32<'_>> {
    Some(Float32 {
        range: clamp(activation)?,
        bias: Some(bias),
    })
}

fn clamp(activation: Activation) -> Option<Clamp<f32>> {
    Clamp::<f32>::of_activation(activation)
}
