//! Operators that slide windows or multiply matrices.

use ember_core::{BuiltinOp, Dtype, Padding};
use ember_tflite::write::{OperatorSpec, QuantizationSpec, TensorSpec};
use ember_tflite::{
    BatchMatMulOptions, Conv2dOptions, DepthwiseConv2dOptions, FullyConnectedOptions, Options,
    Pool2dOptions, TensorId, TransposeConvOptions,
};

use super::{Builder, Family, SCALES};

/// Those that graphs do not have.
pub(super) const FURTHER: &[Family] = &[transpose_conv, batch_matmul, l2_pool_2d];

/// Output positions of an axis.
fn positions(
    size: usize,
    filter: usize,
    stride: usize,
    dilation: usize,
    padding: Padding,
) -> Option<usize> {
    let covered = (filter - 1) * dilation + 1;
    match padding {
        Padding::Same => Some(size.div_ceil(stride)),
        Padding::Valid => Some(size.checked_sub(covered)? / stride + 1),
    }
}

impl Builder {
    /// Weights for activations of a type: int8 with a scale for each channel or one for all, or float32.
    fn weights(&mut self, dtype: Dtype, shape: &[usize], dimension: usize) -> (TensorId, Vec<f32>) {
        let channels = shape[dimension];
        if dtype == Dtype::Float32 {
            let id = self.spec.push_tensor(TensorSpec::new("", dtype, shape));
            return (self.filled(id, 0.7), Vec::new());
        }
        let count = if self.flag() { channels } else { 1 };
        let scales: Vec<f32> = (0..count).map(|_| self.random.pick(SCALES)).collect();
        let mut tensor = TensorSpec::new("", Dtype::Int8, shape);
        tensor.quantization = Some(QuantizationSpec::per_channel(
            scales.clone(),
            dimension as i32,
        ));
        let id = self.spec.push_tensor(tensor);
        (self.filled(id, 0.0), scales)
    }

    /// A bias that goes with these weights, or none.
    fn bias(&mut self, input: TensorId, scales: &[f32], channels: usize) -> Option<TensorId> {
        if self.random.below(4) == 0 {
            return None;
        }
        let input = self.get(input);
        let dtype = match input.dtype {
            Dtype::Int8 => Dtype::Int32,
            Dtype::Int16 => Dtype::Int64,
            other => other,
        };
        let mut tensor = TensorSpec::new("", dtype, [channels]);
        let input_scale = input.quantization.map(|own| own.scales[0]);
        tensor.quantization = input_scale.map(|input| {
            let scales: Vec<f32> = scales.iter().map(|scale| scale * input).collect();
            QuantizationSpec::per_channel(scales, 0)
        });
        let id = self.spec.push_tensor(tensor);
        Some(self.filled(id, 1.0))
    }

    /// Adds a linear operator with a bias that may be left out.
    fn linear(
        &mut self,
        op: BuiltinOp,
        mut inputs: Vec<Option<TensorId>>,
        bias: Option<TensorId>,
        output: TensorId,
        options: impl Into<Options>,
    ) -> Option<()> {
        inputs.push(bias);
        let mut operator = OperatorSpec::new(op, [], [output], options);
        operator.inputs = inputs;
        self.spec.operators.push(operator);
        self.values.push(output);
        Some(())
    }

    fn image(&self, from: TensorId) -> Option<(Dtype, [usize; 4])> {
        let tensor = self.get(from);
        let known = matches!(tensor.dtype, Dtype::Int8 | Dtype::Int16 | Dtype::Float32);
        Some((
            tensor.dtype,
            tensor.shape.try_into().ok().filter(|_| known)?,
        ))
    }

    fn padding(&mut self) -> Padding {
        self.random.pick(&[Padding::Same, Padding::Valid])
    }

    /// Filter size, stride, dilation and output positions of an axis.
    fn axis(&mut self, size: usize, padding: Padding, dilated: bool) -> Option<[usize; 4]> {
        let filter = 1 + self.random.below(size.min(5));
        let (mut stride, mut dilation) = (1 + self.random.below(3), 1);
        if dilated {
            // TensorFlow has no convolution with both.
            (stride, dilation) = (1, 1 + self.random.below(3));
        }
        let output = positions(size, filter, stride, dilation, padding)?;
        Some([filter, stride, dilation, output])
    }
}

pub(super) fn conv_2d(b: &mut Builder, from: TensorId) -> Option<()> {
    let (dtype, [batches, height, width, depth]) = b.image(from)?;
    let (padding, dilated) = (b.padding(), b.flag());
    let [rows, stride_h, dilation_h, out_height] = b.axis(height, padding, dilated)?;
    let [columns, stride_w, dilation_w, out_width] = b.axis(width, padding, dilated)?;
    // Groups, where the depth has any.
    let groups = if depth % 2 == 0 && b.random.below(4) == 0 {
        2
    } else {
        1
    };
    let channels = groups * (1 + b.random.below(6));
    let (filter, scales) = b.weights(dtype, &[channels, rows, columns, depth / groups], 0);
    let bias = b.bias(from, &scales, channels);
    let output = b.tensor(dtype, &[batches, out_height, out_width, channels]);
    let options = Conv2dOptions {
        padding,
        stride_w: stride_w as i32,
        stride_h: stride_h as i32,
        fused_activation_function: b.activation(),
        dilation_w_factor: dilation_w as i32,
        dilation_h_factor: dilation_h as i32,
        ..Conv2dOptions::default()
    };
    b.linear(
        BuiltinOp::Conv2d,
        vec![Some(from), Some(filter)],
        bias,
        output,
        options,
    )
}

pub(super) fn depthwise_conv_2d(b: &mut Builder, from: TensorId) -> Option<()> {
    let (dtype, [batches, height, width, depth]) = b.image(from)?;
    let (padding, dilated) = (b.padding(), b.flag());
    let [rows, stride_h, dilation_h, out_height] = b.axis(height, padding, dilated)?;
    let [columns, stride_w, dilation_w, out_width] = b.axis(width, padding, dilated)?;
    let multiplier = 1 + b.random.below(3);
    let channels = depth * multiplier;
    let (filter, scales) = b.weights(dtype, &[1, rows, columns, channels], 3);
    let bias = b.bias(from, &scales, channels);
    let output = b.tensor(dtype, &[batches, out_height, out_width, channels]);
    let options = DepthwiseConv2dOptions {
        padding,
        stride_w: stride_w as i32,
        stride_h: stride_h as i32,
        depth_multiplier: multiplier as i32,
        fused_activation_function: b.activation(),
        dilation_w_factor: dilation_w as i32,
        dilation_h_factor: dilation_h as i32,
    };
    b.linear(
        BuiltinOp::DepthwiseConv2d,
        vec![Some(from), Some(filter)],
        bias,
        output,
        options,
    )
}

fn transpose_conv(b: &mut Builder, from: TensorId) -> Option<()> {
    let (dtype, [batches, height, width, depth]) = b.image(from)?;
    let padding = b.padding();
    let mut axis = |size: usize| {
        let (filter, stride) = (1 + b.random.below(4), 1 + b.random.below(3));
        let output = match padding {
            Padding::Same => size * stride,
            Padding::Valid => (size - 1) * stride + filter,
        };
        [filter, stride, output]
    };
    let ([rows, stride_h, out_height], [columns, stride_w, out_width]) =
        (axis(height), axis(width));
    let channels = 1 + b.random.below(5);
    let (filter, scales) = b.weights(dtype, &[channels, rows, columns, depth], 0);
    let bias = b.bias(from, &scales, channels);
    let shape = [batches, out_height, out_width, channels];
    let sizes = b.list(&shape.map(|size| size as i32));
    let output = b.tensor(dtype, &shape);
    let options = TransposeConvOptions {
        padding,
        stride_w: stride_w as i32,
        stride_h: stride_h as i32,
        fused_activation_function: b.activation(),
        ..TransposeConvOptions::default()
    };
    b.linear(
        BuiltinOp::TransposeConv,
        vec![Some(sizes), Some(filter), Some(from)],
        bias,
        output,
        options,
    )
}

pub(super) fn fully_connected(b: &mut Builder, from: TensorId) -> Option<()> {
    let tensor = b.get(from);
    let (depth, units) = (*tensor.shape.last()?, 1 + b.random.below(9));
    if !matches!(tensor.dtype, Dtype::Int8 | Dtype::Int16 | Dtype::Float32) {
        return None;
    }
    let (filter, scales) = b.weights(tensor.dtype, &[units, depth], 0);
    let bias = b.bias(from, &scales, units);
    let keep_num_dims = b.flag();
    let batches = tensor.shape.iter().product::<usize>() / depth;
    let mut shape = if keep_num_dims {
        tensor.shape
    } else {
        vec![batches, depth]
    };
    *shape.last_mut()? = units;
    let output = b.tensor(tensor.dtype, &shape);
    let options = FullyConnectedOptions {
        fused_activation_function: b.activation(),
        keep_num_dims,
        ..FullyConnectedOptions::default()
    };
    b.linear(
        BuiltinOp::FullyConnected,
        vec![Some(from), Some(filter)],
        bias,
        output,
        options,
    )
}

fn pool(b: &mut Builder, from: TensorId, op: BuiltinOp) -> Option<()> {
    let (_, [batches, height, width, depth]) = b.image(from)?;
    let padding = b.padding();
    let [rows, stride_h, _, out_height] = b.axis(height, padding, false)?;
    let [columns, stride_w, _, out_width] = b.axis(width, padding, false)?;
    let output = b.like(from, &[batches, out_height, out_width, depth]);
    let options = Pool2dOptions {
        padding,
        stride_w: stride_w as i32,
        stride_h: stride_h as i32,
        filter_width: columns as i32,
        filter_height: rows as i32,
        fused_activation_function: b.activation(),
    };
    b.operator(op, &[from], &[output], options)
}

pub(super) fn pool_2d(b: &mut Builder, from: TensorId) -> Option<()> {
    let op = b
        .random
        .pick(&[BuiltinOp::MaxPool2d, BuiltinOp::AveragePool2d]);
    pool(b, from, op)
}

fn l2_pool_2d(b: &mut Builder, from: TensorId) -> Option<()> {
    pool(b, from, BuiltinOp::L2Pool2d)
}

fn batch_matmul(b: &mut Builder, from: TensorId) -> Option<()> {
    let tensor = b.get(from);
    let (adj_x, adj_y) = (b.flag(), b.flag());
    let [.., rows, depth] = tensor.shape[..] else {
        return None;
    };
    let (rows, depth) = if adj_x { (depth, rows) } else { (rows, depth) };
    let columns = 1 + b.random.below(6);
    let mut other = tensor.shape.clone();
    let at = other.len() - 2;
    // One matrix for all batches, or one for each.
    if b.flag() {
        other[..at].fill(1);
    }
    let matrix = if adj_y {
        [columns, depth]
    } else {
        [depth, columns]
    };
    other[at..].copy_from_slice(&matrix);
    let mut shape = tensor.shape;
    shape[at..].copy_from_slice(&[rows, columns]);
    let right = b.tensor(tensor.dtype, &other);
    let right = b.filled(right, 1.0);
    let output = b.tensor(tensor.dtype, &shape);
    let options = BatchMatMulOptions {
        adj_x,
        adj_y,
        ..BatchMatMulOptions::default()
    };
    let inputs = if b.random.below(4) == 0 {
        [right, from]
    } else {
        [from, right]
    };
    b.operator(BuiltinOp::BatchMatmul, &inputs, &[output], options)
}
