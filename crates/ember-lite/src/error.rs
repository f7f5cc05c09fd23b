//! What can go wrong on the host, each with its place and what to do about it.

use std::{io, path::PathBuf};

use ember_core::Dtype;
use ember_micro::{InvokeError, PrepareError};
use ember_tflite::{ReadError, write::WriteError};

/// An error of this crate. `model` is the file's path, or the name given to bytes that are no file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiteError {
    /// The file cannot be opened or mapped.
    #[error("{}: cannot be opened: {source}; check the path, or make the model with `cargo xtask quantize`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path is a folder or a device.
    #[error("{}: not a file, expected a .tflite model; give the path of the model itself", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The bytes are not a model.
    #[error("{model}: {source}")]
    Read {
        /// Which model.
        model: String,
        /// What is wrong where.
        source: ReadError,
    },
    /// The runtime cannot run the model.
    #[error("{model}: {source}")]
    Prepare {
        /// Which model.
        model: String,
        /// What is missing or wrong.
        source: PrepareError,
    },
    /// There is no kernel for a custom operator.
    #[error(
        "{model}: operator {index} is the custom operator {} on {dtype}, which there is no kernel for: implement ember_micro::Kernel and give it to MappedModel::with_kernels",
        .name.escape_debug()
    )]
    CustomOperator {
        /// Which model.
        model: String,
        /// Which operator, in the order of execution.
        index: u32,
        /// Its name in the file.
        name: String,
        /// The type of its first input.
        dtype: Dtype,
    },
    /// A run stopped.
    #[error("{model}: {source}")]
    Invoke {
        /// Which model.
        model: String,
        /// The operator and its fault.
        source: InvokeError,
    },
    /// A partition could not be run by its delegate.
    #[error(
        "{model}: delegate {delegate} failed on its partition of operators {operators:?}: {what}; run the model without this delegate"
    )]
    Delegate {
        /// Which model.
        model: String,
        /// The delegate's name.
        delegate: String,
        /// The partition's operators, by their numbers in the model.
        operators: Vec<usize>,
        /// What the delegate said.
        what: String,
    },
    /// Parts of the model are with delegates, so that its operators are not in it.
    #[error(
        "{model}: parts of it are with delegates; start from the model as it was, and name all delegates at once"
    )]
    Delegated {
        /// Which model.
        model: String,
    },
    /// The model cannot be taken apart and written again.
    #[error("{model}: {source}")]
    Write {
        /// Which model.
        model: String,
        /// What does not go.
        source: WriteError,
    },
    /// The model has another number of inputs or outputs than one of each.
    #[error(
        "{model}: has {inputs} inputs and {outputs} outputs, expected one of each; use Session::input, invoke and output"
    )]
    NotOneToOne {
        /// Which model.
        model: String,
        /// Inputs.
        inputs: usize,
        /// Outputs.
        outputs: usize,
    },
    /// There is no input or output with this number.
    #[error("{model}: has no {side} {index}; it has {count}")]
    NoSuchTensor {
        /// Which model.
        model: String,
        /// `"input"` or `"output"`.
        side: &'static str,
        /// The number asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A tensor is of another type than it was used as.
    #[error(
        "{model}: {side} {index} is {found}, not {asked}; use a run of the model's own type, or Session::input and output"
    )]
    Type {
        /// Which model.
        model: String,
        /// `"input"` or `"output"`.
        side: &'static str,
        /// Its number.
        index: usize,
        /// Its type.
        found: Dtype,
        /// The type asked for.
        asked: Dtype,
    },
    /// A tensor is of a type that pixels or scores are not made into.
    #[error(
        "{model}: {side} 0 is {found}, expected float32, int8, uint8 or int16 with scale and zero point; convert the model with such {side}s"
    )]
    NotForImages {
        /// Which model.
        model: String,
        /// `"input"` or `"output"`.
        side: &'static str,
        /// Its type.
        found: Dtype,
    },
    /// The number of values given is not that of the input.
    #[error("{model}: input {index} of shape {shape:?} takes {expected} values, got {given}")]
    InputLength {
        /// Which model.
        model: String,
        /// The input's number.
        index: usize,
        /// Its shape.
        shape: Vec<usize>,
        /// The values that it takes.
        expected: usize,
        /// The values that were given.
        given: usize,
    },
    /// A file of an input or an output cannot be read or written.
    #[error("{}: {source}; check the path", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There are not as many files as the model has inputs or outputs.
    #[error(
        "{model}: has {expected} {side}s, but {given} files were given; give one for each {side}, in the model's order"
    )]
    FileCount {
        /// Which model.
        model: String,
        /// `"input"` or `"output"`.
        side: &'static str,
        /// How many the model has.
        expected: usize,
        /// The files given.
        given: usize,
    },
    /// A file does not hold what an input takes.
    #[error("{}: has {given} bytes, but input {index} ({dtype} {shape:?}) takes {expected}; give its bytes, little-endian and row-major, or an image", path.display())]
    FileLength {
        /// The file.
        path: PathBuf,
        /// The input's number.
        index: usize,
        /// Its type.
        dtype: Dtype,
        /// Its shape.
        shape: Vec<usize>,
        /// The bytes that it takes.
        expected: usize,
        /// The bytes that the file gives.
        given: usize,
    },
    /// An image file cannot be read, or is of another size than the input.
    #[error("{}: {what}; images are PNG, JPEG, PGM or PPM", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The data set's images are not of the model's shape.
    #[error(
        "{model}: takes inputs of shape {shape:?} ({expected} values), but the images are {rows} × {cols} ({given} pixels); choose the data set that the model was trained on"
    )]
    ImageShape {
        /// Which model.
        model: String,
        /// Shape of the input.
        shape: Vec<usize>,
        /// The values that it takes.
        expected: usize,
        /// Rows of an image.
        rows: usize,
        /// Columns of an image.
        cols: usize,
        /// Pixels of an image.
        given: usize,
    },
    /// The data set does not fit together.
    #[error(
        "the images are {bytes} bytes, but {labels} labels with {rows} × {cols} pixels each need {expected}; read the data set again"
    )]
    ImageCount {
        /// Bytes of all images.
        bytes: usize,
        /// Number of labels.
        labels: usize,
        /// Rows of an image.
        rows: usize,
        /// Columns of an image.
        cols: usize,
        /// Bytes that the labels ask for.
        expected: usize,
    },
    /// There is nothing to evaluate.
    #[error("the data set has no images; an accuracy needs one at least")]
    NoImages,
    /// A label is no output of the model.
    #[error(
        "{model}: has {outputs} outputs, but image {image} has label {label}; choose the data set that the model was trained on"
    )]
    Label {
        /// Which model.
        model: String,
        /// Number of outputs.
        outputs: usize,
        /// Number of the image, from 0.
        image: usize,
        /// Its label.
        label: u8,
    },
    /// The evaluation was told to stop.
    #[error("stopped after {done} of {images} images; nothing was kept")]
    Stopped {
        /// Images done.
        done: usize,
        /// Images in all.
        images: usize,
    },
}
