//! The chips of probe-rs's registry, with what the registry does not know.
//!
//! # What decides whether a chip is supported
//!
//! In this order; the first that fails is the reason that a person reads:
//!
//! 1. No row of our table refuses it: because it starts only an image with a header that we do not build, because a
//!    configuration in flash could lock it, because a watchdog runs from reset and cannot be stopped, or because its
//!    processor is none of ours.
//! 2. A row says how it starts: a plain vector table or first instruction, NXP's checksum, RP2040's boot loader, RP2350's
//!    image definition. A family that no row names is refused, also one that a later registry adds.
//! 3. Its processor is known well enough for a Rust target that rustup installs. Where a floating-point unit is not
//!    certain, the code does without: that runs everywhere.
//! 4. The registry has flash that the first core can run from, wholly inside the range of one flash algorithm, and that
//!    begins with a whole sector and page.
//! 5. The registry has RAM that the first core can read and write.
//!
//! Ranges of the flash that mean something to the chip are in
//! [`reserved`](ember_deploy::chip::Plan::reserved): no code goes there, and [`flash_plan`] refuses an image that would
//! leave other bytes there than the allowed ones. Option bytes outside of the program flash are outside of
//! [`flash`](ember_deploy::chip::Plan::flash) and therefore never written.
//!
//! `census.txt` beside this file counts all of it; a test compares it with the registry.

mod error;
mod flash;
mod lookup;
mod memory;
mod plan;
mod quirks;
mod registry;

pub use error::{ChipError, ChipRefusal, Refusal};
pub use flash::{FlashPlan, Span, flash_plan};
pub use lookup::{Chip, find};
pub use plan::plan;
pub use registry::registry;

use serde::Serialize;

/// One line of a list of chips.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChipRow {
    /// Its name as the registry writes it.
    pub name: String,
    /// The registry's family.
    pub family: String,
    /// Its first core.
    pub core: String,
    /// Bytes of program flash; `None`: the registry has none that can be programmed.
    pub flash_bytes: Option<u32>,
    /// Bytes of RAM in one piece.
    pub ram_bytes: Option<u32>,
    /// Whether a model can be deployed to it.
    pub supported: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<ChipRefusal>,
    /// What a person has to know before using it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The chips whose name, package or family has `search` in it, in any case, sorted by name; all of them for an empty one.
#[must_use]
pub fn list(search: &str) -> Vec<ChipRow> {
    lookup::all()
        .iter()
        .filter(|chip| search.is_empty() || lookup::mentions(chip, search))
        .map(row)
        .collect()
}

fn row(chip: &Chip) -> ChipRow {
    let (flash, ram) = plan::memory_of(chip);
    let (refusal, notes) = match plan::complete(chip) {
        Ok(plan) => (None, plan.notes),
        Err(refusal) => (Some(refusal), Vec::new()),
    };
    ChipRow {
        name: chip.name.clone(),
        family: chip.family().to_owned(),
        core: plan::core_of(chip),
        flash_bytes: flash.map(|flash| flash.length),
        ram_bytes: ram.map(|ram| ram.length),
        supported: refusal.is_none(),
        refusal,
        notes,
    }
}

#[cfg(test)]
mod census;
