//! FULLY_CONNECTED: `micro/kernels/fully_connected_common.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::fully_connected::{self, FullyConnected};
use ember_kernels::weights::Decode;
use ember_kernels::{KernelError, Linear};
use ember_tflite::{FullyConnectedOptions, WeightsFormat};

use super::hybrid::Hybrid;
use super::linear::{self, FILTER, LinearKernel, Operation, Outputs};
use super::stored::{self, Stored};
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

    fn is_asymmetric(cx: &Prepare<'_>, _per_channel: bool) -> Result<bool, Refused> {
        let options = cx.options::<FullyConnectedOptions>()?;
        Ok(options.asymmetric_quantize_inputs)
    }

    fn one_image(shape: &mut FullyConnected) -> u32 {
        core::mem::replace(&mut shape.batches, 1)
    }

    fn patch_len(_shape: &FullyConnected) -> u32 {
        0
    }

    fn scratch_len(shape: &FullyConnected) -> u32 {
        shape.depth
    }

    fn run_stored(
        shape: &FullyConnected,
        arithmetic: &ember_kernels::Int8<'_>,
        input: &[i8],
        weights: &mut dyn Decode,
        scratch: &mut [i8],
        output: &mut [i8],
    ) -> Result<(), KernelError> {
        fully_connected::connect_stored(shape, arithmetic, input, weights, scratch, output)
    }

    #[inline(always)]
    fn run<A: Linear>(
        shape: &FullyConnected,
        arithmetic: &A,
        input: &[A::Value],
        weights: &[A::Weight],
        _scratch: &mut [u32],
        output: &mut [A::Output],
    ) -> Result<(), KernelError> {
        fully_connected::connect(shape, arithmetic, input, weights, output)
    }
}

/// FULLY_CONNECTED of int8 with int8 weights and int32 bias.
pub type Int8 = LinearKernel<Op, linear::Int8>;

/// FULLY_CONNECTED of int16 with int8 weights and int64 or int32 bias.
pub type Int16 = LinearKernel<Op, linear::Int16>;

/// FULLY_CONNECTED of float32.
pub type Float32 = LinearKernel<Op, linear::Float32>;

/// FULLY_CONNECTED of float32 with int8 weights and float32 bias.
pub type Dynamic = Hybrid<Op>;

/// FULLY_CONNECTED of int8 with int4 weights and int32 bias.
pub type Int4 = Stored<Op, stored::Int4>;

/// FULLY_CONNECTED of int8 with int2 weights and int32 bias.
pub type Int2 = Stored<Op, stored::Int2>;

/// FULLY_CONNECTED of int8 with look-up-table weights and int32 bias.
pub type Lut = Stored<Op, stored::Lut>;

/// FULLY_CONNECTED of int8 with pruned weights and int32 bias.
pub type Pruned = Stored<Op, stored::Pruned>;

/// FULLY_CONNECTED of int8 with pruned look-up-table weights and int32 bias.
pub type PrunedLut = Stored<Op, stored::PrunedLut>;
