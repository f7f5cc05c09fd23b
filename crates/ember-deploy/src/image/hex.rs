//! Intel HEX.

use super::Segment;
use ihex::Record;

/// Bytes of data in one line, as most tools write them.
const LINE: usize = 16;

/// The text of the file, with line ends after every record.
pub(super) fn write(segments: &[Segment]) -> String {
    let mut records = Vec::new();
    let mut upper = 0;
    for segment in segments {
        let mut address = segment.address;
        let mut rest = segment.bytes.as_slice();
        while !rest.is_empty() {
            if (address >> 16) as u16 != upper {
                upper = (address >> 16) as u16;
                records.push(Record::ExtendedLinearAddress(upper));
            }
            // A record's addresses do not carry into the upper half.
            let to_boundary = 0x1_0000 - (address & 0xFFFF) as usize;
            let (now, later) = rest.split_at(rest.len().min(LINE).min(to_boundary));
            records.push(Record::Data {
                offset: (address & 0xFFFF) as u16,
                value: now.to_vec(),
            });
            address = address.wrapping_add(now.len() as u32);
            rest = later;
        }
    }
    records.push(Record::EndOfFile);
    let mut text = String::new();
    for record in &records {
        // A data record's only error is more than 255 bytes, and there are at most 16.
        if let Ok(line) = record.to_record_string() {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Segment, write};
    use ihex::{Reader, Record};

    #[test]
    fn a_reader_finds_the_same_bytes_at_the_same_addresses() {
        let segments = [
            Segment {
                address: 0x1000,
                bytes: (0..=255).collect(),
            },
            Segment {
                address: 0x1000_FFF3,
                bytes: vec![7; 70_000],
            },
        ];
        let text = write(&segments);
        let mut found = std::collections::BTreeMap::new();
        let mut upper = 0_u32;
        let mut ended = false;
        for record in Reader::new(&text) {
            match record.unwrap() {
                Record::ExtendedLinearAddress(address) => upper = u32::from(address) << 16,
                Record::Data { offset, value } => {
                    assert!(usize::from(offset) + value.len() <= 0x1_0000);
                    for (index, byte) in value.into_iter().enumerate() {
                        found.insert(upper + u32::from(offset) + index as u32, byte);
                    }
                }
                Record::EndOfFile => ended = true,
                other => panic!("{other:?}"),
            }
        }
        assert!(ended);
        let expected = segments.iter().flat_map(|segment| {
            (segment.address..)
                .zip(segment.bytes.iter().copied())
                .collect::<Vec<_>>()
        });
        assert!(found.into_iter().eq(expected));
    }
}
