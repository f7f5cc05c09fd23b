//! A driver for Ethos-U55 and U65 at the level of their registers.
//!
//! Offsets, fields and the order of the steps are those of Arm's `ethos-u-core-driver` (`ethosu55_interface.h`,
//! `ethosu65_interface.h`, `ethosu_device_u55_u65.c` and the default values in `ethosu_config_u55.h`, `ethosu_config_u65.h`).
//! **It never ran on hardware**: its tests run it against registers in software.

use crate::driver::{Job, Stopped};
use crate::payload::{PayloadError, Product, Target};

const ID: u16 = 0x000;
const STATUS: u16 = 0x004;
const CMD: u16 = 0x008;
const RESET: u16 = 0x00c;
const QBASE: u16 = 0x010;
const QBASE_HIGH: u16 = 0x014;
const QCONFIG: u16 = 0x01c;
const QSIZE: u16 = 0x020;
const PROT: u16 = 0x024;
const CONFIG: u16 = 0x028;
const REGIONCFG: u16 = 0x03c;
const AXI_LIMITS: [u16; 4] = [0x040, 0x044, 0x048, 0x04c];
/// Base addresses of the regions, 8 bytes each.
const BASEP: u16 = 0x080;

const STATUS_IRQ: u32 = 1 << 1;
const STATUS_BUS: u32 = 1 << 2;
const STATUS_RESETTING: u32 = 1 << 3;
const STATUS_PARSE_ERROR: u32 = 1 << 4;
const STATUS_END: u32 = 1 << 5;
const STATUS_WEIGHT_FAULT: u32 = 1 << 7;
const STATUS_ECC_FAULT: u32 = 1 << 8;
const STATUS_FAULTS: u32 = STATUS_BUS | STATUS_PARSE_ERROR | STATUS_WEIGHT_FAULT | STATUS_ECC_FAULT;

const CMD_RUN: u32 = 1 << 0;
const CMD_CLEAR_IRQ: u32 = 1 << 1;
/// The clock and the power may be switched off while nothing runs.
const CMD_GATES: u32 = 0b1100;

/// The AXI ports that commands and regions 0 to 7 are read through, two bits each: the defaults of Arm's driver.
const QUEUE_PORT: u32 = 2;
const REGION_PORTS_U55: u32 = ports([3, 0, 1, 1, 1, 1, 1, 1]);
const REGION_PORTS_U65: u32 = ports([3, 2, 1, 1, 1, 1, 1, 1]);
/// Outstanding reads and writes, less one, of each port.
const LIMIT_U55: u32 = 31 << 16 | 15 << 24;
const LIMIT_U65: u32 = 63 << 16 | 31 << 24;

/// How often the status is read before a reset counts as failed, as in Arm's driver.
const RESET_READS: u32 = 100_000;

const fn ports(ports: [u32; 8]) -> u32 {
    let mut word = 0;
    let mut region = 0;
    while region < ports.len() {
        word |= ports[region] << (2 * region);
        region += 1;
    }
    word
}

/// How the registers of an NPU are reached. Offsets are in bytes, multiples of 4 and below 4,096.
pub trait Registers {
    /// Reads a register.
    fn read(&self, offset: u16) -> u32;

    /// Writes a register.
    fn write(&mut self, offset: u16, value: u32);

    /// The address by which the NPU knows memory that the processor knows by `address`.
    fn npu_address(&self, address: u64) -> u64 {
        address
    }
}

/// What the NPU may reach of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// As secure software.
    pub secure: bool,
    /// As privileged software.
    pub privileged: bool,
}

impl Access {
    /// The same bits in the registers `RESET` and `PROT`.
    const fn word(self) -> u32 {
        self.privileged as u32 | (!self.secure as u32) << 1
    }
}

/// Why the NPU did not run, or not to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NpuError {
    /// There is another NPU, or none, at this address.
    #[error(
        "register CONFIG does not read as that of an Ethos-U55 or U65: {0}; check the address and the NPU's clock"
    )]
    Absent(PayloadError),
    /// The reset did not end.
    #[error("the NPU does not come out of reset: check its clock and power")]
    Reset,
    /// The NPU did not take the security or privilege that was asked for.
    #[error(
        "the NPU does not take the access that was asked for: the chip's security configuration forbids it"
    )]
    Access,
    /// The commands are for another NPU.
    #[error(
        "the model was compiled for {wanted:?} and the chip has {has:?}: compile it for this NPU (vela --accelerator-config)"
    )]
    Target {
        /// What it was compiled for.
        wanted: Target,
        /// What there is.
        has: Target,
    },
    /// The model was compiled for more fast memory.
    #[error(
        "the model was compiled for {needed} bytes of fast memory and there are {given}: give the NPU more, or compile it for less (vela --arena-cache-size, or a memory mode without fast memory)"
    )]
    FastMemory {
        /// Bytes that the commands take.
        needed: usize,
        /// Bytes that there are.
        given: usize,
    },
    /// An address that the NPU cannot reach.
    #[error("address {0:#x} is beyond what the NPU can address, or no multiple of 16")]
    Address(u64),
    /// The NPU stopped with a fault. It was reset.
    #[error(
        "the NPU stopped with status {0:#010x}: a bus error (bit 2), commands that it does not know (4), damaged weights (7), an ECC fault (8), or no end (5 not set)"
    )]
    Fault(u32),
    /// It did not finish while the caller waited. It was reset.
    #[error("the NPU did not finish in time")]
    Timeout,
}

impl From<NpuError> for Stopped {
    /// Numbers from 100 on, in the order of the variants.
    fn from(error: NpuError) -> Self {
        Self(match error {
            NpuError::Absent(_) => 100,
            NpuError::Reset => 101,
            NpuError::Access => 102,
            NpuError::Target { .. } => 103,
            NpuError::FastMemory { .. } => 104,
            NpuError::Address(_) => 105,
            NpuError::Fault(_) => 106,
            NpuError::Timeout => 107,
        })
    }
}

/// An Ethos-U55 or U65.
///
/// ```no_run
/// use ember_ethos_u::{Access, Driver, Job, Mmio, Npu, Stopped};
///
/// struct Chip;
///
/// impl Driver for Chip {
///     fn run(job: Job<'_>) -> Result<(), Stopped> {
///         // SAFETY: the manual of this chip has an Ethos-U55 here.
///         let registers = unsafe { Mmio::new(0x4810_2000 as *mut u32) };
///         let access = Access { secure: true, privileged: true };
///         let mut npu = Npu::new(registers, access)?;
///         // No fast memory; sleeping until an interrupt would do for waiting, and `false` gives up.
///         npu.run(&job, &mut [], || true)?;
///         Ok(())
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Npu<R> {
    registers: R,
    access: Access,
    target: Target,
}

impl<R: Registers> Npu<R> {
    /// Finds out which NPU it is and resets it.
    ///
    /// # Errors
    /// [`NpuError::Absent`], [`NpuError::Reset`] or [`NpuError::Access`].
    pub fn new(registers: R, access: Access) -> Result<Self, NpuError> {
        let (config, id) = (registers.read(CONFIG), registers.read(ID));
        let mut npu = Self {
            registers,
            access,
            target: Target::from_registers(config, id).map_err(NpuError::Absent)?,
        };
        npu.reset()?;
        Ok(npu)
    }

    /// Which NPU it is.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Resets it, and sets how it reaches memory.
    fn reset(&mut self) -> Result<(), NpuError> {
        self.registers.write(RESET, self.access.word());
        let mut reads = 0;
        while self.registers.read(STATUS) & STATUS_RESETTING != 0 {
            reads += 1;
            if reads >= RESET_READS {
                return Err(NpuError::Reset);
            }
        }
        if self.registers.read(PROT) & 0b11 != self.access.word() {
            return Err(NpuError::Access);
        }
        let (ports, limit) = match self.target.product {
            Product::U55 => (REGION_PORTS_U55, LIMIT_U55),
            Product::U65 => (REGION_PORTS_U65, LIMIT_U65),
        };
        self.registers.write(QCONFIG, QUEUE_PORT);
        self.registers.write(REGIONCFG, ports);
        for register in AXI_LIMITS {
            self.registers.write(register, limit);
        }
        Ok(())
    }

    /// Lets it run a job to its end. `fast` is the chip's fast memory, from a multiple of 16 on, which only jobs that were
    /// compiled for one need. `wait` is called while it runs, and may sleep until an interrupt; where it says `false`, the
    /// job is given up.
    ///
    /// # Errors
    /// Why it did not run to its end. After a fault it was reset and can be used again.
    pub fn run(
        &mut self,
        job: &Job<'_>,
        fast: &mut [u8],
        mut wait: impl FnMut() -> bool,
    ) -> Result<(), NpuError> {
        self.start(job, fast)?;
        loop {
            if let Some(result) = self.poll() {
                return result;
            }
            if !wait() {
                self.reset()?;
                return Err(NpuError::Timeout);
            }
        }
    }

    /// Starts a job. Its memory must stay as it is until [`Npu::poll`] says that it has ended.
    fn start(&mut self, job: &Job<'_>, fast: &[u8]) -> Result<(), NpuError> {
        if !self.target.runs(&job.target) {
            return Err(NpuError::Target {
                wanted: job.target,
                has: self.target,
            });
        }
        let (needed, given) = (job.fast_bytes.unwrap_or(0), fast.len());
        if given < needed {
            return Err(NpuError::FastMemory { needed, given });
        }
        let commands = job.commands.bytes();
        let queue = self.address(commands.as_ptr() as u64)?;
        let mut bases = [0; crate::REGIONS];
        for (base, address) in bases.iter_mut().zip(job.addresses(fast.as_ptr())) {
            *base = self.address(address)?;
            if !base.is_multiple_of(16) {
                return Err(NpuError::Address(*base));
            }
        }
        // To a known state, with the power on.
        self.reset()?;
        self.write_address(QBASE, QBASE_HIGH, queue);
        self.registers.write(QSIZE, commands.len() as u32);
        for (base, region) in bases.into_iter().zip(0u16..) {
            let register = BASEP + 8 * region;
            self.write_address(register, register + 4, base);
        }
        let gates = self.registers.read(CMD) & CMD_GATES;
        self.registers.write(CMD, gates | CMD_RUN);
        Ok(())
    }

    /// Whether the job ended, and how.
    fn poll(&mut self) -> Option<Result<(), NpuError>> {
        if self.registers.read(STATUS) & STATUS_IRQ == 0 {
            return None;
        }
        let gates = self.registers.read(CMD) & CMD_GATES;
        self.registers.write(CMD, gates | CMD_CLEAR_IRQ);
        let status = self.registers.read(STATUS);
        if status & STATUS_FAULTS != 0 || status & STATUS_END == 0 {
            return Some(self.reset().and(Err(NpuError::Fault(status))));
        }
        // Nothing runs: clock and power may go.
        self.registers.write(CMD, CMD_GATES);
        Some(Ok(()))
    }

    /// The NPU's address for the processor's.
    fn address(&self, address: u64) -> Result<u64, NpuError> {
        let address = self.registers.npu_address(address);
        let bits = match self.target.product {
            Product::U55 => 32,
            Product::U65 => 40,
        };
        if address >> bits != 0 {
            return Err(NpuError::Address(address));
        }
        Ok(address)
    }

    fn write_address(&mut self, low: u16, high: u16, address: u64) {
        self.registers.write(low, address as u32);
        if self.target.product == Product::U65 {
            self.registers.write(high, (address >> 32) as u32);
        }
    }
}
