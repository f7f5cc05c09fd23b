//! What a training is asked to do.

use crate::{Backend, Compression, TrainError};

/// The settings of a training.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Settings {
    /// Name of the graph.
    pub model: String,
    /// Name of the dataset.
    pub dataset: String,
    /// Where it runs.
    pub backend: Backend,
    /// Passes over the training images.
    pub epochs: usize,
    /// Images per step.
    pub batch: usize,
    /// Adam's step size at the start.
    pub learning_rate: f64,
    /// Adam's step size at the end of the last epoch, reached along half a cosine; none where it stays the same.
    #[serde(default)]
    pub final_learning_rate: Option<f64>,
    /// Source of all randomness.
    pub seed: u64,
    /// Training images that are held back for validation.
    pub validation: usize,
    /// Stop after this many steps in all.
    pub limit_steps: Option<u64>,
    /// What it does besides learning.
    #[serde(default)]
    pub compression: Compression,
}

impl Settings {
    /// Whether a training with these settings can run over `count` images.
    ///
    /// # Errors
    /// The first setting that is outside its range.
    pub(crate) fn check(&self, count: usize) -> Result<(), TrainError> {
        let rest = count.saturating_sub(self.validation);
        let checks = [
            (
                "--epochs",
                self.epochs.to_string(),
                self.epochs > 0,
                "at least 1".to_owned(),
            ),
            (
                "--validation",
                self.validation.to_string(),
                rest > 0,
                format!("fewer than the {count} training images"),
            ),
            (
                "--batch",
                self.batch.to_string(),
                (1..=rest).contains(&self.batch),
                format!("1 to {rest}, the training images without those for validation"),
            ),
            (
                "--learning-rate",
                self.learning_rate.to_string(),
                self.learning_rate.is_finite() && self.learning_rate > 0.0,
                "a positive number".to_owned(),
            ),
            (
                "--final-learning-rate",
                self.final_learning_rate.unwrap_or(0.0).to_string(),
                self.final_learning_rate
                    .is_none_or(|rate| (0.0..=self.learning_rate).contains(&rate)),
                format!("0 to {}, the learning rate", self.learning_rate),
            ),
            (
                "--limit-steps",
                self.limit_steps.unwrap_or(1).to_string(),
                self.limit_steps != Some(0),
                "at least 1".to_owned(),
            ),
        ];
        for (setting, value, good, range) in checks {
            if !good {
                return Err(TrainError::Setting {
                    setting,
                    value,
                    expected: format!("expected {range}"),
                });
            }
        }
        self.compression.check(self.steps(count))
    }

    /// Steps of all epochs together over `count` images, some of which are held back.
    #[must_use]
    pub fn steps(&self, count: usize) -> u64 {
        let training = count.saturating_sub(self.validation);
        self.epochs as u64 * training.div_ceil(self.batch.max(1)) as u64
    }

    /// Adam's step size at step `step` (from 0) of `steps` in all (Loshchilov and Hutter, "SGDR: stochastic gradient descent
    /// with warm restarts", 2017, equation 5, without restarts).
    pub(crate) fn learning_rate_at(&self, step: u64, steps: u64) -> f64 {
        let Some(last) = self.final_learning_rate else {
            return self.learning_rate;
        };
        let progress = step as f64 / steps.max(1) as f64;
        let share = (1.0 + (std::f64::consts::PI * progress.min(1.0)).cos()) / 2.0;
        last + (self.learning_rate - last) * share
    }

    /// Each setting that shapes the weights and differs in `other`: its name, our value, the other's. The number of epochs
    /// and the limit of steps only say when to stop, unless the step size goes by the epochs.
    pub(crate) fn differences(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        let backend = |settings: &Self| settings.backend.name().to_owned();
        let schedule = |settings: &Self| match settings.final_learning_rate {
            Some(rate) => format!("{rate} after {} epochs", settings.epochs),
            None => "none".to_owned(),
        };
        let rows = [
            ("--model", self.model.clone(), other.model.clone()),
            ("--dataset", self.dataset.clone(), other.dataset.clone()),
            ("--backend", backend(self), backend(other)),
            ("--batch", self.batch.to_string(), other.batch.to_string()),
            (
                "--learning-rate",
                self.learning_rate.to_string(),
                other.learning_rate.to_string(),
            ),
            ("--final-learning-rate", schedule(self), schedule(other)),
            ("--seed", self.seed.to_string(), other.seed.to_string()),
            (
                "--validation",
                self.validation.to_string(),
                other.validation.to_string(),
            ),
        ];
        let [ours, theirs] = [&self.compression, &other.compression];
        let debug = |name, ours: &dyn std::fmt::Debug, theirs: &dyn std::fmt::Debug| {
            (name, format!("{ours:?}"), format!("{theirs:?}"))
        };
        let compression = [
            debug("--init", &ours.init, &theirs.init),
            debug("--qat", &ours.qat, &theirs.qat),
            debug("--prune", &ours.prune, &theirs.prune),
            debug("--cluster", &ours.cluster, &theirs.cluster),
            debug("--min-weights", &ours.min_weights, &theirs.min_weights),
            debug("--keep-zeros", &ours.keep_zeros, &theirs.keep_zeros),
            debug(
                "--keep-clusters",
                &ours.keep_clusters,
                &theirs.keep_clusters,
            ),
        ];
        rows.into_iter()
            .chain(compression)
            .filter(|(_, ours, theirs)| ours != theirs)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use crate::{Backend, Compression};

    #[test]
    fn the_learning_rate_falls_along_half_a_cosine() {
        let mut settings = Settings {
            model: String::new(),
            dataset: String::new(),
            backend: Backend::Flex,
            epochs: 4,
            batch: 1,
            learning_rate: 1.0,
            final_learning_rate: Some(0.5),
            seed: 0,
            validation: 0,
            limit_steps: None,
            compression: Compression::default(),
        };
        let rates = [0, 25, 50, 100, 200].map(|step| settings.learning_rate_at(step, 100));
        let expected = [1.0, 0.75 + 0.125_f64.sqrt() / 2.0, 0.75, 0.5, 0.5];
        for (rate, expected) in rates.into_iter().zip(expected) {
            assert!((rate - expected).abs() < 1e-12, "{rate} {expected}");
        }
        settings.final_learning_rate = None;
        assert_eq!(settings.learning_rate_at(99, 100), 1.0);
    }
}
