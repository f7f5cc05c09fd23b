//! The machines that the firmware can be emulated on: one row each.
//!
//! Memory maps are those of the boards that QEMU emulates (Arm's FPGA images AN385, AN386, AN500 and AN505 on the MPS2
//! board, AN547 on the MPS3 board with code and data in tightly coupled memory, the BBC micro:bit, and QEMU's RISC-V `virt`). In place of flash an MPS2 board has static RAM that is loaded before
//! start.

use crate::error::DeployError;
use serde::{Deserialize, Serialize};

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// First address.
    pub origin: u32,
    /// Bytes.
    pub length: u32,
}

impl Region {
    /// The first address after the region.
    #[must_use]
    pub const fn end(self) -> u64 {
        self.origin as u64 + self.length as u64
    }

    /// Whether `length` bytes from `address` lie in the region.
    #[must_use]
    pub const fn contains(self, address: u64, length: u64) -> bool {
        address >= self.origin as u64
            && length <= self.length as u64
            && address + length <= self.end()
    }
}

/// How QEMU is told to be a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QemuMachine {
    /// The program.
    pub program: &'static str,
    /// The Debian package that has it.
    pub package: &'static str,
    /// The value of `-machine`.
    pub machine: &'static str,
    /// More arguments.
    pub arguments: &'static [&'static str],
}

/// A machine that the firmware can be built for and emulated on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Machine {
    /// What a user types.
    pub name: &'static str,
    /// The processor, as its maker writes it.
    pub core: &'static str,
    /// Rust's target triple.
    pub target: &'static str,
    /// The processor that code is made for, where it has more than the target's least: rustc's `target-cpu`, by
    /// which the build script of `ember-kernels` chooses vectors for the ones that have them.
    pub cpu: Option<&'static str>,
    /// Where code and constants go.
    pub flash: Region,
    /// Where variables and the stack go.
    pub ram: Region,
    /// How QEMU is told.
    pub qemu: QemuMachine,
    /// Instructions per tick of the firmware's timer, in QEMU with one instruction per virtual nanosecond: SysTick at
    /// f Hz has 1e9 / f, a RISC-V core's `mcycle` is 1.
    pub instructions_per_tick: f64,
    /// Whether the built-in emulator can run it.
    pub embedded: bool,
}

/// QEMU for Arm; the machine is to be added.
pub(crate) const ARM: QemuMachine = QemuMachine {
    program: "qemu-system-arm",
    package: "qemu-system-arm",
    machine: "none",
    arguments: &[],
};

/// QEMU for RISC-V; the machine is to be added.
pub(crate) const RISCV: QemuMachine = QemuMachine {
    program: "qemu-system-riscv32",
    package: "qemu-system-misc",
    machine: "none",
    arguments: &[],
};

const MPS2_CODE: Region = Region {
    origin: 0,
    length: 4 << 20,
};
const MPS2_RAM: Region = Region {
    origin: 0x2000_0000,
    length: 4 << 20,
};

/// The smallest core first.
pub const MACHINES: &[Machine] = &[
    Machine {
        name: "cortex-m0",
        core: "Arm Cortex-M0",
        target: "thumbv6m-none-eabi",
        cpu: None,
        flash: Region {
            origin: 0,
            length: 256 << 10,
        },
        ram: Region {
            origin: 0x2000_0000,
            length: 16 << 10,
        },
        qemu: QemuMachine {
            machine: "microbit",
            ..ARM
        },
        instructions_per_tick: 62.5,
        embedded: false,
    },
    Machine {
        name: "cortex-m3",
        core: "Arm Cortex-M3",
        target: "thumbv7m-none-eabi",
        cpu: None,
        flash: MPS2_CODE,
        ram: MPS2_RAM,
        qemu: QemuMachine {
            machine: "mps2-an385",
            ..ARM
        },
        instructions_per_tick: 40.0,
        embedded: true,
    },
    Machine {
        name: "cortex-m4",
        core: "Arm Cortex-M4F",
        target: "thumbv7em-none-eabihf",
        cpu: None,
        flash: MPS2_CODE,
        ram: MPS2_RAM,
        qemu: QemuMachine {
            machine: "mps2-an386",
            ..ARM
        },
        instructions_per_tick: 40.0,
        embedded: false,
    },
    Machine {
        name: "cortex-m7",
        core: "Arm Cortex-M7",
        target: "thumbv7em-none-eabihf",
        cpu: None,
        flash: MPS2_CODE,
        ram: MPS2_RAM,
        qemu: QemuMachine {
            machine: "mps2-an500",
            ..ARM
        },
        instructions_per_tick: 40.0,
        embedded: false,
    },
    Machine {
        name: "cortex-m33",
        core: "Arm Cortex-M33",
        target: "thumbv8m.main-none-eabihf",
        cpu: None,
        flash: Region {
            origin: 0x1000_0000,
            length: 4 << 20,
        },
        ram: Region {
            origin: 0x3800_0000,
            length: 2 << 20,
        },
        qemu: QemuMachine {
            machine: "mps2-an505",
            ..ARM
        },
        instructions_per_tick: 50.0,
        embedded: false,
    },
    Machine {
        name: "cortex-m55",
        core: "Arm Cortex-M55",
        target: "thumbv8m.main-none-eabihf",
        cpu: Some("cortex-m55"),
        flash: Region {
            origin: 0,
            length: 512 << 10,
        },
        ram: Region {
            origin: 0x2000_0000,
            length: 512 << 10,
        },
        qemu: QemuMachine {
            machine: "mps3-an547",
            ..ARM
        },
        instructions_per_tick: 31.25,
        embedded: false,
    },
    Machine {
        name: "rv32imac",
        core: "RISC-V RV32IMAC",
        target: "riscv32imac-unknown-none-elf",
        cpu: None,
        flash: Region {
            origin: 0x8000_0000,
            length: 4 << 20,
        },
        ram: Region {
            origin: 0x8040_0000,
            length: 4 << 20,
        },
        qemu: QemuMachine {
            machine: "virt",
            arguments: &["-bios", "none"],
            ..RISCV
        },
        instructions_per_tick: 1.0,
        embedded: false,
    },
];

impl Machine {
    /// The machine with this name, in any case.
    ///
    /// # Errors
    /// [`DeployError::UnknownMachine`] with the names that there are and the nearest one.
    pub fn find(name: &str) -> Result<&'static Self, DeployError> {
        MACHINES
            .iter()
            .find(|machine| machine.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| DeployError::UnknownMachine {
                name: name.to_owned(),
                nearest: nearest(name),
            })
    }
}

fn nearest(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    MACHINES
        .iter()
        .map(|machine| machine.name)
        .max_by(|a, b| strsim::jaro_winkler(&name, a).total_cmp(&strsim::jaro_winkler(&name, b)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{MACHINES, Machine};
    use crate::error::DeployError;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_found() {
        let names: BTreeSet<_> = MACHINES.iter().map(|machine| machine.name).collect();
        assert_eq!(names.len(), MACHINES.len());
        for machine in MACHINES {
            assert_eq!(
                Machine::find(&machine.name.to_uppercase()).unwrap().name,
                machine.name
            );
        }
    }

    #[test]
    fn a_mistyped_name_gets_the_nearest_one() {
        for (typed, meant) in [
            ("cortexm4", "cortex-m4"),
            ("cortex-m33f", "cortex-m33"),
            ("riscv32imac", "rv32imac"),
        ] {
            match Machine::find(typed) {
                Err(DeployError::UnknownMachine { nearest, .. }) => assert_eq!(nearest, meant),
                other => panic!("{typed}: {other:?}"),
            }
        }
    }

    #[test]
    fn regions_do_not_overlap_and_end_below_4_gib() {
        for machine in MACHINES {
            let (first, second) = if machine.flash.origin < machine.ram.origin {
                (machine.flash, machine.ram)
            } else {
                (machine.ram, machine.flash)
            };
            assert!(first.end() <= u64::from(second.origin), "{}", machine.name);
            assert!(second.end() <= 1 << 32, "{}", machine.name);
        }
    }
}
