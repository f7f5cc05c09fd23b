//! CRC-32 (IEEE 802.3: reflected polynomial `EDB88320`, start and final value all ones), four bits at a time.
//!
//! The 16-word table costs a device 64 bytes of flash and about a dozen instructions per byte; the usual 256-word
//! table would cost 1 KiB, no table three times the instructions.

const TABLE: [u32; 16] = {
    let mut table = [0; 16];
    let mut nibble = 0;
    while nibble < table.len() {
        let mut value = nibble as u32;
        let mut bit = 0;
        while bit < 4 {
            value = if value & 1 == 1 {
                value >> 1 ^ 0xEDB8_8320
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[nibble] = value;
        nibble += 1;
    }
    table
};

/// A CRC-32 under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crc32(u32);

impl Default for Crc32 {
    fn default() -> Self {
        Self::new()
    }
}

impl Crc32 {
    /// The check of no bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self(u32::MAX)
    }

    /// The check of `bytes`.
    #[must_use]
    pub const fn of(bytes: &[u8]) -> u32 {
        let mut crc = Self::new();
        crc.add(bytes);
        crc.value()
    }

    /// Takes in more bytes.
    // On its own, as every copy of the loop takes some of a device's flash.
    #[inline(never)]
    pub const fn add(&mut self, mut bytes: &[u8]) {
        while let Some((byte, rest)) = bytes.split_first() {
            self.0 ^= *byte as u32;
            self.0 = self.0 >> 4 ^ TABLE[(self.0 & 15) as usize];
            self.0 = self.0 >> 4 ^ TABLE[(self.0 & 15) as usize];
            bytes = rest;
        }
    }

    /// The check of all bytes so far.
    #[must_use]
    pub const fn value(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Crc32;
    use proptest::prelude::*;

    #[test]
    fn the_catalogue_check_value() {
        assert_eq!(Crc32::of(b"123456789"), 0xCBF4_3926);
        assert_eq!(Crc32::of(b""), 0);
    }

    proptest! {
        #[test]
        fn equals_the_crc_crate_however_it_is_cut(bytes: [u8; 97], cut in 0usize..97) {
            let mut crc = Crc32::new();
            crc.add(&bytes[..cut]);
            crc.add(&bytes[cut..]);
            let oracle = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
            prop_assert_eq!(crc.value(), oracle.checksum(&bytes));
        }
    }
}
