//! ADD, RELU, RELU6, QUANTIZE, DEQUANTIZE and SOFTMAX against their definitions.

mod support;

use ember_core::{Clamp, QuantizedMultiplier, multiply_by_quantized_multiplier};
use ember_kernels::broadcast::Broadcast;
use ember_kernels::quantize::{self, Affine, Requantize};
use ember_kernels::softmax::{self, Softmax};
use ember_kernels::{add, dequantize, relu};
use proptest::prelude::*;
use support::{Numbers, close, multiplier, range, requantize};

/// Two shapes that can be broadcast to each other.
fn shapes() -> impl Strategy<Value = (Vec<u32>, Vec<u32>)> {
    let axis = (1..5u32, 0..3u32).prop_map(|(size, who)| match who {
        0 => (size, size),
        1 => (1, size),
        _ => (size, 1),
    });
    (proptest::collection::vec(axis, 0..4), 0..3usize).prop_map(|(axes, shorter)| {
        let (one, other): (Vec<u32>, Vec<u32>) = axes.into_iter().unzip();
        // Leading ones may be left out.
        let skip = one
            .iter()
            .take(shorter)
            .take_while(|size| **size == 1)
            .count();
        (one[skip..].to_vec(), other)
    })
}

/// For every output of a broadcast the indices of its inputs.
fn pairs(one: &[u32], other: &[u32]) -> Vec<(usize, usize)> {
    let rank = one.len().max(other.len());
    let padded = |shape: &[u32]| [vec![1; rank - shape.len()], shape.to_vec()].concat();
    let (one, other) = (padded(one), padded(other));
    let sizes: Vec<u32> = one.iter().zip(&other).map(|(a, b)| *a.max(b)).collect();
    let total: u32 = sizes.iter().product();
    let index = |shape: &[u32], mut flat: u32| {
        let (mut at, mut stride) = (0, 1);
        for (size, own) in sizes.iter().zip(shape).rev() {
            if *own > 1 {
                at += flat % size * stride;
            }
            flat /= size;
            stride *= own;
        }
        at as usize
    };
    (0..total)
        .map(|flat| (index(&one, flat), index(&other, flat)))
        .collect()
}

fn broadcast(one: &[u32], other: &[u32]) -> Broadcast {
    Broadcast::new(one.iter().rev().copied(), other.iter().rev().copied()).unwrap()
}

fn len(shape: &[u32]) -> usize {
    shape.iter().product::<u32>() as usize
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn add_int8(
        (one, other) in shapes(), zeros in [-128..=127i32, -128..=127, -128..=127],
        scales in [1e-3f32..2.0, 1e-3f32..2.0, 1e-2f32..2.0], range in range(), seed: u64,
    ) {
        let [scale1, scale2, scale_out] = scales;
        let twice = 2.0 * scale1.max(scale2);
        let factor = |a: f32, b: f32| QuantizedMultiplier::from_f64(f64::from(a) / f64::from(b));
        let output_multiplier = QuantizedMultiplier::from_f64(f64::from(twice) / (f64::from(1 << 20) * f64::from(scale_out)));
        let quantization = add::Quantized {
            input_zero_points: [zeros[0], zeros[1]],
            input_multipliers: [factor(scale1, twice), factor(scale2, twice)],
            output_multiplier,
            left_shift: add::LEFT_SHIFT_INT8,
            output_zero_point: zeros[2],
            range,
        };
        let mut numbers = Numbers::new(seed);
        let (input1, input2) = (numbers.int8(len(&one)), numbers.int8(len(&other)));
        let pairs = pairs(&one, &other);
        let mut found = vec![99; pairs.len()];
        add::quantized(&broadcast(&one, &other), &quantization, &input1, &input2, &mut found).unwrap();
        for ((a, b), found) in pairs.iter().zip(&found) {
            let scaled = |x: i8, side: usize| {
                let x = (i32::from(x) - zeros[side]) << 20;
                i64::from(multiply_by_quantized_multiplier(x, quantization.input_multipliers[side]))
            };
            let sum = scaled(input1[*a], 0) + scaled(input2[*b], 1);
            prop_assert_eq!(*found, requantize(sum, output_multiplier, zeros[2], range));
        }
    }

    #[test]
    fn add_float32((one, other) in shapes(), seed: u64) {
        let mut numbers = Numbers::new(seed);
        let (input1, input2) = (numbers.float32(len(&one)), numbers.float32(len(&other)));
        let pairs = pairs(&one, &other);
        let mut found = vec![99.0; pairs.len()];
        let range = Clamp { min: 0.0, max: 1.0 };
        add::float32(&broadcast(&one, &other), range, &input1, &input2, &mut found).unwrap();
        for ((a, b), found) in pairs.iter().zip(&found) {
            prop_assert_eq!(*found, (input1[*a] + input2[*b]).clamp(0.0, 1.0));
        }
    }

    #[test]
    fn requantizing(
        input in proptest::collection::vec(any::<i8>(), 0..40), multiplier in multiplier(),
        zeros in [-128..=127i32, -128..=127], range in range(),
    ) {
        let to = Requantize { multiplier, input_zero_point: zeros[0], output_zero_point: zeros[1] };
        let mut found = vec![99i8; input.len()];
        let expected = |range: Clamp<i32>| -> Vec<i8> {
            input.iter().map(|x| requantize(i64::from(i32::from(*x) - zeros[0]), multiplier, zeros[1], range)).collect()
        };
        quantize::requantize(&to, Clamp::INT8, &input, &mut found).unwrap();
        prop_assert_eq!(&found, &expected(Clamp::INT8));
        quantize::requantize(&to, range, &input, &mut found).unwrap();
        prop_assert_eq!(&found, &expected(range));
        relu::clamp(range, &input, &mut found).unwrap();
        let clamped: Vec<i8> = input.iter().map(|x| i32::from(*x).max(range.min).min(range.max) as i8).collect();
        prop_assert_eq!(&found, &clamped);
    }

    #[test]
    fn between_float32_and_int8(bits in proptest::collection::vec(any::<u32>(), 0..40), scale in 1e-3f32..10.0, zero_point in -128..=127i32) {
        let input: Vec<f32> = bits.iter().map(|bits| f32::from_bits(*bits)).collect();
        let affine = Affine { scale, zero_point };
        let mut quantized = vec![99i8; input.len()];
        quantize::quantize(affine, &input, &mut quantized).unwrap();
        for (x, found) in input.iter().zip(&quantized) {
            let steps = (x / scale).round();
            let steps = if steps.is_nan() { 0.0 } else { f64::from(steps) };
            let expected = (steps + f64::from(zero_point)).clamp(-128.0, 127.0);
            prop_assert_eq!(f64::from(*found), expected, "{}", x);
        }
        let mut floats = vec![99.0; input.len()];
        dequantize::dequantize(affine, &quantized, &mut floats).unwrap();
        for (x, found) in quantized.iter().zip(&floats) {
            // One rounding, as of a product in double precision.
            let expected = (f64::from(scale) * f64::from(i32::from(*x) - zero_point)) as f32;
            prop_assert_eq!(*found, expected);
        }
    }

    #[test]
    fn softmax_is_a_distribution(outer in 1..4u32, depth in 1..30u32, beta in 0.1f32..2.0, scale in 1e-3f32..0.5, seed: u64) {
        let shape = Softmax { outer, depth };
        let mut numbers = Numbers::new(seed);
        let ints = numbers.int8((outer * depth) as usize);
        let quantization = softmax::Int8::new(beta, scale).unwrap();
        let mut found = vec![99; ints.len()];
        softmax::int8(&shape, &quantization, &ints, &mut found).unwrap();
        let floats: Vec<f32> = ints.iter().map(|x| f32::from(*x) * scale).collect();
        let mut found_floats = vec![99.0; ints.len()];
        softmax::float32(&shape, beta, &floats, &mut found_floats).unwrap();

        let mut expected = Vec::new();
        for row in floats.chunks(depth as usize) {
            let exps: Vec<f64> = row.iter().map(|x| (f64::from(*x) * f64::from(beta)).exp()).collect();
            let sum: f64 = exps.iter().sum();
            expected.extend(exps.iter().map(|exp| exp / sum));
        }
        close(&found_floats, &expected)?;
        for (found, expected) in found.iter().zip(&expected) {
            // Within a step of 1/256 of the real one, and 1.0 is 127.
            let error = (f64::from(*found) + 128.0) - (expected * 256.0).min(255.0);
            prop_assert!(error.abs() <= 1.0, "{} for {}", found, expected * 256.0 - 128.0);
        }
    }
}

proptest! {
    /// Within what two tables of 512 straight pieces miss; to the byte the goldens hold it.
    #[test]
    fn softmax_of_int16_is_a_distribution(outer in 1..4u32, depth in 1..30u32, beta in 0.1f32..2.0, scale in 1e-5f32..2e-3, seed: u64) {
        let shape = Softmax { outer, depth };
        let ints = Numbers::new(seed).int16((outer * depth) as usize);
        let multiplier = softmax::int16::multiplier(beta, scale).unwrap();
        let mut found = vec![99; ints.len()];
        softmax::int16::softmax(&shape, multiplier, &ints, &mut found).unwrap();
        for (row, found) in ints.chunks(depth as usize).zip(found.chunks(depth as usize)) {
            let exps: Vec<f64> = row.iter().map(|x| (f64::from(*x) * f64::from(beta) * f64::from(scale)).exp()).collect();
            let sum: f64 = exps.iter().sum();
            for (found, exp) in found.iter().zip(&exps) {
                let error = f64::from(*found) / 32768.0 - exp / sum;
                prop_assert!(error.abs() < 3e-3, "{} for {}", f64::from(*found) / 32768.0, exp / sum);
            }
        }
    }
}

#[test]
fn softmax_refuses_what_it_cannot_scale() {
    for (beta, scale) in [
        (0.0, 1.0),
        (1.0, 0.0),
        (-1.0, 1.0),
        (1.0, f32::NAN),
        (1e-9, 1e-9),
    ] {
        assert_eq!(softmax::Int8::new(beta, scale), None, "{beta} * {scale}");
    }
    let steep = softmax::Int8::new(1.0, 1e9).unwrap();
    let mut found = [0; 3];
    softmax::int8(
        &Softmax { outer: 1, depth: 3 },
        &steep,
        &[1, 2, 3],
        &mut found,
    )
    .unwrap();
    assert_eq!(found, [-128, -128, 127]);
}
