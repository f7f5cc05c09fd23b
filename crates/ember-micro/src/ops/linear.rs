//! What the preparations of CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED share: how sums become outputs, and how
//! windows lie.

use ember_core::{Activation, Clamp, Dtype, Padding, QuantizedMultiplier, view};
use ember_kernels::{Axis, Float32, Int8};

use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::{Inputs, Io};
use crate::prepare::{Operand, Prepare};

/// The number of the bias among the inputs.
const BIAS: u8 = 2;

ember_core::plain! {
    /// The int8 side of a linear operator; the multipliers are kept beside it.
    #[derive(Clone, Copy)]
    pub(super) struct QuantizedOutput {
        input_zero_point: i32,
        output_zero_point: i32,
        range: Clamp<i32>,
    }
}

impl QuantizedOutput {
    /// Checks scales and zero points, and keeps the multipliers: one, or one per output channel
    /// (`PopulateConvolutionQuantizationParams`, `kernels/kernel_util.cc`).
    ///
    /// With `single`, the product of the input's scale and the only one of the weights is taken in single precision and
    /// the bias must agree with it, as FULLY_CONNECTED has it (`GetQuantizedConvolutionMultipler`, there too).
    #[inline(never)]
    pub(super) fn prepare(
        &mut self,
        cx: &Prepare<'_>,
        activation: Activation,
        channels: u32,
        single: bool,
    ) -> Result<(), Refused> {
        let filter = cx.input(1, Dtype::Int8)?;
        let output = cx.output(0, Dtype::Int8)?;
        let (input_scale, input_zero_point) = cx.input(0, Dtype::Int8)?.affine_int8()?;
        let (output_scale, output_zero_point) = output.affine_int8()?;
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
        for scale in scales.scales() {
            let factors = if single {
                let product = input_scale * scale;
                bias_agrees(cx, product, output_scale)?;
                (product, 1.0)
            } else {
                (input_scale, scale)
            };
            let multiplier = QuantizedMultiplier::from_ratio(factors.0, factors.1, output_scale);
            if multiplier.shift > 30 {
                return Err(cx.refuse(Fault::Scale(output.slot())));
            }
            cx.keep(view::as_words(&multiplier))?;
        }
        self.input_zero_point = input_zero_point;
        self.output_zero_point = output_zero_point;
        self.range = int8_range(cx, &output, activation)?;
        Ok(())
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

/// Checks that the bias, where there is one, has the scale of the sums: the kernel adds it as if it had. TFLM allows for
/// this much of a difference.
fn bias_agrees(cx: &Prepare<'_>, product: f32, output_scale: f32) -> Result<(), Refused> {
    let Some(bias) = cx.optional_input(BIAS, Dtype::Int32)? else {
        return Ok(());
    };
    let scale = bias.quantization()?.scale(0).unwrap_or_default();
    let limit = 0.02 * output_scale;
    if !(-limit..=limit).contains(&(product - scale)) {
        return Err(cx.refuse(Fault::Scale(bias.slot())));
    }
    Ok(())
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
    let range = Clamp::of_activation(activation);
    cx.expect(range, Fault::Activation(activation))
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
#[inline(never)]
pub(super) fn check_bias(cx: &Prepare<'_>, dtype: Dtype, channels: u32) -> Result<(), Refused> {
    let dtype = match dtype {
        Dtype::Float32 => Dtype::Float32,
        _ => Dtype::Int32,
    };
    match cx.optional_input(BIAS, dtype)? {
        Some(bias) => bias.elements_are(channels),
        None => Ok(()),
    }
}

/// The options that windows have. Pairs are rows, then columns.
pub(super) struct WindowOptions {
    pub(super) padding: Padding,
    pub(super) sizes: [u32; 2],
    pub(super) strides: [i32; 2],
    pub(super) dilations: [i32; 2],
}

/// Works out the axes of a window, and checks that the output is `[batches, rows, columns, channels]`. Gives the
/// input's batches and channels; without `channels` those of the input are the output's.
#[inline(never)]
pub(super) fn window(
    cx: &Prepare<'_>,
    dtype: Dtype,
    options: &WindowOptions,
    channels: Option<u32>,
    rows: &mut Axis,
    columns: &mut Axis,
) -> Result<[u32; 2], Refused> {
    let [batches, height, width, input_channels] = cx.input(0, dtype)?.dims()?;
    let sides = [(rows, height), (columns, width)];
    let WindowOptions {
        padding,
        sizes,
        strides,
        dilations,
    } = options;
    let numbers = sizes.iter().zip(strides).zip(dilations);
    let mut outputs = [0; 2];
    for (((axis, input), ((size, stride), dilation)), output) in
        sides.into_iter().zip(numbers).zip(&mut outputs)
    {
        // A negative number becomes a great one, which does not fit.
        let (stride, dilation) = (stride.cast_unsigned(), dilation.cast_unsigned());
        let found = Axis::new(input, *size, stride, dilation, *padding);
        *axis = cx.expect(found, Fault::Options)?;
        *output = axis.output;
    }
    let channels = channels.unwrap_or(input_channels);
    let [rows, columns] = outputs;
    cx.output(0, dtype)?
        .dims_are(&[batches, rows, columns, channels])?;
    Ok([batches, input_channels])
}

/// Inputs, output and kept multipliers of a linear operator on int8.
#[inline(never)]
pub(super) fn split_int8<'s>(
    io: Io<'s>,
) -> Result<(Inputs<'s>, &'s mut [i8], &'s [QuantizedMultiplier]), InvokeFault> {
    let kept = io.kept_as()?;
    let (inputs, output) = io.split()?;
    Ok((inputs, output, kept))
}

/// The slot of the weights.
pub(super) const FILTER: Slot = Slot::input(1);
