//! The runtimes under test: one file and one row each.

mod micro;

use crate::runtime::Runtime;

/// Every runtime; each runs every case.
pub const ALL: &[&dyn Runtime] = &[&micro::Micro];
