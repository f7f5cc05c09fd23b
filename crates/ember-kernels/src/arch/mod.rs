//! Inner loops that a processor can do better than portable code, chosen at compile time.
//!
//! Every variant gives what `portable` gives, to the byte for integers.

mod portable;

pub(crate) use portable::{dot_f32, dot_i8, dot_i16};
