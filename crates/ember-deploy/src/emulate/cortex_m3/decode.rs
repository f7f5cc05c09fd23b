//! From halfwords to [`Op`].
//!
//! The encodings are those of the Armv7-M Architecture Reference Manual (DDI 0403E), A5 and A7.7. What it calls
//! unpredictable, and what a Cortex-M3 does not have (DSP, floating point, coprocessors), is not decoded.

use super::op::{Alu, Carry, Condition, Index, Long, Op, Reg, Shift, Unary, Width};

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

/// Decodes the 16-bit instruction at `address`. In an IT block those that set flags elsewhere do not.
pub(super) fn narrow(halfword: u16, address: u32, in_it_block: bool) -> Option<Op> {
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
        (0b01, _) if bits(word, 25, 2) == 0b00 && !bit(word, 22) => wide_multiple(word),
        (0b01, _) if bits(word, 25, 2) == 0b00 => wide_dual(word, address),
        (0b01, _) if bits(word, 25, 2) == 0b01 => wide_data_register(word),
        (0b10, false) if !bit(word, 25) => wide_data_immediate(word),
        (0b10, false) => wide_plain_immediate(word, address),
        (0b10, true) => wide_control(word, address),
        (0b11, _) if bits(word, 24, 3) == 0b000 && !bit(word, 20) => wide_store(word),
        (0b11, _) if bits(word, 25, 2) == 0b00 && bit(word, 20) => wide_load(word, address),
        (0b11, _) if bits(word, 24, 3) == 0b010 => wide_register(word),
        (0b11, _) if bits(word, 23, 4) == 0b0110 => wide_multiply(word),
        (0b11, _) if bits(word, 23, 4) == 0b0111 => wide_long_multiply(word),
        _ => None,
    }
}

fn wide_multiple(word: u32) -> Option<Op> {
    let rn = known(reg(word, 16))?;
    let registers = word as u16;
    let write_back = bit(word, 21);
    let below = match bits(word, 23, 2) {
        0b01 => false,
        0b10 => true,
        _ => return None,
    };
    let load = bit(word, 20);
    let bad_list = registers.count_ones() < 2
        || bit(word, 13)
        || write_back && bit(word, u32::from(rn))
        || if load {
            bits(word, 14, 2) == 3
        } else {
            bit(word, 15)
        };
    if bad_list {
        return None;
    }
    Some(if load {
        Op::LoadMultiple {
            rn,
            registers,
            below,
            write_back,
        }
    } else {
        Op::StoreMultiple {
            rn,
            registers,
            below,
            write_back,
        }
    })
}

/// Pairs of registers, exclusive accesses, table branches.
fn wide_dual(word: u32, address: u32) -> Option<Op> {
    let (rn, rt, rd) = (reg(word, 16), reg(word, 12), reg(word, 8));
    let (before, up, write_back, load) =
        (bit(word, 24), bit(word, 23), bit(word, 21), bit(word, 20));
    if before || write_back {
        let (first, second) = (general(rt)?, general(rd)?);
        let size = (bits(word, 0, 8) * 4) as i16;
        let offset = if up { size } else { -size };
        let index = index_mode(before, write_back)?;
        if rn == PC {
            let literal = load && index == Index::Offset;
            return literal.then(|| Op::LoadDualAbsolute {
                first,
                second,
                address: (address.wrapping_add(4) & !3).wrapping_add_signed(i32::from(offset)),
            });
        }
        return Some(if load {
            Op::LoadDual {
                first,
                second,
                rn,
                offset,
                index,
            }
        } else {
            Op::StoreDual {
                first,
                second,
                rn,
                offset,
                index,
            }
        });
    }
    let width = match bits(word, 4, 4) {
        0b0100 => Width::Byte,
        0b0101 => Width::Half,
        _ => Width::Word,
    };
    match (up, load, bits(word, 4, 4)) {
        (false, false, _) => Some(Op::StoreExclusive {
            width: Width::Word,
            rd: general(rd)?,
            rt: general(rt)?,
            rn: known(rn)?,
            offset: (bits(word, 0, 8) * 4) as u16,
        }),
        (false, true, _) => Some(Op::LoadExclusive {
            width: Width::Word,
            rt: general(rt)?,
            rn: known(rn)?,
            offset: (bits(word, 0, 8) * 4) as u16,
        }),
        (true, false, 0b0100 | 0b0101) => Some(Op::StoreExclusive {
            width,
            rd: general(reg(word, 0))?,
            rt: general(rt)?,
            rn: known(rn)?,
            offset: 0,
        }),
        (true, true, 0b0100 | 0b0101) => Some(Op::LoadExclusive {
            width,
            rt: general(rt)?,
            rn: known(rn)?,
            offset: 0,
        }),
        (true, true, 0b0000 | 0b0001) => Some(Op::TableBranch {
            half: bit(word, 4),
            rn: known(rn),
            rm: general(reg(word, 0))?,
            from: address.wrapping_add(4),
        }),
        _ => None,
    }
}

const fn index_mode(before: bool, write_back: bool) -> Option<Index> {
    match (before, write_back) {
        (true, false) => Some(Index::Offset),
        (true, true) => Some(Index::Before),
        (false, true) => Some(Index::After),
        (false, false) => None,
    }
}

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

fn wide_data_register(word: u32) -> Option<Op> {
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

fn wide_data_immediate(word: u32) -> Option<Op> {
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

fn wide_plain_immediate(word: u32, address: u32) -> Option<Op> {
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

/// Branches and special registers.
fn wide_control(word: u32, address: u32) -> Option<Op> {
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

/// The addressing of a single load or store that is not relative to the program counter.
enum Addressing {
    Constant { offset: i32, index: Index },
    Register { rm: Reg, shift: u8 },
}

fn addressing(word: u32) -> Option<Addressing> {
    if bit(word, 23) {
        return Some(Addressing::Constant {
            offset: bits(word, 0, 12) as i32,
            index: Index::Offset,
        });
    }
    if bit(word, 11) {
        let size = bits(word, 0, 8) as i32;
        let (before, up, write_back) = (bit(word, 10), bit(word, 9), bit(word, 8));
        // This form without write-back is for negative offsets only; the other is unprivileged access.
        if before && !write_back && up {
            return None;
        }
        return Some(Addressing::Constant {
            offset: if up { size } else { -size },
            index: index_mode(before, write_back)?,
        });
    }
    (bits(word, 6, 5) == 0).then_some(())?;
    Some(Addressing::Register {
        rm: general(reg(word, 0))?,
        shift: bits(word, 4, 2) as u8,
    })
}

fn wide_store(word: u32) -> Option<Op> {
    let width = match bits(word, 21, 2) {
        0 => Width::Byte,
        1 => Width::Half,
        2 => Width::Word,
        _ => return None,
    };
    let (rn, rt) = (known(reg(word, 16))?, known(reg(word, 12))?);
    if rt == SP && width != Width::Word {
        return None;
    }
    Some(match addressing(word)? {
        Addressing::Constant { offset, index } => {
            if index != Index::Offset && rn == rt {
                return None;
            }
            access(false, width, rt, rn, offset, index)
        }
        Addressing::Register { rm, shift } => Op::StoreRegister {
            width,
            rt,
            rn,
            rm,
            shift,
        },
    })
}

fn wide_load(word: u32, address: u32) -> Option<Op> {
    let width = match (bits(word, 21, 2), bit(word, 24)) {
        (0, false) => Width::Byte,
        (0, true) => Width::SignedByte,
        (1, false) => Width::Half,
        (1, true) => Width::SignedHalf,
        (2, false) => Width::Word,
        _ => return None,
    };
    let (rn, rt) = (reg(word, 16), reg(word, 12));
    if rt == PC && width != Width::Word {
        // Preloads are hints where a byte would be loaded; the halfword form is reserved.
        return matches!(width, Width::Byte | Width::SignedByte).then_some(Op::Nothing);
    }
    if rt == SP && width != Width::Word {
        return None;
    }
    if rn == PC {
        let offset = bits(word, 0, 12) as i32;
        return Some(Op::LoadAbsolute {
            width,
            rt,
            address: (address.wrapping_add(4) & !3).wrapping_add_signed(if bit(word, 23) {
                offset
            } else {
                -offset
            }),
        });
    }
    Some(match addressing(word)? {
        Addressing::Constant { offset, index } => {
            if index != Index::Offset && rn == rt {
                return None;
            }
            access(true, width, rt, rn, offset, index)
        }
        Addressing::Register { rm, shift } => Op::LoadRegister {
            width,
            rt,
            rn,
            rm,
            shift,
        },
    })
}

/// Shifts by a register, extensions, and the operations on one register.
fn wide_register(word: u32) -> Option<Op> {
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

fn wide_multiply(word: u32) -> Option<Op> {
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

fn wide_long_multiply(word: u32) -> Option<Op> {
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
