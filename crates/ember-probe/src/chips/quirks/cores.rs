//! Which processor it is, where the registry's type leaves it open: whether there is a floating-point unit, Cortex-M23 or
//! Cortex-M33, which RISC-V.
//!
//! The registry's Armv7em without a row is built for without floating-point registers, which runs on all of them. Armv8-M and
//! RISC-V without a row are refused.

use super::{Quirk, What};
use ember_deploy::chip::Core;

const M4F: What = What::Core(Core::Armv7emF);
const M33F: What = What::Core(Core::Armv8mMainF);

pub(super) const ROWS: &[Quirk] = &[
    Quirk {
        chips: "STM32F3* STM32F4* STM32F7* STM32G4* STM32H7* STM32L4* STM32WB1* STM32WB3* STM32WB5*",
        what: M4F,
        source: "ST RM0316, RM0090, RM0385, RM0440, RM0433, RM0351, RM0434; the Cortex-M4 of an STM32WL has none (RM0453)",
    },
    Quirk {
        chips: "GD32F303* GD32F305* GD32F307* GD32F350* GD32F4* GD32E103* GD32C1*",
        what: M4F,
        source: "GigaDevice datasheets; those of GD32F310 and GD32F330 name none",
    },
    Quirk {
        chips: "AT32F402* AT32F403* AT32F405* AT32F407* AT32F413* AT32F423* AT32F435* AT32F437* AT32A403*",
        what: M4F,
        source: "Artery datasheets; those of AT32F415, AT32F421 and AT32F425 name none",
    },
    Quirk {
        chips: "EFM32GG11* EFM32PG1* EFR32BG1* EFR32FG1* EFR32MG1*",
        what: M4F,
        source: "Silicon Labs reference manuals EFM32GG11, EFM32PG1, EFM32PG12, EFR32xG1 to EFR32xG14",
    },
    Quirk {
        chips: "ATSAM4E* ATSAMG5* ATSAMD51* ATSAME5* ATSAME70* ATSAMV71* PIC32CX*",
        what: M4F,
        source: "Microchip datasheets SAM4E, SAMG5x, SAM D5x/E5x, SAM E70/V71, PIC32CX SG; SAM4L, SAM4N and SAM4S have none",
    },
    Quirk {
        chips: "TM4C* MSP432*",
        what: M4F,
        source: "TI TM4C123x and TM4C129x datasheets, SLAU356, SLAU723",
    },
    Quirk {
        chips: "nRF52832* nRF52833* nRF52840*",
        what: M4F,
        source: "Nordic product specifications; those of nRF52805, 810, 811 and 820 name none",
    },
    Quirk {
        chips: "XMC4* MAX32660 MAX3266? LPC54*",
        what: M4F,
        source: "Infineon XMC4000 reference manuals, Analog Devices MAX32660 and MAX32665 user guides, NXP UM10850 and UM10912",
    },
    Quirk {
        chips: "R7FA4M1* R7FA4W1* R7FA6M1* R7FA6M2* R7FA6M3* R7FA6T1*",
        what: M4F,
        source: "Renesas RA hardware manuals",
    },
    Quirk {
        chips: "S32K14*",
        what: M4F,
        source: "NXP S32K1xx reference manual, chip overview",
    },
    Quirk {
        chips: "R7FA0* R7FA2* GD32E23*",
        what: What::Core(Core::Armv8mBase),
        source: "Renesas RA0 and RA2 hardware manuals, GD32E230 and GD32E231 datasheets: Cortex-M23",
    },
    Quirk {
        chips: "STM32H5* STM32L5* STM32U3* STM32U5* STM32WBA*",
        what: M33F,
        source: "ST RM0481, RM0438, RM0487, RM0456, RM0493",
    },
    Quirk {
        chips: "nRF53* nRF54L* nRF91*",
        what: M33F,
        source: "Nordic product specifications: the application core",
    },
    Quirk {
        chips: "EFM32PG2* EFR32BG2* EFR32FG2* EFR32MG2* RM21Z*",
        what: M33F,
        source: "Silicon Labs reference manuals EFM32PG22, EFM32PG26, EFR32xG21 to EFR32xG26",
    },
    Quirk {
        chips: "PSC3*",
        what: M33F,
        source: "Infineon's board support of KIT_PSC3M5_EVK and KIT_PSC3M8_EVK, bsp.mk: CM33_0_FPU_PRESENT",
    },
    Quirk {
        chips: "LPC55*",
        what: M33F,
        source: "NXP UM11126, UM11295: CPU0",
    },
    Quirk {
        chips: "R7FA4E* R7FA4M2* R7FA4M3* R7FA4T* R7FA6E* R7FA6M4* R7FA6M5* R7FA6T2* R7FA6T3* R7FA8*",
        what: M33F,
        source: "Renesas RA hardware manuals: Cortex-M33, on RA8 the Cortex-M85 that runs its code",
    },
    Quirk {
        chips: "RP235x",
        what: M33F,
        source: "Raspberry Pi RP2350 datasheet, 3.7",
    },
    Quirk {
        chips: "GD32E50* MCXA* R7FA4C* R7FA4L*",
        what: What::Core(Core::Armv8mMain),
        source: "GD32E50x, MCX A and RA4C1, RA4L1 datasheets: Cortex-M33; not all of them have a floating-point unit",
    },
    Quirk {
        chips: "CH32V1* CH32V2* CH32V3* CH32L1* CH32X0* CH643*",
        what: What::Core(Core::Qingke),
        source: "WCH datasheets: QingKe V3A, V4B, V4C and V4F, all of them RV32IMAC or more; WCH QingKe V3 and V4 processor manuals, \
                 control and status registers; the crate qingke, which refuses atomic instructions",
    },
    Quirk {
        chips: "fe310-g002 GD32VF103*",
        what: What::Core(Core::Rv32imac),
        source: "SiFive FE310-G002 manual, 3; Nuclei Bumblebee core instruction set manual",
    },
];
