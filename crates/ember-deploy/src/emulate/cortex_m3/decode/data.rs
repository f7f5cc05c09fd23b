//! The 32-bit data processing (A5.3.1 to A5.3.3 and A5.3.11 to A5.3.17).

use super::{PC, SP, bit, bits, general, immediate_shift, reg};
use crate::emulate::cortex_m3::op::{Alu, Carry, Long, Op, Reg, Shift, Unary};

/// The operation with this code, with what a missing operand or result makes of it.
fn wide_alu(code: u32, rd: Reg, rn: Reg, flags: bool) -> Option<Alu> {
    let tests = rd == PC && flags;
    Some(match (code, tests, rn == PC) {
        (0b0000, true, _) => Alu::Tst,
        (0b0000, false, _) => Alu::And,
        (0b0001, ..) => Alu::Bic,
        (0b0010, _, true) => Alu::Mov,
        (0b0010, _, false) => Alu::Orr,
        (0b0011, _, true) => Alu::Mvn,
        (0b0011, _, false) => Alu::Orn,
        (0b0100, true, _) => Alu::Teq,
        (0b0100, false, _) => Alu::Eor,
        (0b1000, true, _) => Alu::Cmn,
        (0b1000, false, _) => Alu::Add,
        (0b1010, ..) => Alu::Adc,
        (0b1011, ..) => Alu::Sbc,
        (0b1101, true, _) => Alu::Cmp,
        (0b1101, false, _) => Alu::Sub,
        (0b1110, ..) => Alu::Rsb,
        _ => return None,
    })
}

/// The operands that an operation may have: the stack pointer only where the manual allows it.
fn check_operands(alu: Alu, rd: Reg, rn: Reg) -> Option<()> {
    let no_result = matches!(alu, Alu::Tst | Alu::Teq | Alu::Cmn | Alu::Cmp);
    let no_first = matches!(alu, Alu::Mov | Alu::Mvn);
    let first_may_be_sp = matches!(alu, Alu::Add | Alu::Sub | Alu::Cmn | Alu::Cmp);
    let rd_ok = no_result
        || general(rd).is_some()
        || rd == SP && (matches!(alu, Alu::Add | Alu::Sub) && rn == SP || alu == Alu::Mov);
    let rn_ok = no_first || general(rn).is_some() || rn == SP && first_may_be_sp;
    (rd_ok && rn_ok).then_some(())
}

pub(super) fn shifted_register(word: u32) -> Option<Op> {
    let (rn, rd, rm) = (reg(word, 16), reg(word, 8), reg(word, 0));
    let flags = bit(word, 20);
    let alu = wide_alu(bits(word, 21, 4), rd, rn, flags)?;
    check_operands(alu, rd, rn)?;
    let (shift, amount) =
        immediate_shift(bits(word, 4, 2), bits(word, 12, 3) << 2 | bits(word, 6, 2));
    let plain = shift == Shift::Lsl && amount == 0;
    // MOV.W is the one that may take the stack pointer.
    if rm == PC || rm == SP && !(alu == Alu::Mov && plain && !flags) {
        return None;
    }
    Some(Op::AluRegister {
        alu,
        flags,
        rd,
        rn,
        rm,
        shift,
        amount,
    })
}

/// `ThumbExpandImm_C` of the manual: the constant, and what it does to the carry.
fn expand_immediate(code: u32) -> Option<(u32, Carry)> {
    let byte = bits(code, 0, 8);
    if bits(code, 10, 2) == 0 {
        let pattern = bits(code, 8, 2);
        let value = match pattern {
            0 => byte,
            1 => byte | byte << 16,
            2 => byte << 8 | byte << 24,
            _ => byte | byte << 8 | byte << 16 | byte << 24,
        };
        return (pattern == 0 || byte != 0).then_some((value, Carry::Keep));
    }
    let value = (0x80 | bits(code, 0, 7)).rotate_right(bits(code, 7, 5));
    let carry = if bit(value, 31) {
        Carry::Set
    } else {
        Carry::Clear
    };
    Some((value, carry))
}

fn wide_immediate_code(word: u32) -> u32 {
    bits(word, 26, 1) << 11 | bits(word, 12, 3) << 8 | bits(word, 0, 8)
}

pub(super) fn modified_immediate(word: u32) -> Option<Op> {
    let (rn, rd) = (reg(word, 16), reg(word, 8));
    let flags = bit(word, 20);
    let alu = wide_alu(bits(word, 21, 4), rd, rn, flags)?;
    check_operands(alu, rd, rn)?;
    if alu == Alu::Mov && rd == SP {
        return None;
    }
    let (value, carry) = expand_immediate(wide_immediate_code(word))?;
    Some(Op::AluImmediate {
        alu,
        flags,
        rd,
        rn,
        value,
        carry,
    })
}

pub(super) fn plain_immediate(word: u32, address: u32) -> Option<Op> {
    let (rn, rd) = (reg(word, 16), reg(word, 8));
    let twelve = wide_immediate_code(word);
    let sixteen = rn as u32 * 0x1000 + twelve;
    let low = (bits(word, 12, 3) << 2 | bits(word, 6, 2)) as u8;
    let five = bits(word, 0, 5) as u8;
    let immediate = |alu, rd, rn, value| Op::AluImmediate {
        alu,
        flags: false,
        rd,
        rn,
        value,
        carry: Carry::Keep,
    };
    let base = address.wrapping_add(4) & !3;
    Some(match bits(word, 20, 5) {
        0b00000 if rn == PC => immediate(Alu::Mov, general(rd)?, 0, base.wrapping_add(twelve)),
        0b01010 if rn == PC => immediate(Alu::Mov, general(rd)?, 0, base.wrapping_sub(twelve)),
        0b00000 | 0b01010 => {
            let alu = if bit(word, 23) { Alu::Sub } else { Alu::Add };
            check_operands(alu, rd, rn)?;
            immediate(alu, rd, rn, twelve)
        }
        0b00100 => immediate(Alu::Mov, general(rd)?, 0, sixteen),
        0b01100 => Op::MoveTop {
            rd: general(rd)?,
            value: sixteen as u16,
        },
        0b10000 | 0b10010 | 0b11000 | 0b11010 => {
            let signed = !bit(word, 23);
            let arithmetic_right = bit(word, 21);
            // With a shift of zero it is the 16-bit form, which needs the DSP extension.
            if arithmetic_right && low == 0 {
                return None;
            }
            Op::Saturate {
                signed,
                rd: general(rd)?,
                rn: general(rn)?,
                bits: five + u8::from(signed),
                arithmetic_right,
                amount: low,
            }
        }
        0b10100 | 0b11100 => {
            let width = five + 1;
            (low + width <= 32).then_some(())?;
            Op::BitfieldExtract {
                signed: !bit(word, 23),
                rd: general(rd)?,
                rn: general(rn)?,
                low,
                width,
            }
        }
        0b10110 => {
            let width = (five + 1).checked_sub(low).filter(|width| *width > 0)?;
            Op::BitfieldInsert {
                rd: general(rd)?,
                rn: if rn == PC { None } else { Some(general(rn)?) },
                low,
                width,
            }
        }
        _ => return None,
    })
}

/// Shifts by a register, extensions, and the operations on one register.
pub(super) fn register(word: u32) -> Option<Op> {
    (bits(word, 12, 4) == 0b1111).then_some(())?;
    let (rn, rd, rm) = (
        general(reg(word, 8)).and(Some(reg(word, 16)))?,
        reg(word, 8),
        general(reg(word, 0))?,
    );
    if !bit(word, 23) && !bit(word, 7) {
        (bits(word, 4, 3) == 0).then_some(())?;
        let shift = match bits(word, 21, 2) {
            0 => Shift::Lsl,
            1 => Shift::Lsr,
            2 => Shift::Asr,
            _ => Shift::Ror,
        };
        return Some(Op::ShiftRegister {
            shift,
            flags: bit(word, 20),
            rd,
            rn: general(rn)?,
            rm,
        });
    }
    if !bit(word, 23) {
        // With a register in place of `rn` these would add to it: the DSP extension.
        (rn == PC && !bit(word, 6)).then_some(())?;
        let unary = match bits(word, 20, 3) {
            0 => Unary::SignedHalf,
            1 => Unary::UnsignedHalf,
            4 => Unary::SignedByte,
            5 => Unary::UnsignedByte,
            _ => return None,
        };
        return Some(Op::Unary {
            unary,
            rd,
            rm,
            rotate: (bits(word, 4, 2) * 8) as u8,
        });
    }
    // The operand is named twice.
    (rn == rm).then_some(())?;
    let unary = match (bits(word, 20, 3), bits(word, 4, 4)) {
        (1, 0b1000) => Unary::Reverse,
        (1, 0b1001) => Unary::ReverseHalves,
        (1, 0b1010) => Unary::ReverseBits,
        (1, 0b1011) => Unary::ReverseSignedHalf,
        (3, 0b1000) => Unary::LeadingZeros,
        _ => return None,
    };
    Some(Op::Unary {
        unary,
        rd,
        rm,
        rotate: 0,
    })
}

pub(super) fn multiply(word: u32) -> Option<Op> {
    (bits(word, 20, 3) == 0 && bits(word, 5, 3) == 0).then_some(())?;
    let (rn, ra) = (general(reg(word, 16))?, reg(word, 12));
    let (rd, rm) = (general(reg(word, 8))?, general(reg(word, 0))?);
    let subtract = bit(word, 4);
    if ra == PC && !subtract {
        return Some(Op::Multiply {
            flags: false,
            rd,
            rn,
            rm,
        });
    }
    Some(Op::MultiplyAccumulate {
        subtract,
        rd,
        rn,
        rm,
        ra: general(ra)?,
    })
}

pub(super) fn long_multiply(word: u32) -> Option<Op> {
    let (rn, rm) = (general(reg(word, 16))?, general(reg(word, 0))?);
    let (low, high) = (reg(word, 12), general(reg(word, 8))?);
    let long = match (bits(word, 20, 3), bits(word, 4, 4)) {
        (0b000, 0b0000) => Long::SignedMultiply,
        (0b010, 0b0000) => Long::UnsignedMultiply,
        (0b100, 0b0000) => Long::SignedAccumulate,
        (0b110, 0b0000) => Long::UnsignedAccumulate,
        (code @ (0b001 | 0b011), 0b1111) if low == PC => {
            return Some(Op::Divide {
                signed: code == 0b001,
                rd: high,
                rn,
                rm,
            });
        }
        _ => return None,
    };
    (low != high).then_some(())?;
    Some(Op::LongMultiply {
        long,
        low: general(low)?,
        high,
        rn,
        rm,
    })
}
