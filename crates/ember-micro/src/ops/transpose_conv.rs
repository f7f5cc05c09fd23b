//! TRANSPOSE_CONV: `micro/kernels/transpose_conv.cc`.

use core::marker::PhantomData;

use ember_core::view::{Int64, Pair};
use ember_core::{Activation, BuiltinOp, Clamp, Dtype, QuantizedMultiplier, view};
use ember_kernels::transpose_conv::{self, TransposeConv, TransposedAxis};
use ember_kernels::{Float32, Int8, Int16, WideBias};
use ember_tflite::{OpCode, TransposeConvOptions};

use super::linear;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::{Inputs, Io};
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// The number of the filter among the inputs; the first is the output's shape, which the output's own says, too.
const FILTER: u8 = 1;
/// The number of the input itself.
const INPUT: u8 = 2;
/// The number of the bias.
const BIAS: u8 = 3;

/// Types of input and output, of the filter, and of the bias.
type Types = [Dtype; 3];

#[inline(never)]
fn shapes(
    cx: &Prepare<'_>,
    types: Types,
    shape: &mut TransposeConv,
) -> Result<Activation, Refused> {
    cx.arity(3..=4, 1)?;
    let options = cx.options::<TransposeConvOptions>()?;
    let [activations, weights, bias] = types;
    // The bias may have another type from version 5 on.
    if options.quantized_bias_type != Dtype::Float32 && options.quantized_bias_type != bias {
        return Err(cx.refuse(Fault::Options));
    }
    cx.input(0, Dtype::Int32)?.elements_are(4)?;
    let [batches, height, width, input_channels] = cx.input(INPUT, activations)?.dims()?;
    let filter = cx.input(FILTER, weights)?;
    let [output_channels, rows, columns, depth] = filter.dims()?;
    filter.size_is(3, depth, input_channels)?;
    let output = cx.output(0, activations)?;
    let [_, out_height, out_width, _] = output.dims()?;
    output.dims_are(&[batches, out_height, out_width, output_channels])?;
    let axis = |input, filter, output, stride: i32| {
        let stride = u32::try_from(stride).unwrap_or(0);
        let axis = TransposedAxis::new(input, filter, output, stride, options.padding);
        cx.expect(axis, Fault::Options)
    };
    *shape = TransposeConv {
        batches,
        rows: axis(height, rows, out_height, options.stride_h)?,
        columns: axis(width, columns, out_width, options.stride_w)?,
        input_channels,
        output_channels,
    };
    if let Some(bias) = cx.optional_input(BIAS, bias)? {
        bias.elements_are(output_channels)?;
    }
    Ok(options.fused_activation_function)
}

ember_core::plain! {
    /// What integers need besides their multipliers, which are kept.
    #[derive(Clone, Copy, Debug)]
    pub struct Quantized {
        /// The input's zero point.
        pub input_zero_point: i32,
        /// The output's zero point.
        pub output_zero_point: i32,
        /// What the output is clamped to.
        pub range: Clamp<i32>,
    }
}

/// Zero points and range; keeps a multiplier per channel, or one for all (`PopulateConvolutionQuantizationParams`,
/// `kernels/kernel_util.cc`).
#[inline(never)]
fn quantized(
    cx: &Prepare<'_>,
    channels: u32,
    activation: Activation,
    greatest_shift: i32,
) -> Result<Quantized, Refused> {
    let (filter, output) = (cx.any(Slot::input(FILTER))?, cx.any(Slot::output(0))?);
    let (input_scale, input_zero_point) = cx.any(Slot::input(INPUT))?.affine()?;
    let (output_scale, output_zero_point) = output.affine()?;
    let quantization = filter.quantization()?;
    let scales = quantization.len() as u32;
    if scales != 1 && (scales != channels || quantization.quantized_dimension() != 0) {
        return Err(cx.refuse(Fault::Scales {
            slot: filter.slot(),
            found: scales,
            expected: channels,
        }));
    }
    if let Some(found) = quantization.zero_points().find(|zero| *zero != 0) {
        let slot = filter.slot();
        return Err(cx.refuse(Fault::ZeroPoint { slot, found }));
    }
    for scale in quantization.scales() {
        let multiplier = QuantizedMultiplier::from_ratio(input_scale, scale, output_scale);
        if scale == 0.0 || multiplier.shift > greatest_shift {
            return Err(cx.refuse(Fault::Scale(filter.slot())));
        }
        cx.keep(view::as_words(&multiplier))?;
    }
    Ok(Quantized {
        input_zero_point,
        output_zero_point,
        range: linear::integer_range(cx, &output, activation)?,
    })
}

/// The bias, if there is one.
fn bias<'s, T: view::Plain>(inputs: &Inputs<'s>) -> Result<Option<&'s [T]>, InvokeFault> {
    inputs.optional(BIAS)
}

/// TRANSPOSE_CONV on a combination of types.
pub struct On<T>(PhantomData<T>);

/// TRANSPOSE_CONV of int8.
pub type OfInt8 = On<i8>;

/// TRANSPOSE_CONV of int16 with filters of int8.
pub type OfInt16 = On<i16>;

/// TRANSPOSE_CONV of float32.
pub type OfFloat32 = On<f32>;

impl Kernel for On<i8> {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::TransposeConv);
    // The first input is the output's shape.
    const DTYPE: Option<Dtype> = Some(Dtype::Int32);
    const OTHER: Option<(Slot, Dtype)> = Some((Slot::input(INPUT), Dtype::Int8));
    type Prepared = Pair<TransposeConv, Quantized>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let types = [Dtype::Int8, Dtype::Int8, Dtype::Int32];
        let activation = shapes(cx, types, &mut prepared.first)?;
        prepared.second = quantized(cx, prepared.first.output_channels, activation, 30)?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let multipliers = io.kept_as()?;
        let (inputs, output) = io.split()?;
        let Pair { first, second } = prepared;
        let arithmetic = Int8 {
            input_zero_point: second.input_zero_point,
            output_zero_point: second.output_zero_point,
            filter_zero_point: 0,
            range: second.range,
            bias: bias(&inputs)?,
            multipliers,
        };
        let (input, filter) = (inputs.get(INPUT)?, inputs.get(FILTER)?);
        Ok(transpose_conv::int8(
            first,
            &arithmetic,
            input,
            filter,
            output,
        )?)
    }
}

ember_core::plain! {
    /// What int16 needs besides its multipliers, which are kept.
    #[derive(Clone, Copy, Debug)]
    pub struct QuantizedInt16 {
        /// What the output is clamped to.
        pub range: Clamp<i32>,
        /// Bits of an element of the bias: 64, or 16 in older files (`micro/kernels/transpose_conv.cc`).
        pub bias_bits: u32,
    }
}

impl Kernel for On<i16> {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::TransposeConv);
    const DTYPE: Option<Dtype> = Some(Dtype::Int32);
    const OTHER: Option<(Slot, Dtype)> = Some((Slot::input(INPUT), Dtype::Int16));
    type Prepared = Pair<TransposeConv, QuantizedInt16>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let bias = Slot::input(BIAS).dtype(cx.graph, cx.operator());
        let (bias, bias_bits) = match bias {
            Some(Dtype::Int16) => (Dtype::Int16, 16),
            _ => (Dtype::Int64, 64),
        };
        let types = [Dtype::Int16, Dtype::Int8, bias];
        let activation = shapes(cx, types, &mut prepared.first)?;
        cx.any(Slot::input(INPUT))?.scale_about(0)?;
        cx.any(Slot::output(0))?.scale_about(0)?;
        // Sums of 64 bits are scaled with a shift of at most 7.
        let Quantized { range, .. } = quantized(cx, prepared.first.output_channels, activation, 7)?;
        prepared.second = QuantizedInt16 { range, bias_bits };
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let multipliers = io.kept_as()?;
        let (inputs, output) = io.split()?;
        let Pair { first, second } = prepared;
        let bias = if second.bias_bits == 16 {
            bias(&inputs)?.map(WideBias::Int16)
        } else {
            bias::<Int64>(&inputs)?.map(WideBias::Int64)
        };
        let arithmetic = Int16 {
            range: second.range,
            bias: bias.unwrap_or(WideBias::None),
            narrow: false,
            multipliers,
        };
        let (input, filter) = (inputs.get(INPUT)?, inputs.get(FILTER)?);
        Ok(transpose_conv::int16(
            first,
            &arithmetic,
            input,
            filter,
            output,
        )?)
    }
}

impl Kernel for On<f32> {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::TransposeConv);
    const DTYPE: Option<Dtype> = Some(Dtype::Int32);
    const OTHER: Option<(Slot, Dtype)> = Some((Slot::input(INPUT), Dtype::Float32));
    type Prepared = Pair<TransposeConv, Clamp<f32>>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let activation = shapes(cx, [Dtype::Float32; 3], &mut prepared.first)?;
        prepared.second = linear::float32_range(cx, activation)?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let Pair { first, second } = prepared;
        let arithmetic = Float32 {
            range: *second,
            bias: bias(&inputs)?,
        };
        let (input, filter) = (inputs.get(INPUT)?, inputs.get(FILTER)?);
        Ok(transpose_conv::float32(
            first,
            &arithmetic,
            input,
            filter,
            output,
        )?)
    }
}
