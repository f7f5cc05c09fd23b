//! MNIST and other IDX data sets, and synthetic digits.
//!
//! [`load`] turns what the user asked for ([`DatasetSource`]) into a [`Dataset`]: from a folder, from the network, or
//! drawn. Progress is reported through a callback; this crate writes nothing to the terminal.

mod dataset;
mod download;
mod error;
mod folder;
pub mod idx;
mod load;
mod manifest;
mod rng;
mod source;
mod synthetic;

pub use dataset::{Dataset, Split};
pub use error::DataError;
pub use load::{Event, LoadOptions, Loaded, find_mnist, load};
pub use rng::Rng;
pub use source::DatasetSource;
pub use synthetic::SyntheticOptions;

/// Lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
