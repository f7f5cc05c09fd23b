//! A Cortex-M chip as a debug port sees it.

use super::memory::Memory;
use probe_rs::Target;
use probe_rs::architecture::arm::FullyQualifiedApAddress;
use probe_rs::flashing::FlashAlgorithm;
use std::collections::HashMap;
use std::ops::Range;

const DFSR: u64 = 0xe000_ed30;
const AIRCR: u64 = 0xe000_ed0c;
const DHCSR: u64 = 0xe000_edf0;
const DCRSR: u64 = 0xe000_edf4;
const DCRDR: u64 = 0xe000_edf8;
const DEMCR: u64 = 0xe000_edfc;
const SYSTEM: Range<u64> = 0xe000_0000..0xe010_0000;

const SP: usize = 13;
const LR: usize = 14;
const PC: usize = 15;
const XPSR: usize = 16;

/// Bytes of the instruction that a step executes.
const STEP: u32 = 2;

/// What happened to the flash, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A sector was erased.
    Erased(Range<u64>),
    /// Bytes were programmed.
    Programmed(Range<u64>),
    /// A routine that erases the whole chip was called.
    ErasedAll,
    /// Bytes were programmed that had not been erased.
    NotErased(Range<u64>),
    /// The chip was reset.
    Reset,
}

/// What the chip executes when it is not in a flash algorithm: the firmware, written for the host.
pub trait Program: Send {
    /// The chip has come out of reset.
    fn start(&mut self, memory: &mut Memory);
    /// Some time has passed.
    fn step(&mut self, memory: &mut Memory);
}

/// The chip.
pub struct Chip {
    /// Its memory.
    pub memory: Memory,
    /// What happened to its flash.
    pub events: Vec<Event>,
    /// The cable is pulled after so many more accesses.
    pub accesses_left: Option<u64>,
    /// Is called when a sector is erased.
    pub on_erase: Option<Box<dyn FnMut() + Send>>,
    /// Accesses so far.
    pub accesses: u64,
    /// The routines called so far.
    pub calls: u64,
    algorithms: Vec<FlashAlgorithm>,
    cores: HashMap<FullyQualifiedApAddress, Cpu>,
    program: Option<Box<dyn Program>>,
    running: bool,
}

#[derive(Default)]
struct Cpu {
    registers: HashMap<usize, u32>,
    data: u32,
    control: u32,
    halted: bool,
    /// It came out of reset and stops when debugging is enabled.
    caught: bool,
    /// The first instruction of a routine was executed.
    stepped: bool,
    halt_reason: u32,
    vector_catch: u32,
    system: HashMap<u64, u32>,
}

/// There is nobody at the other end of the cable.
#[derive(Debug)]
pub struct Unplugged;

impl Chip {
    /// A chip with old content in its flash, running nothing.
    pub fn new(target: &Target) -> Self {
        let mut algorithms: Vec<_> = target
            .flash_algorithms
            .iter()
            .flat_map(|raw| {
                target.cores.iter().filter_map(|core| {
                    FlashAlgorithm::assemble_from_raw_with_core(raw, &core.name, target).ok()
                })
            })
            .collect();
        // probe-rs takes the default of several for the same flash.
        algorithms.sort_by_key(|algorithm| !algorithm.default);
        Self {
            memory: Memory::new(&target.memory_map),
            events: Vec::new(),
            accesses_left: None,
            on_erase: None,
            accesses: 0,
            calls: 0,
            algorithms,
            cores: HashMap::new(),
            program: None,
            running: true,
        }
    }

    /// What runs on it from the next reset on.
    pub fn set_program(&mut self, program: impl Program + 'static) {
        self.program = Some(Box::new(program));
    }

    /// Counts one access through the debug port.
    pub fn access(&mut self) -> Result<(), Unplugged> {
        match &mut self.accesses_left {
            Some(0) => return Err(Unplugged),
            Some(left) => *left -= 1,
            None => {}
        }
        self.accesses += 1;
        if self.running
            && let Some(program) = &mut self.program
        {
            program.step(&mut self.memory);
        }
        Ok(())
    }

    /// A 32-bit read.
    pub fn read_word(&mut self, ap: &FullyQualifiedApAddress, address: u64) -> u32 {
        if !SYSTEM.contains(&address) {
            return self.memory.word(address);
        }
        let cpu = self.cores.entry(ap.clone()).or_default();
        match address {
            DHCSR => cpu.control | u32::from(cpu.halted) << 17 | 1 << 16,
            DFSR => cpu.halt_reason,
            DCRDR => cpu.data,
            DEMCR => cpu.vector_catch,
            _ => cpu.system.get(&address).copied().unwrap_or(0),
        }
    }

    /// A 32-bit write.
    pub fn write_word(&mut self, ap: &FullyQualifiedApAddress, address: u64, value: u32) {
        if !SYSTEM.contains(&address) {
            self.write(address, &value.to_le_bytes());
            return;
        }
        let cpu = self.cores.entry(ap.clone()).or_default();
        match address {
            DHCSR if value >> 16 == 0xa05f => self.control(ap, value & 0xffff),
            DHCSR => {}
            DFSR => cpu.halt_reason &= !value,
            DCRDR => cpu.data = value,
            DCRSR => {
                let register = (value & 0x7f) as usize;
                if value >> 16 & 1 == 1 {
                    cpu.registers.insert(register, cpu.data);
                    cpu.stepped &= register != PC;
                } else {
                    cpu.data = cpu.registers.get(&register).copied().unwrap_or(0);
                }
            }
            DEMCR => cpu.vector_catch = value,
            AIRCR if value >> 16 == 0x05fa && value & 4 != 0 => self.reset(),
            _ => drop(cpu.system.insert(address, value)),
        }
    }

    /// A write to memory. Flash does not take it.
    pub fn write(&mut self, address: u64, bytes: &[u8]) {
        let range = address..address + bytes.len() as u64;
        if self.memory.is_flash(&range) {
            self.events.push(Event::NotErased(range));
        } else {
            self.memory.write(address, bytes);
        }
    }

    /// Resets all cores; those that are told to stop at the first instruction do.
    pub fn reset(&mut self) {
        self.events.push(Event::Reset);
        let mut running = true;
        for cpu in self.cores.values_mut() {
            cpu.registers = HashMap::from([(XPSR, 1 << 24), (SP, 0x2000_0000)]);
            cpu.stepped = false;
            let catches = cpu.vector_catch & 1 != 0;
            let debugged = cpu.control & 1 != 0;
            cpu.halted = catches && debugged;
            cpu.caught = catches && !debugged;
            if catches {
                cpu.halt_reason |= 1 << 3;
                running = false;
            }
        }
        self.running = running;
        if let Some(program) = &mut self.program {
            program.start(&mut self.memory);
        }
    }

    fn control(&mut self, ap: &FullyQualifiedApAddress, control: u32) {
        let cpu = self.cores.entry(ap.clone()).or_default();
        cpu.control = control & 0x2f;
        if control & 1 != 0 && std::mem::take(&mut cpu.caught) {
            cpu.halted = true;
            return;
        }
        let (enabled, halt, step) = (control & 1 != 0, control & 2 != 0, control & 4 != 0);
        if enabled && (halt || step) {
            if step && !halt && !cpu.stepped {
                // The rest of the routine runs as a whole when the core does.
                *cpu.registers.entry(PC).or_default() += STEP;
                cpu.stepped = true;
            }
            cpu.halted = true;
            cpu.halt_reason |= 1;
            self.running = false;
        } else if cpu.halted {
            cpu.halted = false;
            self.resume(ap);
        }
    }

    fn resume(&mut self, ap: &FullyQualifiedApAddress) {
        let Some(cpu) = self.cores.get_mut(ap) else {
            return;
        };
        let stepped = if std::mem::take(&mut cpu.stepped) {
            STEP
        } else {
            0
        };
        let register = |number: usize| u64::from(cpu.registers.get(&number).copied().unwrap_or(0));
        let pc = (register(PC) & !1) - u64::from(stepped);
        let arguments = [register(0), register(1), register(2)];
        let result = match self.routine(pc, arguments[0]) {
            Some((_, Routine::Breakpoint)) => None,
            Some((algorithm, routine)) => Some(self.call(algorithm, routine, arguments)),
            None => {
                self.running = true;
                return;
            }
        };
        let Some(cpu) = self.cores.get_mut(ap) else {
            return;
        };
        if let Some(result) = result {
            cpu.registers.insert(0, result);
            let back = cpu.registers.get(&LR).copied().unwrap_or(0);
            cpu.registers.insert(PC, back & !1);
        }
        cpu.halted = true;
        cpu.halt_reason |= 1 << 1;
    }

    /// The routine at `pc` of an algorithm whose code is in memory. Several may have the same code; then it is the one whose
    /// flash has `address`.
    fn routine(&self, pc: u64, address: u64) -> Option<(usize, Routine)> {
        let mut loaded = self
            .algorithms
            .iter()
            .enumerate()
            .filter_map(|(index, algorithm)| {
                let routine = Routine::at(algorithm, pc)?;
                let there = self
                    .memory
                    .bytes(algorithm.load_address, algorithm.instructions.len() * 4);
                let code = algorithm
                    .instructions
                    .iter()
                    .flat_map(|word| word.to_le_bytes());
                code.eq(there).then_some((index, routine))
            });
        let first = loaded.next()?;
        let has_address = |found: &(usize, Routine)| {
            let properties = &self.algorithms[found.0].flash_properties;
            properties.address_range.contains(&address)
        };
        if has_address(&first) {
            return Some(first);
        }
        loaded.find(has_address).or(Some(first))
    }

    fn call(&mut self, algorithm: usize, routine: Routine, arguments: [u64; 3]) -> u32 {
        self.calls += 1;
        let algorithm = &self.algorithms[algorithm];
        let [address, length, buffer] = arguments;
        let range = address..address + length;
        match routine {
            Routine::Breakpoint | Routine::Init | Routine::Uninit => 0,
            Routine::EraseAll => {
                self.events.push(Event::ErasedAll);
                0
            }
            Routine::EraseSector => {
                let Some(sector) = algorithm.sector_info(address) else {
                    return 1;
                };
                let erased =
                    vec![algorithm.flash_properties.erased_byte_value; sector.size as usize];
                self.memory.write(sector.base_address, &erased);
                self.events.push(Event::Erased(sector.address_range()));
                if let Some(on_erase) = &mut self.on_erase {
                    on_erase();
                }
                0
            }
            Routine::Program => {
                let old = self.memory.bytes(address, length as usize);
                let erased = algorithm.flash_properties.erased_byte_value;
                if old.iter().any(|byte| *byte != erased) {
                    self.events.push(Event::NotErased(range));
                    return 1;
                }
                let bytes = self.memory.bytes(buffer, length as usize);
                self.memory.write(address, &bytes);
                self.events.push(Event::Programmed(range));
                0
            }
            Routine::Read => {
                let bytes = self.memory.bytes(address, length as usize);
                self.memory.write(buffer, &bytes);
                0
            }
            Routine::Verify => {
                let wanted = self.memory.bytes(buffer, length as usize);
                let there = self.memory.bytes(address, length as usize);
                let same = wanted
                    .iter()
                    .zip(&there)
                    .take_while(|(a, b)| a == b)
                    .count();
                (address + same as u64) as u32
            }
        }
    }
}

/// A routine of a flash algorithm.
#[derive(Clone, Copy, Debug)]
enum Routine {
    Breakpoint,
    Init,
    Uninit,
    EraseSector,
    EraseAll,
    Program,
    Verify,
    Read,
}

impl Routine {
    fn at(algorithm: &FlashAlgorithm, pc: u64) -> Option<Self> {
        let same = |address: u64| address & !1 == pc;
        if same(algorithm.load_address) {
            Some(Self::Breakpoint)
        } else if same(algorithm.pc_erase_sector) {
            Some(Self::EraseSector)
        } else if same(algorithm.pc_program_page) {
            Some(Self::Program)
        } else if algorithm.pc_init.is_some_and(same) {
            Some(Self::Init)
        } else if algorithm.pc_uninit.is_some_and(same) {
            Some(Self::Uninit)
        } else if algorithm.pc_erase_all.is_some_and(same) {
            Some(Self::EraseAll)
        } else if algorithm.pc_verify.is_some_and(same) {
            Some(Self::Verify)
        } else if algorithm.pc_read.is_some_and(same) {
            Some(Self::Read)
        } else {
            None
        }
    }
}
