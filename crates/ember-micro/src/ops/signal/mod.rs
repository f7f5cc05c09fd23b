//! The operators of TFLM's signal library: `signal/micro/kernels` in its repository. Their options are a FlexBuffers map.
//!
//! What they keep from run to run is a state of their own ([`Prepare::state`]), zero at first.

pub mod delay;
pub mod energy;
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
pub mod window;

use ember_core::Dtype;
use ember_core::view::{self, Plain};
use ember_kernels::signal::{Complex, Sample, fft, twiddles};
use ember_tflite::FlexMap;

use crate::error::{Fault, InvokeFault, Refused};
use crate::prepare::{Operand, Prepare};

/// The options of the operator.
struct Options<'p> {
    cx: &'p Prepare<'p>,
    map: FlexMap<'p>,
}

impl<'p> Options<'p> {
    fn of(cx: &'p Prepare<'p>) -> Result<Self, Refused> {
        let map = FlexMap::parse(cx.operator().custom_options());
        let map = cx.expect(map, Fault::Options)?;
        Ok(Self { cx, map })
    }

    fn i32(&self, key: &str) -> Result<i32, Refused> {
        self.cx.expect(self.map.i32(key), Fault::Options)
    }

    /// A number from 0 to `most`.
    fn up_to(&self, key: &str, most: u32) -> Result<u32, Refused> {
        let value = u32::try_from(self.i32(key)?).ok();
        let value = value.filter(|value| *value <= most);
        self.cx.expect(value, Fault::Options)
    }

    /// A number that is not below 0.
    fn count(&self, key: &str) -> Result<u32, Refused> {
        self.up_to(key, u32::MAX)
    }

    fn bool(&self, key: &str) -> Result<bool, Refused> {
        self.cx.expect(self.map.bool(key), Fault::Options)
    }

    /// Checks the type that the options name: its number in the schema.
    fn type_is(&self, dtype: Dtype) -> Result<(), Refused> {
        let same = self.i32("T")? == dtype as i32;
        self.cx.expect(same.then_some(()), Fault::Options)
    }
}

/// The last dimension, which is not 0, and the product of the others.
fn last(cx: &Prepare<'_>, operand: &Operand<'_>) -> Result<(u32, u32), Refused> {
    let shape = operand.shape()?;
    let last = shape.len().checked_sub(1).and_then(|at| shape.get(at));
    let last = last.and_then(|last| u32::try_from(last).ok());
    let last = cx.expect(last.filter(|last| *last > 0), Fault::Options)?;
    let rows = operand.elements().checked_div(last).unwrap_or(0);
    Ok((rows, last))
}

/// Half of the transform's length in the options.
fn points(options: &Options<'_>) -> Result<u32, Refused> {
    let length = options.count("fft_length")?;
    let points = length / 2;
    let fits = length.is_multiple_of(2) && fft::takes(points);
    options.cx.expect(fits.then_some(points), Fault::Options)
}

/// Keeps what a transform of so many points multiplies by: in TFLM that is computed in the same way, while it prepares.
fn keep_roots<T: Sample>(cx: &Prepare<'_>, points: u32, inverse: bool) -> Result<(), Refused> {
    let words = size_of::<Complex<T>>() / 4;
    let places = cx.places((twiddles::count(points) as usize).saturating_mul(words))?;
    let numbers = twiddles::all::<T>(points, inverse).flat_map(|root| {
        let mut both = [0u32; 2];
        let bytes = view::as_bytes_mut(&mut both);
        let root = [root];
        for (place, byte) in bytes.iter_mut().zip(view::as_bytes(&root)) {
            *place = *byte;
        }
        both.into_iter().take(words)
    });
    for (place, word) in places.iter().zip(numbers) {
        place.set(word);
    }
    Ok(())
}

/// A state of words as a count and as many elements.
fn counted<T: Plain>(
    words: &mut [u32],
    elements: u32,
) -> Result<(&mut u32, &mut [T]), InvokeFault> {
    let split = words.split_first_mut();
    let (count, rest) = split.ok_or(InvokeFault::Prepared)?;
    let rest = view::from_bytes_mut(view::as_bytes_mut(rest));
    let rest = rest.and_then(|rest| rest.get_mut(..elements as usize));
    Ok((count, rest.ok_or(InvokeFault::Prepared)?))
}

/// How many words [`counted`] takes for so many elements.
fn words_of<T>(cx: &Prepare<'_>, elements: Option<u32>) -> Result<u32, Refused> {
    let bytes = elements.and_then(|elements| elements.checked_mul(size_of::<T>() as u32));
    let words = bytes.and_then(|bytes| bytes.div_ceil(4).checked_add(1));
    cx.expect(words, Fault::Options)
}
