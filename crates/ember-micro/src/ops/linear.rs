//! What the preparations of CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED share: how sums become outputs.

use ember_core::{Activation, Clamp, Dtype, Padding, QuantizedMultiplier};
use ember_kernels::{Axis, Float32, Int8};

use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::{Inputs, Io};
use crate::prepare::{Operand, Prepare};

/// The number of the bias among the inputs.
const BIAS: u8 = 2;

/// The int8 side of a linear operator; the multipliers are kept beside it.
pub(super) struct QuantizedOutput {
    input_zero_point: i32,
    output_zero_point: i32,
    range: Clamp<i32>,
}

crate::record! {
    QuantizedOutput { input_zero_point: i32, output_zero_point: i32, range: Clamp<i32> }
}

impl QuantizedOutput {
    /// Checks scales and zero points, and keeps the multipliers: one, or one per output channel
    /// (`PopulateConvolutionQuantizationParams`, `kernels/kernel_util.cc`).
    #[inline(never)]
    pub(super) fn prepare(
        cx: &Prepare<'_>,
        activation: Activation,
        channels: u32,
    ) -> Result<Self, Refused> {
        let input = &cx.input(0, Dtype::Int8)?;
        let filter = &cx.input(1, Dtype::Int8)?;
        let output = &cx.output(0, Dtype::Int8)?;
        let scales = filter.quantization()?;
        let found = scales.len() as u32;
        // As TFLM: the dimension that the file names must have as many positions as there are scales.
        let named = usize::try_from(scales.quantized_dimension()).ok();
        let shape = filter.shape()?;
        let size = named.and_then(|dimension| shape.get(dimension));
        if found != 1 && (found != channels || size != Some(scales.len())) {
            return Err(cx.refuse(Fault::Scales {
                slot: filter.slot(),
                found,
                expected: channels,
            }));
        }
        let (input_scale, _) = input.affine_int8()?;
        let (output_scale, _) = output.affine_int8()?;
        for scale in scales.scales() {
            let multiplier = QuantizedMultiplier::from_ratio(input_scale, scale, output_scale);
            keep_multiplier(cx, multiplier, output)?;
        }
        Self::finish(cx, input, output, activation)
    }

    /// [`QuantizedOutput::prepare`] for one scale whose product with the input's is taken in single precision, as
    /// FULLY_CONNECTED does (`GetQuantizedConvolutionMultipler`, `kernels/kernel_util.cc`).
    pub(super) fn prepare_single(
        cx: &Prepare<'_>,
        filter_scale: f32,
        bias_scale: Option<f32>,
        activation: Activation,
    ) -> Result<Self, Refused> {
        let input = &cx.input(0, Dtype::Int8)?;
        let output = &cx.output(0, Dtype::Int8)?;
        let (input_scale, _) = input.affine_int8()?;
        let (output_scale, _) = output.affine_int8()?;
        let product = input_scale * filter_scale;
        if let Some(bias_scale) = bias_scale {
            // The kernel adds the bias as if its scale were the product's; TFLM allows for this much of a difference.
            let difference = product - bias_scale;
            let difference = if difference < 0.0 {
                -difference
            } else {
                difference
            };
            if difference > 0.02 * output_scale {
                return Err(cx.refuse(Fault::Scale(Slot::input(BIAS))));
            }
        }
        let multiplier = QuantizedMultiplier::from_ratio(product, 1.0, output_scale);
        keep_multiplier(cx, multiplier, output)?;
        Self::finish(cx, input, output, activation)
    }

    fn finish(
        cx: &Prepare<'_>,
        input: &Operand<'_>,
        output: &Operand<'_>,
        activation: Activation,
    ) -> Result<Self, Refused> {
        let (_, input_zero_point) = input.affine_int8()?;
        let (_, output_zero_point) = output.affine_int8()?;
        Ok(Self {
            input_zero_point,
            output_zero_point,
            range: int8_range(cx, output, activation)?,
        })
    }

    /// The kernel's arithmetic, with the kept multipliers and the bias.
    pub(super) fn arithmetic<'s>(
        &self,
        kept: &'s [QuantizedMultiplier],
        inputs: &Inputs<'s>,
    ) -> Result<Int8<'s>, InvokeFault> {
        Ok(Int8 {
            input_zero_point: self.input_zero_point,
            output_zero_point: self.output_zero_point,
            range: self.range,
            bias: inputs.optional(BIAS)?,
            multipliers: kept,
        })
    }
}

fn keep_multiplier(
    cx: &Prepare<'_>,
    multiplier: QuantizedMultiplier,
    output: &Operand<'_>,
) -> Result<(), Refused> {
    if multiplier.shift > 30 {
        return Err(cx.refuse(Fault::Scale(output.slot())));
    }
    cx.keep_record(&multiplier)
}

/// What a fused activation leaves of an int8 output.
#[inline(never)]
pub(super) fn int8_range(
    cx: &Prepare<'_>,
    output: &Operand<'_>,
    activation: Activation,
) -> Result<Clamp<i32>, Refused> {
    let (scale, zero_point) = output.affine_int8()?;
    if activation.clamp().is_none() {
        return Err(cx.refuse(Fault::Activation(activation)));
    }
    let range = Clamp::INT8.with_activation(activation, scale, zero_point);
    cx.expect(range, Fault::Scale(output.slot()))
}

/// What a fused activation leaves of a float32 output.
pub(super) fn float32_range(
    cx: &Prepare<'_>,
    activation: Activation,
) -> Result<Clamp<f32>, Refused> {
    cx.expect(
        Clamp::of_activation(activation),
        Fault::Activation(activation),
    )
}

/// The float arithmetic of a linear operator, with the bias.
pub(super) fn float32_arithmetic<'s>(
    range: Clamp<f32>,
    inputs: &Inputs<'s>,
) -> Result<Float32<'s>, InvokeFault> {
    Ok(Float32 {
        range,
        bias: inputs.optional(BIAS)?,
    })
}

/// The type of the bias that goes with these activations.
fn bias_dtype(dtype: Dtype) -> Dtype {
    match dtype {
        Dtype::Float32 => Dtype::Float32,
        _ => Dtype::Int32,
    }
}

/// Checks the bias, which may be left out: one value per output channel.
pub(super) fn bias<'c>(
    cx: &'c Prepare<'c>,
    dtype: Dtype,
    channels: u32,
) -> Result<Option<Operand<'c>>, Refused> {
    let bias = cx.optional_input(BIAS, bias_dtype(dtype))?;
    if let Some(bias) = &bias {
        bias.elements_are(channels)?;
    }
    Ok(bias)
}

/// One axis of a window from the numbers in the options.
#[inline(never)]
pub(super) fn axis(
    cx: &Prepare<'_>,
    input: u32,
    filter: u32,
    stride: i32,
    dilation: i32,
    padding: Padding,
) -> Result<Axis, Refused> {
    // A negative number becomes a great one, which does not fit.
    let (stride, dilation) = (stride.cast_unsigned(), dilation.cast_unsigned());
    let axis = Axis::new(input, filter, stride, dilation, padding);
    cx.expect(axis, Fault::Options)
}

/// The options that both convolutions have.
pub(super) struct WindowOptions {
    pub(super) padding: Padding,
    /// Rows, then columns.
    pub(super) strides: [i32; 2],
    /// Rows, then columns.
    pub(super) dilations: [i32; 2],
}

/// A convolution whose shapes fit each other.
pub(super) struct Convolution {
    pub(super) batches: u32,
    pub(super) rows: Axis,
    pub(super) columns: Axis,
    pub(super) input_channels: u32,
    /// The filter's dimensions.
    pub(super) filter: [u32; 4],
}

/// Checks what both convolutions have in common; the filter's dimension `channels` is that of the output channels.
#[inline(never)]
pub(super) fn convolution(
    cx: &Prepare<'_>,
    dtype: Dtype,
    options: &WindowOptions,
    channels: usize,
) -> Result<Convolution, Refused> {
    cx.arity(2..=3, 1)?;
    let [batches, height, width, input_channels] = cx.input(0, dtype)?.dims()?;
    let filter = cx.input(1, dtype)?.dims()?;
    let [_, filter_height, filter_width, _] = filter;
    let output_channels = filter.get(channels).copied().unwrap_or(0);
    let [stride_y, stride_x] = options.strides;
    let [dilation_y, dilation_x] = options.dilations;
    let padding = options.padding;
    let rows = axis(cx, height, filter_height, stride_y, dilation_y, padding)?;
    let columns = axis(cx, width, filter_width, stride_x, dilation_x, padding)?;
    let expected = [batches, rows.output, columns.output, output_channels];
    cx.output(0, dtype)?.dims_are(&expected)?;
    bias(cx, dtype, output_channels)?;
    Ok(Convolution {
        batches,
        rows,
        columns,
        input_channels,
        filter,
    })
}

/// Inputs, output and kept multipliers of a linear operator on int8.
pub(super) fn split_int8<'s>(
    io: Io<'s>,
) -> Result<(Inputs<'s>, &'s mut [i8], &'s [QuantizedMultiplier]), InvokeFault> {
    let kept = io.kept_as()?;
    let (inputs, output) = io.split()?;
    Ok((inputs, output, kept))
}
