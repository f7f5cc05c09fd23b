//! What each family starts, and what it needs in the first moments. Who is not named here is refused.
//!
//! A plain start is: the stack pointer and the first instruction's address come from the first two words of the flash, with no
//! header, checksum or signature that the chip checks. Watchdogs that run from reset are stopped by the firmware's first
//! stores.

use super::{Quirk, What};
use ember_deploy::chip::{Boot, Store};

const PLAIN: What = What::Boot(Boot::Plain);

const fn word(address: u32, value: u32) -> Store {
    Store {
        address,
        bytes: 4,
        value,
    }
}

/// `WDDIS` of Microchip's `WDT_MR`, which can be written once after reset.
const fn atmel_watchdog(mode_register: u32) -> [Store; 1] {
    [word(mode_register, 1 << 15)]
}

pub(super) const ROWS: &[Quirk] = &[
    Quirk {
        chips: "STM32C0* STM32F0* STM32F1* STM32F2* STM32F3* STM32F4* STM32F7* STM32G0* STM32G4* STM32H5* STM32H7* \
                STM32L0* STM32L1* STM32L4* STM32L5* STM32U0* STM32U3* STM32U5* STM32WB1* STM32WB3* STM32WB5* STM32WBA* \
                STM32WL*",
        what: PLAIN,
        source: "ST reference manuals, boot configuration: main flash at 0x08000000 as option bytes and pins are delivered",
    },
    Quirk {
        chips: "GD32C1* GD32E10* GD32E23* GD32E50* GD32F1* GD32F3* GD32F4* GD32VF103*",
        what: PLAIN,
        source: "GigaDevice user manuals, boot configuration",
    },
    Quirk {
        chips: "AT32* AIR32F1* AIR001Dev PY32F0* HK32F0* CH32F1*",
        what: PLAIN,
        source: "Artery, LuatOS AIR, Puya, Hangshun and WCH reference manuals, boot configuration: main flash at 0x08000000",
    },
    Quirk {
        chips: "CH32V1* CH32V2* CH32V3* CH32L1* CH32X0* CH643*",
        what: PLAIN,
        source: "WCH reference manuals, boot configuration: the first instruction at 0x08000000, of which address 0 is an alias; \
                 Zephyr's pull request 87345 jumps there from 0 as the firmware's runtime does; openwch/ch32v307, issue 16: the \
                 registers that WCH's own start-up code sets need not be set",
    },
    Quirk {
        chips: "CH32V1*",
        what: What::Note("its timer is not the one that the firmware knows: nothing is timed"),
        source: "WCH CH32V103 reference manual, SysTick; ch32v00x_systick.c of Zephyr has it apart",
    },
    Quirk {
        chips: "CIU32F003* CW32L0* HC32F005* W7500",
        what: PLAIN,
        source: "HED, Wuhan Xinyuan, Xiaohua and WIZnet reference manuals and start-up files: vector table at 0",
    },
    Quirk {
        chips: "HT32* HT50* HF5032*",
        what: PLAIN,
        source: "Holtek HT32 user manuals, boot configuration; their start-up files' words behind the exceptions are for an \
                 in-application programmer",
    },
    Quirk {
        chips: "nRF51* nRF52* nRF5340* nRF54L* nRF91*",
        what: PLAIN,
        source: "Nordic product specifications: the application core starts from address 0",
    },
    Quirk {
        chips: "nRF52* nRF5340* nRF54L* nRF91*",
        what: What::Note(
            "newer revisions close the debug port at a power-on reset unless the program opens it, which this firmware does \
             not: to flash again after that, the whole chip has to be erased (`probe-rs erase --allow-erase-all`)",
        ),
        source: "Nordic IN-141, nWP-027 and product specifications, access port protection",
    },
    Quirk {
        chips: "EFM32* EFR32* RM21Z*",
        what: PLAIN,
        source: "Silicon Labs reference manuals; secure boot is off as delivered",
    },
    Quirk {
        chips: "ATSAMD* ATSAML2* ATSAME5* PIC32CX*",
        what: PLAIN,
        source: "Microchip SAM D1x, D2x, D5x, E5x, L2x and PIC32CX SG datasheets: the watchdog's fuse is off as delivered",
    },
    Quirk {
        chips: "ATSAM3* ATSAM4E* ATSAM4N* ATSAM4S* ATSAMG* ATSAME70* ATSAMV71*",
        what: PLAIN,
        source: "Microchip SAM3U, SAM3X, SAM4E, SAM4N, SAM4S, SAM G, SAM E70/V71 datasheets, boot memory",
    },
    Quirk {
        chips: "ATSAM3* ATSAM4E* ATSAM4N* ATSAM4S* ATSAMG* ATSAME70* ATSAMV71*",
        what: What::Note(
            "it starts from flash only when bit 1 of its GPNVM is set, which boards with a program on them have; if nothing \
             answers after flashing, set it once with Microchip's tools (bossac -b, Studio)",
        ),
        source: "the same datasheets, GPNVM bits; bit 0 beside it locks the chip, so nothing is written there",
    },
    Quirk {
        chips: "ATSAM3U*",
        what: What::Start(&atmel_watchdog(0x400E_1254)),
        source: "Microchip SAM3U datasheet, WDT_MR",
    },
    Quirk {
        chips: "ATSAM3X*",
        what: What::Start(&atmel_watchdog(0x400E_1A54)),
        source: "Microchip SAM3X/A datasheet, WDT_MR",
    },
    Quirk {
        chips: "ATSAM4N* ATSAM4S* ATSAMG*",
        what: What::Start(&atmel_watchdog(0x400E_1454)),
        source: "Microchip SAM4N, SAM4S and SAM G datasheets, WDT_MR",
    },
    Quirk {
        chips: "ATSAM4E* ATSAME70* ATSAMV71*",
        what: What::Start(&atmel_watchdog(0x400E_1854)),
        source: "Microchip SAM4E and SAM E70/V71 datasheets, WDT_MR; the E70's second watchdog is off after reset",
    },
    Quirk {
        chips: "ATSAM4L*",
        what: PLAIN,
        source: "Microchip SAM4L datasheet, boot sequence: flash at address 0",
    },
    Quirk {
        chips: "ATSAM4L*",
        // The value after reset, in which EN is 0, behind each of the two keys. A fuse may have set EN.
        what: What::Start(&[
            word(0x400F_0C00, 0x55 << 24 | 0x0001_0080),
            word(0x400F_0C00, 0xAA << 24 | 0x0001_0080),
        ]),
        source: "Microchip SAM4L datasheet, WDT CTRL, whose clock is on after reset; wdt_sam4l.c of Zephyr and wdt_sam4l.c of the \
                 Advanced Software Framework, disabling",
    },
    Quirk {
        chips: "LM3S* TM4C* MSP432E4*",
        what: PLAIN,
        source: "TI Stellaris and TM4C datasheets, SLAU723: the word BOOTCFG is erased as delivered",
    },
    Quirk {
        chips: "MSP432P4*",
        what: PLAIN,
        source: "TI SLAU356, device boot: the boot override mailbox is in another flash",
    },
    Quirk {
        chips: "MSP432P4*",
        what: What::Start(&[Store {
            address: 0x4000_480C,
            bytes: 2,
            value: 0x5A80,
        }]),
        source: "TI SLAU356, WDT_A: WDTPW and WDTHOLD",
    },
    Quirk {
        chips: "MSPM0*",
        what: PLAIN,
        source: "TI SLAU846 and SLAU847, boot: NONMAIN as delivered, and never written here",
    },
    Quirk {
        chips: "XMC4*",
        what: PLAIN,
        source: "Infineon XMC4000 reference manuals, startup modes: normal boot as delivered",
    },
    Quirk {
        chips: "MB9?F*",
        what: PLAIN,
        source: "Cypress FM3 peripheral manual; system_mb9bf*.c of the device family pack",
    },
    Quirk {
        chips: "MB9?F*",
        what: What::Start(&[
            word(0x4001_1C00, 0x1ACC_E551),
            word(0x4001_1C00, 0xE533_1AAE),
            Store {
                address: 0x4001_1008,
                bytes: 1,
                value: 0,
            },
        ]),
        source: "Cypress FM3 peripheral manual, hardware watchdog; SystemInit of the device family pack",
    },
    Quirk {
        chips: "CY8C4588* CY8C624* CY8C634*",
        what: PLAIN,
        source: "Infineon PSoC 6 architecture reference manual, boot: the Cortex-M0+ starts what is at 0x10000000; \
                 cy8c6xx?_cm0plus.ld of the peripheral driver library",
    },
    Quirk {
        chips: "CY8C4588* CY8C624* CY8C634*",
        // Unlocked in two steps, then off.
        what: What::Start(&[
            word(0x4026_0180, 0x4000_0001),
            word(0x4026_0180, 0x8000_0001),
            word(0x4026_0180, 0),
        ]),
        source: "Infineon PSoC 6 registers reference manual, SRSS_WDT_CTL; SystemInit of the peripheral driver library",
    },
    Quirk {
        chips: "CY8C4588* CY8C624* CY8C634*",
        what: What::Note(
            "the firmware runs on the Cortex-M0+, which starts first; the Cortex-M4 stays off",
        ),
        source: "Infineon PSoC 6 architecture reference manual, boot",
    },
    Quirk {
        chips: "PSC3*",
        what: PLAIN,
        source: "Infineon's board support of KIT_PSC3M5_EVK and KIT_PSC3M8_EVK: linker_s_flash.ld puts the vector table first and \
                 startup_cat1b_cm33.c touches no watchdog, bsp.mk has no MCUboot header as a default; AN240106: signatures are \
                 checked only after provisioning",
    },
    Quirk {
        chips: "PSC3*",
        what: What::Note(
            "a chip that was provisioned for secure boot starts only signed programs, and this one is not",
        ),
        source: "Infineon AN240106; Zephyr, boards/infineon/kit_psc3m5_evk",
    },
    Quirk {
        chips: "PSC3?7* PSC3?8*",
        what: What::Note(
            "the firmware runs on the main Cortex-M33; the others stay off, as they start from RAM that it would fill",
        ),
        source: "Infineon's board support of KIT_PSC3M8_EVK, ppca0_linker_ns_ram.ld",
    },
    Quirk {
        chips: "MAX32660 MAX3266?",
        what: PLAIN,
        source: "Analog Devices MAX32660 and MAX32665 user guides; the parts whose boot loader demands a signature are others",
    },
    Quirk {
        chips: "LPC81* LPC82* LPC83* LPC84* LPC802* LPC804* LPC865* LPC54*",
        what: What::Boot(Boot::LpcChecksum),
        source: "NXP UM10601, UM10800, UM11029, UM11065, UM11607, UM10850, UM10912: valid user code",
    },
    Quirk {
        chips: "LPC55*",
        what: PLAIN,
        source: "NXP UM11126, image header: zeros at 0x20 to 0x2B, which are reserved vectors, are a plain image",
    },
    Quirk {
        chips: "MCXA*",
        what: PLAIN,
        source: "NXP MCX A reference manuals, boot; vector table at 0 in the SDK's linker files",
    },
    Quirk {
        chips: "S32K14*",
        what: PLAIN,
        source: "NXP S32K1xx reference manual, boot; vector table at 0 in the SDK's linker files",
    },
    Quirk {
        chips: "S32K14*",
        what: What::Start(&[
            word(0x4005_2004, 0xD928_C520),
            // 32-bit commands, the LPO clock, updates allowed, off.
            word(0x4005_2000, 0x2120),
            word(0x4005_2008, 0xFFFF),
        ]),
        source: "NXP S32K1xx reference manual, WDOG; SystemInit of the S32K SDK",
    },
    Quirk {
        chips: "R7FA*",
        what: PLAIN,
        source: "Renesas RA hardware manuals, operating modes; the linker files of the FSP's projects without TrustZone",
    },
    Quirk {
        chips: "RP2040",
        what: What::Boot(Boot::Rp2040),
        source: "Raspberry Pi RP2040 datasheet, 2.8.1",
    },
    Quirk {
        chips: "RP235x",
        what: What::Boot(Boot::Rp2350),
        source: "Raspberry Pi RP2350 datasheet, 5.9.5",
    },
    Quirk {
        chips: "fe310-g002",
        what: PLAIN,
        source: "SiFive HiFive1 Rev B getting started guide: the boot loader at 0x20000000 goes on at 0x20010000",
    },
];
