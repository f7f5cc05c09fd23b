//! One instruction at a time, on random registers and memory, against another emulator of the same architecture: the
//! crate `armagnac`. Where that one has no answer (it panics on what it does not have), there is nothing to compare.

use super::{Core, PC, SP, Stop};
use crate::machine::Region;
use armagnac::core::{Config, Emulator, Processor, RunOptions};
use armagnac::memory::RamMemory;
use armagnac::registers::RegisterIndex;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

const FLASH: Region = Region {
    origin: 0,
    length: 0x1000,
};
const RAM: Region = Region {
    origin: 0x2000_0000,
    length: 0x1000,
};
/// Where the instruction stands.
const AT: u32 = 0x200;

/// A generator of numbers that look random: xorshift64*, Vigna 2016.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.next() % limit
    }

    /// A number of the kind that finds mistakes.
    fn operand(&mut self) -> u32 {
        match self.below(6) {
            0 => self.below(40),
            1 => u32::MAX - self.below(40),
            2 => 1 << self.below(32),
            3 => 0x8000_0000_u32.wrapping_add(self.below(3)).wrapping_sub(1),
            _ => self.next(),
        }
    }
}

/// What an instruction starts from, and what it leaves.
#[derive(Clone, Debug, PartialEq)]
struct State {
    registers: [u32; 16],
    /// N, Z, C, V in the upper four bits.
    flags: u32,
    ram: Vec<u8>,
}

fn random_state(random: &mut Random) -> State {
    let mut registers = [0; 16];
    for register in &mut registers {
        // Every other one can be an address.
        *register = if random.below(2) == 0 {
            RAM.origin + 0x400 + random.below(0x800)
        } else {
            random.operand()
        };
    }
    registers[SP] = RAM.origin + 0x800 + random.below(0x100) * 4;
    registers[PC] = AT;
    State {
        registers,
        flags: random.next() & 0xF000_0000,
        ram: (0..RAM.length).map(|_| random.next() as u8).collect(),
    }
}

fn flash(halfwords: &[u16]) -> Vec<u8> {
    let mut bytes = vec![0; FLASH.length as usize];
    for (index, halfword) in halfwords.iter().enumerate() {
        let at = AT as usize + index * 2;
        bytes[at..at + 2].copy_from_slice(&halfword.to_le_bytes());
    }
    bytes
}

/// The state after the instructions, by our emulator.
fn ours(state: &State, code: &[u8], count: u64) -> Result<State, Stop> {
    let mut core = Core::new(FLASH, RAM, 40);
    core.program(FLASH.origin, code)?;
    core.bytes_mut(RAM.origin, RAM.length)?
        .copy_from_slice(&state.ram);
    core.registers = state.registers;
    core.set_flags(state.flags);
    match core.run(count) {
        Stop::Enough => Ok(State {
            registers: core.registers,
            flags: core.xpsr() & 0xF000_0000,
            ram: core.bytes(RAM.origin, RAM.length)?.to_vec(),
        }),
        stop => Err(stop),
    }
}

struct Theirs {
    processor: Processor,
    flash: Rc<RefCell<RamMemory>>,
    ram: Rc<RefCell<RamMemory>>,
}

impl Theirs {
    fn new() -> Self {
        let mut processor = Processor::new(Config::v7m());
        let flash = processor
            .map_ram(FLASH.origin, FLASH.length)
            .expect("nothing is there yet");
        let ram = processor
            .map_ram(RAM.origin, RAM.length)
            .expect("nothing is there yet");
        Self {
            processor,
            flash,
            ram,
        }
    }

    fn run(&mut self, state: &State, code: &[u8], count: usize) -> Option<State> {
        self.flash.borrow_mut().data.copy_from_slice(code);
        self.ram.borrow_mut().data.copy_from_slice(&state.ram);
        let processor = &mut self.processor;
        for (number, value) in (0..).zip(state.registers) {
            processor
                .registers
                .set(RegisterIndex::new_main(number), value);
        }
        processor.set_pc(AT);
        processor.registers.psr.set(state.flags | 1 << 24);
        processor.run(RunOptions::new().gas(count)).ok()?;
        let mut registers = [0; 16];
        for (number, value) in (0..).zip(&mut registers) {
            *value = processor[RegisterIndex::new_main(number)];
        }
        registers[PC] = processor.pc();
        Some(State {
            registers,
            flags: processor.registers.psr.get() & 0xF000_0000,
            ram: self.ram.borrow().data.clone(),
        })
    }
}

/// WFE and WFI, on which the other emulator waits for ever.
fn waits_for_an_interrupt(halfwords: &[u16]) -> bool {
    match *halfwords {
        [hint] => matches!(hint, 0xBF20 | 0xBF30),
        [first, second] => first & 0xFFF0 == 0xF3A0 && second & 0xD000 == 0x8000,
        _ => false,
    }
}

/// STM whose base is one of the registers but not the lowest: the manual leaves open what is stored for it.
fn stores_anything(halfwords: &[u16]) -> bool {
    let first = halfwords[0];
    let (base, registers) = (first >> 8 & 7, u32::from(first & 0xFF));
    first >> 11 == 0b11000
        && registers >> base & 1 == 1
        && registers.trailing_zeros() != u32::from(base)
}

/// Runs `rounds` programs of `generate` on both, and says how many both could run.
fn compare(rounds: u32, mut generate: impl FnMut(u32, &mut Random) -> Vec<u16>, count: u64) -> u32 {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut theirs = Theirs::new();
    let mut compared = 0;
    // The other emulator panics on what it does not have; that is no news.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut difference = None;
    for round in 0..rounds {
        let halfwords = generate(round, &mut random);
        if waits_for_an_interrupt(&halfwords) || stores_anything(&halfwords) {
            continue;
        }
        let state = random_state(&mut random);
        let code = flash(&halfwords);
        let mine = ours(&state, &code, count);
        let other = catch_unwind(AssertUnwindSafe(|| {
            theirs.run(&state, &code, count as usize)
        }));
        if let (Ok(mine), Ok(Some(other))) = (&mine, &other) {
            if mine == other {
                compared += 1;
                continue;
            }
            difference = Some(format!(
                "{halfwords:04x?} from {:08x?} {:x}\nours   {:08x?} {:x}\ntheirs {:08x?} {:x}",
                state.registers,
                state.flags,
                mine.registers,
                mine.flags,
                other.registers,
                other.flags
            ));
            break;
        }
        // After anything but a plain instruction it may be left with exceptions that wait.
        theirs = Theirs::new();
    }
    std::panic::set_hook(hook);
    assert_eq!(difference, None);
    compared
}

#[test]
fn random_instructions_do_the_same_as_in_another_emulator() {
    let compared = compare(
        60_000,
        |round, random| match round % 2 {
            0 => vec![(random.next() % 0xE800) as u16],
            _ => vec![0xE800 + random.below(0x1800) as u16, random.next() as u16],
        },
        1,
    );
    assert!(compared > 25_000, "{compared}");
}

#[test]
fn instructions_of_an_it_block_do_the_same_as_in_another_emulator() {
    let compared = compare(
        10_000,
        |_, random| {
            let condition = random.below(14) << 4;
            let mask = 1 + random.below(15);
            let it = 0xBF00 | condition | mask;
            // Data processing of low registers, and after the block one more that sets flags.
            let data = (0..5).map(|_| random.below(0x4400) as u16);
            std::iter::once(it as u16).chain(data).collect()
        },
        6,
    );
    assert!(compared > 9_000, "{compared}");
}

/// Runs a program whose halfwords stand at [`AT`] until it stops.
fn run(halfwords: &[u16], limit: u64) -> (Stop, Core) {
    let mut core = Core::new(FLASH, RAM, 40);
    core.program(FLASH.origin, &flash(halfwords)).unwrap();
    core.registers[PC] = AT;
    core.registers[SP] = RAM.origin + RAM.length;
    let stop = core.run(limit);
    (stop, core)
}

#[test]
fn what_a_real_core_would_fault_on_stops_it_where_it_is() {
    for (halfwords, stop) in [
        // UDF
        (vec![0xDE00], Stop::Unknown),
        // SVC
        (vec![0xDF00], Stop::Unknown),
        // VADD.F32 s0, s0, s0: a Cortex-M3 has no floating point.
        (vec![0xEE30, 0x0A00], Stop::Unknown),
        // SMLAD r0, r0, r0, r0: nor the DSP extension.
        (vec![0xFB20, 0x0000], Stop::Unknown),
        // BX r0, with r0 = 0
        (vec![0x4700], Stop::NotThumb(0)),
    ] {
        let (found, core) = run(&halfwords, 10);
        assert_eq!(found, stop);
        assert_eq!(core.program_counter(), AT);
    }
    // STR r0, [r0]: address 0 is flash.
    let (stop, _) = run(&[0x6000], 10);
    assert!(matches!(stop, Stop::Access(bad) if bad.write && bad.address == 0));
    // B to far beyond what was programmed.
    let (stop, _) = run(&[0xF10F, 0xBFFE], 10);
    assert!(matches!(stop, Stop::Outside(_)), "{stop:?}");
    // B to itself: the limit ends it.
    let (stop, core) = run(&[0xE7FE], 1000);
    assert_eq!((stop, core.instructions()), (Stop::Enough, 1000));
}

#[test]
fn systick_interrupts_a_loop_and_everything_is_as_before() {
    // ADDS r0, #1 and B back to it.
    let mut code = flash(&[0x3001, 0xE7FD]);
    // The handler counts in the word that r2 points to: LDR r1, [r2]; ADDS r1, #1; STR r1, [r2]; BX LR.
    let handler = 0x300;
    for (index, halfword) in [0x6811_u16, 0x3101, 0x6011, 0x4770].iter().enumerate() {
        code[handler + index * 2..][..2].copy_from_slice(&halfword.to_le_bytes());
    }
    code[15 * 4..][..4].copy_from_slice(&(handler as u32 | 1).to_le_bytes());

    let mut core = Core::new(FLASH, RAM, 40);
    core.program(FLASH.origin, &code).unwrap();
    let stack = RAM.origin + RAM.length - 4;
    core.registers[1] = 77;
    core.registers[2] = RAM.origin;
    core.registers[SP] = stack;
    core.registers[PC] = AT;
    // The counter is reloaded every 100 ticks, which are 4,000 instructions.
    for (register, value) in [(0x014, 99), (0x018, 0), (0x010, 7)] {
        core.memory
            .write_control(0xE000_E000 + register, value, 0)
            .unwrap();
    }
    assert_eq!(core.run(10_000), Stop::Enough);
    assert_eq!(core.bytes(RAM.origin, 4).unwrap(), [2, 0, 0, 0]);
    assert_eq!(
        core.registers[0],
        (10_000 - 2 * 4) / 2,
        "two handlers of four instructions"
    );
    assert_eq!(
        core.registers[1], 77,
        "what the handler overwrote is restored"
    );
    assert_eq!((core.registers[SP], core.in_handler), (stack, false));

    // Masked, it waits.
    core.masked = true;
    assert_eq!(core.run(10_000), Stop::Enough);
    assert_eq!(core.bytes(RAM.origin, 4).unwrap(), [2, 0, 0, 0]);
    core.masked = false;
    assert_eq!(core.run(10), Stop::Enough);
    assert_eq!(core.bytes(RAM.origin, 4).unwrap(), [3, 0, 0, 0]);
}
