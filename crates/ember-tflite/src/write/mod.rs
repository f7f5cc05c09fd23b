//! Writing `.tflite` files (feature `write`).
//!
//! A [`ModelSpec`] owns everything that a file says; [`write()`] lays it out with the official flatbuffers builder, in the
//! slots of the same tables that the reader reads. What comes out has passed [`Model::parse`](crate::Model::parse), so
//! an impossible spec is an error here and not on the device. The same spec always gives the same bytes.
//!
//! ```
//! use ember_core::{BuiltinOp, Dtype};
//! use ember_tflite::Model;
//! use ember_tflite::write::{ModelSpec, OperatorSpec, QuantizationSpec, TensorSpec, write};
//! use ember_tflite::SoftmaxOptions;
//!
//! let mut spec = ModelSpec::default();
//! let int8 = |name, scale| {
//!     TensorSpec::new(name, Dtype::Int8, [1, 10]).with_quantization(QuantizationSpec::per_tensor(scale, -128))
//! };
//! let logits = spec.push_tensor(int8("logits", 0.5));
//! let scores = spec.push_tensor(int8("scores", 1.0 / 256.0));
//! let softmax = SoftmaxOptions { beta: 1.0 };
//! spec.operators.push(OperatorSpec::new(BuiltinOp::Softmax, [logits], [scores], softmax).with_version(2));
//! (spec.inputs, spec.outputs) = (vec![logits], vec![scores]);
//! spec.set_min_runtime_version("1.14.0");
//! let bytes = write(&spec)?;
//! assert_eq!(Model::parse(&bytes)?.min_runtime_version(), Some("1.14.0"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod file;
mod from_model;
mod layout;
mod official;
mod part;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod refusals;
mod spec;
mod stored;

pub use file::write;
pub use official::verify;
pub use spec::{
    ModelSpec, OperatorSpec, QuantizationSpec, SignatureSpec, SubgraphSpec, TensorSpec,
    VariableSpec,
};
pub use stored::{StoreFault, StoredForm};

use std::string::String;

use ember_core::BuiltinOp;

use crate::error::ReadError;

/// Why a model cannot be written, or a file cannot be taken over into a [`ModelSpec`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A dimension does not fit the 32 bits that the file has for it.
    #[error(
        "tensor {tensor} ({name:?}): dimension {dimension} is {found}, a file has at most 2147483647: use smaller shapes"
    )]
    Dimension {
        /// Index in [`ModelSpec::tensors`].
        tensor: usize,
        /// Its name.
        name: String,
        /// Index of the dimension.
        dimension: usize,
        /// Its value.
        found: usize,
    },
    /// A constant without bytes: a file cannot tell it from a tensor that is computed.
    #[error(
        "tensor {tensor} ({name:?}) is a constant of 0 bytes, a file cannot express that: leave its data out"
    )]
    EmptyConstant {
        /// Index in [`ModelSpec::tensors`].
        tensor: usize,
        /// Its name.
        name: String,
    },
    /// The options are not those of the operator.
    #[error("operator {operator} ({op}) has options of union type {found}, the operator takes {}: give it its own options", Expected(*expected))]
    Options {
        /// Index in [`ModelSpec::operators`].
        operator: usize,
        /// What the operator is.
        op: BuiltinOp,
        /// The code of the options' type.
        found: u8,
        /// The code of the type that the operator takes.
        expected: Option<u8>,
    },
    /// Weights cannot be stored in the form that was asked for.
    #[error("tensor {tensor} ({name:?}) cannot be stored so: {fault}")]
    Store {
        /// Index in [`ModelSpec::tensors`].
        tensor: usize,
        /// Its name.
        name: String,
        /// Why not.
        fault: StoreFault,
    },
    /// The file would be longer than a flatbuffer can be.
    #[error(
        "the constants have {bytes} bytes together, a file has at most 2147483647: shrink the model"
    )]
    TooLarge {
        /// Bytes of all constants.
        bytes: usize,
    },
    /// An operator that is no VAR_HANDLE has a variable.
    #[error("operator {operator} ({op}) has a variable, which only VAR_HANDLE has: leave it out")]
    Variable {
        /// Index in the subgraph.
        operator: usize,
        /// What the operator is.
        op: BuiltinOp,
    },
    /// The file has options that the spec would lose.
    #[error(
        "operator {operator} ({op}) has options of union type {code}, which are not read yet: add their row to options.rs"
    )]
    UnreadOptions {
        /// Index in the subgraph.
        operator: usize,
        /// What the operator is.
        op: BuiltinOp,
        /// The code of the options' type.
        code: u8,
    },
    /// The file would not be accepted by the reader.
    #[error("the model cannot be written: {0}")]
    Rejected(#[from] ReadError),
}

/// The code of an options type, or that there is none.
struct Expected(Option<u8>);

impl core::fmt::Display for Expected {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Some(code) => write!(f, "type {code}"),
            None => f.write_str("none"),
        }
    }
}
