//! The host runtime: model files mapped into memory, sessions, evaluation on many threads, latency.
//!
//! It runs the interpreter of `ember-micro`, the very code that runs on a chip: there is no second one. What it adds is
//! what a host has: files, an arena from the heap of exactly the bytes that the model needs, threads and a clock.
//!
//! ```
//! # fn classify(path: &std::path::Path, pixels: &[u8]) -> Result<Vec<u8>, ember_lite::LiteError> {
//! use ember_lite::MappedModel;
//!
//! let model = MappedModel::open(path)?;
//! let mut arena = model.arena()?;
//! let mut session = model.session(&mut arena)?;
//! let scores = session.run_image(pixels)?; // `pixels` are bytes 0..=255, as an image file has them
//! # Ok(scores.to_vec())
//! # }
//! ```

mod aligned;
mod arena_plan;
mod bench;
pub mod delegate;
mod diff;
mod dot;
mod error;
mod evaluate;
mod files;
mod image;
mod inspect;
mod map;
mod model;
mod names;
mod scores;
mod session;
mod strip;

pub use aligned::Arena;
pub use arena_plan::{ArenaPlan, PlannedTensor, SubgraphPlan};
pub use bench::{Latency, OperatorLatency, Profile, bench, profile};
pub use delegate::{
    Compiled, Declined, Delegate, Delegation, Interpreted, Left, Node, Partition, PlacedPartition,
    Simd,
};
pub use diff::{Difference, TensorDifference, diff};
pub use dot::dot;
pub use error::LiteError;
pub use evaluate::{EvaluateOptions, Evaluation, Images, evaluate};
pub use files::{FileOutput, Pixels, run_files};
pub use image::{ImageEncoder, quantize_pixel};
pub use inspect::{InspectedOperator, InspectedSubgraph, InspectedTensor, Inspection, Sizes};
pub use model::MappedModel;
pub use scores::argmax;
pub use session::{Element, Session};
pub use strip::{Kept, strip};
