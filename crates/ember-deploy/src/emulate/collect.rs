//! Turns the bytes that a firmware writes into an [`Outcome`], and checks on the way that they are what was asked for.

use super::{Answer, Device, Job, OperatorCost, Outcome, Progress};
use crate::error::DeployError;
use crate::machine::Machine;
use ember_link::{CALIBRATION_INSTRUCTIONS, Decoder, DeviceMessage, Done, Hello, Inference};

/// Longest frame that is taken: the outputs of any model for a microcontroller, many times over.
const LONGEST_FRAME: usize = 1 << 20;

/// How far the timer may be from the machine's table: the ticks of the calibration loop are whole numbers.
const TIMER_TOLERANCE: f64 = 0.005;

/// What came so far.
pub(super) struct Collector<'a> {
    job: &'a Job<'a>,
    total: usize,
    decoder: Decoder<Vec<u8>>,
    state: State,
}

#[derive(Default)]
struct State {
    device: Option<Device>,
    operators: Vec<OperatorCost>,
    /// The outputs of the profiled inference, which the first image must give again.
    profiled: Option<Vec<u8>>,
    outputs: Vec<u8>,
    instructions: Vec<u64>,
    done: Option<Done>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(job: &'a Job<'a>) -> Result<Self, DeployError> {
        Ok(Self {
            job,
            total: job.image_count()?,
            decoder: Decoder::new(vec![0; LONGEST_FRAME]),
            state: State::default(),
        })
    }

    pub(super) const fn total(&self) -> usize {
        self.total
    }

    pub(super) fn answered(&self) -> usize {
        self.state.answered()
    }

    /// Takes the next bytes.
    pub(super) fn take(
        &mut self,
        mut bytes: &[u8],
        progress: &mut Progress<'_>,
    ) -> Result<(), DeployError> {
        let Self {
            job,
            total,
            decoder,
            state,
        } = self;
        while !bytes.is_empty() {
            let taken = decoder.feed(bytes);
            bytes = &bytes[taken..];
            while let Some(frame) = decoder.next_frame() {
                let message = frame.and_then(DeviceMessage::parse);
                let message = message.map_err(|source| DeployError::Link {
                    done: state.answered(),
                    source,
                })?;
                state.message(message, job, *total, progress)?;
            }
            let garbage = decoder.skipped_bytes();
            if garbage > 0 {
                return Err(state.wrong(format!("{garbage} bytes that are no frame")));
            }
        }
        Ok(())
    }

    /// The outcome, once the firmware has said that it is done; `sent` images were sent.
    pub(super) fn finish(self, emulator: String, sent: usize) -> Result<Outcome, DeployError> {
        self.state.finish(emulator, sent)
    }

    /// Whether the firmware has said that it is done.
    pub(super) const fn is_done(&self) -> bool {
        self.state.done.is_some()
    }

    pub(super) fn stopped(&self) -> DeployError {
        self.state.stopped(self.total)
    }
}

impl State {
    fn message(
        &mut self,
        message: DeviceMessage<'_>,
        job: &Job<'_>,
        total: usize,
        progress: &mut Progress<'_>,
    ) -> Result<(), DeployError> {
        let machine = job.machine;
        match message {
            DeviceMessage::Hello(hello) => self.hello(hello, job),
            DeviceMessage::OpProfile(profile) => {
                self.operators.push(OperatorCost {
                    index: profile.index,
                    builtin_code: profile.builtin_code,
                    instructions: machine.instructions(profile.ticks),
                });
                Ok(())
            }
            DeviceMessage::Inference(inference) => {
                self.inference(inference, machine, total, progress)
            }
            DeviceMessage::Done(done) => {
                self.done = Some(done);
                Ok(())
            }
            DeviceMessage::Failure(failure) => Err(DeployError::Device {
                code: failure.code,
                details: failure.details,
            }),
        }
    }

    fn hello(&mut self, hello: Hello<'_>, job: &Job<'_>) -> Result<(), DeployError> {
        let machine = job.machine;
        if hello.target != machine.target {
            return Err(self.wrong(format!(
                "it was built for {}, and {} needs {}",
                hello.target, machine.name, machine.target
            )));
        }
        if hello.input_bytes as usize != job.input_bytes {
            return Err(self.wrong(format!(
                "its model takes {} bytes, and the images have {}",
                hello.input_bytes, job.input_bytes
            )));
        }
        let measured = f64::from(CALIBRATION_INSTRUCTIONS) / hello.calibration_ticks as f64;
        if (measured / machine.instructions_per_tick - 1.0).abs() > TIMER_TOLERANCE {
            return Err(self.wrong(format!(
                "its timer has {measured:.3} instructions per tick, and the table of machines says {}",
                machine.instructions_per_tick
            )));
        }
        let device = Device {
            model_crc: hello.model_crc,
            model_bytes: hello.model_bytes,
            arena_bytes: hello.arena_bytes,
            arena_used_bytes: hello.arena_used_bytes,
            output_bytes: hello.output_bytes,
            prepare_instructions: machine.instructions(hello.prepare_ticks),
            measured_instructions_per_tick: measured,
            target: hello.target.to_owned(),
        };
        match self.device.replace(device) {
            None => Ok(()),
            Some(_) => Err(self.wrong("it started a second time".to_owned())),
        }
    }

    fn inference(
        &mut self,
        inference: Inference<'_>,
        machine: &Machine,
        total: usize,
        progress: &mut Progress<'_>,
    ) -> Result<(), DeployError> {
        let Some(device) = &self.device else {
            return Err(self.wrong("a result before the hello".to_owned()));
        };
        if inference.outputs.len() != device.output_bytes as usize {
            return Err(self.wrong(format!(
                "{} bytes of outputs instead of {}",
                inference.outputs.len(),
                device.output_bytes
            )));
        }
        let expected = self.answered();
        if inference.index as usize != expected {
            return Err(self.wrong(format!(
                "a result for image {} instead of {expected}",
                inference.index
            )));
        }
        match &self.profiled {
            None => {
                self.profiled = Some(inference.outputs.to_vec());
                return Ok(());
            }
            Some(profiled) if expected == 0 && profiled != inference.outputs => {
                return Err(
                    self.wrong("the first image gave other outputs the second time".to_owned())
                );
            }
            Some(_) => {}
        }
        self.instructions
            .push(machine.instructions(inference.ticks));
        self.outputs.extend_from_slice(inference.outputs);
        let answer = Answer {
            index: expected,
            total,
            outputs: inference.outputs,
        };
        if progress(Some(answer)).is_break() {
            return Err(self.stopped(total));
        }
        Ok(())
    }

    fn finish(self, emulator: String, sent: usize) -> Result<Outcome, DeployError> {
        let Some(done) = self.done else {
            return Err(self.wrong("it stopped without saying that it is done".to_owned()));
        };
        // The profiled inference is one more.
        let expected = if sent == 0 { 0 } else { sent + 1 };
        if self.answered() != sent || done.inferences as usize != expected {
            return Err(self.wrong(format!(
                "{sent} images were sent, and it says that it did {} inferences of {expected}",
                done.inferences
            )));
        }
        let Some(device) = self.device else {
            return Err(self.wrong("it never said hello".to_owned()));
        };
        Ok(Outcome {
            emulator,
            device,
            operators: self.operators,
            images: self.instructions.len(),
            outputs: self.outputs,
            instructions: self.instructions,
            stack_bytes: done.stack_bytes,
        })
    }

    const fn answered(&self) -> usize {
        self.instructions.len()
    }

    fn stopped(&self, total: usize) -> DeployError {
        DeployError::Stopped {
            done: self.answered(),
            total,
        }
    }

    fn wrong(&self, problem: String) -> DeployError {
        DeployError::Protocol {
            done: self.answered(),
            problem,
        }
    }
}
