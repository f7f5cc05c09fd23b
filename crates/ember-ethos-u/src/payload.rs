//! The first input of the operator: what Arm's driver calls the custom operator payload.
//!
//! It consists of 32-bit words, little-endian. The first is `COP1`; then come actions for the driver, each a word with the
//! action in bits 0 to 7 and a parameter in bits 16 to 31 (`vela/driver_actions.py`, `ethosu_driver.c`):
//!
//! | action | what follows |
//! |---|---|
//! | 1 configuration | two words: the registers `CONFIG` and `ID` of the NPU that the commands are for |
//! | 2 commands | so many words as bits 16 to 31 say, and bits 8 to 15 above them; they begin at a multiple of 16 bytes |
//! | 5 nothing | nothing: it fills up |

use crate::commands::{Commands, word_at};

/// `COP1`, little-endian.
const MAGIC: u32 = u32::from_le_bytes(*b"COP1");

/// What is wrong with a payload. Words are counted from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// It is not one at all.
    #[error(
        "the commands of ethos-u begin with {0:#010x} instead of COP1: compile the model with vela again"
    )]
    Magic(u32),
    /// It ends within an action, or in the middle of a word.
    #[error(
        "the commands of ethos-u end after {0} bytes in the middle of an action: the file is cut off"
    )]
    CutOff(u32),
    /// An action that there is not.
    #[error(
        "word {at} of the commands of ethos-u is {word:#010x}, which is no action of the driver (1, 2 or 5)"
    )]
    Action {
        /// Which word.
        at: u32,
        /// What it is.
        word: u32,
    },
    /// No configuration before the commands, or no commands, or either twice.
    #[error(
        "ethos-u has not one configuration and then one stream of commands: compile the model with vela again"
    )]
    Order,
    /// An NPU that this crate does not know.
    #[error(
        "the commands are for product {0} of the Ethos-U family, and only U55 (0) and U65 (1) are known: compile for one of them"
    )]
    Product(u32),
    /// The commands do not begin at a multiple of 16 bytes, where the NPU reads them.
    #[error("the commands of ethos-u begin at byte {0}, which is no multiple of 16")]
    Alignment(u32),
    /// A command that there is not.
    #[error("command word {at} is {word:#010x}, which is no command of Ethos-U55 or U65")]
    Command {
        /// Which word of the commands.
        at: u32,
        /// What it is.
        word: u32,
    },
    /// The commands do not end with a stop.
    #[error("the commands do not end with NPU_OP_STOP")]
    Endless,
    /// A region of memory that the operator does not have.
    #[error("command word {at} names region {region} of memory, and there are 0, 1 and 2")]
    Region {
        /// Which word of the commands.
        at: u32,
        /// Which region.
        region: u32,
    },
}

/// An NPU of the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Ethos-U55: addresses of 32 bits.
    U55,
    /// Ethos-U65: addresses of 40 bits.
    U65,
}

/// The NPU that commands are for, or the one that there is: what its registers `CONFIG` and `ID` say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which one.
    pub product: Product,
    /// Multiplications and additions in a cycle, of 8 by 8 bits.
    pub macs_per_cycle: u16,
    /// Memory within the NPU, in kibibytes.
    pub shram_kib: u8,
    /// The version of the commands.
    pub stream_version: u8,
    /// Whether it has (or the commands need) a custom DMA.
    pub custom_dma: bool,
    /// The version of the architecture: major, minor, patch.
    pub architecture: [u8; 3],
}

impl Target {
    /// What the two registers say.
    ///
    /// # Errors
    /// [`PayloadError::Product`].
    pub const fn from_registers(config: u32, id: u32) -> Result<Self, PayloadError> {
        let product = match config >> 28 {
            0 => Product::U55,
            1 => Product::U65,
            other => return Err(PayloadError::Product(other)),
        };
        Ok(Self {
            product,
            macs_per_cycle: 1 << (config & 0xf),
            shram_kib: (config >> 8) as u8,
            stream_version: (config >> 4 & 0xf) as u8,
            custom_dma: config >> 27 & 1 == 1,
            architecture: [(id >> 28) as u8, (id >> 20) as u8, (id >> 16 & 0xf) as u8],
        })
    }

    /// Whether this NPU runs commands for `wanted`: the rule of Arm's driver (`ethosu_dev_verify_optimizer_config`).
    #[must_use]
    pub const fn runs(&self, wanted: &Self) -> bool {
        let [major, minor, _] = self.architecture;
        let [wanted_major, wanted_minor, _] = wanted.architecture;
        self.product as u8 == wanted.product as u8
            && self.macs_per_cycle == wanted.macs_per_cycle
            && self.stream_version == wanted.stream_version
            && (self.custom_dma || !wanted.custom_dma)
            && major == wanted_major
            && minor >= wanted_minor
    }
}

/// A checked payload.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    /// The NPU that the commands are for.
    pub target: Target,
    /// The commands.
    pub commands: Commands<'a>,
}

impl<'a> Payload<'a> {
    /// Reads a payload and goes over all its commands.
    ///
    /// # Errors
    /// The first thing in it that is not as `vela` writes it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PayloadError> {
        let cut_off = PayloadError::CutOff(bytes.len() as u32);
        if !bytes.len().is_multiple_of(4) {
            return Err(cut_off);
        }
        let magic = word_at(bytes, 0).ok_or(cut_off)?;
        if magic != MAGIC {
            return Err(PayloadError::Magic(magic));
        }
        let (mut target, mut commands) = (None, None);
        let mut at = 1;
        while let Some(word) = word_at(bytes, at) {
            at = at.saturating_add(1);
            match word & 0xff {
                1 if target.is_none() => {
                    let config = word_at(bytes, at).ok_or(cut_off)?;
                    let id = word_at(bytes, at.saturating_add(1)).ok_or(cut_off)?;
                    target = Some(Target::from_registers(config, id)?);
                    at = at.saturating_add(2);
                }
                2 if target.is_some() && commands.is_none() => {
                    let words = (word >> 16 | (word & 0xff00) << 8) as usize;
                    let start = at.saturating_mul(4);
                    if !start.is_multiple_of(16) {
                        return Err(PayloadError::Alignment(start as u32));
                    }
                    let end = start.saturating_add(words.saturating_mul(4));
                    commands = Some(Commands::parse(bytes.get(start..end).ok_or(cut_off)?)?);
                    at = at.saturating_add(words);
                }
                1 | 2 => return Err(PayloadError::Order),
                5 => {}
                _ => {
                    return Err(PayloadError::Action {
                        at: (at - 1) as u32,
                        word,
                    });
                }
            }
        }
        match (target, commands) {
            (Some(target), Some(commands)) => Ok(Self { target, commands }),
            _ => Err(PayloadError::Order),
        }
    }
}
