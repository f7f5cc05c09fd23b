//! The operators' options: one row per options table of the schema.
//!
//! A row gives the typed struct, its reading, its check, its writing, the variant of [`Options`] and the operators that
//! carry it. Adding an options table is adding a row. A table that is absent from the file, or a field that is absent
//! from the table, reads as the schema's default, as in TensorFlow's own readers.

use ember_core::{Activation, Dtype, Padding};

use crate::flat::Table;
use crate::schema::{Check, Field, MAX_DTYPE, Row, Text};

/// How a [`FullyConnectedOptions`] table says its weights are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum WeightsFormat {
    /// Row-major `[outputs, inputs]`.
    #[default]
    Default = 0,
    /// Shuffled in blocks of 4 × 16, for old 8-bit kernels.
    Shuffled4x16Int8 = 1,
}

/// How MIRROR_PAD continues a dimension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MirrorPadMode {
    /// The border itself is not repeated.
    #[default]
    Reflect = 0,
    /// The border itself is repeated.
    Symmetric = 1,
}

/// The most dimensions that a [`Dims`] holds.
pub const MAX_DIMS: usize = 8;

/// A short list of dimensions that a file stores inside an options table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dims {
    len: u8,
    dims: [i32; MAX_DIMS],
}

impl Dims {
    /// The list with these dimensions; `None` where there are more than [`MAX_DIMS`].
    #[must_use]
    pub fn new(dims: &[i32]) -> Option<Self> {
        let mut list = Self::default();
        list.dims.get_mut(..dims.len())?.copy_from_slice(dims);
        list.len = dims.len() as u8;
        Some(list)
    }

    /// The dimensions.
    #[must_use]
    pub fn as_slice(&self) -> &[i32] {
        self.dims.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// What one field of an options table can hold.
pub(crate) trait Value: Sized {
    const CHECK: Check;
    const ZERO: Self;
    fn read(table: &Table<'_>, slot: u8, default: Self) -> Self;
    #[cfg(feature = "write")]
    fn write(self, fields: &mut impl FieldSink, slot: u8, default: Self);
}

/// Where the writer puts the fields of an options table.
#[cfg(feature = "write")]
pub(crate) trait FieldSink {
    fn byte(&mut self, slot: u8, value: u8, default: u8);
    fn word(&mut self, slot: u8, value: u32, default: u32);
    fn list(&mut self, slot: u8, values: &[i32]);
}

macro_rules! byte_values {
    ($($ty:ty: $check:expr, $zero:expr, $code:ident => $from_code:expr;)*) => {
        $(impl Value for $ty {
            const CHECK: Check = $check;
            const ZERO: Self = $zero;

            fn read(table: &Table<'_>, slot: u8, default: Self) -> Self {
                let $code: i8 = table.scalar_at(slot, u32::from(default as u8));
                $from_code
            }

            #[cfg(feature = "write")]
            fn write(self, fields: &mut impl FieldSink, slot: u8, default: Self) {
                fields.byte(slot, self as u8, default as u8);
            }
        })*
    };
}

byte_values! {
    bool: Check::Scalar(1), false, code => code != 0;
    Padding: Check::Code(1), Self::Same, code => Self::from_code(code).unwrap_or(Self::ZERO);
    Activation: Check::Code(5), Self::None, code => Self::from_code(code).unwrap_or(Self::ZERO);
    Dtype: Check::Code(MAX_DTYPE), Self::Float32, code => Self::from_code(code).unwrap_or(Self::ZERO);
    WeightsFormat: Check::Code(1), Self::Default, code => match code {
        1 => Self::Shuffled4x16Int8,
        _ => Self::Default,
    };
    MirrorPadMode: Check::Code(1), Self::Reflect, code => match code {
        1 => Self::Symmetric,
        _ => Self::Reflect,
    };
}

macro_rules! word_values {
    ($($ty:ty: $zero:literal, $value:ident => $bits:expr;)*) => {
        $(impl Value for $ty {
            const CHECK: Check = Check::Scalar(4);
            const ZERO: Self = $zero;

            fn read(table: &Table<'_>, slot: u8, default: Self) -> Self {
                let $value = default;
                table.scalar_at(slot, $bits)
            }

            #[cfg(feature = "write")]
            fn write(self, fields: &mut impl FieldSink, slot: u8, default: Self) {
                let bits = |$value: Self| $bits;
                fields.word(slot, bits(self), bits(default));
            }
        })*
    };
}

word_values! {
    i32: 0, value => value as u32;
    f32: 0.0, value => value.to_bits();
}

impl Value for Dims {
    const CHECK: Check = Check::ShortVector(MAX_DIMS as u8);
    const ZERO: Self = Self {
        len: 0,
        dims: [0; MAX_DIMS],
    };

    fn read(table: &Table<'_>, slot: u8, _default: Self) -> Self {
        let mut list = Self::ZERO;
        for (to, from) in list.dims.iter_mut().zip(table.list_at(slot)) {
            *to = from;
            list.len = list.len.wrapping_add(1);
        }
        list
    }

    #[cfg(feature = "write")]
    fn write(self, fields: &mut impl FieldSink, slot: u8, _default: Self) {
        if self != Self::ZERO {
            fields.list(slot, self.as_slice());
        }
    }
}

/// A struct that one row of the table of options describes.
pub trait OptionsTable: Sized + sealed::Sealed {
    /// Its code in the union `BuiltinOptions`.
    const CODE: u8;

    /// The schema's name of the table.
    const NAME: &'static str;

    #[doc(hidden)]
    fn read(table: &RawOptions<'_>) -> Self;
}

#[doc(hidden)]
/// An options table in a file, before it is read as a struct.
pub struct RawOptions<'a>(pub(crate) Table<'a>);

mod sealed {
    pub trait Sealed {}
}

macro_rules! options {
    ($(
        $(#[$doc:meta])*
        $variant:ident: $name:ident, $schema_name:literal = $code:literal for $($op:ident)|+ {
            $($(#[$field_doc:meta])* $field:ident: $ty:ty = $slot:literal $(, default $default:literal)?;)*
        }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq)]
            pub struct $name {
                $($(#[$field_doc])* pub $field: $ty,)*
            }

            impl sealed::Sealed for $name {}

            impl OptionsTable for $name {
                const CODE: u8 = $code;
                const NAME: &'static str = $schema_name;

                fn read(table: &RawOptions<'_>) -> Self {
                    Self {
                        $($field: <$ty as Value>::read(&table.0, $slot, default_of!($ty $(, $default)?)),)*
                    }
                }
            }

            impl Default for $name {
                /// The schema's defaults.
                fn default() -> Self {
                    Self {
                        $($field: default_of!($ty $(, $default)?),)*
                    }
                }
            }

            impl From<$name> for Options {
                fn from(options: $name) -> Self {
                    Self::$variant(options)
                }
            }
        )*

        /// The options of an operator.
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        #[non_exhaustive]
        pub enum Options {
            /// The operator has no options, or options that Ember does not read.
            #[default]
            None,
            $($(#[$doc])* $variant($name),)*
        }

        impl Options {
            /// The options that an operator has when the file gives it no table: all defaults.
            #[must_use]
            pub fn default_for(op: BuiltinOp) -> Self {
                Self::read(op, &RawOptions(Table::EMPTY))
            }

            pub(crate) fn read(op: BuiltinOp, table: &RawOptions<'_>) -> Self {
                match code_for(op) {
                    $(Some($code) => Self::$variant($name::read(table)),)*
                    _ => Self::None,
                }
            }

            /// The code in the union `BuiltinOptions`: 0 for [`Options::None`].
            #[must_use]
            pub const fn code(&self) -> u8 {
                match self {
                    Self::None => 0,
                    $(Self::$variant(_) => $code,)*
                }
            }

            #[cfg(feature = "write")]
            pub(crate) fn write(&self, fields: &mut impl FieldSink) {
                match self {
                    Self::None => {}
                    $(Self::$variant(options) => {
                        let _ = options;
                        $(options.$field.write(fields, $slot, default_of!($ty $(, $default)?));)*
                    })*
                }
            }
        }

        /// The code of the options table that `op` carries, if Ember reads its options.
        pub(crate) const fn code_for(op: BuiltinOp) -> Option<u8> {
            match op {
                $($(BuiltinOp::$op)|+ => Some($code),)*
                _ => None,
            }
        }

        /// How many types of options the operator answers with: 1 if it has a row, else 0.
        pub(crate) fn types_answering(operator: &Operator<'_>) -> usize {
            let answers = [$(operator.options_as::<$name>().is_some(),)*];
            answers.iter().filter(|answers| **answers).count()
        }

        pub(crate) const fn rows(code: u8) -> &'static [Row] {
            match code {
                $($code => const { &[$(Row { slot: $slot, check: <$ty as Value>::CHECK },)*] },)*
                VAR_HANDLE => VARIABLE_ROWS,
                _ => &[],
            }
        }

        pub(crate) fn names(code: u8) -> (&'static str, &'static [(u8, &'static str)]) {
            match code {
                $($code => ($schema_name, &[$(($slot, stringify!($field)),)*]),)*
                VAR_HANDLE => ("VarHandleOptions", &[(0, "container"), (1, "shared_name")]),
                _ => ("BuiltinOptions", &[]),
            }
        }

        /// Every operator whose options Ember reads, with its defaults, for the tests.
        #[cfg(test)]
        pub(crate) const OPTION_CODES: &[u8] = &[$($code,)*];
    };
}

/// The code of VAR_HANDLE's options, the only ones that hold texts: [`Operator::variable`](crate::Operator::variable)
/// gives them in place.
pub(crate) const VAR_HANDLE: u8 = 111;

pub(crate) const VARIABLE_CONTAINER: Field<Text> = Field::new(0, 0);
pub(crate) const VARIABLE_NAME: Field<Text> = Field::new(1, 0);

const VARIABLE_ROWS: &[Row] = &[
    Row {
        slot: VARIABLE_CONTAINER.slot,
        check: Check::Text,
    },
    Row {
        slot: VARIABLE_NAME.slot,
        check: Check::Text,
    },
];

macro_rules! default_of {
    ($ty:ty) => {
        <$ty as Value>::ZERO
    };
    ($ty:ty, $default:literal) => {
        $default
    };
}

mod rows;

#[cfg(test)]
pub(crate) use rows::OPTION_CODES;
pub use rows::*;
pub(crate) use rows::{code_for, names, rows, types_answering};

#[cfg(test)]
mod tests {
    use super::*;
    use ember_core::BuiltinOp;

    #[test]
    fn rows_are_ascending_and_codes_unique() {
        for code in OPTION_CODES {
            assert!(!rows(*code).is_empty());
            assert!(rows(*code).is_sorted_by_key(|row| row.slot));
            assert_eq!(
                OPTION_CODES.iter().filter(|other| *other == code).count(),
                1
            );
            assert!(*code < 0x80, "a table id keeps its top bit for options");
        }
    }

    #[test]
    fn absent_tables_read_as_the_defaults_of_the_schema() {
        let Options::Conv2d(conv) = Options::default_for(BuiltinOp::Conv2d) else {
            panic!("CONV_2D has a row");
        };
        assert_eq!(conv, Conv2dOptions::default());
        assert_eq!((conv.dilation_w_factor, conv.stride_w), (1, 0));
        let Options::Add(add) = Options::default_for(BuiltinOp::Add) else {
            panic!("ADD has a row");
        };
        assert!(add.pot_scale_int16);
        assert_eq!(Options::default_for(BuiltinOp::Relu), Options::None);
    }

    #[test]
    fn a_list_of_dimensions_has_at_most_eight() {
        assert_eq!(Dims::new(&[1, -1]).unwrap().as_slice(), &[1, -1]);
        assert_eq!(Dims::new(&[]).unwrap().as_slice(), &[] as &[i32]);
        assert_eq!(Dims::new(&[1; 9]), None);
    }
}
