//! What a firmware is built for, as data: an emulated machine or a chip.

use crate::chip::{Boot, Core, Plan, Store};
use crate::layout::Layout;
use crate::machine::{Machine, Region};

/// Bytes of the boot loader that an RP2040 wants in front of the vector table.
const RP2040_BOOT_BYTES: u32 = 256;

/// Bytes of the vector table of a Cortex-M: 16 exceptions and one interrupt.
const VECTOR_TABLE_BYTES: u32 = 68;

/// What a firmware is built for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What a person calls it: the name of a machine or of a chip.
    pub name: String,
    /// The Rust target triple.
    pub triple: &'static str,
    /// The processor, where code is made for more than the triple's least.
    pub cpu: Option<&'static str>,
    /// Whether the processor is a QingKe, which lacks registers that other RISC-V have.
    pub is_qingke: bool,
    /// Where code and constants go. What the chip starts from is at its beginning: the boot loader where there is one,
    /// else the vector table or the first instruction.
    pub code: Region,
    /// The first address that code may have: behind the vector table, and behind what is reserved near it.
    pub text_origin: Option<u32>,
    /// Where variables, the arena and the stack go.
    pub ram: Region,
    /// What the chip wants to find before it starts a program.
    pub boot: Boot,
    /// What is stored before anything else.
    pub start: Vec<Store>,
    /// How host and firmware talk.
    pub transport: Transport,
    /// Where the firmware has its model from.
    pub model: ModelPlace,
    /// Which kernels the firmware has.
    pub kernels: Kernels,
    /// Bytes of the arena; `None`: as many as the model that it is built with needs. Never fewer than that.
    pub arena_bytes: Option<u32>,
    /// The Ed25519 public key that has to have signed every model in a slot; `None`: models need no signature.
    /// A model that is part of the firmware never needs one.
    pub public_key: Option<[u8; 32]>,
}

/// What carries bytes between host and firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Files of the emulator or debugger, by semihosting calls. The firmware runs once and exits.
    Semihosting,
    /// Two ring buffers in the chip's RAM, behind the symbol `_SEGGER_RTT`. The firmware never exits.
    Rtt {
        /// Bytes of the buffer from the firmware to the host, one of which is always empty.
        up_bytes: u32,
        /// Bytes of the buffer from the host to the firmware, one of which is always empty.
        down_bytes: u32,
    },
}

/// Where a firmware has its model from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelPlace {
    /// It is part of the firmware.
    Linked,
    /// It is in one of these regions of flash, which are written apart from the firmware.
    Slots(Vec<Region>),
}

/// Which kernels a firmware has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernels {
    /// Those of the model that it is built with.
    OfModel,
    /// Every kernel on int8 activations, so that a later model with other operators runs.
    Int8,
}

impl Target {
    /// An emulated machine: semihosting, and the model is part of the firmware.
    #[must_use]
    pub fn of_machine(machine: &Machine) -> Self {
        Self {
            name: machine.name.to_owned(),
            triple: machine.target,
            cpu: machine.cpu,
            is_qingke: false,
            code: machine.flash,
            text_origin: None,
            ram: machine.ram,
            boot: Boot::Plain,
            start: Vec::new(),
            transport: Transport::Semihosting,
            model: ModelPlace::Linked,
            kernels: Kernels::OfModel,
            arena_bytes: None,
            public_key: None,
        }
    }

    /// A chip: RTT, and the model in a slot, or in the firmware where the layout has no slots.
    #[must_use]
    pub fn of_chip(plan: &Plan, layout: &Layout) -> Self {
        let mut target = Self {
            name: plan.name.clone(),
            triple: plan.core.target(),
            cpu: None,
            is_qingke: plan.core == Core::Qingke,
            code: layout.code,
            text_origin: None,
            ram: plan.ram,
            boot: plan.boot,
            start: plan.start.clone(),
            transport: Transport::rtt(plan.ram.length),
            model: if layout.slots.is_empty() {
                ModelPlace::Linked
            } else {
                ModelPlace::Slots(layout.slots.clone())
            },
            kernels: Kernels::OfModel,
            arena_bytes: None,
            public_key: None,
        };
        let first_code = Self::first_code(plan);
        // Nearer than that the linker finds the place on its own.
        if first_code > u64::from(target.vectors() + VECTOR_TABLE_BYTES) {
            target.text_origin = Some(first_code as u32);
        }
        target
    }

    /// The first address behind what a chip wants to find in front of code: its boot loader, and what is reserved near the
    /// beginning of its flash.
    #[must_use]
    pub fn first_code(plan: &Plan) -> u64 {
        let near = u64::from(plan.flash.origin) + u64::from(plan.flash.length) / 2;
        plan.reserved
            .iter()
            .map(|reserved| reserved.region.end())
            .filter(|end| *end <= near)
            .max()
            .unwrap_or_else(|| u64::from(plan.flash.origin))
    }

    /// Where the vector table, or the first instruction, is.
    #[must_use]
    pub const fn vectors(&self) -> u32 {
        self.code.origin + self.boot_bytes()
    }

    /// Bytes of the boot loader in front of it.
    const fn boot_bytes(&self) -> u32 {
        match self.boot {
            Boot::Rp2040 => RP2040_BOOT_BYTES,
            Boot::Plain | Boot::LpcChecksum | Boot::Rp2350 => 0,
        }
    }
}

impl From<&Machine> for Target {
    fn from(machine: &Machine) -> Self {
        Self::of_machine(machine)
    }
}

impl Transport {
    /// Bytes of RAM that its buffers take.
    #[must_use]
    pub const fn buffer_bytes(self) -> u32 {
        match self {
            Self::Semihosting => 0,
            Self::Rtt {
                up_bytes,
                down_bytes,
            } => up_bytes + down_bytes,
        }
    }

    /// RTT with buffers for a chip with `ram_bytes` of RAM: each a 64th of it, down to a power of two, but from 128 bytes, which
    /// what a firmware says first fits, to 1,024, which an MNIST image fits.
    #[must_use]
    pub fn rtt(ram_bytes: u32) -> Self {
        let bytes = (ram_bytes / 64).clamp(128, 1024);
        let bytes = 1 << bytes.ilog2();
        Self::Rtt {
            up_bytes: bytes,
            down_bytes: bytes,
        }
    }
}

impl Target {
    /// The features of the firmware's package that build it.
    pub(super) fn features(&self) -> Vec<&'static str> {
        let mut features = Vec::new();
        if let Transport::Rtt { .. } = self.transport {
            features.push("rtt");
        }
        if let ModelPlace::Slots(_) = self.model {
            features.push("slots");
            if self.public_key.is_some() {
                features.push("signed");
            }
        }
        let is_arm = self.triple.starts_with("thumb");
        let is_chip = self.transport != Transport::Semihosting;
        // Where flash is at address 0 the processor finds both there, as it does in an emulator; elsewhere something else may
        // have run before.
        if is_arm && is_chip && self.vectors() != 0 {
            features.extend(["set-sp", "set-vtor"]);
        }
        if !is_arm && !self.start.is_empty() {
            features.push("pre-init");
        }
        if self.is_qingke {
            features.push("qingke");
        }
        features
    }

    /// The environment that the firmware's `build.rs` reads; `None`: a variable that must not be there.
    pub(super) fn variables(&self) -> [(&'static str, Option<String>); 13] {
        let hexadecimal = |number: u32| Some(format!("{number:#x}"));
        let (up_bytes, down_bytes) = match self.transport {
            Transport::Semihosting => (None, None),
            Transport::Rtt {
                up_bytes,
                down_bytes,
            } => (hexadecimal(up_bytes), hexadecimal(down_bytes)),
        };
        let slots = match &self.model {
            ModelPlace::Linked => None,
            ModelPlace::Slots(slots) => {
                let slots: Vec<_> = slots
                    .iter()
                    .map(|Region { origin, length }| format!("{origin:#x}+{length:#x}"))
                    .collect();
                Some(slots.join(","))
            }
        };
        let boot = match self.boot {
            // The checksum of an LPC is over the finished vector table: it is added to the image.
            Boot::Plain | Boot::LpcChecksum => None,
            Boot::Rp2040 => Some("rp2040".to_owned()),
            Boot::Rp2350 => Some("rp2350".to_owned()),
        };
        [
            ("EMBER_FLASH_ORIGIN", hexadecimal(self.vectors())),
            (
                "EMBER_FLASH_LENGTH",
                hexadecimal(self.code.length - self.boot_bytes()),
            ),
            ("EMBER_TEXT_ORIGIN", self.text_origin.and_then(hexadecimal)),
            ("EMBER_RAM_ORIGIN", hexadecimal(self.ram.origin)),
            ("EMBER_RAM_LENGTH", hexadecimal(self.ram.length)),
            ("EMBER_BOOT", boot),
            (
                "EMBER_START",
                (!self.start.is_empty()).then(|| stores(&self.start)),
            ),
            ("EMBER_RTT_UP_BYTES", up_bytes),
            ("EMBER_RTT_DOWN_BYTES", down_bytes),
            ("EMBER_SLOTS", slots),
            (
                "EMBER_KERNELS",
                match self.kernels {
                    Kernels::OfModel => None,
                    Kernels::Int8 => Some("int8".to_owned()),
                },
            ),
            (
                "EMBER_ARENA_BYTES",
                self.arena_bytes.map(|bytes| bytes.to_string()),
            ),
            ("EMBER_PUBLIC_KEY", self.public_key.map(|key| hex(&key))),
        ]
    }
}

fn stores(stores: &[Store]) -> String {
    let stores: Vec<_> = stores
        .iter()
        .map(|store| format!("{:#x}:{}:{:#x}", store.address, store.bytes, store.value))
        .collect();
    stores.join(",")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
