//! Arithmetic, logic, shifts, and the flags that they set (A2.2.1 of the manual).

use super::Core;
use super::op::{Alu, Condition, Long, Shift, Unary};

impl Core {
    #[inline(always)]
    pub(super) fn set_sign_and_zero(&mut self, result: u32) {
        self.sign = result;
        self.zero = result;
    }

    pub(super) const fn is_negative(&self) -> bool {
        self.sign >> 31 == 1
    }

    pub(super) const fn is_zero(&self) -> bool {
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

    #[inline(always)]
    pub(super) fn alu(
        &mut self,
        alu: Alu,
        flags: bool,
        rd: u8,
        first: u32,
        second: u32,
        carry: bool,
    ) {
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
    pub(super) fn add(
        &mut self,
        alu: Alu,
        flags: bool,
        rd: u8,
        first: u32,
        second: u32,
        carry: bool,
    ) {
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
    pub(super) fn shift(&self, shift: Shift, value: u32, amount: u32) -> (u32, bool) {
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

    pub(super) fn long_multiply(&mut self, long: Long, low: u8, high: u8, rn: u8, rm: u8) {
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
}

pub(super) fn apply_unary(unary: Unary, value: u32) -> u32 {
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
