//! Numbers modulo L = 2^252 + 27742317777372353535851937790883648493, the order of the base point.

/// Bytes of a number, the lowest first.
type Scalar = [u8; 32];

/// L, the lowest word first.
const ORDER: [u32; 8] = [
    0x5CF5_D3ED,
    0x5812_631A,
    0xA2F7_9CD6,
    0x14DE_F9DE,
    0,
    0,
    0,
    0x1000_0000,
];

/// Whether a number is below L.
pub(super) fn is_reduced(scalar: &Scalar) -> bool {
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(scalar.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    without_order(&words).is_none()
}

/// A number of 512 bits modulo L: bit after bit, the highest first.
pub(super) fn reduced(wide: &[u8; 64]) -> Scalar {
    let mut words = [0_u32; 8];
    for byte in wide.iter().rev() {
        for bit in (0..8).rev() {
            let mut carry = u32::from(byte >> bit & 1);
            for word in &mut words {
                (*word, carry) = (*word << 1 | carry, *word >> 31);
            }
            // Twice a number below L, and one, is below 2 L.
            if let Some(less) = without_order(&words) {
                words = less;
            }
        }
    }
    let mut scalar = [0; 32];
    for (bytes, word) in scalar.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *bytes = word.to_le_bytes();
    }
    scalar
}

/// The number less L, where it is not below L.
fn without_order(words: &[u32; 8]) -> Option<[u32; 8]> {
    let mut less = *words;
    let mut borrow = false;
    for (word, order) in less.iter_mut().zip(ORDER) {
        (*word, borrow) = word.borrowing_sub(order, borrow);
    }
    (!borrow).then_some(less)
}
