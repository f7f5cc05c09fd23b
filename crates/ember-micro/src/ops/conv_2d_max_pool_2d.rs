//! CONV_2D and the MAX_POOL_2D behind it, without the tensor between them.

use core::marker::PhantomData;

use ember_core::view::{Pair, Plain};
use ember_core::{BuiltinOp, Clamp, Dtype, QuantizedMultiplier};
use ember_kernels::conv_2d::{self, Conv2d};
use ember_kernels::max_pool_2d::{MaxPool, Pool2d};
use ember_kernels::{Axis, Element, KernelError, Linear};
use ember_tflite::{Conv2dOptions, OpCode, Operator, Pool2dOptions, Shape, Subgraph, Tensor};

use super::conv_2d::Op;
use super::linear::{self, FILTER, Operation, Types};
use super::pool_2d::{self, Pooled};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::{Prepare, Scratch};

/// Both operators on a combination of types; `SPECIAL` where [`conv_2d::is_special`] holds.
pub struct Fused<T, const SPECIAL: bool = false>(PhantomData<T>);

/// CONV_2D and MAX_POOL_2D of int8 with int8 weights and int32 bias, of sizes that processors have special code for.
pub type SpecialInt8 = Fused<linear::Int8, true>;

/// CONV_2D and MAX_POOL_2D of int8 with int8 weights and int32 bias.
pub type Int8 = Fused<linear::Int8>;

/// CONV_2D and MAX_POOL_2D of float32.
pub type Float32 = Fused<linear::Float32>;

ember_core::plain! {
    /// The sizes that [`Fused`] prepares.
    #[derive(Clone, Copy)]
    pub struct Shapes {
        conv: Conv2d,
        pool: Pool2d,
        scratch: Scratch,
    }
}

/// A combination of types whose outputs are pooled.
pub trait Pools: Types {
    /// Of the output.
    type Element: Pooled;

    /// [`conv_2d::convolve_pooled_as`].
    ///
    /// # Errors
    /// As there.
    fn convolve<'s, const SPECIAL: bool>(
        shape: &Conv2d,
        pool: &MaxPool<<Self::Element as Element>::Wide>,
        arithmetic: &Self::Arithmetic<'s>,
        input: &[<Self::Arithmetic<'s> as Linear>::Value],
        filter: &[<Self::Arithmetic<'s> as Linear>::Weight],
        scratch: &mut [u32],
        output: &mut [Self::Element],
    ) -> Result<(), KernelError>;
}

impl Pools for linear::Int8 {
    type Element = i8;

    #[inline(always)]
    fn convolve<const SPECIAL: bool>(
        shape: &Conv2d,
        pool: &MaxPool<i32>,
        arithmetic: &ember_kernels::Int8<'_>,
        input: &[i8],
        filter: &[i8],
        scratch: &mut [u32],
        output: &mut [i8],
    ) -> Result<(), KernelError> {
        conv_2d::convolve_pooled_as::<SPECIAL>(
            shape, pool, arithmetic, input, filter, scratch, output,
        )
    }
}

impl Pools for linear::Float32 {
    type Element = f32;

    #[inline(always)]
    fn convolve<const SPECIAL: bool>(
        shape: &Conv2d,
        pool: &MaxPool<f32>,
        arithmetic: &ember_kernels::Float32<'_>,
        input: &[f32],
        filter: &[f32],
        scratch: &mut [u32],
        output: &mut [f32],
    ) -> Result<(), KernelError> {
        conv_2d::convolve_pooled(shape, pool, arithmetic, input, filter, scratch, output)
    }
}

impl<T: Pools, const SPECIAL: bool> Kernel for Fused<T, SPECIAL>
where
    for<'s> T::Arithmetic<'s>: Linear<Output = T::Element>,
    Clamp<<T::Element as Element>::Wide>: Plain,
{
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Conv2d);
    const DTYPE: Option<Dtype> = Some(T::ACTIVATIONS);
    const OTHER: Option<(Slot, Dtype)> = Some((FILTER, T::WEIGHTS));
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = if SPECIAL {
        Some(|graph, conv| is_special(graph, conv).unwrap_or(false))
    } else {
        None
    };
    const NEXT: Option<BuiltinOp> = Some(BuiltinOp::MaxPool2d);
    type Prepared = Pair<Shapes, Pair<T::Prepared, Clamp<<T::Element as Element>::Wide>>>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let Pair { first, second } = prepared;
        let outputs = Op::prepare(cx, (T::ACTIVATIONS, T::WEIGHTS), &mut first.conv)?;
        T::prepare::<Op>(cx, outputs, &mut second.first)?;
        let next = cx.next()?;
        let activation = pool_2d::prepare(&next, T::ACTIVATIONS, &mut first.pool)?;
        second.second = T::Element::range(&next, activation)?;
        if !first.conv.is_poolable(&first.pool) {
            return Err(next.refuse(Fault::Options));
        }
        if SPECIAL && is_special(cx.graph, &cx.operator) != Some(true) {
            return Err(cx.refuse(Fault::Options));
        }
        first.scratch = cx.scratch::<u32>(first.conv.pooled_scratch_len(&first.pool))?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let Pair { first, second } = prepared;
        let (scratch, io) = io.scratch(first.scratch)?;
        let (inputs, output, kept) = linear::split(io)?;
        let arithmetic = T::arithmetic(&second.first, kept, &inputs)?;
        let pool = MaxPool {
            shape: first.pool,
            range: second.second,
        };
        let (input, filter) = (inputs.get(0)?, inputs.get(1)?);
        Ok(T::convolve::<SPECIAL>(
            &first.conv,
            &pool,
            &arithmetic,
            input,
            filter,
            scratch,
            output,
        )?)
    }
}

/// Whether the numbers of a convolution, and of the pooling of what it gives, are special ones; `None` where something of them
/// is missing.
fn is_special(graph: &Subgraph<'_>, conv: &Operator<'_>) -> Option<bool> {
    let between = conv.outputs().get(0);
    let mut others = graph.operators();
    let pool = others.find(|other| other.inputs().get(0) == between)?;
    let (options, pooling) = (
        conv.options_as::<Conv2dOptions>()?,
        pool.options_as::<Pool2dOptions>()?,
    );
    let tensor = |slot: Slot| slot.of(graph, conv);
    let (input, filter, output) = (
        tensor(Slot::input(0))?,
        tensor(FILTER)?,
        tensor(Slot::output(0))?,
    );
    let sizes = |shape: Shape<'_>| -> Option<[u32; 4]> {
        let size = |axis| u32::try_from(shape.get(axis)?).ok();
        Some([size(0)?, size(1)?, size(2)?, size(3)?])
    };
    let [batches, height, width, channels] = sizes(input.shape())?;
    let [filters, taps_y, taps_x, filter_channels] = sizes(filter.shape())?;
    let unsigned = |number: i32| u32::try_from(number).ok();
    let axis = |input, taps, stride, dilation, padding| {
        Axis::new(input, taps, unsigned(stride)?, unsigned(dilation)?, padding)
    };
    let padding = options.padding;
    let (down, across) = (options.dilation_h_factor, options.dilation_w_factor);
    let shape = Conv2d {
        batches,
        rows: axis(height, taps_y, options.stride_h, down, padding)?,
        columns: axis(width, taps_x, options.stride_w, across, padding)?,
        input_channels: channels,
        filter_channels,
        output_channels: filters,
    };
    let (rows, columns) = (shape.rows.output, shape.columns.output);
    let taps = (
        unsigned(pooling.filter_height)?,
        unsigned(pooling.filter_width)?,
    );
    let pool = MaxPool {
        shape: Pool2d {
            batches,
            rows: axis(rows, taps.0, pooling.stride_h, 1, pooling.padding)?,
            columns: axis(columns, taps.1, pooling.stride_w, 1, pooling.padding)?,
            channels: filters,
        },
        range: Clamp::INT8,
    };
    let scale = |tensor: &Tensor<'_>| tensor.quantization()?.scale(0);
    let (input_scale, output_scale) = (scale(&input)?, scale(&output)?);
    let mut scales = filter.quantization()?.scales().iter();
    Some(scales.all(|scale| {
        let arithmetic = ember_kernels::Int8 {
            input_zero_point: 0,
            output_zero_point: 0,
            filter_zero_point: 0,
            range: Clamp::INT8,
            bias: None,
            multipliers: &[QuantizedMultiplier::from_ratio(
                input_scale,
                scale,
                output_scale,
            )],
        };
        conv_2d::is_special(&shape, &pool, &arithmetic)
    }))
}
