//! Why there is no plan for a chip, or none for an image.

use serde::Serialize;

/// See each variant for what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChipError {
    /// No chip has this name.
    #[error(
        "no chip of the registry has the name `{name}`; the nearest are: {}. `cargo xtask chips SEARCH` lists chips",
        .nearest.join(", ")
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// The most similar names, the best first.
        nearest: Vec<String>,
    },
    /// Several chips have names that begin so.
    #[error("`{name}` may be any of {} chips; say which one: {}", .matches.len(), shortened(.matches))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// Their names, sorted.
        matches: Vec<String>,
    },
    /// The registry does not have the chip, and we know why nobody can deploy to it this way.
    #[error("`{name}` is not in the registry, and {reason}")]
    Outside {
        /// What was asked for.
        name: String,
        /// Why, after "and".
        reason: &'static str,
    },
    /// The chip is known, and the firmware would not run on it, or could do harm.
    #[error("{chip} is not supported: {refusal}. Nothing was written")]
    Refused {
        /// The chip's name as the registry writes it.
        chip: String,
        /// Why.
        refusal: ChipRefusal,
    },
    /// The image has bytes where the chip has no flash.
    #[error(
        "the image has {bytes} bytes at {address:#010x}, and {chip}'s flash is {origin:#010x} to {end:#010x}; build it \
         for this chip"
    )]
    OutsideFlash {
        /// The chip.
        chip: String,
        /// Where the bytes are.
        address: u32,
        /// How many.
        bytes: usize,
        /// First address of the flash.
        origin: u32,
        /// First address after it.
        end: u64,
    },
    /// Two parts of the image claim the same address.
    #[error("two parts of the image for {chip} overlap at {address:#010x}; build it again")]
    Overlap {
        /// The chip.
        chip: String,
        /// The first address that both have.
        address: u32,
    },
    /// The image would write other bytes than it may into a range that means something to the chip.
    #[error(
        "{chip}: the byte at {address:#010x} belongs to the {what} and must be {expected:#04x}, but the image {}; \
         nothing was written",
        found(*.actual)
    )]
    Reserved {
        /// The chip.
        chip: String,
        /// The first such byte.
        address: u32,
        /// What must be there.
        expected: u8,
        /// What the image has there; `None`: nothing, although it erases the sector.
        actual: Option<u8>,
        /// What the range is.
        what: String,
    },
    /// The chip would not start what the image puts at the start of flash.
    #[error("{chip} would not start this image: {problem}; build it for this chip")]
    NoStart {
        /// The chip.
        chip: String,
        /// What is wrong.
        problem: &'static str,
    },
}

/// Why a model cannot be deployed to a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{reason} ({}; {citation})", .kind.title())]
pub struct ChipRefusal {
    /// Which kind of reason.
    pub kind: Refusal,
    /// The reason itself.
    pub reason: &'static str,
    /// Who says so: `source` in JSON.
    #[serde(rename = "source")]
    pub citation: &'static str,
}

/// Kinds of reasons for which a chip is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The registry knows no flash or no RAM that the first core could run a program with.
    NoFlash,
    /// The registry knows no way to program that flash, or none that leaves the rest of it alone.
    NoAlgorithm,
    /// The processor is none that the firmware is written for.
    Core,
    /// The chip starts only a kind of image that we do not build.
    BootImage,
    /// A configuration in flash decides whether the chip starts and can be debugged.
    Configuration,
    /// A watchdog runs from reset, and the firmware does not serve it.
    Watchdog,
    /// The program lies in a memory that the board chooses.
    Board,
    /// How it starts, or what its memory needs first, is not known to us well enough.
    NotKnown,
}

impl Refusal {
    /// What a person calls it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::NoFlash => "no memory in the registry",
            Self::NoAlgorithm => "no usable flash algorithm in the registry",
            Self::Core => "no such processor in the firmware",
            Self::BootImage => "a boot image that is not built here",
            Self::Configuration => "a configuration in flash that is not built here",
            Self::Watchdog => "a watchdog that is not served",
            Self::Board => "flash that the board chooses",
            Self::NotKnown => "not known how it starts",
        }
    }
}

/// All of a short list, the first of a long one.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 24;
    if names.len() <= SHOWN {
        return names.join(", ");
    }
    format!(
        "{} and {} more",
        names[..SHOWN].join(", "),
        names.len() - SHOWN
    )
}

fn found(actual: Option<u8>) -> String {
    actual.map_or_else(
        || "erases its sector and leaves it out".to_owned(),
        |byte| format!("has {byte:#04x}"),
    )
}
