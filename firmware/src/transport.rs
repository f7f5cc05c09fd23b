//! What carries the bytes between host and device.

use ember_link::{Sink, Source};

/// A carrier in both directions.
pub trait Transport: Source<Error = TransportError> + Sink<Error = TransportError> {}

impl<T: Source<Error = TransportError> + Sink<Error = TransportError>> Transport for T {}

/// A carrier failed; the code is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportError(pub u32);
