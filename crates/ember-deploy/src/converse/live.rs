//! A stream of images that has no end.

use super::images::Bytes;
use super::listen::wrong;
use super::{Channel, Conversation, Greeting, Heard};
use crate::error::DeployError;
use ember_link::{Done, write_end, write_image};
use std::ops::ControlFlow;

/// Images of a live stream that are on the way at once: one is inferred while the next one travels.
const AHEAD: u64 = 2;

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

impl<C: Channel> Conversation<'_, C> {
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
                    Heard::Operator(_) | Heard::Time(_) => {}
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
            return Err(wrong(self.answered as usize, problem));
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

    fn finish(&self, greeting: Greeting, done: Done) -> Result<LiveSummary, DeployError> {
        if !self.ended || self.answered != self.asked {
            let problem = format!(
                "it says that it is done, having answered {} of {} images",
                self.answered, self.asked
            );
            return Err(wrong(self.answered as usize, problem));
        }
        Ok(LiveSummary {
            greeting,
            answered: self.answered,
            ticks: self.ticks,
            stack_bytes: done.stack_bytes,
        })
    }
}
