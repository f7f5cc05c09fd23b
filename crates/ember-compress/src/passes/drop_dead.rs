//! Removes constants and nodes that no output needs. Inputs stay: they are the model's interface.

use std::collections::BTreeSet;

use ember_graph::{Graph, Source, ValueId};

use super::{Pass, Patch};

/// Removes constants and nodes that no output needs.
pub struct DropDead;

impl Pass for DropDead {
    fn name(&self) -> &'static str {
        "drop_dead"
    }

    fn find(&self, graph: &Graph) -> Option<Patch> {
        let mut live: BTreeSet<ValueId> = graph.outputs.iter().copied().collect();
        for node in graph.nodes.iter().rev() {
            if live.contains(&node.output) {
                live.extend(node.inputs.iter().copied());
            }
        }
        let dead: Vec<(ValueId, &str)> = graph
            .ids()
            .zip(&graph.values)
            .filter(|(id, value)| !live.contains(id) && value.source != Source::Input)
            .map(|(id, value)| (id, value.name.as_str()))
            .collect();
        if dead.is_empty() {
            return None;
        }
        let names: Vec<&str> = dead.iter().map(|(_, name)| *name).collect();
        let patch = Patch::new(format!(
            "{} removed: no output needs them",
            names.join(", ")
        ));
        Some(dead.iter().fold(patch, |patch, (id, _)| patch.remove(*id)))
    }
}
