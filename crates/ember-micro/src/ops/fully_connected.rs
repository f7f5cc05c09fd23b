//! FULLY_CONNECTED: `micro/kernels/fully_connected_common.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::fully_connected::{self, FullyConnected};
use ember_kernels::{Arithmetic, KernelError};
use ember_tflite::{FullyConnectedOptions, WeightsFormat};

use super::linear::{self, FILTER, Linear, Operation, Outputs};
use crate::error::{Fault, Refused};
use crate::prepare::Prepare;

/// FULLY_CONNECTED.
pub struct Op;

impl Operation for Op {
    const OP: BuiltinOp = BuiltinOp::FullyConnected;
    type Shape = FullyConnected;

    #[inline(never)]
    fn prepare(
        cx: &Prepare<'_>,
        (dtype, weights): (Dtype, Dtype),
        shape: &mut FullyConnected,
    ) -> Result<Outputs, Refused> {
        cx.arity(2..=3, 1)?;
        let options = cx.options::<FullyConnectedOptions>()?;
        if options.weights_format != WeightsFormat::Default {
            return Err(cx.refuse(Fault::Options));
        }
        let filter = cx.typed(FILTER, weights)?;
        let [units, depth] = filter.dims()?;
        // The input's dimensions do not matter, only that its elements make whole rows.
        let elements = cx.input(0, dtype)?.elements();
        let batches = elements.checked_div(depth).unwrap_or(0);
        if batches.wrapping_mul(depth) != elements || depth == 0 {
            filter.size_is(1, depth, elements)?;
        }
        let expected = cx.expect(batches.checked_mul(units), Fault::Options)?;
        cx.output(0, dtype)?.elements_are(expected)?;
        shape.batches = batches;
        shape.depth = depth;
        shape.units = units;
        Ok(Outputs {
            channels: units,
            activation: options.fused_activation_function,
        })
    }

    fn accumulator(cx: &Prepare<'_>) -> Result<Dtype, Refused> {
        Ok(cx.options::<FullyConnectedOptions>()?.quantized_bias_type)
    }

    #[inline(always)]
    fn run<A: Arithmetic>(
        shape: &FullyConnected,
        arithmetic: &A,
        input: &[A::Value],
        weights: &[A::Weight],
        output: &mut [A::Value],
    ) -> Result<(), KernelError> {
        fully_connected::connect(shape, arithmetic, input, weights, output)
    }
}

/// FULLY_CONNECTED of int8 with int8 weights and int32 bias.
pub type Int8 = Linear<Op, linear::Int8>;

/// FULLY_CONNECTED of int16 with int8 weights and int64 or int32 bias.
pub type Int16 = Linear<Op, linear::Int16>;

/// FULLY_CONNECTED of float32.
pub type Float32 = Linear<Op, linear::Float32>;
