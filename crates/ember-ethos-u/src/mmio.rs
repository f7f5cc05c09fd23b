//! The registers of an NPU where a chip has them: the crate's only unsafe code.
#![allow(
    unsafe_code,
    reason = "registers of the hardware are memory that no one owns"
)]

use core::ptr;

use crate::npu::Registers;

/// Registers at an address of this chip.
#[derive(Debug)]
pub struct Mmio {
    base: *mut u32,
}

impl Mmio {
    /// The registers that begin at `base`: the address that the chip's manual gives for its Ethos-U.
    ///
    /// # Safety
    /// An Ethos-U55 or U65 is there, all its registers (4 KiB) can be read and written, and nobody else does.
    #[must_use]
    pub const unsafe fn new(base: *mut u32) -> Self {
        Self { base }
    }
}

impl Registers for Mmio {
    fn read(&self, offset: u16) -> u32 {
        // SAFETY: `new` was promised registers here; offsets are below 4 KiB and multiples of 4 (`Registers`).
        unsafe { ptr::read_volatile(self.base.wrapping_byte_add(usize::from(offset & 0xffc))) }
    }

    fn write(&mut self, offset: u16, value: u32) {
        // SAFETY: as for reading; what a register does is the NPU's.
        unsafe {
            ptr::write_volatile(
                self.base.wrapping_byte_add(usize::from(offset & 0xffc)),
                value,
            );
        }
    }
}
