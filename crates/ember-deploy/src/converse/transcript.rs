//! What a run gives: the answers in order, and what they cost.

use super::Progress;
use super::listen::{Greeting, Heard, OperatorTicks, wrong};
use crate::error::DeployError;
use ember_link::Done;

/// One image has been answered.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its index.
    pub index: usize,
    /// How many images there are.
    pub total: usize,
    /// All outputs of the model, one after the other.
    pub outputs: &'a [u8],
    /// Ticks of the device's timer for this inference.
    pub ticks: u64,
}

/// What came out of a run. Times are in ticks of the device's timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// What the firmware said about itself.
    pub greeting: Greeting,
    /// What each operator cost for the first image.
    pub operators: Vec<OperatorTicks>,
    /// Images answered.
    pub images: usize,
    /// All outputs: `[images, output_bytes]`.
    pub outputs: Vec<u8>,
    /// Ticks of each inference: `[images]`.
    pub ticks: Vec<u64>,
    /// The most bytes of stack in use.
    pub stack_bytes: u32,
}

impl Transcript {
    /// The outputs for one image.
    #[must_use]
    pub fn output(&self, image: usize) -> Option<&[u8]> {
        let each = self.greeting.output_bytes as usize;
        self.outputs.get(image * each..(image + 1) * each)
    }

    /// Mean over all images, rounded; 0 without images.
    #[must_use]
    pub fn ticks_per_inference(&self) -> u64 {
        let sum: u64 = self.ticks.iter().sum();
        let count = self.ticks.len() as u64;
        (sum + count / 2).checked_div(count).unwrap_or(0)
    }
}

/// Writes down what is heard of a run.
pub(crate) struct Recorder {
    total: usize,
    operators: Vec<OperatorTicks>,
    /// The outputs of the profiled inference, which the first image must give again.
    profiled: Option<Vec<u8>>,
    outputs: Vec<u8>,
    ticks: Vec<u64>,
    done: Option<(Greeting, Done)>,
}

impl Recorder {
    /// For a run over `total` images.
    pub(crate) const fn new(total: usize) -> Self {
        Self {
            total,
            operators: Vec::new(),
            profiled: None,
            outputs: Vec::new(),
            ticks: Vec::new(),
            done: None,
        }
    }

    pub(crate) const fn total(&self) -> usize {
        self.total
    }

    pub(crate) const fn answered(&self) -> usize {
        self.ticks.len()
    }

    /// Whether the firmware has said that it is done.
    pub(crate) const fn is_done(&self) -> bool {
        self.done.is_some()
    }

    pub(crate) const fn stopped(&self) -> DeployError {
        DeployError::Stopped {
            done: self.answered(),
            total: self.total,
        }
    }

    /// Takes the next message.
    pub(crate) fn hear(
        &mut self,
        heard: Heard,
        progress: &mut Progress<'_>,
    ) -> Result<(), DeployError> {
        match heard {
            Heard::Operator(operator) => self.operators.push(operator),
            Heard::Done(greeting, done) => self.done = Some((greeting, done)),
            Heard::Time(_) => {
                let problem = "the time, which nobody asked for".to_owned();
                return Err(wrong(self.answered(), problem));
            }
            Heard::Inference {
                index,
                ticks,
                outputs,
            } => return self.inference(index, ticks, outputs, progress),
        }
        Ok(())
    }

    fn inference(
        &mut self,
        index: u32,
        ticks: u64,
        outputs: Vec<u8>,
        progress: &mut Progress<'_>,
    ) -> Result<(), DeployError> {
        let expected = self.answered();
        if index as usize != expected {
            let problem = format!("a result for image {index} instead of {expected}");
            return Err(wrong(expected, problem));
        }
        match &self.profiled {
            None => {
                self.profiled = Some(outputs);
                return Ok(());
            }
            Some(profiled) if expected == 0 && *profiled != outputs => {
                let problem = "the first image gave other outputs the second time";
                return Err(wrong(expected, problem.to_owned()));
            }
            Some(_) => {}
        }
        self.ticks.push(ticks);
        self.outputs.extend_from_slice(&outputs);
        let answer = Answer {
            index: expected,
            total: self.total,
            outputs: &outputs,
            ticks,
        };
        if progress(Some(answer)).is_break() {
            return Err(self.stopped());
        }
        Ok(())
    }

    /// The transcript, once the firmware has said that it is done; `sent` images were sent.
    pub(crate) fn finish(self, sent: usize) -> Result<Transcript, DeployError> {
        let answered = self.answered();
        let Some((greeting, done)) = self.done else {
            let problem = "it stopped without saying that it is done";
            return Err(wrong(answered, problem.to_owned()));
        };
        // The profiled inference is one more.
        let expected = if sent == 0 { 0 } else { sent + 1 };
        if answered != sent || done.inferences as usize != expected {
            let problem = format!(
                "{sent} images were sent, and it says that it did {} inferences of {expected}",
                done.inferences
            );
            return Err(wrong(answered, problem));
        }
        Ok(Transcript {
            greeting,
            operators: self.operators,
            images: answered,
            outputs: self.outputs,
            ticks: self.ticks,
            stack_bytes: done.stack_bytes,
        })
    }
}
