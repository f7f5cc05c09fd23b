//! What can be wrong with a file.

use ember_core::BuiltinOp;

use crate::schema::Place;

/// Why [`Model::parse`](crate::Model::parse) refuses a file: where, what was expected and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot hold even the header.
    #[error(
        "the file has {len} bytes, a .tflite header alone has 8: the file is empty or cut off; copy or convert the model again"
    )]
    TooShort {
        /// Bytes in the file.
        len: usize,
    },
    /// The file is longer than a flatbuffer can be.
    #[error("the file has {len} bytes, a .tflite file has at most 2147483647: shrink the model")]
    TooLong {
        /// Bytes in the file.
        len: usize,
    },
    /// Bytes 4 to 7 are not the identifier of the format.
    #[error(
        "bytes 4 to 7 are {found:?}, expected the identifier TFL3 (84, 70, 76, 51): this is not a .tflite file"
    )]
    Identifier {
        /// What stands there.
        found: [u8; 4],
    },
    /// The model follows another version of the schema.
    #[error("Model.version is {found}, expected 3: convert the model with TensorFlow 2")]
    Version {
        /// The version in the file.
        found: u32,
    },
    /// A part of the file is not laid out as a flatbuffer, or uses what Ember does not have.
    #[error("{place} (item {item} of its list), at byte {at}: {fault}")]
    Structure {
        /// The field whose content is wrong.
        place: Place,
        /// The position of the field's table, or of the nearest table around it, in its list.
        item: usize,
        /// Offset of the wrong bytes from the start of the file.
        at: usize,
        /// What is wrong.
        fault: StructureFault,
    },
    /// There is nothing to run.
    #[error(
        "Model.subgraphs is empty, expected at least the main subgraph: convert the model again"
    )]
    NoSubgraph,
    /// A number that should name an element of a list does not.
    #[error(
        "{place} (item {item} of its list), at byte {at}, is {found}, expected less than {limit}: the file is damaged; copy or convert the model again"
    )]
    Index {
        /// The field with the wrong number.
        place: Place,
        /// The position of the field's table in its list: which operator, tensor, metadata or signature entry it is.
        item: usize,
        /// Offset of the number from the start of the file.
        at: usize,
        /// The number in the file.
        found: i32,
        /// The length of the list.
        limit: usize,
    },
    /// An operator code names no operator.
    #[error("operator code {index} is {found}: {fault}")]
    OperatorCode {
        /// Index in `Model.operator_codes`.
        index: usize,
        /// The code in the file.
        found: i32,
        /// What is wrong.
        fault: OperatorCodeFault,
    },
    /// A tensor cannot be used.
    #[error("tensor {tensor} of subgraph {subgraph}: {fault}")]
    Tensor {
        /// Index in `Model.subgraphs`.
        subgraph: usize,
        /// Index in `SubGraph.tensors`.
        tensor: usize,
        /// What is wrong.
        fault: TensorFault,
    },
    /// An operator's options are of another operator's type.
    #[error(
        "operator {operator} of subgraph {subgraph} ({op}) has options of union type {found}, expected {expected}: the file is damaged, convert the model again"
    )]
    OptionsType {
        /// Index in `Model.subgraphs`.
        subgraph: usize,
        /// Index in `SubGraph.operators`.
        operator: usize,
        /// What the operator is.
        op: BuiltinOp,
        /// The code in the file, of the union `BuiltinOptions`.
        found: u8,
        /// The code that goes with the operator.
        expected: u8,
    },
    /// The arena plan in the metadata is not one.
    #[error(
        "metadata OfflineMemoryAllocation: {found} bytes, expected {expected} (12 + 4 per tensor of the subgraph it names): write the plan again"
    )]
    ArenaPlan {
        /// Bytes in the metadata.
        found: usize,
        /// Bytes that the plan's own header and the subgraph ask for.
        expected: usize,
    },
}

/// How a part of a file breaks the layout of flatbuffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StructureFault {
    /// The content, or the place that an offset names, is not within the file.
    #[error("lies outside the file, which is cut off or damaged; copy or convert the model again")]
    OutOfBounds,
    /// A number does not begin at a multiple of its size.
    #[error(
        "is not aligned to its size, expected of every number; the file is damaged, copy or convert the model again"
    )]
    Misaligned,
    /// The vtable has an impossible length.
    #[error(
        "the table has a vtable whose length is not an even number from 4; the file is damaged, copy or convert the model again"
    )]
    VTable,
    /// A string does not end in a zero byte.
    #[error(
        "is a string without its terminating zero; the file is damaged, copy or convert the model again"
    )]
    NotTerminated,
    /// A string is not UTF-8.
    #[error("is a string that is not UTF-8; give the model UTF-8 names and convert it again")]
    NotUtf8,
    /// A code is not one of the schema's.
    #[error("has a value that the schema does not know; convert the model for an older runtime")]
    Value,
    /// A list is longer than any runtime takes.
    #[error("is a list of more than 8 dimensions; use tensors of fewer dimensions")]
    TooMany,
    /// A union has a type but no content, or the reverse.
    #[error(
        "is a union with only one of type and content; the file is damaged, copy or convert the model again"
    )]
    Union,
    /// The same bytes are used again and again, so that the model would be far larger than its file.
    #[error(
        "is shared so often that the content is 64 times larger than the file; write the model without such sharing"
    )]
    Shared,
    /// External weights, a sparse tensor, quantization by blocks or by an own scheme.
    #[error(
        "is used, expected only dense constants inside the file, with scales and zero points; convert the model without this feature"
    )]
    Unsupported,
    /// An index is beyond its list: reported as [`ReadError::Index`].
    #[error("names no element of its list; the file is damaged, copy or convert the model again")]
    Index,
}

/// What is wrong with an operator code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorCodeFault {
    /// Not in the schema that Ember knows.
    #[error("no builtin operator has this code; convert the model for an older runtime")]
    Unknown,
    /// CUSTOM without a name.
    #[error("CUSTOM needs custom_code with the operator's name; convert the model again")]
    Unnamed,
}

/// What is wrong with a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorFault {
    /// A dimension is negative.
    #[error(
        "dimension {dimension} is {found}, expected 0 or more; convert the model with static shapes"
    )]
    NegativeDimension {
        /// Index of the dimension.
        dimension: usize,
        /// Its value.
        found: i32,
    },
    /// The elements do not fit into 2 GiB.
    #[error(
        "the product of its dimensions is more than 2147483647 elements or bytes; use smaller shapes"
    )]
    TooLarge,
    /// The constant bytes are not what type and shape ask for.
    #[error(
        "its buffer holds {found} bytes, type and shape ask for {expected}; convert the model again"
    )]
    DataLength {
        /// Bytes in the buffer.
        found: usize,
        /// Bytes of all elements.
        expected: usize,
    },
    /// Scales and zero points do not match each other or the shape.
    #[error(
        "it has {scales} scales and {zero_points} zero points, expected 1 or the channels of its quantized dimension of both; quantize the model again"
    )]
    QuantizationLength {
        /// The number of scales.
        scales: usize,
        /// The number of zero points.
        zero_points: usize,
    },
    /// A scale is negative or not a number.
    #[error("scale {index} is negative or not finite; quantize the model again")]
    Scale {
        /// Which scale.
        index: usize,
    },
    /// A zero point is outside the 32-bit integers.
    #[error("zero point {index} does not fit 32 bits; quantize the model again")]
    ZeroPoint {
        /// Which zero point.
        index: usize,
    },
}
