//! From halfwords to [`Op`].
//!
//! The encodings are those of the Armv7-M Architecture Reference Manual (DDI 0403E), A5 and A7.7. What it calls
//! unpredictable, and what a Cortex-M3 does not have (DSP, floating point, coprocessors), is not decoded.

mod control;
mod data;
mod memory;
mod narrow;

use super::op::{Condition, Index, Op, Reg, Shift, Width};

pub(super) use narrow::narrow;

const SP: Reg = 13;
const PC: Reg = 15;

/// Bits `low..low + count` of `word`.
const fn bits(word: u32, low: u32, count: u32) -> u32 {
    word >> low & ((1 << count) - 1)
}

const fn bit(word: u32, position: u32) -> bool {
    bits(word, position, 1) == 1
}

const fn reg(word: u32, low: u32) -> Reg {
    bits(word, low, 4) as Reg
}

const fn low_reg(word: u32, low: u32) -> Reg {
    bits(word, low, 3) as Reg
}

/// `word`, whose sign is bit `sign`, as a number.
const fn signed(word: u32, sign: u32) -> i32 {
    (word << (31 - sign)) as i32 >> (31 - sign)
}

/// Whether a first halfword has a second one.
pub(super) const fn is_wide(first: u16) -> bool {
    first >> 11 >= 0b11101
}

/// The conditions of the instructions in the block that an IT instruction begins; none when it is no IT instruction.
pub(super) fn it_block(halfword: u16) -> Vec<Condition> {
    let word = u32::from(halfword);
    let mask = bits(word, 0, 4);
    if bits(word, 8, 8) != 0b1011_1111 || mask == 0 {
        return Vec::new();
    }
    let first = bits(word, 4, 4);
    let count = 4 - mask.trailing_zeros();
    // The first instruction has the condition as it stands; each later one has its last bit from the mask.
    (0..count)
        .filter_map(|index| {
            let code = match index {
                0 => first,
                _ => first & 0b1110 | bits(mask, 4 - index, 1),
            };
            Condition::from_code(code)
        })
        .collect()
}

/// A register that is not the program counter.
const fn known(register: Reg) -> Option<Reg> {
    if register == PC { None } else { Some(register) }
}

/// A register that is neither the program counter nor the stack pointer.
const fn general(register: Reg) -> Option<Reg> {
    if register == PC || register == SP {
        None
    } else {
        Some(register)
    }
}

/// The shift of a register by a constant.
const fn immediate_shift(kind: u32, amount: u32) -> (Shift, u8) {
    match (kind, amount) {
        (0, amount) => (Shift::Lsl, amount as u8),
        (1, 0) => (Shift::Lsr, 32),
        (1, amount) => (Shift::Lsr, amount as u8),
        (2, 0) => (Shift::Asr, 32),
        (2, amount) => (Shift::Asr, amount as u8),
        (_, 0) => (Shift::Rrx, 1),
        (_, amount) => (Shift::Ror, amount as u8),
    }
}

const fn access(load: bool, width: Width, rt: Reg, rn: Reg, offset: i32, index: Index) -> Op {
    if load {
        Op::Load {
            width,
            rt,
            rn,
            offset,
            index,
        }
    } else {
        Op::Store {
            width,
            rt,
            rn,
            offset,
            index,
        }
    }
}

/// Decodes the 32-bit instruction at `address`.
pub(super) fn wide(first: u16, second: u16, address: u32) -> Option<Op> {
    let word = u32::from(first) << 16 | u32::from(second);
    match (bits(word, 27, 2), bit(word, 15)) {
        (0b01, _) if bits(word, 25, 2) == 0b00 && !bit(word, 22) => memory::multiple(word),
        (0b01, _) if bits(word, 25, 2) == 0b00 => memory::dual(word, address),
        (0b01, _) if bits(word, 25, 2) == 0b01 => data::shifted_register(word),
        (0b10, false) if !bit(word, 25) => data::modified_immediate(word),
        (0b10, false) => data::plain_immediate(word, address),
        (0b10, true) => control::branches_and_specials(word, address),
        (0b11, _) if bits(word, 24, 3) == 0b000 && !bit(word, 20) => memory::store(word),
        (0b11, _) if bits(word, 25, 2) == 0b00 && bit(word, 20) => memory::load(word, address),
        (0b11, _) if bits(word, 24, 3) == 0b010 => data::register(word),
        (0b11, _) if bits(word, 23, 4) == 0b0110 => data::multiply(word),
        (0b11, _) if bits(word, 23, 4) == 0b0111 => data::long_multiply(word),
        _ => None,
    }
}
