//! Images with labels, split into those to train on and those to test with.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::rng::Rng;

/// A data set as every later stage sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// `mnist`, `synthetic`, or the name of the folder it was read from; the reports show it.
    pub name: String,
    /// The images to train on; a validation split is taken from these.
    pub train: Split,
    /// The images that are touched once, at the end.
    pub test: Split,
    /// SHA-256 (hexadecimal) of both splits: sizes, pixels and labels. Two data sets with the same fingerprint hold the
    /// same images, whatever files they came from.
    pub fingerprint: String,
}

impl Dataset {
    /// A data set of two splits; computes its fingerprint.
    #[must_use]
    pub fn new(name: impl Into<String>, train: Split, test: Split) -> Self {
        let mut hash = Sha256::new();
        for split in [&train, &test] {
            for size in [split.len(), split.rows, split.cols] {
                hash.update((size as u64).to_le_bytes());
            }
            hash.update(split.images());
            hash.update(split.labels());
        }
        Self {
            name: name.into(),
            train,
            test,
            fingerprint: crate::hex(&hash.finalize()),
        }
    }
}

/// Images and their labels. Cloning shares the pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct Split {
    images: Arc<[u8]>,
    labels: Arc<[u8]>,
    rows: usize,
    cols: usize,
}

impl Split {
    /// A split of `images` `[N, rows, cols]` and `labels` `[N]`; none where the lengths do not fit each other.
    #[must_use]
    pub fn new(
        images: impl Into<Arc<[u8]>>,
        labels: impl Into<Arc<[u8]>>,
        rows: usize,
        cols: usize,
    ) -> Option<Self> {
        let (images, labels) = (images.into(), labels.into());
        let expected = labels.len().checked_mul(rows)?.checked_mul(cols)?;
        let fits = images.len() == expected && rows > 0 && cols > 0;
        fits.then_some(Self {
            images,
            labels,
            rows,
            cols,
        })
    }

    /// The split of images that this crate drew itself, one for each label.
    pub(crate) fn of_drawn(images: Vec<u8>, labels: Vec<u8>, rows: usize, cols: usize) -> Self {
        debug_assert_eq!(images.len(), labels.len() * rows * cols);
        Self {
            images: images.into(),
            labels: labels.into(),
            rows,
            cols,
        }
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Pixels from top to bottom.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Pixels from left to right.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Pixels (bytes) of one image.
    #[must_use]
    pub fn image_bytes(&self) -> usize {
        self.rows * self.cols
    }

    /// All images `[N, rows, cols]`; 0 is background, 255 is ink.
    #[must_use]
    pub fn images(&self) -> &[u8] {
        &self.images
    }

    /// All labels `[N]`.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The image `index`, `[rows, cols]`.
    ///
    /// # Panics
    /// Where there is no such image, as indexing a slice does.
    #[must_use]
    pub fn image(&self, index: usize) -> &[u8] {
        let bytes = self.image_bytes();
        &self.images[index * bytes..][..bytes]
    }

    /// Images with their labels, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], u8)> {
        self.images
            .chunks_exact(self.image_bytes())
            .zip(self.labels.iter().copied())
    }

    /// The first `count` images, or all where there are fewer.
    #[must_use]
    pub fn take(&self, count: usize) -> Self {
        let count = count.min(self.len());
        if count == self.len() {
            return self.clone();
        }
        Self {
            images: self.images[..count * self.image_bytes()].into(),
            labels: self.labels[..count].into(),
            ..*self
        }
    }

    /// The images with these indices, in this order.
    ///
    /// # Panics
    /// Where there is no such image, as indexing a slice does.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let mut images = Vec::with_capacity(indices.len() * self.image_bytes());
        for index in indices {
            images.extend_from_slice(self.image(*index));
        }
        Self {
            images: images.into(),
            labels: indices.iter().map(|index| self.labels[*index]).collect(),
            ..*self
        }
    }

    /// `count` images drawn at random without repetition (all where there are fewer), the same for the same seed: a
    /// representative dataset for calibration.
    #[must_use]
    pub fn sample(&self, count: usize, seed: u64) -> Self {
        let order = self.shuffled(seed);
        self.select(&order[..count.min(self.len())])
    }

    /// Two disjoint splits that together are this one: the remaining images, and `held_out` images (all where there
    /// are fewer) for validation, drawn at random, the same for the same seed. Both keep the original order.
    #[must_use]
    pub fn hold_out(&self, held_out: usize, seed: u64) -> (Self, Self) {
        let mut order = self.shuffled(seed);
        let (validation, rest) = order.split_at_mut(held_out.min(self.len()));
        validation.sort_unstable();
        rest.sort_unstable();
        (self.select(rest), self.select(validation))
    }

    fn shuffled(&self, seed: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        Rng::new(seed).shuffle(&mut order);
        order
    }
}

impl std::fmt::Debug for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Split {{ {} images of {}x{} }}",
            self.len(),
            self.rows,
            self.cols
        )
    }
}
