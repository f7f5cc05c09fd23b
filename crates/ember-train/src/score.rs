//! Loss and accuracy.

use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use ember_data::Split;

use crate::examples;
use crate::kernels::{self, cross_entropy::CrossEntropy};
use crate::network::numbers;

/// Images that are evaluated together.
const BATCH: usize = 250;

/// The running loss and accuracy over some images.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Score {
    /// Images seen.
    pub images: u64,
    /// Images whose greatest logit was their label's; of equals the first counts.
    pub correct: u64,
    /// Sum of the cross-entropy, in nats.
    pub loss_sum: f64,
}

impl Score {
    /// Share of the images that were right; 0 before the first.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / (self.images as f64).max(1.0)
    }

    /// Mean cross-entropy, in nats; 0 before the first image.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.loss_sum / (self.images as f64).max(1.0)
    }

    /// Adds rows of logits. The arithmetic is in f64 and in the order of the images, so the sum is the same on every
    /// machine that has the same logits.
    pub(crate) fn add(&mut self, logits: &[f32], labels: &[u8]) {
        let classes = logits.len() / labels.len().max(1);
        for (row, &label) in logits.chunks(classes.max(1)).zip(labels) {
            let mut best = 0;
            for (class, logit) in row.iter().enumerate() {
                if *logit > row[best] {
                    best = class;
                }
            }
            let label = usize::from(label);
            let greatest = f64::from(row[best]);
            let sum: f64 = row
                .iter()
                .map(|logit| (f64::from(*logit) - greatest).exp())
                .sum();
            self.images += 1;
            self.correct += u64::from(best == label);
            self.loss_sum += sum.ln() + greatest - f64::from(row[label]);
        }
    }
}

/// The mean cross-entropy of logits `[N, classes]`, for the gradient.
pub(crate) fn cross_entropy(logits: Tensor<2>, labels: &[u8]) -> Tensor<1> {
    let kernel = CrossEntropy {
        labels: labels.to_vec(),
    };
    match kernels::apply(kernel, [&logits]) {
        Some(loss) => loss.reshape([1]),
        None => composed(logits, labels),
    }
}

/// The same out of Burn's operators.
pub(crate) fn composed(logits: Tensor<2>, labels: &[u8]) -> Tensor<1> {
    let labels: Vec<i32> = labels.iter().map(|&label| i32::from(label)).collect();
    let count = labels.len();
    let labels = TensorData::new(labels, [count, 1]);
    let labels = Tensor::<2, Int>::from_data(labels, &logits.device());
    activation::log_softmax(logits, 1)
        .gather(1, labels)
        .mean()
        .neg()
}

/// How a network, given by its forward pass, does on these images. `progress` learns the number of images done.
pub(crate) fn evaluate(
    forward: impl Fn(Tensor<2>) -> Tensor<2>,
    device: &Device,
    split: &Split,
    mut progress: impl FnMut(u64),
) -> Score {
    let mut score = Score::default();
    let all: Vec<usize> = (0..split.len()).collect();
    for batch in all.chunks(BATCH) {
        let logits = forward(examples::images(split, batch, device));
        score.add(&numbers(logits), &examples::labels(split, batch));
        progress(score.images);
    }
    score
}

#[cfg(test)]
mod tests {
    use super::Score;

    #[test]
    fn a_score_counts_hits_and_sums_cross_entropy() {
        let mut score = Score::default();
        score.add(&[0.0, 0.0, 1.0, 3.0], &[0, 0]);
        assert_eq!((score.images, score.correct), (2, 1));
        let expected = (2.0f64.ln() + (1.0 + 2.0f64.exp()).ln()) / 2.0;
        assert!((score.loss() - expected).abs() < 1e-12);
        assert_eq!(score.accuracy(), 0.5);
    }

    #[test]
    fn huge_logits_do_not_overflow() {
        let mut score = Score::default();
        score.add(&[1e30, -1e30], &[0]);
        assert_eq!(score.loss(), 0.0);
    }
}
