//! The mean cross-entropy of logits, in f64 where it counts.

use super::Kernel;

/// Of `[N, classes]` logits against a label for each row.
#[derive(Clone, Debug)]
pub(crate) struct CrossEntropy {
    pub(crate) labels: Vec<u8>,
}

impl Kernel<1> for CrossEntropy {
    /// The gradient of a loss of which the gradient is 1.
    type Saved = Vec<f32>;

    fn forward(&self, [logits]: [&[f32]; 1]) -> (Vec<f32>, Vec<f32>) {
        let count = self.labels.len().max(1);
        let classes = (logits.len() / count).max(1);
        let mut gradient = Vec::with_capacity(logits.len());
        let mut loss = 0.0;
        let mut powers = vec![0.0; classes];
        for (row, label) in logits.chunks(classes).zip(&self.labels) {
            let label = usize::from(*label);
            let greatest = row.iter().fold(f32::NEG_INFINITY, |most, x| most.max(*x));
            for (power, logit) in powers.iter_mut().zip(row) {
                *power = f64::from(logit - greatest).exp();
            }
            let sum: f64 = powers.iter().sum();
            loss += sum.ln() + f64::from(greatest) - f64::from(row[label]);
            gradient.extend(powers.iter().enumerate().map(|(class, power)| {
                let expected = f64::from(u8::from(class == label));
                ((power / sum - expected) / count as f64) as f32
            }));
        }
        (vec![(loss / count as f64) as f32], gradient)
    }

    fn backward(
        &self,
        _: [&[f32]; 1],
        saved: &Vec<f32>,
        gradient: &[f32],
        _: [bool; 1],
    ) -> [Option<Vec<f32>>; 1] {
        let factor = gradient.first().copied().unwrap_or(0.0);
        [Some(saved.iter().map(|own| own * factor).collect())]
    }

    fn shape(&self) -> [usize; 2] {
        [1, 1]
    }
}
