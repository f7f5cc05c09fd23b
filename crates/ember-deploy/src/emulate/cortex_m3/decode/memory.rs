//! The 32-bit loads and stores (A5.3.5 to A5.3.10).

use super::{PC, SP, access, bit, bits, general, known, reg};
use crate::emulate::cortex_m3::op::{Index, Op, Reg, Width};

pub(super) fn multiple(word: u32) -> Option<Op> {
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
pub(super) fn dual(word: u32, address: u32) -> Option<Op> {
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

pub(super) fn store(word: u32) -> Option<Op> {
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

pub(super) fn load(word: u32, address: u32) -> Option<Op> {
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
