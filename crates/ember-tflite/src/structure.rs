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
use crate::flat::{Table, array, attempt, piece, u16_at};
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
pub(crate) const fn check(bytes: &[u8]) -> Result<Table<'_>, ReadError> {
    let mut checker = Checker {
        bytes,
        root: Table::EMPTY,
        buffers: 0,
        codes: 0,
        subgraphs: 0,
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
    /// The model's table.
    root: Table<'a>,
    /// The lengths of the lists that indices refer to. They are read before they are checked, which is harmless: reads
    /// are total, and a length that turns out wrong fails the check.
    buffers: usize,
    codes: usize,
    subgraphs: usize,
    /// Of the subgraph that is being checked.
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
    const fn error(&self) -> ReadError {
        let Self {
            place, item, at, ..
        } = *self;
        match self.fault {
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

    const fn fail<T: Copy>(&mut self, fault: StructureFault) -> Step<T> {
        self.fault = fault;
        None
    }

    const fn root(&mut self) -> Step<()> {
        let at = attempt!(self.follow(0));
        self.table(at, Model::ID)
    }

    const fn spend(&mut self, bytes: usize) -> Step<()> {
        match self.budget.checked_sub(bytes) {
            Some(budget) => self.budget = budget,
            None => return self.fail(StructureFault::Shared),
        }
        Some(())
    }

    /// `len` bytes at `at`, which must be a multiple of `size`, a power of two.
    #[inline(never)]
    const fn take(&mut self, at: usize, len: usize, size: usize) -> Step<&'a [u8]> {
        self.at = at;
        if at & size.wrapping_sub(1) != 0 {
            return self.fail(StructureFault::Misaligned);
        }
        match piece(self.bytes, at, len) {
            None => self.fail(StructureFault::OutOfBounds),
            bytes => bytes,
        }
    }

    #[inline(never)]
    const fn word(&mut self, at: usize) -> Step<u32> {
        let word = attempt!(self.take(at, 4, 4));
        Some(u32::from_le_bytes(attempt!(array(word, 0))))
    }

    /// Where the offset at `at` points.
    #[inline(never)]
    const fn follow(&mut self, at: usize) -> Step<usize> {
        let offset = attempt!(self.word(at));
        // Beyond the address space is beyond the file.
        Some(at.saturating_add(offset as usize))
    }

    /// The elements of the vector that the offset at `at` points to.
    #[inline(never)]
    const fn vector(&mut self, at: usize, size: usize) -> Step<&'a [u8]> {
        let to = attempt!(self.follow(at));
        let len = (attempt!(self.word(to)) as usize).saturating_mul(size);
        self.take(to.wrapping_add(4), len, size)
    }

    const fn table(&mut self, at: usize, id: TableId) -> Step<()> {
        attempt!(self.spend(TABLE_BYTES));
        // Subtracting modulo 2^32 is subtracting the signed offset; a result outside the file is caught by `take`.
        let vtable = (at as u32).wrapping_sub(attempt!(self.word(at))) as usize;
        let len = match u16_at(attempt!(self.take(vtable, 2, 2)), 0) {
            Some(len) => len as usize,
            None => 0,
        };
        let entries = match len.checked_sub(4) {
            Some(entries) if entries & 1 == 0 => entries,
            _ => return self.fail(StructureFault::VTable),
        };
        attempt!(self.take(vtable, len, 2));
        let table = Table::over(
            self.bytes,
            at,
            attempt!(piece(self.bytes, vtable.wrapping_add(4), entries)),
        );
        if id.is(Model::ID) {
            self.root = table;
            self.buffers = table.rows(model::buffers).len();
            self.codes = table.rows(model::operator_codes).len();
            self.subgraphs = table.rows(model::subgraphs).len();
        } else if id.is(SubGraph::ID) {
            self.tensors = table.rows(sub_graph::tensors).len();
        } else if id.is(SignatureDef::ID) {
            let index = table.word(signature_def::subgraph_index.slot, 0) as usize;
            self.tensors = match self.root.tables(model::subgraphs).get(index) {
                Some(graph) => graph.rows(sub_graph::tensors).len(),
                None => 0,
            };
        }
        let mut rows = id.rows();
        while let Some((row, rest)) = rows.split_first() {
            rows = rest;
            self.place = Place {
                table: id,
                slot: row.slot,
            };
            match (table.slot(row.slot), row.check) {
                (content, Check::Options) => {
                    attempt!(self.options(table.slot(row.slot.wrapping_sub(1)), content));
                }
                (Some(content), check) => attempt!(self.field(content, check)),
                (None, Check::Index(list)) => {
                    // An index that is absent is 0, which an empty list does not have.
                    self.at = at;
                    attempt!(self.index(0, list));
                }
                (None, _) => {}
            }
        }
        Some(())
    }

    const fn field(&mut self, at: usize, check: Check) -> Step<()> {
        match check {
            Check::Scalar(size) => {
                attempt!(self.take(at, size as usize, size as usize));
            }
            Check::Code(max) => {
                let [code] = attempt!(array(attempt!(self.take(at, 1, 1)), 0));
                if code > max {
                    return self.fail(StructureFault::Value);
                }
            }
            Check::Zero(size) => {
                let mut bytes = attempt!(self.take(at, size as usize, size as usize));
                while let Some((byte, rest)) = bytes.split_first() {
                    if *byte != 0 {
                        return self.fail(StructureFault::Unsupported);
                    }
                    bytes = rest;
                }
            }
            Check::Index(list) => {
                let index = attempt!(self.word(at));
                attempt!(self.index(index, list));
            }
            Check::Indices => {
                let len = attempt!(self.vector(at, 4)).len();
                attempt!(self.spend(len));
                let mut at = self.at;
                let end = at.wrapping_add(len);
                while at < end {
                    let index = attempt!(self.word(at));
                    if index != LEFT_OUT {
                        attempt!(self.index(index, List::Tensors));
                    }
                    at = at.wrapping_add(4);
                }
            }
            Check::Text => {
                let text = attempt!(self.vector(at, 1));
                attempt!(self.spend(text.len()));
                if !utf8::is_valid(text) {
                    return self.fail(StructureFault::NotUtf8);
                }
                let end = self.at.wrapping_add(text.len());
                if !matches!(attempt!(self.take(end, 1, 1)), [0]) {
                    return self.fail(StructureFault::NotTerminated);
                }
            }
            Check::Vector(size) => {
                let elements = attempt!(self.vector(at, size as usize));
                // Byte vectors are the weights: they are never walked, so they cost nothing.
                if size > 1 {
                    attempt!(self.spend(elements.len()));
                }
            }
            Check::ShortVector(max) => {
                if attempt!(self.vector(at, 4)).len() > (max as usize).wrapping_mul(4) {
                    return self.fail(StructureFault::TooMany);
                }
            }
            Check::Table(id) => {
                let to = attempt!(self.follow(at));
                attempt!(self.table(to, id));
            }
            Check::Tables(id) => {
                let len = attempt!(self.vector(at, 4)).len();
                attempt!(self.spend(len));
                let (place, item) = (self.place, self.item);
                let mut at = self.at;
                let end = at.wrapping_add(len);
                self.item = 0;
                while at < end {
                    self.place = place;
                    let index = self.item;
                    let to = attempt!(self.follow(at));
                    attempt!(self.table(to, id));
                    self.item = index.wrapping_add(1);
                    at = at.wrapping_add(4);
                }
                self.item = item;
            }
            // Needs two slots: `table` does it.
            Check::Options => {}
        }
        Some(())
    }

    const fn index(&mut self, index: u32, list: List) -> Step<()> {
        self.limit = match list {
            List::Buffers => self.buffers,
            List::OperatorCodes => self.codes,
            List::Subgraphs => self.subgraphs,
            List::Tensors => self.tensors,
        };
        self.found = index;
        if index as usize >= self.limit {
            return self.fail(StructureFault::Index);
        }
        Some(())
    }

    const fn options(&mut self, code: Option<usize>, content: Option<usize>) -> Step<()> {
        match (code, content) {
            (None, None) => Some(()),
            (Some(code), Some(content)) => {
                let [code] = attempt!(array(attempt!(self.take(code, 1, 1)), 0));
                let id = TableId::options(code);
                if id.rows().is_empty() {
                    return Some(());
                }
                let to = attempt!(self.follow(content));
                self.table(to, id)
            }
            _ => self.fail(StructureFault::Union),
        }
    }
}
