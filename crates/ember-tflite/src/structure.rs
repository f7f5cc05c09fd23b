//! The first half of the check: is every part of the file that Ember reads laid out as a flatbuffer?
//!
//! It checks, for the tables and fields in [`schema`](crate::schema) and [`options`](crate::options):
//!
//! - tables, vtables, scalars, vectors and strings lie within the file, each at a multiple of its size;
//! - vtables have an even length of at least 4 bytes;
//! - strings are UTF-8 and end in a zero byte;
//! - one-byte codes (dtypes, paddings, activations) are the schema's;
//! - the options union has a type exactly when it has a content.
//!
//! **No cycles:** offsets are unsigned and the schema's tables are not recursive, so the walk is at most as deep as the
//! schema (4 tables). **No blow-up:** parts may be shared, but the bytes visited are limited to [`SHARING`] times the
//! length of the file.

use crate::error::{ReadError, StructureFault};
use crate::flat::{field_at, follow, u16_at, u32_at, vector_bytes, vtable_at};
use crate::schema::{Check, IsTable, Model, Place, TableId};

/// How many times larger than the file the content may be, counting shared parts as often as they are used.
const SHARING: usize = 64;

/// Checks the layout; gives the root table's offset.
pub(crate) fn check(bytes: &[u8]) -> Result<usize, ReadError> {
    let mut checker = Checker {
        bytes,
        budget: bytes.len().saturating_mul(SHARING),
    };
    let root = checker.offset(Place::ROOT, 0)?;
    checker.table(Place::ROOT, root, Model::ID)?;
    Ok(root)
}

struct Checker<'a> {
    bytes: &'a [u8],
    /// Bytes that may still be visited.
    budget: usize,
}

const fn fault<T>(place: Place, at: usize, fault: StructureFault) -> Result<T, ReadError> {
    Err(ReadError::Structure { place, at, fault })
}

/// The fault where `value` is missing because a read went beyond the file.
fn within<T>(place: Place, at: usize, value: Option<T>) -> Result<T, ReadError> {
    value.map_or(fault(place, at, StructureFault::OutOfBounds), Ok)
}

/// `size` is a power of two.
fn aligned(place: Place, at: usize, size: usize) -> Result<(), ReadError> {
    if at & size.wrapping_sub(1) != 0 {
        return fault(place, at, StructureFault::Misaligned);
    }
    Ok(())
}

impl<'a> Checker<'a> {
    fn spend(&mut self, place: Place, at: usize, bytes: usize) -> Result<(), ReadError> {
        match self.budget.checked_sub(bytes) {
            Some(rest) => {
                self.budget = rest;
                Ok(())
            }
            None => fault(place, at, StructureFault::Shared),
        }
    }

    /// Where the offset at `at` points.
    fn offset(&self, place: Place, at: usize) -> Result<usize, ReadError> {
        aligned(place, at, 4)?;
        within(place, at, follow(self.bytes, at))
    }

    fn table(&mut self, place: Place, at: usize, id: TableId) -> Result<(), ReadError> {
        aligned(place, at, 4)?;
        let vtable = within(place, at, vtable_at(self.bytes, at))?;
        aligned(place, vtable, 2)?;
        let len = within(place, vtable, u16_at(self.bytes, vtable))?;
        if len < 4 || len & 1 != 0 {
            return fault(place, vtable, StructureFault::VTable);
        }
        let end = vtable.wrapping_add(usize::from(len));
        within(place, vtable, self.bytes.get(vtable..end))?;
        self.spend(place, at, 8)?;
        let field = |slot| field_at(self.bytes, at, vtable, len, slot);
        for row in id.rows() {
            let place = Place {
                table: id,
                slot: row.slot,
            };
            let content = field(row.slot);
            if row.check == Check::Options {
                self.options(place, at, field(row.slot.wrapping_sub(1)), content)?;
            } else if let Some(content) = content {
                self.field(place, content, row.check)?;
            }
        }
        Ok(())
    }

    fn field(&mut self, place: Place, at: usize, check: Check) -> Result<(), ReadError> {
        match check {
            Check::Scalar(size) => {
                let size = usize::from(size);
                aligned(place, at, size)?;
                let end = at.wrapping_add(size);
                within(place, at, self.bytes.get(at..end)).map(|_| ())
            }
            Check::Code(max) => {
                if *within(place, at, self.bytes.get(at))? > max {
                    return fault(place, at, StructureFault::Value);
                }
                Ok(())
            }
            Check::Text => {
                let (at, text) = self.vector(place, at, 1)?;
                self.spend(place, at, text.len())?;
                if core::str::from_utf8(text).is_err() {
                    return fault(place, at, StructureFault::NotUtf8);
                }
                let end = at.wrapping_add(4).wrapping_add(text.len());
                if *within(place, end, self.bytes.get(end))? != 0 {
                    return fault(place, end, StructureFault::NotTerminated);
                }
                Ok(())
            }
            // Byte vectors are the weights: they are never walked, so they cost nothing.
            Check::Vector(1) => self.vector(place, at, 1).map(|_| ()),
            Check::Vector(size) => {
                let (at, elements) = self.vector(place, at, usize::from(size))?;
                self.spend(place, at, elements.len())
            }
            Check::ShortVector(max) => {
                let (at, elements) = self.vector(place, at, 4)?;
                if elements.len() > usize::from(max).wrapping_mul(4) {
                    return fault(place, at, StructureFault::TooMany);
                }
                Ok(())
            }
            Check::Table(id) => {
                let to = self.offset(place, at)?;
                self.table(place, to, id)
            }
            Check::Tables(id) => {
                let (at, elements) = self.vector(place, at, 4)?;
                self.spend(place, at, elements.len())?;
                let first = at.wrapping_add(4);
                for element in (first..first.wrapping_add(elements.len())).step_by(4) {
                    let to = self.offset(place, element)?;
                    self.table(place, to, id)?;
                }
                Ok(())
            }
            // Needs two slots: `table` does it.
            Check::Options => Ok(()),
        }
    }

    /// The vector that the offset at `at` points to: its place and the bytes of its elements.
    fn vector(&self, place: Place, at: usize, size: usize) -> Result<(usize, &'a [u8]), ReadError> {
        let at = self.offset(place, at)?;
        aligned(place, at, 4)?;
        within(place, at, u32_at(self.bytes, at))?;
        aligned(place, at.wrapping_add(4), size)?;
        let elements = within(place, at, vector_bytes(self.bytes, at, size))?;
        Ok((at, elements))
    }

    fn options(
        &mut self,
        place: Place,
        table: usize,
        code: Option<usize>,
        content: Option<usize>,
    ) -> Result<(), ReadError> {
        match (code, content) {
            (None, None) => Ok(()),
            (Some(code), Some(content)) => {
                let code = *within(place, code, self.bytes.get(code))?;
                let id = TableId::options(code);
                if id.rows().is_empty() {
                    return Ok(());
                }
                let to = self.offset(place, content)?;
                self.table(place, to, id)
            }
            _ => fault(place, table, StructureFault::Union),
        }
    }
}
