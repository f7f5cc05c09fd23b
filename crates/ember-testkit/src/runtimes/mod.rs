//! The runtimes under test: one file and one row each.

mod lite;
mod micro;

use crate::runtime::Runtime;

/// Every runtime; each runs every case.
pub const ALL: &[&dyn Runtime] = &[&micro::Micro, &lite::Lite];

/// The largest arena given, in bytes: far above what the cases need, far below what a damaged shape may ask for.
pub(crate) const ARENA_LIMIT: usize = 4 << 20;
