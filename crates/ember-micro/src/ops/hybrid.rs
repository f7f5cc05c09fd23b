//! The linear operators on float activations with int8 weights: dynamic range quantization, after LiteRT's hybrid
//! kernels.

use core::marker::PhantomData;

use ember_core::{Clamp, Dtype};
use ember_kernels::hybrid::{self, Quantized};
use ember_tflite::OpCode;

use super::linear::{self, BIAS, FILTER, Operation};
use crate::error::{InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::{Prepare, Scratch};

/// The kernel of an operation on float32 activations with int8 weights and a float32 bias.
pub struct Hybrid<O>(PhantomData<O>);

ember_core::plain! {
    /// What [`Hybrid`] prepares besides the sizes; the weights' scales are kept behind it.
    #[derive(Clone, Copy)]
    pub struct PreparedHybrid {
        /// What a fused activation keeps.
        pub range: Clamp<f32>,
        /// Room for one image of the input in int8.
        pub scratch: Scratch,
        /// Images.
        pub batches: u32,
        /// Whether zero need not be in the middle.
        pub asymmetric: u32,
    }
}

impl<O: Operation> Kernel for Hybrid<O> {
    const CODE: OpCode<'static> = OpCode::Builtin(O::OP);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    const OTHER: Option<(Slot, Dtype)> = Some((FILTER, Dtype::Int8));
    type Prepared = linear::WithShape<O, PreparedHybrid>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let shape = &mut prepared.first;
        let outputs = O::prepare(cx, (Dtype::Float32, Dtype::Int8), shape)?;
        linear::check_bias(cx, Dtype::Float32, outputs.channels)?;
        let scales = linear::filter_scales(cx, outputs.channels)?;
        // Wherever the weights' zero point is not 0, LiteRT takes it for 0 too.
        for scale in scales.scales() {
            cx.keep(&[scale.to_bits()])?;
        }
        let batches = O::one_image(shape);
        let elements = cx.input(0, Dtype::Float32)?.elements();
        prepared.second = PreparedHybrid {
            range: linear::float32_range(cx, outputs.activation)?,
            scratch: cx.scratch::<i8>(elements.checked_div(batches).unwrap_or(0))?,
            batches,
            asymmetric: u32::from(O::is_asymmetric(
                cx,
                scales.len() as u32 == outputs.channels,
            )?),
        };
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let scales = io.kept_as::<f32>()?;
        let (scratch, io) = io.scratch::<i8>(prepared.second.scratch)?;
        let (inputs, output) = io.split::<f32>()?;
        let (input, filter) = (inputs.get::<f32>(0)?, inputs.get::<i8>(1)?);
        let bias = inputs.optional(BIAS)?;
        let PreparedHybrid {
            range,
            batches,
            asymmetric,
            ..
        } = prepared.second;
        let per_batch = |len: usize| len.checked_div(batches as usize).unwrap_or(0);
        let (input_len, output_len) = (per_batch(input.len()), per_batch(output.len()));
        // Split off one by one: an iterator over chunks divides, and the compiler does not see that by no zero.
        let (mut images, mut outs) = (input, output);
        for _ in 0..batches {
            let (Some((image, images_left)), Some((out, outs_left))) = (
                images.split_at_checked(input_len),
                outs.split_at_mut_checked(output_len),
            ) else {
                return Ok(());
            };
            (images, outs) = (images_left, outs_left);
            let input: Quantized = if asymmetric != 0 {
                hybrid::quantize_asymmetric(image, scratch)?
            } else {
                hybrid::quantize_symmetric(image, scratch)?
            };
            let arithmetic = hybrid::Hybrid {
                input,
                range,
                bias,
                scales,
            };
            O::run(&prepared.first, &arithmetic, scratch, filter, &mut [], out)?;
        }
        Ok(())
    }
}
