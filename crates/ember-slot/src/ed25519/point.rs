//! Points of edwards25519: -x² + y² = 1 + d x² y² modulo p (RFC 8032, section 5.1).

use super::field::Field;

/// -121665 / 121666.
const D: Field = Field::from_bytes(&[
    0xA3, 0x78, 0x59, 0x13, 0xCA, 0x4D, 0xEB, 0x75, 0xAB, 0xD8, 0x41, 0x41, 0x4D, 0x0A, 0x70, 0x00,
    0x98, 0xE8, 0x79, 0x77, 0x79, 0x40, 0xC7, 0x8C, 0x73, 0xFE, 0x6F, 0x2B, 0xEE, 0x6C, 0x03, 0x52,
]);

/// A square root of -1: 2^((p - 1) / 4).
const ROOT_OF_MINUS_1: Field = Field::from_bytes(&[
    0xB0, 0xA0, 0x0E, 0x4A, 0x27, 0x1B, 0xEE, 0xC4, 0x78, 0xE4, 0x2F, 0xAD, 0x06, 0x18, 0x43, 0x2F,
    0xA7, 0xD7, 0xFB, 0x3D, 0x99, 0x00, 0x4D, 0x2B, 0x0B, 0xDF, 0xC1, 0x4F, 0x80, 0x24, 0x83, 0x2B,
]);

/// The base point B: y = 4 / 5, x even.
const BASE: [u8; 32] = {
    let mut bytes = [0x66; 32];
    bytes[0] = 0x58;
    bytes
};

/// A point in extended coordinates (Hisil, Wong, Carter, Dawson: "Twisted Edwards Curves Revisited", 2008): x = X/Z,
/// y = Y/Z, x y = T/Z.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    x: Field,
    y: Field,
    z: Field,
    t: Field,
}

impl Point {
    /// The neutral element.
    pub(super) const NEUTRAL: Self = Self {
        x: Field::ZERO,
        y: Field::ONE,
        z: Field::ONE,
        t: Field::ZERO,
    };

    pub(super) fn base() -> Option<Self> {
        Self::decode(&BASE)
    }

    /// RFC 8032, section 5.1.3; `None` where it says that decoding fails.
    pub(super) fn decode(bytes: &[u8; 32]) -> Option<Self> {
        let y = Field::from_bytes(bytes);
        let odd = bytes[31] >> 7;
        let mut canonical = y.to_bytes();
        canonical[31] |= odd << 7;
        if canonical != *bytes {
            return None;
        }
        let yy = y.square();
        let u = yy.sub(&Field::ONE);
        let v = D.mul(&yy).add(&Field::ONE);
        let v3 = v.square().mul(&v);
        let uv7 = u.mul(&v3.square()).mul(&v);
        let mut x = u.mul(&v3).mul(&uv7.to_2_252_minus_3());
        let vxx = v.mul(&x.square());
        if !vxx.equals(&u) {
            if !vxx.add(&u).equals(&Field::ZERO) {
                return None;
            }
            x = x.mul(&ROOT_OF_MINUS_1);
        }
        if x.to_bytes()[0] & 1 != odd {
            if x.equals(&Field::ZERO) {
                return None;
            }
            x = Field::ZERO.sub(&x);
        }
        Some(Self {
            x,
            y,
            z: Field::ONE,
            t: x.mul(&y),
        })
    }

    /// RFC 8032, section 5.1.2.
    pub(super) fn encode(&self) -> [u8; 32] {
        let z = self.z.inverted();
        let mut bytes = self.y.mul(&z).to_bytes();
        bytes[31] |= (self.x.mul(&z).to_bytes()[0] & 1) << 7;
        bytes
    }

    pub(super) fn negated(&self) -> Self {
        Self {
            x: Field::ZERO.sub(&self.x),
            t: Field::ZERO.sub(&self.t),
            ..*self
        }
    }

    /// The sum, of any two points: the curve's addition has no exceptions.
    #[inline(never)]
    pub(super) fn add(&self, other: &Self) -> Self {
        let a = self.y.sub(&self.x).mul(&other.y.sub(&other.x));
        let b = self.y.add(&self.x).mul(&other.y.add(&other.x));
        let c = self.t.mul(&other.t).mul(&D);
        let d = self.z.mul(&other.z);
        Self::of(
            &b.sub(&a),
            &d.add(&d).sub(&c.add(&c)),
            &d.add(&d).add(&c.add(&c)),
            &b.add(&a),
        )
    }

    #[inline(never)]
    pub(super) fn doubled(&self) -> Self {
        let a = self.x.square();
        let b = self.y.square();
        let c = self.z.square();
        let sum = a.add(&b);
        let e = sum.sub(&self.x.add(&self.y).square());
        let g = a.sub(&b);
        Self::of(&e, &c.add(&c).add(&g), &g, &sum)
    }

    /// X = E F, Y = G H, T = E H, Z = F G.
    fn of(e: &Field, f: &Field, g: &Field, h: &Field) -> Self {
        Self {
            x: e.mul(f),
            y: g.mul(h),
            z: f.mul(g),
            t: e.mul(h),
        }
    }
}
