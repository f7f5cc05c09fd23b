//! The passes over a float graph, one file each, and the list that is the pipeline.
//!
//! A pass looks for one place where it applies and says how to rewrite it; the driver applies that, verifies the graph,
//! and asks again until nothing is left to do. A pass never changes what the model computes.

mod drop_dead;
mod fuse_activation;
mod merge_reshapes;
mod patch;

pub use drop_dead::DropDead;
pub use fuse_activation::FuseActivation;
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

/// The pipeline, in the order in which the passes run.
pub const PIPELINE: &[&dyn Pass] = &[&DropDead, &MergeReshapes, &FuseActivation];

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

/// Runs these passes, each until it has nothing left to do.
///
/// # Errors
/// When the graph is not valid. When a pass made an invalid graph or does not come to an end, with the pass.
pub fn run(graph: &Graph, passes: &[&dyn Pass]) -> Result<(Graph, Vec<Change>), CompressError> {
    verify(graph)?;
    let mut graph = graph.clone();
    let mut changes = Vec::new();
    for pass in passes {
        // No rule applies to a value more than a few times: every rewrite leaves less behind.
        let limit = 4 * graph.values.len();
        let mut count = 0;
        while let Some(patch) = pass.find(&graph) {
            if count == limit {
                return Err(CompressError::Endless {
                    pass: pass.name(),
                    changes: count,
                });
            }
            count += 1;
            let what = patch.what().to_owned();
            graph = patch.apply(&graph);
            verify(&graph).map_err(|problem| CompressError::Pass {
                pass: pass.name(),
                problem,
            })?;
            changes.push(Change {
                pass: pass.name(),
                what,
            });
        }
    }
    Ok((graph, changes))
}
