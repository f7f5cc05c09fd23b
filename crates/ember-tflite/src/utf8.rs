//! Whether bytes are UTF-8, in a fifth of the code that `core::str::from_utf8` takes on a chip.

/// The same answer as `core::str::from_utf8(bytes).is_ok()`.
pub(crate) fn is_valid(bytes: &[u8]) -> bool {
    let mut bytes = bytes.iter().copied();
    while let Some(first) = bytes.next() {
        // Bytes that follow, and the least code point that needs so many.
        let (following, least) = match first {
            0x00..=0x7f => continue,
            0xc0..=0xdf => (1, 0x80),
            0xe0..=0xef => (2, 0x800),
            0xf0..=0xf7 => (3, 0x1_0000),
            _ => return false,
        };
        // What the following bytes push out to the left are the marks of the first byte.
        let mut code = u32::from(first & (0x3f >> following));
        for _ in 0..following {
            match bytes.next() {
                Some(next) if next & 0xc0 == 0x80 => code = code << 6 | u32::from(next & 0x3f),
                _ => return false,
            }
        }
        if code < least || code > 0x10_ffff || (0xd800..0xe000).contains(&code) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn the_answer_is_that_of_the_standard_library() {
        // All of up to two bytes, and of the longer ones those around every border.
        const EDGES: [u8; 20] = [
            0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed,
            0xef, 0xf0, 0xf4, 0xf5, 0xf7, 0xff,
        ];
        let check = |bytes: &[u8]| {
            assert_eq!(
                is_valid(bytes),
                core::str::from_utf8(bytes).is_ok(),
                "{bytes:x?}"
            );
        };
        check(&[]);
        for first in 0..=0xff {
            check(&[first]);
            for second in 0..=0xff {
                check(&[first, second]);
                for third in EDGES {
                    check(&[first, second, third]);
                    for fourth in EDGES {
                        check(&[first, second, third, fourth]);
                    }
                }
            }
        }
    }
}
