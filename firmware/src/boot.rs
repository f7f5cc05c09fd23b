//! The boot loader of an RP2040, which has no flash of its own: its boot ROM copies the first 256 bytes of the flash chip to
//! RAM, checks them and runs them, so that they set up how the flash is read (RP2040 datasheet, 2.8.1.3).
//!
//! This one reads by command `03h`, one bit at a time, which every serial flash chip understands. The clock is the one of
//! after a reset, about 6 MHz, far below what any flash chip takes at that command.

/// Bytes of the boot loader.
const BYTES: usize = 256;

/// What the checksum is of; it follows.
const CHECKED_BYTES: usize = BYTES - 4;

/// The instructions of Armv6-M, which run from any address. Registers and fields are those of the SSI (RP2040 datasheet,
/// 4.10.13) and of the vector table offset (2.4.8).
const INSTRUCTIONS: [u16; 22] = [
    0x4B0A, // ldr r3, ssi
    0x2100, // movs r1, #0
    0x6099, // str r1, [r3, #0x08]: SSIENR, off, as nothing can be set while it is on
    0x2102, // movs r1, #2
    0x6159, // str r1, [r3, #0x14]: BAUDR, half of the system's clock
    0x4909, // ldr r1, control
    0x6019, // str r1, [r3, #0x00]: CTRLR0
    0x4909, // ldr r1, command
    0x20F4, // movs r0, #0xf4
    0x5019, // str r1, [r3, r0]: SPI_CTRLR0
    0x2100, // movs r1, #0
    0x6059, // str r1, [r3, #0x04]: CTRLR1, one frame at a time
    0x2101, // movs r1, #1
    0x6099, // str r1, [r3, #0x08]: SSIENR, on
    0x4806, // ldr r0, vectors
    0x4907, // ldr r1, table
    0x6008, // str r0, [r1]: VTOR
    0xC803, // ldm r0, {r0, r1}: stack pointer and entry
    0xF380, 0x8808, // msr msp, r0
    0x4708, // bx r1
    0x46C0, // nop: the words begin at a multiple of 4
];

const WORDS: [u32; 5] = [
    // ssi
    0x1800_0000,
    // control: frames of 32 bits (DFS_32), address first and then data (TMOD)
    31 << 16 | 3 << 8,
    // command: 03h (XIP_CMD), of 8 bits (INST_L, in fours), 24 bits of address (ADDR_L), one bit at a time
    0x03 << 24 | 2 << 8 | 6 << 2,
    // vectors: behind this boot loader
    0x1000_0000 + BYTES as u32,
    // table
    0xE000_ED08,
];

/// The boot loader with its checksum.
pub const RP2040: [u8; BYTES] = {
    let mut bytes = [0; BYTES];
    let mut at = 0;
    while at < INSTRUCTIONS.len() {
        let [low, high] = INSTRUCTIONS[at].to_le_bytes();
        bytes[2 * at] = low;
        bytes[2 * at + 1] = high;
        at += 1;
    }
    let mut word = 0;
    while word < WORDS.len() {
        put(&mut bytes, 2 * INSTRUCTIONS.len() + 4 * word, WORDS[word]);
        word += 1;
    }
    let checksum = checksum(&bytes);
    put(&mut bytes, CHECKED_BYTES, checksum);
    bytes
};

const fn put(bytes: &mut [u8; BYTES], at: usize, word: u32) {
    let word = word.to_le_bytes();
    let mut index = 0;
    while index < word.len() {
        bytes[at + index] = word[index];
        index += 1;
    }
}

/// CRC-32 with polynomial `04C11DB7` from the highest bit down, start value all ones, not inverted at the end (RP2040
/// datasheet, 2.8.1.3.1).
const fn checksum(bytes: &[u8; BYTES]) -> u32 {
    let mut crc = u32::MAX;
    let mut at = 0;
    while at < CHECKED_BYTES {
        crc ^= (bytes[at] as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc >> 31 == 1 {
                crc << 1 ^ 0x04C1_1DB7
            } else {
                crc << 1
            };
            bit += 1;
        }
        at += 1;
    }
    crc
}

#[cfg(test)]
mod tests {
    use super::{BYTES, CHECKED_BYTES, RP2040};
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn the_checksum_is_the_one_that_the_catalogue_calls_mpeg_2() {
        let stated = u32::from_le_bytes(*RP2040.last_chunk().unwrap());
        let oracle = crc::Crc::<u32>::new(&crc::CRC_32_MPEG_2);
        assert_eq!(stated, oracle.checksum(&RP2040[..CHECKED_BYTES]));
    }

    /// What a processor does that runs it from address `base`: the stores, and then stack pointer and entry.
    fn run(base: u32, vectors: [u32; 2]) -> (Vec<(u32, u32)>, [u32; 2]) {
        let half = |at: u32| {
            let at = (at - base) as usize;
            u16::from_le_bytes([RP2040[at], RP2040[at + 1]])
        };
        let word = |at: u32| match at {
            0x1000_0100 => vectors[0],
            0x1000_0104 => vectors[1],
            _ => u32::from(half(at)) | u32::from(half(at + 2)) << 16,
        };
        let mut r = [0_u32; 8];
        let (mut pc, mut stack) = (base, 0);
        let mut stores = vec![];
        loop {
            let code = half(pc);
            let field = |bit: u16, bits: u16| usize::from(code >> bit & ((1 << bits) - 1));
            let (low, middle, high) = (field(0, 3), field(3, 3), field(8, 3));
            match code {
                // MOVS (immediate)
                0x2000..=0x27FF => r[high] = field(0, 8) as u32,
                // LDR (literal): from the instruction's address and 4, down to a multiple of 4
                0x4800..=0x4FFF => r[high] = word((pc & !3) + 4 + 4 * field(0, 8) as u32),
                // STR (register)
                0x5000..=0x51FF => stores.push((r[middle] + r[field(6, 3)], r[low])),
                // STR (immediate)
                0x6000..=0x67FF => stores.push((r[middle] + 4 * field(6, 5) as u32, r[low])),
                // LDM r0, {r0, r1}
                0xC803 => (r[0], r[1]) = (word(r[0]), word(r[0] + 4)),
                // MSR MSP, r0
                0xF380 => {
                    assert_eq!(half(pc + 2), 0x8808);
                    stack = r[0];
                    pc += 2;
                }
                // BX r1
                0x4708 => return (stores, [stack, r[1]]),
                other => panic!("{other:#06x} at {pc:#x}"),
            }
            pc += 2;
        }
    }

    #[test]
    fn it_sets_up_the_flash_and_starts_what_is_behind_it_wherever_it_was_copied_to() {
        let vectors = [0x2004_0000, 0x1000_0145];
        for base in [0x2004_1F00, 0x1000_0000, 0x2000_0004] {
            let (stores, started) = run(base, vectors);
            assert_eq!(
                stores,
                [
                    (0x1800_0008, 0),
                    (0x1800_0014, 2),
                    (0x1800_0000, 0x001F_0300),
                    (0x1800_00F4, 0x0300_0218),
                    (0x1800_0004, 0),
                    (0x1800_0008, 1),
                    (0xE000_ED08, 0x1000_0000 + BYTES as u32),
                ]
            );
            assert_eq!(started, vectors);
        }
    }
}
