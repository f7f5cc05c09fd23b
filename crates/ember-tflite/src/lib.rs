//! The `.tflite` file format: a checked reader, and a writer.
//!
//! The reader goes over a file once ([`Model::parse`]) and then gives access in place: no copies, no allocation, no
//! panics, no unsafe code, nothing but `core`. The writer (feature `write`) turns a `write::ModelSpec`
//! into bytes with the official flatbuffers crate and the same table of slots that the reader uses.
//!
//! ```
//! use ember_tflite::{Conv2dOptions, Model};
//!
//! let bytes = include_bytes!("../fuzz/corpus/read/cnn_int8.tflite");
//! let model = Model::parse(bytes)?;
//! let graph = model.main();
//! let input = graph.inputs().get(0).and_then(|id| graph.tensor(id)).unwrap();
//! assert_eq!(input.shape().to_array(), Some([1, 6, 6, 1]));
//! let first = graph.operator(0).unwrap();
//! assert_eq!(first.options_as::<Conv2dOptions>().unwrap().stride_h, 1);
//!
//! let error = Model::parse(b"not a model").err().unwrap();
//! assert!(error.to_string().contains("not a .tflite file"));
//! # Ok::<(), ember_tflite::ReadError>(())
//! ```
//!
//! Most tests need the writer: `cargo test -p ember-tflite --features write`. Those over the models of others need
//! `EMBER_CASES_DIR`, a folder of folders with a `model.tflite` each.

#![no_std]
// The reader meets bytes of unknown origin on a device without an operator: no path through it may panic.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used,
    )
)]

#[cfg(any(feature = "write", test))]
extern crate std;

mod error;
mod flat;
mod flexbuffer;
mod meaning;
mod metadata;
mod model;
mod options;
mod schema;
mod structure;
mod tensor;
mod utf8;
mod walk;
#[cfg(feature = "write")]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "the writer runs on a host and works on what its caller owns"
)]
pub mod write;

pub use error::{OperatorCodeFault, ReadError, StructureFault, TensorFault};
pub use flat::{List, ListIter, Scalar};
pub use flexbuffer::FlexMap;
pub use metadata::{
    ArenaPlan, DECODE, ETHOS_U, ETHOS_U_ARENA, ETHOS_U_FAST, PLAN, RUNTIME_VERSION, UNPLANNED,
};
pub use model::{Model, OpCode, Operator, Signature, Subgraph, SubgraphId, TensorId, TensorIds};
pub use options::{
    AddOptions, BatchMatMulOptions, CallOnceOptions, ConcatenationOptions, Conv2dOptions,
    CumsumOptions, DepthToSpaceOptions, DepthwiseConv2dOptions, Dims, DivOptions,
    FullyConnectedOptions, GatherOptions, IfOptions, L2NormOptions, LeakyReluOptions, MAX_DIMS,
    MirrorPadMode, MirrorPadOptions, MulOptions, Options, OptionsTable, PackOptions, Pool2dOptions,
    RawOptions, ReducerOptions, ReshapeOptions, ResizeBilinearOptions,
    ResizeNearestNeighborOptions, ShapeOptions, SoftmaxOptions, SpaceToDepthOptions, SplitOptions,
    SplitVOptions, StridedSliceOptions, SubOptions, SvdfOptions, TransposeConvOptions,
    UnidirectionalSequenceLstmOptions, UnpackOptions, WeightsFormat, WhileOptions,
};
pub use schema::Place;
pub use tensor::{Quantization, Shape, Tensor};
pub use walk::walk;
