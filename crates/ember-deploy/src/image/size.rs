//! How many bytes of flash and RAM a firmware takes, and what for.

use object::elf::{FileHeader32, SHN_UNDEF, STT_FUNC, STT_OBJECT};
use object::read::elf::{SectionTable, Sym};
use object::{Endianness, elf};
use std::collections::BTreeMap;

/// The sections that runtime crates make only to say where the stack and a heap may be.
const NOT_VARIABLES: [&str; 2] = [".stack", ".heap"];

/// A section that takes memory on the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionSize {
    /// Its name, such as `.text`.
    pub name: String,
    /// Where it is when the program runs.
    pub address: u32,
    /// Bytes.
    pub bytes: u32,
    /// Whether it takes flash.
    pub loaded: bool,
    /// Whether it takes RAM.
    pub writable: bool,
}

impl SectionSize {
    pub(super) fn is_static_ram(&self) -> bool {
        self.writable && !NOT_VARIABLES.contains(&self.name.as_str())
    }
}

/// A function or a variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SymbolSize {
    /// Its path, without the hash that differs between builds.
    pub name: String,
    /// Bytes; of all symbols with this name together.
    pub bytes: u32,
}

/// The sizes of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeReport {
    /// Bytes of flash: everything that is written to the chip.
    pub flash_bytes: u64,
    /// Bytes of the model in flash.
    pub model_bytes: u64,
    /// Bytes of flash without the model: code, constants, vector table, initial values of variables.
    pub code_bytes: u64,
    /// Bytes of all variables, the arena included, the stack not.
    pub static_ram_bytes: u64,
    /// Sections, in the order of the file.
    pub sections: Vec<SectionSize>,
    /// Functions and variables, the largest first.
    pub symbols: Vec<SymbolSize>,
}

impl SizeReport {
    pub(super) fn new(
        sections: &[SectionSize],
        symbols: &[SymbolSize],
        model_bytes: usize,
    ) -> Self {
        let sum = |counts: fn(&SectionSize) -> bool| {
            sections
                .iter()
                .filter(|section| counts(section))
                .map(|section| u64::from(section.bytes))
                .sum::<u64>()
        };
        let flash_bytes = sum(|section| section.loaded);
        Self {
            flash_bytes,
            model_bytes: model_bytes as u64,
            code_bytes: flash_bytes - model_bytes as u64,
            static_ram_bytes: sum(SectionSize::is_static_ram),
            sections: sections.to_vec(),
            symbols: symbols.to_vec(),
        }
    }
}

/// Functions and variables with a size, the largest first.
pub(super) fn symbols(
    sections: &SectionTable<'_, FileHeader32<Endianness>>,
    endian: Endianness,
    data: &[u8],
) -> object::Result<Vec<SymbolSize>> {
    let table = sections.symbols(endian, data, elf::SHT_SYMTAB)?;
    let mut sizes = BTreeMap::<String, u32>::new();
    for symbol in table.iter() {
        let sized = matches!(symbol.st_type(), STT_FUNC | STT_OBJECT);
        if !sized || symbol.st_size(endian) == 0 || symbol.st_shndx(endian) == SHN_UNDEF {
            continue;
        }
        let name = table.symbol_name(endian, symbol)?;
        let name = String::from_utf8_lossy(name);
        // The alternate form leaves the hash away.
        let name = format!("{:#}", rustc_demangle::demangle(&name));
        let size = sizes.entry(name).or_default();
        *size = size.saturating_add(symbol.st_size(endian));
    }
    let mut sizes: Vec<_> = sizes
        .into_iter()
        .map(|(name, bytes)| SymbolSize { name, bytes })
        .collect();
    sizes.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    Ok(sizes)
}
