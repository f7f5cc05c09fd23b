//! What is written down about an epoch.

use serde::{Deserialize, Serialize};

/// One epoch. Accuracies are shares in 0..=1, losses mean cross-entropy in nats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// From 1.
    pub epoch: usize,
    /// Over the training images, while they were trained on.
    pub accuracy: f64,
    /// The same.
    pub loss: f64,
    /// Over the validation images after the epoch; none when there are none.
    pub val_accuracy: Option<f64>,
    /// The same.
    pub val_loss: Option<f64>,
    /// Wall-clock time with validation.
    pub seconds: f64,
}

impl EpochRecord {
    /// The line that users of Keras know.
    #[must_use]
    pub fn line(&self, epochs: usize) -> String {
        let mut line = format!(
            "Epoch {}/{epochs}  accuracy: {:.4}  loss: {:.4}",
            self.epoch, self.accuracy, self.loss
        );
        if let (Some(accuracy), Some(loss)) = (self.val_accuracy, self.val_loss) {
            line.push_str(&format!(
                "  val_accuracy: {accuracy:.4}  val_loss: {loss:.4}"
            ));
        }
        line.push_str(&format!("  time: {:.1} s", self.seconds));
        line
    }
}
