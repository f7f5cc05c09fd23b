//! CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED against their definitions, index by index.

mod support;

use ember_core::view::Int64;
use ember_core::{Clamp, multiply_by_quantized_multiplier};
use ember_kernels::conv_2d::{self, Conv2d};
use ember_kernels::depthwise_conv_2d::{self, DepthwiseConv2d};
use ember_kernels::fully_connected::{self, FullyConnected};
use ember_kernels::{Float32, Int8, Int16, WideBias};
use proptest::prelude::*;
use support::{Numbers, at4, axis, close, position, range, requantize};

/// Every sum of a convolution, from the products that `f(input index, filter index)` gives.
fn convolve<T: Copy + Default + std::ops::AddAssign>(
    shape: &Conv2d,
    f: impl Fn(usize, usize) -> T,
) -> Vec<T> {
    let Conv2d {
        batches,
        rows,
        columns,
        input_channels,
        filter_channels,
        output_channels,
    } = *shape;
    let input = [batches, rows.input, columns.input, input_channels];
    let filter = [
        output_channels,
        rows.filter,
        columns.filter,
        filter_channels,
    ];
    let per_group = output_channels / (input_channels / filter_channels);
    let mut sums = Vec::new();
    for batch in 0..batches as usize {
        for (y, x) in (0..rows.output).flat_map(|y| (0..columns.output).map(move |x| (y, x))) {
            for channel in 0..output_channels {
                let first = (channel / per_group * filter_channels) as usize;
                let mut sum = T::default();
                for (tap_y, tap_x) in
                    (0..rows.filter).flat_map(|y| (0..columns.filter).map(move |x| (y, x)))
                {
                    let at = (position(&rows, y, tap_y), position(&columns, x, tap_x));
                    let (Some(in_y), Some(in_x)) = at else {
                        continue;
                    };
                    for depth in 0..filter_channels as usize {
                        sum += f(
                            at4(input, [batch, in_y, in_x, first + depth]),
                            at4(
                                filter,
                                [channel as usize, tap_y as usize, tap_x as usize, depth],
                            ),
                        );
                    }
                }
                sums.push(sum);
            }
        }
    }
    sums
}

/// The depthwise convolution as one with a group per channel.
fn as_grouped(shape: &DepthwiseConv2d) -> Conv2d {
    Conv2d {
        batches: shape.batches,
        rows: shape.rows,
        columns: shape.columns,
        input_channels: shape.channels,
        filter_channels: 1,
        output_channels: shape.channels * shape.multiplier,
    }
}

/// A depthwise filter `[rows, columns, channels]` in the order `[channels, rows, columns]` of [`as_grouped`].
fn regrouped<T: Copy>(shape: &DepthwiseConv2d, filter: &[T]) -> Vec<T> {
    let channels = (shape.channels * shape.multiplier) as usize;
    (0..channels)
        .flat_map(|channel| filter.iter().skip(channel).step_by(channels).copied())
        .collect()
}

fn conv() -> impl Strategy<Value = Conv2d> {
    (1..3u32, axis(true), axis(true), 1..4u32, 1..6u32, 1..4u32).prop_map(
        |(batches, rows, columns, groups, filter_channels, per_group)| Conv2d {
            batches,
            rows,
            columns,
            input_channels: groups * filter_channels,
            filter_channels,
            output_channels: groups * per_group,
        },
    )
}

fn depthwise() -> impl Strategy<Value = DepthwiseConv2d> {
    (
        1..3u32,
        axis(true),
        axis(true),
        1..20u32,
        prop_oneof![Just(1u32), 2..11u32],
    )
        .prop_map(
            |(batches, rows, columns, channels, multiplier)| DepthwiseConv2d {
                batches,
                rows,
                columns,
                channels,
                multiplier,
            },
        )
}

/// The quantization of one case.
#[derive(Clone, Debug)]
struct Case {
    seed: u64,
    zero_points: (i32, i32),
    range: Clamp<i32>,
    bias: bool,
    per_channel: bool,
}

fn case() -> impl Strategy<Value = Case> {
    (
        any::<u64>(),
        (-128..=127i32, -128..=127i32),
        range(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(seed, zero_points, range, bias, per_channel)| Case {
            seed,
            zero_points,
            range,
            bias,
            per_channel,
        })
}

impl Case {
    /// Runs `run` on random int8 tensors and compares with `sums(input, filter)`, which leave out the bias.
    fn check(
        &self,
        [input, filter, output, channels]: [usize; 4],
        run: impl Fn(&Int8<'_>, &[i8], &[i8], &mut [i8]),
        sums: impl Fn(&[i8], &[i8]) -> Vec<i64>,
    ) -> Result<(), TestCaseError> {
        let mut numbers = Numbers::new(self.seed);
        let (input, filter) = (numbers.int8(input), numbers.int8(filter));
        let bias = numbers.int32(channels);
        let multipliers = numbers.multipliers(if self.per_channel { channels } else { 1 });
        let arithmetic = Int8 {
            input_zero_point: self.zero_points.0,
            output_zero_point: self.zero_points.1,
            filter_zero_point: 0,
            range: self.range,
            bias: self.bias.then_some(&bias),
            multipliers: &multipliers,
        };
        let mut found = vec![99; output];
        run(&arithmetic, &input, &filter, &mut found);
        let expected: Vec<i8> = sums(&input, &filter)
            .iter()
            .zip((0..channels).cycle())
            .map(|(sum, channel)| {
                let sum = sum
                    + if self.bias {
                        i64::from(bias[channel])
                    } else {
                        0
                    };
                let multiplier = multipliers[channel % multipliers.len()];
                requantize(sum, multiplier, self.zero_points.1, self.range)
            })
            .collect();
        prop_assert_eq!(found, expected);
        Ok(())
    }

    fn product(&self, x: i8, w: i8) -> i64 {
        i64::from(i32::from(x) - self.zero_points.0) * i64::from(w)
    }
}

fn lengths(shape: &Conv2d) -> [usize; 4] {
    let Conv2d {
        batches,
        rows,
        columns,
        input_channels,
        filter_channels,
        output_channels,
    } = *shape;
    [
        batches * rows.input * columns.input * input_channels,
        output_channels * rows.filter * columns.filter * filter_channels,
        batches * rows.output * columns.output * output_channels,
        output_channels,
    ]
    .map(|len| len as usize)
}

const FLOATS: Clamp<f32> = Clamp {
    min: -1.5,
    max: 2.5,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn conv_2d_int8(shape in conv(), case in case()) {
        case.check(
            lengths(&shape),
            |arithmetic, input, filter, output| conv_2d::convolve(&shape, arithmetic, input, filter, output).unwrap(),
            |input, filter| convolve(&shape, |x, w| case.product(input[x], filter[w])),
        )?;
    }

    /// 64-bit sums scaled once, 32-bit sums scaled twice, through the walk of the int8 kernel.
    #[test]
    fn conv_2d_int16(shape in conv(), seed: u64, narrow: bool, per_channel: bool) {
        let [input, filter, output, channels] = lengths(&shape);
        let mut numbers = Numbers::new(seed);
        let (input, filter) = (numbers.int16(input), numbers.int8(filter));
        let bias = numbers.int32(channels);
        let wide: Vec<Int64> = bias.iter().map(|bias| Int64::new(i64::from(*bias))).collect();
        let multipliers = numbers.multipliers(if per_channel { channels } else { 1 });
        let arithmetic = Int16 {
            range: Clamp { min: -30_000, max: 32_767 },
            bias: if narrow { WideBias::Int32(&bias) } else { WideBias::Int64(&wide) },
            narrow,
            multipliers: &multipliers,
        };
        let mut found = vec![99; output];
        conv_2d::convolve(&shape, &arithmetic, &input, &filter, &mut found).unwrap();
        let sums = convolve(&shape, |x, w| i64::from(input[x]) * i64::from(filter[w]));
        let expected: Vec<i16> = sums.iter().zip((0..channels).cycle()).map(|(sum, channel)| {
            let sum = sum + i64::from(bias[channel]);
            let multiplier = multipliers[channel % multipliers.len()];
            let scaled = if narrow {
                i64::from(multiply_by_quantized_multiplier(i32::try_from(sum).unwrap(), multiplier))
            } else {
                // Half up, in a type that cannot overflow.
                let significand = ((i128::from(multiplier.multiplier) + (1 << 15)) >> 16).min(0x7fff);
                let shift = 15 - multiplier.shift;
                i64::try_from((i128::from(sum) * significand + (1 << (shift - 1))) >> shift).unwrap()
            };
            i16::try_from(scaled.clamp(-30_000, 32_767)).unwrap()
        }).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn conv_2d_float32(shape in conv(), seed: u64) {
        let [input, filter, output, channels] = lengths(&shape);
        let mut numbers = Numbers::new(seed);
        let (input, filter, bias) = (numbers.float32(input), numbers.float32(filter), numbers.float32(channels));
        let arithmetic = Float32 { range: FLOATS, bias: Some(&bias) };
        let mut found = vec![99.0; output];
        conv_2d::convolve(&shape, &arithmetic, &input, &filter, &mut found).unwrap();
        let sums = convolve(&shape, |x, w| f64::from(input[x]) * f64::from(filter[w]));
        let biases = bias.iter().cycle().map(|bias| f64::from(*bias));
        let expected: Vec<f64> = sums.iter().zip(biases).map(|(sum, bias)| (sum + bias).clamp(-1.5, 2.5)).collect();
        close(&found, &expected)?;
    }

    #[test]
    fn depthwise_conv_2d_int8(shape in depthwise(), case in case()) {
        let grouped = as_grouped(&shape);
        case.check(
            lengths(&grouped),
            |arithmetic, input, filter, output| {
                depthwise_conv_2d::convolve(&shape, arithmetic, input, filter, output).unwrap();
            },
            |input, filter| {
                let filter = regrouped(&shape, filter);
                convolve(&grouped, |x, w| case.product(input[x], filter[w]))
            },
        )?;
    }

    #[test]
    fn depthwise_conv_2d_float32(shape in depthwise(), seed: u64) {
        let grouped = as_grouped(&shape);
        let [input, filter, output, _] = lengths(&grouped);
        let mut numbers = Numbers::new(seed);
        let (input, filter) = (numbers.float32(input), numbers.float32(filter));
        let arithmetic = Float32 { range: FLOATS, bias: None };
        let mut found = vec![99.0; output];
        depthwise_conv_2d::convolve(&shape, &arithmetic, &input, &filter, &mut found).unwrap();
        let filter = regrouped(&shape, &filter);
        let sums = convolve(&grouped, |x, w| f64::from(input[x]) * f64::from(filter[w]));
        let expected: Vec<f64> = sums.iter().map(|sum| sum.clamp(-1.5, 2.5)).collect();
        close(&found, &expected)?;
    }

    #[test]
    fn fully_connected_int8(
        batches in 1..4u32, depth in 1..40u32, units in 1..20u32,
        filter_zero_point in prop_oneof![Just(0), -128..=127i32],
        case in case(),
    ) {
        let shape = FullyConnected { batches, depth, units };
        let lengths = [batches * depth, units * depth, batches * units, units].map(|len| len as usize);
        case.check(
            lengths,
            |arithmetic, input, filter, output| {
                let arithmetic = Int8 { filter_zero_point, ..*arithmetic };
                fully_connected::connect(&shape, &arithmetic, input, filter, output).unwrap();
            },
            |input, filter| {
                let rows = input.chunks(depth as usize);
                rows.flat_map(|row| filter.chunks(depth as usize).map(|unit| {
                    let pairs = row.iter().zip(unit);
                    pairs.map(|(x, w)| {
                        i64::from(i32::from(*x) - case.zero_points.0) * i64::from(i32::from(*w) - filter_zero_point)
                    }).sum()
                }).collect::<Vec<i64>>()).collect()
            },
        )?;
    }

    #[test]
    fn fully_connected_float32(batches in 1..4u32, depth in 1..40u32, units in 1..20u32, seed: u64) {
        let shape = FullyConnected { batches, depth, units };
        let mut numbers = Numbers::new(seed);
        let input = numbers.float32((batches * depth) as usize);
        let filter = numbers.float32((units * depth) as usize);
        let bias = numbers.float32(units as usize);
        let arithmetic = Float32 { range: FLOATS, bias: Some(&bias) };
        let mut found = vec![99.0; (batches * units) as usize];
        fully_connected::connect(&shape, &arithmetic, &input, &filter, &mut found).unwrap();
        let mut expected = Vec::new();
        for row in input.chunks(depth as usize) {
            for (unit, bias) in filter.chunks(depth as usize).zip(&bias) {
                let products = row.iter().zip(unit).map(|(x, w)| f64::from(*x) * f64::from(*w));
                expected.push((products.sum::<f64>() + f64::from(*bias)).clamp(-1.5, 2.5));
            }
        }
        close(&found, &expected)?;
    }
}
