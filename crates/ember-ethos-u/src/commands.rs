//! The commands of Ethos-U55 and U65, and the list of them.
//!
//! A command is one word, or two where bit 14 of the first is set: bits 0 to 9 are what it is, bits 16 to 31 its parameter, and
//! the second word, if there is one, a larger number: an address within a region (its bits above 32 are in the parameter), a
//! stride, a length or a scale. Names and numbers are those of Arm's `ethosu55_interface.h`, `ethosu65_interface.h` and
//! `vela/ethos_u55_regs`, without the `NPU_` in front.

use core::fmt;

use crate::driver::REGIONS;
use crate::payload::PayloadError;

macro_rules! table {
    ($($code:literal $name:literal)*) => {
        &[$(($code, $name)),*]
    };
}

/// Commands of one word.
const SHORT: &[(u16, &str)] = table! {
    0x000 "OP_STOP" 0x001 "OP_IRQ" 0x002 "OP_CONV" 0x003 "OP_DEPTHWISE" 0x005 "OP_POOL" 0x006 "OP_ELEMENTWISE"
    0x010 "OP_DMA_START" 0x011 "OP_DMA_WAIT" 0x012 "OP_KERNEL_WAIT" 0x013 "OP_PMU_MASK"
    0x100 "SET_IFM_PAD_TOP" 0x101 "SET_IFM_PAD_LEFT" 0x102 "SET_IFM_PAD_RIGHT" 0x103 "SET_IFM_PAD_BOTTOM"
    0x104 "SET_IFM_DEPTH_M1" 0x105 "SET_IFM_PRECISION" 0x107 "SET_IFM_UPSCALE" 0x109 "SET_IFM_ZERO_POINT"
    0x10a "SET_IFM_WIDTH0_M1" 0x10b "SET_IFM_HEIGHT0_M1" 0x10c "SET_IFM_HEIGHT1_M1" 0x10d "SET_IFM_IB_END"
    0x10f "SET_IFM_REGION"
    0x111 "SET_OFM_WIDTH_M1" 0x112 "SET_OFM_HEIGHT_M1" 0x113 "SET_OFM_DEPTH_M1" 0x114 "SET_OFM_PRECISION"
    0x115 "SET_OFM_BLK_WIDTH_M1" 0x116 "SET_OFM_BLK_HEIGHT_M1" 0x117 "SET_OFM_BLK_DEPTH_M1" 0x118 "SET_OFM_ZERO_POINT"
    0x11a "SET_OFM_WIDTH0_M1" 0x11b "SET_OFM_HEIGHT0_M1" 0x11c "SET_OFM_HEIGHT1_M1" 0x11f "SET_OFM_REGION"
    0x120 "SET_KERNEL_WIDTH_M1" 0x121 "SET_KERNEL_HEIGHT_M1" 0x122 "SET_KERNEL_STRIDE" 0x123 "SET_PARALLEL_MODE"
    0x124 "SET_ACC_FORMAT" 0x125 "SET_ACTIVATION" 0x126 "SET_ACTIVATION_MIN" 0x127 "SET_ACTIVATION_MAX"
    0x128 "SET_WEIGHT_REGION" 0x129 "SET_SCALE_REGION" 0x12d "SET_AB_START" 0x12f "SET_BLOCKDEP"
    0x130 "SET_DMA0_SRC_REGION" 0x131 "SET_DMA0_DST_REGION" 0x132 "SET_DMA0_SIZE0" 0x133 "SET_DMA0_SIZE1"
    0x180 "SET_IFM2_BROADCAST" 0x181 "SET_IFM2_SCALAR" 0x185 "SET_IFM2_PRECISION" 0x189 "SET_IFM2_ZERO_POINT"
    0x18a "SET_IFM2_WIDTH0_M1" 0x18b "SET_IFM2_HEIGHT0_M1" 0x18c "SET_IFM2_HEIGHT1_M1" 0x18d "SET_IFM2_IB_START"
    0x18f "SET_IFM2_REGION"
};

/// Commands of two words.
const LONG: &[(u16, &str)] = table! {
    0x000 "SET_IFM_BASE0" 0x001 "SET_IFM_BASE1" 0x002 "SET_IFM_BASE2" 0x003 "SET_IFM_BASE3"
    0x004 "SET_IFM_STRIDE_X" 0x005 "SET_IFM_STRIDE_Y" 0x006 "SET_IFM_STRIDE_C"
    0x010 "SET_OFM_BASE0" 0x011 "SET_OFM_BASE1" 0x012 "SET_OFM_BASE2" 0x013 "SET_OFM_BASE3"
    0x014 "SET_OFM_STRIDE_X" 0x015 "SET_OFM_STRIDE_Y" 0x016 "SET_OFM_STRIDE_C"
    0x020 "SET_WEIGHT_BASE" 0x021 "SET_WEIGHT_LENGTH" 0x022 "SET_SCALE_BASE" 0x023 "SET_SCALE_LENGTH"
    0x024 "SET_OFM_SCALE" 0x025 "SET_OPA_SCALE" 0x026 "SET_OPB_SCALE"
    0x030 "SET_DMA0_SRC" 0x031 "SET_DMA0_DST" 0x032 "SET_DMA0_LEN" 0x033 "SET_DMA0_SKIP0" 0x034 "SET_DMA0_SKIP1"
    0x080 "SET_IFM2_BASE0" 0x081 "SET_IFM2_BASE1" 0x082 "SET_IFM2_BASE2" 0x083 "SET_IFM2_BASE3"
    0x084 "SET_IFM2_STRIDE_X" 0x085 "SET_IFM2_STRIDE_Y" 0x086 "SET_IFM2_STRIDE_C"
    0x090 "SET_WEIGHT1_BASE" 0x091 "SET_WEIGHT1_LENGTH" 0x092 "SET_SCALE1_BASE" 0x093 "SET_SCALE1_LENGTH"
    0x0a0 "SET_USER_DEFINED0" 0x0a1 "SET_USER_DEFINED1" 0x0a2 "SET_USER_DEFINED2" 0x0a3 "SET_USER_DEFINED3"
    0x0a4 "SET_USER_DEFINED4" 0x0a5 "SET_USER_DEFINED5" 0x0a6 "SET_USER_DEFINED6" 0x0a7 "SET_USER_DEFINED7"
};

/// Set in the first word of a command of two words.
const IS_LONG: u32 = 1 << 14;

const OP_STOP: u16 = 0x000;
const OP_CONV: u16 = 0x002;
const OP_DEPTHWISE: u16 = 0x003;
const OP_POOL: u16 = 0x005;
const OP_ELEMENTWISE: u16 = 0x006;
const OP_DMA_START: u16 = 0x010;

/// The commands that name a region of memory, in their lowest three bits.
const REGION_OF: [u16; 7] = [0x10f, 0x11f, 0x128, 0x129, 0x130, 0x131, 0x18f];

/// In the region of a DMA: it is the memory within the NPU.
const INTERNAL: u16 = 1 << 8;

/// The word at this place, counted in words.
pub(crate) fn word_at(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at.checked_mul(4)?..)?.first_chunk()?;
    Some(u32::from_le_bytes(*word))
}

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// Which one: its number among those of its length.
    pub code: u16,
    /// Bits 16 to 31 of its first word.
    pub parameter: u16,
    /// Its second word, if it has one.
    pub payload: Option<u32>,
}

impl Command {
    /// Arm's name for it, without the `NPU_` in front; none for what is no command of Ethos-U55 or U65.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        let table = if self.payload.is_some() { LONG } else { SHORT };
        let row = table.binary_search_by_key(&self.code, |(code, _)| *code);
        table.get(row.ok()?).map(|(_, name)| *name)
    }

    /// Whether it starts work, rather than setting something for it.
    #[must_use]
    pub const fn is_operation(&self) -> bool {
        self.payload.is_none() && self.code < 0x100
    }
}

impl fmt::Display for Command {
    /// Name, parameter and, of two words, the second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} {}", self.parameter)?,
            None => write!(f, "{:#x} {}", self.code, self.parameter)?,
        }
        match self.payload {
            Some(payload) => write!(f, " {payload:#x}"),
            None => Ok(()),
        }
    }
}

/// Commands that were checked: each is one of the NPU's, they name regions 0 to 2, and the last one is `OP_STOP`.
#[derive(Clone, Copy, Debug)]
pub struct Commands<'a> {
    bytes: &'a [u8],
}

impl<'a> Commands<'a> {
    /// Goes over all commands.
    ///
    /// # Errors
    /// [`PayloadError::Command`], [`PayloadError::Region`] or [`PayloadError::Endless`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PayloadError> {
        let commands = Self { bytes };
        let mut at = 0;
        let mut last = None;
        let mut reader = commands.iter();
        while let Some(word) = word_at(bytes, at as usize) {
            let named = reader.next().filter(|command| command.name().is_some());
            let Some(command) = named else {
                return Err(PayloadError::Command { at, word });
            };
            if command.payload.is_none() && REGION_OF.contains(&command.code) {
                let region = u32::from(command.parameter & 7);
                if region as usize >= REGIONS && command.parameter & INTERNAL == 0 {
                    return Err(PayloadError::Region { at, region });
                }
            }
            at += 1 + u32::from(command.payload.is_some());
            last = Some(command);
        }
        match last {
            Some(Command {
                code: OP_STOP,
                payload: None,
                ..
            }) => Ok(commands),
            _ => Err(PayloadError::Endless),
        }
    }

    /// Their bytes, as the NPU reads them.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// One after the other.
    #[must_use]
    pub const fn iter(&self) -> CommandIter<'a> {
        CommandIter {
            bytes: self.bytes,
            at: 0,
        }
    }

    /// How much of each region they take at least.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let mut state = State::default();
        for command in self.iter() {
            state.take(command);
        }
        state.needs
    }
}

impl<'a> IntoIterator for &Commands<'a> {
    type Item = Command;
    type IntoIter = CommandIter<'a>;

    fn into_iter(self) -> CommandIter<'a> {
        self.iter()
    }
}

/// Commands one after the other.
#[derive(Clone, Debug)]
pub struct CommandIter<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Iterator for CommandIter<'_> {
    type Item = Command;

    fn next(&mut self) -> Option<Command> {
        let word = word_at(self.bytes, self.at)?;
        let mut payload = None;
        if word & IS_LONG != 0 {
            payload = Some(word_at(self.bytes, self.at.checked_add(1)?)?);
        }
        self.at = self.at.checked_add(1 + usize::from(payload.is_some()))?;
        Some(Command {
            code: (word & 0x3ff) as u16,
            parameter: (word >> 16) as u16,
            payload,
        })
    }
}

/// Bytes that commands take of each region, at least: up to the end of all weights, scales and transfers, and to where every
/// tensor begins. How far a tensor goes from there is the sum of many commands, and not worked out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Bytes of each region.
    pub bytes: [u64; REGIONS],
}

/// An address within a region.
#[derive(Clone, Copy, Default)]
struct Address {
    region: u16,
    offset: u64,
}

/// What was set so far.
#[derive(Default)]
struct State {
    input: Address,
    second: Address,
    output: Address,
    weights: Address,
    weights_len: u64,
    scales: Address,
    scales_len: u64,
    source: Address,
    target: Address,
    transfer_len: u64,
    needs: Needs,
}

impl State {
    fn take(&mut self, command: Command) {
        let Some(low) = command.payload else {
            match command.code {
                0x10f => self.input.region = command.parameter,
                0x18f => self.second.region = command.parameter,
                0x11f => self.output.region = command.parameter,
                0x128 => self.weights.region = command.parameter,
                0x129 => self.scales.region = command.parameter,
                0x130 => self.source.region = command.parameter,
                0x131 => self.target.region = command.parameter,
                code => self.operate(code),
            }
            return;
        };
        let number = u64::from(command.parameter) << 32 | u64::from(low);
        match command.code {
            0x000 => self.input.offset = number,
            0x080 => self.second.offset = number,
            0x010 => self.output.offset = number,
            0x020 => self.weights.offset = number,
            0x021 => self.weights_len = number,
            0x022 => self.scales.offset = number,
            0x023 => self.scales_len = number,
            0x030 => self.source.offset = number,
            0x031 => self.target.offset = number,
            0x032 => self.transfer_len = number,
            _ => {}
        }
    }

    fn operate(&mut self, code: u16) {
        match code {
            OP_CONV | OP_DEPTHWISE | OP_POOL | OP_ELEMENTWISE => {
                self.need(self.input, 1);
                self.need(self.output, 1);
            }
            OP_DMA_START => {
                self.need(self.source, self.transfer_len);
                self.need(self.target, self.transfer_len);
            }
            _ => {}
        }
        if matches!(code, OP_CONV | OP_DEPTHWISE) {
            self.need(self.weights, self.weights_len);
            self.need(self.scales, self.scales_len);
        }
    }

    fn need(&mut self, address: Address, len: u64) {
        let region = usize::from(address.region & 7);
        if address.region & INTERNAL != 0 {
            return;
        }
        if let Some(bytes) = self.needs.bytes.get_mut(region) {
            *bytes = address.offset.saturating_add(len).max(*bytes);
        }
    }
}
