//! TFLM's signal library, the custom operators in front of a model that hears: `signal/micro/kernels` and `signal/src` in its
//! repository. Audio is int16, spectra are complex numbers of int16, int32 or float32, energies uint32.
//!
//! Where TFLM leaves an output as it is (a frame that is not complete yet, energies outside the range), these write zeros: so
//! that a run's outputs depend on nothing but its inputs and those before.

pub mod delay;
pub mod energy;
pub mod fft;
pub mod fft_auto_scale;
pub mod filter_bank;
pub mod filter_bank_log;
pub mod filter_bank_spectral_subtraction;
pub mod filter_bank_square_root;
pub mod framer;
pub mod irfft;
pub mod overlap_add;
pub mod pcan;
pub mod rfft;
pub mod stacker;
pub mod twiddles;
pub mod window;

pub use fft::{Complex, Sample};

/// The row at `index` of rows of `len` elements, empty where there is none.
fn row<T>(elements: &[T], index: usize, len: usize) -> &[T] {
    let start = index.wrapping_mul(len);
    let row = elements.get(start..start.wrapping_add(len));
    row.unwrap_or_default()
}

/// [`row`] for writing.
fn row_mut<T>(elements: &mut [T], index: usize, len: usize) -> &mut [T] {
    let start = index.wrapping_mul(len);
    let row = elements.get_mut(start..start.wrapping_add(len));
    row.unwrap_or_default()
}

/// Moves `kept` and then `new` through a window as long as `kept`: what is left of both is their last `kept.len()` elements.
fn keep_last<T: Copy>(kept: &mut [T], new: &[T]) {
    let len = kept.len();
    for at in 0..len {
        let from = at.wrapping_add(new.len());
        let value = match from.checked_sub(len) {
            None => kept.get(from),
            Some(from) => new.get(from),
        };
        if let (Some(value), Some(place)) = (value.copied(), kept.get_mut(at)) {
            *place = value;
        }
    }
}

/// Bits up to the highest one that is set: 0 for 0. `signal/src/msb_32.cc` says 32 there; those who ask exclude it or do not mind.
const fn bits(value: u32) -> u32 {
    u32::BITS.wrapping_sub(value.leading_zeros())
}
