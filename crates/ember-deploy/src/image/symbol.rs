//! Where functions and variables are.

use object::elf::{FileHeader32, SHN_UNDEF, STT_FUNC, STT_OBJECT};
use object::read::elf::{SectionTable, Sym};
use object::{Endianness, elf};

/// A function or a variable, as the linker placed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its path, without the hash that differs between builds.
    pub name: String,
    /// Its first byte.
    pub address: u32,
    /// Bytes; 0 where the file does not say.
    pub bytes: u32,
}

/// All functions and variables of an image, in the order of addresses.
#[derive(Clone, Debug, Default)]
pub struct Symbols(Vec<Symbol>);

impl Symbols {
    pub(super) fn read(
        sections: &SectionTable<'_, FileHeader32<Endianness>>,
        endian: Endianness,
        data: &[u8],
    ) -> object::Result<Self> {
        let table = sections.symbols(endian, data, elf::SHT_SYMTAB)?;
        let mut symbols = Vec::new();
        for symbol in table.iter() {
            let is_function = symbol.st_type() == STT_FUNC;
            if !is_function && symbol.st_type() != STT_OBJECT
                || symbol.st_shndx(endian) == SHN_UNDEF
            {
                continue;
            }
            let name = String::from_utf8_lossy(table.symbol_name(endian, symbol)?);
            // In a Thumb function's address the lowest bit says that it is one; instructions are at even addresses.
            let mask = if is_function { !1 } else { !0 };
            symbols.push(Symbol {
                name: format!("{:#}", rustc_demangle::demangle(&name)),
                address: symbol.st_value(endian) & mask,
                bytes: symbol.st_size(endian),
            });
        }
        symbols.sort_by_key(|symbol| symbol.address);
        Ok(Self(symbols))
    }

    /// The one with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Symbol> {
        self.0.iter().find(|symbol| symbol.name == name)
    }

    /// The one that `address` lies in.
    #[must_use]
    pub fn at(&self, address: u32) -> Option<&Symbol> {
        self.0.iter().find(|symbol| {
            let offset = address.checked_sub(symbol.address);
            offset.is_some_and(|offset| offset < symbol.bytes)
        })
    }
}
