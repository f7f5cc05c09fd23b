//! The 32-bit branches, barriers, hints and special registers (A5.3.4).

use super::{bit, bits, general, reg, signed};
use crate::emulate::cortex_m3::op::{Condition, Op};

/// Branches and special registers.
pub(super) fn branches_and_specials(word: u32, address: u32) -> Option<Op> {
    let pc = address.wrapping_add(4);
    let sign = bits(word, 26, 1);
    let far = || {
        // J1 and J2 are the next two bits of the offset, inverted where the sign is 0.
        let high = |position| bits(word, position, 1) ^ sign ^ 1;
        let offset = sign << 24
            | high(13) << 23
            | high(11) << 22
            | bits(word, 16, 10) << 12
            | bits(word, 0, 11) << 1;
        pc.wrapping_add_signed(signed(offset, 24))
    };
    if bit(word, 12) {
        return Some(if bit(word, 14) {
            Op::Call {
                target: far(),
                link: pc | 1,
            }
        } else {
            Op::Branch { target: far() }
        });
    }
    if bit(word, 14) {
        return None;
    }
    if bits(word, 23, 3) != 0b111 {
        let offset = sign << 20
            | bits(word, 11, 1) << 19
            | bits(word, 13, 1) << 18
            | bits(word, 16, 6) << 12
            | bits(word, 0, 11) << 1;
        return Some(Op::BranchIf {
            condition: Condition::from_code(bits(word, 22, 4))?,
            target: pc.wrapping_add_signed(signed(offset, 20)),
        });
    }
    match bits(word, 20, 7) {
        0b011_1000 => Some(Op::WriteSpecial {
            register: word as u8,
            rn: general(reg(word, 16))?,
        }),
        // NOP, YIELD, SEV and CSDB; WFE and WFI would wait for something that never comes.
        0b011_1010 if matches!(bits(word, 0, 11), 0 | 1 | 4 | 20) => Some(Op::Nothing),
        0b011_1011 => match bits(word, 4, 4) {
            0b0010 => Some(Op::ClearExclusive),
            // DSB, DMB, ISB.
            0b0100..=0b0110 => Some(Op::Nothing),
            _ => None,
        },
        0b011_1110 => Some(Op::ReadSpecial {
            rd: general(reg(word, 8))?,
            register: word as u8,
        }),
        _ => None,
    }
}
