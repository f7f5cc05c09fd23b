//! Numbers modulo p = 2^255 - 19.
//!
//! A number is 20 limbs of 13 bits, the lowest first: a column of 20 products then fits into 32 bits, so that no
//! multiplication needs more than what every core has, 32 bits by 32 bits to 32 bits. A Cortex-M0 has no other.
//!
//! **Invariant:** limb 0 is at most `MASK + 2 * FOLD`, the others at most `MASK`; so a column of 20 products is below
//! 20 · 9407² < 2^31. A number has several such forms; [`Field::to_bytes`] gives the one below p.

const LIMBS: usize = 20;
const COLUMNS: usize = 2 * LIMBS;
const BITS: u32 = 13;
const MASK: u32 = (1 << BITS) - 1;

/// 2^260 modulo p.
const FOLD: u32 = 19 << 5;

/// A number modulo p.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field([u16; LIMBS]);

impl Field {
    pub(super) const ZERO: Self = Self([0; LIMBS]);
    pub(super) const ONE: Self = Self::small(1);

    pub(super) const fn small(value: u16) -> Self {
        let mut limbs = [0; LIMBS];
        limbs[0] = value;
        Self(limbs)
    }

    /// The number below 2^255 in the low bits of 32 bytes, the lowest first.
    pub(super) const fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut limbs = [0; LIMBS];
        let mut waiting = 0_u32;
        let mut count = 0;
        let mut limb = 0;
        let mut index = 0;
        while index < bytes.len() {
            waiting |= (bytes[index] as u32) << count;
            count += 8;
            index += 1;
            if count >= BITS && limb < LIMBS {
                limbs[limb] = (waiting & MASK) as u16;
                waiting >>= BITS;
                count -= BITS;
                limb += 1;
            }
        }
        // 19 limbs hold 247 bits; the last 8 stay below the sign bit.
        limbs[LIMBS - 1] = (waiting & 0xFF) as u16;
        Self(limbs)
    }

    /// The form below p, the lowest byte first; its highest bit is 0.
    pub(super) fn to_bytes(self) -> [u8; 32] {
        // Below 2^260 + 608, so that what the bits from 255 on say is how often p is in it, or one less.
        let mut limbs = self.0.map(u32::from);
        for _ in 0..2 {
            let high = limbs[LIMBS - 1] >> 8;
            limbs[LIMBS - 1] &= 0xFF;
            limbs[0] += 19 * high;
            propagate(&mut limbs);
        }
        // Now below 2^255. Adding 19 reaches bit 255 exactly when p is in it once more.
        let mut more = limbs;
        more[0] += 19;
        propagate(&mut more);
        if more[LIMBS - 1] >> 8 != 0 {
            more[LIMBS - 1] &= 0xFF;
            limbs = more;
        }
        let mut bytes = [0; 32];
        let mut waiting = 0;
        let mut count = 0;
        let mut limbs = limbs.iter();
        for byte in &mut bytes {
            if count < 8 {
                waiting |= limbs.next().copied().unwrap_or(0) << count;
                count += BITS;
            }
            *byte = waiting as u8;
            waiting >>= 8;
            count -= 8;
        }
        bytes
    }

    #[inline(never)]
    pub(super) fn add(&self, other: &Self) -> Self {
        let mut sum = Self::ZERO;
        let mut carry = 0;
        for ((sum, left), right) in sum.0.iter_mut().zip(&self.0).zip(&other.0) {
            carry += u32::from(*left) + u32::from(*right);
            *sum = (carry & MASK) as u16;
            carry >>= BITS;
        }
        sum.folded(carry)
    }

    #[inline(never)]
    pub(super) fn sub(&self, other: &Self) -> Self {
        let mut difference = Self::ZERO;
        let mut carry = -(2 * (FOLD as i32 - 1));
        for ((difference, left), right) in difference.0.iter_mut().zip(&self.0).zip(&other.0) {
            // 64 p is twice the largest limb in every limb, less 2 * (FOLD - 1): no limb is below zero.
            carry += 2 * MASK as i32 + i32::from(*left) - i32::from(*right);
            *difference = (carry & MASK as i32) as u16;
            carry >>= BITS;
        }
        difference.folded(carry as u32)
    }

    #[inline(never)]
    pub(super) fn mul(&self, other: &Self) -> Self {
        let mut columns = [0; COLUMNS];
        let mut rest = columns.as_mut_slice();
        for left in self.0 {
            add_row(rest, u32::from(left), &other.0);
            rest = rest.split_first_mut().map_or(&mut [], |(_, rest)| rest);
        }
        Self::of_columns(columns)
    }

    /// Half of the products are there twice: 210 instead of 400.
    #[inline(never)]
    pub(super) fn square(&self) -> Self {
        let mut columns = [0; COLUMNS];
        let mut rest = columns.as_mut_slice();
        let mut limbs = self.0.as_slice();
        while let Some((limb, greater)) = limbs.split_first() {
            let limb = u32::from(*limb);
            if let Some((column, after)) = rest.split_first_mut() {
                *column += limb * limb;
                add_row(after, 2 * limb, greater);
            }
            rest = rest.get_mut(2..).unwrap_or(&mut []);
            limbs = greater;
        }
        Self::of_columns(columns)
    }

    /// The number whose product sums these are.
    fn of_columns(mut columns: [u32; COLUMNS]) -> Self {
        propagate(&mut columns);
        let mut number = Self::ZERO;
        let mut carry = 0;
        let (low, high) = columns.split_at(LIMBS);
        for ((limb, low), high) in number.0.iter_mut().zip(low).zip(high) {
            carry += low + FOLD * high;
            *limb = (carry & MASK) as u16;
            carry >>= BITS;
        }
        // At most FOLD + 1 is carried from the last limb to the first, which few limbs take up.
        carry *= FOLD;
        for limb in &mut number.0 {
            carry += u32::from(*limb);
            *limb = (carry & MASK) as u16;
            carry >>= BITS;
            if carry == 0 {
                break;
            }
        }
        number.folded(carry)
    }

    /// Adds what was carried out of the last limb, at most 2, to the first.
    fn folded(mut self, carry: u32) -> Self {
        self.0[0] += (FOLD * carry) as u16;
        self
    }

    /// Squares so often.
    fn squared(mut self, times: u32) -> Self {
        for _ in 0..times {
            self = self.square();
        }
        self
    }

    /// The number to the power of 2^252 - 3, which is (p - 5) / 8.
    pub(super) fn to_2_252_minus_3(self) -> Self {
        // `power` is the number to the power of 2^ones - 1; `ones` goes to 250 by its bits.
        let mut power = self;
        let mut ones = 1;
        for bit in [1, 1, 1, 1, 0, 1, 0] {
            power = power.squared(ones).mul(&power);
            ones *= 2;
            if bit == 1 {
                power = power.square().mul(&self);
                ones += 1;
            }
        }
        power.squared(2).mul(&self)
    }

    /// The number's inverse, and 0 for 0: the power p - 2 = 8 · (2^252 - 3) + 3.
    pub(super) fn inverted(self) -> Self {
        self.to_2_252_minus_3()
            .squared(3)
            .mul(&self.square().mul(&self))
    }

    pub(super) fn equals(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

/// Adds `left` times each of `right` to the column at its place. Four at once: this loop is nearly all of a verification.
#[inline(never)]
fn add_row(columns: &mut [u32], left: u32, right: &[u16]) {
    let (right_fours, right_rest) = right.as_chunks::<4>();
    let Some((columns, _)) = columns.split_at_mut_checked(right.len()) else {
        return;
    };
    let (fours, rest) = columns.as_chunks_mut::<4>();
    for ([a, b, c, d], [e, f, g, h]) in fours.iter_mut().zip(right_fours) {
        *a += left * u32::from(*e);
        *b += left * u32::from(*f);
        *c += left * u32::from(*g);
        *d += left * u32::from(*h);
    }
    for (column, right) in rest.iter_mut().zip(right_rest) {
        *column += left * u32::from(*right);
    }
}

/// Leaves 13 bits in each limb but the last, which keeps what it gets.
fn propagate(limbs: &mut [u32]) {
    let mut carry = 0;
    let Some((last, limbs)) = limbs.split_last_mut() else {
        return;
    };
    for limb in limbs {
        carry += *limb;
        *limb = carry & MASK;
        carry >>= BITS;
    }
    *last += carry;
}

#[cfg(test)]
mod tests {
    use super::{FOLD, Field, LIMBS, MASK};
    use proptest::prelude::*;

    /// The greatest limbs that the invariant allows: no product, sum or difference of such may overflow.
    fn greatest() -> Field {
        let mut limbs = [MASK as u16; LIMBS];
        limbs[0] = (MASK + 2 * FOLD) as u16;
        Field(limbs)
    }

    fn holds_the_invariant(number: &Field) -> bool {
        u32::from(number.0[0]) <= MASK + 2 * FOLD
            && number.0[1..].iter().all(|limb| u32::from(*limb) <= MASK)
    }

    /// (a + b) (a - b) = a² - b², with every step's limbs looked at.
    fn check(a: &Field, b: &Field) {
        let sum = a.add(b);
        let difference = a.sub(b);
        let product = sum.mul(&difference);
        let squares = a.square().sub(&b.square());
        for number in [sum, difference, product, squares] {
            assert!(holds_the_invariant(&number), "{number:?}");
        }
        assert!(product.equals(&squares));
        assert!(a.square().equals(&a.mul(a)));
        assert!(a.sub(a).equals(&Field::ZERO));
    }

    #[test]
    fn extreme_limbs_do_not_overflow() {
        let mut only_first = Field::ZERO;
        only_first.0[0] = (MASK + 2 * FOLD) as u16;
        let full = Field([MASK as u16; LIMBS]);
        let all = [greatest(), only_first, full, Field::ZERO, Field::ONE];
        for a in &all {
            for b in &all {
                check(a, b);
            }
        }
    }

    #[test]
    fn a_number_from_p_on_becomes_one_below() {
        let mut p = [0xFF; 32];
        (p[0], p[31]) = (0xED, 0x7F);
        for above in 0..19 {
            let mut bytes = p;
            bytes[0] += above;
            let mut expected = [0; 32];
            expected[0] = above;
            assert_eq!(Field::from_bytes(&bytes).to_bytes(), expected);
        }
        p[0] -= 1;
        assert_eq!(Field::from_bytes(&p).to_bytes(), p);
    }

    proptest! {
        #[test]
        fn the_binomial_formula_and_inverses(a: [u8; 32], b: [u8; 32]) {
            let (a, b) = (Field::from_bytes(&a), Field::from_bytes(&b));
            check(&a, &b);
            check(&a, &greatest());
            prop_assert!(a.mul(&a.inverted()).equals(&Field::ONE) || a.equals(&Field::ZERO));
        }
    }
}
