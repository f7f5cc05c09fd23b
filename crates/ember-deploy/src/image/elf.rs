//! ELF files that hold an image and nothing else: no sections, no symbols.
//!
//! Fields as in the "Tool Interface Standard Executable and Linking Format" (version 1.2), for 32 bits, little-endian.

use super::Segment;

/// What an ELF file says about its program besides the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Program {
    /// `e_machine`: the instruction set.
    pub(super) machine: u16,
    /// `e_flags`: the instruction set's variant.
    pub(super) flags: u32,
    /// `e_entry`: the first instruction.
    pub(super) entry: u32,
}

const HEADER_BYTES: u32 = 52;
const PROGRAM_HEADER_BYTES: u32 = 32;
const EXECUTABLE: u16 = 2;
const CURRENT: u32 = 1;
const LOAD: u32 = 1;
const READ_EXECUTE: u32 = 5;

pub(super) fn write(program: Program, segments: &[Segment]) -> Vec<u8> {
    let count = segments.len() as u32;
    let mut file = vec![0x7F, b'E', b'L', b'F', 1, 1, 1];
    file.resize(16, 0);
    let half = |file: &mut Vec<u8>, value: u16| file.extend_from_slice(&value.to_le_bytes());
    let word = |file: &mut Vec<u8>, value: u32| file.extend_from_slice(&value.to_le_bytes());
    half(&mut file, EXECUTABLE);
    half(&mut file, program.machine);
    word(&mut file, CURRENT);
    word(&mut file, program.entry);
    // Program headers follow; there are no section headers.
    word(&mut file, HEADER_BYTES);
    word(&mut file, 0);
    word(&mut file, program.flags);
    half(&mut file, HEADER_BYTES as u16);
    half(&mut file, PROGRAM_HEADER_BYTES as u16);
    half(&mut file, segments.len() as u16);
    for _ in 0..3 {
        half(&mut file, 0);
    }
    let mut offset = HEADER_BYTES + count * PROGRAM_HEADER_BYTES;
    for Segment { address, bytes } in segments {
        let length = bytes.len() as u32;
        for field in [
            LOAD,
            offset,
            *address,
            *address,
            length,
            length,
            READ_EXECUTE,
            1,
        ] {
            word(&mut file, field);
        }
        offset += length;
    }
    for segment in segments {
        file.extend_from_slice(&segment.bytes);
    }
    file
}
