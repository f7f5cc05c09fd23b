//! What a compression did to the weights of a model and what it cost, in few numbers: per tensor the elements, the zeros,
//! the different numbers, the bytes before and after, and how much of the weights' signal is left.
//!
//! Biases are left out: no compression touches them.

use std::collections::BTreeSet;
use std::fmt;

use ember_graph::{Elements, Graph, Node, QuantizedGraph, QuantizedSource, Role, ValueId};
use serde::{Deserialize, Serialize};

use crate::CompressError;
use crate::debug::Sums;
use crate::describe::bits;
use crate::quantize::{Channels, channel_axis};

/// One tensor of weights as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weights {
    /// The type of its elements.
    pub dtype: String,
    /// How many there are.
    pub elements: usize,
    /// How many of them are 0.
    pub zeros: usize,
    /// How many different ones there are.
    pub distinct: usize,
    /// How many different ones there are in the output channel that has most: what shares a scale, and a look-up table.
    pub distinct_in_channel: usize,
    /// Bytes that they take.
    pub bytes: usize,
}

impl Weights {
    /// The share of elements that are 0, in 0..=1; 0 of a tensor without elements.
    #[must_use]
    pub fn sparsity(&self) -> f64 {
        share(self.zeros, self.elements)
    }
}

/// One tensor of weights before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightChange {
    /// Its name in the float graph.
    pub tensor: String,
    /// As it was trained.
    pub before: Weights,
    /// As it is now.
    pub after: Weights,
    /// Signal to noise of the real numbers that it stands for, `10 log10(Σ before² / Σ (before - after)²)`, in decibels; none
    /// where nothing changed, and where channels are gone, so that there is nothing to compare.
    pub snr_db: Option<f64>,
}

/// Every tensor of weights of a model before and after, in the order in which the layers run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The tensors.
    pub tensors: Vec<WeightChange>,
}

/// All tensors together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// How many elements there are.
    pub elements: usize,
    /// How many of them are 0.
    pub zeros: usize,
    /// Bytes that they take.
    pub bytes: usize,
}

impl Total {
    /// The share of elements that are 0, in 0..=1; 0 of a model without weights.
    #[must_use]
    pub fn sparsity(&self) -> f64 {
        share(self.zeros, self.elements)
    }
}

/// What pruning, clustering or training did to the weights of a float graph.
///
/// # Errors
/// When `before` is not valid; when a layer of it is not in `after`, which was made of another graph then.
pub fn of_graph(before: &Graph, after: &Graph) -> Result<Summary, CompressError> {
    summarize(before, |output, position| {
        let node = after
            .nodes
            .iter()
            .find(|node| after.values[node.output.index()].name == output)?;
        let id = *node.inputs.get(position)?;
        let numbers = after.constant(id)?;
        Some(After {
            id,
            elements: Elements::Float32(numbers.to_vec()),
            shape: after.values[id.index()].shape.clone(),
            real: numbers.to_vec(),
        })
    })
}

/// What quantization did to the weights of a float graph, with all that was done to the graph since `before`.
///
/// # Errors
/// When `before` is not valid; when a layer of it is not in `after`, which was made of another graph then.
pub fn of_quantized(before: &Graph, after: &QuantizedGraph) -> Result<Summary, CompressError> {
    let real = after.dequantize();
    summarize(before, |output, position| {
        let node = after
            .nodes()
            .iter()
            .find(|node| after.value(node.output).name == output)?;
        let id = *node.inputs.get(position)?;
        let value = after.value(id);
        let QuantizedSource::Constant(elements) = &value.source else {
            return None;
        };
        Some(After {
            id,
            elements: elements.clone(),
            shape: value.shape.clone(),
            real: real.constant(id)?.to_vec(),
        })
    })
}

impl Summary {
    /// Sets the bytes of tensors that are stored in fewer than their elements have, by name: what the writer of a compressed
    /// file says. Names that are not of this summary are left out.
    pub fn set_stored_bytes<'a>(&mut self, stored: impl IntoIterator<Item = (&'a str, usize)>) {
        for (name, bytes) in stored {
            let tensors = self.tensors.iter_mut();
            for tensor in tensors.filter(|tensor| tensor.tensor == name) {
                tensor.after.bytes = bytes;
            }
        }
    }

    /// All tensors before.
    #[must_use]
    pub fn before(&self) -> Total {
        total(self.tensors.iter().map(|tensor| &tensor.before))
    }

    /// All tensors after.
    #[must_use]
    pub fn after(&self) -> Total {
        total(self.tensors.iter().map(|tensor| &tensor.after))
    }
}

/// One line per tensor and one for all, as a command shows them.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.tensors.iter().map(|tensor| tensor.tensor.len());
        let room = names.max().unwrap_or(0).max("all".len());
        for WeightChange {
            tensor,
            before,
            after,
            snr_db,
        } in &self.tensors
        {
            write!(f, "{tensor:room$}  ")?;
            changed(f, before.elements, after.elements, " weights")?;
            write!(f, ", {:.1} % zero, ", after.sparsity() * 100.0)?;
            changed(f, before.distinct, after.distinct, " values, ")?;
            changed(f, before.bytes, after.bytes, " bytes")?;
            write!(f, " of {}", after.dtype)?;
            match snr_db {
                Some(snr_db) => writeln!(f, ", {snr_db:.1} dB")?,
                None if before.elements == after.elements => writeln!(f, ", nothing lost")?,
                None => writeln!(f)?,
            }
        }
        let (before, after) = (self.before(), self.after());
        write!(f, "{:room$}  ", "all")?;
        changed(f, before.elements, after.elements, " weights")?;
        write!(f, ", {:.1} % zero, ", after.sparsity() * 100.0)?;
        changed(f, before.bytes, after.bytes, " bytes")?;
        let percent = share(after.bytes, before.bytes) * 100.0;
        write!(f, " ({percent:.1} %)")
    }
}

/// `72 -> 36 weights`, or `72 weights` where it is the same.
fn changed(f: &mut fmt::Formatter<'_>, before: usize, after: usize, unit: &str) -> fmt::Result {
    if before != after {
        write!(f, "{before} -> ")?;
    }
    write!(f, "{after}{unit}")
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn total<'a>(tensors: impl Iterator<Item = &'a Weights>) -> Total {
    let none = Total {
        elements: 0,
        zeros: 0,
        bytes: 0,
    };
    tensors.fold(none, |total, tensor| Total {
        elements: total.elements + tensor.elements,
        zeros: total.zeros + tensor.zeros,
        bytes: total.bytes + tensor.bytes,
    })
}

/// The weights of a layer after the compression.
struct After {
    id: ValueId,
    elements: Elements,
    shape: Vec<usize>,
    /// What the elements stand for.
    real: Vec<f32>,
}

/// `find` gives the weights of the layer whose result has this name, at this position of its operands.
fn summarize(
    before: &Graph,
    find: impl Fn(&str, usize) -> Option<After>,
) -> Result<Summary, CompressError> {
    ember_graph::verify(before)?;
    let mut tensors = Vec::new();
    let mut seen = Vec::new();
    for node in &before.nodes {
        let output = &before.values[node.output.index()].name;
        let operands = node.op.operands().iter().zip(&node.inputs);
        for (position, (role, id)) in operands.enumerate() {
            if !matches!(role, Role::Filter | Role::Weights) {
                continue;
            }
            let id = *id;
            let (Some(numbers), Some(after)) = (before.constant(id), find(output, position)) else {
                return Err(CompressError::OtherGraph {
                    value: output.clone(),
                });
            };
            // Layers can share their weights.
            if seen.contains(&(id, after.id)) {
                continue;
            }
            seen.push((id, after.id));
            let value = &before.values[id.index()];
            let trained = Elements::Float32(numbers.to_vec());
            let mut sums = Sums::default();
            sums.add(numbers, &after.real);
            tensors.push(WeightChange {
                tensor: value.name.clone(),
                before: measure(node, &trained, &value.shape),
                after: measure(node, &after.elements, &after.shape),
                snr_db: sums.snr_db().filter(|_| value.shape == after.shape),
            });
        }
    }
    Ok(Summary { tensors })
}

fn measure(node: &Node, elements: &Elements, shape: &[usize]) -> Weights {
    let numbers = bits(elements);
    let channels = Channels::new(shape, channel_axis(&node.op));
    let mut of_channel = vec![BTreeSet::new(); channels.count()];
    for (position, number) in numbers.iter().enumerate() {
        of_channel[channels.of(position)].insert(*number);
    }
    Weights {
        dtype: elements.dtype().name().to_lowercase(),
        elements: numbers.len(),
        zeros: numbers.iter().filter(|number| **number == 0).count(),
        distinct: numbers.iter().collect::<BTreeSet<_>>().len(),
        distinct_in_channel: of_channel.iter().map(BTreeSet::len).max().unwrap_or(0),
        bytes: elements.to_le_bytes().len(),
    }
}
