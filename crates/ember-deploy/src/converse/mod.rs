//! The host's side of the conversation with a running firmware, over anything that carries bytes: RTT through a probe,
//! RTT in an emulator, files.
//!
//! The device says hello; the host sends the first image to be profiled, then every image, then the end; the device answers
//! each and says that it is done. [`Conversation::run`] does that for a list of images, [`Conversation::live`] for a
//! stream that has no end.

mod images;
mod listen;
mod transcript;

use crate::error::DeployError;
use ember_link::{write_end, write_image};
use images::Bytes;
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

pub use images::Images;
pub use listen::{Greeting, OperatorTicks};
pub(crate) use listen::{Heard, Listener, Start};
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

/// An answer in [`Conversation::live`].
#[derive(Clone, Copy, Debug)]
pub struct LiveAnswer<'a> {
    /// How many answers came before.
    pub index: u64,
    /// All outputs of the model, one after the other.
    pub outputs: &'a [u8],
    /// Ticks of the device's timer for this inference.
    pub ticks: u64,
}

/// What a live conversation was, after its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSummary {
    /// What the firmware said about itself.
    pub greeting: Greeting,
    /// Images answered.
    pub answered: u64,
    /// Ticks of all inferences together.
    pub ticks: u64,
    /// The most bytes of stack in use.
    pub stack_bytes: u32,
}

/// Bytes that are read at once.
const PIECE: usize = 4096;

/// Images of a live stream that are on the way at once: one is inferred while the next one travels.
const AHEAD: u64 = 2;

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

    /// Sends images as long as there are any and `answered` says to go on; it is called with each answer, and every now
    /// and then with none. Then ends the conversation in good order: images that are on the way are still answered.
    ///
    /// # Errors
    /// As [`Conversation::run`]; [`DeployError::Images`] when an image is not as long as the model's inputs.
    pub fn live(
        &mut self,
        images: &mut dyn Iterator<Item = Vec<u8>>,
        answered: &mut dyn FnMut(Option<LiveAnswer<'_>>) -> ControlFlow<()>,
    ) -> Result<LiveSummary, DeployError> {
        self.greeting = self.line.greet(self.hello, &mut || answered(None))?;
        let mut stream = LiveStream::default();
        let mut heard = Vec::new();
        loop {
            if self.line.is_sent() && !stream.ended && stream.asked - stream.answered < AHEAD {
                self.line.begin_frame();
                let image = if stream.stopped { None } else { images.next() };
                self.request_live(image.as_deref(), &mut stream)?;
            }
            let moved = self.line.exchange(stream.answered as usize, &mut heard)?;
            for message in heard.drain(..) {
                match message {
                    Heard::Operator(_) => {}
                    Heard::Inference {
                        index,
                        ticks,
                        outputs,
                    } => {
                        let answer = stream.answer(index, ticks, &outputs)?;
                        stream.stopped |= answered(Some(answer)).is_break();
                    }
                    Heard::Done(greeting, done) => return stream.finish(greeting, done),
                }
            }
            if !moved {
                stream.stopped |= answered(None).is_break();
                self.line
                    .wait(stream.answered as usize, stream.asked as usize)?;
            }
        }
    }

    /// Makes the frame of the next image of a live stream, or that of its end.
    fn request_live(
        &mut self,
        image: Option<&[u8]>,
        stream: &mut LiveStream,
    ) -> Result<(), DeployError> {
        let each = self.greeting.input_bytes as usize;
        let mut into = Bytes(&mut self.line.outgoing);
        let Ok(()) = match image {
            Some(image) if image.len() != each => {
                let given = image.len();
                return Err(DeployError::Images { given, each });
            }
            Some(image) => {
                let index = stream.asked as u32;
                stream.asked += 1;
                write_image(&mut into, index, false, image)
            }
            None => {
                stream.ended = true;
                write_end(&mut into)
            }
        };
        Ok(())
    }
}

/// Both directions of a channel, with what is under way in each.
struct Line<'a, C> {
    channel: &'a mut C,
    listener: Listener<'a>,
    /// What is to be sent, and how much of it has been.
    outgoing: Vec<u8>,
    sent: usize,
    /// How long the device may be silent, and since when it is.
    silence: Duration,
    last_sign: Instant,
}

impl<'a, C: Channel> Line<'a, C> {
    fn new(channel: &'a mut C, expect: Expect<'a>, silence: Duration) -> Self {
        Self {
            channel,
            listener: Listener::new(expect, Start::Anywhere),
            outgoing: Vec::new(),
            sent: 0,
            silence,
            last_sign: Instant::now(),
        }
    }

    /// Waits for the hello, unless it has been heard.
    fn greet(
        &mut self,
        patience: Duration,
        go_on: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Greeting, DeployError> {
        let begin = Instant::now();
        loop {
            if let Some(greeting) = self.listener.greeting().cloned() {
                self.last_sign = Instant::now();
                return Ok(greeting);
            }
            if begin.elapsed() > patience {
                return Err(DeployError::NoHello {
                    waited: patience,
                    skipped: self.listener.skipped_bytes(),
                });
            }
            if !self.exchange(0, &mut Vec::new())? {
                if go_on().is_break() {
                    return Err(DeployError::Stopped { done: 0, total: 0 });
                }
                self.channel.idle()?;
            }
        }
    }

    const fn is_sent(&self) -> bool {
        self.sent == self.outgoing.len()
    }

    fn begin_frame(&mut self) {
        self.outgoing.clear();
        self.sent = 0;
    }

    /// Moves what can be moved now, in both directions, and says whether that was anything.
    fn exchange(&mut self, done: usize, heard: &mut Vec<Heard>) -> Result<bool, DeployError> {
        let mut piece = [0; PIECE];
        let read = self.channel.read(&mut piece)?;
        if read > 0 {
            self.last_sign = Instant::now();
            let bytes = piece.get(..read).unwrap_or(&piece);
            self.listener.take(bytes, done, heard)?;
        }
        let rest = self.outgoing.get(self.sent..).unwrap_or_default();
        let written = if rest.is_empty() {
            0
        } else {
            self.channel.write(rest)?.min(rest.len())
        };
        self.sent += written;
        Ok(read > 0 || written > 0)
    }

    /// Lets the device have some time, unless it was silent for too long.
    fn wait(&mut self, done: usize, total: usize) -> Result<(), DeployError> {
        if self.last_sign.elapsed() > self.silence {
            return Err(DeployError::Hang {
                waited: self.silence,
                done,
                total,
            });
        }
        self.channel.idle()
    }
}

/// How far a live stream is.
#[derive(Default)]
struct LiveStream {
    asked: u64,
    answered: u64,
    ticks: u64,
    /// Somebody wants it to end.
    stopped: bool,
    /// The end has been asked for.
    ended: bool,
}

impl LiveStream {
    fn answer<'o>(
        &mut self,
        index: u32,
        ticks: u64,
        outputs: &'o [u8],
    ) -> Result<LiveAnswer<'o>, DeployError> {
        // The number on the wire has 32 bits, the stream has no end.
        let expected = self.answered as u32;
        if self.answered == self.asked || index != expected {
            let problem = format!("a result for image {index} instead of {expected}");
            return Err(listen::wrong(self.answered as usize, problem));
        }
        let answer = LiveAnswer {
            index: self.answered,
            outputs,
            ticks,
        };
        self.answered += 1;
        self.ticks += ticks;
        Ok(answer)
    }

    fn finish(
        &self,
        greeting: Greeting,
        done: ember_link::Done,
    ) -> Result<LiveSummary, DeployError> {
        if !self.ended || self.answered != self.asked {
            let problem = format!(
                "it says that it is done, having answered {} of {} images",
                self.answered, self.asked
            );
            return Err(listen::wrong(self.answered as usize, problem));
        }
        Ok(LiveSummary {
            greeting,
            answered: self.answered,
            ticks: self.ticks,
            stack_bytes: done.stack_bytes,
        })
    }
}
