//! Operators on two inputs whose shapes are broadcast to each other: what they check alike, and the kernel of each.

use core::marker::PhantomData;

use ember_core::view::{Pair, Plain};
use ember_core::{Activation, BuiltinOp, Clamp, Dtype};
use ember_kernels::binary::{self, Binary};
use ember_kernels::broadcast::Broadcast;
use ember_tflite::OpCode;

use super::add::innermost_first;
use super::linear;
use super::typed::Typed;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// An operator on two inputs of certain types.
pub trait Operation {
    /// The operator.
    const OP: BuiltinOp;

    /// Elements of the first input.
    type Input1: Typed;

    /// Elements of the second input.
    type Input2: Typed;

    /// Elements of the output.
    type Output: Typed;

    /// What the function of two elements needs.
    type Prepared: Plain;

    /// The function of two elements.
    type Function<'q>: Binary<Input1 = Self::Input1, Input2 = Self::Input2, Output = Self::Output>;

    /// Checks options, scales and zero points; types and shapes are checked already.
    ///
    /// # Errors
    /// What the kernel does not take.
    fn prepare(cx: &Prepare<'_>) -> Result<Self::Prepared, Refused>;

    /// The function with what was prepared.
    fn function(prepared: &Self::Prepared) -> Self::Function<'_>;
}

/// The kernel of an operation.
pub struct BinaryKernel<O>(PhantomData<O>);

impl<O: Operation> Kernel for BinaryKernel<O> {
    const CODE: OpCode<'static> = OpCode::Builtin(O::OP);
    const DTYPE: Option<Dtype> = Some(O::Input1::DTYPE);
    type Prepared = Pair<Broadcast, O::Prepared>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let types = [O::Input1::DTYPE, O::Input2::DTYPE, O::Output::DTYPE];
        shapes(cx, types, &mut prepared.first)?;
        prepared.second = O::prepare(cx)?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let function = O::function(&prepared.second);
        let (input1, input2) = (inputs.get(0)?, inputs.get(1)?);
        Ok(binary::run(
            &prepared.first,
            &function,
            input1,
            input2,
            output,
        )?)
    }
}

/// Checks the types of both inputs and the output, and that the output has the elements of the broadcast.
#[inline(never)]
fn shapes(cx: &Prepare<'_>, types: [Dtype; 3], shape: &mut Broadcast) -> Result<(), Refused> {
    cx.arity(2..=2, 1)?;
    let [dtype1, dtype2, dtype_out] = types;
    let input1 = cx.input(0, dtype1)?.shape()?;
    let input2 = cx.input(1, dtype2)?.shape()?;
    let found = Broadcast::new(innermost_first(input1), innermost_first(input2));
    *shape = cx.expect(found, Fault::Broadcast)?;
    let mut elements = Some(1u32);
    for axis in &shape.axes {
        elements = elements.and_then(|n| n.checked_mul(axis.size));
    }
    cx.output(0, dtype_out)?
        .elements_are(cx.expect(elements, Fault::Broadcast)?)
}

/// The first input, the second, and the output.
pub(super) const ALL: [Slot; 3] = [Slot::input(0), Slot::input(1), Slot::output(0)];

/// What a fused activation leaves of integers without a scale: `CalculateActivationRange`
/// (`kernels/kernel_util.h`).
pub(super) fn int32_range(cx: &Prepare<'_>, activation: Activation) -> Result<Clamp<i32>, Refused> {
    let (min, max) = match activation {
        Activation::None => (i32::MIN, i32::MAX),
        Activation::Relu => (0, i32::MAX),
        Activation::ReluN1To1 => (-1, 1),
        Activation::Relu6 => (0, 6),
        Activation::Tanh | Activation::SignBit => {
            return Err(cx.refuse(Fault::Activation(activation)));
        }
    };
    Ok(Clamp { min, max })
}

/// Checks that integers have no scale: then they are computed with as they are, and TFLM refuses others.
pub(super) fn without_scales(cx: &Prepare<'_>, slots: &[Slot]) -> Result<(), Refused> {
    for slot in slots {
        let operand = cx.any(*slot)?;
        if operand.is_quantized() {
            return Err(cx.refuse(Fault::Scale(*slot)));
        }
    }
    Ok(())
}

/// A number with a range that a fused activation leaves.
pub trait Ranged: Typed {
    /// The range.
    ///
    /// # Errors
    /// The activation does not clamp.
    fn range(cx: &Prepare<'_>, activation: Activation) -> Result<Clamp<Self>, Refused>;
}

impl Ranged for f32 {
    fn range(cx: &Prepare<'_>, activation: Activation) -> Result<Clamp<Self>, Refused> {
        linear::float32_range(cx, activation)
    }
}

impl Ranged for i32 {
    fn range(cx: &Prepare<'_>, activation: Activation) -> Result<Clamp<Self>, Refused> {
        without_scales(cx, &ALL)?;
        int32_range(cx, activation)
    }
}
