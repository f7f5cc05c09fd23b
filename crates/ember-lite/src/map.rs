//! A file mapped into memory: the one place with `unsafe` in this crate.
#![allow(
    unsafe_code,
    reason = "mapping a file is unsafe, because another process can change the file meanwhile"
)]

use std::{fs::File, io};

use memmap2::Mmap;

/// Maps the whole file for reading.
///
/// Nobody may write into the file or shorten it while it is mapped. Ember's own programs never do: they write beside a
/// file and rename, which leaves the mapped one as it was.
pub(crate) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the mapping is private to reading, and is only ever seen as bytes, for which every value is valid. That no
    // other process changes the file meanwhile is what the documentation of `MappedModel::open` asks of the caller.
    unsafe { Mmap::map(file) }
}
