//! A model as a graph for Graphviz.

use std::fmt::Write;

use ember_tflite::TensorId;

use crate::{LiteError, MappedModel, names};

/// The main subgraph in Graphviz's DOT language: boxes are operators with the bytes of their constants, edges are tensors
/// with type and shape, ellipses what the caller fills and reads. `dot -Tsvg` draws it.
///
/// # Errors
///
/// [`LiteError::Read`], which cannot happen unless the file was changed since it was opened.
pub fn dot(mapped: &MappedModel) -> Result<String, LiteError> {
    let model = mapped.model()?;
    let graph = model.main();
    let mut text = format!(
        "digraph {} {{\n  node [shape=box];\n",
        quoted(mapped.name())
    );
    // Who writes a tensor: the node that its edges come from.
    let mut writers: Vec<Option<String>> = vec![None; graph.tensor_count()];
    let mut write = |line: String| {
        // A String takes whatever is written.
        let _ = writeln!(text, "  {line}");
    };
    for (index, (id, tensor)) in names::present(&graph, graph.inputs()).enumerate() {
        let node = format!("in{index}");
        let label = quoted(&names::tensor(id, &tensor));
        write(format!("{node} [shape=ellipse, label={label}];"));
        set(&mut writers, id, node);
    }
    for (index, operator) in graph.operators().enumerate() {
        let node = format!("op{index}");
        let mut label = names::operator(&operator);
        let constants: usize = names::present(&graph, operator.inputs())
            .map(|(_, tensor)| tensor.data().len())
            .sum();
        if constants > 0 {
            label.push_str(&format!("\n{constants} bytes"));
        }
        write(format!("{node} [label={}];", quoted(&label)));
        for (id, tensor) in names::present(&graph, operator.inputs()) {
            if let Some(Some(writer)) = writers.get(id.0 as usize) {
                let kind = names::kind(tensor.dtype(), &tensor.shape().iter().collect::<Vec<_>>());
                write(format!("{writer} -> {node} [label={}];", quoted(&kind)));
            }
        }
        for (id, _) in names::present(&graph, operator.outputs()) {
            set(&mut writers, id, node.clone());
        }
    }
    for (index, (id, tensor)) in names::present(&graph, graph.outputs()).enumerate() {
        let label = quoted(&names::tensor(id, &tensor));
        write(format!("out{index} [shape=ellipse, label={label}];"));
        if let Some(Some(writer)) = writers.get(id.0 as usize) {
            let kind = names::kind(tensor.dtype(), &tensor.shape().iter().collect::<Vec<_>>());
            write(format!("{writer} -> out{index} [label={}];", quoted(&kind)));
        }
    }
    text.push_str("}\n");
    Ok(text)
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
