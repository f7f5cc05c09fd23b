//! CRC-32 (IEEE 802.3) of headers, which are too short to pay for a table.

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

/// Also at compile time, so that a layout record can be a constant.
pub(crate) const fn crc32(bytes: &[u8]) -> u32 {
    Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC).checksum(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_catalogue_check_value() {
        assert_eq!(super::crc32(b"123456789"), 0xCBF4_3926);
    }
}
