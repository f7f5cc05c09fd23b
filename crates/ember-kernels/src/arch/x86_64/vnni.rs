//! [`Lanes`] of 256 bits with AVX-512's dot products of bytes (VNNI).

use core::arch::x86_64::{
    __m256i, _mm256_dpbusd_epi32, _mm256_max_epi32, _mm256_set1_epi8, _mm256_set1_epi32,
    _mm256_xor_si256,
};

use super::avx2::{Avx2, Scale, load};
use crate::arch::wide::{GROUP, LANES, Lanes, Scaling, TAPS};

/// The machine has AVX-512 F, BW, VL and VNNI, and with them AVX2.
#[derive(Clone, Copy)]
pub(in crate::arch) struct Vnni(Avx2);

impl Vnni {
    /// # Safety
    /// The machine has them, and the operating system keeps their registers.
    pub(super) const unsafe fn new() -> Self {
        // SAFETY: the caller's word.
        Self(unsafe { Avx2::new() })
    }

    /// What int8 is computed with.
    pub(super) const fn lanes(self) -> Self {
        self
    }

    /// What float32 is computed with.
    pub(super) const fn floats(self) -> Avx2 {
        self.0
    }
}

/// The sign bit of every byte: what makes a signed number one that is greater by 128 and unsigned.
#[inline(always)]
fn flipped(bytes: __m256i) -> __m256i {
    // SAFETY: only methods of `Vnni` call this.
    unsafe { _mm256_xor_si256(bytes, _mm256_set1_epi8(i8::MIN)) }
}

impl Lanes for Vnni {
    type Sums = __m256i;
    type Inputs = __m256i;
    type Weights = __m256i;
    type Chunk = __m256i;
    type Scale = Scale;

    const OFFSET: i32 = 128;

    #[inline(always)]
    fn place(channel: usize, tap: usize) -> usize {
        channel * TAPS + tap
    }

    #[inline(always)]
    fn sums(self, sums: [i32; LANES]) -> __m256i {
        self.0.sums(sums)
    }

    #[inline(always)]
    fn inputs(self, inputs: [i8; TAPS]) -> __m256i {
        let word = i32::from_le_bytes(inputs.map(i8::cast_unsigned));
        // SAFETY: `self` exists.
        flipped(unsafe { _mm256_set1_epi32(word) })
    }

    #[inline(always)]
    fn weights(self, weights: &[i8; GROUP]) -> __m256i {
        load(weights)
    }

    #[inline(always)]
    fn multiply_add(self, sums: __m256i, inputs: __m256i, weights: __m256i) -> __m256i {
        // SAFETY: `self` exists.
        unsafe { _mm256_dpbusd_epi32(sums, inputs, weights) }
    }

    #[inline(always)]
    fn larger(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` exists.
        unsafe { _mm256_max_epi32(a, b) }
    }

    #[inline(always)]
    fn weight_factor(zero_point: i32) -> i32 {
        -(zero_point + Self::OFFSET)
    }

    #[inline(always)]
    fn chunk(self, inputs: &[i8; GROUP], _zero_point: i32) -> __m256i {
        flipped(load(inputs))
    }

    #[inline(always)]
    fn dot(self, sums: __m256i, inputs: __m256i, weights: &[i8; GROUP]) -> __m256i {
        // SAFETY: `self` exists.
        unsafe { _mm256_dpbusd_epi32(sums, inputs, load(weights)) }
    }

    #[inline(always)]
    fn add_weights(self, sums: __m256i, weights: &[i8; GROUP]) -> __m256i {
        // SAFETY: `self` exists.
        unsafe { _mm256_dpbusd_epi32(sums, _mm256_set1_epi8(1), load(weights)) }
    }

    #[inline(always)]
    fn totals(self, sums: [__m256i; LANES]) -> [i32; LANES] {
        self.0.totals(sums)
    }

    #[inline(always)]
    fn scale(self, scaling: &Scaling) -> Scale {
        self.0.scale(scaling)
    }

    #[inline(always)]
    fn finish(self, sums: __m256i, scale: &Scale) -> [i8; LANES] {
        self.0.finish(sums, scale)
    }
}
