//! Removes conversions between real numbers and integers that cancel: a dequantize of what a quantize made, and a quantize
//! of what a dequantize made.
//!
//! Such pairs stand in graphs that come from models with quantizers in between. In a float graph they change nothing;
//! which values become integers is decided by a recipe, and there conversions appear only where types meet.

use ember_graph::{Graph, Node, Op};

use super::{Pass, Patch};

/// Removes pairs of conversions that cancel.
pub struct CancelConversions;

impl Pass for CancelConversions {
    fn name(&self) -> &'static str {
        "cancel_conversions"
    }

    fn find(&self, graph: &Graph) -> Option<Patch> {
        graph.nodes.iter().find_map(|node| cancel(graph, node))
    }
}

fn cancel(graph: &Graph, second: &Node) -> Option<Patch> {
    let middle = *second.inputs.first()?;
    let first = graph.producer(middle)?;
    match (&first.op, &second.op) {
        (Op::Quantize, Op::Dequantize) | (Op::Dequantize, Op::Quantize) => {}
        _ => return None,
    }
    let input = *first.inputs.first()?;
    // An output of the model stays the result of a node of its own.
    let is_own = graph.producer(input).is_some() && !graph.outputs.contains(&input);
    if graph.outputs.contains(&second.output) && !is_own {
        return None;
    }
    let what = format!(
        "{} {:?} and {} {:?} cancel",
        first.op.name(),
        graph.get(middle)?.name,
        second.op.name(),
        graph.get(second.output)?.name
    );
    let patch = Patch::new(what)
        .redirect(second.output, input)
        .remove(second.output);
    Some(if graph.uses(middle) == 1 {
        patch.remove(middle)
    } else {
        patch
    })
}
