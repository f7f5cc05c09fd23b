//! What operators on one input have in common, and those that are one function of a float32.

use ember_core::view::Plain;
use ember_core::{elementary, float};

use crate::element::Bool;
use crate::error::{KernelError, Operand, check};

/// An operator on one input, element by element.
pub trait Unary {
    /// Elements of the input.
    type Input: Plain;
    /// Elements of the output.
    type Output: Plain;

    /// Whether it is defined for every element; one that it is not defined for is an error.
    const TOTAL: bool = true;

    /// Whether it is defined for this element.
    fn is_defined(&self, _x: Self::Input) -> bool {
        true
    }

    /// The output for an element.
    fn apply(&self, x: Self::Input) -> Self::Output;
}

/// The operator's output for every element.
///
/// # Errors
/// Input and output differ in length, or the operator is not defined for an element.
pub fn run<F: Unary>(
    f: &F,
    input: &[F::Input],
    output: &mut [F::Output],
) -> Result<(), KernelError> {
    check(Operand::Input, output.len(), input.len())?;
    if !F::TOTAL && !input.iter().all(|x| f.is_defined(*x)) {
        return Err(KernelError::Undefined);
    }
    for (out, x) in output.iter_mut().zip(input) {
        *out = f.apply(*x);
    }
    Ok(())
}

macro_rules! of_float32 {
    ($($(#[$doc:meta])* $name:ident = $x:ident => $result:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl Unary for $name {
                type Input = f32;
                type Output = f32;

                fn apply(&self, $x: f32) -> f32 {
                    $result
                }
            }
        )*
    };
}

of_float32! {
    /// ABS: `micro/kernels/elementwise.cc`, as the next six.
    Abs = x => f32::from_bits(x.to_bits() & 0x7fff_ffff);
    /// SIN.
    Sin = x => elementary::sin(x);
    /// COS.
    Cos = x => elementary::cos(x);
    /// LOG, the natural one.
    Log = x => elementary::ln(x);
    /// SQRT.
    Sqrt = x => elementary::sqrt(x);
    /// RSQRT.
    Rsqrt = x => elementary::rsqrt(x);
    /// SQUARE.
    Square = x => x * x;
    /// NEG: `kernels/internal/reference/neg.h`.
    Neg = x => -x;
    /// EXP: `kernels/internal/reference/exp.h`.
    Exp = x => float::exp(x);
    /// FLOOR: `kernels/internal/reference/floor.h`.
    Floor = x => elementary::floor(x);
    /// CEIL: `kernels/internal/reference/ceil.h`.
    Ceil = x => elementary::ceil(x);
    /// ROUND, halves to the even number: `kernels/internal/reference/round.h`.
    Round = x => elementary::round_even(x);
    /// ELU: `kernels/internal/reference/elu.h`.
    Elu = x => if x < 0.0 { elementary::exp_m1(x) } else { x };
    /// HARD_SWISH: `kernels/internal/reference/hard_swish.h`.
    HardSwish = x => {
        let ramp = if x + 3.0 > 0.0 { x + 3.0 } else { 0.0 };
        x * (if ramp < 6.0 { ramp } else { 6.0 }) / 6.0
    };
    /// LOGISTIC: `kernels/internal/reference/logistic.h`.
    Logistic = x => elementary::logistic(x);
    /// TANH: `kernels/internal/reference/tanh.h`.
    Tanh = x => elementary::tanh(x);
}

/// LOGICAL_NOT: `micro/kernels/elementwise.cc`.
#[derive(Clone, Copy, Debug)]
pub struct LogicalNot;

impl Unary for LogicalNot {
    type Input = Bool;
    type Output = Bool;

    fn apply(&self, x: Bool) -> Bool {
        Bool::new(!x.get())
    }
}
