//! Chips, and firmware for them.

use crate::support::{MODEL_SOURCE, build_for, model, workspace};
use ember_deploy::chip::{Boot, Core, Plan, Reserved, Sectors};
use ember_deploy::converse::Patience;
use ember_deploy::emulate::ChipJob;
use ember_deploy::firmware::Target;
use ember_deploy::image::Image;
use ember_deploy::layout::Layout;
use ember_deploy::machine::Region;
use ember_slot::write::SlotImage;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A chip as probe-rs 0.32's registry and our quirks have it: name, core, origin of the flash and its sectors, RAM; sizes in KiB.
#[derive(Clone, Copy)]
pub(crate) struct Chip {
    pub(crate) name: &'static str,
    pub(crate) core: Core,
    pub(crate) flash: u32,
    /// How many of which size.
    pub(crate) sectors: &'static [(u32, u32)],
    pub(crate) ram: (u32, u32),
    pub(crate) boot: Boot,
}

pub(crate) const STM32: u32 = 0x0800_0000;
pub(crate) const RAM: u32 = 0x2000_0000;

pub(crate) const F100: Chip = Chip {
    name: "STM32F100RB",
    core: Core::Armv7m,
    flash: STM32,
    sectors: &[(128, 1)],
    ram: (RAM, 8),
    boot: Boot::Plain,
};

/// One for each row of the table of machines, in its order.
pub(crate) const IN_QEMU: &[Chip] = &[
    Chip {
        name: "fe310-g002",
        core: Core::Rv32imac,
        // As the quirks have it: behind the boot loader of the board.
        flash: 0x2001_0000,
        sectors: &[(1008, 4)],
        ram: (0x8000_0000, 16),
        boot: Boot::Plain,
    },
    Chip {
        name: "LM3S6965",
        core: Core::Armv7m,
        flash: 0,
        sectors: &[(256, 1)],
        ram: (RAM, 46),
        boot: Boot::Plain,
    },
    Chip {
        name: "LM3S811",
        core: Core::Armv7m,
        flash: 0,
        sectors: &[(64, 1)],
        ram: (RAM, 8),
        boot: Boot::Plain,
    },
    Chip {
        name: "nRF51822_xxAA",
        core: Core::Armv6m,
        flash: 0,
        sectors: &[(256, 1)],
        ram: (RAM, 16),
        boot: Boot::Plain,
    },
    F100,
    Chip {
        name: "STM32F205RF",
        core: Core::Armv7m,
        flash: STM32,
        sectors: &[(4, 16), (1, 64), (5, 128)],
        ram: (RAM, 128),
        boot: Boot::Plain,
    },
    Chip {
        name: "STM32F405RG",
        core: Core::Armv7emF,
        flash: STM32,
        sectors: &[(4, 16), (1, 64), (7, 128)],
        ram: (RAM, 128),
        boot: Boot::Plain,
    },
];

/// Chips that QEMU does not have, of every core that is compiled for what the built-in emulator executes; one with a boot
/// block before the vector table.
pub(crate) const NOT_IN_QEMU: [Chip; 4] = [
    Chip {
        name: "GD32E230C8",
        core: Core::Armv8mBase,
        sectors: &[(64, 1)],
        ..F100
    },
    Chip {
        name: "RP2040",
        core: Core::Armv6m,
        flash: 0x1000_0000,
        sectors: &[(512, 4)],
        ram: (RAM, 264),
        boot: Boot::Rp2040,
    },
    Chip {
        name: "STM32F103CB",
        ram: (RAM, 20),
        ..F100
    },
    Chip {
        name: "STM32G071RB",
        core: Core::Armv6m,
        sectors: &[(64, 2)],
        ram: (RAM, 36),
        ..F100
    },
];

/// Chips that a machine of QEMU can stand in for, and which; one with a checksum and a reserved word in its vector table.
pub(crate) const LIKE_IN_QEMU: [(Chip, &str); 3] = [
    (
        Chip {
            name: "LPC54616J512ET100",
            core: Core::Armv7emF,
            flash: 0,
            sectors: &[(16, 32)],
            ram: (RAM, 64),
            boot: Boot::LpcChecksum,
        },
        "mps2-an386",
    ),
    (
        Chip {
            name: "nRF52840_xxAA",
            core: Core::Armv7emF,
            flash: 0,
            sectors: &[(256, 4)],
            ram: (RAM, 256),
            boot: Boot::Plain,
        },
        "mps2-an386",
    ),
    (
        Chip {
            name: "STM32L476RG",
            core: Core::Armv7emF,
            flash: STM32,
            sectors: &[(512, 2)],
            ram: (RAM, 96),
            boot: Boot::Plain,
        },
        "netduinoplus2",
    ),
];

pub(crate) fn plan(chip: Chip) -> Plan {
    let mut sectors: Vec<Sectors> = Vec::new();
    let mut length = 0;
    for (count, kibibytes) in chip.sectors {
        sectors.push(Sectors {
            origin: chip.flash + length,
            bytes: kibibytes << 10,
            count: *count,
        });
        length += count * (kibibytes << 10);
    }
    let protection = Reserved {
        region: Region {
            origin: chip.flash + 0x2FC,
            length: 4,
        },
        bytes: None,
        what: "code read protection word".to_owned(),
    };
    let reserved = match chip.boot {
        Boot::LpcChecksum => vec![protection],
        Boot::Plain | Boot::Rp2040 | Boot::Rp2350 => Vec::new(),
    };
    Plan {
        name: chip.name.to_owned(),
        family: String::new(),
        core: chip.core,
        flash: Region {
            origin: chip.flash,
            length,
        },
        sectors,
        page_bytes: 256,
        erased_byte: 0xff,
        ram: Region {
            origin: chip.ram.0,
            length: chip.ram.1 << 10,
        },
        boot: chip.boot,
        reserved,
        start: Vec::new(),
        notes: Vec::new(),
    }
}

/// More than the firmware has around the small model.
const CODE_BYTES: u32 = 52 << 10;

/// A firmware, and the HEX file of it.
pub(crate) struct Built {
    pub(crate) plan: Plan,
    pub(crate) target: Target,
    pub(crate) image: Image,
    pub(crate) hex: PathBuf,
}

impl Built {
    /// Around the small model, in a file of `directory`; `None` without the Rust target.
    pub(crate) fn new(chip: Chip, directory: &Path) -> Option<Self> {
        Self::around(&workspace().join(MODEL_SOURCE), chip, directory)
    }

    pub(crate) fn around(model: &Path, chip: Chip, directory: &Path) -> Option<Self> {
        let plan = plan(chip);
        let layout = Layout::new(&plan, CODE_BYTES, model::MODEL_BYTES as u32)
            .unwrap_or_else(|error| panic!("{}: {error}", plan.name));
        let target = Target::of_chip(&plan, &layout);
        let elf = build_for(&target, model, directory)?;
        let elf = elf.unwrap_or_else(|error| panic!("{}: {error}", plan.name));
        let mut image = Image::read(&elf).unwrap_or_else(|error| panic!("{}: {error}", plan.name));
        let slot = SlotImage::new(model::MODEL, 1, 1, None).expect("a model");
        for segment in layout.fill(&plan, &slot) {
            image.add(segment).expect("it lies in a slot");
        }
        if plan.boot == Boot::LpcChecksum {
            image.add_lpc_checksum().expect("there is a vector table");
        }
        // QEMU takes a comma for the end of a file's name.
        let hex = directory.join(format!("{}, to flash.hex", plan.name));
        std::fs::write(&hex, image.to_hex()).expect("a file");
        Some(Self {
            plan,
            target,
            image,
            hex,
        })
    }

    pub(crate) fn job(&self) -> ChipJob<'_> {
        ChipJob {
            plan: &self.plan,
            target: &self.target,
            image: &self.image,
            hex: &self.hex,
            input_bytes: model::INPUT_BYTES,
            patience: Patience {
                hello: Duration::from_secs(30),
                silence: Duration::from_secs(30),
            },
        }
    }
}
