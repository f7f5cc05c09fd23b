//! How much is pruned when, during training: the two schedules of the TensorFlow Model Optimization toolkit.

use serde::{Deserialize, Serialize};

use crate::CompressError;

/// How much is pruned at which step of training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "schedule")]
pub enum Schedule {
    /// The same from `begin` on.
    Constant {
        /// The share of weights that are 0, in 0..=1.
        sparsity: f64,
        /// The first step that prunes.
        begin: u64,
        /// Steps from one choice of weights to the next.
        frequency: u64,
    },
    /// From `initial` to `last`, fast at first: `last + (initial - last) (1 - t)^power`, `t` from 0 at `begin` to 1 at `end`
    /// (Zhu and Gupta, "To prune, or not to prune", 2017, with a power of 3).
    Polynomial {
        /// The share of weights that are 0 at `begin`.
        initial: f64,
        /// The share of weights that are 0 from `end` on.
        last: f64,
        /// The first step that prunes.
        begin: u64,
        /// The step at which the last sparsity is reached.
        end: u64,
        /// How much faster the beginning is.
        power: f64,
        /// Steps from one choice of weights to the next.
        frequency: u64,
    },
}

impl Schedule {
    /// The sparsity for which weights are to be chosen anew after step `step`; `None` when the choice stays as it is. The
    /// last sparsity is always chosen, at `end`, whatever the frequency; after that the choice is final.
    #[must_use]
    pub fn at(&self, step: u64) -> Option<f64> {
        let due = |begin: u64, frequency: u64| {
            step >= begin && (step - begin).is_multiple_of(frequency.max(1))
        };
        match *self {
            Self::Constant {
                sparsity,
                begin,
                frequency,
            } => due(begin, frequency).then_some(sparsity),
            Self::Polynomial {
                initial,
                last,
                begin,
                end,
                power,
                frequency,
            } => {
                if step > end || !(due(begin, frequency) || step == end) {
                    return None;
                }
                let along = if end > begin {
                    step.saturating_sub(begin) as f64 / (end - begin) as f64
                } else {
                    1.0
                };
                Some(last + (initial - last) * (1.0 - along).powf(power))
            }
        }
    }

    /// Whether the schedule can be followed.
    ///
    /// # Errors
    /// When a sparsity is not in 0..=1, the frequency is 0, the end comes before the beginning, or the power is not a positive
    /// number.
    pub fn check(&self) -> Result<(), CompressError> {
        let sparsity = |found: f64| {
            if (0.0..=1.0).contains(&found) {
                Ok(())
            } else {
                Err(CompressError::Sparsity { found })
            }
        };
        let wrong = |problem: String| Err(CompressError::Schedule { problem });
        match *self {
            Self::Constant {
                sparsity: only,
                frequency,
                ..
            } => {
                sparsity(only)?;
                if frequency == 0 {
                    return wrong("the frequency is 0".to_owned());
                }
            }
            Self::Polynomial {
                initial,
                last,
                begin,
                end,
                power,
                frequency,
            } => {
                sparsity(initial)?;
                sparsity(last)?;
                if frequency == 0 {
                    return wrong("the frequency is 0".to_owned());
                }
                if end < begin {
                    return wrong(format!(
                        "it ends at step {end}, before it begins at {begin}"
                    ));
                }
                if !(power.is_finite() && power > 0.0) {
                    return wrong(format!("the power is {power}"));
                }
            }
        }
        Ok(())
    }
}
