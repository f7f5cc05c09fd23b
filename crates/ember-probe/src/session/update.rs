//! A new model for a chip that runs Ember: reads from the chip's own flash where it belongs, and writes only that slot.

use super::flash::{self, Purpose, Written};
use crate::error::ProbeError;
use ember_deploy::chip::Plan;
use ember_deploy::image::Segment;
use ember_deploy::update::{Flash, Installed, NewModel, Update};
use ember_progress::Console;
use probe_rs::Session;

/// A chip's flash behind a debug port.
struct ChipFlash<'a> {
    session: &'a mut Session,
    purpose: Purpose,
    console: &'a Console,
    written: Written,
}

impl Flash for ChipFlash<'_> {
    type Error = ProbeError;

    fn read(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), ProbeError> {
        flash::read(self.session, address, bytes)
    }

    fn write(&mut self, segment: &Segment) -> Result<(), ProbeError> {
        let segments = std::slice::from_ref(segment);
        self.written = flash::write(self.session, segments, self.purpose, self.console)?;
        Ok(())
    }
}

/// What the firmware on the chip says about itself and its slots. Writes nothing; the chip goes on running.
///
/// # Errors
/// As [`Installed::read`].
pub fn installed(
    session: &mut Session,
    plan: &Plan,
    console: &Console,
) -> Result<Installed, ProbeError> {
    let mut flash = ChipFlash {
        session,
        purpose: Purpose::Model { other_runs: true },
        console,
        written: Written::default(),
    };
    Installed::read(&mut flash, plan)
}

/// Gives the chip a new model: only the sectors of one slot are erased and written. The chip is halted afterwards.
///
/// # Errors
/// As [`Installed::read`], [`Installed::update`] and [`Update::write`]. Until the first sector is erased nothing has
/// changed.
pub fn update(
    session: &mut Session,
    plan: &Plan,
    model: &NewModel<'_>,
    console: &Console,
) -> Result<(Update, Written), ProbeError> {
    let installed = installed(session, plan, console)?;
    let update = installed.update(model)?;
    console.step("Updating", describe(&installed, &update));
    let mut flash = ChipFlash {
        session,
        purpose: Purpose::Model {
            other_runs: update.is_safe(),
        },
        console,
        written: Written::default(),
    };
    update.write(&mut flash)?;
    let written = flash.written;
    Ok((update, written))
}

/// What an update writes and what runs before it, in one sentence.
#[must_use]
pub fn describe(installed: &Installed, update: &Update) -> String {
    let before = installed.running().map_or_else(
        || "no model runs now".to_owned(),
        |running| {
            format!(
                "slot {} with model version {}, sequence {}, runs now",
                running.index, running.slot.header.model_version, running.slot.header.sequence
            )
        },
    );
    format!(
        "slot {} at {:#010x}: model version {}, sequence {}, {} bytes; {before}",
        update.slot,
        update.region.origin,
        update.header.model_version,
        update.header.sequence,
        update.segment.bytes.len(),
    )
}
