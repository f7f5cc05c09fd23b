//! The built-in emulator: the firmware for a Cortex-M3 on [`super::cortex_m3`], its semihosting calls answered from
//! memory.

use super::cortex_m3::{Core, Stop};
use super::hear::Hearing;
use super::{Job, Outcome, Progress};
use crate::converse::Images;
use crate::error::DeployError;
use crate::image::Image;
use std::time::Instant;

/// Instructions between two looks at the clock: some hundredths of a second.
const SLICE: u64 = 4_000_000;

/// The breakpoint that is a semihosting call.
const SEMIHOSTING: u8 = 0xAB;

const SYS_OPEN: u32 = 0x01;
const SYS_WRITE: u32 = 0x05;
const SYS_READ: u32 = 0x06;
const SYS_EXIT_EXTENDED: u32 = 0x20;
const FAILED: u32 = u32::MAX;

/// Handles of the two files.
const INPUT: u32 = 1;
const OUTPUT: u32 = 2;

/// Runs the job until all images are answered or the budget is spent.
pub(super) fn run(job: &Job<'_>, progress: &mut Progress<'_>) -> Result<Outcome, DeployError> {
    let image = Image::read(job.elf)?;
    let mut core = Core::new(
        job.machine.flash,
        job.machine.ram,
        job.machine.instructions_per_tick as u64,
    );
    for segment in image.segments() {
        core.program(segment.address, &segment.bytes)
            .map_err(|stop| stopped(&core, stop))?;
    }
    core.reset(job.machine.flash.origin)
        .map_err(|stop| stopped(&core, stop))?;

    let start = Instant::now();
    let mut files = Files {
        requests: Requests::new(job.images()?),
        hearing: Hearing::new(job)?,
    };
    let mut last_answer = (start, 0);
    loop {
        let stop = core.run(SLICE);
        match stop {
            Stop::Breakpoint(SEMIHOSTING) => {
                files.requests.budget_spent = start.elapsed() >= job.budget;
                if let Some(status) = files.call(&mut core, progress)? {
                    return finish(status, files);
                }
            }
            Stop::Enough => {
                let done = files.hearing.recorder().answered();
                if done > last_answer.1 {
                    last_answer = (Instant::now(), done);
                } else if last_answer.0.elapsed() > job.patience {
                    return Err(DeployError::Hang {
                        waited: job.patience,
                        done,
                        total: files.hearing.recorder().total(),
                    });
                }
                if progress(None).is_break() {
                    return Err(files.hearing.recorder().stopped());
                }
            }
            _ => return Err(stopped(&core, stop)),
        }
    }
}

fn finish(status: u32, files: Files<'_>) -> Result<Outcome, DeployError> {
    let emulator = "built-in (Cortex-M3)".to_owned();
    if status != 0 || !files.hearing.recorder().is_done() {
        return Err(DeployError::EmulatorEnded {
            emulator,
            status: format!("exit status {status}"),
            output: String::new(),
        });
    }
    files.hearing.finish(emulator, files.requests.sent)
}

fn stopped(core: &Core, stop: Stop) -> DeployError {
    DeployError::Emulation {
        pc: core.program_counter(),
        instructions: core.instructions(),
        problem: stop.to_string(),
    }
}

/// What the firmware reads and writes.
struct Files<'a> {
    requests: Requests<'a>,
    hearing: Hearing,
}

impl Files<'_> {
    /// Answers one semihosting call; the exit status when it is the exit.
    fn call(
        &mut self,
        core: &mut Core,
        progress: &mut Progress<'_>,
    ) -> Result<Option<u32>, DeployError> {
        let operation = core.register(0);
        let block = core.register(1);
        let result = self.answer(core, operation, block, progress)?;
        match result {
            Answered::Value(value) => {
                core.set_register(0, value);
                Ok(None)
            }
            Answered::Exit(status) => Ok(Some(status)),
        }
    }

    fn answer(
        &mut self,
        core: &mut Core,
        operation: u32,
        block: u32,
        progress: &mut Progress<'_>,
    ) -> Result<Answered, DeployError> {
        let [first, second, third] = arguments(core, block).map_err(|stop| stopped(core, stop))?;
        let value = match operation {
            SYS_OPEN => match core
                .bytes(first, third)
                .map_err(|stop| stopped(core, stop))?
            {
                b"ember-in" => INPUT,
                b"ember-out" => OUTPUT,
                _ => FAILED,
            },
            SYS_READ if first == INPUT => {
                let buffer = match core.bytes_mut(second, third) {
                    Ok(buffer) => buffer,
                    Err(stop) => return Err(stopped(core, stop)),
                };
                let read = self.requests.read(buffer);
                third - read as u32
            }
            SYS_WRITE if first == OUTPUT => {
                let bytes = core
                    .bytes(second, third)
                    .map_err(|stop| stopped(core, stop))?;
                self.hearing.take(bytes, progress)?;
                0
            }
            SYS_EXIT_EXTENDED => return Ok(Answered::Exit(second)),
            _ => FAILED,
        };
        Ok(Answered::Value(value))
    }
}

enum Answered {
    Value(u32),
    Exit(u32),
}

fn arguments(core: &Core, block: u32) -> Result<[u32; 3], Stop> {
    let mut words = [0; 3];
    let bytes = core.bytes(block, 12)?;
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    Ok(words)
}

/// The file of requests, made as it is read.
struct Requests<'a> {
    images: Images<'a>,
    next: usize,
    /// Images handed out so far, the profiled one not counted.
    sent: usize,
    /// No image is begun any more: the next frame is the end.
    budget_spent: bool,
    ended: bool,
    frame: Vec<u8>,
    position: usize,
}

impl<'a> Requests<'a> {
    const fn new(images: Images<'a>) -> Self {
        Self {
            images,
            next: 0,
            sent: 0,
            budget_spent: false,
            ended: false,
            frame: Vec::new(),
            position: 0,
        }
    }

    /// Fills `buffer` as far as there is something, and says how far.
    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let mut filled = 0;
        while filled < buffer.len() {
            let rest = self.frame.get(self.position..).unwrap_or_default();
            if rest.is_empty() {
                if self.ended {
                    break;
                }
                self.begin_next();
                continue;
            }
            let count = rest.len().min(buffer.len() - filled);
            buffer[filled..filled + count].copy_from_slice(&rest[..count]);
            self.position += count;
            filled += count;
        }
        filled
    }

    fn begin_next(&mut self) {
        self.frame.clear();
        self.position = 0;
        // A profiled first image is always followed by the plain one.
        self.ended = self.next + 1 >= self.images.requests() || self.budget_spent && self.next > 1;
        let number = if self.ended { usize::MAX } else { self.next };
        self.images.request(number, &mut self.frame);
        if !self.ended {
            self.sent = self.next;
            self.next += 1;
        }
    }
}
