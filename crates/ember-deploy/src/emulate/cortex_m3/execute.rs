//! What each instruction does.
//!
//! Semantics are those of the Armv7-M Architecture Reference Manual (DDI 0403E), A7.7, and for exceptions B1.5.

use super::memory::BadAccess;
use super::op::{Alu, Carry, Condition, Index, Long, Op, Shift, Unary, Width};
use super::{Core, Stop};

const SP: u8 = 13;
const LR: u8 = 14;
const PC: u8 = 15;

const XPSR_THUMB: u32 = 1 << 24;
const XPSR_ALIGNED: u32 = 1 << 9;
/// Return to the thread, on the main stack, without floating-point registers.
const EXCEPTION_RETURN: u32 = 0xFFFF_FFF9;
const SYSTICK: u32 = 15;

impl From<BadAccess> for Stop {
    fn from(bad: BadAccess) -> Self {
        Self::Access(bad)
    }
}

impl Core {
    #[inline(always)]
    pub(super) fn get(&self, register: u8) -> u32 {
        self.registers[usize::from(register & 15)]
    }

    #[inline(always)]
    pub(super) fn set(&mut self, register: u8, value: u32) {
        self.registers[usize::from(register & 15)] = value;
    }

    #[inline(always)]
    fn set_sign_and_zero(&mut self, result: u32) {
        self.sign = result;
        self.zero = result;
    }

    const fn is_negative(&self) -> bool {
        self.sign >> 31 == 1
    }

    const fn is_zero(&self) -> bool {
        self.zero == 0
    }

    #[inline(always)]
    pub(super) const fn passes(&self, condition: Condition) -> bool {
        match condition {
            Condition::Eq => self.is_zero(),
            Condition::Ne => !self.is_zero(),
            Condition::Cs => self.carry,
            Condition::Cc => !self.carry,
            Condition::Mi => self.is_negative(),
            Condition::Pl => !self.is_negative(),
            Condition::Vs => self.overflow,
            Condition::Vc => !self.overflow,
            Condition::Hi => self.carry && !self.is_zero(),
            Condition::Ls => !self.carry || self.is_zero(),
            Condition::Ge => self.is_negative() == self.overflow,
            Condition::Lt => self.is_negative() != self.overflow,
            Condition::Gt => !self.is_zero() && self.is_negative() == self.overflow,
            Condition::Le => self.is_zero() || self.is_negative() != self.overflow,
            Condition::Always => true,
        }
    }

    /// The four flags and, in a handler, the exception's number.
    pub(super) fn xpsr(&self) -> u32 {
        u32::from(self.is_negative()) << 31
            | u32::from(self.is_zero()) << 30
            | u32::from(self.carry) << 29
            | u32::from(self.overflow) << 28
            | if self.in_handler { SYSTICK } else { 0 }
    }

    pub(super) fn set_flags(&mut self, xpsr: u32) {
        self.sign = xpsr;
        self.zero = u32::from(xpsr >> 30 & 1 == 0);
        self.carry = xpsr >> 29 & 1 == 1;
        self.overflow = xpsr >> 28 & 1 == 1;
    }

    /// Executes one instruction, and says where the program goes on: at `next`, which is behind it, or elsewhere.
    #[inline(always)]
    pub(super) fn execute(&mut self, op: Op, next: u32) -> Result<u32, Stop> {
        match op {
            Op::Unknown => return Err(Stop::Unknown),
            Op::AluImmediate {
                alu,
                flags,
                rd,
                rn,
                value,
                carry,
            } => {
                let carry = match carry {
                    Carry::Keep => self.carry,
                    Carry::Clear => false,
                    Carry::Set => true,
                };
                self.alu(alu, flags, rd, self.get(rn), value, carry);
            }
            Op::AluRegister {
                alu,
                flags,
                rd,
                rn,
                rm,
                shift,
                amount,
            } => {
                let (value, carry) = self.shift(shift, self.get(rm), u32::from(amount));
                self.alu(alu, flags, rd, self.get(rn), value, carry);
            }
            Op::AddImmediate { rd, rn, value } => {
                self.set(rd, self.get(rn).wrapping_add(value));
            }
            Op::AddImmediateFlags { rd, rn, value } => {
                self.add(Alu::Add, true, rd, self.get(rn), value, false);
            }
            Op::SubtractImmediateFlags { rd, rn, value } => {
                self.add(Alu::Sub, true, rd, self.get(rn), !value, true);
            }
            Op::CompareImmediate { rn, value } => {
                self.add(Alu::Cmp, true, 0, self.get(rn), !value, true);
            }
            Op::MoveImmediate { rd, value } => self.set(rd, value),
            Op::AddRegister { rd, rn, rm } => {
                self.set(rd, self.get(rn).wrapping_add(self.get(rm)));
            }
            Op::CompareRegister { rn, rm } => {
                self.add(Alu::Cmp, true, 0, self.get(rn), !self.get(rm), true);
            }
            Op::MoveRegister { rd, rm } => self.set(rd, self.get(rm)),
            Op::LoadWord { rt, rn, offset } => {
                let address = self.get(rn).wrapping_add_signed(offset);
                let value = self.load(Width::Word, address)?;
                self.set(rt, value);
            }
            Op::StoreWord { rt, rn, offset } => {
                let address = self.get(rn).wrapping_add_signed(offset);
                self.store(Width::Word, address, self.get(rt))?;
            }
            Op::LoadSignedByteRegister { rt, rn, rm } => {
                let address = self.get(rn).wrapping_add(self.get(rm));
                let value = self.load(Width::SignedByte, address)?;
                self.set(rt, value);
            }
            Op::LoadSignedByteAfter { rt, rn, offset } => {
                let address = self.get(rn);
                let value = self.load(Width::SignedByte, address)?;
                self.set(rn, address.wrapping_add_signed(offset));
                self.set(rt, value);
            }
            Op::ShiftRegister {
                shift,
                flags,
                rd,
                rn,
                rm,
            } => {
                let amount = self.get(rm) & 0xFF;
                let (value, carry) = self.shift(shift, self.get(rn), amount);
                self.alu(Alu::Mov, flags, rd, 0, value, carry);
            }
            Op::MoveTop { rd, value } => {
                self.set(rd, self.get(rd) & 0xFFFF | u32::from(value) << 16);
            }
            Op::Unary {
                unary,
                rd,
                rm,
                rotate,
            } => {
                let value = self.get(rm).rotate_right(u32::from(rotate));
                self.set(rd, apply_unary(unary, value));
            }
            Op::BitfieldExtract {
                signed,
                rd,
                rn,
                low,
                width,
            } => {
                let above = 32 - u32::from(low) - u32::from(width);
                let top = self.get(rn) << above;
                let down = 32 - u32::from(width);
                self.set(
                    rd,
                    if signed {
                        (top as i32 >> down) as u32
                    } else {
                        top >> down
                    },
                );
            }
            Op::BitfieldInsert { rd, rn, low, width } => {
                let mask = (u32::MAX >> (32 - u32::from(width))) << low;
                let field = rn.map_or(0, |rn| self.get(rn)) << low;
                self.set(rd, self.get(rd) & !mask | field & mask);
            }
            Op::Saturate {
                signed,
                rd,
                rn,
                bits,
                arithmetic_right,
                amount,
            } => {
                let value = self.get(rn) as i32;
                let value = if arithmetic_right {
                    value >> amount
                } else {
                    value << amount
                };
                let (low, high) = if signed {
                    (-1_i64 << (bits - 1), (1_i64 << (bits - 1)) - 1)
                } else {
                    (0, (1_i64 << bits) - 1)
                };
                let saturated = i64::from(value).clamp(low, high);
                self.saturated |= saturated != i64::from(value);
                self.set(rd, saturated as u32);
            }
            Op::Multiply { flags, rd, rn, rm } => {
                let result = self.get(rn).wrapping_mul(self.get(rm));
                self.set(rd, result);
                if flags {
                    self.set_sign_and_zero(result);
                }
            }
            Op::MultiplyAccumulate {
                subtract,
                rd,
                rn,
                rm,
                ra,
            } => {
                let product = self.get(rn).wrapping_mul(self.get(rm));
                let sum = self.get(ra);
                self.set(
                    rd,
                    if subtract {
                        sum.wrapping_sub(product)
                    } else {
                        sum.wrapping_add(product)
                    },
                );
            }
            Op::LongMultiply {
                long,
                low,
                high,
                rn,
                rm,
            } => self.long_multiply(long, low, high, rn, rm),
            Op::Divide { signed, rd, rn, rm } => {
                let (dividend, divisor) = (self.get(rn), self.get(rm));
                // Division by zero gives zero unless a program asks for a fault.
                let quotient = match (divisor, signed) {
                    (0, _) => 0,
                    (_, true) => (dividend as i32).wrapping_div(divisor as i32) as u32,
                    (_, false) => dividend / divisor,
                };
                self.set(rd, quotient);
            }
            Op::Load {
                width,
                rt,
                rn,
                offset,
                index,
            } => {
                let base = self.get(rn);
                let moved = base.wrapping_add_signed(offset);
                let address = if matches!(index, Index::After) {
                    base
                } else {
                    moved
                };
                let value = self.load(width, address)?;
                if !matches!(index, Index::Offset) {
                    self.set(rn, moved);
                }
                return self.set_loaded(rt, value, next);
            }
            Op::LoadRegister {
                width,
                rt,
                rn,
                rm,
                shift,
            } => {
                let address = self.get(rn).wrapping_add(self.get(rm) << shift);
                let value = self.load(width, address)?;
                return self.set_loaded(rt, value, next);
            }
            Op::LoadAbsolute { width, rt, address } => {
                let value = self.load(width, address)?;
                return self.set_loaded(rt, value, next);
            }
            Op::Store {
                width,
                rt,
                rn,
                offset,
                index,
            } => {
                let base = self.get(rn);
                let moved = base.wrapping_add_signed(offset);
                let address = if matches!(index, Index::After) {
                    base
                } else {
                    moved
                };
                self.store(width, address, self.get(rt))?;
                if !matches!(index, Index::Offset) {
                    self.set(rn, moved);
                }
            }
            Op::StoreRegister {
                width,
                rt,
                rn,
                rm,
                shift,
            } => {
                let address = self.get(rn).wrapping_add(self.get(rm) << shift);
                self.store(width, address, self.get(rt))?;
            }
            Op::LoadMultiple {
                rn,
                registers,
                below,
                write_back,
            } => return self.load_multiple(rn, registers, below, write_back, next),
            Op::StoreMultiple {
                rn,
                registers,
                below,
                write_back,
            } => self.store_multiple(rn, registers, below, write_back)?,
            Op::LoadDual {
                first,
                second,
                rn,
                offset,
                index,
            } => {
                let base = self.get(rn);
                let moved = base.wrapping_add_signed(i32::from(offset));
                let address = aligned(if matches!(index, Index::After) {
                    base
                } else {
                    moved
                })?;
                let value = self.load(Width::Word, address)?;
                let other = self.load(Width::Word, address.wrapping_add(4))?;
                if !matches!(index, Index::Offset) {
                    self.set(rn, moved);
                }
                self.set(first, value);
                self.set(second, other);
            }
            Op::LoadDualAbsolute {
                first,
                second,
                address,
            } => {
                let value = self.load(Width::Word, address)?;
                let other = self.load(Width::Word, address.wrapping_add(4))?;
                self.set(first, value);
                self.set(second, other);
            }
            Op::StoreDual {
                first,
                second,
                rn,
                offset,
                index,
            } => {
                let base = self.get(rn);
                let moved = base.wrapping_add_signed(i32::from(offset));
                let address = aligned(if matches!(index, Index::After) {
                    base
                } else {
                    moved
                })?;
                self.store(Width::Word, address, self.get(first))?;
                self.store(Width::Word, address.wrapping_add(4), self.get(second))?;
                if !matches!(index, Index::Offset) {
                    self.set(rn, moved);
                }
            }
            Op::LoadExclusive {
                width,
                rt,
                rn,
                offset,
            } => {
                let address = self.get(rn).wrapping_add(u32::from(offset));
                aligned_for(width, address)?;
                let value = self.load(width, address)?;
                self.exclusive = true;
                self.set(rt, value);
            }
            Op::StoreExclusive {
                width,
                rd,
                rt,
                rn,
                offset,
            } => {
                let address = self.get(rn).wrapping_add(u32::from(offset));
                aligned_for(width, address)?;
                let granted = std::mem::take(&mut self.exclusive);
                if granted {
                    self.store(width, address, self.get(rt))?;
                }
                self.set(rd, u32::from(!granted));
            }
            Op::ClearExclusive => self.exclusive = false,
            Op::TableBranch { half, rn, rm, from } => {
                let base = rn.map_or(from, |rn| self.get(rn));
                let index = self.get(rm);
                let entry = if half {
                    u32::from(self.memory.read_u16(base.wrapping_add(index << 1))?)
                } else {
                    u32::from(self.memory.read_u8(base.wrapping_add(index))?)
                };
                return Ok(from.wrapping_add(entry * 2));
            }
            Op::Branch { target } => return Ok(target),
            Op::BranchIf { condition, target } => {
                if self.passes(condition) {
                    return Ok(target);
                }
            }
            Op::CompareBranch {
                nonzero,
                rn,
                target,
            } => {
                if (self.get(rn) != 0) == nonzero {
                    return Ok(target);
                }
            }
            Op::Call { target, link } => {
                self.set(LR, link);
                return Ok(target);
            }
            Op::BranchRegister { rm } => return self.branch_to(self.get(rm)),
            Op::BranchSum { rm, base } => {
                let target = base.wrapping_add(self.get(rm));
                return Ok(target & !1);
            }
            Op::CallRegister { rm, link } => {
                let target = self.get(rm);
                self.set(LR, link);
                return self.branch_to(target);
            }
            Op::Nothing => {}
            Op::InterruptMask { masked } => {
                self.masked = masked;
                self.look_at_interrupts();
            }
            Op::ReadSpecial { rd, register } => {
                let value = self.special(register).ok_or(Stop::Unknown)?;
                self.set(rd, value);
            }
            Op::WriteSpecial { register, rn } => {
                self.set_special(register, self.get(rn))?;
            }
            Op::Breakpoint { number } => return Err(Stop::Breakpoint(number)),
        }
        Ok(next)
    }

    #[inline(always)]
    fn alu(&mut self, alu: Alu, flags: bool, rd: u8, first: u32, second: u32, carry: bool) {
        let logical = match alu {
            Alu::And | Alu::Tst => first & second,
            Alu::Bic => first & !second,
            Alu::Orr => first | second,
            Alu::Orn => first | !second,
            Alu::Eor | Alu::Teq => first ^ second,
            Alu::Mov => second,
            Alu::Mvn => !second,
            Alu::Add | Alu::Cmn => return self.add(alu, flags, rd, first, second, false),
            Alu::Adc => return self.add(alu, flags, rd, first, second, self.carry),
            Alu::Sbc => return self.add(alu, flags, rd, first, !second, self.carry),
            Alu::Sub | Alu::Cmp => return self.add(alu, flags, rd, first, !second, true),
            Alu::Rsb => return self.add(alu, flags, rd, second, !first, true),
        };
        if flags {
            self.set_sign_and_zero(logical);
            self.carry = carry;
        }
        if !matches!(alu, Alu::Tst | Alu::Teq) {
            self.set(rd, logical);
        }
    }

    #[inline(always)]
    fn add(&mut self, alu: Alu, flags: bool, rd: u8, first: u32, second: u32, carry: bool) {
        let (sum, over) = first.overflowing_add(second);
        let (sum, over_again) = sum.overflowing_add(u32::from(carry));
        if flags {
            self.set_sign_and_zero(sum);
            self.carry = over || over_again;
            self.overflow = (!(first ^ second) & (first ^ sum)) >> 31 == 1;
        }
        if !matches!(alu, Alu::Cmp | Alu::Cmn) {
            self.set(rd, sum);
        }
    }

    /// `value` shifted, and the carry after it.
    #[inline(always)]
    fn shift(&self, shift: Shift, value: u32, amount: u32) -> (u32, bool) {
        if amount == 0 {
            return (value, self.carry);
        }
        match shift {
            Shift::Lsl if amount < 32 => (value << amount, value >> (32 - amount) & 1 == 1),
            Shift::Lsl => (0, amount == 32 && value & 1 == 1),
            Shift::Lsr if amount < 32 => (value >> amount, value >> (amount - 1) & 1 == 1),
            Shift::Lsr => (0, amount == 32 && value >> 31 == 1),
            Shift::Asr if amount < 32 => (
                (value as i32 >> amount) as u32,
                value >> (amount - 1) & 1 == 1,
            ),
            Shift::Asr => ((value as i32 >> 31) as u32, value >> 31 == 1),
            Shift::Ror => {
                let rotated = value.rotate_right(amount & 31);
                (rotated, rotated >> 31 == 1)
            }
            Shift::Rrx => (value >> 1 | u32::from(self.carry) << 31, value & 1 == 1),
        }
    }

    fn long_multiply(&mut self, long: Long, low: u8, high: u8, rn: u8, rm: u8) {
        let (first, second) = (self.get(rn), self.get(rm));
        let signed = i64::from(first as i32).wrapping_mul(i64::from(second as i32)) as u64;
        let unsigned = u64::from(first) * u64::from(second);
        let accumulator = u64::from(self.get(high)) << 32 | u64::from(self.get(low));
        let result = match long {
            Long::SignedMultiply => signed,
            Long::UnsignedMultiply => unsigned,
            Long::SignedAccumulate => accumulator.wrapping_add(signed),
            Long::UnsignedAccumulate => accumulator.wrapping_add(unsigned),
        };
        self.set(low, result as u32);
        self.set(high, (result >> 32) as u32);
    }

    #[inline(always)]
    fn load(&mut self, width: Width, address: u32) -> Result<u32, Stop> {
        Ok(match width {
            Width::Word => self.memory.read_u32(address, self.count)?,
            Width::Half => u32::from(self.memory.read_u16(address)?),
            Width::Byte => u32::from(self.memory.read_u8(address)?),
            Width::SignedHalf => self.memory.read_u16(address)? as i16 as u32,
            Width::SignedByte => self.memory.read_u8(address)? as i8 as u32,
        })
    }

    #[inline(always)]
    fn store(&mut self, width: Width, address: u32, value: u32) -> Result<(), Stop> {
        match width {
            Width::Word => {
                if let Err(bad) = self.memory.write(address, value.to_le_bytes()) {
                    return self.store_control(bad, value);
                }
            }
            Width::Half | Width::SignedHalf => {
                self.memory.write(address, (value as u16).to_le_bytes())?;
            }
            Width::Byte | Width::SignedByte => self.memory.write(address, [value as u8])?,
        }
        Ok(())
    }

    /// A store that is not to RAM: to SysTick, or to nowhere.
    #[cold]
    fn store_control(&mut self, bad: BadAccess, value: u32) -> Result<(), Stop> {
        self.memory
            .write_control(bad.address, value, self.count)
            .ok_or(bad)?;
        self.look_at_interrupts();
        Ok(())
    }

    /// A loaded word goes to a register; to the program counter, it is a branch.
    #[inline(always)]
    fn set_loaded(&mut self, rt: u8, value: u32, next: u32) -> Result<u32, Stop> {
        if rt == PC {
            return self.branch_to(value);
        }
        self.set(rt, value);
        Ok(next)
    }

    fn load_multiple(
        &mut self,
        rn: u8,
        registers: u16,
        below: bool,
        write_back: bool,
        next: u32,
    ) -> Result<u32, Stop> {
        let base = self.get(rn);
        let size = registers.count_ones() * 4;
        let start = if below { base.wrapping_sub(size) } else { base };
        let mut address = aligned(start)?;
        if write_back {
            self.set(
                rn,
                if below {
                    start
                } else {
                    base.wrapping_add(size)
                },
            );
        }
        for register in 0..15 {
            if registers >> register & 1 == 1 {
                let value = self.memory.read_u32(address, self.count)?;
                self.set(register, value);
                address = address.wrapping_add(4);
            }
        }
        if registers >> PC & 1 == 1 {
            let target = self.memory.read_u32(address, self.count)?;
            return self.branch_to(target);
        }
        Ok(next)
    }

    fn store_multiple(
        &mut self,
        rn: u8,
        registers: u16,
        below: bool,
        write_back: bool,
    ) -> Result<(), Stop> {
        let base = self.get(rn);
        let size = registers.count_ones() * 4;
        let start = if below { base.wrapping_sub(size) } else { base };
        let mut address = aligned(start)?;
        for register in 0..15 {
            if registers >> register & 1 == 1 {
                self.memory
                    .write(address, self.get(register).to_le_bytes())?;
                address = address.wrapping_add(4);
            }
        }
        if write_back {
            self.set(
                rn,
                if below {
                    start
                } else {
                    base.wrapping_add(size)
                },
            );
        }
        Ok(())
    }

    /// Branches to an address from a register or memory: its lowest bit says Thumb, and in a handler some addresses are
    /// the return from the exception.
    fn branch_to(&mut self, target: u32) -> Result<u32, Stop> {
        if self.in_handler && target == EXCEPTION_RETURN {
            return self.return_from_exception();
        }
        if target & 1 == 0 {
            return Err(Stop::NotThumb(target));
        }
        Ok(target & !1)
    }

    /// Enters the SysTick handler.
    pub(super) fn take_systick(&mut self) -> Result<(), Stop> {
        let sp = self.get(SP);
        // The frame is aligned to 8 bytes; the stacked status remembers whether that took 4.
        let frame = sp.wrapping_sub(32) & !7;
        let unaligned = sp & 4 != 0;
        let xpsr = self.xpsr() | XPSR_THUMB | if unaligned { XPSR_ALIGNED } else { 0 };
        let words = [
            self.get(0),
            self.get(1),
            self.get(2),
            self.get(3),
            self.get(12),
            self.get(LR),
            self.get(PC),
            xpsr,
        ];
        for (index, word) in (0..).zip(words) {
            self.memory
                .write(frame.wrapping_add(index * 4), word.to_le_bytes())?;
        }
        let vector = self.memory.flash_origin().wrapping_add(SYSTICK * 4);
        let handler = self.memory.read_u32(vector, self.count)?;
        self.memory.systick.taken();
        self.exclusive = false;
        self.in_handler = true;
        self.set(SP, frame);
        self.set(LR, EXCEPTION_RETURN);
        if handler & 1 == 0 {
            return Err(Stop::NotThumb(handler));
        }
        self.set(PC, handler & !1);
        Ok(())
    }

    fn return_from_exception(&mut self) -> Result<u32, Stop> {
        let frame = self.get(SP);
        let mut words = [0; 8];
        for (index, word) in (0..).zip(&mut words) {
            *word = self
                .memory
                .read_u32(frame.wrapping_add(index * 4), self.count)?;
        }
        let [r0, r1, r2, r3, r12, lr, pc, xpsr] = words;
        for (register, value) in [(0, r0), (1, r1), (2, r2), (3, r3), (12, r12), (LR, lr)] {
            self.set(register, value);
        }
        let padding = if xpsr & XPSR_ALIGNED != 0 { 4 } else { 0 };
        self.set(SP, frame.wrapping_add(32 + padding));
        self.set_flags(xpsr);
        self.exclusive = false;
        self.in_handler = false;
        self.look_at_interrupts();
        Ok(pc & !1)
    }

    /// A special register by its number in MRS.
    fn special(&self, register: u8) -> Option<u32> {
        let saturated = u32::from(self.saturated) << 27;
        Some(match register {
            // APSR with or without IPSR; EPSR reads as zero.
            0 | 2 => self.xpsr() & 0xF000_0000 | saturated,
            1 | 3 => self.xpsr() | saturated,
            5 | 7 => self.xpsr() & 0xFF,
            6 => 0,
            8 => self.get(SP),
            16 => u32::from(self.masked),
            // CONTROL: privileged, main stack.
            20 => 0,
            _ => return None,
        })
    }

    fn set_special(&mut self, register: u8, value: u32) -> Result<(), Stop> {
        match register {
            0..=3 => {
                self.set_flags(value);
                self.saturated = value >> 27 & 1 == 1;
            }
            8 => self.set(SP, value & !3),
            16 => {
                self.masked = value & 1 == 1;
                self.look_at_interrupts();
            }
            20 if value == 0 => {}
            _ => return Err(Stop::Unknown),
        }
        Ok(())
    }
}

/// Exclusive accesses must be aligned to their size.
fn aligned_for(width: Width, address: u32) -> Result<(), Stop> {
    let bytes = match width {
        Width::Word => 4,
        Width::Half | Width::SignedHalf => 2,
        Width::Byte | Width::SignedByte => 1,
    };
    if address.is_multiple_of(bytes) {
        Ok(())
    } else {
        Err(Stop::Unaligned(address))
    }
}

/// Accesses to more than one word must be aligned.
fn aligned(address: u32) -> Result<u32, Stop> {
    if address.is_multiple_of(4) {
        Ok(address)
    } else {
        Err(Stop::Unaligned(address))
    }
}

fn apply_unary(unary: Unary, value: u32) -> u32 {
    match unary {
        Unary::SignedHalf => value as i16 as u32,
        Unary::SignedByte => value as i8 as u32,
        Unary::UnsignedHalf => value & 0xFFFF,
        Unary::UnsignedByte => value & 0xFF,
        Unary::Reverse => value.swap_bytes(),
        Unary::ReverseHalves => value.swap_bytes().rotate_right(16),
        Unary::ReverseSignedHalf => (value as u16).swap_bytes() as i16 as u32,
        Unary::ReverseBits => value.reverse_bits(),
        Unary::LeadingZeros => value.leading_zeros(),
    }
}
