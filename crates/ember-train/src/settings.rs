//! What a training is asked to do.

use crate::{Backend, TrainError};

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
    /// Adam's step size.
    pub learning_rate: f64,
    /// Source of all randomness.
    pub seed: u64,
    /// Training images that are held back for validation.
    pub validation: usize,
    /// Stop after this many steps in all.
    pub limit_steps: Option<u64>,
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
        Ok(())
    }

    /// Each setting that shapes the weights and differs in `other`: its name, our value, the other's. The number of epochs
    /// and the limit of steps only say when to stop.
    pub(crate) fn differences(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        let backend = |settings: &Self| settings.backend.name().to_owned();
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
            ("--seed", self.seed.to_string(), other.seed.to_string()),
            (
                "--validation",
                self.validation.to_string(),
                other.validation.to_string(),
            ),
        ];
        rows.into_iter()
            .filter(|(_, ours, theirs)| ours != theirs)
            .collect()
    }
}
