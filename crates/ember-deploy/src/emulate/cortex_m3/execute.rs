//! What each instruction does.
//!
//! Semantics are those of the Armv7-M Architecture Reference Manual (DDI 0403E), A7.7.

use super::access::aligned;
use super::arithmetic::apply_unary;
use super::exception::EXCEPTION_RETURN;
use super::op::{Alu, Carry, Op, Width};
use super::{Core, Stop};

const LR: u8 = 14;

impl Core {
    #[inline(always)]
    pub(super) fn get(&self, register: u8) -> u32 {
        self.registers[usize::from(register & 15)]
    }

    #[inline(always)]
    pub(super) fn set(&mut self, register: u8, value: u32) {
        self.registers[usize::from(register & 15)] = value;
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
                let (address, moved) = self.indexed(rn, offset, index);
                let value = self.load(width, address)?;
                self.write_back(rn, moved, index);
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
                let (address, moved) = self.indexed(rn, offset, index);
                self.store(width, address, self.get(rt))?;
                self.write_back(rn, moved, index);
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
                let (address, moved) = self.indexed(rn, i32::from(offset), index);
                let values = self.load_two(address)?;
                self.write_back(rn, moved, index);
                self.set(first, values[0]);
                self.set(second, values[1]);
            }
            Op::LoadDualAbsolute {
                first,
                second,
                address,
            } => {
                let values = self.load_two(address)?;
                self.set(first, values[0]);
                self.set(second, values[1]);
            }
            Op::StoreDual {
                first,
                second,
                rn,
                offset,
                index,
            } => {
                let (address, moved) = self.indexed(rn, i32::from(offset), index);
                self.store_two(address, [self.get(first), self.get(second)])?;
                self.write_back(rn, moved, index);
            }
            Op::LoadExclusive {
                width,
                rt,
                rn,
                offset,
            } => {
                let address = self.get(rn).wrapping_add(u32::from(offset));
                let value = self.load(width, aligned(width, address)?)?;
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
                let address = aligned(width, address)?;
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

    /// Branches to an address from a register or memory: its lowest bit says Thumb, and in a handler some addresses are
    /// the return from the exception.
    pub(super) fn branch_to(&mut self, target: u32) -> Result<u32, Stop> {
        if self.in_handler && target == EXCEPTION_RETURN {
            return self.return_from_exception();
        }
        if target & 1 == 0 {
            return Err(Stop::NotThumb(target));
        }
        Ok(target & !1)
    }
}
