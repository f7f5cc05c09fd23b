//! TRANSPOSE_CONV: `kernels/internal/reference/transpose_conv.h` and `integer_ops/transpose_conv.h`. Those scatter every input
//! over the outputs; this gathers what falls on an output, in the same order, so that it needs no room for sums.

use ember_core::Padding;

use crate::arithmetic::{Arithmetic, Float32, Int8, Int16};
use crate::error::{KernelError, Operand, check_shape};
use crate::rows;
use crate::window::Axis;

ember_core::plain! {
    /// One axis of a transposed convolution.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct TransposedAxis {
        /// Positions of the input.
        pub input: u32,
        /// Positions of the filter.
        pub filter: u32,
        /// Positions of the output.
        pub output: u32,
        /// Output positions from one input position to the next.
        pub stride: u32,
        /// Positions before the output that the first input's filter covers.
        pub padding: u32,
    }

    /// Shapes of a transposed convolution: input `[batches, rows, columns, input_channels]`, filter
    /// `[output_channels, rows, columns, input_channels]`, output `[batches, rows, columns, output_channels]`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct TransposeConv {
        /// Images.
        pub batches: u32,
        /// The vertical axis.
        pub rows: TransposedAxis,
        /// The horizontal axis.
        pub columns: TransposedAxis,
        /// Channels of the input.
        pub input_channels: u32,
        /// Channels of the output.
        pub output_channels: u32,
    }
}

impl TransposedAxis {
    /// The axis with the padding of the convolution that leads from the output to the input.
    ///
    /// `None` where that convolution's output has not the input's positions, or for what [`Axis::new`] refuses.
    #[must_use]
    pub fn new(
        input: u32,
        filter: u32,
        output: u32,
        stride: u32,
        padding: Padding,
    ) -> Option<Self> {
        let back = Axis::new(output, filter, stride, 1, padding)?;
        (back.output == input).then_some(Self {
            input,
            filter,
            output,
            stride,
            padding: back.padding,
        })
    }

    /// The input positions whose filter covers an output position, in order, with the filter's position.
    fn covering(&self, output: u32) -> impl Iterator<Item = (u32, u32)> + use<> {
        let Self {
            filter,
            stride,
            padding,
            input,
            ..
        } = *self;
        let at = u64::from(output) + u64::from(padding);
        (0..input).filter_map(move |from| {
            let place = at.checked_sub(u64::from(from) * u64::from(stride))?;
            let place = u32::try_from(place).ok()?;
            (place < filter).then_some((from, place))
        })
    }
}

fn run<A: Arithmetic>(
    shape: &TransposeConv,
    arithmetic: &A,
    input: &[A::Value],
    filter: &[A::Weight],
    output: &mut [A::Output],
) -> Result<(), KernelError> {
    let TransposeConv {
        batches,
        rows,
        columns,
        input_channels,
        output_channels,
    } = shape;
    let sizes = [*batches, rows.input, columns.input, *input_channels];
    check_shape(Operand::Input, &sizes, input.len())?;
    let sizes = [
        *output_channels,
        rows.filter,
        columns.filter,
        *input_channels,
    ];
    check_shape(Operand::Filter, &sizes, filter.len())?;
    let sizes = [*batches, rows.output, columns.output, *output_channels];
    check_shape(Operand::Output, &sizes, output.len())?;
    arithmetic.check(*output_channels as usize)?;
    let depth = *input_channels as usize;
    let at = |outer: u32, size: u32, inner: u32| outer.wrapping_mul(size).wrapping_add(inner);
    let mut pixels = rows::of_mut(output, *output_channels as usize);
    for batch in 0..*batches {
        for y in 0..rows.output {
            for x in 0..columns.output {
                let Some(pixel) = pixels.next() else {
                    return Ok(());
                };
                for (out, channel) in pixel.iter_mut().zip(0u32..) {
                    let mut sum = arithmetic.start(channel as usize);
                    for (in_y, filter_y) in rows.covering(y) {
                        let line = at(batch, rows.input, in_y);
                        let weights = at(channel, rows.filter, filter_y);
                        for (in_x, filter_x) in columns.covering(x) {
                            let pixel = at(line, columns.input, in_x) as usize;
                            let weight = at(weights, columns.filter, filter_x) as usize;
                            let values = input.get(pixel.saturating_mul(depth)..);
                            let weights = filter.get(weight.saturating_mul(depth)..);
                            let (Some(values), Some(weights)) = (values, weights) else {
                                return Err(KernelError::Parameters);
                            };
                            for (value, weight) in values.iter().zip(weights).take(depth) {
                                sum = arithmetic.multiply_add(sum, *value, *weight);
                            }
                        }
                    }
                    *out = arithmetic.finish(channel as usize, sum);
                }
            }
        }
    }
    Ok(())
}

macro_rules! on_types {
    ($($(#[$doc:meta])* $name:ident: $arithmetic:ty, $value:ty, $weight:ty;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// A slice's length is not that of its shape.
            pub fn $name(
                shape: &TransposeConv,
                arithmetic: &$arithmetic,
                input: &[$value],
                filter: &[$weight],
                output: &mut [$value],
            ) -> Result<(), KernelError> {
                run(shape, arithmetic, input, filter, output)
            }
        )*
    };
}

on_types! {
    /// The transposed convolution of int8.
    int8: Int8<'_>, i8, i8;
    /// The transposed convolution of int16 with filters of int8.
    int16: Int16<'_>, i16, i8;
    /// The transposed convolution of float32.
    float32: Float32<'_>, f32, f32;
}
