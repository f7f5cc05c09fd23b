//! PAD, PADV2, MIRROR_PAD and FILL: `micro/kernels/pad_common.cc`, `mirror_pad.cc` and `fill.cc`.

use core::marker::PhantomData;

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::Int64;
use ember_kernels::mirror_pad::{self, MirrorAxis};
use ember_kernels::strided::{self, MAX_AXES, Strided, StridedAxis};
use ember_tflite::{MirrorPadMode, MirrorPadOptions, OpCode, Operator, Subgraph};

use super::moves::{self, Layout, constants, same_scale, varies};
use super::pack::element_bytes;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::{Operand, Prepare};

/// Input and output, the constant paddings (positions before and behind each dimension), the layouts of both.
type Operands<'c> = ([Operand<'c>; 2], &'c [[i32; 2]], [Layout; 2]);

fn operands<'c>(cx: &'c Prepare<'_>) -> Result<Operands<'c>, Refused> {
    let input = cx.any(Slot::input(0))?;
    let output = cx.output(0, input.dtype())?;
    same_scale(cx, [input.slot(), output.slot()])?;
    let layouts = [Layout::of(cx, &input)?, Layout::of(cx, &output)?];
    let (paddings, rest) = constants(cx, 1)?.as_chunks();
    if paddings.len() != layouts[0].rank || layouts[1].rank != paddings.len() || !rest.is_empty() {
        return Err(cx.refuse(Fault::Options));
    }
    Ok(([input, output], paddings, layouts))
}

/// What a dimension of `size` has before it, where the output has as many positions as it asks for.
fn before(
    cx: &Prepare<'_>,
    output: &Operand<'_>,
    dimension: u8,
    size: u32,
    found: u32,
    [before, behind]: [i32; 2],
) -> Result<u32, Refused> {
    let paddings = u32::try_from(before).ok().zip(u32::try_from(behind).ok());
    let (before, behind) = cx.expect(paddings, Fault::Options)?;
    output.size_is(
        dimension,
        found,
        size.saturating_add(before).saturating_add(behind),
    )?;
    Ok(before)
}

ember_core::plain! {
    /// What [`Pad`] prepares.
    #[derive(Clone, Copy, Debug)]
    pub struct Prepared {
        /// The move of the input into the middle of the output.
        pub shape: Strided,
        /// What surrounds the input where no input says it: the zero point.
        pub zero_point: i32,
    }
}

/// Which of the two operators it is.
pub trait Padding {
    /// The operator.
    const OP: BuiltinOp;
    /// Its inputs.
    const INPUTS: core::ops::RangeInclusive<usize>;
}

/// PAD.
pub struct Zeros;

/// PADV2.
pub struct Values;

impl Padding for Zeros {
    const OP: BuiltinOp = BuiltinOp::Pad;
    const INPUTS: core::ops::RangeInclusive<usize> = 2..=2;
}

impl Padding for Values {
    const OP: BuiltinOp = BuiltinOp::Padv2;
    const INPUTS: core::ops::RangeInclusive<usize> = 2..=3;
}

/// PAD or PADV2 of elements of any type, by constant paddings.
pub struct Padded<P>(PhantomData<P>);

/// PAD.
pub type Pad = Padded<Zeros>;

/// PADV2.
pub type PadV2 = Padded<Values>;

impl<P: Padding> Kernel for Padded<P> {
    const CODE: OpCode<'static> = OpCode::Builtin(P::OP);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        cx.arity(P::INPUTS, 1)?;
        prepare(cx, prepared)
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let zero = prepared.zero_point.to_le_bytes();
        // A zero point fits its type, and other types have none: its low bytes are the element.
        let zeros = [zero, [0; 4]];
        let zeros = zeros.as_flattened().get(..prepared.shape.element as usize);
        let value = inputs.optional::<u8>(2)?.or(zeros).unwrap_or_default();
        strided::fill(value, output)?;
        Ok(strided::copy(&prepared.shape, inputs.get(0)?, output)?)
    }
}

#[inline(never)]
fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
    let ([input, output], paddings, [from, to]) = operands(cx)?;
    prepared.shape = moves::strided(cx, &input)?;
    let skipped = MAX_AXES.wrapping_sub(from.rank);
    let axes = prepared.shape.axes.iter_mut().skip(skipped);
    let layouts = from.own().zip(to.own());
    for (((axis, paddings), ((size, input_step), (found, step))), dimension) in
        axes.zip(paddings).zip(layouts).zip(0..)
    {
        let before = before(cx, &output, dimension, size, found, *paddings)?;
        let start = before.saturating_mul(step);
        prepared.shape.output_start = prepared.shape.output_start.saturating_add(start);
        *axis = StridedAxis::new(size, input_step, step);
    }
    if cx.operator().inputs().len() > 2 {
        let value = cx.input(2, input.dtype())?;
        value.elements_are(1)?;
        if input.dtype() == Dtype::Int8 {
            same_scale(cx, [value.slot(), output.slot()])?;
        }
    } else if input.dtype() == Dtype::Int8 {
        let (_, zero_point) = output.affine()?;
        prepared.zero_point = zero_point;
    }
    Ok(())
}

ember_core::plain! {
    /// What [`MirrorPad`] prepares.
    #[derive(Clone, Copy, Debug)]
    pub struct PreparedMirror {
        /// Sizes and what is before them.
        pub axes: [MirrorAxis; mirror_pad::MAX_AXES],
        /// 1 where the border is not repeated.
        pub edge: u32,
        /// Bytes of an element.
        pub element: u32,
    }
}

/// MIRROR_PAD of elements of any type, by constant paddings.
pub struct MirrorPad;

impl Kernel for MirrorPad {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::MirrorPad);
    const DTYPE: Option<Dtype> = None;
    type Prepared = PreparedMirror;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedMirror) -> Result<(), Refused> {
        cx.arity(2..=2, 1)?;
        let edge = u32::from(cx.options::<MirrorPadOptions>()?.mode == MirrorPadMode::Reflect);
        let ([input, output], paddings, [from, to]) = operands(cx)?;
        prepared.axes = [MirrorAxis::ONE; mirror_pad::MAX_AXES];
        prepared.edge = edge;
        prepared.element = element_bytes(cx, &input)?;
        let skipped = mirror_pad::MAX_AXES.wrapping_sub(from.rank);
        let axes = prepared.axes.iter_mut().skip(skipped);
        let layouts = from.own().zip(to.own());
        for (((axis, paddings), ((size, _), (found, _))), dimension) in
            axes.zip(paddings).zip(layouts).zip(0..)
        {
            let before = before(cx, &output, dimension, size, found, *paddings)?;
            // There is so much to mirror.
            let most = size.saturating_sub(edge);
            let behind = found.wrapping_sub(size).wrapping_sub(before);
            if before > most || behind > most {
                return Err(cx.refuse(Fault::Options));
            }
            *axis = MirrorAxis {
                size,
                before,
                output: found,
            };
        }
        Ok(())
    }

    fn run(prepared: &PreparedMirror, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let PreparedMirror {
            axes,
            edge,
            element,
        } = prepared;
        mirror_pad::bytes(axes, *edge, *element, inputs.get(0)?, output)?;
        Ok(())
    }
}

/// MIRROR_PAD of elements of any type, by paddings of int32 that are no constants, or of int64.
pub struct MirrorPadAt;

ember_core::plain! {
    /// What [`MirrorPadAt`] prepares.
    #[derive(Clone, Copy, Debug)]
    pub struct PreparedMirrorAt {
        /// The axes without paddings.
        pub axes: [MirrorAxis; mirror_pad::MAX_AXES],
        /// Axes that the tensors do not have, which are outermost.
        pub skipped: u32,
        /// 1 where the border itself is not repeated.
        pub edge: u32,
        /// Bytes of an element.
        pub element: u32,
        /// 1 where the paddings are int64.
        pub wide: u32,
    }
}

impl Kernel for MirrorPadAt {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::MirrorPad);
    const DTYPE: Option<Dtype> = None;
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = Some(varies::<1>);
    type Prepared = PreparedMirrorAt;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedMirrorAt) -> Result<(), Refused> {
        cx.arity(2..=2, 1)?;
        prepared.edge = u32::from(cx.options::<MirrorPadOptions>()?.mode == MirrorPadMode::Reflect);
        let input = cx.any(Slot::input(0))?;
        let output = cx.output(0, input.dtype())?;
        same_scale(cx, [input.slot(), output.slot()])?;
        prepared.element = element_bytes(cx, &input)?;
        let (from, to) = (Layout::of(cx, &input)?, Layout::of(cx, &output)?);
        let wide = cx.any(Slot::input(1))?.dtype() == Dtype::Int64;
        prepared.wide = wide.into();
        let paddings = cx.input(1, if wide { Dtype::Int64 } else { Dtype::Int32 })?;
        paddings.dims_are(&[from.rank as u32, 2])?;
        if to.rank != from.rank {
            return Err(cx.refuse(Fault::Options));
        }
        prepared.skipped = mirror_pad::MAX_AXES.wrapping_sub(from.rank) as u32;
        prepared.axes = [MirrorAxis::ONE; mirror_pad::MAX_AXES];
        let axes = prepared.axes.iter_mut().skip(prepared.skipped as usize);
        for (axis, ((size, _), (output, _))) in axes.zip(from.own().zip(to.own())) {
            (axis.size, axis.output) = (size, output);
        }
        Ok(())
    }

    fn run(prepared: &PreparedMirrorAt, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let PreparedMirrorAt {
            axes,
            skipped,
            edge,
            element,
            wide,
        } = prepared;
        let input = inputs.get(0)?;
        let done = if *wide == 0 {
            let paddings = inputs.get::<i32>(1)?;
            mirror_pad::bytes_at(axes, *skipped, *edge, *element, input, paddings, output)
        } else {
            let paddings = inputs.get::<Int64>(1)?;
            mirror_pad::bytes_at(axes, *skipped, *edge, *element, input, paddings, output)
        };
        Ok(done?)
    }
}

/// FILL with an element of any type. The output's shape in the file decides; the shape that comes as an input says the
/// same.
pub struct Fill;

impl Kernel for Fill {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Fill);
    // The first input is the shape.
    const DTYPE: Option<Dtype> = None;
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        cx.arity(2..=2, 1)?;
        let value = cx.any(Slot::input(1))?;
        value.elements_are(1)?;
        element_bytes(cx, &value)?;
        let output = cx.output(0, value.dtype())?;
        same_scale(cx, [value.slot(), output.slot()])?;
        let shape = cx.any(Slot::input(0))?;
        shape.elements_are(output.shape()?.len() as u32)
    }

    fn run(_prepared: &(), io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(strided::fill(inputs.get(1)?, output)?)
    }
}
