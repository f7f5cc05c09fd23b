//! The verifier. It is run when a builder finishes, when a graph is read, and after every pass.
//!
//! It checks that
//!
//! - every name can stand in the text form and is unique;
//! - every extent is at least 1 and every product of extents can be counted;
//! - a constant has as many numbers as its shape says, all finite;
//! - the inputs are exactly the values whose source is an input, each once, with a batch of 1;
//! - every value that a node makes is made by exactly one node, no input or constant by any;
//! - values and nodes stand in the order in which they run: a node's operands come before its result, and the results
//!   of later nodes come later (so there is no cycle, and the text form gives back the very same graph);
//! - filters, weights, biases and the parameters of a batch norm are constants, and variances are not negative;
//! - operands fit their operator, attributes included, and every stored shape is the inferred one;
//! - there is at least one output, and all of them exist.

use std::collections::BTreeSet;

use crate::{Graph, GraphError, Node, Role, Source, Value, ValueId, builder::infer_node, shape};

/// Checks everything that the header of this file lists.
///
/// # Errors
/// The first fault found.
pub fn verify(graph: &Graph) -> Result<(), GraphError> {
    name(&graph.name)?;
    let mut names = BTreeSet::new();
    for each in &graph.values {
        value(each)?;
        if !names.insert(each.name.as_str()) {
            return Err(GraphError::DuplicateName {
                name: each.name.clone(),
            });
        }
    }
    inputs(graph)?;
    nodes(graph)?;
    if graph.outputs.is_empty() {
        return Err(GraphError::NoOutput {
            graph: graph.name.clone(),
        });
    }
    for id in &graph.outputs {
        get(graph, &graph.name, *id)?;
    }
    Ok(())
}

/// What is checked of a value by itself.
pub(crate) fn value(value: &Value) -> Result<(), GraphError> {
    name(&value.name)?;
    let Some(elements) = shape::elements(&value.shape) else {
        return Err(GraphError::Extent {
            value: value.name.clone(),
            shape: value.shape.clone(),
        });
    };
    let Source::Constant(numbers) = &value.source else {
        return Ok(());
    };
    if numbers.len() != elements {
        return Err(GraphError::ConstantLength {
            value: value.name.clone(),
            shape: value.shape.clone(),
            got: numbers.len(),
        });
    }
    match numbers.iter().position(|number| !number.is_finite()) {
        None => Ok(()),
        Some(position) => Err(GraphError::NotFinite {
            value: value.name.clone(),
            position,
            number: numbers[position],
        }),
    }
}

fn name(name: &str) -> Result<(), GraphError> {
    let usable = |c: char| !c.is_whitespace() && !c.is_control() && !",()[]=#".contains(c);
    if !name.is_empty() && name.chars().all(usable) {
        Ok(())
    } else {
        Err(GraphError::Name {
            name: name.to_owned(),
        })
    }
}

fn get<'a>(graph: &'a Graph, user: &str, id: ValueId) -> Result<&'a Value, GraphError> {
    graph.get(id).ok_or_else(|| GraphError::UnknownValue {
        user: user.to_owned(),
        index: id.index(),
        count: graph.values.len(),
    })
}

fn inputs(graph: &Graph) -> Result<(), GraphError> {
    let mut listed = BTreeSet::new();
    for id in &graph.inputs {
        let value = get(graph, &graph.name, *id)?;
        let wrong = |problem| {
            Err(GraphError::Inputs {
                value: value.name.clone(),
                problem,
            })
        };
        if value.source != Source::Input {
            return wrong("is listed, and is not an input");
        }
        if !listed.insert(*id) {
            return wrong("is listed twice");
        }
        if value.shape.first() != Some(&1) {
            return Err(GraphError::Batch {
                value: value.name.clone(),
                shape: value.shape.clone(),
            });
        }
    }
    let unlisted = graph
        .ids()
        .zip(&graph.values)
        .find(|(id, value)| value.source == Source::Input && !listed.contains(id));
    match unlisted {
        None => Ok(()),
        Some((_, value)) => Err(GraphError::Inputs {
            value: value.name.clone(),
            problem: "is an input, and is not listed",
        }),
    }
}

fn nodes(graph: &Graph) -> Result<(), GraphError> {
    let mut makers = vec![0_usize; graph.values.len()];
    let mut last: Option<ValueId> = None;
    for node in &graph.nodes {
        let output = get(graph, &graph.name, node.output)?;
        for id in &node.inputs {
            let operand = get(graph, &output.name, *id)?;
            let made = operand.source != Source::Node || makers[id.index()] > 0;
            if !made || *id >= node.output {
                return Err(GraphError::Order {
                    node: output.name.clone(),
                    operand: operand.name.clone(),
                });
            }
        }
        let inferred = infer_node(graph, &output.name, &node.op, &node.inputs)?;
        for (role, id) in node.op.operands().iter().zip(&node.inputs) {
            if *role != Role::Activation && graph.constant(*id).is_none() {
                return Err(GraphError::ParameterNotConstant {
                    node: output.name.clone(),
                    role: role.name(),
                    value: graph.values[id.index()].name.clone(),
                });
            }
        }
        variances(graph, node)?;
        if inferred != output.shape {
            return Err(GraphError::StoredShape {
                value: output.name.clone(),
                op: node.op.name(),
                stored: output.shape.clone(),
                inferred,
            });
        }
        makers[node.output.index()] += 1;
        if last.is_some_and(|last| last >= node.output) {
            return Err(GraphError::NodeOrder {
                node: output.name.clone(),
            });
        }
        last = Some(node.output);
    }
    for (value, makers) in graph.values.iter().zip(makers) {
        let expected = usize::from(value.source == Source::Node);
        if makers != expected {
            return Err(GraphError::Makers {
                value: value.name.clone(),
                makers,
                expected,
            });
        }
    }
    Ok(())
}

fn variances(graph: &Graph, node: &Node) -> Result<(), GraphError> {
    for (role, id) in node.op.operands().iter().zip(&node.inputs) {
        let (Role::Variance, Some(numbers)) = (role, graph.constant(*id)) else {
            continue;
        };
        if let Some(position) = numbers.iter().position(|number| *number < 0.0) {
            return Err(GraphError::NegativeVariance {
                value: graph.values[id.index()].name.clone(),
                position,
                number: numbers[position],
            });
        }
    }
    Ok(())
}
