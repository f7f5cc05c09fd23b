//! Intel HEX files, as they are flashed.

use crate::error::ProbeError;
use ember_deploy::image::Segment;
use ihex::Record;
use std::fs;
use std::path::Path;

/// Reads an Intel HEX file: its bytes, neighbours joined, in ascending order.
///
/// # Errors
/// [`ProbeError::File`] when it cannot be read, [`ProbeError::Hex`] with the line when it is not right.
pub fn read(path: &Path) -> Result<Vec<Segment>, ProbeError> {
    let text = fs::read_to_string(path).map_err(|error| ProbeError::File {
        action: "read",
        path: path.to_owned(),
        problem: error.to_string(),
    })?;
    parse(&text).map_err(|(line, problem)| ProbeError::Hex {
        path: path.to_owned(),
        line,
        problem,
    })
}

/// The error is the line and what is wrong with it.
fn parse(text: &str) -> Result<Vec<Segment>, (usize, String)> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut base = 0_u32;
    let mut ended = false;
    let lines = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty());
    for (number, line) in lines {
        let wrong = |problem: &str| (number, problem.to_owned());
        if ended {
            return Err(wrong("something follows the record that ends the file"));
        }
        match Record::from_record_string(line.trim()).map_err(|error| wrong(&error.to_string()))? {
            Record::Data { offset, value } => {
                let address = base
                    .checked_add(u32::from(offset))
                    .filter(|address| address.checked_add(value.len() as u32).is_some())
                    .ok_or_else(|| wrong("the address is above 4 GiB"))?;
                match segments.last_mut() {
                    Some(last) if last.address + last.bytes.len() as u32 == address => {
                        last.bytes.extend(value);
                    }
                    _ => segments.push(Segment {
                        address,
                        bytes: value,
                    }),
                }
            }
            Record::ExtendedLinearAddress(upper) => base = u32::from(upper) << 16,
            Record::ExtendedSegmentAddress(upper) => base = u32::from(upper) << 4,
            Record::EndOfFile => ended = true,
            Record::StartSegmentAddress { .. } | Record::StartLinearAddress(_) => {}
        }
    }
    let end = text.lines().count();
    if !ended {
        return Err((
            end,
            "the record that ends the file is missing: the file was cut off".to_owned(),
        ));
    }
    segments.retain(|segment| !segment.bytes.is_empty());
    segments.sort_by_key(|segment| segment.address);
    let overlap = segments.windows(2).any(|pair| {
        u64::from(pair[0].address) + pair[0].bytes.len() as u64 > u64::from(pair[1].address)
    });
    if overlap {
        return Err((end, "it gives two values for one address".to_owned()));
    }
    if segments.is_empty() {
        return Err((end, "it has no data".to_owned()));
    }
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn neighbours_are_joined_and_extended_addresses_added() {
        let text = ":020000040800F2\n:0400000001020304F2\n:020004000506EF\n:020000041000EA\n:0100100007E8\n:00000001FF\n";
        let segments = parse(text).unwrap();
        let found: Vec<_> = segments
            .iter()
            .map(|segment| (segment.address, segment.bytes.as_slice()))
            .collect();
        assert_eq!(
            found,
            [
                (0x0800_0000, &[1, 2, 3, 4, 5, 6][..]),
                (0x1000_0010, &[7][..])
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, part) in [
            ("", 0, "cut off"),
            (":00000001FF\n", 1, "no data"),
            (":0100000007F8\n", 1, "cut off"),
            (":0100000007F9\n:00000001FF\n", 1, "hecksum"),
            ("\n:01zz000007F8\n", 2, ""),
            (
                ":0100000007F8\n:0100000008F7\n:00000001FF\n",
                3,
                "two values",
            ),
            (":0100000007F8\n:00000001FF\n:0100000007F8\n", 3, "follows"),
        ] {
            let (at, problem) = parse(text).unwrap_err();
            assert_eq!(at, line, "{text}: {problem}");
            assert!(problem.contains(part), "{text}: {problem}");
        }
    }
}
