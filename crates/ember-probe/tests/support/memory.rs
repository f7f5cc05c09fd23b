//! The memory of a simulated chip: sparse, flash filled with old content, everything else with zeros.

use probe_rs::config::MemoryRegion;
use std::collections::HashMap;
use std::ops::Range;

const PAGE: usize = 4096;

/// What every byte of flash holds in the beginning.
pub const OLD: u8 = 0x5a;

/// Bytes by address.
pub struct Memory {
    pages: HashMap<u64, Box<[u8; PAGE]>>,
    flash: Vec<Range<u64>>,
}

impl Memory {
    /// The memory of a chip with this map.
    pub fn new(map: &[MemoryRegion]) -> Self {
        Self {
            pages: HashMap::new(),
            flash: map
                .iter()
                .filter_map(MemoryRegion::as_nvm_region)
                .map(|region| region.range.clone())
                .collect(),
        }
    }

    /// Whether any byte of `range` is flash.
    pub fn is_flash(&self, range: &Range<u64>) -> bool {
        self.flash
            .iter()
            .any(|flash| flash.start < range.end && range.start < flash.end)
    }

    /// Fills `bytes` from `address` on.
    pub fn read(&self, address: u64, bytes: &mut [u8]) {
        let mut done = 0;
        while done < bytes.len() {
            let at = address + done as u64;
            let offset = at as usize % PAGE;
            let count = (PAGE - offset).min(bytes.len() - done);
            let piece = &mut bytes[done..done + count];
            match self.pages.get(&(at / PAGE as u64)) {
                Some(page) => piece.copy_from_slice(&page[offset..offset + count]),
                None => self.untouched(at, piece),
            }
            done += count;
        }
    }

    /// The `length` bytes from `address` on.
    pub fn bytes(&self, address: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.read(address, &mut bytes);
        bytes
    }

    /// Puts `bytes` there, be it flash or not.
    pub fn write(&mut self, address: u64, bytes: &[u8]) {
        let mut done = 0;
        while done < bytes.len() {
            let at = address + done as u64;
            let offset = at as usize % PAGE;
            let count = (PAGE - offset).min(bytes.len() - done);
            let number = at / PAGE as u64;
            if !self.pages.contains_key(&number) {
                let mut page = Box::new([0; PAGE]);
                self.untouched(number * PAGE as u64, page.as_mut_slice());
                self.pages.insert(number, page);
            }
            if let Some(page) = self.pages.get_mut(&number) {
                page[offset..offset + count].copy_from_slice(&bytes[done..done + count]);
            }
            done += count;
        }
    }

    /// The little-endian word at `address`.
    pub fn word(&self, address: u64) -> u32 {
        let mut bytes = [0; 4];
        self.read(address, &mut bytes);
        u32::from_le_bytes(bytes)
    }

    /// Puts a little-endian word at `address`.
    pub fn set_word(&mut self, address: u64, word: u32) {
        self.write(address, &word.to_le_bytes());
    }

    fn untouched(&self, address: u64, bytes: &mut [u8]) {
        bytes.fill(0);
        let end = address + bytes.len() as u64;
        for flash in &self.flash {
            let (start, end) = (flash.start.max(address), flash.end.min(end));
            if start < end {
                bytes[(start - address) as usize..(end - address) as usize].fill(OLD);
            }
        }
    }
}
