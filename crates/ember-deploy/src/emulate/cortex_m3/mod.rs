//! A Cortex-M3 in Rust: enough of Armv7-M to run the firmware with nothing but cargo.
//!
//! Instructions are decoded once and kept. Each takes one unit of time, so that SysTick and the instruction counts are
//! those of QEMU with one instruction per nanosecond. There are no caches, no wait states, and of all exceptions only
//! SysTick: where a real core would take a fault, the emulation ends and says where and why.
//!
//! Not there: privilege levels, the process stack, MPU, NVIC, SVC and WFI, self-modifying code (flash is read-only).

mod access;
mod arithmetic;
mod decode;
mod exception;
mod execute;
mod memory;
mod op;
mod systick;
#[cfg(test)]
mod tests;

use crate::machine::Region;
use memory::{BadAccess, Memory};
use op::{Condition, Instruction, Op};

const SP: usize = 13;
const LR: usize = 14;
const PC: usize = 15;

/// Why the core stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A breakpoint instruction with this number; the program counter is behind it.
    Breakpoint(u8),
    /// An instruction that there is not, or not here.
    Unknown,
    /// An access that no memory answers.
    Access(BadAccess),
    /// An access to several words at an address that is no multiple of four.
    Unaligned(u32),
    /// A branch to something that is no Thumb address.
    NotThumb(u32),
    /// The program counter is outside flash.
    Outside(u32),
    /// As many instructions were executed as were asked for.
    Enough,
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Breakpoint(number) => write!(f, "a breakpoint with number {number}"),
            Self::Unknown => write!(
                f,
                "an instruction that a Cortex-M3 or this emulator does not have"
            ),
            Self::Access(BadAccess {
                address,
                write: false,
            }) => {
                write!(f, "there is nothing to read at {address:#010x}")
            }
            Self::Access(BadAccess {
                address,
                write: true,
            }) => {
                write!(f, "there is nothing to write at {address:#010x}")
            }
            Self::Unaligned(address) => write!(f, "an unaligned access to {address:#010x}"),
            Self::NotThumb(address) => {
                write!(f, "a branch to {address:#010x}, which is no Thumb address")
            }
            Self::Outside(address) => {
                write!(f, "the program counter {address:#010x} is outside flash")
            }
            Self::Enough => write!(f, "the limit of instructions"),
        }
    }
}

/// The processor and its memory.
pub(super) struct Core {
    registers: [u32; 16],
    /// A number whose sign is the flag N.
    sign: u32,
    /// A number that is zero when the flag Z is set.
    zero: u32,
    carry: bool,
    overflow: bool,
    /// The sticky flag Q.
    saturated: bool,
    /// PRIMASK.
    masked: bool,
    in_handler: bool,
    exclusive: bool,
    /// Instructions so far.
    count: u64,
    /// The count at which SysTick has to be looked at.
    event: u64,
    /// The count at which `run` looks at what is not an instruction.
    pause: u64,
    memory: Memory,
    /// What was decoded, by halfword of flash.
    decoded: Vec<Instruction>,
}

impl Core {
    /// A core whose flash and RAM are zeros.
    pub(super) fn new(flash: Region, ram: Region, instructions_per_tick: u64) -> Self {
        Self {
            registers: [0; 16],
            sign: 0,
            zero: 1,
            carry: false,
            overflow: false,
            saturated: false,
            masked: false,
            in_handler: false,
            exclusive: false,
            count: 0,
            event: u64::MAX,
            pause: 0,
            memory: Memory::new(flash, ram, instructions_per_tick),
            decoded: Vec::new(),
        }
    }

    /// Fills flash with what an erased byte reads as.
    pub(super) fn erase(&mut self, byte: u8) {
        self.memory.erase(byte);
    }

    /// Puts bytes into flash.
    pub(super) fn program(&mut self, address: u32, bytes: &[u8]) -> Result<(), Stop> {
        self.decoded.clear();
        Ok(self.memory.program(address, bytes)?)
    }

    /// Starts as after reset: stack pointer and program counter from the vector table at `vectors`.
    pub(super) fn reset(&mut self, vectors: u32) -> Result<(), Stop> {
        self.memory.vectors = vectors;
        self.registers = [0; 16];
        self.registers[SP] = self.memory.read_u32(vectors, 0)?;
        self.registers[LR] = u32::MAX;
        let entry = self.memory.read_u32(vectors.wrapping_add(4), 0)?;
        if entry & 1 == 0 {
            return Err(Stop::NotThumb(entry));
        }
        self.registers[PC] = entry & !1;
        Ok(())
    }

    /// Instructions executed since the beginning.
    pub(super) const fn instructions(&self) -> u64 {
        self.count
    }

    pub(super) const fn program_counter(&self) -> u32 {
        self.registers[PC]
    }

    pub(super) const fn register(&self, number: u8) -> u32 {
        self.registers[(number & 15) as usize]
    }

    pub(super) fn set_register(&mut self, number: u8, value: u32) {
        self.set(number, value);
    }

    pub(super) fn bytes(&self, address: u32, length: u32) -> Result<&[u8], Stop> {
        Ok(self.memory.bytes(address, length)?)
    }

    pub(super) fn bytes_mut(&mut self, address: u32, length: u32) -> Result<&mut [u8], Stop> {
        Ok(self.memory.bytes_mut(address, length)?)
    }

    /// Runs at most `limit` instructions and says why it stopped. On an error, the program counter is that of the
    /// instruction that caused it.
    pub(super) fn run(&mut self, limit: u64) -> Stop {
        let end = self.count.saturating_add(limit);
        loop {
            self.memory.systick.advance(self.count);
            self.event = self.memory.systick.next_event();
            let interrupted = self.memory.systick.is_pending() && !self.masked && !self.in_handler;
            if interrupted && let Err(stop) = self.take_systick() {
                return stop;
            }
            if self.count >= end {
                return Stop::Enough;
            }
            self.pause = end.min(self.event);
            if let Err(stop) = self.run_to_pause() {
                return stop;
            }
        }
    }

    /// Something has changed that decides whether an interrupt is taken.
    fn look_at_interrupts(&mut self) {
        self.pause = self.count;
    }

    fn run_to_pause(&mut self) -> Result<(), Stop> {
        let origin = self.memory.flash_origin();
        // Kept beside the core, in registers of the host.
        let mut pc = self.registers[PC];
        let mut count = self.count;
        while count < self.pause {
            let offset = pc.wrapping_sub(origin);
            let instruction = match self.decoded.get((offset >> 1) as usize) {
                Some(instruction) if instruction.op != Op::Unknown => *instruction,
                _ => match self.decode(pc) {
                    Ok(instruction) => instruction,
                    Err(stop) => return Err(self.stop_at(pc, stop)),
                },
            };
            count += 1;
            self.count = count;
            let next = pc.wrapping_add(u32::from(instruction.length));
            if instruction.condition != Condition::Always && !self.passes(instruction.condition) {
                pc = next;
                continue;
            }
            pc = match self.execute(instruction.op, next) {
                Ok(target) => target,
                Err(stop @ Stop::Breakpoint(_)) => return Err(self.stop_at(next, stop)),
                Err(stop) => return Err(self.stop_at(pc, stop)),
            };
        }
        self.registers[PC] = pc;
        Ok(())
    }

    #[cold]
    const fn stop_at(&mut self, pc: u32, stop: Stop) -> Stop {
        self.registers[PC] = pc;
        stop
    }

    /// Decodes the instruction at `pc`; of an IT block, all of it.
    #[cold]
    fn decode(&mut self, pc: u32) -> Result<Instruction, Stop> {
        if self.decoded.is_empty() {
            let unknown = Instruction {
                op: Op::Unknown,
                condition: Condition::Always,
                length: 2,
            };
            self.decoded = vec![unknown; self.memory.programmed_bytes().div_ceil(2)];
        }
        let (instruction, block) = self.decode_one(pc, Condition::Always, false)?;
        let mut address = pc.wrapping_add(u32::from(instruction.length));
        for condition in block {
            let (inner, _) = self.decode_one(address, condition, true)?;
            address = address.wrapping_add(u32::from(inner.length));
        }
        Ok(instruction)
    }

    fn decode_one(
        &mut self,
        pc: u32,
        condition: Condition,
        in_it_block: bool,
    ) -> Result<(Instruction, Vec<Condition>), Stop> {
        let index = (pc.wrapping_sub(self.memory.flash_origin()) >> 1) as usize;
        if index >= self.decoded.len() {
            return Err(Stop::Outside(pc));
        }
        let first = self.memory.read_u16(pc)?;
        let (op, length, block) = if decode::is_wide(first) {
            let second = self.memory.read_u16(pc.wrapping_add(2))?;
            (decode::wide(first, second, pc), 4, Vec::new())
        } else {
            (
                decode::narrow(first, pc, in_it_block),
                2,
                decode::it_block(first),
            )
        };
        let instruction = Instruction {
            op: op.ok_or(Stop::Unknown)?.specialised(),
            condition,
            length,
        };
        self.decoded[index] = instruction;
        Ok((instruction, block))
    }
}
