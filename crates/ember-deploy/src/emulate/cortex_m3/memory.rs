//! The memory that an emulated program sees: a read-only part with its code, RAM, SysTick, and of the other registers of
//! the processor those that a program may look for (Armv7-M Architecture Reference Manual, B3.2 and C1.8).

use super::systick::SysTick;
use crate::machine::Region;

/// The private peripheral bus with the system control space.
const SYSTEM_CONTROL: u32 = 0xE000_E000;
const SYSTEM_CONTROL_BYTES: u32 = 0x1000;

/// Offset of the register with the address of the vector table, whose lowest bits are always zero.
const VTOR: u32 = 0xD08;
const VTOR_BITS: u32 = !0x7F;

/// Offset of the register that turns on the unit with the cycle counter. There is none: the register stays zero, and so a
/// program sees it.
const DEMCR: u32 = 0xDFC;

/// An access that no memory answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::emulate) struct BadAccess {
    pub(super) address: u32,
    pub(super) write: bool,
}

pub(super) struct Memory {
    flash_origin: u32,
    flash: Vec<u8>,
    programmed: usize,
    ram_origin: u32,
    ram: Vec<u8>,
    pub(super) systick: SysTick,
    /// Where the vector table is.
    pub(super) vectors: u32,
}

impl Memory {
    pub(super) fn new(flash: Region, ram: Region, instructions_per_tick: u64) -> Self {
        Self {
            flash_origin: flash.origin,
            flash: vec![0; flash.length as usize],
            programmed: 0,
            ram_origin: ram.origin,
            ram: vec![0; ram.length as usize],
            systick: SysTick::new(instructions_per_tick),
            vectors: flash.origin,
        }
    }

    pub(super) const fn flash_origin(&self) -> u32 {
        self.flash_origin
    }

    /// Bytes of flash from its start to the last that was programmed.
    pub(super) const fn programmed_bytes(&self) -> usize {
        self.programmed
    }

    /// Fills flash before anything is put there.
    pub(super) fn erase(&mut self, byte: u8) {
        self.flash.fill(byte);
    }

    /// Puts bytes into flash before the program starts.
    pub(super) fn program(&mut self, address: u32, bytes: &[u8]) -> Result<(), BadAccess> {
        let bad = BadAccess {
            address,
            write: true,
        };
        let start = address.wrapping_sub(self.flash_origin) as usize;
        let end = start.checked_add(bytes.len()).ok_or(bad)?;
        let place = self.flash.get_mut(start..end).ok_or(bad)?;
        place.copy_from_slice(bytes);
        self.programmed = self.programmed.max(end);
        Ok(())
    }

    /// The bytes of a range in RAM or flash.
    pub(super) fn bytes(&self, address: u32, length: u32) -> Result<&[u8], BadAccess> {
        let bad = BadAccess {
            address,
            write: false,
        };
        let ram_offset = address.wrapping_sub(self.ram_origin) as usize;
        let (memory, start) = if ram_offset < self.ram.len() {
            (&self.ram, ram_offset)
        } else {
            (
                &self.flash,
                address.wrapping_sub(self.flash_origin) as usize,
            )
        };
        memory
            .get(start..)
            .and_then(|rest| rest.get(..length as usize))
            .ok_or(bad)
    }

    /// The bytes of a range in RAM.
    pub(super) fn bytes_mut(&mut self, address: u32, length: u32) -> Result<&mut [u8], BadAccess> {
        let bad = BadAccess {
            address,
            write: true,
        };
        let start = address.wrapping_sub(self.ram_origin) as usize;
        self.ram
            .get_mut(start..)
            .and_then(|rest| rest.get_mut(..length as usize))
            .ok_or(bad)
    }

    #[inline(always)]
    fn read<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        let offset = address.wrapping_sub(self.ram_origin) as usize;
        if let Some(bytes) = self.ram.get(offset..).and_then(|rest| rest.first_chunk()) {
            return Some(*bytes);
        }
        let offset = address.wrapping_sub(self.flash_origin) as usize;
        self.flash
            .get(offset..)
            .and_then(|rest| rest.first_chunk())
            .copied()
    }

    #[inline(always)]
    pub(super) fn read_u8(&self, address: u32) -> Result<u8, BadAccess> {
        match self.read(address) {
            Some([byte]) => Ok(byte),
            None => Err(BadAccess {
                address,
                write: false,
            }),
        }
    }

    #[inline(always)]
    pub(super) fn read_u16(&self, address: u32) -> Result<u16, BadAccess> {
        self.read(address).map(u16::from_le_bytes).ok_or(BadAccess {
            address,
            write: false,
        })
    }

    /// `now` is the number of instructions so far, for SysTick.
    #[inline(always)]
    pub(super) fn read_u32(&mut self, address: u32, now: u64) -> Result<u32, BadAccess> {
        match self.read(address) {
            Some(bytes) => Ok(u32::from_le_bytes(bytes)),
            None => self.read_control(address, now),
        }
    }

    #[cold]
    fn read_control(&mut self, address: u32, now: u64) -> Result<u32, BadAccess> {
        let value = match control_offset(address) {
            Some(VTOR) => Some(self.vectors),
            Some(DEMCR) => Some(0),
            Some(offset) => self.systick.read(offset, now),
            None => None,
        };
        value.ok_or(BadAccess {
            address,
            write: false,
        })
    }

    #[inline(always)]
    pub(super) fn write<const N: usize>(
        &mut self,
        address: u32,
        bytes: [u8; N],
    ) -> Result<(), BadAccess> {
        let offset = address.wrapping_sub(self.ram_origin) as usize;
        match self
            .ram
            .get_mut(offset..)
            .and_then(|rest| rest.first_chunk_mut())
        {
            Some(place) => {
                *place = bytes;
                Ok(())
            }
            None => Err(BadAccess {
                address,
                write: true,
            }),
        }
    }

    /// A write to a register at instruction `now`; `None` when there is no such register.
    pub(super) fn write_control(&mut self, address: u32, value: u32, now: u64) -> Option<()> {
        match control_offset(address)? {
            VTOR => self.vectors = value & VTOR_BITS,
            DEMCR => {}
            offset => self.systick.write(offset, value, now)?,
        }
        Some(())
    }
}

fn control_offset(address: u32) -> Option<u32> {
    let offset = address.wrapping_sub(SYSTEM_CONTROL);
    (offset < SYSTEM_CONTROL_BYTES && offset.is_multiple_of(4)).then_some(offset)
}
