//! The machines of QEMU that are, or can stand in for, chips of probe-rs's registry: one row each.
//!
//! A machine is a chip when it is named so. It can stand in for any chip with its processor whose memory lies within its own:
//! the firmware uses nothing else of a chip, so it is the same program, at the same addresses, that runs.
//!
//! Memories are those that QEMU 7.2 shows with `info mtree`, clocks those in the sources of its machines (`hw/arm`,
//! `hw/riscv`). All of them start from a HEX file that is loaded with `-device loader`: the Cortex-M machines have their
//! flash at address 0 too, where the processor looks for the vector table.

use crate::chip::{Core, Plan};
use crate::machine::{ARM, QemuMachine, RISCV, Region};

/// A machine of QEMU that runs the images of chips.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChipMachine {
    /// The chip, or the board.
    pub chip: &'static str,
    /// What the names of chips begin with that are this one, or its like with other peripherals or less memory.
    pub names: &'static [&'static str],
    /// The cores that its program may be compiled for.
    pub cores: &'static [Core],
    /// How QEMU is told.
    pub qemu: QemuMachine,
    /// Its flash in QEMU.
    pub flash: Region,
    /// Its RAM in QEMU.
    pub ram: Region,
    /// Instructions per tick of the firmware's timer, with one instruction per virtual nanosecond.
    pub instructions_per_tick: f64,
    /// Where the processor's clock, and so the line above, comes from.
    pub clock: &'static str,
}

const fn arm(machine: &'static str) -> QemuMachine {
    QemuMachine { machine, ..ARM }
}

const fn region(origin: u32, kibibytes: u32) -> Region {
    Region {
        origin,
        length: kibibytes << 10,
    }
}

const RAM: u32 = 0x2000_0000;
const STM32_FLASH: u32 = 0x0800_0000;

/// In the order of the chips' names; boards, which are no chips, last.
pub const CHIP_MACHINES: &[ChipMachine] = &[
    ChipMachine {
        chip: "FE310-G002",
        names: &["fe310"],
        cores: &[Core::Rv32imac, Core::Rv32imc],
        qemu: QemuMachine {
            machine: "sifive_e,revb=on",
            ..RISCV
        },
        flash: region(0x2000_0000, 512 << 10),
        ram: region(0x8000_0000, 16),
        instructions_per_tick: 1.0,
        clock: "mcycle counts instructions under -icount",
    },
    ChipMachine {
        chip: "LM3S6965",
        names: &["LM3S6965"],
        cores: &[Core::Armv7m],
        qemu: arm("lm3s6965evb"),
        flash: region(0, 256),
        ram: region(RAM, 64),
        instructions_per_tick: 80.0,
        clock: "12.5 MHz: RCC after reset, hw/arm/stellaris.c",
    },
    ChipMachine {
        chip: "LM3S811",
        names: &["LM3S811"],
        cores: &[Core::Armv7m],
        qemu: arm("lm3s811evb"),
        flash: region(0, 64),
        ram: region(RAM, 8),
        instructions_per_tick: 80.0,
        clock: "12.5 MHz: RCC after reset, hw/arm/stellaris.c",
    },
    ChipMachine {
        chip: "nRF51822_xxAA",
        names: &["nRF51822_xxA", "nRF51422_xxA", "nRF51922_xxA"],
        cores: &[Core::Armv6m],
        qemu: arm("microbit"),
        flash: region(0, 256),
        ram: region(RAM, 16),
        instructions_per_tick: 62.5,
        clock: "16 MHz: HCLK_FRQ, hw/arm/nrf51_soc.c",
    },
    ChipMachine {
        chip: "STM32F100RB",
        names: &["STM32F100"],
        cores: &[Core::Armv7m],
        qemu: arm("stm32vldiscovery"),
        flash: region(STM32_FLASH, 128),
        ram: region(RAM, 8),
        instructions_per_tick: 1e3 / 24.0,
        clock: "24 MHz: SYSCLK_FRQ, hw/arm/stm32vldiscovery.c",
    },
    ChipMachine {
        chip: "STM32F205RF",
        names: &["STM32F205", "STM32F207", "STM32F215", "STM32F217"],
        cores: &[Core::Armv7m],
        qemu: arm("netduino2"),
        flash: region(STM32_FLASH, 1024),
        ram: region(RAM, 128),
        instructions_per_tick: 1e3 / 120.0,
        clock: "120 MHz: SYSCLK_FRQ, hw/arm/netduino2.c",
    },
    ChipMachine {
        chip: "STM32F405RG",
        names: &["STM32F405", "STM32F407", "STM32F415", "STM32F417"],
        cores: &[Core::Armv7em, Core::Armv7emF],
        qemu: arm("netduinoplus2"),
        flash: region(STM32_FLASH, 1024),
        ram: region(RAM, 192),
        instructions_per_tick: 1e3 / 168.0,
        clock: "168 MHz: SYSCLK_FRQ, hw/arm/netduinoplus2.c",
    },
    ChipMachine {
        chip: "an MPS2 board with a Cortex-M4",
        names: &[],
        cores: &[Core::Armv7em, Core::Armv7emF],
        qemu: arm("mps2-an386"),
        // RAM, loaded before start.
        flash: region(0, 4 << 10),
        ram: region(RAM, 4 << 10),
        instructions_per_tick: 40.0,
        clock: "25 MHz: SYSCLK_FRQ, hw/arm/mps2.c",
    },
];

impl ChipMachine {
    /// The machine that is this chip, with at least its memory.
    #[must_use]
    pub fn of(plan: &Plan) -> Option<&'static Self> {
        CHIP_MACHINES
            .iter()
            .find(|machine| machine.is_named(plan) && machine.can_run(plan))
    }

    /// A machine that is another chip, and runs the program of this one.
    #[must_use]
    pub fn like(plan: &Plan) -> Option<&'static Self> {
        CHIP_MACHINES.iter().find(|machine| machine.can_run(plan))
    }

    /// Whether the machine is this chip, and not one that stands in for it.
    #[must_use]
    pub fn is_named(&self, plan: &Plan) -> bool {
        self.names.iter().any(|name| {
            let start = plan.name.get(..name.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(name))
        })
    }

    fn can_run(&self, plan: &Plan) -> bool {
        let within =
            |outer: Region, inner: Region| outer.contains(inner.origin.into(), inner.length.into());
        self.cores.contains(&plan.core)
            && within(self.flash, plan.flash)
            && within(self.ram, plan.ram)
            // The registers that these stores are for are those of the chip itself.
            && plan.start.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{CHIP_MACHINES, ChipMachine};
    use crate::chip::{Boot, Core, Plan, Store};
    use crate::machine::Region;

    fn plan(name: &str, core: Core, flash: (u32, u32), ram: (u32, u32)) -> Plan {
        let region = |(origin, kibibytes): (u32, u32)| Region {
            origin,
            length: kibibytes << 10,
        };
        Plan {
            name: name.to_owned(),
            family: String::new(),
            core,
            flash: region(flash),
            sectors: Vec::new(),
            page_bytes: 256,
            erased_byte: 0xff,
            ram: region(ram),
            boot: Boot::Plain,
            reserved: Vec::new(),
            start: Vec::new(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_chip_is_emulated_by_a_machine_that_has_its_memory() {
        let of = |plan: &Plan| ChipMachine::of(plan).map(|machine| machine.qemu.machine);
        let flash = (0x0800_0000, 1024);
        let f405 = plan("STM32F405RGTx", Core::Armv7emF, flash, (0x2000_0000, 128));
        assert_eq!(of(&f405), Some("netduinoplus2"));
        let other_core = plan("STM32F405RGTx", Core::Armv7m, flash, (0x2000_0000, 128));
        assert_eq!(of(&other_core), None);
        let nrf = plan("nrf51822_XXAA", Core::Armv6m, (0, 256), (0x2000_0000, 16));
        assert_eq!(of(&nrf), Some("microbit"));
        let more_ram = plan("nRF51822_xxAC", Core::Armv6m, (0, 256), (0x2000_0000, 32));
        assert_eq!(of(&more_ram), None);
        let unknown = plan("STM32L476RG", Core::Armv7emF, flash, (0x2000_0000, 96));
        assert_eq!(of(&unknown), None);

        let like = |plan: &Plan| ChipMachine::like(plan).map(|machine| machine.qemu.machine);
        assert_eq!(like(&unknown), Some("netduinoplus2"));
        let nrf52 = plan(
            "nRF52840_xxAA",
            Core::Armv7emF,
            (0, 1024),
            (0x2000_0000, 256),
        );
        assert_eq!(like(&nrf52), Some("mps2-an386"));
        let large = plan("STM32F746NG", Core::Armv7emF, flash, (0x2000_0000, 320));
        assert_eq!(like(&large), None);
        let other = plan(
            "nRF9160_xxAA",
            Core::Armv8mMainF,
            (0, 1024),
            (0x2000_0000, 256),
        );
        assert_eq!(like(&other), None);
        let watchdog = Plan {
            start: vec![Store {
                address: 0x4005_200E,
                bytes: 2,
                value: 0xC520,
            }],
            ..nrf52
        };
        assert_eq!(like(&watchdog), None);
    }

    #[test]
    fn the_table_is_in_order_and_finds_its_own_chips() {
        let chips = CHIP_MACHINES
            .iter()
            .filter(|machine| !machine.names.is_empty());
        assert!(
            chips
                .clone()
                .is_sorted_by_key(|machine| machine.chip.to_ascii_lowercase())
        );
        for machine in chips {
            for core in machine.cores {
                let kibibytes = |region: Region| (region.origin, region.length >> 10);
                let plan = plan(
                    machine.chip,
                    *core,
                    kibibytes(machine.flash),
                    kibibytes(machine.ram),
                );
                assert_eq!(ChipMachine::of(&plan), Some(machine));
            }
        }
    }
}
