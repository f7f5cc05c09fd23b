//! The schema's tables as slot tables: which field sits in which vtable slot, and what it holds.
//!
//! One row per field that Ember reads or writes. The same rows give the check that [`Model::parse`](crate::Model::parse)
//! makes, the accessors' field constants, the names in messages, the writer's slots and the run of the official
//! flatbuffers verifier. Names and numbers are those of TensorFlow Lite's `schema.fbs`, version 3.

use core::fmt;
use core::marker::PhantomData;

use crate::flat::Scalar;
use crate::options;

/// The four bytes that follow the root offset.
pub(crate) const IDENTIFIER: &str = "TFL3";

/// The schema version that `Model.version` must name.
pub(crate) const VERSION: u32 = 3;

/// What stands for a tensor that is left out of an operator's list: -1.
pub(crate) const LEFT_OUT: u32 = u32::MAX;

/// What the check has to look at in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// A scalar of so many bytes, any value.
    Scalar(u8),
    /// A one-byte code from 0 to this maximum.
    Code(u8),
    /// A scalar of so many bytes that must be 0: another value stands for a feature that Ember does not have.
    Zero(u8),
    /// A number that names an element of a list.
    Index(List),
    /// A vector of numbers that name tensors of the subgraph, -1 aside.
    Indices,
    /// A string: UTF-8, with a terminating zero.
    Text,
    /// A vector of elements of so many bytes.
    Vector(u8),
    /// A vector of four-byte elements, at most so many.
    ShortVector(u8),
    /// A table.
    Table(TableId),
    /// A vector of tables.
    Tables(TableId),
    /// The union of operator options; its type is in the slot before.
    Options,
}

/// A list of the model that indices refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Buffers,
    OperatorCodes,
    Subgraphs,
    /// Of the subgraph at hand.
    Tensors,
}

/// One field of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) slot: u8,
    pub(crate) check: Check,
}

/// A table of the schema: one of [`ModelTable`], or 128 + the union code of an options table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableId(u8);

const OPTIONS_BIT: u8 = 0x80;

impl TableId {
    pub(crate) const fn options(code: u8) -> Self {
        Self(code | OPTIONS_BIT)
    }

    /// Whether it is that table: `==` for a `const fn`.
    pub(crate) const fn is(self, other: Self) -> bool {
        self.0 == other.0
    }

    /// The fields of the table; empty for an options table that Ember does not read.
    pub(crate) const fn rows(self) -> &'static [Row] {
        if self.0 & OPTIONS_BIT == 0 {
            model_table_rows(self.0)
        } else {
            options::rows(self.0 ^ OPTIONS_BIT)
        }
    }

    fn names(self) -> (&'static str, &'static [(u8, &'static str)]) {
        if self.0 & OPTIONS_BIT == 0 {
            model_table_names(self.0)
        } else {
            options::names(self.0 ^ OPTIONS_BIT)
        }
    }
}

/// A field of the schema, for messages: shown as `Tensor.shape`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub(crate) table: TableId,
    pub(crate) slot: u8,
}

impl Place {
    /// The root offset at the start of the file.
    pub(crate) const ROOT: Self = Self {
        table: ModelTable::Model.id(),
        slot: u8::MAX,
    };
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, fields) = self.table.names();
        f.write_str(table)?;
        match fields.iter().find(|(slot, _)| *slot == self.slot) {
            Some((_, field)) => write!(f, ".{field}"),
            None => Ok(()),
        }
    }
}

/// What a field holds: gives the check its row.
pub(crate) trait Kind {
    const CHECK: Check;
}

/// A field's slot with the kind of its content; the default is the schema's, for scalars.
pub(crate) struct Field<K> {
    pub(crate) slot: u8,
    pub(crate) default: u32,
    kind: PhantomData<K>,
}

impl<K> Clone for Field<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Field<K> {}

impl<K> Field<K> {
    pub(crate) const fn new(slot: u8, default: u32) -> Self {
        Self {
            slot,
            default,
            kind: PhantomData,
        }
    }
}

/// A marker for one table of the schema.
pub(crate) trait IsTable {
    const ID: TableId;
}

pub(crate) enum Text {}
pub(crate) enum Vector<T> {
    #[allow(dead_code, reason = "names the element type; the enum is never made")]
    Of(core::convert::Infallible, PhantomData<T>),
}
pub(crate) enum TableOf<T> {
    #[allow(dead_code, reason = "names the table; the enum is never made")]
    Of(core::convert::Infallible, PhantomData<T>),
}
pub(crate) enum TablesOf<T> {
    #[allow(dead_code, reason = "names the table; the enum is never made")]
    Of(core::convert::Infallible, PhantomData<T>),
}
pub(crate) enum OptionsUnion {}
/// The code of a [`Dtype`](ember_core::Dtype).
pub(crate) enum DtypeCode {}
pub(crate) enum BufferIndex {}
pub(crate) enum OperatorCodeIndex {}
pub(crate) enum SubgraphIndex {}
pub(crate) enum TensorIndex {}
pub(crate) enum TensorIndices {}
/// A number of so many bytes that Ember only takes as 0; a table's offset never is, so it must be absent.
pub(crate) enum Unsupported<const SIZE: u8> {}

/// A kind whose content is one number.
pub(crate) trait ScalarKind: Kind {
    type Value: Scalar;
}

macro_rules! scalar_kinds {
    ($($kind:ty => $value:ty;)*) => {
        $(impl ScalarKind for $kind { type Value = $value; })*
    };
}

scalar_kinds! {
    i8 => i8;
    u8 => u8;
    i32 => i32;
    u32 => u32;
    BufferIndex => u32;
    OperatorCodeIndex => u32;
    SubgraphIndex => u32;
    TensorIndex => u32;
}

macro_rules! kinds {
    ($($ty:ty => $check:expr;)*) => {
        $(impl Kind for $ty { const CHECK: Check = $check; })*
    };
}

kinds! {
    bool => Check::Scalar(1);
    i8 => Check::Scalar(1);
    u8 => Check::Scalar(1);
    i32 => Check::Scalar(4);
    u32 => Check::Scalar(4);
        DtypeCode => Check::Code(MAX_DTYPE);
    Text => Check::Text;
    Vector<u8> => Check::Vector(1);
    Vector<i32> => Check::Vector(4);
    Vector<f32> => Check::Vector(4);
    Vector<i64> => Check::Vector(8);
    OptionsUnion => Check::Options;
    BufferIndex => Check::Index(List::Buffers);
    OperatorCodeIndex => Check::Index(List::OperatorCodes);
    SubgraphIndex => Check::Index(List::Subgraphs);
    TensorIndex => Check::Index(List::Tensors);
    TensorIndices => Check::Indices;
}

/// The greatest code of a [`Dtype`](ember_core::Dtype); the codes have no gaps (tested).
pub(crate) const MAX_DTYPE: u8 = 20;

impl<const SIZE: u8> Kind for Unsupported<SIZE> {
    const CHECK: Check = Check::Zero(SIZE);
}

impl<T: IsTable> Kind for TableOf<T> {
    const CHECK: Check = Check::Table(T::ID);
}

impl<T: IsTable> Kind for TablesOf<T> {
    const CHECK: Check = Check::Tables(T::ID);
}

macro_rules! tables {
    ($($table:ident: $module:ident { $($field:ident: $kind:ty = $slot:literal $(, default $default:literal)?;)* })*) => {
        /// The tables of the schema that are not operator options.
        #[derive(Clone, Copy)]
        enum ModelTable {
            $($table,)*
        }

        impl ModelTable {
            const fn id(self) -> TableId {
                TableId(self as u8)
            }
        }

        $(
            pub(crate) enum $table {}

            impl IsTable for $table {
                const ID: TableId = ModelTable::$table.id();
            }

            #[allow(non_upper_case_globals, reason = "fields are named as in the schema")]
            #[allow(dead_code, reason = "a field may be checked and never read")]
            pub(crate) mod $module {
                use super::*;

                $(pub(crate) const $field: Field<$kind> =
                    Field::new($slot, 0 $(+ $default)?);)*
            }
        )*

        const fn model_table_rows(table: u8) -> &'static [Row] {
            match table {
                $(table if table == ModelTable::$table as u8 => const {
                    &[$(Row { slot: $slot, check: <$kind as Kind>::CHECK },)*]
                },)*
                _ => &[],
            }
        }

        fn model_table_names(table: u8) -> (&'static str, &'static [(u8, &'static str)]) {
            match table {
                $(table if table == ModelTable::$table as u8 =>
                    (stringify!($table), &[$(($slot, stringify!($field)),)*]),)*
                _ => ("?", &[]),
            }
        }

        /// Every table with its module, for the tests over the whole schema.
        #[cfg(test)]
        pub(crate) const MODEL_TABLES: &[TableId] = &[$(ModelTable::$table.id(),)*];
    };
}

tables! {
    Model: model {
        version: u32 = 0;
        operator_codes: TablesOf<OperatorCode> = 1;
        subgraphs: TablesOf<SubGraph> = 2;
        description: Text = 3;
        buffers: TablesOf<Buffer> = 4;
        metadata: TablesOf<Metadata> = 6;
        signature_defs: TablesOf<SignatureDef> = 7;
    }
    OperatorCode: operator_code {
        deprecated_builtin_code: i8 = 0;
        custom_code: Text = 1;
        version: i32 = 2, default 1;
        builtin_code: i32 = 3;
    }
    SubGraph: sub_graph {
        tensors: TablesOf<Tensor> = 0;
        inputs: TensorIndices = 1;
        outputs: TensorIndices = 2;
        operators: TablesOf<Operator> = 3;
        name: Text = 4;
    }
    Tensor: tensor {
        shape: Vector<i32> = 0;
        dtype: DtypeCode = 1;
        buffer: BufferIndex = 2;
        name: Text = 3;
        quantization: TableOf<QuantizationParameters> = 4;
        is_variable: bool = 5;
        sparsity: Unsupported<4> = 6;
        has_rank: bool = 8;
        external_buffer: Unsupported<4> = 10;
    }
    QuantizationParameters: quantization_parameters {
        scale: Vector<f32> = 2;
        zero_point: Vector<i64> = 3;
        details_type: Unsupported<1> = 4;
        quantized_dimension: i32 = 6;
    }
    Operator: operator {
        opcode_index: OperatorCodeIndex = 0;
        inputs: TensorIndices = 1;
        outputs: TensorIndices = 2;
        builtin_options_type: u8 = 3;
        builtin_options: OptionsUnion = 4;
        custom_options: Vector<u8> = 5;
    }
    Buffer: buffer {
        data: Vector<u8> = 0;
        offset: Unsupported<8> = 1;
        size: Unsupported<8> = 2;
    }
    Metadata: metadata {
        name: Text = 0;
        buffer: BufferIndex = 1;
    }
    SignatureDef: signature_def {
        inputs: TablesOf<TensorMap> = 0;
        outputs: TablesOf<TensorMap> = 1;
        signature_key: Text = 2;
        subgraph_index: SubgraphIndex = 4;
    }
    TensorMap: tensor_map {
        name: Text = 0;
        tensor_index: TensorIndex = 1;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use ember_core::Dtype;

    use super::*;

    #[test]
    fn places_are_shown_as_in_the_schema() {
        let shape = Place {
            table: Tensor::ID,
            slot: tensor::shape.slot,
        };
        assert_eq!(shape.to_string(), "Tensor.shape");
        assert_eq!(Place::ROOT.to_string(), "Model");
        let stride = Place {
            table: TableId::options(1),
            slot: 1,
        };
        assert_eq!(stride.to_string(), "Conv2DOptions.stride_w");
    }

    #[test]
    fn slots_are_ascending_and_every_row_has_a_name() {
        for table in MODEL_TABLES {
            let rows = table.rows();
            assert!(rows.is_sorted_by_key(|row| row.slot));
            assert_eq!(rows.len(), table.names().1.len());
        }
    }

    #[test]
    fn dtype_codes_have_no_gap_up_to_the_maximum() {
        for code in 0..=MAX_DTYPE {
            assert!(Dtype::from_code(code as i8).is_some(), "code {code}");
        }
        assert_eq!(Dtype::from_code(MAX_DTYPE as i8 + 1), None);
    }
}
