//! What a target tells its build.

use super::{ModelPlace, Target, Transport};
use crate::chip::{Boot, Core, Plan, Store};
use crate::layout::Layout;
use crate::machine::{MACHINES, Region};
use ember_link::{Hello, Sink, Slots, TimerKind};
use std::collections::BTreeMap;
use std::convert::Infallible;

const FLASH_BYTES: u32 = 0x2_0000;

fn chip(core: Core, origin: u32, boot: Boot) -> Target {
    let plan = Plan {
        name: "test".to_owned(),
        family: "test".to_owned(),
        core,
        flash: Region {
            origin,
            length: FLASH_BYTES,
        },
        sectors: Vec::new(),
        page_bytes: 256,
        erased_byte: 0xff,
        ram: Region {
            origin: 0x2000_0000,
            length: 16 << 10,
        },
        boot,
        reserved: Vec::new(),
        start: vec![Store {
            address: 0x4000_0000,
            bytes: 2,
            value: 0x5A80,
        }],
        notes: Vec::new(),
    };
    let layout = Layout {
        code: Region {
            origin,
            length: 0x8000,
        },
        slots: vec![
            Region {
                origin: origin + 0x8000,
                length: 0x4000,
            };
            2
        ],
    };
    Target::of_chip(&plan, &layout)
}

fn set(target: &Target) -> BTreeMap<&'static str, String> {
    target
        .variables()
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

#[test]
fn a_machine_sets_nothing_but_its_memory() {
    for machine in MACHINES {
        let target = Target::of_machine(machine);
        assert!(target.features().is_empty(), "{}", machine.name);
        let names: Vec<_> = set(&target).into_keys().collect();
        assert_eq!(
            names,
            [
                "EMBER_FLASH_LENGTH",
                "EMBER_FLASH_ORIGIN",
                "EMBER_RAM_LENGTH",
                "EMBER_RAM_ORIGIN"
            ]
        );
    }
}

#[test]
fn a_chip_sets_all_that_it_has() {
    let mut target = chip(Core::Armv7em, 0x0800_0000, Boot::Plain);
    target.public_key = Some([0xAB; 32]);
    target.arena_bytes = Some(4096);
    assert_eq!(
        target.features(),
        ["rtt", "slots", "signed", "set-sp", "set-vtor"]
    );
    let set = set(&target);
    for (name, value) in [
        ("EMBER_FLASH_ORIGIN", "0x8000000"),
        ("EMBER_FLASH_LENGTH", "0x8000"),
        ("EMBER_SLOTS", "0x8008000+0x4000,0x8008000+0x4000"),
        ("EMBER_START", "0x40000000:2:0x5a80"),
        ("EMBER_RTT_UP_BYTES", "0x100"),
        ("EMBER_RTT_DOWN_BYTES", "0x100"),
        ("EMBER_ARENA_BYTES", "4096"),
        ("EMBER_PUBLIC_KEY", &"ab".repeat(32)),
    ] {
        assert_eq!(set.get(name).map(String::as_str), Some(value), "{name}");
    }
    for name in ["EMBER_BOOT", "EMBER_TEXT_ORIGIN", "EMBER_KERNELS"] {
        assert!(!set.contains_key(name), "{name}");
    }
}

#[test]
fn registers_are_only_set_at_the_start_where_flash_is_not_at_zero() {
    let target = chip(Core::Armv6m, 0, Boot::Plain);
    assert_eq!(target.features(), ["rtt", "slots"]);
    let target = chip(Core::Rv32imc, 0x2001_0000, Boot::Plain);
    assert_eq!(target.features(), ["rtt", "slots", "pre-init"]);
    let target = chip(Core::Qingke, 0x0800_0000, Boot::Plain);
    assert_eq!(target.features(), ["rtt", "slots", "pre-init", "qingke"]);
}

#[test]
fn an_rp2040s_vectors_are_behind_its_boot_loader() {
    let target = chip(Core::Armv6m, 0x1000_0000, Boot::Rp2040);
    let set = set(&target);
    assert_eq!(set["EMBER_BOOT"], "rp2040");
    assert_eq!(set["EMBER_FLASH_ORIGIN"], "0x10000100");
    assert_eq!(set["EMBER_FLASH_LENGTH"], "0x7f00");
}

#[test]
fn the_model_can_be_part_of_a_chips_firmware() {
    let mut target = chip(Core::Armv6m, 0, Boot::Plain);
    target.model = ModelPlace::Linked;
    target.public_key = Some([1; 32]);
    assert_eq!(target.features(), ["rtt"]);
    assert!(!set(&target).contains_key("EMBER_SLOTS"));
}

/// Counts what is written.
struct Bytes(u32);

impl Sink for Bytes {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0 += bytes.len() as u32;
        Ok(())
    }
}

#[test]
fn what_a_firmware_says_first_fits_the_smallest_buffer() {
    let Transport::Rtt { up_bytes, .. } = Transport::rtt(0) else {
        panic!("no buffers");
    };
    for core in Core::ALL {
        let mut said = Bytes(0);
        let slots = Slots {
            running: 0,
            sequence: 1,
            model_version: 1,
            refusals: [0, 0],
        };
        let hello = Hello {
            model_crc: 0,
            model_bytes: 0,
            arena_bytes: 0,
            arena_used_bytes: 0,
            input_bytes: 0,
            output_bytes: 0,
            stack_limit_bytes: 0,
            timer: TimerKind::SysTick,
            calibration_ticks: 0,
            prepare_ticks: 0,
            target: core.target(),
        };
        slots.write(&mut said).unwrap();
        hello.write(&mut said).unwrap();
        // One byte of a buffer is always free.
        assert!(said.0 < up_bytes, "{}: {} bytes", core.target(), said.0);
    }
}

#[test]
fn buffers_are_a_64th_of_ram_within_limits() {
    for (ram_bytes, expected) in [
        (4 << 10, 128),
        (16 << 10, 256),
        (20 << 10, 256),
        (64 << 10, 1024),
        (512 << 10, 1024),
    ] {
        assert_eq!(
            Transport::rtt(ram_bytes),
            Transport::Rtt {
                up_bytes: expected,
                down_bytes: expected
            }
        );
    }
}
