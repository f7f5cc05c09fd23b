//! [`Floats`] of 256 bits with AVX2. No multiplication is fused with an addition.

use core::arch::x86_64::{
    __m128, __m256, _mm_add_ps, _mm_loadu_ps, _mm_mul_ps, _mm_storeu_ps, _mm256_add_ps,
    _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_storeu_ps,
};

use super::avx2::Avx2;
use crate::arch::wide::LANES;
use crate::arch::wide::float32::{Floats, INTERLEAVED};

impl Floats for Avx2 {
    type Channels = __m256;
    type Interleaved = __m128;

    #[inline(always)]
    fn channels(self, numbers: &[f32; LANES]) -> __m256 {
        // SAFETY: `self` exists, and the array has the bytes that are read.
        unsafe { _mm256_loadu_ps(numbers.as_ptr()) }
    }

    #[inline(always)]
    fn numbers(self, channels: __m256) -> [f32; LANES] {
        let mut numbers = [0.0; LANES];
        // SAFETY: `self` exists, and the array has the bytes that are written.
        unsafe { _mm256_storeu_ps(numbers.as_mut_ptr(), channels) };
        numbers
    }

    #[inline(always)]
    fn multiply_add(self, sums: __m256, x: f32, weights: __m256) -> __m256 {
        // SAFETY: `self` exists.
        unsafe { _mm256_add_ps(sums, _mm256_mul_ps(_mm256_set1_ps(x), weights)) }
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` exists.
        unsafe { _mm256_add_ps(a, b) }
    }

    /// The instruction gives its second operand where they are equal or not ordered.
    #[inline(always)]
    fn less(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` exists.
        unsafe { _mm256_min_ps(a, b) }
    }

    /// As [`Floats::less`].
    #[inline(always)]
    fn greater(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` exists.
        unsafe { _mm256_max_ps(a, b) }
    }

    #[inline(always)]
    fn interleaved(self, numbers: &[f32; INTERLEAVED]) -> __m128 {
        // SAFETY: the array has the bytes that are read.
        unsafe { _mm_loadu_ps(numbers.as_ptr()) }
    }

    #[inline(always)]
    fn interleaved_multiply_add(self, sums: __m128, x: __m128, weights: __m128) -> __m128 {
        // SAFETY: `self` exists.
        unsafe { _mm_add_ps(sums, _mm_mul_ps(x, weights)) }
    }

    #[inline(always)]
    fn interleaved_numbers(self, sums: __m128) -> [f32; INTERLEAVED] {
        let mut numbers = [0.0; INTERLEAVED];
        // SAFETY: the array has the bytes that are written.
        unsafe { _mm_storeu_ps(numbers.as_mut_ptr(), sums) };
        numbers
    }
}
