//! What is in a firmware's ELF file, and the other forms that flash tools take.

mod elf;
mod family;
mod hex;
mod size;
mod symbol;
mod uf2;

use crate::error::DeployError;
use crate::machine::Region;
use object::Endianness;
use object::elf::{FileHeader32, PT_LOAD, SHF_ALLOC, SHF_WRITE, SHT_NOBITS};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use std::fs;
use std::path::{Path, PathBuf};

pub use family::{FAMILIES, Family};
pub use hex::parse_hex;
pub use size::{SectionSize, SizeReport, SymbolSize};
pub use symbol::{Symbol, Symbols};

/// What a byte of erased flash reads as: the filling between segments.
const ERASED: u8 = 0xFF;

/// A gap that is longer than this is not filled: a file of gigabytes helps nobody.
const LONGEST_FILE: u64 = 64 << 20;

/// Bytes that are put into flash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where they are put.
    pub address: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A firmware, as linked.
#[derive(Clone, Debug)]
pub struct Image {
    path: PathBuf,
    program: elf::Program,
    /// What goes into flash, in the order of addresses, not overlapping.
    segments: Vec<Segment>,
    sections: Vec<SectionSize>,
    symbols: Vec<SymbolSize>,
    places: Symbols,
}

impl Image {
    /// Reads the ELF file of a firmware: 32 bits, little-endian, linked.
    ///
    /// # Errors
    /// [`DeployError::File`] and [`DeployError::Elf`].
    pub fn read(path: &Path) -> Result<Self, DeployError> {
        let data = fs::read(path).map_err(|source| DeployError::file("read", path, source))?;
        Self::parse(&data, path)
    }

    /// Reads an ELF file that is in memory; `path` is for messages.
    ///
    /// # Errors
    /// [`DeployError::Elf`].
    pub fn parse(data: &[u8], path: &Path) -> Result<Self, DeployError> {
        let bad = |problem: String| DeployError::Elf {
            path: path.to_owned(),
            problem,
        };
        let broken = |error: object::Error| bad(format!("not a 32-bit ELF file: {error}"));
        let header = FileHeader32::<Endianness>::parse(data).map_err(broken)?;
        let endian = header.endian().map_err(broken)?;
        if endian != Endianness::Little {
            return Err(bad("it is for a big-endian processor".to_owned()));
        }

        let mut segments = Vec::new();
        for segment in header.program_headers(endian, data).map_err(broken)? {
            if segment.p_type(endian) != PT_LOAD || segment.p_filesz(endian) == 0 {
                continue;
            }
            let bytes = segment
                .data(endian, data)
                .map_err(|()| bad("a segment lies outside the file".to_owned()))?;
            segments.push(Segment {
                address: segment.p_paddr(endian),
                bytes: bytes.to_vec(),
            });
        }
        segments.sort_by_key(|segment| segment.address);
        let overlap = segments.windows(2).any(|pair| {
            let [first, second] = pair else { return false };
            u64::from(first.address) + first.bytes.len() as u64 > u64::from(second.address)
        });
        if overlap {
            return Err(bad("two segments overlap".to_owned()));
        }
        if segments.is_empty() {
            return Err(bad("it has nothing to load; was it linked?".to_owned()));
        }

        let table = header.sections(endian, data).map_err(broken)?;
        let mut sections = Vec::new();
        for section in table.iter() {
            let flags = section.sh_flags(endian);
            if !flags.contains(SHF_ALLOC) || section.sh_size(endian) == 0 {
                continue;
            }
            let name = table.section_name(endian, section).map_err(broken)?;
            sections.push(SectionSize {
                name: String::from_utf8_lossy(name).into_owned(),
                address: section.sh_addr(endian),
                bytes: section.sh_size(endian),
                loaded: section.sh_type(endian) != SHT_NOBITS,
                writable: flags.contains(SHF_WRITE),
            });
        }
        let symbols = size::symbols(&table, endian, data).map_err(broken)?;
        let places = Symbols::read(&table, endian, data).map_err(broken)?;
        Ok(Self {
            path: path.to_owned(),
            program: elf::Program {
                machine: header.e_machine(endian).0,
                flags: header.e_flags(endian).0,
                entry: header.e_entry(endian),
            },
            segments,
            sections,
            symbols,
            places,
        })
    }

    /// What goes into flash, in the order of addresses.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Where its functions and variables are.
    #[must_use]
    pub const fn symbols(&self) -> &Symbols {
        &self.places
    }

    /// The address of the first byte, and all bytes from it to the last, gaps filled as erased flash reads.
    ///
    /// # Errors
    /// [`DeployError::Elf`] when the segments are tens of megabytes apart.
    pub fn to_bin(&self) -> Result<(u32, Vec<u8>), DeployError> {
        let start = self.segments.first().map_or(0, |segment| segment.address);
        let mut bin = Vec::new();
        for segment in &self.segments {
            let offset = u64::from(segment.address - start);
            if offset + segment.bytes.len() as u64 > LONGEST_FILE {
                return Err(DeployError::Elf {
                    path: self.path.clone(),
                    problem: format!(
                        "a BIN file would have more than {LONGEST_FILE} bytes; use HEX"
                    ),
                });
            }
            bin.resize(offset as usize, ERASED);
            bin.extend_from_slice(&segment.bytes);
        }
        Ok((start, bin))
    }

    /// The image as an ELF file of its segments, without sections and symbols: what was added after linking is in it.
    #[must_use]
    pub fn to_elf(&self) -> Vec<u8> {
        elf::write(self.program, &self.segments)
    }

    /// The image as Intel HEX.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::write(&self.segments)
    }

    /// The image as UF2, for bootloaders that look like a USB disk. `family` is the bootloader's family ID, where it
    /// looks for one.
    #[must_use]
    pub fn to_uf2(&self, family: Option<u32>) -> Vec<u8> {
        uf2::write(&self.segments, family)
    }

    /// Sizes of what was linked: see [`SizeReport`]. `model` is empty where the model is not part of the firmware.
    ///
    /// # Errors
    /// [`DeployError::Elf`] when `model` is not in the image.
    pub fn size(&self, model: &[u8]) -> Result<SizeReport, DeployError> {
        let holds_model = |segment: &Segment| {
            model.is_empty()
                || segment
                    .bytes
                    .windows(model.len())
                    .any(|window| window == model)
        };
        if !self.segments.iter().any(holds_model) {
            return Err(DeployError::Elf {
                path: self.path.clone(),
                problem: format!(
                    "the model of {} bytes is not in it; build the firmware again",
                    model.len()
                ),
            });
        }
        Ok(SizeReport::new(&self.sections, &self.symbols, model.len()))
    }

    /// Adds bytes that the linker does not know: a model in its slot.
    ///
    /// # Errors
    /// [`DeployError::Overlap`] when some of their place is taken.
    pub fn add(&mut self, added: Segment) -> Result<(), DeployError> {
        let end = |segment: &Segment| u64::from(segment.address) + segment.bytes.len() as u64;
        let taken = self.segments.iter().find(|segment| {
            u64::from(segment.address) < end(&added) && u64::from(added.address) < end(segment)
        });
        if let Some(taken) = taken {
            return Err(DeployError::Overlap {
                address: taken.address.max(added.address),
            });
        }
        let at = self
            .segments
            .partition_point(|segment| segment.address < added.address);
        self.segments.insert(at, added);
        Ok(())
    }

    /// Makes the first eight words sum to zero, by the eighth: without that an LPC's boot loader takes the flash for empty
    /// and does not start it (NXP UM10360, 32.3.1.1, "Criterion for Valid User Code").
    ///
    /// # Errors
    /// [`DeployError::Elf`] when there is no vector table of eight words at the beginning.
    pub fn add_lpc_checksum(&mut self) -> Result<(), DeployError> {
        let words = self
            .segments
            .first_mut()
            .and_then(|segment| segment.bytes.first_chunk_mut::<32>());
        let Some(words) = words else {
            return Err(DeployError::Elf {
                path: self.path.clone(),
                problem: "it does not begin with a vector table".to_owned(),
            });
        };
        let (summed, checksum) = words.split_at_mut(28);
        let sum = summed.as_chunks::<4>().0.iter().fold(0_u32, |sum, word| {
            sum.wrapping_add(u32::from_le_bytes(*word))
        });
        checksum.copy_from_slice(&sum.wrapping_neg().to_le_bytes());
        Ok(())
    }

    /// Checks that everything lies in the memory of a machine or chip and that at least `stack_bytes` are left for the
    /// stack.
    ///
    /// # Errors
    /// [`DeployError::NoRoom`] with the numbers.
    pub fn check_fits(
        &self,
        name: &str,
        flash: Region,
        ram: Region,
        stack_bytes: u64,
    ) -> Result<(), DeployError> {
        let no_room = |memory, needed, region: Region| DeployError::NoRoom {
            chip: name.to_owned(),
            memory,
            needed,
            available: u64::from(region.length),
        };
        let flash_end = self
            .segments
            .iter()
            .map(|segment| u64::from(segment.address) + segment.bytes.len() as u64)
            .max()
            .unwrap_or(0);
        let flash_needed = flash_end.saturating_sub(u64::from(flash.origin));
        let starts_in_flash = self
            .segments
            .first()
            .is_some_and(|segment| flash.contains(u64::from(segment.address), 1));
        if !starts_in_flash || flash_needed > u64::from(flash.length) {
            return Err(no_room("flash", flash_needed, flash));
        }
        let static_ram: u64 = self
            .sections
            .iter()
            .filter(|section| section.is_static_ram())
            .map(|section| u64::from(section.bytes))
            .sum();
        let ram_needed = static_ram + stack_bytes;
        if ram_needed > u64::from(ram.length) {
            return Err(no_room("RAM", ram_needed, ram));
        }
        Ok(())
    }
}
