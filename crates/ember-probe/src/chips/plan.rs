//! From a chip of the registry to all that a build has to know of it.

use super::error::{ChipError, ChipRefusal, Refusal};
use super::lookup::Chip;
use super::memory::{self, Flash};
use super::quirks::{self, Place, What};
use ember_deploy::chip::{Boot, Core, Plan, Reserved};
use ember_deploy::machine::Region;
use probe_rs::config::CoreType;

/// Who says what no row says.
const OUR_TABLE: &str = "crates/ember-probe/src/chips/quirks";

/// What the table says of one chip.
#[derive(Default)]
struct Known {
    core: Option<Core>,
    boot: Option<Boot>,
    refusal: Option<(Refusal, &'static str, &'static str)>,
    flash: Option<Region>,
    ram: Option<Region>,
    ram_tail: u32,
}

impl Known {
    fn of(chip: &Chip) -> Self {
        let mut known = Self::default();
        for row in quirks::of(&chip.variant.name) {
            match row.what {
                What::Core(core) => known.core = Some(core),
                What::Boot(boot) => known.boot = Some(boot),
                What::Refuse(kind, reason) => known.refusal = Some((kind, reason, row.source)),
                What::Flash(region) => known.flash = Some(region),
                What::Ram(region) => known.ram = Some(region),
                What::RamTail(bytes) => known.ram_tail = bytes,
                What::Reserved { .. } | What::Start(_) | What::Note(_) => {}
            }
        }
        known
    }

    fn ram(&self, chip: &Chip) -> Option<Region> {
        let Region { origin, length } = memory::ram(chip, self.ram)?;
        Some(Region {
            origin,
            length: length.checked_sub(self.ram_tail)?,
        })
    }

    /// The processor that runs the firmware; `None`: the registry's type leaves open which one, and so does the table.
    fn core(&self, chip: &Chip) -> Option<Core> {
        self.core.or_else(|| match chip.variant.cores[0].core_type {
            CoreType::Armv6m => Some(Core::Armv6m),
            CoreType::Armv7m => Some(Core::Armv7m),
            CoreType::Armv7em => Some(Core::Armv7em),
            _ => None,
        })
    }
}

/// Flash and RAM of a chip, whether it is supported or not, as far as the registry has them.
pub(super) fn memory_of(chip: &Chip) -> (Option<Region>, Option<Region>) {
    let known = Known::of(chip);
    (
        memory::flash(chip, known.flash)
            .ok()
            .map(|flash| flash.region),
        known.ram(chip),
    )
}

/// What the first core is called: by its core where that is known, else by the registry's type.
pub(super) fn core_of(chip: &Chip) -> String {
    Known::of(chip).core(chip).map_or_else(
        || format!("{:?}", chip.variant.cores[0].core_type),
        |core| core.title().to_owned(),
    )
}

/// All that is known of a chip.
///
/// # Errors
/// [`ChipError::Refused`] with the reason for which the firmware is not put on this chip.
pub fn plan(chip: &Chip) -> Result<Plan, ChipError> {
    complete(chip).map_err(|refusal| ChipError::Refused {
        chip: chip.name.clone(),
        refusal,
    })
}

pub(super) fn complete(chip: &Chip) -> Result<Plan, ChipRefusal> {
    let refused = |kind, reason, citation| ChipRefusal {
        kind,
        reason,
        citation,
    };
    let known = Known::of(chip);
    if let Some((kind, reason, citation)) = known.refusal {
        return Err(refused(kind, reason, citation));
    }
    let not_known = |reason| refused(Refusal::NotKnown, reason, OUR_TABLE);
    let boot = known
        .boot
        .ok_or_else(|| not_known("no row of our table says how it starts"))?;
    let core = known
        .core(chip)
        .ok_or_else(|| not_known("no row of our table says what its processor can do"))?;
    let Flash {
        region: flash,
        sectors,
        page_bytes,
        erased_byte,
    } = memory::flash(chip, known.flash)?;
    let ram = known.ram(chip).ok_or(memory::NO_RAM)?;

    let mut plan = Plan {
        name: chip.name.clone(),
        family: chip.family.name.clone(),
        core,
        flash,
        sectors,
        page_bytes,
        erased_byte,
        ram,
        boot,
        reserved: Vec::new(),
        start: Vec::new(),
        notes: Vec::new(),
    };
    for row in quirks::of(&chip.variant.name) {
        match row.what {
            What::Reserved { place, bytes, what } => plan.reserved.push(Reserved {
                region: place.within(flash),
                bytes: bytes.map(<[u8]>::to_vec),
                what: what.to_owned(),
            }),
            What::Start(stores) => plan.start.extend(stores),
            What::Note(note) => plan.notes.push(note.to_owned()),
            What::Core(_)
            | What::Boot(_)
            | What::Refuse(..)
            | What::Flash(_)
            | What::Ram(_)
            | What::RamTail(_) => {}
        }
    }
    plan.reserved.sort_by_key(|reserved| reserved.region.origin);
    Ok(plan)
}

impl Place {
    fn within(self, flash: Region) -> Region {
        match self {
            Self::FromStart(offset, length) => Region {
                origin: flash.origin + offset,
                length,
            },
            Self::End(length) => Region {
                origin: flash.origin + flash.length - length,
                length,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plan;
    use crate::chips::{ChipError, Refusal, find};
    use ember_deploy::chip::{Boot, Core, Plan};
    use ember_deploy::machine::Region;

    fn planned(name: &str) -> Plan {
        plan(&find(name).unwrap()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn refused(name: &str) -> (Refusal, String) {
        match plan(&find(name).unwrap()) {
            Err(ref error @ ChipError::Refused { ref refusal, .. }) => {
                (refusal.kind, error.to_string())
            }
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn chips_that_qemu_has() {
        for (name, core, flash, ram) in [
            (
                "nRF51822_xxAA",
                Core::Armv6m,
                (0, 256 << 10),
                (0x2000_0000, 16 << 10),
            ),
            (
                "STM32F405RGTx",
                Core::Armv7emF,
                (0x0800_0000, 1 << 20),
                (0x2000_0000, 128 << 10),
            ),
            (
                "STM32F205RG",
                Core::Armv7m,
                (0x0800_0000, 1 << 20),
                (0x2000_0000, 128 << 10),
            ),
            (
                "STM32F100RB",
                Core::Armv7m,
                (0x0800_0000, 128 << 10),
                (0x2000_0000, 8 << 10),
            ),
            (
                "LM3S6965",
                Core::Armv7m,
                (0, 256 << 10),
                (0x2000_0000, 46 << 10),
            ),
            (
                "FE310",
                Core::Rv32imac,
                (0x2001_0000, 0x3f_0000),
                (0x8000_0000, 16 << 10),
            ),
        ] {
            let plan = planned(name);
            let region = |(origin, length)| Region { origin, length };
            assert_eq!(plan.core, core, "{name}");
            assert_eq!(plan.flash, region(flash), "{name}");
            assert_eq!(plan.ram, region(ram), "{name}");
            assert_eq!(plan.boot, Boot::Plain, "{name}");
        }
    }

    #[test]
    fn nothing_but_the_unsecured_bytes_gets_to_an_s32k_s_configuration() {
        let plan = planned("S32K144HFxxxLHx");
        let [field] = &plan.reserved[..] else {
            panic!("{:?}", plan.reserved)
        };
        assert_eq!(
            field.region,
            Region {
                origin: 0x400,
                length: 16
            }
        );
        let bytes = field.bytes.as_ref().unwrap();
        assert_eq!(bytes.len(), 16);
        // SEC = 10 is unsecured; MEEN = 11 allows mass erase.
        assert_eq!((bytes[12] & 0b11, bytes[12] >> 4 & 0b11), (0b10, 0b11));
        // Every region of program flash, data flash and EEPROM unprotected.
        assert!(
            [8, 9, 10, 11, 14, 15]
                .iter()
                .all(|&index| bytes[index] == 0xFF)
        );
        assert_eq!(plan.start[0].value, 0xD928_C520);
    }

    #[test]
    fn option_bytes_inside_the_flash_are_left_erased() {
        for name in ["R7FA2L1AB", "R7FA4M1AB", "R7FA6M3AH"] {
            let plan = planned(name);
            assert_eq!(
                plan.reserved[0].region,
                Region {
                    origin: 0x400,
                    length: 0x100
                }
            );
            assert_eq!(plan.reserved[0].bytes, None);
        }
        assert!(planned("R7FA6M4AF").reserved.is_empty());
    }

    #[test]
    fn boot_blocks() {
        assert_eq!(planned("RP2040").boot, Boot::Rp2040);
        assert_eq!(planned("RP2040").flash.length, 2 << 20);
        assert_eq!(planned("RP2350").boot, Boot::Rp2350);
        let lpc = planned("LPC845M301JBD48");
        assert_eq!(lpc.boot, Boot::LpcChecksum);
        assert_eq!(
            lpc.reserved[0].region,
            Region {
                origin: 0x2FC,
                length: 4
            }
        );
    }

    #[test]
    fn what_would_not_start_or_could_do_harm_is_refused_with_the_reason() {
        for (name, kind, words) in [
            ("MIMXRT1062", None, ""),
            ("MIMXRT1064", Some(Refusal::BootImage), "image vector table"),
            ("CC2652R", Some(Refusal::Configuration), "CCFG"),
            ("CY8C6137BZI-F54", Some(Refusal::BootImage), "Cortex-M0+"),
            ("CH32V003F4P6", Some(Refusal::Core), "RV32EC"),
            ("S32K344", Some(Refusal::BootImage), "image vector table"),
            ("Cortex-M4", Some(Refusal::NoFlash), "name the chip"),
            ("RaspberryPi4B", Some(Refusal::Core), "Cortex-A"),
        ] {
            let Some(kind) = kind else {
                assert!(
                    matches!(find(name), Err(ChipError::Unknown { .. })),
                    "{name}"
                );
                continue;
            };
            let (found, text) = refused(name);
            assert_eq!(found, kind, "{name}");
            assert!(text.contains(words), "{text}");
            assert!(text.contains("Nothing was written"), "{text}");
        }
    }
}
