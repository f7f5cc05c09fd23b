//! A firmware's output as a stream of bytes that begins with its start: taken as it is written, judged at its end.

use super::{Job, Outcome, Progress};
use crate::converse::{Heard, Listener, Recorder, Start};
use crate::error::DeployError;

/// What came so far.
pub(super) struct Hearing {
    listener: Listener<'static>,
    recorder: Recorder,
    heard: Vec<Heard>,
    instructions_per_tick: f64,
}

impl Hearing {
    pub(super) fn new(job: &Job<'_>) -> Result<Self, DeployError> {
        Ok(Self {
            listener: Listener::new(job.expect(), Start::Beginning),
            recorder: Recorder::new(job.images()?.count()),
            heard: Vec::new(),
            instructions_per_tick: job.machine.instructions_per_tick,
        })
    }

    /// What was heard of the run.
    pub(super) const fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Takes the next bytes.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        progress: &mut Progress<'_>,
    ) -> Result<(), DeployError> {
        let done = self.recorder.answered();
        self.listener.take(bytes, done, &mut self.heard)?;
        for message in self.heard.drain(..) {
            self.recorder.hear(message, progress)?;
        }
        Ok(())
    }

    /// The outcome, once the firmware has said that it is done; `sent` images were sent.
    pub(super) fn finish(self, emulator: String, sent: usize) -> Result<Outcome, DeployError> {
        let transcript = self.recorder.finish(sent)?;
        Ok(Outcome::new(
            emulator,
            transcript,
            self.instructions_per_tick,
        ))
    }
}
