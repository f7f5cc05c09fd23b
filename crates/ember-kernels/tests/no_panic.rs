//! Parameters that make no sense, and slices that do not fit them: an error, never a panic, with overflow checks on.

use ember_core::{Clamp, QuantizedMultiplier};
use ember_kernels::conv_2d::{self, Conv2d};
use ember_kernels::depthwise_conv_2d::{self, DepthwiseConv2d};
use ember_kernels::fully_connected::{self, FullyConnected};
use ember_kernels::max_pool_2d::{self, Pool2d};
use ember_kernels::softmax::{self, Softmax};
use ember_kernels::strided_slice::{self, SliceAxis};
use ember_kernels::{Axis, Int8, average_pool_2d};
use proptest::prelude::*;

/// A size: mostly small, sometimes absurd.
fn size() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0..5u32, 1 => any::<u32>(), 1 => Just(u32::MAX), 1 => Just(1 << 31)]
}

/// Any axis at all, also one that [`Axis::new`] would never give; the output stays small, so that it ends.
fn wild_axis() -> impl Strategy<Value = Axis> {
    [size(), size(), size(), size(), size(), size()].prop_map(
        |[input, filter, output, stride, dilation, padding]| Axis {
            input,
            filter,
            output,
            stride,
            dilation,
            padding,
        },
    )
}

fn values() -> impl Strategy<Value = Vec<i8>> {
    proptest::collection::vec(any::<i8>(), 0..40)
}

/// The length that a shape asks for, where that is not absurd: so that checks behind the lengths are reached too.
fn fitting(sizes: [u32; 4], values: Vec<i8>) -> Vec<i8> {
    let len = sizes
        .iter()
        .try_fold(1u32, |len, size| len.checked_mul(*size));
    match len {
        Some(len @ 0..=4096) => values
            .iter()
            .chain([&1])
            .cycle()
            .take(len as usize)
            .copied()
            .collect(),
        _ => values,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn convolutions(
        batches in size(), rows in wild_axis(), columns in wild_axis(), channels in [size(), size(), size()],
        zero_points: [i32; 2], multiplier: i32, shift: i32, tensors in [values(), values(), values()],
        bias in proptest::option::of(proptest::collection::vec(any::<i32>(), 0..4)),
    ) {
        let [input_channels, filter_channels, output_channels] = channels;
        let [input, filter, output] = tensors;
        let mut output = fitting([batches, rows.output, columns.output, output_channels], output);
        let input = fitting([batches, rows.input, columns.input, input_channels], input);
        let filter = fitting([output_channels, rows.filter, columns.filter, filter_channels], filter);
        let multipliers = [QuantizedMultiplier { multiplier, shift }];
        let arithmetic = Int8 {
            input_zero_point: zero_points[0],
            output_zero_point: zero_points[1],
            filter_zero_point: zero_points[0],
            range: Clamp { min: zero_points[1], max: zero_points[0] },
            bias: bias.as_deref(),
            multipliers: &multipliers,
        };
        let shape = Conv2d { batches, rows, columns, input_channels, filter_channels, output_channels };
        let _ = conv_2d::convolve(&shape, &arithmetic, &input, &filter, &mut output);
        let shape = DepthwiseConv2d { batches, rows, columns, channels: input_channels, multiplier: filter_channels };
        let mut output = fitting([batches, rows.output, columns.output, input_channels.wrapping_mul(filter_channels)], output);
        let filter = fitting([1, rows.filter, columns.filter, input_channels.wrapping_mul(filter_channels)], filter);
        let _ = depthwise_conv_2d::convolve(&shape, &arithmetic, &input, &filter, &mut output);
        let shape = FullyConnected { batches, depth: input_channels, units: output_channels };
        let _ = fully_connected::connect(&shape, &arithmetic, &input, &filter, &mut output);
    }

    #[test]
    fn others(
        batches in size(), rows in wild_axis(), columns in wild_axis(), channels in size(),
        tensors in [values(), values()], numbers: [i32; 4], size in size(),
    ) {
        let [input, output] = tensors;
        let input = fitting([batches, rows.input, columns.input, channels], input);
        let mut output = fitting([batches, rows.output, columns.output, channels], output);
        let shape = Pool2d { batches, rows, columns, channels };
        let range = Clamp { min: numbers[0], max: numbers[1] };
        let _ = max_pool_2d::pool(&shape, range, &input, &mut output);
        let _ = average_pool_2d::pool(&shape, range, &input, &mut output);
        let quantization = softmax::Int8 {
            multiplier: QuantizedMultiplier { multiplier: numbers[0], shift: numbers[1] },
            least_difference: numbers[2],
        };
        let shape = Softmax { outer: batches, depth: channels };
        let mut row = fitting([1, 1, batches, channels], input.clone());
        let _ = softmax::int8(&shape, &quantization, &row.clone(), &mut row);
        if let Some(axis) = SliceAxis::new(size, Some(numbers[0]), Some(numbers[1]), numbers[2], numbers[3] > 0) {
            let bytes: Vec<u8> = input.iter().map(|x| x.cast_unsigned()).collect();
            let mut out = bytes.clone();
            out.truncate(axis.count as usize);
            let _ = strided_slice::bytes(&[SliceAxis::ONE, SliceAxis::ONE, SliceAxis::ONE, axis], 1, &bytes, &mut out);
        }
    }
}
