//! The constants of a model: typed, aligned, each once.

use std::collections::HashMap;
use std::fmt::Write as _;

use ember_core::{Dtype, view};

use super::text::{Literal as _, filled};

/// What a constant, or a tensor in the arena, consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Element {
    /// Bytes that are moved or decoded.
    U8,
    I8,
    I16,
    /// A float16 in 16 bits.
    U16,
    I32,
    U32,
    I64,
    F32,
    /// A truth value in a byte.
    Bool,
}

impl Element {
    /// The elements of tensors of this type, bytes where kernels only move them.
    pub(super) const fn of(dtype: Dtype) -> Self {
        match dtype {
            Dtype::Int8 => Self::I8,
            Dtype::Int16 => Self::I16,
            Dtype::Int32 => Self::I32,
            Dtype::Uint32 => Self::U32,
            // Those of both are two words.
            Dtype::Int64 | Dtype::Uint64 => Self::I64,
            Dtype::Float32 => Self::F32,
            Dtype::Float16 => Self::U16,
            Dtype::Bool => Self::Bool,
            _ => Self::U8,
        }
    }

    /// The type in the source.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::U16 => "u16",
            Self::I32 => "i32",
            Self::U32 => "u32",
            Self::I64 => "Int64",
            Self::F32 => "f32",
            Self::Bool => "Bool",
        }
    }

    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 => 8,
        }
    }

    /// The number in these bytes, of which there are [`Element::bytes`].
    fn literal(self, bytes: &[u8]) -> String {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        let word = u64::from_le_bytes(word);
        // The lower bits are the number, whatever its width.
        match self {
            Self::U8 | Self::U16 | Self::U32 | Self::Bool => word.to_string(),
            Self::I8 => (word as i8).to_string(),
            Self::I16 => (word as i16).to_string(),
            Self::I32 => (word as i32).to_string(),
            Self::I64 => (word as i64).to_string(),
            Self::F32 => f32::from_bits(word as u32).literal(),
        }
    }
}

/// The `static` items.
#[derive(Default)]
pub(super) struct Constants<'m> {
    /// The items, each behind an empty line.
    pub(super) text: String,
    /// Bytes of all of them.
    pub(super) bytes: usize,
    /// By the place in the file, and the type.
    names: HashMap<(&'m [u8], Element), String>,
}

impl<'m> Constants<'m> {
    /// An expression for the elements in `data`: of a new item called `name`, unless there is one of the same already.
    pub(super) fn tensor(
        &mut self,
        name: &str,
        what: &str,
        data: &'m [u8],
        element: Element,
    ) -> String {
        if let Some(expression) = self.names.get(&(data, element)) {
            return expression.clone();
        }
        let elements = data.chunks_exact(element.bytes());
        let count = elements.len();
        let array = filled(elements.map(|bytes| element.literal(bytes)));
        let array = match element {
            Element::I64 => format!("int64s({array})"),
            _ => array,
        };
        let of = format!("[{}; {count}]", element.name());
        self.item(
            name,
            what,
            &format!("Aligned<{of}>"),
            &format!("Aligned({array})"),
        );
        self.bytes += data.len();
        let expression = format!("&{name}.0");
        self.names.insert((data, element), expression.clone());
        expression
    }

    /// An expression for these multipliers.
    pub(super) fn multipliers(&mut self, name: &str, numbers: &[(i32, i32)]) -> String {
        let elements = numbers.iter().map(|pair| format!("{pair:?}"));
        let value = format!("multipliers({})", filled(elements));
        let of = format!("[QuantizedMultiplier; {}]", numbers.len());
        self.item(
            name,
            "input scale × filter scale ÷ output scale",
            &of,
            &value,
        );
        self.bytes += size_of_val(numbers);
        format!("&{name}")
    }

    /// An expression for these scales.
    pub(super) fn scales(&mut self, name: &str, scales: &[f32]) -> String {
        let value = filled(scales.iter().map(|scale| scale.literal()));
        let of = format!("[f32; {}]", scales.len());
        self.item(name, "the weights' scales", &of, &value);
        self.bytes += size_of_val(scales);
        format!("&{name}")
    }

    /// An expression for a table of int8 in words, as the kernel kept it.
    pub(super) fn table(&mut self, name: &str, words: &[u32]) -> String {
        let bytes = words.iter().flat_map(|word| word.to_le_bytes());
        let value = filled(bytes.map(|byte| byte.cast_signed().to_string()));
        let of = format!("[i8; {}]", size_of_val(words));
        self.item(name, "the output for each input", &of, &value);
        self.bytes += size_of_val(words);
        format!("&{name}")
    }

    /// An expression for the complex numbers in words that a transform kept.
    pub(super) fn roots(&mut self, name: &str, element: Element, words: &[u32]) -> String {
        let bytes = view::as_bytes(words);
        let numbers = bytes.chunks_exact(2 * element.bytes());
        let of = format!("[[{}; 2]; {}]", element.name(), numbers.len());
        let value = filled(numbers.map(|number| {
            let (real, imaginary) = number.split_at(element.bytes());
            format!(
                "[{}, {}]",
                element.literal(real),
                element.literal(imaginary)
            )
        }));
        self.item(name, "roots of unity", &of, &value);
        self.bytes += bytes.len();
        format!("&{name}")
    }

    fn item(&mut self, name: &str, what: &str, of: &str, value: &str) {
        // Writing to a `String` cannot fail.
        let _ = write!(
            self.text,
            "\n/// {name}: {what}.\n#[rustfmt::skip]\nstatic {name}: {of} = {value};\n"
        );
    }
}
