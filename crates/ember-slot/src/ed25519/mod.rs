//! Verification of Ed25519 signatures (RFC 8032, section 5.1.7), and nothing else: no secret ever comes here, so nothing
//! needs to take the same time whatever the numbers are.

mod field;
mod point;
mod scalar;

use point::Point;
use sha2::{Digest, Sha512};

/// Whether `signature` is one of `message` by the owner of `key`: R = S B - k A, with S below L, and compared as bytes, so
/// that no second form of a signature passes.
pub(crate) fn verify(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    verified(key, message, signature).is_some()
}

fn verified(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Option<()> {
    let (r, s) = signature.split_first_chunk::<32>()?;
    let s = s.first_chunk::<32>()?;
    if !scalar::is_reduced(s) {
        return None;
    }
    let minus_a = Point::decode(key)?.negated();
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(key)
        .chain_update(message)
        .finalize();
    let k = scalar::reduced(&hash.into());
    let sum = combined(s, &Point::base()?, &k, &minus_a);
    (sum.encode() == *r).then_some(())
}

/// `a` times `p` and `b` times `q` together, bit after bit (Straus).
fn combined(a: &[u8; 32], p: &Point, b: &[u8; 32], q: &Point) -> Point {
    let both = p.add(q);
    let mut sum = Point::NEUTRAL;
    for (a, b) in a.iter().zip(b).rev() {
        for bit in (0..8).rev() {
            sum = sum.doubled();
            match (a >> bit & 1, b >> bit & 1) {
                (0, 0) => {}
                (_, 0) => sum = sum.add(p),
                (0, _) => sum = sum.add(q),
                _ => sum = sum.add(&both),
            }
        }
    }
    sum
}
