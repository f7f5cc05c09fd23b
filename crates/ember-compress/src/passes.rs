//! The passes over a float graph, one file each, and the list that is the pipeline.
//!
//! A pass looks for one place where it applies and says how to rewrite it; the driver applies that, verifies the graph,
//! and asks again until nothing is left to do. A pass never changes what the model computes; those that fold
//! numbers together round once where the model rounded twice.

mod cancel_conversions;
mod drop_dead;
mod fold_batch_norm;
mod fold_constants;
mod fuse_activation;
mod lower_batch_norm;
mod merge_pad;
mod merge_reshapes;
mod patch;

pub use cancel_conversions::CancelConversions;
pub use drop_dead::DropDead;
pub use fold_batch_norm::FoldBatchNorm;
pub use fold_constants::FoldConstants;
pub use fuse_activation::FuseActivation;
pub use lower_batch_norm::LowerBatchNorm;
pub use merge_pad::MergePad;
pub use merge_reshapes::MergeReshapes;
pub use patch::Patch;

use ember_graph::{Graph, verify};

use crate::CompressError;

/// One rewriting rule.
pub trait Pass: Sync {
    /// The name in reports and errors: that of its file.
    fn name(&self) -> &'static str;

    /// The first place where the rule applies in a valid graph, and how to rewrite it; `None` when there is none.
    fn find(&self, graph: &Graph) -> Option<Patch>;
}

/// The pipeline, in the order in which the passes run, again from the start while one of them found something.
pub const PIPELINE: &[&dyn Pass] = &[
    &FoldConstants,
    &CancelConversions,
    &FoldBatchNorm,
    &MergePad,
    &LowerBatchNorm,
    &MergeReshapes,
    &FuseActivation,
    &DropDead,
];

/// One rewrite that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The pass that made it.
    pub pass: &'static str,
    /// What it did, with the names of the values.
    pub what: String,
}

/// Runs the [`PIPELINE`]: the graph that computes the same with less, and what was done.
///
/// # Errors
/// When the graph is not valid. When a pass made an invalid graph, with the pass.
pub fn optimize(graph: &Graph) -> Result<(Graph, Vec<Change>), CompressError> {
    run(graph, PIPELINE)
}

/// Runs these passes in this order, each until it has nothing left to do, and again while one of them found something.
///
/// # Errors
/// When the graph is not valid. When a pass made an invalid graph or does not come to an end, with the pass.
pub fn run(graph: &Graph, passes: &[&dyn Pass]) -> Result<(Graph, Vec<Change>), CompressError> {
    verify(graph)?;
    let mut graph = graph.clone();
    let mut changes = Vec::new();
    // No rule applies to a value more than a few times: every rewrite leaves less behind.
    let limit = 4 * graph.values.len();
    for _ in 0..=limit {
        let before = changes.len();
        for pass in passes {
            exhaust(&mut graph, *pass, limit, &mut changes)?;
        }
        if changes.len() == before {
            return Ok((graph, changes));
        }
    }
    Err(CompressError::Endless {
        pass: changes.last().map_or("", |change| change.pass),
        changes: changes.len(),
    })
}

/// Applies one pass until it has nothing left to do.
fn exhaust(
    graph: &mut Graph,
    pass: &dyn Pass,
    limit: usize,
    changes: &mut Vec<Change>,
) -> Result<(), CompressError> {
    let mut count = 0;
    while let Some(patch) = pass.find(graph) {
        if count == limit {
            return Err(CompressError::Endless {
                pass: pass.name(),
                changes: count,
            });
        }
        count += 1;
        *graph = patch.apply(graph);
        verify(graph).map_err(|problem| CompressError::Pass {
            pass: pass.name(),
            problem,
        })?;
        changes.push(Change {
            pass: pass.name(),
            what: patch.what().to_owned(),
        });
    }
    Ok(())
}
