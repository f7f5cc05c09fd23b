//! CONCATENATION, SPLIT, SPLIT_V and UNPACK: `micro/kernels/concatenation.cc`, `split.cc`, `split_v.cc` and `unpack.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::strided::{self, Strided};
use ember_tflite::{ConcatenationOptions, OpCode, SplitOptions, SplitVOptions, UnpackOptions};

use super::moves::{around, axis_of, constants, position, same_scale, varies};
use super::pack::element_bytes;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// More tensors than an operator can have.
const MANY: u8 = 127;

ember_core::plain! {
    /// What is the same for all parts.
    #[derive(Clone, Copy, Debug)]
    pub struct Rows {
        /// The product of the dimensions before the axis.
        pub rows: u32,
        /// Bytes of a row of the whole.
        pub row: u32,
    }
}

impl Rows {
    /// The bytes that a part of `len` bytes has in each row.
    #[must_use]
    pub fn part(&self, len: usize) -> u32 {
        let part = (len as u32).checked_div(self.rows);
        part.unwrap_or(0)
    }
}

/// CONCATENATION of elements of any type.
pub struct Concatenation;

impl Kernel for Concatenation {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Concatenation);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Rows;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Rows) -> Result<(), Refused> {
        cx.arity(1..=usize::from(MANY), 1)?;
        let options = cx.options::<ConcatenationOptions>()?;
        if options.fused_activation_function != ember_core::Activation::None {
            return Err(cx.refuse(Fault::Activation(options.fused_activation_function)));
        }
        let output = cx.any(Slot::output(0))?;
        let shape = output.shape()?;
        let axis = position(cx, options.axis, shape.len())?;
        let [rows, size, inner] = around(shape, axis);
        let mut total = 0u32;
        for (index, _) in (0..MANY).zip(cx.operator().inputs().iter()) {
            let input = cx.any(Slot::input(index))?.of(output.dtype())?;
            same_scale(cx, [input.slot(), output.slot()])?;
            let own = input.shape()?;
            let [own_rows, own_size, own_inner] = around(own, axis);
            if own.len() != shape.len() || own_rows != rows || own_inner != inner {
                return Err(cx.refuse(Fault::Options));
            }
            let others = own.iter().zip(shape.iter()).enumerate();
            for (at, (found, expected)) in others.filter(|(at, _)| *at != axis) {
                input.size_is(at as u8, found as u32, expected as u32)?;
            }
            total = total.saturating_add(own_size);
        }
        output.size_is(axis as u8, size, total)?;
        let row = size.saturating_mul(inner);
        *prepared = Rows {
            rows,
            row: row.saturating_mul(element_bytes(cx, &output)?),
        };
        Ok(())
    }

    fn run(prepared: &Rows, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let mut start = 0u32;
        for index in 0..inputs.len() {
            let input = inputs.get(index)?;
            let part = prepared.part(input.len());
            let shape = Strided::rows(prepared.rows, part, part, prepared.row, 1);
            strided::copy(&shape.starting(0, start), input, output)?;
            start = start.saturating_add(part);
        }
        Ok(())
    }
}

/// Copies each output's part of every row of an input.
fn run_parts(prepared: &Rows, input: u8, outputs: u32, mut io: Io<'_>) -> Result<(), InvokeFault> {
    let mut start = 0u32;
    for (index, _) in (0..MANY).zip(0..outputs) {
        let (inputs, output) = io.split_at(index)?;
        let part = prepared.part(output.len());
        let shape = Strided::rows(prepared.rows, part, prepared.row, part, 1);
        strided::copy(&shape.starting(start, 0), inputs.get(input)?, output)?;
        start = start.saturating_add(part);
    }
    Ok(())
}

ember_core::plain! {
    /// What is the same for all parts, and how many there are.
    #[derive(Clone, Copy, Debug)]
    pub struct Parts {
        /// The whole.
        pub rows: Rows,
        /// The number of parts.
        pub count: u32,
    }
}

/// Checks the parts of an input along an axis: their sizes are given in order. Without `kept` they lose the axis.
fn parts(
    cx: &Prepare<'_>,
    input: u8,
    axis: usize,
    sizes: impl Iterator<Item = u32>,
    kept: bool,
) -> Result<Parts, Refused> {
    let whole = cx.any(Slot::input(input))?;
    let shape = whole.shape()?;
    let [rows, size, inner] = around(shape, axis);
    let count = cx.operator().outputs().len();
    let (mut total, mut found) = (0u32, 0usize);
    for (index, part) in (0..MANY).zip(sizes) {
        let output = cx.output(index, whole.dtype())?;
        same_scale(cx, [whole.slot(), output.slot()])?;
        let own = output.shape()?;
        let expected = shape.iter().enumerate();
        let expected = expected.filter(|(at, _)| kept || *at != axis);
        let expected = expected.map(|(at, size)| if at == axis { part as usize } else { size });
        if !own.iter().eq(expected) {
            return Err(cx.refuse(Fault::Options));
        }
        total = total.saturating_add(part);
        found = found.saturating_add(1);
    }
    if found != count || total != size {
        return Err(cx.refuse(Fault::Options));
    }
    let row = size.saturating_mul(inner);
    Ok(Parts {
        rows: Rows {
            rows,
            row: row.saturating_mul(element_bytes(cx, &whole)?),
        },
        count: count as u32,
    })
}

/// SPLIT into equal parts, of elements of any type, along a constant axis.
pub struct Split;

impl Kernel for Split {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Split);
    // The first input is the axis.
    const DTYPE: Option<Dtype> = Some(Dtype::Int32);
    type Prepared = Parts;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Parts) -> Result<(), Refused> {
        let outputs = cx.operator().outputs().len();
        cx.arity(2..=2, outputs.max(1))?;
        let count = cx.options::<SplitOptions>()?.num_splits;
        let count = u32::try_from(count).ok().filter(|n| *n as usize == outputs);
        let count = cx.expect(count, Fault::Options)?;
        let shape = cx.any(Slot::input(1))?.shape()?;
        let axis = axis_of(cx, 0, shape.len())?;
        let [_, size, _] = around(shape, axis);
        let part = cx.expect(size.checked_div(count), Fault::Options)?;
        *prepared = parts(cx, 1, axis, (0..count).map(|_| part), true)?;
        Ok(())
    }

    fn run(prepared: &Parts, io: Io<'_>) -> Result<(), InvokeFault> {
        run_parts(&prepared.rows, 1, prepared.count, io)
    }
}

/// SPLIT_V into parts, of elements of any type, along a constant axis. The outputs' shapes decide; sizes that are constants of
/// int32 must say the same, and TFLM does not read any.
pub struct SplitV;

impl Kernel for SplitV {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::SplitV);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Parts;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Parts) -> Result<(), Refused> {
        let outputs = cx.operator().outputs().len();
        cx.arity(3..=3, outputs.max(1))?;
        let count = cx.options::<SplitVOptions>()?.num_splits;
        if usize::try_from(count) != Ok(outputs) {
            return Err(cx.refuse(Fault::Options));
        }
        cx.any(Slot::input(1))?.elements_are(outputs as u32)?;
        let shape = cx.any(Slot::input(0))?.shape()?;
        let axis = axis_of(cx, 2, shape.len())?;
        if varies::<1>(cx.graph, cx.operator()) {
            let own = cx.operator().outputs().iter().flatten();
            let own = own.filter_map(|id| cx.graph.tensor(id));
            let sizes = own.map(|tensor| tensor.shape().get(axis).unwrap_or(0) as u32);
            *prepared = parts(cx, 0, axis, sizes, true)?;
            return Ok(());
        }
        let sizes = constants(cx, 1)?;
        let [_, whole, _] = around(shape, axis);
        // One size may be -1: what the others leave.
        let given = sizes.iter().filter_map(|size| u32::try_from(*size).ok());
        let rest = whole.saturating_sub(given.fold(0, u32::saturating_add));
        let open = sizes.iter().filter(|size| **size < 0).count();
        if open > 1 || sizes.iter().any(|size| *size < -1) {
            return Err(cx.refuse(Fault::Options));
        }
        let sizes = sizes
            .iter()
            .map(|size| u32::try_from(*size).unwrap_or(rest));
        *prepared = parts(cx, 0, axis, sizes, true)?;
        Ok(())
    }

    fn run(prepared: &Parts, io: Io<'_>) -> Result<(), InvokeFault> {
        run_parts(&prepared.rows, 0, prepared.count, io)
    }
}

/// UNPACK of elements of any type.
pub struct Unpack;

impl Kernel for Unpack {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Unpack);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Parts;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Parts) -> Result<(), Refused> {
        let outputs = cx.operator().outputs().len();
        cx.arity(1..=1, outputs.max(1))?;
        let options = cx.options::<UnpackOptions>()?;
        if usize::try_from(options.num) != Ok(outputs) {
            return Err(cx.refuse(Fault::Options));
        }
        let shape = cx.any(Slot::input(0))?.shape()?;
        let axis = position(cx, options.axis, shape.len())?;
        *prepared = parts(cx, 0, axis, (0..outputs).map(|_| 1), false)?;
        Ok(())
    }

    fn run(prepared: &Parts, io: Io<'_>) -> Result<(), InvokeFault> {
        run_parts(&prepared.rows, 0, prepared.count, io)
    }
}
