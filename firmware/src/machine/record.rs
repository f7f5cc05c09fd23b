//! What a host reads from the chip's flash to find the slots and to know which models run.

use crate::target::{ARENA_BYTES, KEY, REGISTRY, SLOTS};
use ember_link::PROTOCOL_VERSION;
use ember_micro::{OpCode, Registration};
use ember_slot::{LayoutRecord, MAX_SLOTS, Operators, RECORD_BYTES, SlotRange};

/// A record begins at a multiple of 4.
#[repr(C, align(4))]
struct Record([u8; RECORD_BYTES]);

/// `memory.x` keeps it, although nothing refers to it.
#[unsafe(export_name = "EMBER_LAYOUT")]
static RECORD: Record = Record(
    LayoutRecord {
        link_version: PROTOCOL_VERSION as u16,
        arena_bytes: ARENA_BYTES as u32,
        slots: slots(),
        operators: operators(REGISTRY),
        key: KEY,
    }
    .to_bytes(),
);

const fn slots() -> [SlotRange; MAX_SLOTS] {
    let mut slots = [SlotRange {
        address: 0,
        length: 0,
    }; MAX_SLOTS];
    let mut index = 0;
    while index < SLOTS.len() {
        slots[index] = SLOTS[index];
        index += 1;
    }
    slots
}

const fn operators(registry: &[Registration]) -> Operators {
    let mut operators = Operators::NONE;
    let mut index = 0;
    while index < registry.len() {
        if let OpCode::Builtin(op) = registry[index].code {
            operators = operators.with(op);
        }
        if let Some(op) = registry[index].next {
            operators = operators.with(op);
        }
        index += 1;
    }
    operators
}
