//! The official builder with what Ember adds: parts that are equal are written once, a table's fields are sorted so that
//! none needs padding, constants begin at multiples of 16.

use std::collections::BTreeMap;
use std::vec::Vec;

use flatbuffers::{FlatBufferBuilder, WIPOffset};

use crate::options::FieldSink;
use crate::schema::{
    Field, OptionsUnion, ScalarKind, TableOf, TablesOf, TensorIndices, Text, Vector,
};

/// Constants begin at a multiple of so many bytes, as the schema asks (`force_align: 16`).
pub(super) const DATA_ALIGNMENT: usize = 16;

/// A part of the file that is already laid out, by its distance from the end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part(u32);

impl Part {
    fn of<T>(offset: WIPOffset<T>) -> Self {
        Self(offset.value())
    }

    fn offset(self) -> WIPOffset<()> {
        WIPOffset::new(self.0)
    }
}

/// A field's content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Content {
    Part(Part),
    Word(u32),
    Byte(u8),
}

/// A number of four bytes, as its bits.
pub(super) trait Word: Copy {
    fn bits(self) -> u32;
}

impl Word for u32 {
    fn bits(self) -> u32 {
        self
    }
}

impl Word for i32 {
    fn bits(self) -> u32 {
        self as u32
    }
}

/// The fields of one table before it is laid out. Numbers that equal the default are left out.
#[derive(Default)]
pub(super) struct Fields(Vec<(u8, Content)>);

impl Fields {
    pub(super) fn word<K: ScalarKind<Value: Word>>(&mut self, field: Field<K>, value: K::Value) {
        self.word_in(field.slot, value.bits(), field.default);
    }

    pub(super) fn byte<T>(&mut self, field: Field<T>, value: u8) {
        self.byte_in(field.slot, value, field.default as u8);
    }

    pub(super) fn word_in(&mut self, slot: u8, value: u32, default: u32) {
        if value != default {
            self.0.push((slot, Content::Word(value)));
        }
    }

    pub(super) fn byte_in(&mut self, slot: u8, value: u8, default: u8) {
        if value != default {
            self.0.push((slot, Content::Byte(value)));
        }
    }

    pub(super) fn tensor_ids(&mut self, field: Field<TensorIndices>, part: Part) {
        self.part(field.slot, Some(part));
    }

    pub(super) fn part(&mut self, slot: u8, part: Option<Part>) {
        if let Some(part) = part {
            self.0.push((slot, Content::Part(part)));
        }
    }

    pub(super) fn text(&mut self, field: Field<Text>, part: Option<Part>) {
        self.part(field.slot, part);
    }

    pub(super) fn list<T>(&mut self, field: Field<Vector<T>>, part: Option<Part>) {
        self.part(field.slot, part);
    }

    pub(super) fn table<T>(&mut self, field: Field<TableOf<T>>, part: Option<Part>) {
        self.part(field.slot, part);
    }

    pub(super) fn tables<T>(&mut self, field: Field<TablesOf<T>>, part: Option<Part>) {
        self.part(field.slot, part);
    }

    pub(super) fn options(&mut self, field: Field<OptionsUnion>, part: Option<Part>) {
        self.part(field.slot, part);
    }
}

/// The fields of an options table: a list inside it is laid out before the table.
pub(super) struct OptionsFields<'a> {
    pub(super) layout: &'a mut Layout,
    pub(super) fields: Fields,
}

impl FieldSink for OptionsFields<'_> {
    fn byte(&mut self, slot: u8, value: u8, default: u8) {
        self.fields.byte_in(slot, value, default);
    }

    fn word(&mut self, slot: u8, value: u32, default: u32) {
        self.fields.word_in(slot, value, default);
    }

    fn list(&mut self, slot: u8, values: &[i32]) {
        let list = self.layout.words(values.iter().map(|value| *value as u32));
        self.fields.part(slot, Some(list));
    }
}

/// A file in the making, from its end to its start.
pub(super) struct Layout {
    builder: FlatBufferBuilder<'static>,
    /// Vectors of 4-byte numbers, by their bits.
    words: BTreeMap<Vec<u32>, Part>,
    /// Vectors of 8-byte numbers.
    longs: BTreeMap<Vec<i64>, Part>,
    /// Tables, by their sorted fields.
    tables: BTreeMap<Vec<(u8, Content)>, Part>,
}

impl Layout {
    pub(super) fn new() -> Self {
        Self {
            builder: FlatBufferBuilder::new(),
            words: BTreeMap::new(),
            longs: BTreeMap::new(),
            tables: BTreeMap::new(),
        }
    }

    /// A string; none for an empty one, which reads the same.
    pub(super) fn text(&mut self, text: &str) -> Option<Part> {
        (!text.is_empty()).then(|| Part::of(self.builder.create_shared_string(text)))
    }

    /// A vector of 4-byte numbers, by their bits.
    pub(super) fn words(&mut self, words: impl IntoIterator<Item = u32>) -> Part {
        let words: Vec<u32> = words.into_iter().collect();
        let builder = &mut self.builder;
        *(self.words.entry(words))
            .or_insert_with_key(|words| Part::of(builder.create_vector(words)))
    }

    /// A vector of 8-byte numbers.
    pub(super) fn longs(&mut self, longs: &[i64]) -> Part {
        let builder = &mut self.builder;
        *(self.longs.entry(longs.to_vec()))
            .or_insert_with_key(|longs| Part::of(builder.create_vector(longs)))
    }

    /// A vector of bytes at any place.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Option<Part> {
        (!bytes.is_empty()).then(|| Part::of(self.builder.create_vector(bytes)))
    }

    /// A vector of bytes whose first begins at a multiple of [`DATA_ALIGNMENT`] in the finished file.
    pub(super) fn data(&mut self, bytes: &[u8]) -> Part {
        self.pad(bytes.len());
        Part::of(self.builder.create_vector(bytes))
    }

    /// A table. Tables of the same content are one.
    pub(super) fn table(&mut self, fields: Fields) -> Part {
        let mut fields = fields.0;
        // The builder goes from the end to the start: wide fields first leave no holes between them.
        fields.sort_by_key(|(slot, content)| (matches!(content, Content::Byte(_)), *slot));
        if let Some(part) = self.tables.get(&fields) {
            return *part;
        }
        let table = self.builder.start_table();
        for (slot, content) in &fields {
            let entry = flatbuffers::VOffsetT::from(*slot) * 2 + 4;
            match content {
                Content::Part(part) => self.builder.push_slot_always(entry, part.offset()),
                Content::Word(word) => self.builder.push_slot_always(entry, *word),
                Content::Byte(byte) => self.builder.push_slot_always(entry, *byte),
            }
        }
        let part = Part::of(self.builder.end_table(table));
        self.tables.insert(fields, part);
        part
    }

    /// A vector of tables; none for an empty one, which reads the same.
    pub(super) fn tables(&mut self, tables: &[Part]) -> Option<Part> {
        let offsets: Vec<_> = tables.iter().map(|part| part.offset()).collect();
        (!tables.is_empty()).then(|| Part::of(self.builder.create_vector(&offsets)))
    }

    /// The finished file with `root` as its root table.
    pub(super) fn finish(mut self, root: Part, identifier: &str) -> Vec<u8> {
        // What counts from the end is aligned from the start too once the whole length is a multiple.
        const HEADER: usize = 8;
        self.pad(HEADER);
        self.builder.finish(root.offset(), Some(identifier));
        self.builder.finished_data().to_vec()
    }

    /// Zeros, so that a part of `len` bytes laid out next begins at a multiple of [`DATA_ALIGNMENT`] from the end.
    fn pad(&mut self, len: usize) {
        while !(self.builder.unfinished_data().len() + len).is_multiple_of(DATA_ALIGNMENT) {
            self.builder.push(0_u8);
        }
    }
}
