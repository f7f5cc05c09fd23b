//! Compiles the loops of the kernels for vector instructions that not every processor has, and picks them at run time.
//!
//! Whether products and sums are fused decides their last bit, so the same seed gives the same bits on machines that agree in
//! it: [`crate::host::cpu`] names them.
#![allow(
    unsafe_code,
    reason = "calling a function that was compiled for more instructions than the program"
)]

use super::convolution::{self, Convolution};
use super::{adam, dense, round};

/// Numbers of a vector.
pub(super) const LANES: usize = 8;

/// What the kernels are compiled for.
pub(super) trait Arithmetic {
    /// [`LANES`] numbers.
    type Vector: Vector;

    /// `sum + left * right`, rounded as [`Vector::add_product`] rounds.
    fn add_product(sum: f32, left: f32, right: f32) -> f32;
}

/// [`LANES`] numbers, on which everything is done side by side.
pub(super) trait Vector: Copy {
    /// The same number in all lanes.
    fn splat(number: f32) -> Self;
    fn load(numbers: &[f32; LANES]) -> Self;
    fn store(self, numbers: &mut [f32; LANES]);
    fn add(self, other: Self) -> Self;
    /// `self + left * right`.
    fn add_product(self, left: Self, right: Self) -> Self;
    /// `yes` where this is greater than `than`, else `no`.
    fn where_greater(self, than: Self, yes: Self, no: Self) -> Self;
}

/// For every processor.
struct Portable;

impl Arithmetic for Portable {
    type Vector = [f32; LANES];

    #[inline(always)]
    fn add_product(sum: f32, left: f32, right: f32) -> f32 {
        left * right + sum
    }
}

impl Vector for [f32; LANES] {
    #[inline(always)]
    fn splat(number: f32) -> Self {
        [number; LANES]
    }

    #[inline(always)]
    fn load(numbers: &Self) -> Self {
        *numbers
    }

    #[inline(always)]
    fn store(self, numbers: &mut Self) {
        *numbers = self;
    }

    #[inline(always)]
    fn add(mut self, other: Self) -> Self {
        for lane in 0..LANES {
            self[lane] += other[lane];
        }
        self
    }

    #[inline(always)]
    fn add_product(mut self, left: Self, right: Self) -> Self {
        for lane in 0..LANES {
            self[lane] += left[lane] * right[lane];
        }
        self
    }

    #[inline(always)]
    fn where_greater(self, than: Self, yes: Self, mut no: Self) -> Self {
        for lane in 0..LANES {
            no[lane] = if self[lane] > than[lane] {
                yes[lane]
            } else {
                no[lane]
            };
        }
        no
    }
}

/// For x86-64 with AVX2 and fused products.
#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::{
        __m256, _CMP_GT_OQ, _mm256_add_ps, _mm256_blendv_ps, _mm256_cmp_ps, _mm256_fmadd_ps,
        _mm256_loadu_ps, _mm256_set1_ps, _mm256_storeu_ps,
    };

    use super::{Arithmetic, LANES, Vector};

    pub(super) struct Wide;

    /// **Invariant:** made and used only within the functions that [`super::picked`] compiles for these instructions.
    #[derive(Clone, Copy)]
    pub(super) struct Eight(__m256);

    impl Arithmetic for Wide {
        type Vector = Eight;

        #[inline(always)]
        fn add_product(sum: f32, left: f32, right: f32) -> f32 {
            left.mul_add(right, sum)
        }
    }

    // SAFETY of all blocks: the processor has the instructions, by the invariant of the type; loads and stores need no
    // alignment and stay within the array.
    impl Vector for Eight {
        #[inline(always)]
        fn splat(number: f32) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_set1_ps(number) })
        }

        #[inline(always)]
        fn load(numbers: &[f32; LANES]) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_loadu_ps(numbers.as_ptr()) })
        }

        #[inline(always)]
        fn store(self, numbers: &mut [f32; LANES]) {
            // SAFETY: see above.
            unsafe { _mm256_storeu_ps(numbers.as_mut_ptr(), self.0) }
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_add_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn add_product(self, left: Self, right: Self) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_fmadd_ps(left.0, right.0, self.0) })
        }

        #[inline(always)]
        fn where_greater(self, than: Self, yes: Self, no: Self) -> Self {
            // SAFETY: see above.
            unsafe {
                let greater = _mm256_cmp_ps::<_CMP_GT_OQ>(self.0, than.0);
                Self(_mm256_blendv_ps(no.0, yes.0, greater))
            }
        }
    }
}

macro_rules! picked {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) = $module:ident::$body:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name($($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn compiled($($argument: $type),*) {
                    $module::$body::<wide::Wide>($($argument),*);
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the processor has what this was compiled for.
                    unsafe { compiled($($argument),*) };
                    return;
                }
            }
            $module::$body::<Portable>($($argument),*);
        }
    )*};
}

picked! {
    /// See [`convolution::image_forward`].
    fn image_forward(own: &Convolution, padded: &[f32], filter: &[f32], bias: &[f32], output: &mut [f32]) = convolution::image_forward;
    /// See [`convolution::filter_gradient`].
    fn filter_gradient(own: &Convolution, padded: &[f32], gradient: &[f32], filter: &mut [f32], bias: &mut [f32]) = convolution::filter_gradient;
    /// See [`convolution::image_gradient`].
    fn image_gradient(own: &Convolution, gradient: &[f32], filter: &[f32], padded: &mut [f32]) = convolution::image_gradient;
    /// See [`convolution::pool`].
    fn pool(own: &convolution::Pool, image: &[f32], best: &mut [f32], winners: &mut [u32]) = convolution::pool;
    /// See [`dense::products`].
    fn products(rows: &[f32], weights: &[f32], bias: &[f32], output: &mut [f32]) = dense::products;
    /// See [`dense::combine`].
    fn combine(factors: &[f32], strides: [usize; 2], rows: &[f32], output: &mut [f32], width: usize) = dense::combine;
    /// See [`round::round`].
    fn round(own: &round::Round, numbers: &[f32], rounded: &mut [f32]) = round::round;
    /// See [`adam::update`].
    fn adam_update(step: &adam::Step, weights: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) = adam::update;
}

#[cfg(test)]
mod tests {
    use ember_graph::random::Random;

    use super::{Portable, dense};

    /// The other kernels differ from one processor to another in the same two operations.
    #[test]
    fn every_processor_computes_nearly_the_same() {
        let mut random = Random::new(1);
        for (count, inputs, outputs) in [(5, 37, 6), (2, 16, 4), (1, 3, 1)] {
            let [rows, weights] = [count, outputs].map(|rows| random.numbers(rows * inputs));
            let bias = random.numbers(outputs);
            let [mut here, mut anywhere] = [(); 2].map(|()| vec![0.0; count * outputs]);
            super::products(&rows, &weights, &bias, &mut here);
            dense::products::<Portable>(&rows, &weights, &bias, &mut anywhere);
            for (here, anywhere) in here.iter().zip(&anywhere) {
                assert!((here - anywhere).abs() < 1e-4, "{here} {anywhere}");
            }
        }
    }
}
