//! A convolution with its pooling, against the two one after the other.

mod support;

use ember_core::{Clamp, Padding};
use ember_kernels::conv_2d::{self, Conv2d};
use ember_kernels::max_pool_2d::{self, MaxPool, Pool2d};
use ember_kernels::{Axis, Element, Float32, Int8, KernelError, Linear};
use proptest::prelude::*;
use support::{Numbers, axis, range};

/// A convolution and a pooling of what it gives. Every third is the small one that processors have code for.
fn pair() -> impl Strategy<Value = (Conv2d, Pool2d)> {
    let small = (3..12u32, 3..12u32).prop_filter_map("fits", |(height, width)| {
        let axis = |size| Axis::new(size, 3, 1, 1, Padding::Valid);
        Some((axis(height)?, axis(width)?, 1))
    });
    let general = (axis(true), axis(true), 1..9u32);
    let side = (1..4u32, 0..2u32, any::<bool>());
    (
        (1..3u32, prop_oneof![1 => small, 2 => general], 1..12u32),
        prop_oneof![Just([(2, 0, false); 2]), [side.clone(), side]],
    )
        .prop_filter_map(
            "the pooling fits",
            |((batches, (rows, columns, depth), filters), sides)| {
                let [pool_rows, pool_columns] = sides;
                let pool = |input, (filter, more, same)| {
                    let padding = if same { Padding::Same } else { Padding::Valid };
                    Axis::new(input, filter, filter + more, 1, padding)
                };
                let shape = Conv2d {
                    batches,
                    rows,
                    columns,
                    input_channels: depth,
                    filter_channels: depth,
                    output_channels: filters,
                };
                let pool = Pool2d {
                    batches,
                    rows: pool(rows.output, pool_rows)?,
                    columns: pool(columns.output, pool_columns)?,
                    channels: filters,
                };
                Some((shape, pool))
            },
        )
}

/// Both ways, the fused one with this much scratch; compares by `bits`.
fn check<L: Linear, B: PartialEq + std::fmt::Debug>(
    (shape, pool): (&Conv2d, &MaxPool<<L::Output as Element>::Wide>),
    arithmetic: &L,
    (input, filter): (&[L::Value], &[L::Weight]),
    scratch: usize,
    bits: impl Fn(&L::Output) -> B,
) -> Result<(), TestCaseError> {
    let Pool2d {
        batches,
        rows,
        columns,
        channels,
    } = pool.shape;
    let len = |rows, columns| (batches * rows * columns * channels) as usize;
    let mut between = vec![L::Output::LEAST; len(rows.input, columns.input)];
    conv_2d::convolve(shape, arithmetic, input, filter, &mut between).unwrap();
    let mut expected = vec![L::Output::LEAST; len(rows.output, columns.output)];
    max_pool_2d::pool(&pool.shape, pool.range, &between, &mut expected).unwrap();
    let mut found = vec![L::Output::LEAST; expected.len()];
    let mut scratch = vec![0x5555_5555; scratch];
    conv_2d::convolve_pooled(
        shape,
        pool,
        arithmetic,
        input,
        filter,
        &mut scratch,
        &mut found,
    )
    .unwrap();
    let as_bits = |values: &[L::Output]| values.iter().map(&bits).collect::<Vec<_>>();
    prop_assert_eq!(as_bits(&found), as_bits(&expected));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn int8(
        (shape, pool) in pair(), seed: u64, zero_points in [-128..=127i32, -128..=127i32],
        ranges in [range(), range()], bias: bool, per_channel: bool, scratch: bool,
    ) {
        let mut numbers = Numbers::new(seed);
        let channels = shape.output_channels as usize;
        let taps = (shape.rows.filter * shape.columns.filter * shape.filter_channels) as usize;
        let pixels = (shape.batches * shape.rows.input * shape.columns.input) as usize;
        let input = numbers.int8(pixels * shape.input_channels as usize);
        let filter = numbers.int8(taps * channels);
        let biases = numbers.int32(channels);
        let multipliers = numbers.multipliers(if per_channel { channels } else { 1 });
        let arithmetic = Int8 {
            input_zero_point: zero_points[0],
            output_zero_point: zero_points[1],
            filter_zero_point: 0,
            range: ranges[0],
            bias: bias.then_some(&biases),
            multipliers: &multipliers,
        };
        let pool = MaxPool { shape: pool, range: ranges[1] };
        let scratch = if scratch { shape.pooled_scratch_len(&pool.shape) as usize } else { 0 };
        check((&shape, &pool), &arithmetic, (&input, &filter), scratch, |x| *x)?;
    }

    #[test]
    fn float32((shape, pool) in pair(), seed: u64, scratch: bool) {
        let mut numbers = Numbers::new(seed);
        let channels = shape.output_channels as usize;
        let taps = (shape.rows.filter * shape.columns.filter * shape.filter_channels) as usize;
        let pixels = (shape.batches * shape.rows.input * shape.columns.input) as usize;
        let input = numbers.float32(pixels * shape.input_channels as usize);
        let filter = numbers.float32(taps * channels);
        let bias = numbers.float32(channels);
        let arithmetic = Float32 { range: Clamp { min: 0.0, max: f32::INFINITY }, bias: Some(&bias) };
        let pool = MaxPool { shape: pool, range: Clamp { min: -1.5, max: 2.5 } };
        let scratch = if scratch { shape.pooled_scratch_len(&pool.shape) as usize } else { 0 };
        check((&shape, &pool), &arithmetic, (&input, &filter), scratch, |x| x.to_bits())?;
    }
}

#[test]
fn a_pooling_of_something_else_is_refused() {
    let axis = Axis::new(4, 3, 1, 1, Padding::Valid).unwrap();
    let shape = Conv2d {
        batches: 1,
        rows: axis,
        columns: axis,
        input_channels: 1,
        filter_channels: 1,
        output_channels: 2,
    };
    let windows = |filter, stride| {
        let axis = Axis::new(2, filter, stride, 1, Padding::Valid).unwrap();
        Pool2d {
            batches: 1,
            rows: axis,
            columns: axis,
            channels: 2,
        }
    };
    assert!(shape.is_poolable(&windows(2, 2)));
    assert!(!shape.is_poolable(&windows(2, 1)), "windows overlap");
    assert!(!shape.is_poolable(&Pool2d {
        channels: 1,
        ..windows(2, 2)
    }));
    let arithmetic = Float32 {
        range: f32::RANGE,
        bias: None,
    };
    let pool = MaxPool {
        shape: windows(2, 1),
        range: f32::RANGE,
    };
    let refused = conv_2d::convolve_pooled(
        &shape,
        &pool,
        &arithmetic,
        &[0.0; 16],
        &[0.0; 18],
        &mut [],
        &mut [0.0; 2],
    );
    assert_eq!(refused, Err(KernelError::Parameters));
}
