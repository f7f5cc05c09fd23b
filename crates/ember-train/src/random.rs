//! The random numbers of a training: initial weights, validation split, order of the images.
//!
//! They come from our own generator, so that a seed means the same numbers on every machine and in every version of
//! Burn. Each use has its own stream, which makes the order of epoch 7 a function of the seed and 7 alone: a resumed
//! training needs no generator state.

/// What a stream of random numbers is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Initial numbers of the graph's constant with this index.
    Weights(usize),
    /// Which training images are held back for validation.
    ValidationSplit,
    /// The order of the training images in this epoch, from 0.
    Order(usize),
}

/// xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021).
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream of `purpose` under `seed`.
    pub(crate) fn new(seed: u64, purpose: Purpose) -> Self {
        let (kind, index) = match purpose {
            Purpose::Weights(index) => (1, index),
            Purpose::ValidationSplit => (2, 0),
            Purpose::Order(epoch) => (3, epoch),
        };
        let mut mixer = seed;
        let mut key = split_mix(&mut mixer) ^ kind;
        key = split_mix(&mut key) ^ index as u64;
        Self {
            state: std::array::from_fn(|_| split_mix(&mut key)),
        }
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// Uniform in -1.0..1.0, with 53 random bits.
    pub(crate) fn symmetric(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (2.0 / (1u64 << 53) as f64) - 1.0
    }

    /// Uniform in `0..bound` (Lemire, "Fast random integer generation in an interval", 2019). `bound` must not be 0.
    fn below(&mut self, bound: u64) -> u64 {
        let rejected = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next()) * u128::from(bound);
            if product as u64 >= rejected {
                return (product >> 64) as u64;
            }
        }
    }

    /// Brings `items` into an order that is uniform over all orders (Fisher and Yates).
    pub(crate) fn shuffle(&mut self, items: &mut [u32]) {
        for last in (1..items.len()).rev() {
            let chosen = self.below(last as u64 + 1) as usize;
            items.swap(chosen, last);
        }
    }
}

/// The next output of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Purpose, Random};

    #[test]
    fn split_mix_gives_the_published_sequence() {
        let mut state = 1_234_567;
        let first: [u64; 3] = std::array::from_fn(|_| super::split_mix(&mut state));
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn xoshiro_follows_its_definition() {
        // From the state 1, 2, 3, 4: rotl(1 + 4, 23) + 1, then the state 7, 0, 262146, 2^45 * 6.
        let mut random = Random {
            state: [1, 2, 3, 4],
        };
        assert_eq!(random.next(), (5 << 23) + 1);
        assert_eq!(random.state, [7, 0, 262_146, 6 << 45]);
    }

    #[test]
    fn streams_differ_by_seed_purpose_and_index() {
        let streams = [
            Random::new(0, Purpose::Order(0)),
            Random::new(0, Purpose::Order(1)),
            Random::new(1, Purpose::Order(0)),
            Random::new(0, Purpose::Weights(0)),
            Random::new(0, Purpose::ValidationSplit),
        ];
        let mut firsts: Vec<u64> = streams.into_iter().map(|mut s| s.next()).collect();
        firsts.sort_unstable();
        firsts.dedup();
        assert_eq!(firsts.len(), 5);
    }

    #[test]
    fn a_shuffle_is_a_permutation_and_depends_on_the_seed() {
        let shuffled = |seed| {
            let mut items: Vec<u32> = (0..1000).collect();
            Random::new(seed, Purpose::Order(3)).shuffle(&mut items);
            items
        };
        let (one, two) = (shuffled(1), shuffled(2));
        assert_eq!(one, shuffled(1));
        assert_ne!(one, two);
        let mut sorted = one;
        sorted.sort_unstable();
        assert!(sorted.iter().copied().eq(0..1000));
    }

    #[test]
    fn numbers_are_uniform() {
        let mut random = Random::new(9, Purpose::Weights(0));
        let numbers: Vec<f64> = (0..100_000).map(|_| random.symmetric()).collect();
        assert!(numbers.iter().all(|x| (-1.0..1.0).contains(x)));
        let mean = numbers.iter().sum::<f64>() / 1e5;
        let square = numbers.iter().map(|x| x * x).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.01 && (square - 1.0 / 3.0).abs() < 0.01);
        let mut counts = [0; 7];
        for _ in 0..70_000 {
            counts[random.below(7) as usize] += 1;
        }
        assert!(counts.iter().all(|&count| (9_600..10_400).contains(&count)));
    }
}
