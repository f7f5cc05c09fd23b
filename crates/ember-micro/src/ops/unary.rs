//! Operators on one input, element by element: what they check alike, the kernel of each, and those that are one function of
//! a float32.

use core::marker::PhantomData;

use ember_core::view::Plain;
use ember_core::{BuiltinOp, Dtype};
use ember_kernels::Bool;
use ember_kernels::unary::{self, Unary};
use ember_tflite::OpCode;

use super::typed::Typed;
use crate::error::{InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// An operator on one input of a certain type.
pub trait Operation {
    /// The operator.
    const OP: BuiltinOp;

    /// Whether the type of the output decides too.
    const CONVERTS: bool = false;

    /// Elements of the input.
    type Input: Typed;

    /// Elements of the output.
    type Output: Typed;

    /// What the function of an element needs.
    type Prepared: Plain;

    /// The function of an element.
    type Function<'q>: Unary<Input = Self::Input, Output = Self::Output>;

    /// Checks options, scales and zero points; types and shapes are checked already.
    ///
    /// # Errors
    /// What the kernel does not take.
    fn prepare(cx: &Prepare<'_>) -> Result<Self::Prepared, Refused>;

    /// The function with what was prepared.
    fn function(prepared: &Self::Prepared) -> Self::Function<'_>;
}

/// The kernel of an operation.
pub struct UnaryKernel<O>(PhantomData<O>);

impl<O: Operation> Kernel for UnaryKernel<O> {
    const CODE: OpCode<'static> = OpCode::Builtin(O::OP);
    const DTYPE: Option<Dtype> = Some(O::Input::DTYPE);
    const OTHER: Option<(Slot, Dtype)> = if O::CONVERTS {
        Some((Slot::output(0), O::Output::DTYPE))
    } else {
        None
    };
    type Prepared = O::Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut O::Prepared) -> Result<(), Refused> {
        shapes(cx, [O::Input::DTYPE, O::Output::DTYPE])?;
        *prepared = O::prepare(cx)?;
        Ok(())
    }

    fn run(prepared: &O::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(unary::run(&O::function(prepared), inputs.get(0)?, output)?)
    }
}

/// Checks the types of input and output, and that they have as many elements.
#[inline(never)]
pub(super) fn shapes(cx: &Prepare<'_>, types: [Dtype; 2]) -> Result<(), Refused> {
    cx.arity(1..=1, 1)?;
    let [input, output] = types;
    let elements = cx.input(0, input)?.elements();
    cx.output(0, output)?.elements_are(elements)
}

macro_rules! without_parameters {
    ($($(#[$doc:meta])* $operation:ident, $kernel:ident = $op:ident by $function:ident on $element:ty;)*) => {
        $(
            $(#[$doc])*
            pub struct $operation;

            $(#[$doc])*
            pub type $kernel = UnaryKernel<$operation>;

            impl Operation for $operation {
                const OP: BuiltinOp = BuiltinOp::$op;
                type Input = $element;
                type Output = $element;
                type Prepared = ();
                type Function<'q> = unary::$function;

                fn prepare(_cx: &Prepare<'_>) -> Result<(), Refused> {
                    Ok(())
                }

                fn function(_prepared: &()) -> unary::$function {
                    unary::$function
                }
            }
        )*
    };
}

without_parameters! {
    /// ABS of float32: `micro/kernels/elementwise.cc`, as the next six.
    AbsOfFloat32, Abs = Abs by Abs on f32;
    /// SIN of float32.
    SinOfFloat32, Sin = Sin by Sin on f32;
    /// COS of float32.
    CosOfFloat32, Cos = Cos by Cos on f32;
    /// LOG of float32.
    LogOfFloat32, Log = Log by Log on f32;
    /// SQRT of float32.
    SqrtOfFloat32, Sqrt = Sqrt by Sqrt on f32;
    /// RSQRT of float32.
    RsqrtOfFloat32, Rsqrt = Rsqrt by Rsqrt on f32;
    /// SQUARE of float32.
    SquareOfFloat32, Square = Square by Square on f32;
    /// NEG of float32: `micro/kernels/neg.cc`.
    NegOfFloat32, Neg = Neg by Neg on f32;
    /// EXP of float32: `micro/kernels/exp.cc`.
    ExpOfFloat32, Exp = Exp by Exp on f32;
    /// FLOOR of float32: `micro/kernels/floor.cc`.
    FloorOfFloat32, Floor = Floor by Floor on f32;
    /// CEIL of float32: `micro/kernels/ceil.cc`.
    CeilOfFloat32, Ceil = Ceil by Ceil on f32;
    /// ROUND of float32: `micro/kernels/round.cc`.
    RoundOfFloat32, Round = Round by Round on f32;
    /// ELU of float32: `micro/kernels/elu.cc`.
    EluOfFloat32, Elu = Elu by Elu on f32;
    /// HARD_SWISH of float32: `micro/kernels/hard_swish.cc`.
    HardSwishOfFloat32, HardSwish = HardSwish by HardSwish on f32;
    /// LOGISTIC of float32: `micro/kernels/logistic.cc`.
    LogisticOfFloat32, Logistic = Logistic by Logistic on f32;
    /// TANH of float32: `micro/kernels/tanh.cc`.
    TanhOfFloat32, Tanh = Tanh by Tanh on f32;
    /// LOGICAL_NOT: `micro/kernels/elementwise.cc`.
    NotOfBool, LogicalNot = LogicalNot by LogicalNot on Bool;
}
