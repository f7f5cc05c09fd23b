//! What is written down about a training: `training.json`.

use serde::{Deserialize, Serialize};

use crate::Compression;

/// The name of the file beside the trained model.
pub const RECORD_FILE: &str = "training.json";

/// A finished training. Accuracies are shares in 0..=1, losses mean cross-entropy in nats, sizes bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// Name of the model.
    pub model: String,
    /// Its trained numbers.
    pub parameters: u64,
    /// Name of the dataset.
    pub dataset: String,
    /// Its SHA-256, as ember-data computes it.
    pub dataset_fingerprint: String,
    /// Images trained on.
    pub training_images: u64,
    /// Images held back, for every choice.
    pub validation_images: u64,
    /// Images looked at once, at the end.
    pub test_images: u64,
    /// `flex` or `ndarray`.
    pub backend: String,
    /// Epochs begun.
    pub epochs: u64,
    /// Optimizer steps taken.
    pub steps: u64,
    /// Images per step.
    pub batch_size: u64,
    /// The optimizer with its settings, in words.
    pub optimizer: String,
    /// Its step size at the start.
    pub learning_rate: f64,
    /// What the training did besides learning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// Its step size at the end, where it fell along half a cosine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_learning_rate: Option<f64>,
    /// Source of initial weights, held back images and order.
    pub seed: u64,
    /// Whether the training was interrupted at least once.
    pub resumed: bool,
    /// Wall-clock time of the epochs with their validation, without start-up and reading of data.
    pub seconds: f64,
    /// Wall-clock time of the (last) process.
    pub process_seconds: f64,
    /// After the last epoch; none without validation images.
    pub validation_accuracy: Option<f64>,
    /// The same.
    pub validation_loss: Option<f64>,
    /// After the last epoch.
    pub test_accuracy: f64,
    /// The same.
    pub test_loss: f64,
    /// How the model does on the test images of other datasets.
    pub also_tested: Vec<OtherTest>,
    /// Every epoch.
    pub history: Vec<EpochRecord>,
    /// SHA-256 of the trained model's file.
    pub checkpoint_sha256: String,
    /// Size of the trained model's file.
    pub checkpoint_bytes: u64,
    /// Size of the stored training state: parameters and the optimizer's moments.
    pub resume_bytes: Option<u64>,
    /// Size of the training program.
    pub program_bytes: Option<u64>,
    /// The process's greatest resident memory.
    pub peak_ram_bytes: Option<u64>,
    /// Version of Burn.
    pub burn_version: String,
    /// Version of this crate.
    pub ember_version: String,
    /// Instruction set and extensions; the weights' bits depend on them.
    pub cpu: String,
}

/// The result on another dataset's test images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OtherTest {
    /// Name of the dataset.
    pub dataset: String,
    /// Its test images.
    pub test_images: u64,
    /// Share that was right.
    pub test_accuracy: f64,
    /// Mean cross-entropy.
    pub test_loss: f64,
}

/// One epoch.
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
    /// Over the test images after the epoch, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_accuracy: Option<f64>,
    /// Wall-clock time from the start of the process to the end of that test, everything included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested_after_seconds: Option<f64>,
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
        if let Some(accuracy) = self.test_accuracy {
            line.push_str(&format!("  test_accuracy: {accuracy:.4}"));
        }
        line.push_str(&format!("  time: {:.1} s", self.seconds));
        line
    }
}

#[cfg(test)]
mod tests {
    use super::EpochRecord;

    #[test]
    fn the_line_of_an_epoch_is_the_familiar_one() {
        let mut record = EpochRecord {
            epoch: 2,
            accuracy: 0.96239,
            loss: 0.127,
            val_accuracy: Some(0.9636),
            val_loss: Some(0.122),
            seconds: 2.44,
            test_accuracy: None,
            tested_after_seconds: None,
        };
        assert_eq!(
            record.line(5),
            "Epoch 2/5  accuracy: 0.9624  loss: 0.1270  val_accuracy: 0.9636  val_loss: 0.1220  time: 2.4 s"
        );
        record.val_accuracy = None;
        record.test_accuracy = Some(0.97);
        assert_eq!(
            record.line(5),
            "Epoch 2/5  accuracy: 0.9624  loss: 0.1270  test_accuracy: 0.9700  time: 2.4 s"
        );
    }
}
