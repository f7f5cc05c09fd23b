//! The linear operators, CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED: each is a kernel on each combination of types.

use core::marker::PhantomData;

use ember_core::view::{Pair, Plain};
use ember_core::{Activation, BuiltinOp, Clamp, Dtype, Padding, QuantizedMultiplier, view};
use ember_kernels::weights::Decode;
use ember_kernels::{Axis, KernelError, Linear, WideBias};
use ember_tflite::{OpCode, Quantization};

use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::{Inputs, Io};
use crate::kernel::Kernel;
use crate::prepare::{Operand, Prepare, Scratch};

/// The slot of the weights.
pub(crate) const FILTER: Slot = Slot::input(1);

/// The number of the bias among the inputs.
pub(super) const BIAS: u8 = 2;

/// What one operator does, whatever the types.
pub trait Operation {
    /// The operator.
    const OP: BuiltinOp;

    /// Its sizes.
    type Shape: Plain;

    /// Checks options and shapes, and fills in the sizes.
    ///
    /// # Errors
    /// What does not fit.
    fn prepare(
        cx: &Prepare<'_>,
        types: (Dtype, Dtype),
        shape: &mut Self::Shape,
    ) -> Result<Outputs, Refused>;

    /// The accumulator's type that the options choose for 16-bit activations without bias.
    ///
    /// # Errors
    /// The options are of another operator.
    fn accumulator(cx: &Prepare<'_>) -> Result<Dtype, Refused>;

    /// Whether float activations with int8 weights are quantized such that zero need not be in the middle;
    /// `per_channel` tells whether every output channel has its scale.
    ///
    /// # Errors
    /// The weights are not quantized as LiteRT asks for.
    fn is_asymmetric(cx: &Prepare<'_>, per_channel: bool) -> Result<bool, Refused>;

    /// Makes the sizes those of one image; gives how many images there were.
    fn one_image(shape: &mut Self::Shape) -> u32;

    /// Words of scratch with which [`Operation::run`] is fastest.
    fn patch_len(shape: &Self::Shape) -> u32;

    /// Elements of scratch that [`Operation::run_stored`] wants.
    fn scratch_len(shape: &Self::Shape) -> u32;

    /// [`Operation::run`] with weights that are decoded on the way.
    ///
    /// # Errors
    /// As [`Operation::run`].
    fn run_stored(
        shape: &Self::Shape,
        arithmetic: &ember_kernels::Int8<'_>,
        input: &[i8],
        weights: &mut dyn Decode,
        scratch: &mut [i8],
        output: &mut [i8],
    ) -> Result<(), KernelError>;

    /// Computes the output, with any number of words of scratch.
    ///
    /// # Errors
    /// A slice has not the length that it was prepared with.
    fn run<A: Linear>(
        shape: &Self::Shape,
        arithmetic: &A,
        input: &[A::Value],
        weights: &[A::Weight],
        scratch: &mut [u32],
        output: &mut [A::Output],
    ) -> Result<(), KernelError>;
}

/// What an operation says of its outputs.
#[derive(Clone, Copy)]
pub struct Outputs {
    pub(super) channels: u32,
    pub(super) activation: Activation,
}

/// A combination of types, whatever the operator.
pub trait Types {
    /// Of input and output.
    const ACTIVATIONS: Dtype;

    /// Of the filter.
    const WEIGHTS: Dtype;

    /// What the arithmetic needs, the multipliers aside: they are kept behind it.
    type Prepared: Plain;

    /// The arithmetic of a run.
    type Arithmetic<'s>: Linear;

    /// Checks scales, zero points and the bias.
    ///
    /// # Errors
    /// What does not fit.
    fn prepare<O: Operation>(
        cx: &Prepare<'_>,
        outputs: Outputs,
        prepared: &mut Self::Prepared,
    ) -> Result<(), Refused>;

    /// The arithmetic with what was prepared and kept, and the bias.
    ///
    /// # Errors
    /// The bias is not what was prepared.
    fn arithmetic<'s>(
        prepared: &Self::Prepared,
        kept: &'s [QuantizedMultiplier],
        inputs: &Inputs<'s>,
    ) -> Result<Self::Arithmetic<'s>, InvokeFault>;
}

/// An operation's sizes and what else is prepared.
pub type WithShape<O, T> = Pair<<O as Operation>::Shape, T>;

/// The kernel of an operation on a combination of types.
pub struct LinearKernel<O, T>(PhantomData<(O, T)>);

impl<O: Operation, T: Types> Kernel for LinearKernel<O, T> {
    const CODE: OpCode<'static> = OpCode::Builtin(O::OP);
    const DTYPE: Option<Dtype> = Some(T::ACTIVATIONS);
    const OTHER: Option<(Slot, Dtype)> = Some((FILTER, T::WEIGHTS));
    type Prepared = WithShape<O, Pair<T::Prepared, Scratch>>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let types = (T::ACTIVATIONS, T::WEIGHTS);
        let outputs = O::prepare(cx, types, &mut prepared.first)?;
        let words = O::patch_len(&prepared.first);
        if words > 0 {
            prepared.second.second = cx.scratch::<u32>(words)?;
        }
        T::prepare::<O>(cx, outputs, &mut prepared.second.first)
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let Pair { first, second } = prepared;
        let (scratch, io) = io.scratch(second.second)?;
        let (inputs, output, kept) = split(io)?;
        let arithmetic = T::arithmetic(&second.first, kept, &inputs)?;
        let (input, filter) = (inputs.get(0)?, inputs.get(1)?);
        Ok(O::run(first, &arithmetic, input, filter, scratch, output)?)
    }
}

/// Inputs, output and kept multipliers.
#[inline(never)]
pub(super) fn split<'s, T: Plain>(
    io: Io<'s>,
) -> Result<(Inputs<'s>, &'s mut [T], &'s [QuantizedMultiplier]), InvokeFault> {
    let kept = io.kept_as()?;
    let (inputs, output) = io.split()?;
    Ok((inputs, output, kept))
}

/// int8 activations and weights, int32 bias.
pub struct Int8;

ember_core::plain! {
    /// What [`Int8`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedInt8 {
        /// Of input, filter and output; the last is unused.
        pub zero_points: [i8; 4],
        /// What a fused activation leaves of the output's range.
        pub range: Clamp<i32>,
    }
}

impl Types for Int8 {
    const ACTIVATIONS: Dtype = Dtype::Int8;
    const WEIGHTS: Dtype = Dtype::Int8;
    type Prepared = PreparedInt8;
    type Arithmetic<'s> = ember_kernels::Int8<'s>;

    fn prepare<O: Operation>(
        cx: &Prepare<'_>,
        outputs: Outputs,
        prepared: &mut PreparedInt8,
    ) -> Result<(), Refused> {
        prepare_int8(cx, O::OP == BuiltinOp::FullyConnected, outputs, prepared)
    }

    #[inline(never)]
    fn arithmetic<'s>(
        prepared: &PreparedInt8,
        kept: &'s [QuantizedMultiplier],
        inputs: &Inputs<'s>,
    ) -> Result<ember_kernels::Int8<'s>, InvokeFault> {
        let [input, filter, output, _] = prepared.zero_points;
        Ok(ember_kernels::Int8 {
            input_zero_point: i32::from(input),
            output_zero_point: i32::from(output),
            filter_zero_point: i32::from(filter),
            range: prepared.range,
            bias: inputs.optional(BIAS)?,
            multipliers: kept,
        })
    }
}

/// int16 activations, int8 weights, int64 or int32 bias; all zero points are 0.
pub struct Int16;

ember_core::plain! {
    /// What [`Int16`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedInt16 {
        /// What a fused activation leaves of the output's range.
        pub range: Clamp<i32>,
        /// Bits of the accumulator.
        pub bits: u32,
    }
}

impl Types for Int16 {
    const ACTIVATIONS: Dtype = Dtype::Int16;
    const WEIGHTS: Dtype = Dtype::Int8;
    type Prepared = PreparedInt16;
    type Arithmetic<'s> = ember_kernels::Int16<'s>;

    fn prepare<O: Operation>(
        cx: &Prepare<'_>,
        outputs: Outputs,
        prepared: &mut PreparedInt16,
    ) -> Result<(), Refused> {
        // The bias decides, then the options.
        let accumulator = match cx.operator().inputs().get(usize::from(BIAS)) {
            Some(_) => cx.any(Slot::input(BIAS))?.dtype(),
            None => O::accumulator(cx)?,
        };
        // TFLM reads every bias of this operator as one of 64 bits.
        let narrow = accumulator == Dtype::Int32 && O::OP != BuiltinOp::DepthwiseConv2d;
        prepared.bits = if narrow { 32 } else { 64 };
        let bias = if narrow { Dtype::Int32 } else { Dtype::Int64 };
        check_bias(cx, bias, outputs.channels)?;
        let zero_points = multipliers(cx, O::OP == BuiltinOp::FullyConnected, outputs.channels)?;
        let [_, found, ..] = zero_points;
        if found != 0 {
            return Err(cx.refuse(Fault::ZeroPoint {
                slot: FILTER,
                found,
            }));
        }
        cx.input(0, Dtype::Int16)?.scale_about(0)?;
        let output = cx.output(0, Dtype::Int16)?;
        output.scale_about(0)?;
        prepared.range = integer_range(cx, &output, outputs.activation)?;
        Ok(())
    }

    fn arithmetic<'s>(
        prepared: &PreparedInt16,
        kept: &'s [QuantizedMultiplier],
        inputs: &Inputs<'s>,
    ) -> Result<ember_kernels::Int16<'s>, InvokeFault> {
        let narrow = prepared.bits == 32;
        let bias = if narrow {
            inputs.optional(BIAS)?.map(WideBias::Int32)
        } else {
            inputs.optional(BIAS)?.map(WideBias::Int64)
        };
        Ok(ember_kernels::Int16 {
            range: prepared.range,
            bias: bias.unwrap_or(WideBias::None),
            narrow,
            multipliers: kept,
        })
    }
}

#[inline(never)]
fn prepare_int8(
    cx: &Prepare<'_>,
    dense: bool,
    outputs: Outputs,
    prepared: &mut PreparedInt8,
) -> Result<(), Refused> {
    check_bias(cx, Dtype::Int32, outputs.channels)?;
    // Every one of them is within int8: `affine` has checked it.
    prepared.zero_points = multipliers(cx, dense, outputs.channels)?.map(|zero| zero as i8);
    let output = cx.any(Slot::output(0))?;
    prepared.range = integer_range(cx, &output, outputs.activation)?;
    Ok(())
}

/// float32 throughout.
pub struct Float32;

impl Types for Float32 {
    const ACTIVATIONS: Dtype = Dtype::Float32;
    const WEIGHTS: Dtype = Dtype::Float32;
    type Prepared = Clamp<f32>;
    type Arithmetic<'s> = ember_kernels::Float32<'s>;

    fn prepare<O: Operation>(
        cx: &Prepare<'_>,
        outputs: Outputs,
        prepared: &mut Clamp<f32>,
    ) -> Result<(), Refused> {
        check_bias(cx, Dtype::Float32, outputs.channels)?;
        *prepared = float32_range(cx, outputs.activation)?;
        Ok(())
    }

    fn arithmetic<'s>(
        prepared: &Clamp<f32>,
        _kept: &'s [QuantizedMultiplier],
        inputs: &Inputs<'s>,
    ) -> Result<ember_kernels::Float32<'s>, InvokeFault> {
        Ok(ember_kernels::Float32 {
            range: *prepared,
            bias: inputs.optional(BIAS)?,
        })
    }
}

/// The filter's scales: one, or one per output channel.
#[inline(always)]
pub(super) fn filter_scales<'p>(
    cx: &'p Prepare<'_>,
    channels: u32,
) -> Result<Quantization<'p>, Refused> {
    let filter = cx.any(FILTER)?;
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
    Ok(scales)
}

/// Checks the filter's scales and keeps the multipliers: one, or one per output channel
/// (`PopulateConvolutionQuantizationParams`, `kernels/kernel_util.cc`). Gives the zero points of input, filter (0 where it does not
/// count) and output.
///
/// FULLY_CONNECTED (`dense`) with one scale takes the product of the input's scale and that of the weights in single precision,
/// and the bias must agree with it (`GetQuantizedConvolutionMultipler`, there too).
#[inline(never)]
fn multipliers(cx: &Prepare<'_>, dense: bool, channels: u32) -> Result<[i32; 4], Refused> {
    let filter = cx.any(FILTER)?;
    let output = cx.any(Slot::output(0))?;
    let (input_scale, input_zero) = cx.any(Slot::input(0))?.affine()?;
    let (output_scale, output_zero) = output.affine()?;
    let scales = filter_scales(cx, channels)?;
    let single = dense && scales.len() == 1;
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
    let filter_zero = if single { filter.affine()?.1 } else { 0 };
    Ok([input_zero, filter_zero, output_zero, 0])
}

/// Checks that the bias, where there is one, has the scale of the sums: the kernel adds it as if it had. TFLM allows for
/// this much of a difference.
fn bias_agrees(cx: &Prepare<'_>, product: f32, output_scale: f32) -> Result<(), Refused> {
    if cx.operator().inputs().get(usize::from(BIAS)).is_none() {
        return Ok(());
    }
    let bias = cx.any(Slot::input(BIAS))?;
    let scale = bias.quantization()?.scale(0).unwrap_or_default();
    let limit = 0.02 * output_scale;
    if !(-limit..=limit).contains(&(product - scale)) {
        return Err(cx.refuse(Fault::Scale(bias.slot())));
    }
    Ok(())
}

/// What a fused activation leaves of an output of integers.
#[inline(never)]
pub(super) fn integer_range(
    cx: &Prepare<'_>,
    output: &Operand<'_>,
    activation: Activation,
) -> Result<Clamp<i32>, Refused> {
    let (scale, zero_point) = output.affine()?;
    if activation.clamp().is_none() {
        return Err(cx.refuse(Fault::Activation(activation)));
    }
    let range = output
        .range()
        .with_activation(activation, scale, zero_point);
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

/// Checks the bias, which may be left out: one value per output channel.
#[inline(never)]
pub(super) fn check_bias(cx: &Prepare<'_>, dtype: Dtype, channels: u32) -> Result<(), Refused> {
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
