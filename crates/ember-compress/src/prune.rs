//! Magnitude pruning: which weights are worth least, and a graph without them.
//!
//! [`mask`] is a pure function on one tensor, for training too, which keeps what is pruned at 0; [`prune`] applies it to
//! the layers of a graph. Biases stay. A tensor is looked at as the matrix `[first dimension, all others]`, whose rows are the
//! output channels of convolutions and dense layers.

mod channels;
mod pattern;
mod schedule;

pub use channels::{ChannelPruning, PrunedLayer, prune_channels};
pub use schedule::Schedule;

use ember_graph::{Graph, Role, ValueId};
use serde::{Deserialize, Serialize};

use crate::CompressError;
use crate::recipe;

/// Which weights go.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "pattern")]
pub enum Pruning {
    /// The smallest, wherever they are.
    Unstructured {
        /// The share of weights that become 0, in 0..=1.
        sparsity: f64,
    },
    /// The blocks with the smallest mean magnitude.
    Block {
        /// Output channels in a block.
        rows: usize,
        /// Neighbours in a channel in a block.
        columns: usize,
        /// The share of blocks that become 0, in 0..=1.
        sparsity: f64,
    },
    /// The smallest of each group of neighbours in a channel.
    NOfM {
        /// How many of a group stay.
        keep: usize,
        /// How many there are in a group.
        of: usize,
    },
}

impl Pruning {
    /// Two of each four neighbours stay.
    pub const TWO_OF_FOUR: Self = Self::NOfM { keep: 2, of: 4 };

    /// The same pattern with another sparsity, as a [`Schedule`] gives it; [`Pruning::NOfM`] has its own.
    #[must_use]
    pub const fn with_sparsity(mut self, to: f64) -> Self {
        match &mut self {
            Self::Unstructured { sparsity } | Self::Block { sparsity, .. } => *sparsity = to,
            Self::NOfM { .. } => {}
        }
        self
    }

    /// The share of weights or blocks that become 0.
    #[must_use]
    pub fn sparsity(&self) -> f64 {
        match *self {
            Self::Unstructured { sparsity } | Self::Block { sparsity, .. } => sparsity,
            Self::NOfM { keep, of } => 1.0 - keep as f64 / of.max(1) as f64,
        }
    }

    fn check(&self) -> Result<(), CompressError> {
        match *self {
            Self::Unstructured { sparsity } | Self::Block { sparsity, .. }
                if !(0.0..=1.0).contains(&sparsity) =>
            {
                Err(CompressError::Sparsity { found: sparsity })
            }
            Self::Block { rows, columns, .. } if rows == 0 || columns == 0 => {
                Err(CompressError::Pattern {
                    found: format!("blocks of {rows}x{columns}"),
                })
            }
            Self::NOfM { keep, of } if keep > of || of == 0 => Err(CompressError::Pattern {
                found: format!("{keep} of {of}"),
            }),
            Self::Unstructured { .. } | Self::Block { .. } | Self::NOfM { .. } => Ok(()),
        }
    }
}

/// Which weights stay: `true` for each of `weights` `shape`, row-major. Of equal magnitudes the first ones go first.
///
/// # Errors
/// When the sparsity is not in 0..=1, blocks or groups are empty, or a weight is not finite.
pub fn mask(
    weights: &[f32],
    shape: &[usize],
    pruning: &Pruning,
) -> Result<Vec<bool>, CompressError> {
    pruning.check()?;
    finite(weights)?;
    let rows = shape.first().copied().unwrap_or(1).max(1);
    let columns = (weights.len() / rows).max(1);
    let mut stays = vec![true; weights.len()];
    match *pruning {
        Pruning::Unstructured { sparsity } => {
            let scores: Vec<f32> = weights.iter().map(|weight| weight.abs()).collect();
            for position in smallest(&scores, count(sparsity, weights.len())) {
                stays[position] = false;
            }
        }
        Pruning::Block {
            rows: tall,
            columns: wide,
            sparsity,
        } => {
            let across = columns.div_ceil(wide);
            let block =
                |position: usize| position / columns / tall * across + position % columns / wide;
            let blocks = rows.div_ceil(tall) * across;
            let (mut sums, mut counts) = (vec![0.0_f32; blocks], vec![0.0_f32; blocks]);
            for (position, weight) in weights.iter().enumerate() {
                sums[block(position)] += weight.abs();
                counts[block(position)] += 1.0;
            }
            let means: Vec<f32> = sums
                .iter()
                .zip(&counts)
                .map(|(sum, count)| sum / count)
                .collect();
            let mut gone = vec![false; blocks];
            for each in smallest(&means, count(sparsity, blocks)) {
                gone[each] = true;
            }
            for (position, stays) in stays.iter_mut().enumerate() {
                *stays = !gone[block(position)];
            }
        }
        Pruning::NOfM { keep, of } => {
            let rows = weights.chunks(columns).zip(stays.chunks_mut(columns));
            for (weights, stays) in rows {
                for (group, stays) in weights.chunks(of).zip(stays.chunks_mut(of)) {
                    let scores: Vec<f32> = group.iter().map(|weight| weight.abs()).collect();
                    for position in smallest(&scores, group.len().saturating_sub(keep)) {
                        stays[position] = false;
                    }
                }
            }
        }
    }
    Ok(stays)
}

/// Whether every weight is a number that can be compared.
pub(crate) fn finite(weights: &[f32]) -> Result<(), CompressError> {
    match weights.iter().position(|weight| !weight.is_finite()) {
        Some(position) => Err(CompressError::WeightNotFinite {
            position,
            number: weights[position],
        }),
        None => Ok(()),
    }
}

fn count(share: f64, of: usize) -> usize {
    ((share * of as f64).round() as usize).min(of)
}

/// The positions of the `count` smallest scores.
fn smallest(scores: &[f32], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    order.truncate(count);
    order
}

/// What was done to one tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrunedTensor {
    /// Its name.
    pub tensor: String,
    /// Weights that are 0 now.
    pub zeros: usize,
    /// All of its weights.
    pub weights: usize,
}

/// The graph with the filters and weights pruned whose names `tensors` describes (`*` and `?` stand for any characters),
/// and how many of each are 0 now.
///
/// # Errors
/// When the graph is not valid, the pattern matches no weights, or [`mask`] refuses.
pub fn prune(
    graph: &Graph,
    pruning: &Pruning,
    tensors: &str,
) -> Result<(Graph, Vec<PrunedTensor>), CompressError> {
    ember_graph::verify(graph)?;
    pruning.check()?;
    let mut pruned = graph.clone();
    let mut done = Vec::new();
    for id in weights_named(graph, tensors)? {
        let value = &graph.values[id.index()];
        let mut numbers = graph.constant(id).unwrap_or_default().to_vec();
        let stays = mask(&numbers, &value.shape, pruning)?;
        for (number, stays) in numbers.iter_mut().zip(stays) {
            if !stays {
                *number = 0.0;
            }
        }
        done.push(PrunedTensor {
            tensor: value.name.clone(),
            zeros: numbers.iter().filter(|number| **number == 0.0).count(),
            weights: numbers.len(),
        });
        pruned.set_constant(id, numbers)?;
    }
    Ok((pruned, done))
}

/// The filters and weights of layers whose names match, each once, in the order of the graph.
pub(crate) fn weights_named(graph: &Graph, pattern: &str) -> Result<Vec<ValueId>, CompressError> {
    let mut found: Vec<ValueId> = Vec::new();
    for node in &graph.nodes {
        for (role, id) in node.op.operands().iter().zip(&node.inputs) {
            let is_weight = matches!(role, Role::Filter | Role::Weights);
            if is_weight
                && recipe::matches(pattern, &graph.values[id.index()].name)
                && !found.contains(id)
            {
                found.push(*id);
            }
        }
    }
    if found.is_empty() {
        return Err(CompressError::NoWeights {
            graph: graph.name.clone(),
            pattern: pattern.to_owned(),
        });
    }
    Ok(found)
}
