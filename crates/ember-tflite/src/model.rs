//! A checked model and its parts, read in place.
//!
//! **Invariant:** nothing here panics or allocates. [`Model::parse`] checks the whole file once; the accessors read the
//! same bytes again through total functions, so that even a file changed behind the model's back reads as something.

use ember_core::BuiltinOp;

use crate::error::ReadError;
use crate::flat::{List, Rows, Table, array, attempt, equal};
use crate::options::{self, Options, OptionsTable, RawOptions};
use crate::schema::{
    self, buffer, metadata, model, operator, operator_code, signature_def, sub_graph, tensor_map,
};
use crate::tensor::Tensor;
use crate::{meaning, structure};

/// Which subgraph of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubgraphId(pub u32);

impl SubgraphId {
    /// The subgraph that a model starts with.
    pub const MAIN: Self = Self(0);

    /// The position in the list.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which tensor of a subgraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TensorId(pub u32);

impl TensorId {
    /// The position in the list.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A checked `.tflite` file.
#[derive(Clone, Copy)]
pub struct Model<'a> {
    pub(crate) table: Table<'a>,
    buffers: Rows,
    codes: Rows,
}

impl<'a> Model<'a> {
    /// Checks the file and gives access to it.
    ///
    /// The bytes stay where they are. Numbers may be read at any address, but the constants are given out as they
    /// lie: a runtime that reads them as 32-bit numbers in place needs `bytes` to begin at a multiple of 4, and
    /// one that wants the constants aligned as the writer aligned them, at a multiple of 16.
    ///
    /// It is a `const fn`: a file that is part of a program can be checked while that is compiled, and then neither the
    /// check nor its time is in the program.
    ///
    /// # Errors
    /// The first thing in the file that is not as the schema, or a runtime, expects it.
    pub const fn parse(bytes: &'a [u8]) -> Result<Self, ReadError> {
        let len = bytes.len();
        if len < 8 {
            return Err(ReadError::TooShort { len });
        }
        if len > i32::MAX as usize {
            return Err(ReadError::TooLong { len });
        }
        let found = match array(bytes, 4) {
            Some(found) => found,
            None => [0; 4],
        };
        if !equal(&found, schema::IDENTIFIER.as_bytes()) {
            return Err(ReadError::Identifier { found });
        }
        let table = match structure::check(bytes) {
            Ok(table) => table,
            Err(error) => return Err(error),
        };
        let model = Self {
            table,
            buffers: table.rows(model::buffers),
            codes: table.rows(model::operator_codes),
        };
        match meaning::check(&model) {
            Ok(()) => Ok(model),
            Err(error) => Err(error),
        }
    }

    /// The file.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.table.bytes
    }

    /// What the file says about itself.
    #[must_use]
    pub fn description(&self) -> &'a str {
        self.table.text(model::description)
    }

    /// The subgraphs; the first is the main one.
    pub fn subgraphs(&self) -> impl Iterator<Item = Subgraph<'a>> + Clone + 'a {
        let model = *self;
        let tables = self.table.tables(model::subgraphs);
        tables.iter().map(move |table| Subgraph::new(model, table))
    }

    /// The subgraph with this id, if the model has it.
    #[must_use]
    pub const fn subgraph(&self, id: SubgraphId) -> Option<Subgraph<'a>> {
        let tables = self.table.tables(model::subgraphs);
        let table = attempt!(tables.get(id.index()));
        Some(Subgraph::new(*self, table))
    }

    /// The main subgraph: every checked model has it.
    #[must_use]
    pub const fn main(&self) -> Subgraph<'a> {
        match self.subgraph(SubgraphId::MAIN) {
            Some(graph) => graph,
            None => Subgraph::new(*self, Table::EMPTY),
        }
    }

    /// The number of operator codes: distinct operators with their versions.
    #[must_use]
    pub fn operator_code_count(&self) -> usize {
        self.codes.len()
    }

    /// The operator code at `index` and the version that goes with it.
    #[must_use]
    pub fn operator_code(&self, index: usize) -> Option<(OpCode<'a>, i32)> {
        let table = self.codes.of(self.bytes()).get(index)?;
        let op = BuiltinOp::from_code(raw_code(&table))?;
        let code = match op {
            BuiltinOp::Custom => OpCode::Custom(table.text(operator_code::custom_code)),
            op => OpCode::Builtin(op),
        };
        Some((code, table.scalar(operator_code::version)))
    }

    /// The number of buffers; buffer 0 is empty by convention.
    #[must_use]
    pub fn buffer_count(&self) -> usize {
        self.buffers.len()
    }

    /// The bytes of the buffer at `index`; empty where there is none.
    #[must_use]
    pub const fn buffer(&self, index: usize) -> &'a [u8] {
        match self.buffers.of(self.bytes()).get(index) {
            Some(table) => table.data(buffer::data),
            None => &[],
        }
    }

    /// The metadata: names with their bytes.
    pub fn metadata_entries(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + Clone + 'a {
        let model = *self;
        let tables = self.table.tables(model::metadata);
        tables.iter().map(move |table| {
            let index = table.scalar(metadata::buffer) as usize;
            (table.text(metadata::name), model.buffer(index))
        })
    }

    /// The bytes of the metadata with this name.
    #[must_use]
    pub const fn metadata(&self, name: &str) -> Option<&'a [u8]> {
        let tables = self.table.tables(model::metadata);
        let mut index = 0usize;
        while let Some(table) = tables.get(index) {
            if equal(table.text_bytes(metadata::name), name.as_bytes()) {
                return Some(self.buffer(table.word(metadata::buffer.slot, 0) as usize));
            }
            index = index.wrapping_add(1);
        }
        None
    }

    /// The signatures: named ways to call the model.
    pub fn signatures(&self) -> impl Iterator<Item = Signature<'a>> + Clone + 'a {
        let tables = self.table.tables(model::signature_defs);
        tables.iter().map(|table| Signature { table })
    }
}

/// The code of an operator as the file means it: builtin operators beyond 126 have only the newer field, files of old
/// converters only the older one, and all others both.
pub(crate) const fn raw_code(table: &Table<'_>) -> i32 {
    let deprecated = table.byte(operator_code::deprecated_builtin_code.slot, 0) as i8 as i32;
    let code = table.word(operator_code::builtin_code.slot, 0) as i32;
    if deprecated > code { deprecated } else { code }
}

/// A graph of operators over tensors.
#[derive(Clone, Copy)]
pub struct Subgraph<'a> {
    pub(crate) model: Model<'a>,
    pub(crate) table: Table<'a>,
    tensors: Rows,
    operators: Rows,
}

impl<'a> Subgraph<'a> {
    const fn new(model: Model<'a>, table: Table<'a>) -> Self {
        Self {
            model,
            table,
            tensors: table.rows(sub_graph::tensors),
            operators: table.rows(sub_graph::operators),
        }
    }

    /// The model that it is of.
    #[must_use]
    pub const fn model(&self) -> &Model<'a> {
        &self.model
    }

    /// Its name; often empty or `main`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.table.text(sub_graph::name)
    }

    /// The number of tensors.
    #[must_use]
    pub const fn tensor_count(&self) -> usize {
        self.tensors.len()
    }

    /// The tensors, in the order of their ids.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor<'a>> + Clone + 'a {
        let graph = *self;
        (0..self.tensor_count()).map_while(move |index| graph.tensor_at(index))
    }

    /// The tensor with this id; ids that the same subgraph gave out are always found.
    #[must_use]
    pub const fn tensor(&self, id: TensorId) -> Option<Tensor<'a>> {
        self.tensor_at(id.index())
    }

    #[inline(never)]
    pub(crate) const fn tensor_at(&self, index: usize) -> Option<Tensor<'a>> {
        Some(Tensor {
            table: attempt!(self.tensors.of(self.table.bytes).get(index)),
            buffers: self.model.buffers,
        })
    }

    /// The number of operators.
    #[must_use]
    pub const fn operator_count(&self) -> usize {
        self.operators.len()
    }

    /// The operators, in the order of execution.
    pub fn operators(&self) -> impl Iterator<Item = Operator<'a>> + Clone + 'a {
        let graph = *self;
        (0..self.operator_count()).map_while(move |index| graph.operator(index))
    }

    /// The operator at `index` in the order of execution.
    #[must_use]
    pub const fn operator(&self, index: usize) -> Option<Operator<'a>> {
        let table = attempt!(self.operators.of(self.table.bytes).get(index));
        let code = table.word(operator::opcode_index.slot, 0) as usize;
        Some(Operator {
            code: match self.model.codes.of(table.bytes).get(code) {
                Some(code) => code,
                None => Table::EMPTY,
            },
            table,
        })
    }

    /// The tensors that the caller fills.
    #[must_use]
    pub const fn inputs(&self) -> TensorIds<'a> {
        TensorIds(self.table.tensor_ids(sub_graph::inputs))
    }

    /// The tensors that hold the result.
    #[must_use]
    pub const fn outputs(&self) -> TensorIds<'a> {
        TensorIds(self.table.tensor_ids(sub_graph::outputs))
    }
}

/// A list of tensors in which places can be left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TensorIds<'a>(pub(crate) List<'a, i32>);

impl<'a> TensorIds<'a> {
    /// The number of places.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no places.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tensor in the place `index`: none where the list is shorter or the place is left out.
    #[must_use]
    pub const fn get(&self, index: usize) -> Option<TensorId> {
        tensor_id(attempt!(self.0.word(index)) as i32)
    }

    /// The places in order; `None` where one is left out.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<TensorId>> + Clone + 'a {
        self.0.iter().map(tensor_id)
    }
}

impl<'a> IntoIterator for TensorIds<'a> {
    type Item = Option<TensorId>;
    type IntoIter = core::iter::Map<crate::flat::ListIter<'a, i32>, fn(i32) -> Option<TensorId>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(tensor_id)
    }
}

const fn tensor_id(index: i32) -> Option<TensorId> {
    if index < 0 {
        return None;
    }
    Some(TensorId(index as u32))
}

/// What an operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpCode<'a> {
    /// An operator of the schema; never [`BuiltinOp::Custom`].
    Builtin(BuiltinOp),
    /// An operator of somebody else, with its name.
    Custom(&'a str),
}

/// An operator of a subgraph.
#[derive(Clone, Copy)]
pub struct Operator<'a> {
    table: Table<'a>,
    /// Its operator code.
    code: Table<'a>,
}

impl<'a> Operator<'a> {
    /// Its index in the model's list of operator codes.
    #[must_use]
    pub fn opcode_index(&self) -> usize {
        self.table.scalar(operator::opcode_index) as usize
    }

    /// What it does.
    #[must_use]
    pub fn opcode(&self) -> OpCode<'a> {
        match self.builtin() {
            Some(op) => OpCode::Builtin(op),
            None => OpCode::Custom(self.code.text(operator_code::custom_code)),
        }
    }

    /// The name of a custom operator, without a look at whether it is UTF-8; empty for the operators of the schema.
    #[must_use]
    pub const fn custom_name(&self) -> &'a [u8] {
        self.code.text_bytes(operator_code::custom_code)
    }

    /// The operator of the schema; none for a custom operator.
    #[must_use]
    pub const fn builtin(&self) -> Option<BuiltinOp> {
        match BuiltinOp::from_code(raw_code(&self.code)) {
            None | Some(BuiltinOp::Custom) => None,
            op => op,
        }
    }

    /// The version of the operator: higher where newer features are used.
    #[must_use]
    pub fn version(&self) -> i32 {
        self.code.scalar(operator_code::version)
    }

    /// The tensors it reads.
    #[must_use]
    pub const fn inputs(&self) -> TensorIds<'a> {
        TensorIds(self.table.tensor_ids(operator::inputs))
    }

    /// The tensors it writes.
    #[must_use]
    pub const fn outputs(&self) -> TensorIds<'a> {
        TensorIds(self.table.tensor_ids(operator::outputs))
    }

    /// Its options; the schema's defaults where the file gives none.
    #[must_use]
    pub fn options(&self) -> Options {
        self.builtin()
            .map_or(Options::None, |op| Options::read(op, &self.raw_options()))
    }

    /// Its options, where they are of the type `T`; the schema's defaults where the file gives none.
    ///
    /// A program that asks so links the reading of the types that it names, and of no others.
    #[must_use]
    pub fn options_as<T: OptionsTable>(&self) -> Option<T> {
        let op = self.builtin()?;
        (options::code_for(op) == Some(T::CODE)).then(|| T::read(&self.raw_options()))
    }

    /// Which variable a VAR_HANDLE stands for: container and name, either of which may be empty. `None` for other
    /// operators, and where the file gives no options.
    #[must_use]
    pub fn variable(&self) -> Option<(&'a [u8], &'a [u8])> {
        if self.builtin() != Some(BuiltinOp::VarHandle)
            || self.options_code() != options::VAR_HANDLE
        {
            return None;
        }
        let table = self.raw_options().0;
        let container = table.text_bytes(options::VARIABLE_CONTAINER);
        Some((container, table.text_bytes(options::VARIABLE_NAME)))
    }

    fn raw_options(&self) -> RawOptions<'a> {
        let table = self.table.options(operator::builtin_options);
        RawOptions(table.unwrap_or(Table::EMPTY))
    }

    pub(crate) const fn options_code(&self) -> u8 {
        self.table.byte(operator::builtin_options_type.slot, 0)
    }

    /// Whether its options table sets any field.
    #[cfg(feature = "write")]
    pub(crate) fn options_say_something(&self) -> bool {
        let table = self.raw_options().0;
        (0..=u8::MAX).any(|slot| table.slot(slot).is_some())
    }

    /// The bytes of a custom operator's options.
    #[must_use]
    pub fn custom_options(&self) -> &'a [u8] {
        self.table.data(operator::custom_options)
    }
}

/// A named way to call a subgraph.
#[derive(Clone, Copy)]
pub struct Signature<'a> {
    pub(crate) table: Table<'a>,
}

impl<'a> Signature<'a> {
    /// Its name, such as `serving_default`.
    #[must_use]
    pub fn key(&self) -> &'a str {
        self.table.text(signature_def::signature_key)
    }

    /// The subgraph that is called.
    #[must_use]
    pub fn subgraph(&self) -> SubgraphId {
        SubgraphId(self.table.scalar(signature_def::subgraph_index))
    }

    /// The names of the inputs.
    pub fn inputs(&self) -> impl Iterator<Item = (&'a str, TensorId)> + Clone + 'a {
        named_tensors(self.table.tables(signature_def::inputs))
    }

    /// The names of the outputs.
    pub fn outputs(&self) -> impl Iterator<Item = (&'a str, TensorId)> + Clone + 'a {
        named_tensors(self.table.tables(signature_def::outputs))
    }
}

fn named_tensors<'a>(
    tables: crate::flat::Tables<'a>,
) -> impl Iterator<Item = (&'a str, TensorId)> + Clone + 'a {
    tables.iter().map(|table| {
        (
            table.text(tensor_map::name),
            TensorId(table.scalar(tensor_map::tensor_index)),
        )
    })
}
