//! Images to a firmware that runs, answers back: a list of them, or a stream until somebody stops it.

use crate::error::ProbeError;
use ember_deploy::DeployError;
use ember_deploy::converse::{
    Channel, Conversation, Expect, Images, LiveAnswer, Patience, Transcript,
};
use ember_deploy::findings::Run;
use ember_link::{Decoder, DeviceMessage, Slots};
use ember_progress::{Console, Unit};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long the device's timer is compared with this machine's: with answers within a millisecond, to some tenths of a
/// percent.
const CLOCK_SPAN: Duration = Duration::from_millis(500);

/// Longest frame that a firmware begins with.
const LONGEST_FIRST_FRAME: usize = 1024;

/// How the outputs of a model are read when the greatest is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// One byte, signed.
    Int8,
    /// One byte, unsigned.
    Uint8,
    /// Two bytes, signed, little-endian.
    Int16,
    /// Four bytes, little-endian.
    Float32,
}

impl Element {
    /// The index of the greatest output; the first of several. Nothing without outputs.
    #[must_use]
    pub fn greatest(self, outputs: &[u8]) -> Option<usize> {
        let values: Vec<f32> = match self {
            Self::Int8 => outputs
                .iter()
                .map(|byte| f32::from(byte.cast_signed()))
                .collect(),
            Self::Uint8 => outputs.iter().copied().map(f32::from).collect(),
            Self::Int16 => outputs
                .as_chunks::<2>()
                .0
                .iter()
                .map(|bytes| f32::from(i16::from_le_bytes(*bytes)))
                .collect(),
            Self::Float32 => outputs
                .as_chunks::<4>()
                .0
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect(),
        };
        let mut best = None;
        for (index, value) in values.iter().enumerate() {
            if best.is_none_or(|best: usize| *value > values[best]) {
                best = Some(index);
            }
        }
        best
    }
}

/// What a firmware is asked, and what it should answer.
#[derive(Clone, Copy, Debug)]
pub struct Questions<'a> {
    /// The Rust target that the firmware is built for.
    pub target: &'a str,
    /// Images as the model takes them: `[count, input_bytes]`.
    pub images: &'a [u8],
    /// Bytes of one image.
    pub input_bytes: usize,
    /// What the host's runtime answers: `[count, output_bytes]`.
    pub expected: Option<&'a [u8]>,
    /// The right classes: `[count]`.
    pub labels: Option<&'a [u8]>,
    /// What the outputs are.
    pub element: Element,
}

impl<'a> Questions<'a> {
    fn images(&self) -> Result<Images<'a>, ProbeError> {
        let images = Images::new(self.images, self.input_bytes)?;
        match self.labels {
            Some(labels) if labels.len() != images.count() => Err(ProbeError::Answers {
                what: "the file of labels",
                given: labels.len(),
                images: images.count(),
                needed: images.count(),
            }),
            _ => Ok(images),
        }
    }

    const fn expect(&self) -> Expect<'a> {
        Expect {
            target: self.target,
            input_bytes: self.input_bytes,
            instructions_per_tick: None,
        }
    }

    /// What is expected for each image, once it is known how long an answer is.
    fn check(&self, output_bytes: usize, images: usize) -> Result<(), ProbeError> {
        let needed = output_bytes * images;
        match self.expected {
            Some(expected) if expected.len() != needed => Err(ProbeError::Answers {
                what: "the file of expected outputs",
                given: expected.len(),
                images,
                needed,
            }),
            _ => Ok(()),
        }
    }

    fn expected(&self, image: usize, output_bytes: usize) -> Option<&'a [u8]> {
        self.expected?
            .get(image * output_bytes..(image + 1) * output_bytes)
    }

    fn label(&self, image: usize) -> Option<usize> {
        self.labels?.get(image).copied().map(usize::from)
    }
}

/// Counts answers that are right.
#[derive(Default)]
struct Score {
    mismatches: u64,
    correct: u64,
}

impl Score {
    fn add(&mut self, questions: &Questions<'_>, image: usize, outputs: &[u8]) {
        let expected = questions.expected(image, outputs.len());
        self.mismatches += u64::from(expected.is_some_and(|expected| expected != outputs));
        let label = questions.label(image);
        let right = label.is_some() && label == questions.element.greatest(outputs);
        self.correct += u64::from(right);
    }

    fn put(&self, questions: &Questions<'_>, run: &mut Run) {
        run.mismatches = questions.expected.map(|_| self.mismatches);
        run.correct = questions.labels.map(|_| self.correct);
    }
}

const fn flow(stop: &AtomicBool) -> impl Fn() -> ControlFlow<()> + '_ {
    || {
        if stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Measures the firmware's clock and sends every image once, over a channel to a firmware that was just started. `stop` breaks the run off, which is an error.
///
/// # Errors
/// [`ProbeError::Talk`], [`ProbeError::Answers`].
pub fn run(
    channel: &mut impl Channel,
    questions: &Questions<'_>,
    patience: Patience,
    stop: &AtomicBool,
    console: &Console,
) -> Result<Run, ProbeError> {
    let images = questions.images()?;
    let go_on = flow(stop);
    let mut conversation =
        Conversation::open(channel, questions.expect(), patience, &mut |_| go_on())?;
    let output_bytes = conversation.greeting().output_bytes as usize;
    questions.check(output_bytes, images.count())?;
    let rate = conversation.clock_rate(CLOCK_SPAN, &mut |_| go_on())?;
    let bar = console.bar("Inferring", images.count() as u64, Unit::Images);
    let transcript: Transcript = conversation.run(images, &mut |answer| {
        if answer.is_some() {
            bar.inc(1);
        }
        go_on()
    })?;
    bar.finish();
    let mut run = Run::of(&transcript);
    if let Some(rate) = rate {
        run.set_clock(rate);
    }
    let mut score = Score::default();
    for image in 0..transcript.images {
        score.add(
            questions,
            image,
            transcript.output(image).unwrap_or_default(),
        );
    }
    score.put(questions, &mut run);
    Ok(run)
}

/// Waits until the firmware, which was just started, says which slot it runs.
///
/// # Errors
/// [`ProbeError::Talk`] when it says that it runs none, or nothing in time.
pub fn running_slot(
    channel: &mut impl Channel,
    patience: Duration,
    stop: &AtomicBool,
) -> Result<Slots, ProbeError> {
    let mut decoder = Decoder::new(vec![0; LONGEST_FIRST_FRAME]);
    let mut buffer = [0; 256];
    let begin = Instant::now();
    while begin.elapsed() < patience {
        if stop.load(Ordering::Relaxed) {
            return Err(DeployError::Stopped { done: 0, total: 0 }.into());
        }
        let count = channel.read(&mut buffer)?;
        if count == 0 {
            channel.idle()?;
        }
        let mut rest = &buffer[..count];
        while !rest.is_empty() {
            let taken = decoder.feed(rest);
            rest = &rest[taken..];
            while let Some(frame) = decoder.next_frame() {
                match frame.and_then(DeviceMessage::parse) {
                    Ok(DeviceMessage::Slots(slots)) => return Ok(slots),
                    Ok(DeviceMessage::Failure(failure)) => {
                        return Err(DeployError::Device {
                            code: failure.code,
                            details: failure.details,
                        }
                        .into());
                    }
                    _ => {}
                }
            }
        }
    }
    Err(DeployError::NoHello {
        waited: patience,
        skipped: decoder.skipped_bytes(),
    }
    .into())
}

/// Measures the firmware's clock and sends the images one after the other, from the beginning again after the last, until
/// `stop`; shows each answer. The firmware was just started.
///
/// # Errors
/// [`ProbeError::Talk`], [`ProbeError::Answers`].
pub fn live(
    channel: &mut impl Channel,
    questions: &Questions<'_>,
    patience: Patience,
    stop: &AtomicBool,
    console: &Console,
) -> Result<Run, ProbeError> {
    let images = questions.images()?;
    let go_on = flow(stop);
    let mut conversation =
        Conversation::open(channel, questions.expect(), patience, &mut |_| go_on())?;
    let mut run = Run::begun(conversation.greeting());
    let output_bytes = conversation.greeting().output_bytes as usize;
    questions.check(output_bytes, images.count())?;
    if let Some(rate) = conversation.clock_rate(CLOCK_SPAN, &mut |_| go_on())? {
        run.set_clock(rate);
    }
    let mut stream = questions
        .images
        .chunks_exact(questions.input_bytes.max(1))
        .cycle()
        .map(<[u8]>::to_vec);
    let mut score = Score::default();
    let summary = conversation.live(&mut stream, &mut |answer| {
        if let Some(answer) = answer {
            let image = (answer.index % images.count().max(1) as u64) as usize;
            score.add(questions, image, answer.outputs);
            run.add(answer.ticks);
            console.result(line(questions, image, &answer, &run));
        }
        go_on()
    })?;
    run.stack_bytes = summary.stack_bytes;
    score.put(questions, &mut run);
    console.result(total(&run));
    Ok(run)
}

/// `120 images: 0 mismatches with the host, 115 right, 1094935 ticks (17.108 ms) per inference, 2016 bytes of stack`.
fn total(run: &Run) -> String {
    let mut total = format!("{} images: ", run.images);
    if let Some(mismatches) = run.mismatches {
        total.push_str(&format!("{mismatches} mismatches with the host, "));
    }
    if let Some(correct) = run.correct {
        total.push_str(&format!("{correct} right, "));
    }
    let ticks = run.ticks_per_inference();
    total.push_str(&format!("{ticks} ticks"));
    if let Some(milliseconds) = run.milliseconds(ticks) {
        total.push_str(&format!(" ({milliseconds:.3} ms)"));
    }
    total.push_str(&format!(
        " per inference, {} bytes of stack",
        run.stack_bytes
    ));
    total
}

/// `    12  label 7  guess 7        1,094,935 ticks  17.108 ms`, and what is wrong, if anything.
fn line(questions: &Questions<'_>, image: usize, answer: &LiveAnswer<'_>, run: &Run) -> String {
    let known =
        |class: Option<usize>| class.map_or_else(|| "?".to_owned(), |class| class.to_string());
    let label = questions.label(image);
    let guess = questions.element.greatest(answer.outputs);
    let mut line = format!(
        "{:6}  label {:>3}  guess {:>3}  {:>12} ticks",
        answer.index,
        known(label),
        known(guess),
        answer.ticks,
    );
    if let Some(milliseconds) = run.milliseconds(answer.ticks) {
        line.push_str(&format!("  {milliseconds:9.3} ms"));
    }
    if label.is_some() && label != guess {
        line.push_str("  wrong");
    }
    let expected = questions.expected(image, answer.outputs.len());
    if expected.is_some_and(|expected| expected != answer.outputs) {
        line.push_str("  NOT WHAT THE HOST SAYS");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{Element, total};
    use ember_deploy::converse::ClockRate;
    use ember_deploy::findings::Run;

    #[test]
    fn a_stream_is_summed_up() {
        let text = r#"{"model_crc":1,"model_bytes":2,"arena_bytes":3,"arena_used_bytes":3,"stack_limit_bytes":9,
            "stack_bytes":7,"output_bytes":5,"target":"t","timer":"dwt","ticks_per_second":null,"clock_uncertainty":null,
            "slot":null,"prepare_ticks":0,"images":2,"total_ticks":128000,"least_ticks":63000,"most_ticks":65000,
            "mismatches":1,"correct":null,"operators":[],"outputs":[]}"#;
        let mut run: Run = serde_json::from_str(text).unwrap();
        assert_eq!(
            total(&run),
            "2 images: 1 mismatches with the host, 64000 ticks per inference, 7 bytes of stack"
        );
        run.set_clock(ClockRate {
            hertz: 64e6,
            uncertainty: 0.0,
        });
        assert!(total(&run).contains("64000 ticks (1.000 ms) per"));
    }

    #[test]
    fn the_greatest_is_the_first_of_several() {
        assert_eq!(Element::Int8.greatest(&[0x80, 0x7f, 0x7f]), Some(1));
        assert_eq!(Element::Int8.greatest(&[0x80]), Some(0));
        assert_eq!(Element::Uint8.greatest(&[0x7f, 0x80]), Some(1));
        assert_eq!(Element::Int16.greatest(&[0xff, 0x00, 0x00, 0x01]), Some(1));
        let floats: Vec<u8> = [0.1_f32, 0.7, 0.2]
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        assert_eq!(Element::Float32.greatest(&floats), Some(1));
        assert_eq!(Element::Float32.greatest(&[]), None);
    }
}
