//! What `ember-probe` found out on a chip, as it writes it down, in JSON, for the program that started it.

use crate::converse::{ClockRate, Greeting, OperatorTicks, Transcript};
use ember_link::TimerKind;
use serde::{Deserialize, Serialize};

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// The chip, as the registry writes it.
    pub chip: String,
    /// The probe that it was reached through, as `VID:PID[-INTERFACE][:SERIAL]`.
    pub probe: String,
    /// What the probe calls itself.
    pub probe_name: String,
    /// What was done to the flash, if anything.
    pub flashed: Option<Flashed>,
    /// What the firmware said, if it was asked.
    pub run: Option<Run>,
}

/// What was done to a chip's flash.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flashed {
    /// Bytes of the sectors that were erased.
    pub erased_bytes: u64,
    /// Bytes of the pages that were written.
    pub written_bytes: u64,
    /// From the first sector's erasure to the end of verification.
    pub seconds: f64,
}

/// What a firmware said about itself and about images. Ticks are those of its timer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// CRC-32 of its model.
    pub model_crc: u32,
    /// Bytes of its model.
    pub model_bytes: u32,
    /// Bytes of the arena that it was built with.
    pub arena_bytes: u32,
    /// Bytes of the arena that the model takes.
    pub arena_used_bytes: u32,
    /// Bytes that its stack may grow over.
    pub stack_limit_bytes: u32,
    /// The most bytes of stack in use.
    pub stack_bytes: u32,
    /// Bytes of all outputs for one image.
    pub output_bytes: u32,
    /// The Rust target that it was built for.
    pub target: String,
    /// What the ticks are: `dwt`, `systick`, `mcycle`, or `none` where the chip has no counter that moves.
    pub timer: String,
    /// Ticks of its timer per second, measured against this machine's clock; nothing without a timer.
    pub ticks_per_second: Option<f64>,
    /// How far that may be from the truth, in ticks per second.
    pub clock_uncertainty: Option<f64>,
    /// Which slot its model is in; nothing where the model is part of the firmware.
    pub slot: Option<RunningSlot>,
    /// Ticks to read and prepare the model.
    pub prepare_ticks: u64,
    /// Images answered.
    pub images: u64,
    /// Ticks of all inferences together.
    pub total_ticks: u64,
    /// The fastest inference.
    pub least_ticks: u64,
    /// The slowest inference.
    pub most_ticks: u64,
    /// Images whose outputs are not, byte for byte, those that were expected; nothing when nothing was expected.
    pub mismatches: Option<u64>,
    /// Images whose greatest output is at the label; nothing without labels.
    pub correct: Option<u64>,
    /// What each operator cost for the first image; empty after a live run.
    pub operators: Vec<Operator>,
    /// The outputs of each image, in hexadecimal; empty after a live run.
    pub outputs: Vec<String>,
}

/// The slot whose model runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningSlot {
    /// Its number, from 0.
    pub index: u32,
    /// The sequence number in its header.
    pub sequence: u32,
    /// The model's version in its header.
    pub model_version: u32,
}

/// What one operator cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// Its index in the model.
    pub index: u32,
    /// Its builtin code in the schema.
    pub builtin_code: u32,
    /// Ticks.
    pub ticks: u64,
}

impl From<OperatorTicks> for Operator {
    fn from(ticks: OperatorTicks) -> Self {
        let OperatorTicks {
            index,
            builtin_code,
            ticks,
        } = ticks;
        Self {
            index,
            builtin_code,
            ticks,
        }
    }
}

impl Run {
    /// What a firmware that greeted so has said before its first answer.
    #[must_use]
    pub fn begun(greeting: &Greeting) -> Self {
        Self {
            model_crc: greeting.model_crc,
            model_bytes: greeting.model_bytes,
            arena_bytes: greeting.arena_bytes,
            arena_used_bytes: greeting.arena_used_bytes,
            stack_limit_bytes: greeting.stack_limit_bytes,
            stack_bytes: 0,
            output_bytes: greeting.output_bytes,
            target: greeting.target.clone(),
            timer: timer_name(greeting.timer).to_owned(),
            ticks_per_second: None,
            clock_uncertainty: None,
            slot: greeting.slots.map(|slots| RunningSlot {
                index: slots.running,
                sequence: slots.sequence,
                model_version: slots.model_version,
            }),
            prepare_ticks: greeting.prepare_ticks,
            images: 0,
            total_ticks: 0,
            least_ticks: 0,
            most_ticks: 0,
            mismatches: None,
            correct: None,
            operators: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// Keeps how fast the timer runs.
    pub const fn set_clock(&mut self, rate: ClockRate) {
        self.ticks_per_second = Some(rate.hertz);
        self.clock_uncertainty = Some(rate.uncertainty);
    }

    /// Counts one answer.
    pub fn add(&mut self, ticks: u64) {
        self.least_ticks = if self.images == 0 {
            ticks
        } else {
            self.least_ticks.min(ticks)
        };
        self.most_ticks = self.most_ticks.max(ticks);
        self.total_ticks += ticks;
        self.images += 1;
    }

    /// A run over a list of images.
    #[must_use]
    pub fn of(transcript: &Transcript) -> Self {
        let mut run = Self::begun(&transcript.greeting);
        run.stack_bytes = transcript.stack_bytes;
        run.operators = transcript
            .operators
            .iter()
            .copied()
            .map(Operator::from)
            .collect();
        for (image, ticks) in transcript.ticks.iter().enumerate() {
            run.add(*ticks);
            run.outputs
                .push(hexadecimal(transcript.output(image).unwrap_or_default()));
        }
        run
    }

    /// Mean ticks of an inference; 0 without images.
    #[must_use]
    pub fn ticks_per_inference(&self) -> u64 {
        (self.total_ticks + self.images / 2)
            .checked_div(self.images)
            .unwrap_or(0)
    }

    /// What so many ticks take, in milliseconds; nothing when the clock is not known.
    #[must_use]
    pub fn milliseconds(&self, ticks: u64) -> Option<f64> {
        self.ticks_per_second
            .map(|per_second| ticks as f64 / per_second * 1e3)
    }
}

const fn timer_name(timer: TimerKind) -> &'static str {
    match timer {
        TimerKind::SysTick => "systick",
        TimerKind::Mcycle => "mcycle",
        TimerKind::Dwt => "dwt",
        TimerKind::None => "none",
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Findings, Flashed, Run};
    use crate::converse::{ClockRate, Greeting, OperatorTicks, Transcript};
    use ember_link::{Slots, TimerKind};

    fn transcript() -> Transcript {
        Transcript {
            greeting: Greeting {
                model_crc: 1,
                model_bytes: 2,
                arena_bytes: 4096,
                arena_used_bytes: 4000,
                input_bytes: 4,
                output_bytes: 2,
                stack_limit_bytes: 8192,
                timer: TimerKind::Dwt,
                calibration_ticks: 8000,
                prepare_ticks: 5,
                target: "thumbv7em-none-eabihf".into(),
                slots: Some(Slots {
                    running: 1,
                    sequence: 7,
                    model_version: 3,
                    refusals: [0, 0],
                }),
            },
            operators: vec![OperatorTicks {
                index: 0,
                builtin_code: 3,
                ticks: 900,
            }],
            images: 2,
            outputs: vec![0x80, 0x7f, 0x00, 0xff],
            ticks: vec![1000, 1003],
            stack_bytes: 700,
        }
    }

    #[test]
    fn a_transcript_is_summed_up() {
        let mut run = Run::of(&transcript());
        assert_eq!(run.outputs, ["807f", "00ff"]);
        assert_eq!((run.least_ticks, run.most_ticks), (1000, 1003));
        assert_eq!(run.ticks_per_inference(), 1002);
        assert_eq!(run.milliseconds(64_000), None);
        assert_eq!(
            run.slot.map(|slot| (slot.index, slot.sequence)),
            Some((1, 7))
        );
        run.set_clock(ClockRate {
            hertz: 64e6,
            uncertainty: 1e3,
        });
        assert_eq!(run.milliseconds(64_000), Some(1.0));
    }

    #[test]
    fn json_keeps_everything() {
        let findings = Findings {
            chip: "nRF52840_xxAA".into(),
            probe: "1366:1015:0006".into(),
            probe_name: "J-Link".into(),
            flashed: Some(Flashed {
                erased_bytes: 8192,
                written_bytes: 5000,
                seconds: 0.25,
            }),
            run: Some(Run::of(&transcript())),
        };
        let text = serde_json::to_string(&findings).unwrap();
        assert_eq!(serde_json::from_str::<Findings>(&text).unwrap(), findings);
    }
}
