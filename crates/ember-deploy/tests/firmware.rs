//! Firmware for chips: it links on every core with all that it can have, and what a chip wants to find in flash is there.

mod support;

use ember_deploy::chip::{Boot, Core, Plan, Reserved, Sectors, Store};
use ember_deploy::firmware::{Kernels, Target};
use ember_deploy::image::Image;
use ember_deploy::layout::Layout;
use ember_deploy::machine::Region;
use ember_slot::LayoutRecord;
use std::collections::BTreeSet;
use support::{MODEL_SOURCE, build_for, model, workspace};

/// Bytes of the code of the largest firmware of these, and some.
const CODE_BYTES: u32 = 80 << 10;

const KEY: [u8; 32] = [7; 32];

/// A chip with 256 KiB of flash.
fn plan(name: &str, core: Core, flash_origin: u32, boot: Boot) -> Plan {
    Plan {
        name: name.to_owned(),
        family: "test".to_owned(),
        core,
        flash: Region {
            origin: flash_origin,
            length: 256 << 10,
        },
        sectors: vec![Sectors {
            origin: flash_origin,
            bytes: 4096,
            count: 64,
        }],
        page_bytes: 256,
        erased_byte: 0xff,
        ram: Region {
            origin: 0x2000_0000,
            length: 32 << 10,
        },
        boot,
        reserved: Vec::new(),
        start: Vec::new(),
        notes: Vec::new(),
    }
}

struct Built {
    image: Image,
    layout: Layout,
}

impl Built {
    /// With all that a firmware can have: slots, signatures, every kernel.
    fn new(plan: &Plan) -> Option<Self> {
        let layout = Layout::new(plan, CODE_BYTES, model::MODEL_BYTES as u32).unwrap();
        let mut target = Target::of_chip(plan, &layout);
        target.kernels = Kernels::Int8;
        target.public_key = Some(KEY);
        target.arena_bytes = Some(1024);
        let directory = tempfile::tempdir().unwrap();
        let elf = build_for(&target, &workspace().join(MODEL_SOURCE), directory.path())?;
        let elf = elf.unwrap_or_else(|error| panic!("{}: {error}", plan.name));
        let image = Image::read(&elf).unwrap();
        Some(Self { image, layout })
    }

    /// The bytes from an address to the end of the image.
    fn from(&self, address: u32) -> Vec<u8> {
        let (start, bytes) = self.image.to_bin().unwrap();
        bytes[(address - start) as usize..].to_vec()
    }

    fn words(&self, address: u32, count: usize) -> Vec<u32> {
        self.from(address)
            .chunks_exact(4)
            .take(count)
            .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
            .collect()
    }

    /// What holds for every chip.
    fn check(&self, plan: &Plan) {
        for segment in self.image.segments() {
            assert!(
                self.layout
                    .code
                    .contains(segment.address.into(), segment.bytes.len() as u64),
                "{}: {:#x}",
                plan.name,
                segment.address
            );
            for reserved in &plan.reserved {
                let end = u64::from(segment.address) + segment.bytes.len() as u64;
                assert!(
                    end <= reserved.region.origin.into()
                        || u64::from(segment.address) >= reserved.region.end(),
                    "{}: {:#x} is reserved",
                    plan.name,
                    segment.address
                );
            }
        }
        let (_, record) = LayoutRecord::find(&self.from(plan.flash.origin)).unwrap();
        assert_eq!(record.arena_bytes, 1024);
        assert_eq!(record.key, Some(KEY));
        let slots: Vec<_> = record
            .slots()
            .map(|slot| Region {
                origin: slot.address,
                length: slot.length,
            })
            .collect();
        assert_eq!(slots, self.layout.slots);
        let kernels: Vec<_> = ember_micro::registry::INT8
            .iter()
            .filter_map(|row| match row.code {
                ember_micro::OpCode::Builtin(op) => Some(op),
                ember_micro::OpCode::Custom(_) => None,
            })
            .collect();
        assert!(kernels.iter().all(|op| record.operators.contains(*op)));
    }

    /// The vector table at `address` has a stack in RAM and an entry behind it in flash.
    fn check_vectors(&self, plan: &Plan, address: u32) -> u32 {
        let [stack, entry] = self.words(address, 2)[..] else {
            panic!("{}: no vector table", plan.name);
        };
        assert_eq!(u64::from(stack), plan.ram.end());
        assert_eq!(entry & 1, 1, "Thumb");
        assert!(entry > address && u64::from(entry) < self.layout.code.end());
        entry - 1
    }
}

/// Every Rust target that a core needs, with one core for each.
fn cores() -> Vec<Core> {
    let mut seen = BTreeSet::new();
    Core::ALL
        .iter()
        .copied()
        .filter(|core| seen.insert(core.target()))
        .collect()
}

#[test]
fn it_links_on_every_core_without_a_path_that_panics() {
    for core in cores() {
        let plan = plan(core.target(), core, 0x0800_0000, Boot::Plain);
        if let Some(built) = Built::new(&plan) {
            built.check(&plan);
        }
    }
}

#[test]
fn a_qingke_s_firmware_leaves_registers_alone_that_it_lacks() {
    // mie, mip, mhartid, mcycle, mcycleh, mcountinhibit.
    const LACKING: [u32; 6] = [0x304, 0x344, 0xF14, 0xB00, 0xB80, 0x320];
    let names = |plan: &Plan| {
        Built::new(plan).map(|built| {
            let code = built.from(plan.flash.origin);
            // Instructions begin at multiples of 2. SYSTEM is 0x73 in the lowest 7 bits, and a register is named in the
            // highest 12 where bits 12 to 14 are not 0.
            code.windows(4)
                .step_by(2)
                .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
                .filter(|word| word & 0x7F == 0x73 && word >> 12 & 7 != 0)
                .map(|word| word >> 20)
                .filter(|register| LACKING.contains(register))
                .collect::<BTreeSet<_>>()
        })
    };
    let others = names(&plan("rv32imc", Core::Rv32imc, 0x0800_0000, Boot::Plain));
    let qingke = plan("qingke", Core::Qingke, 0x0800_0000, Boot::Plain);
    assert_eq!(others, others.as_ref().map(|_| LACKING.into()));
    assert_eq!(names(&qingke), others.map(|_| BTreeSet::new()));
    if let Some(built) = Built::new(&qingke) {
        built.check(&qingke);
    }
}

#[test]
fn code_stays_off_what_is_reserved_near_the_vector_table() {
    let mut plan = plan("kinetis", Core::Armv7emF, 0, Boot::Plain);
    plan.reserved = vec![Reserved {
        region: Region {
            origin: 0x400,
            length: 16,
        },
        bytes: Some(vec![0xff; 16]),
        what: "flash configuration field".to_owned(),
    }];
    // A watchdog, as it is stopped with stores of every width.
    plan.start = [(4, 0xD928_C520), (2, 0x2120), (1, 0x7F)]
        .map(|(bytes, value)| Store {
            address: 0x4005_2000 + u32::from(bytes),
            bytes,
            value,
        })
        .to_vec();
    let Some(built) = Built::new(&plan) else {
        return;
    };
    built.check(&plan);
    assert!(built.check_vectors(&plan, 0) >= 0x410);
    // Wide values are words in the code, narrow ones in its instructions.
    let bytes = built.from(0);
    for word in [0x4005_2004_u32, 0xD928_C520, 0x4005_2002, 0x4005_2001] {
        assert!(
            bytes.chunks_exact(4).any(|four| four == word.to_le_bytes()),
            "{word:#x}"
        );
    }
}

#[test]
fn an_rp2040_finds_its_boot_loader_in_front_of_the_vector_table() {
    let plan = plan("rp2040", Core::Armv6m, 0x1000_0000, Boot::Rp2040);
    let Some(built) = Built::new(&plan) else {
        return;
    };
    built.check(&plan);
    assert_eq!(built.from(0x1000_0000)[..256], ember_firmware::boot::RP2040);
    built.check_vectors(&plan, 0x1000_0100);
}

#[test]
fn an_rp2350_finds_its_image_definition() {
    let arm = plan("rp2350", Core::Armv8mMainF, 0x1000_0000, Boot::Rp2350);
    if let Some(built) = Built::new(&arm) {
        built.check(&arm);
        built.check_vectors(&arm, 0x1000_0000);
        assert_eq!(
            built.words(0x1000_0044, 5),
            [0xffff_ded3, 0x1021_0142, 0x0000_01ff, 0, 0xab12_3579]
        );
    }
    let riscv = plan("rp2350-riscv", Core::Rv32imac, 0x1000_0000, Boot::Rp2350);
    if let Some(built) = Built::new(&riscv) {
        built.check(&riscv);
        // Code begins right behind the block, with the entry.
        assert_eq!(
            built.words(0x1000_0000, 8),
            [
                0xffff_ded3,
                0x1101_0142,
                0x0000_0344,
                0x1000_0020,
                0x2000_8000,
                0x0000_04ff,
                0,
                0xab12_3579
            ]
        );
    }
}
