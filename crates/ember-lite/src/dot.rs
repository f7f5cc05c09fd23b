//! A model as a graph for Graphviz.

use std::fmt::Write;

use ember_micro::{called_by, reached};
use ember_tflite::{Subgraph, SubgraphId, TensorId};

use crate::{LiteError, MappedModel, names};

/// The model in Graphviz's DOT language: boxes are operators with the bytes of their constants, edges are tensors with type and
/// shape, ellipses what the caller fills and reads. Each subgraph that operators call is a box around its own, and dashed
/// edges lead there. `dot -Tsvg` draws it.
///
/// # Errors
///
/// [`LiteError::Read`], which cannot happen unless the file was changed since it was opened.
pub fn dot(mapped: &MappedModel) -> Result<String, LiteError> {
    let model = mapped.model()?;
    let mut text = format!("digraph {} {{\n", quoted(mapped.name()));
    let reached = reached(&model);
    if reached.len() > 1 {
        // So that an edge can end at the box of a subgraph.
        text.push_str("  compound=true;\n");
    }
    text.push_str("  node [shape=box];\n");
    for id in reached {
        let Some(graph) = model.subgraph(id) else {
            continue;
        };
        if id == SubgraphId::MAIN {
            write_graph(&mut text, &graph, "");
            continue;
        }
        let (number, prefix) = (id.0, prefix(id));
        let label = quoted(format!("subgraph {number} {}", graph.name()).trim_end());
        // A String takes whatever is written.
        let _ = writeln!(text, "  subgraph cluster_{number} {{\n  label={label};");
        // Callers need a node to point to, also where there is none.
        let _ = writeln!(text, "  {prefix}begin [shape=point];");
        write_graph(&mut text, &graph, &prefix);
        text.push_str("  }\n");
    }
    text.push_str("}\n");
    Ok(text)
}

/// What the names of a subgraph's nodes begin with.
fn prefix(id: SubgraphId) -> String {
    match id {
        SubgraphId::MAIN => String::new(),
        SubgraphId(number) => format!("g{number}_"),
    }
}

fn write_graph(text: &mut String, graph: &Subgraph<'_>, prefix: &str) {
    // Who writes a tensor: the node that its edges come from.
    let mut writers: Vec<Option<String>> = vec![None; graph.tensor_count()];
    let mut write = |line: String| {
        // A String takes whatever is written.
        let _ = writeln!(text, "  {line}");
    };
    for (index, (id, tensor)) in names::present(graph, graph.inputs()).enumerate() {
        let node = format!("{prefix}in{index}");
        let label = quoted(&names::tensor(id, &tensor));
        write(format!("{node} [shape=ellipse, label={label}];"));
        set(&mut writers, id, node);
    }
    for (index, operator) in graph.operators().enumerate() {
        let node = format!("{prefix}op{index}");
        let mut label = names::operator(&operator);
        let constants: usize = names::present(graph, operator.inputs())
            .map(|(_, tensor)| tensor.data().len())
            .sum();
        if constants > 0 {
            label.push_str(&format!("\n{constants} bytes"));
        }
        if let Some((_, variable)) = operator.variable() {
            label.push_str(&format!("\n{}", String::from_utf8_lossy(variable)));
        }
        write(format!("{node} [label={}];", quoted(&label)));
        for called in called_by(&operator) {
            let begin = self::prefix(called);
            let number = called.0;
            if !begin.is_empty() {
                write(format!(
                    "{node} -> {begin}begin [style=dashed, lhead=cluster_{number}];"
                ));
            }
        }
        for (id, tensor) in names::present(graph, operator.inputs()) {
            if let Some(Some(writer)) = writers.get(id.0 as usize) {
                let kind = names::kind(tensor.dtype(), &tensor.shape().iter().collect::<Vec<_>>());
                write(format!("{writer} -> {node} [label={}];", quoted(&kind)));
            }
        }
        for (id, _) in names::present(graph, operator.outputs()) {
            set(&mut writers, id, node.clone());
        }
    }
    for (index, (id, tensor)) in names::present(graph, graph.outputs()).enumerate() {
        let label = quoted(&names::tensor(id, &tensor));
        write(format!(
            "{prefix}out{index} [shape=ellipse, label={label}];"
        ));
        if let Some(Some(writer)) = writers.get(id.0 as usize) {
            let kind = names::kind(tensor.dtype(), &tensor.shape().iter().collect::<Vec<_>>());
            write(format!(
                "{writer} -> {prefix}out{index} [label={}];",
                quoted(&kind)
            ));
        }
    }
}

fn set(writers: &mut [Option<String>], id: TensorId, node: String) {
    if let Some(writer) = writers.get_mut(id.0 as usize) {
        *writer = Some(node);
    }
}

/// A string of the DOT language: in quotes, with those inside and backslashes escaped.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}
