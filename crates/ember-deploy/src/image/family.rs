//! The chips that have a boot loader that looks like a USB disk, and what it wants of a UF2 file: one row each.
//!
//! The numbers are those of `utils/uf2families.json` in microsoft/uf2, RP2350's of its datasheet (section 5.5.3, "UF2
//! targeting rules"). RP2040 and RP2350 have the boot loader in ROM, and all flash is for the image. The others' boot
//! loaders lie at the beginning of flash themselves: they take only images that begin behind them, at an address that
//! the board's maker chose (adafruit/Adafruit_nRF52_Bootloader, microsoft/uf2-samdx1).

use crate::chip::{Core, Plan};
use crate::error::DeployError;
use crate::image::Image;

/// What a UF2 boot loader wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// How the names of its chips begin.
    prefix: &'static str,
    /// The processor, where a chip has two kinds.
    riscv: Option<bool>,
    /// The number that the file carries.
    pub id: u32,
    /// Bytes at the beginning of flash that belong to the boot loader.
    pub boot_loader_bytes: u32,
}

/// The longer prefix first.
pub const FAMILIES: &[Family] = &[
    row("RP2040", None, 0xE48B_FF56, 0),
    row("RP235", Some(false), 0xE48B_FF59, 0),
    row("RP235", Some(true), 0xE48B_FF5A, 0),
    row("nRF52840", None, 0xADA5_2840, 0x2_6000),
    row("nRF52833", None, 0x621E_937A, 0x2_6000),
    row("ATSAMD21", None, 0x68ED_2B88, 0x2000),
    row("ATSAMD51", None, 0x5511_4460, 0x4000),
];

const fn row(prefix: &'static str, riscv: Option<bool>, id: u32, boot_loader_bytes: u32) -> Family {
    Family {
        prefix,
        riscv,
        id,
        boot_loader_bytes,
    }
}

impl Family {
    /// The family of a chip, if it has one.
    #[must_use]
    pub fn of(plan: &Plan) -> Option<&'static Self> {
        let is_riscv = matches!(plan.core, Core::Rv32imc | Core::Rv32imac | Core::Qingke);
        FAMILIES.iter().find(|family| {
            let begins = plan
                .name
                .get(..family.prefix.len())
                .is_some_and(|name| name.eq_ignore_ascii_case(family.prefix));
            begins && family.riscv.is_none_or(|riscv| riscv == is_riscv)
        })
    }
}

impl Image {
    /// The image as UF2 for the boot loader of a chip.
    ///
    /// # Errors
    /// [`DeployError::NoUf2`] for a chip without such a boot loader, and when the image lies where the boot loader does.
    pub fn to_uf2_for(&self, plan: &Plan) -> Result<Vec<u8>, DeployError> {
        let refused = |problem| DeployError::NoUf2 {
            chip: plan.name.clone(),
            problem,
        };
        let family = Family::of(plan)
            .ok_or_else(|| refused("no boot loader that takes UF2 files is known".to_owned()))?;
        let first = u64::from(plan.flash.origin) + u64::from(family.boot_loader_bytes);
        let start = self.segments().first().map_or(0, |segment| segment.address);
        if u64::from(start) < first {
            return Err(refused(format!(
                "its UF2 boot loader lies in flash itself and takes images from {first:#010x} on, and this one begins at \
                 {start:#010x}"
            )));
        }
        Ok(self.to_uf2(Some(family.id)))
    }
}

#[cfg(test)]
mod tests {
    use super::{FAMILIES, Family};
    use std::collections::BTreeSet;

    #[test]
    fn no_family_is_there_twice_and_none_hides_another() {
        let ids: BTreeSet<_> = FAMILIES.iter().map(|family| family.id).collect();
        assert_eq!(ids.len(), FAMILIES.len());
        for (index, family) in FAMILIES.iter().enumerate() {
            let hides = |later: &&Family| {
                later.prefix.starts_with(family.prefix)
                    && (family.riscv.is_none() || family.riscv == later.riscv)
            };
            assert_eq!(FAMILIES[index + 1..].iter().find(hides), None);
        }
    }
}
