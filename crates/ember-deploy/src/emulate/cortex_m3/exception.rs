//! Entering and leaving the one exception that there is, SysTick, and the special registers (B1.4 and B1.5 of the manual).

use super::{Core, Stop};

const SP: u8 = 13;
const LR: u8 = 14;
const PC: u8 = 15;

const XPSR_THUMB: u32 = 1 << 24;
const XPSR_ALIGNED: u32 = 1 << 9;
/// Return to the thread, on the main stack, without floating-point registers.
pub(super) const EXCEPTION_RETURN: u32 = 0xFFFF_FFF9;
const SYSTICK: u32 = 15;

impl Core {
    /// The four flags and, in a handler, the exception's number.
    pub(super) fn xpsr(&self) -> u32 {
        u32::from(self.is_negative()) << 31
            | u32::from(self.is_zero()) << 30
            | u32::from(self.carry) << 29
            | u32::from(self.overflow) << 28
            | if self.in_handler { SYSTICK } else { 0 }
    }

    pub(super) fn set_flags(&mut self, xpsr: u32) {
        self.sign = xpsr;
        self.zero = u32::from(xpsr >> 30 & 1 == 0);
        self.carry = xpsr >> 29 & 1 == 1;
        self.overflow = xpsr >> 28 & 1 == 1;
    }

    /// Enters the SysTick handler.
    pub(super) fn take_systick(&mut self) -> Result<(), Stop> {
        let sp = self.get(SP);
        // The frame is aligned to 8 bytes; the stacked status remembers whether that took 4.
        let frame = sp.wrapping_sub(32) & !7;
        let unaligned = sp & 4 != 0;
        let xpsr = self.xpsr() | XPSR_THUMB | if unaligned { XPSR_ALIGNED } else { 0 };
        let words = [
            self.get(0),
            self.get(1),
            self.get(2),
            self.get(3),
            self.get(12),
            self.get(LR),
            self.get(PC),
            xpsr,
        ];
        for (index, word) in (0..).zip(words) {
            self.memory
                .write(frame.wrapping_add(index * 4), word.to_le_bytes())?;
        }
        let vector = self.memory.vectors.wrapping_add(SYSTICK * 4);
        let handler = self.memory.read_u32(vector, self.count)?;
        self.memory.systick.taken();
        self.exclusive = false;
        self.in_handler = true;
        self.set(SP, frame);
        self.set(LR, EXCEPTION_RETURN);
        if handler & 1 == 0 {
            return Err(Stop::NotThumb(handler));
        }
        self.set(PC, handler & !1);
        Ok(())
    }

    pub(super) fn return_from_exception(&mut self) -> Result<u32, Stop> {
        let frame = self.get(SP);
        let mut words = [0; 8];
        for (index, word) in (0..).zip(&mut words) {
            *word = self
                .memory
                .read_u32(frame.wrapping_add(index * 4), self.count)?;
        }
        let [r0, r1, r2, r3, r12, lr, pc, xpsr] = words;
        for (register, value) in [(0, r0), (1, r1), (2, r2), (3, r3), (12, r12), (LR, lr)] {
            self.set(register, value);
        }
        let padding = if xpsr & XPSR_ALIGNED != 0 { 4 } else { 0 };
        self.set(SP, frame.wrapping_add(32 + padding));
        self.set_flags(xpsr);
        self.exclusive = false;
        self.in_handler = false;
        self.look_at_interrupts();
        Ok(pc & !1)
    }

    /// A special register by its number in MRS.
    pub(super) fn special(&self, register: u8) -> Option<u32> {
        let saturated = u32::from(self.saturated) << 27;
        Some(match register {
            // APSR with or without IPSR; EPSR reads as zero.
            0 | 2 => self.xpsr() & 0xF000_0000 | saturated,
            1 | 3 => self.xpsr() | saturated,
            5 | 7 => self.xpsr() & 0xFF,
            6 => 0,
            8 => self.get(SP),
            16 => u32::from(self.masked),
            // CONTROL: privileged, main stack.
            20 => 0,
            _ => return None,
        })
    }

    pub(super) fn set_special(&mut self, register: u8, value: u32) -> Result<(), Stop> {
        match register {
            0..=3 => {
                self.set_flags(value);
                self.saturated = value >> 27 & 1 == 1;
            }
            8 => self.set(SP, value & !3),
            16 => {
                self.masked = value & 1 == 1;
                self.look_at_interrupts();
            }
            20 if value == 0 => {}
            _ => return Err(Stop::Unknown),
        }
        Ok(())
    }
}
