//! Our verification against ed25519-dalek's and the RFC's vectors.
#![cfg(feature = "ed25519")]

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use ember_slot::PublicKey;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_dalek_signs_is_verified(secret: [u8; 32], message: Vec<u8>, place in 0usize..64, bit in 0u32..8) {
        let signing = SigningKey::from_bytes(&secret);
        let key = PublicKey::new(signing.verifying_key().to_bytes());
        let signature = signing.sign(&message).to_bytes();
        prop_assert!(key.verifies(&message, &signature));
        let mut other = signature;
        other[place] ^= 1 << bit;
        prop_assert!(!key.verifies(&message, &other));
        let mut longer = message.clone();
        longer.push(0);
        prop_assert!(!key.verifies(&longer, &signature));
    }

    #[test]
    fn whatever_the_bytes_dalek_says_the_same(key: [u8; 32], signature: [u8; 64]) {
        let dalek = VerifyingKey::from_bytes(&key)
            .is_ok_and(|key| key.verify_strict(b"message", &Signature::from_bytes(&signature)).is_ok());
        prop_assert_eq!(PublicKey::new(key).verifies(b"message", &signature), dalek);
    }
}

/// RFC 8032, section 7.1: key, message, signature.
const VECTORS: &[(&str, &str, &str)] = &[
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex
        .chars()
        .map(|digit| digit.to_digit(16).unwrap() as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// L, the order of the base point, the lowest byte first.
const ORDER: [u8; 32] = [
    0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

#[test]
fn the_vectors_of_the_rfc_are_verified_in_one_form_only() {
    for (key, message, signature) in VECTORS {
        let key = PublicKey::new(bytes(key).try_into().unwrap());
        let message = bytes(message);
        let signature: [u8; 64] = bytes(signature).try_into().unwrap();
        assert!(key.verifies(&message, &signature));
        // S + L is the same number modulo L.
        let mut second_form = signature;
        let mut carry = 0;
        for (byte, order) in second_form[32..].iter_mut().zip(ORDER) {
            carry += u16::from(*byte) + u16::from(order);
            *byte = carry as u8;
            carry >>= 8;
        }
        assert!(!key.verifies(&message, &second_form));
    }
}

#[test]
fn keys_that_are_no_points_verify_nothing() {
    let signature: [u8; 64] = bytes(VECTORS[0].2).try_into().unwrap();
    let mut prime = [0xFF; 32];
    (prime[0], prime[31]) = (0xED, 0x7F);
    // y = p, y = 2 (no x), y = 1 with a negative zero for x.
    let mut two = [0; 32];
    two[0] = 2;
    let mut negative_zero = [0; 32];
    (negative_zero[0], negative_zero[31]) = (1, 0x80);
    for key in [prime, two, negative_zero, [0xFF; 32]] {
        assert!(!PublicKey::new(key).verifies(b"", &signature));
    }
}
