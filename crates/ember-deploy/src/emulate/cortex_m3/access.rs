//! Loads and stores.

use super::memory::BadAccess;
use super::op::Width;
use super::{Core, Stop};

const PC: u8 = 15;

impl From<BadAccess> for Stop {
    fn from(bad: BadAccess) -> Self {
        Self::Access(bad)
    }
}

impl Core {
    #[inline(always)]
    pub(super) fn load(&mut self, width: Width, address: u32) -> Result<u32, Stop> {
        Ok(match width {
            Width::Word => self.memory.read_u32(address, self.count)?,
            Width::Half => u32::from(self.memory.read_u16(address)?),
            Width::Byte => u32::from(self.memory.read_u8(address)?),
            Width::SignedHalf => self.memory.read_u16(address)? as i16 as u32,
            Width::SignedByte => self.memory.read_u8(address)? as i8 as u32,
        })
    }

    #[inline(always)]
    pub(super) fn store(&mut self, width: Width, address: u32, value: u32) -> Result<(), Stop> {
        match width {
            Width::Word => {
                if let Err(bad) = self.memory.write(address, value.to_le_bytes()) {
                    return self.store_control(bad, value);
                }
            }
            Width::Half | Width::SignedHalf => {
                self.memory.write(address, (value as u16).to_le_bytes())?;
            }
            Width::Byte | Width::SignedByte => self.memory.write(address, [value as u8])?,
        }
        Ok(())
    }

    /// A store that is not to RAM: to SysTick, or to nowhere.
    #[cold]
    pub(super) fn store_control(&mut self, bad: BadAccess, value: u32) -> Result<(), Stop> {
        self.memory
            .write_control(bad.address, value, self.count)
            .ok_or(bad)?;
        self.look_at_interrupts();
        Ok(())
    }

    /// A loaded word goes to a register; to the program counter, it is a branch.
    #[inline(always)]
    pub(super) fn set_loaded(&mut self, rt: u8, value: u32, next: u32) -> Result<u32, Stop> {
        if rt == PC {
            return self.branch_to(value);
        }
        self.set(rt, value);
        Ok(next)
    }

    pub(super) fn load_multiple(
        &mut self,
        rn: u8,
        registers: u16,
        below: bool,
        write_back: bool,
        next: u32,
    ) -> Result<u32, Stop> {
        let base = self.get(rn);
        let size = registers.count_ones() * 4;
        let start = if below { base.wrapping_sub(size) } else { base };
        let mut address = aligned(start)?;
        if write_back {
            self.set(
                rn,
                if below {
                    start
                } else {
                    base.wrapping_add(size)
                },
            );
        }
        for register in 0..15 {
            if registers >> register & 1 == 1 {
                let value = self.memory.read_u32(address, self.count)?;
                self.set(register, value);
                address = address.wrapping_add(4);
            }
        }
        if registers >> PC & 1 == 1 {
            let target = self.memory.read_u32(address, self.count)?;
            return self.branch_to(target);
        }
        Ok(next)
    }

    pub(super) fn store_multiple(
        &mut self,
        rn: u8,
        registers: u16,
        below: bool,
        write_back: bool,
    ) -> Result<(), Stop> {
        let base = self.get(rn);
        let size = registers.count_ones() * 4;
        let start = if below { base.wrapping_sub(size) } else { base };
        let mut address = aligned(start)?;
        for register in 0..15 {
            if registers >> register & 1 == 1 {
                self.memory
                    .write(address, self.get(register).to_le_bytes())?;
                address = address.wrapping_add(4);
            }
        }
        if write_back {
            self.set(
                rn,
                if below {
                    start
                } else {
                    base.wrapping_add(size)
                },
            );
        }
        Ok(())
    }
}

/// Exclusive accesses must be aligned to their size.
pub(super) fn aligned_for(width: Width, address: u32) -> Result<(), Stop> {
    let bytes = match width {
        Width::Word => 4,
        Width::Half | Width::SignedHalf => 2,
        Width::Byte | Width::SignedByte => 1,
    };
    if address.is_multiple_of(bytes) {
        Ok(())
    } else {
        Err(Stop::Unaligned(address))
    }
}

/// Accesses to more than one word must be aligned.
pub(super) fn aligned(address: u32) -> Result<u32, Stop> {
    if address.is_multiple_of(4) {
        Ok(address)
    } else {
        Err(Stop::Unaligned(address))
    }
}
