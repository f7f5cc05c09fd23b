//! Passes: one file each with text in and text out, and what holds for the whole pipeline on random graphs.

mod cancel_conversions;
mod drop_dead;
mod fold_batch_norm;
mod fold_constants;
mod fuse_activation;
mod lower_batch_norm;
mod merge_pad;
mod merge_reshapes;
mod pipeline;

use ember_compress::passes::{Pass, run};
use ember_graph::text::{Constants, parse, print};

/// Runs one pass on `before` and compares with `after`, both in text form, and with what the pass says it did.
fn check(pass: &dyn Pass, before: &str, after: &str, said: &[&str]) {
    let (found, changes) = run(&parse(before).unwrap(), &[pass]).unwrap();
    let expected = print(&parse(after).unwrap(), Constants::Inline);
    assert_eq!(print(&found, Constants::Inline), expected);
    let found: Vec<&str> = changes.iter().map(|change| change.what.as_str()).collect();
    assert_eq!(found, said);
}

/// Runs one pass on a graph that it must leave alone.
fn unchanged(pass: &dyn Pass, text: &str) {
    check(pass, text, text, &[]);
}
