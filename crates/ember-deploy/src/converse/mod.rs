//! The host's side of the conversation with a running firmware, over anything that carries bytes: RTT through a probe,
//! RTT in an emulator, files.
//!
//! The device says hello; the host sends the first image to be profiled, then every image, then the end; the device answers
//! each and says that it is done. [`Conversation::run`] does that for a list of images, [`Conversation::live`] for a
//! stream that has no end.

mod clock;
mod images;
mod line;
mod listen;
mod live;
mod transcript;

use crate::error::DeployError;
use line::Line;
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

pub use clock::ClockRate;
pub use images::Images;
pub use listen::{Greeting, OperatorTicks};
pub(crate) use listen::{Heard, Listener, Start};
pub use live::{LiveAnswer, LiveSummary};
pub(crate) use transcript::Recorder;
pub use transcript::{Answer, Transcript};

/// Carries bytes to and from a device. Nothing here waits, but for [`Channel::idle`].
pub trait Channel {
    /// Puts what has come into `buffer` and says how many bytes; 0: nothing is there now.
    ///
    /// # Errors
    /// When the device cannot be reached any more: [`DeployError::Channel`] with the reason.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeployError>;

    /// Takes as many of `bytes` as there is room for and says how many; 0: there is no room now.
    ///
    /// # Errors
    /// As [`Channel::read`].
    fn write(&mut self, bytes: &[u8]) -> Result<usize, DeployError>;

    /// Is called when there was nothing to read and no room to write: gives the device some time. A real one needs no more
    /// than a moment of patience, an emulated one has to be run.
    ///
    /// # Errors
    /// As [`Channel::read`].
    fn idle(&mut self) -> Result<(), DeployError> {
        thread::sleep(Duration::from_millis(1));
        Ok(())
    }
}

/// What the host knows of the firmware before it speaks; a firmware that says something else is an error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expect<'a> {
    /// The target triple that it is built for.
    pub target: &'a str,
    /// Bytes of one image.
    pub input_bytes: usize,
    /// Instructions per tick of its timer, where that is known: in emulators.
    pub instructions_per_tick: Option<f64>,
}

/// How long to wait for a sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// From opening the conversation to the hello: start-up, the calibration loop, and preparing the model.
    pub hello: Duration,
    /// From one byte to the next afterwards: at least an inference.
    pub silence: Duration,
}

impl Default for Patience {
    /// 10 s and 60 s.
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(10),
            silence: Duration::from_secs(60),
        }
    }
}

/// Is called with each answer as it comes, and every now and then with none; `Break` stops the run.
pub type Progress<'p> = dyn FnMut(Option<Answer<'_>>) -> ControlFlow<()> + 'p;

/// A conversation with a device that has said hello. After the end of a run it says hello again, and can be talked to
/// again.
pub struct Conversation<'a, C> {
    line: Line<'a, C>,
    /// How long to wait for a hello.
    hello: Duration,
    /// What was said last.
    greeting: Greeting,
}

impl<'a, C: Channel> Conversation<'a, C> {
    /// Waits for the device's hello. What comes before it, such as the rest of a conversation that was broken off, is
    /// skipped. `progress` is asked every now and then whether to go on.
    ///
    /// # Errors
    /// [`DeployError::NoHello`] when it does not come in time, [`DeployError::Protocol`] when it is not from the firmware
    /// that is expected, [`DeployError::Device`] when the firmware says why it cannot work, [`DeployError::Stopped`], and
    /// what the channel says.
    pub fn open(
        channel: &'a mut C,
        expect: Expect<'a>,
        patience: Patience,
        progress: &mut Progress<'_>,
    ) -> Result<Self, DeployError> {
        let mut line = Line::new(channel, expect, patience.silence);
        let greeting = line.greet(patience.hello, &mut || progress(None))?;
        Ok(Self {
            line,
            hello: patience.hello,
            greeting,
        })
    }

    /// What the device said about itself.
    #[must_use]
    pub const fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// Sends all images, the first one twice (once with profile), and the end; returns what came back.
    ///
    /// # Errors
    /// [`DeployError::Hang`] after too long a silence, [`DeployError::Device`] and [`DeployError::Protocol`] when something
    /// else than the answers comes, [`DeployError::Stopped`] when `progress` says so, and what the channel says.
    pub fn run(
        &mut self,
        images: Images<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<Transcript, DeployError> {
        self.greeting = self.line.greet(self.hello, &mut || progress(None))?;
        let mut recorder = Recorder::new(images.count());
        let mut requests = 0;
        let mut heard = Vec::new();
        while !recorder.is_done() {
            if self.line.is_sent() && requests < images.requests() {
                self.line.begin_frame();
                images.request(requests, &mut self.line.outgoing);
                requests += 1;
            }
            let moved = self.line.exchange(recorder.answered(), &mut heard)?;
            for message in heard.drain(..) {
                recorder.hear(message, progress)?;
            }
            if !moved {
                if progress(None).is_break() {
                    return Err(recorder.stopped());
                }
                self.line.wait(recorder.answered(), recorder.total())?;
            }
        }
        recorder.finish(images.count())
    }
}
