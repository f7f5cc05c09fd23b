//! Writing flash: only the sectors that an image touches, everything read back, and never the whole chip erased.

use super::attach::causes;
use crate::error::ProbeError;
use ember_deploy::image::Segment;
use ember_progress::{Bar, Console, Unit};
use probe_rs::config::MemoryRegion;
use probe_rs::flashing::{
    DownloadOptions, FlashError, FlashLoader, FlashProgress, ProgressEvent, ProgressOperation,
};
use probe_rs::{MemoryInterface, Session};
use std::collections::VecDeque;

/// What is being written, which decides what a half-written chip can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The firmware, and a model with it.
    Firmware,
    /// A model's slot alone.
    Model {
        /// Whether the other slot holds a model that the firmware runs meanwhile.
        other_runs: bool,
    },
}

/// How far flashing had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    Nothing,
    Erasing,
    Writing,
    Verifying,
}

/// What was done to the flash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the sectors that were erased.
    pub erased_bytes: u64,
    /// Bytes of the pages that were written.
    pub written_bytes: u64,
}

/// Writes `segments` and compares what the flash then holds with them. The chip is halted afterwards.
///
/// Of a sector that the segments touch only in part, the rest is left erased.
///
/// # Errors
/// [`ProbeError::Image`] when the segments do not lie in the chip's memory, [`ProbeError::Flash`] with the state that
/// the chip is in.
pub fn write(
    session: &mut Session,
    segments: &[Segment],
    purpose: Purpose,
    console: &Console,
) -> Result<Written, ProbeError> {
    let chip = session.target().name.clone();
    let target = session.target();
    let mut loader = FlashLoader::new(
        without_overlaps(&target.memory_map),
        target.source().clone(),
    );
    for segment in segments {
        loader
            .add_data(u64::from(segment.address), &segment.bytes)
            .map_err(|error| ProbeError::Image {
                chip: chip.clone(),
                address: segment.address,
                bytes: segment.bytes.len(),
                problem: causes(&error),
            })?;
    }
    let mut display = Display::new(console);
    let mut options = DownloadOptions::new();
    options.verify = true;
    options.progress = FlashProgress::new(|event| display.event(event));
    let result = loader.commit(session, options);
    let (mut reached, written) = (display.reached, display.written);
    drop(display);
    result.map_err(|error| {
        // Erasing begins with loading the algorithm into RAM, which may fail too.
        let sector = matches!(error, FlashError::EraseFailed { .. });
        if reached == Reached::Erasing && written.erased_bytes == 0 && !sector {
            reached = Reached::Nothing;
        }
        failed(chip, &error, reached, purpose)
    })?;
    Ok(written)
}

/// The map with every byte of flash in one region only. Where two regions overlap, as the banks of some STM32U3 do in the
/// registry, probe-rs would program what lies in both twice, which such flash refuses.
fn without_overlaps(map: &[MemoryRegion]) -> Vec<MemoryRegion> {
    let mut kept: Vec<MemoryRegion> = Vec::new();
    for region in map {
        let mut region = region.clone();
        if let MemoryRegion::Nvm(later) = &mut region {
            for earlier in kept.iter().filter_map(MemoryRegion::as_nvm_region) {
                if earlier.range.contains(&later.range.start) {
                    later.range.start = earlier.range.end;
                } else if later.range.contains(&earlier.range.start) {
                    later.range.end = earlier.range.start;
                }
            }
            if later.range.start >= later.range.end {
                continue;
            }
        }
        kept.push(region);
    }
    kept
}

/// Fills `into` with memory from `address` on, through the debug port: flash, with the chip running or not.
///
/// # Errors
/// [`ProbeError::Read`].
pub fn read(session: &mut Session, address: u32, into: &mut [u8]) -> Result<(), ProbeError> {
    session
        .core(CORE)
        .and_then(|mut core| core.read(u64::from(address), into))
        .map_err(|error| ProbeError::Read {
            address,
            bytes: into.len(),
            problem: causes(&error),
        })
}

/// Restarts the chip and leaves it running.
///
/// # Errors
/// [`ProbeError::Restart`].
pub fn restart(session: &mut Session) -> Result<(), ProbeError> {
    let chip = session.target().name.clone();
    session
        .core(CORE)
        .and_then(|mut core| core.reset())
        .map_err(|error| ProbeError::Restart {
            chip,
            problem: causes(&error),
        })
}

/// The core that starts first and runs the firmware.
pub(super) const CORE: usize = 0;

fn failed(chip: String, error: &FlashError, reached: Reached, purpose: Purpose) -> ProbeError {
    let doing = match reached {
        Reached::Nothing => "before the first sector was erased",
        Reached::Erasing => "while erasing",
        Reached::Writing => "while writing",
        Reached::Verifying => "while comparing what was written",
    };
    let state = match (reached, purpose) {
        (Reached::Nothing, _) => {
            "Nothing was changed: the chip runs what it ran before after a reset"
        }
        (_, Purpose::Firmware) => {
            "The chip holds part of the new firmware and runs nothing until it is flashed again, which is always \
             possible: connect it and run the same command"
        }
        (_, Purpose::Model { other_runs: true }) => {
            "The chip still works: the slot that was being written is not valid, and the firmware runs the model in \
             the other one. Connect it and run the same command to get the new model"
        }
        (_, Purpose::Model { other_runs: false }) => {
            "The firmware is whole, but it has no valid model and says so until one is written: connect it and run \
             the same command"
        }
    };
    ProbeError::Flash {
        chip,
        doing,
        problem: causes(error),
        state,
    }
}

/// Shows each step of flashing as a bar.
struct Display<'c> {
    console: &'c Console,
    /// The bytes of the steps to come, by operation.
    totals: [VecDeque<Option<u64>>; 4],
    bar: Option<Bar>,
    reached: Reached,
    written: Written,
}

const fn index(operation: ProgressOperation) -> usize {
    match operation {
        ProgressOperation::Fill => 0,
        ProgressOperation::Erase => 1,
        ProgressOperation::Program => 2,
        ProgressOperation::Verify => 3,
    }
}

impl<'c> Display<'c> {
    fn new(console: &'c Console) -> Self {
        Self {
            console,
            totals: Default::default(),
            bar: None,
            reached: Reached::Nothing,
            written: Written::default(),
        }
    }

    fn event(&mut self, event: ProgressEvent) {
        match event {
            ProgressEvent::AddProgressBar { operation, total } => {
                self.totals[index(operation)].push_back(total);
            }
            ProgressEvent::Started(operation) => {
                let (label, reached) = match operation {
                    ProgressOperation::Fill => ("Reading", Reached::Nothing),
                    ProgressOperation::Erase => ("Erasing", Reached::Erasing),
                    ProgressOperation::Program => ("Writing", Reached::Writing),
                    ProgressOperation::Verify => ("Verifying", Reached::Verifying),
                };
                self.reached = reached;
                let total = self.totals[index(operation)].pop_front().flatten();
                self.bar = Some(self.console.bar(label, total, Unit::Bytes));
            }
            ProgressEvent::Progress {
                operation, size, ..
            } => {
                match operation {
                    ProgressOperation::Erase => self.written.erased_bytes += size,
                    ProgressOperation::Program => self.written.written_bytes += size,
                    ProgressOperation::Fill | ProgressOperation::Verify => {}
                }
                if let Some(bar) = &self.bar {
                    bar.inc(size);
                }
            }
            ProgressEvent::Finished(_) => {
                if let Some(bar) = self.bar.take() {
                    bar.finish();
                }
            }
            ProgressEvent::Failed(_) => self.bar = None,
            ProgressEvent::DiagnosticMessage { message } => self.console.line(message.trim_end()),
            ProgressEvent::FlashLayoutReady { .. } => {}
        }
    }
}
