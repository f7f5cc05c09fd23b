//! [`Lanes`] of 256 bits with AVX2.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_packs_epi16, _mm_packs_epi32,
    _mm_set1_epi32, _mm256_add_epi32, _mm256_add_epi64, _mm256_blend_epi32, _mm256_blendv_epi8,
    _mm256_castsi256_si128, _mm256_cvtepi8_epi16, _mm256_extracti128_si256, _mm256_hadd_epi32,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_max_epi32, _mm256_min_epi32, _mm256_mul_epi32,
    _mm256_permute2x128_si256, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_epi64x,
    _mm256_shuffle_epi32, _mm256_slli_epi64, _mm256_sllv_epi32, _mm256_srai_epi32,
    _mm256_srav_epi32, _mm256_srli_epi64, _mm256_storeu_si256, _mm256_sub_epi16,
};

use crate::arch::wide::{GROUP, LANES, Lanes, Scaling, TAPS};

/// The machine has AVX2.
#[derive(Clone, Copy)]
pub(in crate::arch) struct Avx2(());

impl Avx2 {
    /// # Safety
    /// The machine has it, and the operating system keeps its registers.
    pub(super) const unsafe fn new() -> Self {
        Self(())
    }

    /// What int8 is computed with.
    pub(super) const fn lanes(self) -> Self {
        self
    }

    /// What float32 is computed with.
    pub(super) const fn floats(self) -> Avx2 {
        self
    }
}

/// Every function here is for methods of [`Avx2`] and of what contains one, which exist only where there is AVX2.
#[inline(always)]
pub(super) fn load<T: Number, const N: usize>(values: &[T; N]) -> __m256i {
    const { assert!(size_of::<[T; N]>() == size_of::<__m256i>()) };
    // SAFETY: the array has the bytes that are read, from any address; and see above.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

/// What vectors are loaded from.
pub(super) trait Number: Copy {}

impl Number for i8 {}
impl Number for i32 {}

/// 32 bytes as 16-bit numbers: the lower 16 bytes, then the upper ones.
#[inline(always)]
fn widened(values: &[i8; GROUP]) -> [__m256i; 2] {
    let half = |at: usize| -> __m256i {
        // SAFETY: 16 bytes from `at` on, which is 0 or 16; and see `load`.
        unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(values.as_ptr().add(at).cast())) }
    };
    [half(0), half(GROUP / 2)]
}

/// How sums become outputs, in registers.
#[derive(Clone, Copy)]
pub(in crate::arch) struct Scale {
    multipliers: __m256i,
    /// Those of the odd lanes in the even ones, where a multiplication takes them from.
    odd_multipliers: __m256i,
    left: __m256i,
    right: __m256i,
    zero_point: __m256i,
    min: __m256i,
    max: __m256i,
}

impl Lanes for Avx2 {
    type Sums = __m256i;
    type Inputs = [__m256i; 2];
    type Weights = [__m256i; 2];
    type Chunk = [__m256i; 2];
    type Scale = Scale;

    const OFFSET: i32 = 0;

    /// Pairs of taps, the first pair of every channel before the second of any.
    #[inline(always)]
    fn place(channel: usize, tap: usize) -> usize {
        tap / 2 * (LANES * 2) + channel * 2 + tap % 2
    }

    #[inline(always)]
    fn sums(self, sums: [i32; LANES]) -> __m256i {
        load(&sums)
    }

    #[inline(always)]
    fn inputs(self, inputs: [i8; TAPS]) -> [__m256i; 2] {
        let word = i32::from_le_bytes(inputs.map(i8::cast_unsigned));
        // SAFETY: `self` exists.
        unsafe {
            // The four inputs, over and over.
            let all = _mm256_cvtepi8_epi16(_mm_set1_epi32(word));
            [
                _mm256_shuffle_epi32::<0b00_00_00_00>(all),
                _mm256_shuffle_epi32::<0b01_01_01_01>(all),
            ]
        }
    }

    #[inline(always)]
    fn weights(self, weights: &[i8; GROUP]) -> [__m256i; 2] {
        widened(weights)
    }

    #[inline(always)]
    fn multiply_add(self, sums: __m256i, inputs: [__m256i; 2], weights: [__m256i; 2]) -> __m256i {
        let ([x0, x1], [w0, w1]) = (inputs, weights);
        // SAFETY: `self` exists.
        unsafe {
            let products = _mm256_add_epi32(_mm256_madd_epi16(x0, w0), _mm256_madd_epi16(x1, w1));
            _mm256_add_epi32(sums, products)
        }
    }

    #[inline(always)]
    fn larger(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` exists.
        unsafe { _mm256_max_epi32(a, b) }
    }

    #[inline(always)]
    fn weight_factor(_zero_point: i32) -> i32 {
        0
    }

    #[inline(always)]
    fn chunk(self, inputs: &[i8; GROUP], zero_point: i32) -> [__m256i; 2] {
        // SAFETY: `self` exists.
        widened(inputs)
            .map(|x| unsafe { _mm256_sub_epi16(x, _mm256_set1_epi16(zero_point as i16)) })
    }

    #[inline(always)]
    fn dot(self, sums: __m256i, inputs: [__m256i; 2], weights: &[i8; GROUP]) -> __m256i {
        self.multiply_add(sums, inputs, widened(weights))
    }

    #[inline(always)]
    fn add_weights(self, sums: __m256i, weights: &[i8; GROUP]) -> __m256i {
        // SAFETY: `self` exists.
        let ones = unsafe { _mm256_set1_epi16(1) };
        self.multiply_add(sums, [ones; 2], widened(weights))
    }

    #[inline(always)]
    fn totals(self, sums: [__m256i; LANES]) -> [i32; LANES] {
        let [a, b, c, d, e, f, g, h] = sums;
        let mut totals = [0; LANES];
        // SAFETY: `self` exists, and the array has the bytes that are written.
        unsafe {
            // Each half of these holds a half of the sums of four.
            let low = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
            let high = _mm256_hadd_epi32(_mm256_hadd_epi32(e, f), _mm256_hadd_epi32(g, h));
            let total = _mm256_add_epi32(
                _mm256_permute2x128_si256::<0x20>(low, high),
                _mm256_permute2x128_si256::<0x31>(low, high),
            );
            _mm256_storeu_si256(totals.as_mut_ptr().cast(), total);
        }
        totals
    }

    #[inline(always)]
    fn scale(self, scaling: &Scaling) -> Scale {
        let multipliers = load(&scaling.multipliers);
        // SAFETY: `self` exists.
        unsafe {
            Scale {
                multipliers,
                odd_multipliers: _mm256_srli_epi64::<32>(multipliers),
                left: load(&scaling.left),
                right: load(&scaling.right),
                zero_point: _mm256_set1_epi32(scaling.zero_point),
                min: _mm256_set1_epi32(scaling.range.min),
                max: _mm256_set1_epi32(scaling.range.max),
            }
        }
    }

    #[inline(always)]
    fn finish(self, sums: __m256i, scale: &Scale) -> [i8; LANES] {
        // SAFETY: `self` exists.
        let bytes = unsafe {
            let sums = _mm256_sllv_epi32(sums, scale.left);
            let half = _mm256_set1_epi64x(1 << 30);
            let even = _mm256_mul_epi32(sums, scale.multipliers);
            let odd = _mm256_mul_epi32(_mm256_srli_epi64::<32>(sums), scale.odd_multipliers);
            // Bits 31..63 of each, to where its lane is.
            let even = _mm256_srli_epi64::<31>(_mm256_add_epi64(even, half));
            let odd = _mm256_slli_epi64::<1>(_mm256_add_epi64(odd, half));
            let product = _mm256_blend_epi32::<0b1010_1010>(even, odd);
            let lowered = _mm256_add_epi32(product, _mm256_srai_epi32::<31>(product));
            let shifted = _mm256_srav_epi32(lowered, scale.right);
            let rounded = _mm256_srai_epi32::<1>(_mm256_add_epi32(shifted, _mm256_set1_epi32(1)));
            // -1 has the sign bit in every byte, a count in none.
            let scaled = _mm256_blendv_epi8(rounded, product, scale.right);
            let output = _mm256_add_epi32(scaled, scale.zero_point);
            let output = _mm256_max_epi32(_mm256_min_epi32(output, scale.max), scale.min);
            let (low, high): (__m128i, __m128i) = (
                _mm256_castsi256_si128(output),
                _mm256_extracti128_si256::<1>(output),
            );
            // They are within int8, so that nothing saturates.
            let words = _mm_packs_epi32(low, high);
            _mm_cvtsi128_si64(_mm_packs_epi16(words, words))
        };
        bytes.to_le_bytes().map(u8::cast_signed)
    }
}
