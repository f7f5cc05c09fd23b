//! The first half of the check: is every part of the file that Ember reads laid out as a flatbuffer, and does every
//! index name an element of its list?
//!
//! It goes over the rows of [`schema`](crate::schema) and [`options`](crate::options) and checks that
//!
//! - tables, vtables, scalars, vectors and strings lie within the file, each at a multiple of its size;
//! - vtables have an even length of at least 4 bytes;
//! - strings are UTF-8 and end in a zero byte;
//! - one-byte codes (dtypes, paddings, activations) are the schema's;
//! - the options union has a type exactly when it has a content;
//! - every index of a buffer, tensor, operator code or subgraph is within its list, left-out tensors (-1) aside;
//! - features that no part of Ember handles (external weights, sparse tensors, blockwise quantization) are not used.
//!
//! **No cycles:** offsets are unsigned and the schema's tables are not recursive, so the walk is at most as deep as the
//! schema (4 tables). **No blow-up:** parts may be shared, but the bytes visited are limited to [`SHARING`] times the
//! length of the file.
//!
//! This is code for a chip: one loop over data. A step says only whether to go on; what is wrong and where is known to
//! the [`Checker`], which makes the error of it once, at the end.

use crate::error::{ReadError, StructureFault};
use crate::flat::{Table, array};
use crate::schema::{
    Check, IsTable, LEFT_OUT, List, Model, Place, SignatureDef, SubGraph, TableId, model,
    signature_def, sub_graph,
};
use crate::utf8;

/// How many times larger than the file the content may be, counting shared parts as often as they are used.
const SHARING: usize = 64;

/// What a table costs of the budget: at least its own offset and the one that leads to it.
const TABLE_BYTES: usize = 8;

/// Checks the layout; gives the root table.
pub(crate) fn check(bytes: &[u8]) -> Result<Table<'_>, ReadError> {
    let mut checker = Checker {
        bytes,
        root: Table { bytes, at: 0 },
        tensors: 0,
        budget: bytes.len().saturating_mul(SHARING),
        fault: StructureFault::OutOfBounds,
        place: Place::ROOT,
        at: 0,
        item: 0,
        found: 0,
        limit: 0,
    };
    match checker.root() {
        Some(()) => Ok(checker.root),
        None => Err(checker.error()),
    }
}

/// `None` when the check has failed: the checker knows why.
type Step<T> = Option<T>;

struct Checker<'a> {
    bytes: &'a [u8],
    /// The model's table, for the lengths of its lists. They are read before they are checked, which is harmless: reads
    /// are total, and a length that turns out wrong fails the check.
    root: Table<'a>,
    /// The number of tensors of the subgraph that is being checked.
    tensors: usize,
    /// Bytes that may still be visited.
    budget: usize,
    /// What is wrong, once something is.
    fault: StructureFault,
    /// The field that is being checked.
    place: Place,
    /// Where it was last read.
    at: usize,
    /// The position of the innermost table in its list.
    item: usize,
    /// The index that was last checked, and the length of its list.
    found: u32,
    limit: usize,
}

impl<'a> Checker<'a> {
    fn error(&self) -> ReadError {
        let Self {
            place,
            item,
            at,
            fault,
            ..
        } = *self;
        match fault {
            StructureFault::Index => ReadError::Index {
                place,
                item,
                at,
                found: self.found as i32,
                limit: self.limit,
            },
            fault => ReadError::Structure {
                place,
                item,
                at,
                fault,
            },
        }
    }

    fn fail<T>(&mut self, fault: StructureFault) -> Step<T> {
        self.fault = fault;
        None
    }

    fn root(&mut self) -> Step<()> {
        self.root.at = self.follow(0)?;
        self.table(self.root.at, Model::ID)
    }

    fn spend(&mut self, bytes: usize) -> Step<()> {
        match self.budget.checked_sub(bytes) {
            Some(budget) => self.budget = budget,
            None => return self.fail(StructureFault::Shared),
        }
        Some(())
    }

    /// `len` bytes at `at`, which must be a multiple of `size`, a power of two.
    #[inline(never)]
    fn take(&mut self, at: usize, len: usize, size: usize) -> Step<&'a [u8]> {
        self.at = at;
        if at & size.wrapping_sub(1) != 0 {
            return self.fail(StructureFault::Misaligned);
        }
        match self.bytes.get(at..).and_then(|rest| rest.get(..len)) {
            None => self.fail(StructureFault::OutOfBounds),
            bytes => bytes,
        }
    }

    #[inline(never)]
    fn word(&mut self, at: usize) -> Step<u32> {
        let word = self.take(at, 4, 4)?;
        array(word, 0).map(u32::from_le_bytes)
    }

    /// Where the offset at `at` points.
    #[inline(never)]
    fn follow(&mut self, at: usize) -> Step<usize> {
        let offset = self.word(at)?;
        // Beyond the address space is beyond the file.
        Some(at.saturating_add(offset as usize))
    }

    /// The elements of the vector that the offset at `at` points to.
    fn vector(&mut self, at: usize, size: usize) -> Step<&'a [u8]> {
        let to = self.follow(at)?;
        let len = (self.word(to)? as usize).saturating_mul(size);
        self.take(to.wrapping_add(4), len, size)
    }

    fn table(&mut self, at: usize, id: TableId) -> Step<()> {
        self.spend(TABLE_BYTES)?;
        // Subtracting modulo 2^32 is subtracting the signed offset; a result outside the file is caught by `take`.
        let vtable = (at as u32).wrapping_sub(self.word(at)?) as usize;
        let len = usize::from(entry(self.take(vtable, 2, 2)?, 0));
        if len < 4 || len & 1 != 0 {
            return self.fail(StructureFault::VTable);
        }
        let vtable = self.take(vtable, len, 2)?;
        let field = |slot: u8| match entry(vtable, usize::from(slot).wrapping_add(2)) {
            0 => None,
            offset => Some(at.wrapping_add(usize::from(offset))),
        };
        let table = Table {
            bytes: self.bytes,
            at,
        };
        if id == SubGraph::ID {
            self.tensors = table.tables(sub_graph::tensors).len();
        } else if id == SignatureDef::ID {
            let index = table.scalar(signature_def::subgraph_index) as usize;
            let graph = self.root.tables(model::subgraphs).get(index);
            self.tensors = graph.map_or(0, |graph| graph.tables(sub_graph::tensors).len());
        }
        for row in id.rows() {
            self.place = Place {
                table: id,
                slot: row.slot,
            };
            let content = field(row.slot);
            if row.check == Check::Options {
                self.options(field(row.slot.wrapping_sub(1)), content)?;
            } else if let Some(content) = content {
                self.field(content, row.check)?;
            } else if let Check::Index(list) = row.check {
                // An index that is absent is 0, which an empty list does not have.
                self.at = at;
                self.index(0, list)?;
            }
        }
        Some(())
    }

    fn field(&mut self, at: usize, check: Check) -> Step<()> {
        match check {
            Check::Scalar(size) => {
                let size = usize::from(size);
                self.take(at, size, size)?;
            }
            Check::Code(max) => {
                if self.take(at, 1, 1)?.iter().any(|code| *code > max) {
                    return self.fail(StructureFault::Value);
                }
            }
            Check::Zero(size) => {
                let size = usize::from(size);
                if self.take(at, size, size)?.iter().any(|byte| *byte != 0) {
                    return self.fail(StructureFault::Unsupported);
                }
            }
            Check::Index(list) => {
                let index = self.word(at)?;
                self.index(index, list)?;
            }
            Check::Indices => {
                let indices = self.vector(at, 4)?;
                self.spend(indices.len())?;
                let first = self.at;
                for at in (first..first.wrapping_add(indices.len())).step_by(4) {
                    let index = self.word(at)?;
                    if index != LEFT_OUT {
                        self.index(index, List::Tensors)?;
                    }
                }
            }
            Check::Text => {
                let text = self.vector(at, 1)?;
                self.spend(text.len())?;
                if !utf8::is_valid(text) {
                    return self.fail(StructureFault::NotUtf8);
                }
                let end = self.at.wrapping_add(text.len());
                if self.take(end, 1, 1)? != [0] {
                    return self.fail(StructureFault::NotTerminated);
                }
            }
            Check::Vector(size) => {
                let elements = self.vector(at, usize::from(size))?;
                // Byte vectors are the weights: they are never walked, so they cost nothing.
                if size > 1 {
                    self.spend(elements.len())?;
                }
            }
            Check::ShortVector(max) => {
                if self.vector(at, 4)?.len() > usize::from(max).wrapping_mul(4) {
                    return self.fail(StructureFault::TooMany);
                }
            }
            Check::Table(id) => {
                let to = self.follow(at)?;
                self.table(to, id)?;
            }
            Check::Tables(id) => {
                let offsets = self.vector(at, 4)?;
                self.spend(offsets.len())?;
                let (first, place, item) = (self.at, self.place, self.item);
                for (index, at) in (first..first.wrapping_add(offsets.len()))
                    .step_by(4)
                    .enumerate()
                {
                    self.place = place;
                    self.item = index;
                    let to = self.follow(at)?;
                    self.table(to, id)?;
                }
                self.item = item;
            }
            // Needs two slots: `table` does it.
            Check::Options => {}
        }
        Some(())
    }

    fn index(&mut self, index: u32, list: List) -> Step<()> {
        self.limit = match list {
            List::Tensors => self.tensors,
            List::Buffers => self.root.tables(model::buffers).len(),
            List::OperatorCodes => self.root.tables(model::operator_codes).len(),
            List::Subgraphs => self.root.tables(model::subgraphs).len(),
        };
        self.found = index;
        if index as usize >= self.limit {
            return self.fail(StructureFault::Index);
        }
        Some(())
    }

    fn options(&mut self, code: Option<usize>, content: Option<usize>) -> Step<()> {
        match (code, content) {
            (None, None) => Some(()),
            (Some(code), Some(content)) => {
                let code = self.take(code, 1, 1)?.first().copied();
                let id = TableId::options(code.unwrap_or_default());
                if id.rows().is_empty() {
                    return Some(());
                }
                let to = self.follow(content)?;
                self.table(to, id)
            }
            _ => self.fail(StructureFault::Union),
        }
    }
}

/// The two-byte number at `index` of a vtable; 0, which means absent, beyond its end.
fn entry(vtable: &[u8], index: usize) -> u16 {
    array(vtable, index.wrapping_mul(2)).map_or(0, u16::from_le_bytes)
}
