//! Flash plans of hand-made images.

use super::{Segment, Span, flash_plan, rp2040_checksum};
use crate::chips::{ChipError, find, plan};
use ember_deploy::chip::Plan;

fn planned(name: &str) -> Plan {
    plan(&find(name).unwrap()).unwrap()
}

fn segment(address: u32, bytes: Vec<u8>) -> Segment {
    Segment { address, bytes }
}

#[test]
fn sectors_pages_and_bytes_are_counted() {
    let chip = planned("STM32F405RG");
    let image = [
        segment(0x0800_0000, vec![1; 0x4001]),
        segment(0x0802_0010, vec![2; 1]),
    ];
    let plan = flash_plan(&chip, &image).unwrap();
    let span = |address, bytes| Span { address, bytes };
    assert_eq!(
        plan.sectors,
        [
            span(0x0800_0000, 0x4000),
            span(0x0800_4000, 0x4000),
            span(0x0802_0000, 0x2_0000)
        ]
    );
    assert_eq!(plan.page_bytes, 0x400);
    assert_eq!(plan.pages.len(), 16 + 1 + 1);
    assert_eq!(plan.pages[17], 0x0802_0000);
    assert_eq!(plan.image_bytes, 0x4002);
    assert_eq!(plan.erased_bytes, 0x2_8000);
    assert_eq!(plan.programmed_bytes, 18 * 0x400);
}

#[test]
fn a_part_in_the_middle_touches_its_own_sector_only() {
    let chip = planned("STM32F405RG");
    let plan = flash_plan(&chip, &[segment(0x0806_0000, vec![1; 100])]).unwrap();
    assert_eq!(plan.sectors.len(), 1);
    assert_eq!(plan.sectors[0].address, 0x0806_0000);
}

#[test]
fn bytes_outside_of_flash_and_twice_are_refused() {
    let chip = planned("STM32F405RG");
    for address in [0x07FF_FFFF, 0x080F_FFFF, 0x2000_0000] {
        let error = flash_plan(&chip, &[segment(address, vec![0; 2])]).unwrap_err();
        assert!(matches!(error, ChipError::OutsideFlash { .. }), "{error}");
    }
    let twice = [
        segment(0x0800_0000, vec![0; 8]),
        segment(0x0800_0007, vec![0; 1]),
    ];
    assert!(matches!(
        flash_plan(&chip, &twice),
        Err(ChipError::Overlap {
            address: 0x0800_0007,
            ..
        })
    ));
}

#[test]
fn only_the_unsecured_bytes_may_reach_the_configuration_of_an_s32k() {
    let chip = planned("S32K144HFxxxLHx");
    let field = chip.reserved[0].bytes.clone().unwrap();
    let with = |field: Vec<u8>| {
        flash_plan(
            &chip,
            &[
                segment(0, vec![0; 0x400]),
                segment(0x400, field),
                segment(0x410, vec![0; 0x100]),
            ],
        )
    };
    assert!(with(field.clone()).is_ok());
    // Each byte of the field in turn.
    for index in 0..16 {
        let mut other = field.clone();
        other[index] ^= 1;
        match with(other) {
            Err(ChipError::Reserved { address, .. }) => assert_eq!(address, 0x400 + index as u32),
            other => panic!("{index}: {other:?}"),
        }
    }
    // An image that erases the sector and leaves the field out would leave the chip secured.
    let without = flash_plan(&chip, &[segment(0, vec![0; 0x400])]);
    assert!(
        matches!(
            without,
            Err(ChipError::Reserved {
                address: 0x400,
                actual: None,
                ..
            })
        ),
        "{without:?}"
    );
    // Another sector is no matter.
    assert!(flash_plan(&chip, &[segment(0x8000, vec![0; 0x400])]).is_ok());
}

#[test]
fn option_bytes_stay_erased() {
    let chip = planned("R7FA4M1AB");
    assert!(flash_plan(&chip, &[segment(0, vec![0; 0x400])]).is_ok());
    assert!(
        flash_plan(
            &chip,
            &[segment(0, [vec![0; 0x400], vec![0xFF; 0x100]].concat())]
        )
        .is_ok()
    );
    assert!(matches!(
        flash_plan(&chip, &[segment(0, vec![0; 0x438])]),
        Err(ChipError::Reserved {
            address: 0x400,
            expected: 0xFF,
            actual: Some(0),
            ..
        })
    ));
}

#[test]
fn an_lpc_starts_only_what_adds_up() {
    let chip = planned("LPC845M301JBD48");
    let table = |checksum: u32| {
        let words = [0x1000_2000, 0x301, 0, 0, 0, 0, 0, checksum];
        let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        flash_plan(&chip, &[segment(0, bytes)])
    };
    assert!(table(0u32.wrapping_sub(0x1000_2301)).is_ok());
    assert!(matches!(table(0), Err(ChipError::NoStart { .. })));
}

#[test]
fn an_rp2040_starts_only_behind_a_boot_loader() {
    let chip = planned("RP2040");
    let mut loader = vec![0x5A; 252];
    let checksum = rp2040_checksum(&loader);
    loader.extend(checksum.to_le_bytes());
    assert!(flash_plan(&chip, &[segment(0x1000_0000, loader.clone())]).is_ok());
    loader[7] ^= 1;
    let broken = flash_plan(&chip, &[segment(0x1000_0000, loader)]);
    assert!(matches!(broken, Err(ChipError::NoStart { .. })));
    let headless = flash_plan(&chip, &[segment(0x1000_0100, vec![0; 64])]);
    assert!(matches!(headless, Err(ChipError::NoStart { .. })));
}

#[test]
fn the_checksum_is_crc_32_mpeg_2() {
    // The check value of that CRC in the catalogue of parametrised CRC algorithms.
    assert_eq!(rp2040_checksum(b"123456789"), 0x0376_E6E7);
}

#[test]
fn an_rp2350_starts_only_with_an_image_definition() {
    let chip = planned("RP2350");
    let image = |words: &[u32]| {
        let mut bytes = vec![0; 272];
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        flash_plan(&chip, &[segment(0x1000_0000, bytes)])
    };
    let definition = [0xFFFF_DED3, 0x1021_0142, 0x0000_01FF, 0, 0xAB12_3579];
    assert!(image(&definition).is_ok());
    assert!(matches!(
        image(&definition[..4]),
        Err(ChipError::NoStart { .. })
    ));
}
