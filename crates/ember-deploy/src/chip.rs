//! What is known of a chip before anything is built for it, as data: the registry's facts and our own table of quirks,
//! joined by `ember-probe`, which is the only crate that names the registry.

use crate::machine::Region;
use serde::{Deserialize, Serialize};

/// All that a build, a flash layout and an update need to know of one chip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The chip's name as the registry writes it.
    pub name: String,
    /// The registry's family.
    pub family: String,
    /// The processor that runs the firmware.
    pub core: Core,
    /// The non-volatile memory that the processor starts from, and nothing else of the chip's flash.
    pub flash: Region,
    /// What is erased at once, in ascending order; together they are all of [`Plan::flash`].
    pub sectors: Vec<Sectors>,
    /// Bytes that are programmed at once.
    pub page_bytes: u32,
    /// What a byte reads as after it was erased.
    pub erased_byte: u8,
    /// The memory for variables, arena and stack.
    pub ram: Region,
    /// What the chip wants to find in flash before it starts a program.
    pub boot: Boot,
    /// Parts of the flash that are not for code or models, in ascending order.
    pub reserved: Vec<Reserved>,
    /// What the firmware stores, in this order, before it does anything else: on chips whose watchdog runs from reset.
    #[serde(default)]
    pub start: Vec<Store>,
    /// What a person has to know before using the chip: board assumptions, fuses that nobody sets for them.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl Plan {
    /// The first address of each sector and its bytes, in ascending order.
    pub fn sectors(&self) -> impl Iterator<Item = Region> + '_ {
        self.sectors.iter().flat_map(|run| {
            (0..run.count).map(|index| Region {
                origin: run.origin + index * run.bytes,
                length: run.bytes,
            })
        })
    }
}

/// Sectors of one size, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sectors {
    /// Address of the first.
    pub origin: u32,
    /// Bytes of each.
    pub bytes: u32,
    /// How many.
    pub count: u32,
}

/// Part of the flash that means something to the chip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// Where.
    pub region: Region,
    /// What must be written there when its sector is; nothing (the erased state) for none.
    pub bytes: Option<Vec<u8>>,
    /// What it is, for a person.
    pub what: String,
}

/// One store to a register of the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// Where: a multiple of `bytes`.
    pub address: u32,
    /// How wide: 1, 2 or 4.
    pub bytes: u8,
    /// What; the lowest `bytes` count.
    pub value: u32,
}

/// What a chip wants to find in flash before it starts a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boot {
    /// A vector table, or the first instruction, at the start of flash.
    Plain,
    /// Word 7 of the vector table is the two's complement of the sum of words 0 to 6: NXP's LPC.
    LpcChecksum,
    /// 256 bytes of second-stage boot loader with a checksum, and the vector table after it: RP2040.
    Rp2040,
    /// An image definition within the first 4 KiB: RP2350.
    Rp2350,
}

macro_rules! cores {
    ($($(#[doc = $doc:literal])* $name:ident: $title:literal, $target:literal;)*) => {
        /// A processor, as far as the compiler has to know it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Core {
            $($(#[doc = $doc])* $name,)*
        }

        impl Core {
            /// Every core.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What a person calls it.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }

            /// The Rust target whose code it runs.
            #[must_use]
            pub const fn target(self) -> &'static str {
                match self {
                    $(Self::$name => $target,)*
                }
            }
        }
    };
}

cores! {
    /// Cortex-M0, M0+ and M1.
    Armv6m: "Cortex-M0/M0+", "thumbv6m-none-eabi";
    /// Cortex-M3.
    Armv7m: "Cortex-M3", "thumbv7m-none-eabi";
    /// Cortex-M4 or M7, nothing known of a floating-point unit.
    Armv7em: "Cortex-M4/M7", "thumbv7em-none-eabi";
    /// Cortex-M4 or M7 with a floating-point unit.
    Armv7emF: "Cortex-M4F/M7F", "thumbv7em-none-eabihf";
    /// Cortex-M23: a superset of Armv6-M, for which the Armv6-M target is at hand everywhere.
    Armv8mBase: "Cortex-M23", "thumbv6m-none-eabi";
    /// Cortex-M33 and later, nothing known of a floating-point unit.
    Armv8mMain: "Cortex-M33", "thumbv8m.main-none-eabi";
    /// Cortex-M33 and later with a floating-point unit.
    Armv8mMainF: "Cortex-M33F", "thumbv8m.main-none-eabihf";
    /// RISC-V without atomic instructions.
    Rv32imc: "RV32IMC", "riscv32imc-unknown-none-elf";
    /// WCH's QingKe V3 and V4: RISC-V without `mcycle`, `mie`, `mip` and `mhartid`. Its atomic instructions are not used, as
    /// the crate `qingke` found them broken.
    Qingke: "QingKe V3/V4", "riscv32imc-unknown-none-elf";
    /// RISC-V with atomic instructions.
    Rv32imac: "RV32IMAC", "riscv32imac-unknown-none-elf";
}

#[cfg(test)]
mod tests {
    use super::{Boot, Core, Plan, Sectors};
    use crate::machine::Region;

    #[test]
    fn uneven_sectors_are_listed_one_by_one() {
        let plan = Plan {
            name: "STM32F405RGTx".into(),
            family: "STM32F4 Series".into(),
            core: Core::Armv7emF,
            flash: Region {
                origin: 0x0800_0000,
                length: 0x2_0000,
            },
            sectors: vec![
                Sectors {
                    origin: 0x0800_0000,
                    bytes: 0x4000,
                    count: 4,
                },
                Sectors {
                    origin: 0x0801_0000,
                    bytes: 0x1_0000,
                    count: 1,
                },
            ],
            page_bytes: 1024,
            erased_byte: 0xff,
            ram: Region {
                origin: 0x2000_0000,
                length: 0x2_0000,
            },
            boot: Boot::Plain,
            reserved: Vec::new(),
            start: Vec::new(),
            notes: Vec::new(),
        };
        let origins: Vec<_> = plan.sectors().map(|sector| sector.origin).collect();
        assert_eq!(
            origins,
            [
                0x0800_0000,
                0x0800_4000,
                0x0800_8000,
                0x0800_c000,
                0x0801_0000
            ]
        );
        assert_eq!(
            plan.sectors().map(|sector| sector.length).sum::<u32>(),
            plan.flash.length
        );
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }
}
