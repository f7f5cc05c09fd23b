//! Chips that the registry could flash and that this firmware must not be put on, with the reason.

use super::super::error::Refusal::{Board, BootImage, Configuration, Core, NotKnown, Watchdog};
use super::{Quirk, What};

pub(super) const ROWS: &[Quirk] = &[
    Quirk {
        chips: "MIMXRT1* MIMXRT5* MIMXRT6*",
        what: What::Refuse(
            BootImage,
            "its boot ROM starts only an image with a configuration block for the board's flash and an image vector table",
        ),
        source: "NXP i.MX RT reference manuals, system boot, program image",
    },
    Quirk {
        chips: "S32K3*",
        what: What::Refuse(
            BootImage,
            "its boot firmware starts only what an image vector table at the start of flash points to",
        ),
        source: "NXP S32K3xx reference manual, boot",
    },
    Quirk {
        chips: "HPM5*",
        what: What::Refuse(
            BootImage,
            "its boot ROM starts only an image with a configuration of the board's flash and a firmware container header",
        ),
        source: "HPMicro HPM5300 user manual, boot ROM",
    },
    Quirk {
        chips: "STM32N6*",
        what: What::Refuse(
            BootImage,
            "it has no flash, and its boot ROM starts only an image with a header, out of the board's flash",
        ),
        source: "ST RM0486, boot",
    },
    Quirk {
        chips: "STM32WB0*",
        what: What::Refuse(
            NotKnown,
            "its boot loader in ROM runs before the program, and what it expects of a program is not known well enough",
        ),
        source: "ST RM0530, system boot",
    },
    Quirk {
        chips: "SF32*",
        what: What::Refuse(
            BootImage,
            "its boot ROM starts only what a partition table in the board's flash points to",
        ),
        source: "SiFli SF32LB52x user manual, boot",
    },
    Quirk {
        chips: "PSE8*",
        what: What::Refuse(
            BootImage,
            "its boot firmware starts only an image in MCUboot's format",
        ),
        source: "Zephyr, boards/infineon/kit_pse84_eval: the extended boot validates a header of 1,024 bytes",
    },
    Quirk {
        chips: "CY8C60* CY8C61* CY8C631* CY8C633*",
        what: What::Refuse(
            BootImage,
            "its Cortex-M0+ has to start first and wake the Cortex-M4, which is the only core that the registry lets one debug; \
             that image is not built here",
        ),
        source: "Infineon PSoC 6 architecture reference manual, boot; probe-rs, PSOC6_0*.yaml",
    },
    Quirk {
        chips: "CYB06* CYS06*",
        what: What::Refuse(BootImage, "its secure boot starts only signed images"),
        source: "Infineon PSoC 64 datasheets",
    },
    Quirk {
        chips: "CC13* CC26* CC23*",
        what: What::Refuse(
            Configuration,
            "the customer configuration (CCFG) in flash decides whether it starts and whether it can be debugged, and is not \
             built here",
        ),
        source: "TI SWCU185, SWCU193: erased, the program is not valid and the debug port is closed",
    },
    Quirk {
        chips: "ADuCM302*",
        what: What::Refuse(
            Configuration,
            "its boot kernel checks keys and a checksum in the first page of flash, which are not built here, and it can \
             lock the chip by them",
        ),
        source: "Analog Devices ADuCM302x hardware reference, boot kernel",
    },
    Quirk {
        chips: "TLE98*",
        what: What::Refuse(
            Watchdog,
            "its window watchdog runs from reset and cannot be turned off; the firmware does not serve it",
        ),
        source: "Infineon TLE987x and TLE988x/9x user manuals, WDT1",
    },
    Quirk {
        chips: "PAC5*",
        what: What::Refuse(
            NotKnown,
            "whether its power manager's watchdog runs from reset is not known",
        ),
        source: "no manual of Qorvo's was at hand that says it",
    },
    Quirk {
        chips: "ATSAM4C*",
        what: What::Refuse(
            NotKnown,
            "the registry's flash region and flash algorithm do not agree",
        ),
        source: "probe-rs, SAM4_Dualcore_Series.yaml",
    },
    Quirk {
        chips: "R7KA* R7JA*",
        what: What::Refuse(
            NotKnown,
            "its option-setting memory lies between other settings in its MRAM, and how its cores start by it is not known well \
             enough",
        ),
        source: "Renesas RA8P1 hardware manual, option-setting memory",
    },
    Quirk {
        chips: "MCXN*",
        what: What::Refuse(
            NotKnown,
            "its RAM checks errors from reset; which of it may be used before that is set up is not known well enough",
        ),
        source: "NXP MCX N reference manual; SystemInit of the SDK turns ECC off first",
    },
    Quirk {
        chips: "LPC8N04*",
        what: What::Refuse(
            NotKnown,
            "whether it checks the vector table as other LPC do is not known",
        ),
        source: "NXP UM11074 does not say it",
    },
    Quirk {
        chips: "OL23D0 T32CZ20",
        what: What::Refuse(
            NotKnown,
            "what its boot loader expects of a program is not known",
        ),
        source: "no public manual says it",
    },
    Quirk {
        chips: "swm341",
        what: What::Refuse(
            NotKnown,
            "the registry's type of its processor is not the datasheet's, and how it starts is not known",
        ),
        source: "Synwit SWM341 datasheet",
    },
    Quirk {
        chips: "VA*",
        what: What::Refuse(
            Board,
            "it copies its program from an external memory whose type the board chooses",
        ),
        source: "Vorago VA108x0 and VA416x0 programmer's guides",
    },
    Quirk {
        chips: "MEC17*",
        what: What::Refuse(
            BootImage,
            "its boot ROM starts only an image with a header and a signature, out of an external flash",
        ),
        source: "Microchip MEC170x and MEC172x boot ROM guides",
    },
    Quirk {
        chips: "CH32V003* CH641* CH32V002* CH32V004* CH32V005* CH32V006* CH32V007* CH32M007*",
        what: What::Refuse(
            Core,
            "its processor is an RV32EC with 16 registers, for which rustup has no target",
        ),
        source: "WCH QingKe V2 processor manual",
    },
    Quirk {
        chips: "CH32H4*",
        what: What::Refuse(
            Core,
            "it has two QingKe processors, of which the one starts the other, and how is not known well enough",
        ),
        source: "ch32-rs/qingke, pull request 23: its runtime for them has not run on hardware",
    },
    Quirk {
        chips: "RP2040_SELFDEBUG",
        what: What::Refuse(
            NotKnown,
            "the debugger runs on the chip itself and does not survive its reset; use the chip RP2040 with a probe",
        ),
        source: "probe-rs, RP2040.yaml",
    },
    Quirk {
        chips: "earlgrey",
        what: What::Refuse(BootImage, "its ROM starts only signed images"),
        source: "OpenTitan, ROM specification",
    },
    Quirk {
        chips: "FU740* Nuclei_EvalSoC_UX600 riscv64",
        what: What::Refuse(Core, "its processor has 64 bits, the firmware has 32"),
        source: "the registry's type",
    },
    Quirk {
        chips: "AM2612* TMS570* X7Z iMX7ULP RaspberryPi*",
        what: What::Refuse(
            Core,
            "its processor is an Arm Cortex-A or Cortex-R, the firmware is for Cortex-M and RISC-V",
        ),
        source: "the registry's type",
    },
    Quirk {
        chips: "Cortex-M* riscv",
        what: What::Refuse(
            super::super::error::Refusal::NoFlash,
            "it is a processor and not a chip: its memory is not known; name the chip",
        ),
        source: "probe-rs, generic targets",
    },
];
