//! What a real firmware's file says about itself, and files that are no firmware.

mod support;

use ember_deploy::DeployError;
use ember_deploy::chip::{Boot, Core, Plan};
use ember_deploy::image::{Image, Segment, parse_hex};
use ember_deploy::machine::Machine;
use std::path::Path;
use support::{firmware, model};

#[test]
fn a_model_is_added_where_nothing_is_and_the_lpc_checksum_makes_the_vectors_sum_to_zero() {
    let directory = tempfile::tempdir().expect("a directory");
    let machine = Machine::find("cortex-m0").expect("it is in the table");
    let Some(elf) = firmware(machine, directory.path()) else {
        return;
    };
    let mut image = Image::read(&elf).unwrap();
    let free = image
        .segments()
        .last()
        .map_or(0, |last| last.address + last.bytes.len() as u32);
    let model = |address| Segment {
        address,
        bytes: vec![1, 2, 3, 4],
    };
    image.add(model(free)).unwrap();
    assert_eq!(image.segments().last(), Some(&model(free)));
    let (start, bin) = image.to_bin().unwrap();
    assert_eq!(bin[(free - start) as usize..], [1, 2, 3, 4]);
    for taken in [start, free - 1, free, free + 3] {
        let error = image.add(model(taken)).unwrap_err();
        assert!(matches!(error, DeployError::Overlap { .. }), "{error}");
    }
    image.add_lpc_checksum().unwrap();
    let vectors = &image.segments()[0].bytes[..32];
    let sum = vectors
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
        .fold(0, u32::wrapping_add);
    assert_eq!(sum, 0);
}

#[test]
fn an_image_knows_its_sizes_and_its_model() {
    let directory = tempfile::tempdir().expect("a directory");
    let machine = Machine::find("cortex-m0").expect("it is in the table");
    let Some(elf) = firmware(machine, directory.path()) else {
        return;
    };
    let image = Image::read(&elf).unwrap_or_else(|error| panic!("{error}"));
    let size = image
        .size(model::MODEL)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(size.model_bytes as usize, model::MODEL_BYTES);
    assert_eq!(size.code_bytes + size.model_bytes, size.flash_bytes);
    let (start, bin) = image.to_bin().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(start, machine.flash.origin);
    // Alignment between sections is all that a BIN has more.
    assert!((size.flash_bytes..size.flash_bytes + 64).contains(&(bin.len() as u64)));
    let arena = size
        .symbols
        .iter()
        .find(|symbol| symbol.name.ends_with("::ARENA"));
    assert_eq!(
        arena.map(|symbol| symbol.bytes as usize),
        Some(model::LINKED.arena_bytes())
    );
    let variables = model::LINKED.arena_bytes()..model::LINKED.arena_bytes() + 64;
    assert!(variables.contains(&(size.static_ram_bytes as usize)));

    let symbols = image.symbols();
    let main = symbols.named("main").expect("a firmware has a main");
    assert_eq!(main.address % 2, 0);
    assert_eq!(symbols.at(main.address + 1), Some(main));
    let arena = symbols
        .at(machine.ram.origin)
        .or_else(|| symbols.at(machine.ram.origin + 16))
        .expect("variables begin there");
    assert!(arena.bytes > 0);
    assert!(symbols.named("there is no such symbol").is_none());
    assert!(symbols.at(0xFFFF_FFFF).is_none());

    image
        .check_fits(machine.name, machine.flash, machine.ram, 1024)
        .unwrap_or_else(|error| panic!("{error}"));
    let error = image
        .check_fits(
            machine.name,
            machine.flash,
            machine.ram,
            u64::from(machine.ram.length),
        )
        .unwrap_err();
    assert!(
        matches!(error, DeployError::NoRoom { memory: "RAM", .. }),
        "{error}"
    );
    let elsewhere = Machine::find("rv32imac").expect("it is in the table");
    assert!(
        image
            .check_fits(elsewhere.name, elsewhere.flash, elsewhere.ram, 0)
            .is_err()
    );
    assert!(image.size(b"another model").is_err());
}

#[test]
fn files_that_are_no_firmware_are_refused() {
    let path = Path::new("made-up.elf");
    let directory = tempfile::tempdir().expect("a directory");
    let machine = Machine::find("cortex-m3").expect("it is in the table");
    let Some(elf) = firmware(machine, directory.path()) else {
        return;
    };
    let good = std::fs::read(elf).expect("it was just built");
    for length in (0..good.len()).step_by(good.len() / 97) {
        // Sections stand at the end of the file: without them there are no sizes.
        let error = Image::parse(&good[..length], path).unwrap_err();
        assert!(error.to_string().contains("made-up.elf"), "{error}");
    }
    let mut wide = good.clone();
    wide[4] = 2;
    assert!(Image::parse(&wide, path).is_err());
    for byte in 0..200 {
        let mut damaged = good.clone();
        damaged[byte] ^= 0x81;
        // Any answer but a panic.
        let _ = Image::parse(&damaged, path).map(|image| image.to_bin());
    }
}

#[test]
fn an_image_of_firmware_and_model_is_the_same_in_every_format() {
    let directory = tempfile::tempdir().expect("a directory");
    let machine = Machine::find("cortex-m3").expect("it is in the table");
    let Some(elf) = firmware(machine, directory.path()) else {
        return;
    };
    let mut image = Image::read(&elf).unwrap_or_else(|error| panic!("{error}"));
    image
        .add(Segment {
            address: 0x10_0000,
            bytes: vec![7; 999],
        })
        .unwrap_or_else(|error| panic!("{error}"));
    let again = Image::parse(&image.to_elf(), &elf).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again.segments(), image.segments());
    assert_eq!(again.to_elf(), image.to_elf());

    let bytes = |segments: &[Segment]| {
        let all = segments
            .iter()
            .flat_map(|segment| (segment.address..).zip(segment.bytes.iter().copied()));
        all.collect::<std::collections::BTreeMap<_, _>>()
    };
    let read = parse_hex(&image.to_hex()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(bytes(&read), bytes(image.segments()));
}

#[test]
fn uf2_files_are_for_chips_whose_boot_loader_takes_them() {
    let directory = tempfile::tempdir().expect("a directory");
    let machine = Machine::find("cortex-m3").expect("it is in the table");
    let Some(elf) = firmware(machine, directory.path()) else {
        return;
    };
    let image = Image::read(&elf).unwrap_or_else(|error| panic!("{error}"));
    let chip = |name: &str, core| Plan {
        name: name.to_owned(),
        family: String::new(),
        core,
        flash: machine.flash,
        sectors: Vec::new(),
        page_bytes: 256,
        erased_byte: 0xFF,
        ram: machine.ram,
        boot: Boot::Plain,
        reserved: Vec::new(),
        start: Vec::new(),
        notes: Vec::new(),
    };
    for (name, core, id) in [
        ("RP2040", Core::Armv6m, 0xE48B_FF56_u32),
        ("RP235x", Core::Armv8mMainF, 0xE48B_FF59),
        ("RP235x_riscv", Core::Rv32imac, 0xE48B_FF5A),
    ] {
        let file = image
            .to_uf2_for(&chip(name, core))
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(file[28..32], id.to_le_bytes(), "{name}");
    }
    for (name, problem) in [
        ("STM32F405RG", "no boot loader"),
        ("nRF52840_xxAA", "from 0x00026000 on"),
        ("RP", "no boot loader"),
    ] {
        let error = image
            .to_uf2_for(&chip(name, Core::Armv7emF))
            .unwrap_err()
            .to_string();
        assert!(error.contains(problem), "{error}");
    }
}
