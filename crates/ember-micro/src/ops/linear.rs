//! What the preparations of CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED share: how sums become outputs.

use ember_core::{Activation, Clamp, Dtype, Padding, QuantizedMultiplier};
use ember_kernels::{Axis, Float32, Int8};

use crate::error::{Fault, InvokeFault, Slot};
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
    pub(super) fn prepare(
        cx: &mut Prepare<'_, '_>,
        input: &Operand<'_>,
        filter: &Operand<'_>,
        output: &Operand<'_>,
        activation: Activation,
        channels: u32,
    ) -> Result<Self, Fault> {
        let scales = filter.quantization()?;
        let found = scales.len() as u32;
        // As TFLM: the dimension that the file names must have as many positions as there are scales.
        let named = usize::try_from(scales.quantized_dimension()).ok();
        let size = named.and_then(|dimension| filter.shape().get(dimension));
        if found != 1 && (found != channels || size != Some(scales.len())) {
            return Err(Fault::Scales {
                slot: filter.slot(),
                found,
                expected: channels,
            });
        }
        let (input_scale, _) = input.affine_int8()?;
        let (output_scale, _) = output.affine_int8()?;
        for scale in scales.scales() {
            let multiplier = QuantizedMultiplier::from_ratio(input_scale, scale, output_scale);
            keep_multiplier(cx, multiplier, output)?;
        }
        Self::finish(input, output, activation)
    }

    /// [`QuantizedOutput::prepare`] for one scale whose product with the input's is taken in single precision, as
    /// FULLY_CONNECTED does (`GetQuantizedConvolutionMultipler`, `kernels/kernel_util.cc`).
    pub(super) fn prepare_single(
        cx: &mut Prepare<'_, '_>,
        input: &Operand<'_>,
        filter_scale: f32,
        bias_scale: Option<f32>,
        output: &Operand<'_>,
        activation: Activation,
    ) -> Result<Self, Fault> {
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
                return Err(Fault::Scale(Slot::Input(BIAS)));
            }
        }
        let multiplier = QuantizedMultiplier::from_ratio(product, 1.0, output_scale);
        keep_multiplier(cx, multiplier, output)?;
        Self::finish(input, output, activation)
    }

    fn finish(
        input: &Operand<'_>,
        output: &Operand<'_>,
        activation: Activation,
    ) -> Result<Self, Fault> {
        let (_, input_zero_point) = input.affine_int8()?;
        let (_, output_zero_point) = output.affine_int8()?;
        Ok(Self {
            input_zero_point,
            output_zero_point,
            range: int8_range(output, activation)?,
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
    cx: &mut Prepare<'_, '_>,
    multiplier: QuantizedMultiplier,
    output: &Operand<'_>,
) -> Result<(), Fault> {
    if multiplier.shift > 30 {
        return Err(Fault::Scale(output.slot()));
    }
    cx.keep_record(&multiplier)
}

/// What a fused activation leaves of an int8 output.
pub(super) fn int8_range(
    output: &Operand<'_>,
    activation: Activation,
) -> Result<Clamp<i32>, Fault> {
    let (scale, zero_point) = output.affine_int8()?;
    if activation.clamp().is_none() {
        return Err(Fault::Activation(activation));
    }
    Clamp::INT8
        .with_activation(activation, scale, zero_point)
        .ok_or(Fault::Scale(output.slot()))
}

/// What a fused activation leaves of a float32 output.
pub(super) fn float32_range(activation: Activation) -> Result<Clamp<f32>, Fault> {
    Clamp::of_activation(activation).ok_or(Fault::Activation(activation))
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

/// Checks the bias, which may be left out: one value per output channel.
pub(super) fn bias<'m>(
    cx: &Prepare<'_, 'm>,
    dtype: Dtype,
    channels: u32,
) -> Result<Option<Operand<'m>>, Fault> {
    let bias = cx.optional_input(BIAS, dtype)?;
    if let Some(bias) = &bias {
        bias.elements_are(channels)?;
    }
    Ok(bias)
}

/// One axis of a window from the numbers in the options.
pub(super) fn axis(
    input: u32,
    filter: u32,
    stride: i32,
    dilation: i32,
    padding: Padding,
) -> Result<Axis, Fault> {
    let (stride, dilation) = (u32::try_from(stride), u32::try_from(dilation));
    let (Ok(stride), Ok(dilation)) = (stride, dilation) else {
        return Err(Fault::Options);
    };
    Axis::new(input, filter, stride, dilation, padding).ok_or(Fault::Options)
}

/// Inputs, output and kept multipliers of a linear operator on int8.
pub(super) fn split_int8<'s>(
    io: Io<'s>,
) -> Result<(Inputs<'s>, &'s mut [i8], &'s [QuantizedMultiplier]), InvokeFault> {
    let kept = io.kept_as()?;
    let (inputs, output) = io.split()?;
    Ok((inputs, output, kept))
}
