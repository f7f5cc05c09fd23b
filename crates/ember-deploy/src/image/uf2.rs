//! UF2: 512-byte blocks that a bootloader takes in any order, as files on a disk arrive in any order.
//!
//! Fields and magic numbers are those of the format's specification (microsoft/uf2, README).

use super::Segment;

const BLOCK: usize = 512;
const PAYLOAD: usize = 256;
const MAGIC_FIRST: u32 = 0x0A32_4655;
const MAGIC_SECOND: u32 = 0x9E5D_5157;
const MAGIC_LAST: u32 = 0x0AB1_6F30;
const FAMILY_PRESENT: u32 = 0x2000;

/// All blocks. A page of 256 bytes that the image fills in part has zeros in the rest.
pub(super) fn write(segments: &[Segment], family: Option<u32>) -> Vec<u8> {
    let pages = pages(segments);
    let flags = if family.is_some() { FAMILY_PRESENT } else { 0 };
    let mut file = Vec::with_capacity(pages.len() * BLOCK);
    for (number, (address, payload)) in pages.iter().enumerate() {
        let start = file.len();
        for word in [
            MAGIC_FIRST,
            MAGIC_SECOND,
            flags,
            *address,
            PAYLOAD as u32,
            number as u32,
            pages.len() as u32,
            family.unwrap_or(0),
        ] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(payload);
        file.resize(start + BLOCK - 4, 0);
        file.extend_from_slice(&MAGIC_LAST.to_le_bytes());
    }
    file
}

/// The image in pages whose addresses are multiples of their size, as bootloaders want them.
fn pages(segments: &[Segment]) -> Vec<(u32, [u8; PAYLOAD])> {
    let mut pages = std::collections::BTreeMap::new();
    for segment in segments {
        for (address, byte) in (segment.address..).zip(&segment.bytes) {
            let offset = address % PAYLOAD as u32;
            let page = pages.entry(address - offset).or_insert([0; PAYLOAD]);
            page[offset as usize] = *byte;
        }
    }
    pages.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{Segment, write};

    #[test]
    fn blocks_carry_every_byte_and_count_themselves() {
        let segments = [
            Segment {
                address: 0x1000_0010,
                bytes: (0..=255).cycle().take(600).collect(),
            },
            Segment {
                address: 0x1000_0300,
                bytes: vec![9; 3],
            },
        ];
        let file = write(&segments, Some(0xE48B_FF56));
        let word = |block: &[u8], index: usize| {
            u32::from_le_bytes(block[index * 4..index * 4 + 4].try_into().unwrap())
        };
        let blocks: Vec<_> = file.chunks(512).collect();
        assert_eq!(blocks.len(), 4);
        let mut memory = std::collections::BTreeMap::new();
        for (number, block) in blocks.iter().enumerate() {
            assert_eq!(block.len(), 512);
            let words: Vec<_> = (0..8).map(|index| word(block, index)).collect();
            let address = words[3];
            assert_eq!(
                words,
                [
                    0x0A32_4655,
                    0x9E5D_5157,
                    0x2000,
                    address,
                    256,
                    number as u32,
                    4,
                    0xE48B_FF56
                ]
            );
            assert_eq!(word(block, 127), 0x0AB1_6F30);
            assert_eq!(address % 256, 0);
            memory.extend((address..).zip(block[32..288].iter().copied()));
        }
        for segment in &segments {
            for (address, byte) in (segment.address..).zip(&segment.bytes) {
                assert_eq!(memory[&address], *byte);
            }
        }
        assert_eq!(word(&write(&segments, None), 2), 0);
    }
}
