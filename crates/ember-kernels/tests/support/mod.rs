//! What the tests of the kernels share: windows by their definition, and small random tensors.
#![allow(dead_code, reason = "each test program uses its part")]

use ember_core::{Clamp, Padding, QuantizedMultiplier, multiply_by_quantized_multiplier};
use ember_kernels::Axis;
use proptest::prelude::*;

/// The input position of a tap, by the definition: none in the padding.
pub(crate) fn position(axis: &Axis, output: u32, tap: u32) -> Option<usize> {
    let at = i64::from(output) * i64::from(axis.stride) - i64::from(axis.padding)
        + i64::from(tap) * i64::from(axis.dilation);
    (0..i64::from(axis.input))
        .contains(&at)
        .then(|| usize::try_from(at).unwrap())
}

/// Index of `[a, b, c, d]` in a tensor with these sizes.
pub(crate) fn at4(sizes: [u32; 4], [a, b, c, d]: [usize; 4]) -> usize {
    let [_, size_b, size_c, size_d] = sizes.map(|size| size as usize);
    ((a * size_b + b) * size_c + c) * size_d + d
}

/// A sum as an int8 output: scaled, moved, clamped.
pub(crate) fn requantize(
    sum: i64,
    multiplier: QuantizedMultiplier,
    zero_point: i32,
    range: Clamp<i32>,
) -> i8 {
    let sum = i32::try_from(sum).unwrap();
    let scaled = multiply_by_quantized_multiplier(sum, multiplier) + zero_point;
    i8::try_from(scaled.max(range.min).min(range.max)).unwrap()
}

/// An axis; small, with every kind of padding.
pub(crate) fn axis(dilated: bool) -> impl Strategy<Value = Axis> {
    let dilation = if dilated { 1..3u32 } else { 1..2u32 };
    let padding = prop_oneof![Just(Padding::Same), Just(Padding::Valid)];
    (1..9u32, 1..5u32, 1..4u32, dilation, padding).prop_filter_map(
        "the window fits",
        |(input, filter, stride, dilation, padding)| {
            Axis::new(input, filter, stride, dilation, padding)
        },
    )
}

/// A multiplier between 2^-10 and 2.
pub(crate) fn multiplier() -> impl Strategy<Value = QuantizedMultiplier> {
    ((1 << 30)..=i32::MAX, -10..=1i32)
        .prop_map(|(multiplier, shift)| QuantizedMultiplier { multiplier, shift })
}

/// A range of int8.
pub(crate) fn range() -> impl Strategy<Value = Clamp<i32>> {
    prop_oneof![
        Just(Clamp::INT8),
        (-128..=127i32, -128..=127i32).prop_map(|(a, b)| Clamp {
            min: a.min(b),
            max: a.max(b)
        }),
    ]
}

/// Random numbers that depend on `seed` alone: tensors of shapes that proptest has chosen.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        // SplitMix64 (Steele, Lea and Flood, 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn int8(&mut self, len: usize) -> Vec<i8> {
        (0..len).map(|_| self.next() as i8).collect()
    }

    pub(crate) fn int16(&mut self, len: usize) -> Vec<i16> {
        (0..len).map(|_| self.next() as i16).collect()
    }

    pub(crate) fn int32(&mut self, len: usize) -> Vec<i32> {
        (0..len).map(|_| (self.next() as i32) >> 16).collect()
    }

    pub(crate) fn float32(&mut self, len: usize) -> Vec<f32> {
        (0..len)
            .map(|_| (self.next() as i16) as f32 / 32768.0)
            .collect()
    }

    pub(crate) fn multipliers(&mut self, len: usize) -> Vec<QuantizedMultiplier> {
        (0..len)
            .map(|_| QuantizedMultiplier {
                multiplier: (1 << 30) | (self.next() as i32 & 0x3fff_ffff),
                shift: -((self.next() % 9) as i32),
            })
            .collect()
    }
}

/// Floats that were added up in another order.
pub(crate) fn close(found: &[f32], expected: &[f64]) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        prop_assert!(
            (f64::from(*found) - expected).abs() < 1e-4,
            "{} for {}",
            found,
            expected
        );
    }
    Ok(())
}
