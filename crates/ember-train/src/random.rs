//! The random numbers of a training: initial weights and the order of the images. (Which images are held back for
//! validation is [`Split::hold_out`](ember_data::Split::hold_out)'s, so that later stages can hold back the same.)
//!
//! They come from the project's own generator, so that a seed means the same numbers on every machine and in every
//! version of Burn. Each use has its own stream, which makes the order of epoch 7 a function of the seed and 7 alone: a
//! resumed training needs no generator state.

use ember_data::Rng;

/// What a stream of random numbers is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Initial numbers of the graph's value with this index.
    Weights(usize),
    /// The order of the training images in this epoch, from 0.
    Order(usize),
}

impl Purpose {
    /// The stream for this purpose under `seed`.
    pub(crate) fn stream(self, seed: u64) -> Rng {
        let (kind, index) = match self {
            Self::Weights(index) => (1, index),
            Self::Order(epoch) => (2, epoch),
        };
        Rng::for_item(seed, (kind << 56) | index as u64)
    }
}

/// Uniform in -1.0..1.0.
pub(crate) fn symmetric(rng: &mut Rng) -> f64 {
    f64::from(rng.unit()) * 2.0 - 1.0
}

#[cfg(test)]
mod tests {
    use super::{Purpose, symmetric};

    #[test]
    fn streams_differ_by_seed_purpose_and_index() {
        let mut firsts = [
            Purpose::Order(0).stream(0),
            Purpose::Order(1).stream(0),
            Purpose::Order(0).stream(1),
            Purpose::Weights(0).stream(0),
        ]
        .map(|mut stream| stream.next_u64());
        firsts.sort_unstable();
        assert!(firsts.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn numbers_are_uniform() {
        let mut rng = Purpose::Weights(0).stream(9);
        let numbers: Vec<f64> = (0..100_000).map(|_| symmetric(&mut rng)).collect();
        assert!(numbers.iter().all(|x| (-1.0..1.0).contains(x)));
        let mean = numbers.iter().sum::<f64>() / 1e5;
        let square = numbers.iter().map(|x| x * x).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.01 && (square - 1.0 / 3.0).abs() < 0.01);
    }
}
