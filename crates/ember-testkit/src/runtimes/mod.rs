//! The runtimes under test: one file and one row each.

mod lite;
mod micro;

use ember_micro::ops::control_flow::While;
use ember_micro::{Registration, registry};

use crate::runtime::Runtime;

/// Every runtime; each runs every case.
pub const ALL: &[&dyn Runtime] = &[
    &micro::Micro {
        registry: registry::ALL,
    },
    &lite::Lite { kernels: &[] },
];

/// Every runtime, with loops that stop after a thousand rounds: for damaged models, many of which go round without an end.
pub const OF_SHORT_LOOPS: &[&dyn Runtime] = &[
    &micro::Micro {
        registry: &SHORT_LOOPS_FIRST,
    },
    &lite::Lite {
        kernels: SHORT_LOOPS,
    },
];

const SHORT_LOOPS: &[Registration] = &[Registration::of::<While<1000>>()];

static SHORT_LOOPS_FIRST: [Registration; registry::ALL.len() + 1] =
    registry::joined(&[SHORT_LOOPS, registry::ALL]);

/// The largest arena given, in bytes: far above what the cases need, far below what a damaged shape may ask for.
pub(crate) const ARENA_LIMIT: usize = 4 << 20;
