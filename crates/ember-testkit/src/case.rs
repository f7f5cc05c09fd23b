//! What a conformance case is: a model, inputs, and the outputs that a reference engine gave for them.

use ember_core::Dtype;
use std::path::PathBuf;

use crate::aligned::AlignedBytes;

/// Type and dimensions of one input or output of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The type of the elements.
    pub dtype: Dtype,
    /// The dimensions, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
}

impl Port {
    /// Bytes of the tensor, row-major and packed; `None` where the type has no fixed size or the product does not fit.
    #[must_use]
    pub fn bytes(&self) -> Option<usize> {
        let elements = self
            .shape
            .iter()
            .try_fold(1usize, |product, dim| product.checked_mul(*dim))?;
        self.dtype.bytes_for(elements)
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{:?}", self.dtype, self.shape)
    }
}

/// The bytes of every tensor of one side of a model, in the model's order, little-endian and row-major.
pub type Tensors = Vec<Vec<u8>>;

/// One run: what goes in and what must come out.
#[derive(Clone, Debug)]
pub struct Record {
    /// The inputs.
    pub inputs: Tensors,
    /// The outputs of the reference engine.
    pub outputs: Tensors,
}

/// A model with records.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name, such as `conv_2d/int8_3x3_same`.
    pub name: String,
    /// The `.tflite` file.
    pub model: AlignedBytes,
    /// The model's inputs, as the case describes them.
    pub inputs: Vec<Port>,
    /// The model's outputs, as the case describes them.
    pub outputs: Vec<Port>,
    /// The runs; at least one.
    pub records: Vec<Record>,
}

/// Why a case cannot be read: the case itself is wrong, not a runtime.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A file is missing or cannot be read.
    #[error("{path}: {source}; expected a case's file there")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A description is not what it should be.
    #[error("{place}: {found:?} is not {expected}; make the case again")]
    Description {
        /// File, line or field.
        place: String,
        /// What stands there.
        found: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// The bytes do not divide into the records that the description promises.
    #[error("{place}: {found} bytes, but its description says {expected}; make the case again")]
    Length {
        /// The file or case.
        place: String,
        /// Bytes there.
        found: usize,
        /// Bytes by the description.
        expected: usize,
    },
}

/// Cuts `count` records of the given ports from `bytes`, which hold nothing else.
pub(crate) fn split_records(
    place: &str,
    bytes: &[u8],
    ports: &[Port],
    count: usize,
) -> Result<Vec<Tensors>, CaseError> {
    let mut sizes = Vec::new();
    for port in ports {
        sizes.push(port.bytes().ok_or_else(|| CaseError::Description {
            place: place.to_owned(),
            found: port.to_string(),
            expected: "a tensor of fixed size",
        })?);
    }
    let expected = sizes.iter().sum::<usize>() * count;
    if bytes.len() != expected {
        return Err(CaseError::Length {
            place: place.to_owned(),
            found: bytes.len(),
            expected,
        });
    }
    let mut rest = bytes;
    let mut records = Vec::with_capacity(count);
    for _ in 0..count {
        let mut tensors = Vec::with_capacity(sizes.len());
        for size in &sizes {
            let (tensor, after) = rest.split_at(*size);
            tensors.push(tensor.to_vec());
            rest = after;
        }
        records.push(tensors);
    }
    Ok(records)
}

/// The type with a name as the cases spell it: `int8`, `float32`.
pub(crate) fn dtype_named(place: &str, name: &str) -> Result<Dtype, CaseError> {
    Dtype::ALL
        .iter()
        .copied()
        .find(|dtype| dtype.name().eq_ignore_ascii_case(name))
        .ok_or_else(|| CaseError::Description {
            place: place.to_owned(),
            found: name.to_owned(),
            expected: "an element type of the schema",
        })
}
