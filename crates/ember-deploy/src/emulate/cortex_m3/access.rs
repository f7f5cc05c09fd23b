//! Loads and stores.

use super::memory::BadAccess;
use super::op::{Index, Width};
use super::{Core, Stop};

const PC: u8 = 15;

impl From<BadAccess> for Stop {
    fn from(bad: BadAccess) -> Self {
        Self::Access(bad)
    }
}

impl Core {
    /// The address that an access goes to, and what its base register may become.
    #[inline(always)]
    pub(super) fn indexed(&self, rn: u8, offset: i32, index: Index) -> (u32, u32) {
        let base = self.get(rn);
        let moved = base.wrapping_add_signed(offset);
        let address = match index {
            Index::Offset | Index::Before => moved,
            Index::After => base,
        };
        (address, moved)
    }

    /// Gives the base register what it becomes.
    #[inline(always)]
    pub(super) fn write_back(&mut self, rn: u8, moved: u32, index: Index) {
        if !matches!(index, Index::Offset) {
            self.set(rn, moved);
        }
    }

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

    /// The words at `address` and behind it. Not inlined: the loop over the common instructions is faster without.
    pub(super) fn load_two(&mut self, address: u32) -> Result<[u32; 2], Stop> {
        let address = aligned(Width::Word, address)?;
        Ok([
            self.load(Width::Word, address)?,
            self.load(Width::Word, address.wrapping_add(4))?,
        ])
    }

    /// Stores `values` at `address` and behind it.
    pub(super) fn store_two(&mut self, address: u32, values: [u32; 2]) -> Result<(), Stop> {
        let address = aligned(Width::Word, address)?;
        self.store(Width::Word, address, values[0])?;
        self.store(Width::Word, address.wrapping_add(4), values[1])
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
        let mut address = aligned(Width::Word, start)?;
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
        let mut address = aligned(Width::Word, start)?;
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

/// `address` if it is a multiple of the width, as exclusive accesses and those to more than one word need it.
pub(super) fn aligned(width: Width, address: u32) -> Result<u32, Stop> {
    let bytes = match width {
        Width::Word => 4,
        Width::Half | Width::SignedHalf => 2,
        Width::Byte | Width::SignedByte => 1,
    };
    if address.is_multiple_of(bytes) {
        Ok(address)
    } else {
        Err(Stop::Unaligned(address))
    }
}
