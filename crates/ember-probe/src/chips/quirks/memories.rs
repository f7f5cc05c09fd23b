//! Memory of which the registry knows too much or too little, and parts of the flash that are not for programs.

use super::{Place, Quirk, What};
use ember_deploy::machine::Region;

/// Unsecured, nothing protected, mass erase and factory access allowed: the bytes of the SDK's start-up files, and an FSEC
/// (the thirteenth byte) as delivered. With any other FSEC the chip can be secured for good.
const S32K_UNSECURED: &[u8] = &[
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0x7F, 0xFF, 0xFF,
];

/// WCH's chips with an option for how their memory is split into code and RAM, where the name does not say the split.
const CH32V_SPLIT: &str = "CH32V203RBT6 CH32V208CBU6 CH32V208GBU6 CH32V208RBT6 CH32V208WBU6 CH32V303RCT6 CH32V303VCT6 CH32V307RCT6 \
                           CH32V307VCT6 CH32V307WCU6 CH32V317VCT6 CH32V317WCU6";

/// The secure aliases of PSOC Control's flash and RAM, as far as they may reach: its program starts in the secure state.
const PSC3_FLASH: Region = Region {
    origin: 0x3200_0000,
    length: 8 << 20,
};
const PSC3_RAM: Region = Region {
    origin: 0x3400_0000,
    length: 16 << 20,
};

pub(super) const ROWS: &[Quirk] = &[
    Quirk {
        chips: "PSC3*",
        what: What::Flash(PSC3_FLASH),
        source: "Infineon KIT_PSC3M5_EVK board support, linker_s_flash.ld: flash is programmed at 0x32000000; the README of the Edge \
                 Protect Bootloader runs programs there",
    },
    Quirk {
        chips: "PSC3*",
        what: What::Ram(PSC3_RAM),
        source: "the same linker file",
    },
    Quirk {
        chips: "S32K14*",
        what: What::Reserved {
            place: Place::FromStart(0x400, 16),
            bytes: Some(S32K_UNSECURED),
            what: "flash configuration field",
        },
        source: "NXP S32K1xx reference manual, FTFC, flash configuration field; startup_S32K14x.S of the S32K SDK",
    },
    Quirk {
        chips: "R7FA0* R7FA2* R7FA4M1* R7FA4W1* R7FA6M1* R7FA6M2* R7FA6M3* R7FA6T1*",
        what: What::Reserved {
            place: Place::FromStart(0x400, 0x100),
            bytes: None,
            what: "option-setting memory",
        },
        source: "Renesas RA hardware manuals, option-setting memory: OFS0, OFS1 and the security MPU; the FSP's linker files \
                 reserve 256 bytes. The other RA have it outside the code flash",
    },
    Quirk {
        chips: "LPC81* LPC82* LPC83* LPC84* LPC802* LPC804* LPC865* LPC54*",
        what: What::Reserved {
            place: Place::FromStart(0x2FC, 4),
            bytes: None,
            what: "code read protection word",
        },
        source: "NXP UM10601 and the other manuals, code read protection: erased is no protection",
    },
    Quirk {
        chips: "STM32WB1* STM32WB3* STM32WB5*",
        what: What::Reserved {
            place: Place::End(0xC000),
            bytes: None,
            what: "firmware upgrade services of the radio's processor",
        },
        source: "ST AN5185: secure flash begins at SFSA, 48 KiB below the end as delivered",
    },
    Quirk {
        chips: "STM32WB1* STM32WB3* STM32WB5*",
        what: What::Note(
            "a wireless stack that is installed occupies flash below the last 48 KiB; writing there fails and harms nothing",
        ),
        source: "ST AN5185",
    },
    Quirk {
        chips: "STM32H745* STM32H747* STM32H755* STM32H757*",
        what: What::Note(
            "the second core starts from the second bank as delivered; an erased bank stops it, an old program there runs on",
        ),
        source: "ST RM0399, boot modes",
    },
    Quirk {
        chips: "RP2040",
        what: What::Flash(Region {
            origin: 0x1000_0000,
            length: 2 << 20,
        }),
        source: "the registry has the window for the external flash; 2 MiB is what the Raspberry Pi Pico has on it",
    },
    Quirk {
        chips: "RP235x",
        what: What::Flash(Region {
            origin: 0x1000_0000,
            length: 2 << 20,
        }),
        source: "the registry has the window for the external flash; boards have 2 MiB or more, the Pico 2 has 4 MiB",
    },
    Quirk {
        chips: "RP2040 RP235x",
        what: What::Note("the flash is the board's: 2 MiB are assumed, and no more is used"),
        source: "Raspberry Pi Pico and Pico 2 datasheets",
    },
    Quirk {
        chips: "fe310-g002",
        what: What::Flash(Region {
            origin: 0x2001_0000,
            length: (4 << 20) - 0x1_0000,
        }),
        source: "SiFive HiFive1 Rev B schematics: a 32 Mbit IS25LP032; its first 64 KiB are the board's boot loader",
    },
    Quirk {
        chips: "fe310-g002",
        what: What::Note(
            "the flash is the board's: the HiFive1 Rev B is assumed, whose boot loader in the first 64 KiB is kept",
        ),
        source: "SiFive HiFive1 Rev B getting started guide",
    },
    Quirk {
        chips: "CY8C4588* CY8C624* CY8C634*",
        what: What::RamTail(2 << 10),
        source: "Infineon PSoC 6 linker files: the last 2 KiB of RAM belong to the system calls in ROM",
    },
    Quirk {
        chips: CH32V_SPLIT,
        what: What::Ram(Region {
            origin: 0x2000_0000,
            length: 32 << 10,
        }),
        source: "WCH CH32V20x and CH32V30x datasheets, user option bytes: 32 KiB are there with every split; cnlohr/ch32fun, issue 232: \
                 erased option bytes give just them",
    },
    Quirk {
        chips: CH32V_SPLIT,
        what: What::Note(
            "32 KiB of RAM are used, which every split of its memory has: to use more, name the chip with the split that its \
             option bytes set, as in _c192_r128",
        ),
        source: "the same",
    },
    Quirk {
        chips: "GD32VF103*",
        what: What::Ram(Region {
            origin: 0x2000_0000,
            length: 32 << 10,
        }),
        source: "GD32VF103 datasheet: 32 KiB on the parts with 128 KiB of flash, the registry has 96",
    },
    Quirk {
        chips: "nRF54L15",
        what: What::Flash(Region {
            origin: 0,
            length: 1524 << 10,
        }),
        source: "Nordic nRF54L15 product specification: 1,524 KB of RRAM, the registry has 1,536",
    },
    Quirk {
        chips: "LPC54102*",
        what: What::Ram(Region {
            origin: 0x0200_0000,
            length: 64 << 10,
        }),
        source: "NXP UM10850, AHBCLKCTRL0: only SRAM0 has its clock after reset",
    },
    Quirk {
        chips: "LPC546*",
        what: What::Ram(Region {
            origin: 0x2000_0000,
            length: 64 << 10,
        }),
        source: "NXP UM10912, AHBCLKCTRL0: only SRAM0 has its clock after reset; the SDK's start-up file turns on the others",
    },
    Quirk {
        chips: "LPC55S16* LPC55S69* LPC55S66* LPC55S26* LPC55S28* LPC5526* LPC5528*",
        what: What::Ram(Region {
            origin: 0x2000_0000,
            length: 32 << 10,
        }),
        source: "NXP UM11126 and UM11295, AHBCLKCTRL0; SystemInit of the SDK: the banks after SRAM0 may be off at reset. SRAM0 \
                 is 64 KiB on LPC55S6x, 32 on LPC55S1x",
    },
];
