//! The 16-bit instructions (A5.2).

use super::{PC, SP, access, bit, bits, immediate_shift, known, low_reg, reg, signed};
use crate::emulate::cortex_m3::op::{Alu, Carry, Condition, Index, Op, Reg, Shift, Unary, Width};

/// Decodes the 16-bit instruction at `address`. In an IT block those that set flags elsewhere do not.
pub(in crate::emulate::cortex_m3) fn narrow(
    halfword: u16,
    address: u32,
    in_it_block: bool,
) -> Option<Op> {
    let word = u32::from(halfword);
    let flags = !in_it_block;
    let pc = address.wrapping_add(4);
    let immediate = |alu, rd, rn, value, flags| Op::AluImmediate {
        alu,
        flags,
        rd,
        rn,
        value,
        carry: Carry::Keep,
    };
    let register = |alu, rd, rn, rm, flags| Op::AluRegister {
        alu,
        flags,
        rd,
        rn,
        rm,
        shift: Shift::Lsl,
        amount: 0,
    };
    Some(match bits(word, 11, 5) {
        0b00000..=0b00010 => {
            let (shift, amount) = immediate_shift(bits(word, 11, 2), bits(word, 6, 5));
            Op::AluRegister {
                alu: Alu::Mov,
                flags,
                rd: low_reg(word, 0),
                rn: 0,
                rm: low_reg(word, 3),
                shift,
                amount,
            }
        }
        0b00011 => {
            let alu = if bit(word, 9) { Alu::Sub } else { Alu::Add };
            let (rd, rn) = (low_reg(word, 0), low_reg(word, 3));
            if bit(word, 10) {
                immediate(alu, rd, rn, bits(word, 6, 3), flags)
            } else {
                register(alu, rd, rn, low_reg(word, 6), flags)
            }
        }
        0b00100..=0b00111 => {
            let rd = low_reg(word, 8);
            let (alu, flags) = match bits(word, 11, 2) {
                0 => (Alu::Mov, flags),
                1 => (Alu::Cmp, true),
                2 => (Alu::Add, flags),
                _ => (Alu::Sub, flags),
            };
            immediate(alu, rd, rd, bits(word, 0, 8), flags)
        }
        0b01000 if !bit(word, 10) => narrow_data(word, flags),
        0b01000 => return narrow_special(word, address),
        0b01001 => Op::LoadAbsolute {
            width: Width::Word,
            rt: low_reg(word, 8),
            address: (pc & !3).wrapping_add(bits(word, 0, 8) * 4),
        },
        0b01010 | 0b01011 => {
            let (rt, rn, rm) = (low_reg(word, 0), low_reg(word, 3), low_reg(word, 6));
            let load = |width| Op::LoadRegister {
                width,
                rt,
                rn,
                rm,
                shift: 0,
            };
            let store = |width| Op::StoreRegister {
                width,
                rt,
                rn,
                rm,
                shift: 0,
            };
            match bits(word, 9, 3) {
                0 => store(Width::Word),
                1 => store(Width::Half),
                2 => store(Width::Byte),
                3 => load(Width::SignedByte),
                4 => load(Width::Word),
                5 => load(Width::Half),
                6 => load(Width::Byte),
                _ => load(Width::SignedHalf),
            }
        }
        0b01100..=0b10001 => {
            let (width, scale) = match bits(word, 12, 4) {
                0b0110 => (Width::Word, 4),
                0b0111 => (Width::Byte, 1),
                _ => (Width::Half, 2),
            };
            let (rt, rn) = (low_reg(word, 0), low_reg(word, 3));
            access(
                bit(word, 11),
                width,
                rt,
                rn,
                (bits(word, 6, 5) * scale) as i32,
                Index::Offset,
            )
        }
        0b10010 | 0b10011 => access(
            bit(word, 11),
            Width::Word,
            low_reg(word, 8),
            SP,
            (bits(word, 0, 8) * 4) as i32,
            Index::Offset,
        ),
        0b10100 => immediate(
            Alu::Mov,
            low_reg(word, 8),
            0,
            (pc & !3).wrapping_add(bits(word, 0, 8) * 4),
            false,
        ),
        0b10101 => immediate(Alu::Add, low_reg(word, 8), SP, bits(word, 0, 8) * 4, false),
        0b10110 | 0b10111 => return narrow_miscellaneous(word, address),
        0b11000 => Op::StoreMultiple {
            rn: low_reg(word, 8),
            registers: bits(word, 0, 8) as u16,
            below: false,
            write_back: true,
        },
        0b11001 => {
            let rn = low_reg(word, 8);
            Op::LoadMultiple {
                rn,
                registers: bits(word, 0, 8) as u16,
                below: false,
                write_back: !bit(word, u32::from(rn)),
            }
        }
        0b11010 | 0b11011 => match Condition::from_code(bits(word, 8, 4)) {
            // UDF and SVC.
            None | Some(Condition::Always) => return None,
            Some(condition) => Op::BranchIf {
                condition,
                target: pc.wrapping_add_signed(signed(bits(word, 0, 8) << 1, 8)),
            },
        },
        0b11100 => Op::Branch {
            target: pc.wrapping_add_signed(signed(bits(word, 0, 11) << 1, 11)),
        },
        _ => return None,
    })
}

/// Data processing on low registers.
fn narrow_data(word: u32, flags: bool) -> Op {
    let (rd, rm) = (low_reg(word, 0), low_reg(word, 3));
    let register = |alu, flags| Op::AluRegister {
        alu,
        flags,
        rd,
        rn: rd,
        rm,
        shift: Shift::Lsl,
        amount: 0,
    };
    let shift = |shift| Op::ShiftRegister {
        shift,
        flags,
        rd,
        rn: rd,
        rm,
    };
    match bits(word, 6, 4) {
        0 => register(Alu::And, flags),
        1 => register(Alu::Eor, flags),
        2 => shift(Shift::Lsl),
        3 => shift(Shift::Lsr),
        4 => shift(Shift::Asr),
        5 => register(Alu::Adc, flags),
        6 => register(Alu::Sbc, flags),
        7 => shift(Shift::Ror),
        8 => register(Alu::Tst, true),
        9 => Op::AluImmediate {
            alu: Alu::Rsb,
            flags,
            rd,
            rn: rm,
            value: 0,
            carry: Carry::Keep,
        },
        10 => register(Alu::Cmp, true),
        11 => register(Alu::Cmn, true),
        12 => register(Alu::Orr, flags),
        13 => Op::Multiply {
            flags,
            rd,
            rn: rm,
            rm: rd,
        },
        14 => register(Alu::Bic, flags),
        _ => register(Alu::Mvn, flags),
    }
}

/// Moves, additions and comparisons of any registers, and branches to registers.
fn narrow_special(word: u32, address: u32) -> Option<Op> {
    let rm = reg(word, 3);
    let rd = low_reg(word, 0) | (bits(word, 7, 1) as Reg) << 3;
    let pc = address.wrapping_add(4);
    let register = |alu, flags| Op::AluRegister {
        alu,
        flags,
        rd,
        rn: rd,
        rm,
        shift: Shift::Lsl,
        amount: 0,
    };
    Some(match bits(word, 8, 2) {
        0 if rd == PC => Op::BranchSum {
            rm: known(rm)?,
            base: pc,
        },
        0 if rm == PC => Op::AluImmediate {
            alu: Alu::Add,
            flags: false,
            rd,
            rn: rd,
            value: pc,
            carry: Carry::Keep,
        },
        0 => register(Alu::Add, false),
        1 if rd == PC || rm == PC => return None,
        1 => register(Alu::Cmp, true),
        2 if rd == PC => Op::BranchSum {
            rm: known(rm)?,
            base: 0,
        },
        2 if rm == PC => Op::AluImmediate {
            alu: Alu::Mov,
            flags: false,
            rd,
            rn: 0,
            value: pc,
            carry: Carry::Keep,
        },
        2 => register(Alu::Mov, false),
        _ if bit(word, 7) => Op::CallRegister {
            rm: known(rm)?,
            link: address.wrapping_add(2) | 1,
        },
        _ => Op::BranchRegister { rm: known(rm)? },
    })
}

fn narrow_miscellaneous(word: u32, address: u32) -> Option<Op> {
    let (rd, rm) = (low_reg(word, 0), low_reg(word, 3));
    let unary = |unary| Op::Unary {
        unary,
        rd,
        rm,
        rotate: 0,
    };
    Some(match bits(word, 8, 4) {
        0b0000 => Op::AluImmediate {
            alu: if bit(word, 7) { Alu::Sub } else { Alu::Add },
            flags: false,
            rd: SP,
            rn: SP,
            value: bits(word, 0, 7) * 4,
            carry: Carry::Keep,
        },
        0b0001 | 0b0011 | 0b1001 | 0b1011 => Op::CompareBranch {
            nonzero: bit(word, 11),
            rn: rd,
            target: address
                .wrapping_add(4)
                .wrapping_add(bits(word, 9, 1) << 6 | bits(word, 3, 5) << 1),
        },
        0b0010 => match bits(word, 6, 2) {
            0 => unary(Unary::SignedHalf),
            1 => unary(Unary::SignedByte),
            2 => unary(Unary::UnsignedHalf),
            _ => unary(Unary::UnsignedByte),
        },
        0b0100 | 0b0101 => Op::StoreMultiple {
            rn: SP,
            registers: (bits(word, 0, 8) | bits(word, 8, 1) << 14) as u16,
            below: true,
            write_back: true,
        },
        0b1100 | 0b1101 => Op::LoadMultiple {
            rn: SP,
            registers: (bits(word, 0, 8) | bits(word, 8, 1) << 15) as u16,
            below: false,
            write_back: true,
        },
        // CPSIE i and CPSID i.
        0b0110 if word & 0xEF == 0x62 => Op::InterruptMask {
            masked: bit(word, 4),
        },
        0b1010 => match bits(word, 6, 2) {
            0 => unary(Unary::Reverse),
            1 => unary(Unary::ReverseHalves),
            3 => unary(Unary::ReverseSignedHalf),
            _ => return None,
        },
        0b1110 => Op::Breakpoint { number: word as u8 },
        // IT and the hints NOP, YIELD and SEV; WFE and WFI would wait for something that never comes.
        0b1111 if bits(word, 0, 4) != 0 => Op::Nothing,
        0b1111 if matches!(bits(word, 4, 4), 0 | 1 | 4) => Op::Nothing,
        _ => return None,
    })
}
