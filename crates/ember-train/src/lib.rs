//! Training in Burn, driven by the graph: what goes in is an untrained [`Graph`](ember_graph::Graph), what comes out is
//! the same graph with trained constants.
//!
//! **Invariants:** no other crate names Burn, but `ember-gpu` its tensors; the same seed on the same machine gives the same
//! bits, whatever the number of threads and however often the training was interrupted.

mod backend;
pub mod compression;
mod error;
mod examples;
mod fake_quantize;
mod file;
mod held;
pub mod host;
mod init;
pub mod job;
mod kernels;
mod network;
mod norms;
mod ops;
mod optimizer;
mod random;
mod record;
mod score;
mod settings;
mod state;
mod trainer;
mod windows;

pub use backend::Backend;
pub use compression::Compression;
pub use error::TrainError;
pub use init::initialize;
pub use network::Network;
pub use norms::Prepared;
pub use record::{EpochRecord, OtherTest, RECORD_FILE, TrainingRecord};
pub use score::Score;
pub use settings::Settings;
pub use trainer::{Observer, Outcome, Trainer};
