//! Handwritten digits that this crate draws itself, for when no data set can be had.
//!
//! Each image follows from the seed and its index alone, so that threads can share the work and the first `n` images
//! are the same whatever their number. The bytes are the same on every platform: the random numbers are integers, and
//! the drawing uses only arithmetic that IEEE 754 defines to the bit.

mod pen;
mod raster;
mod skeletons;

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::dataset::{Dataset, Split};
use crate::rng::Rng;
use raster::SIDE;

/// How many digits to draw, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntheticOptions {
    /// Another seed draws other digits.
    pub seed: u64,
    /// Images to train on.
    pub train: usize,
    /// Images to test with.
    pub test: usize,
}

impl Default for SyntheticOptions {
    /// As many as MNIST has.
    fn default() -> Self {
        Self {
            seed: 1,
            train: 60_000,
            test: 10_000,
        }
    }
}

/// The index of the first test image: no training set is as long.
const FIRST_TEST: u64 = 1 << 32;

/// Draws a data set of 28×28 pixels. `progress` gets the images done and their total, from any thread.
#[must_use]
pub(crate) fn draw(
    options: &SyntheticOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Dataset {
    let total = options.train + options.test;
    let done = AtomicUsize::new(0);
    let count = |images: usize| progress(done.fetch_add(images, Ordering::Relaxed) + images, total);
    let train = split(options.seed, 0, options.train, &count);
    let test = split(options.seed, FIRST_TEST, options.test, &count);
    Dataset::new("synthetic", train, test)
}

fn split(seed: u64, first: u64, count: usize, done: &(dyn Fn(usize) + Sync)) -> Split {
    const CHUNK: usize = 256;
    let mut images = vec![0; count * SIDE * SIDE];
    let mut labels = vec![0; count];
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let chunks = images
        .chunks_mut(CHUNK * SIDE * SIDE)
        .zip(labels.chunks_mut(CHUNK))
        .enumerate();
    let work = std::sync::Mutex::new(chunks);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = work.lock().map_or(None, |mut work| work.next());
                    let Some((chunk, (images, labels))) = next else {
                        return;
                    };
                    for (index, (image, label)) in images
                        .chunks_exact_mut(SIDE * SIDE)
                        .zip(&mut *labels)
                        .enumerate()
                    {
                        *label = image_at(seed, first + (chunk * CHUNK + index) as u64, image);
                    }
                    done(labels.len());
                }
            });
        }
    });
    Split::of_drawn(images, labels, SIDE, SIDE)
}

/// Draws the image `index` of a seed and returns its label.
fn image_at(seed: u64, index: u64, image: &mut [u8]) -> u8 {
    let mut rng = Rng::for_item(seed, index);
    let digit = rng.below(skeletons::DIGITS.len());
    let pieces = pen::draw(digit, &mut rng);
    raster::render(&pieces, &raster::Ink::random(&mut rng), image);
    digit as u8
}
