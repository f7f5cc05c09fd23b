//! Intel HEX.

use super::Segment;
use crate::error::DeployError;
use ihex::{Reader, Record};
use std::collections::BTreeMap;

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

/// What a HEX file puts where, neighbouring bytes in one segment.
///
/// # Errors
/// [`DeployError::Hex`] for a line that is none, for two lines that put something into the same place, and for a file that
/// was cut off.
pub fn parse_hex(text: &str) -> Result<Vec<Segment>, DeployError> {
    let mut bytes = BTreeMap::new();
    let mut base = 0_u32;
    let mut ended = false;
    let mut last = 0;
    for (index, record) in Reader::new(text).enumerate() {
        last = index + 1;
        let bad = |problem: String| DeployError::Hex {
            line: index + 1,
            problem,
        };
        match record.map_err(|error| bad(error.to_string()))? {
            Record::ExtendedLinearAddress(upper) => base = u32::from(upper) << 16,
            Record::ExtendedSegmentAddress(paragraph) => base = u32::from(paragraph) << 4,
            Record::Data { offset, value } => {
                for (byte, at) in value.into_iter().zip(0_u32..) {
                    // Addresses of one record wrap at 64 KiB, as its offset has 16 bits.
                    let address = base.wrapping_add((u32::from(offset) + at) & 0xFFFF);
                    if bytes.insert(address, byte).is_some() {
                        return Err(bad(format!("{address:#010x} is there twice")));
                    }
                }
            }
            Record::StartLinearAddress(_) | Record::StartSegmentAddress { .. } => {}
            Record::EndOfFile => {
                ended = true;
                break;
            }
        }
    }
    if !ended {
        return Err(DeployError::Hex {
            line: last + 1,
            problem: "the file ends before its end record".to_owned(),
        });
    }
    let mut segments: Vec<Segment> = Vec::new();
    for (address, byte) in bytes {
        match segments.last_mut() {
            Some(segment)
                if u64::from(segment.address) + segment.bytes.len() as u64
                    == u64::from(address) =>
            {
                segment.bytes.push(byte);
            }
            _ => segments.push(Segment {
                address,
                bytes: vec![byte],
            }),
        }
    }
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::{Segment, parse_hex, write};
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
    fn segments() -> [Segment; 2] {
        [
            Segment {
                address: 0x0800_FFF8,
                bytes: (0..=99).collect(),
            },
            Segment {
                address: 0x0802_0000,
                bytes: vec![7; 300],
            },
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        let text = write(&segments());
        assert_eq!(parse_hex(&text).unwrap(), segments());
        assert_eq!(parse_hex(&text.replace('\n', "\r\n")).unwrap(), segments());
    }

    #[test]
    fn damaged_files_are_refused_with_their_line() {
        let text = write(&segments());
        let refused = |text: &str| parse_hex(text).unwrap_err().to_string();
        let lines: Vec<_> = text.lines().collect();
        for end in 0..lines.len() {
            let error = refused(&lines[..end].join("\n"));
            assert!(error.contains("end record"), "{error}");
        }
        assert!(refused(&text.replacen(":10", ":11", 1)).contains("line 4"));
        let twice = format!("{}\n{text}", lines[..2].join("\n"));
        assert!(refused(&twice).contains("is there twice"));
        for junk in ["", "hello", ":", ":00"] {
            assert!(!refused(junk).is_empty());
        }
    }
}
