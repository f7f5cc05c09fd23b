//! What holds for weights while they are trained: pruned ones stay 0, and those that share a value share it.
//!
//! Weights of one group get the sum of their gradients, as in Han, Mao and Dally, "Deep compression" (2016), section 3.3, so
//! the optimizer treats the group as the one number that it is.

use std::collections::HashMap;

use ember_compress::cluster::{Clustering, cluster};
use ember_compress::prune;
use ember_compress::quantize::channel_axis;
use ember_compress::scheme::Granularity;
use ember_graph::{Graph, Role};

use crate::TrainError;
use crate::compression::{Compression, Prune};

/// One constant of the graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Bonds {
    /// Which weights are not held at 0.
    pub(crate) mask: Option<Vec<bool>>,
    /// The group of each weight; equal numbers are one group.
    pub(crate) groups: Option<Vec<u32>>,
}

/// All constants of a graph, in the order of [`Graph::constants`].
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// Shape and channel axis, of filters and weights only.
    weights: Vec<Option<(Vec<usize>, usize)>>,
    bonds: Vec<Bonds>,
    prune: Option<Prune>,
    min_weights: usize,
}

impl Held {
    /// For a graph's constants, with nothing held yet.
    pub(crate) fn new(graph: &Graph, compression: &Compression) -> Self {
        let mut weights = Vec::new();
        for (id, value, _) in graph.constants() {
            let user = graph.nodes.iter().find_map(|node| {
                let mut operands = node.op.operands().iter().zip(&node.inputs);
                let is_weight = operands.any(|(role, operand)| {
                    *operand == id && matches!(role, Role::Filter | Role::Weights)
                });
                is_weight.then_some(channel_axis(&node.op))
            });
            weights.push(user.map(|axis| (value.shape.clone(), axis)));
        }
        Self {
            bonds: vec![Bonds::default(); weights.len()],
            weights,
            prune: compression.prune,
            min_weights: compression.min_weights,
        }
    }

    /// Makes the weights what they are to be before the first step, and holds that: clusters, and what is to be kept.
    pub(crate) fn begin(
        &mut self,
        compression: &Compression,
        numbers: &mut [Vec<f32>],
    ) -> Result<(), TrainError> {
        let weights = self.weights.iter().zip(&mut self.bonds).zip(numbers);
        for ((weights, bonds), numbers) in weights {
            let Some((shape, axis)) = weights else {
                continue;
            };
            let clustering =
                (compression.cluster.as_ref()).filter(|_| numbers.len() >= self.min_weights);
            if let Some(clustering) = clustering {
                let clustering = Clustering {
                    keep_zeros: clustering.keep_zeros || compression.keep_zeros,
                    ..*clustering
                };
                bonds.groups = Some(clustered(numbers, shape, *axis, &clustering)?);
            } else if compression.keep_clusters {
                bonds.groups = Some(equal(numbers, |_| 0));
            }
            if compression.keep_zeros {
                bonds.mask = Some(numbers.iter().map(|number| *number != 0.0).collect());
            }
        }
        Ok(())
    }

    /// Prunes before step `step` where the schedule says so; `true` when it did.
    pub(crate) fn prune(
        &mut self,
        step: u64,
        numbers: impl FnOnce() -> Vec<Vec<f32>>,
    ) -> Result<bool, TrainError> {
        let Some(prune) = self.prune else {
            return Ok(false);
        };
        let Some(sparsity) = prune.schedule.at(step) else {
            return Ok(false);
        };
        let pattern = prune.pattern.with_sparsity(sparsity);
        let weights = self.weights.iter().zip(&mut self.bonds).zip(numbers());
        for ((weights, bonds), numbers) in weights {
            if let Some((shape, _)) = weights
                && numbers.len() >= self.min_weights
            {
                let mut mask = prune::mask(&numbers, shape, &pattern)?;
                if let Some(old) = &bonds.mask {
                    // What is held at 0 is not let go.
                    for (stays, stayed) in mask.iter_mut().zip(old) {
                        *stays &= *stayed;
                    }
                }
                bonds.mask = Some(mask);
            }
        }
        Ok(true)
    }

    /// What holds for each constant.
    pub(crate) fn bonds(&self) -> &[Bonds] {
        &self.bonds
    }

    /// Puts back what [`Self::bonds`] gave; `false` when it was of another graph.
    pub(crate) fn restore(&mut self, bonds: Vec<Bonds>) -> bool {
        let fit = bonds.len() == self.bonds.len();
        if fit {
            self.bonds = bonds;
        }
        fit
    }

    /// Whether anything holds for the constant with this number.
    pub(crate) fn is_bound(&self, constant: usize) -> bool {
        let bonds = self.bonds.get(constant);
        bonds.is_some_and(|bonds| bonds.mask.is_some() || bonds.groups.is_some())
    }

    /// Gives every weight of a group the sum of their gradients.
    pub(crate) fn share_gradient(&self, constant: usize, gradient: &mut [f32]) {
        let Some(groups) = self.bonds.get(constant).and_then(|own| own.groups.as_ref()) else {
            return;
        };
        let count = groups.iter().max().map_or(0, |most| *most as usize + 1);
        let mut sums = vec![0.0_f64; count];
        for (group, gradient) in groups.iter().zip(&*gradient) {
            sums[*group as usize] += f64::from(*gradient);
        }
        for (group, gradient) in groups.iter().zip(gradient) {
            *gradient = sums[*group as usize] as f32;
        }
    }

    /// Makes the weights what they are held to be.
    pub(crate) fn hold(&self, constant: usize, numbers: &mut [f32]) {
        let Some(bonds) = self.bonds.get(constant) else {
            return;
        };
        if let Some(groups) = &bonds.groups {
            // Vector instructions may round the last elements of a tensor otherwise than the others.
            let mut firsts = HashMap::new();
            for (group, number) in groups.iter().zip(&mut *numbers) {
                *number = *firsts.entry(*group).or_insert(*number);
            }
        }
        if let Some(mask) = &bonds.mask {
            for (stays, number) in mask.iter().zip(numbers) {
                if !stays {
                    *number = 0.0;
                }
            }
        }
    }
}

/// Clusters the weights and gives the group of each.
fn clustered(
    numbers: &mut [f32],
    shape: &[usize],
    axis: usize,
    clustering: &Clustering,
) -> Result<Vec<u32>, TrainError> {
    let inner: usize = shape.iter().skip(axis + 1).product();
    let channels = shape.get(axis).copied().unwrap_or(1).max(1);
    let channel = |position: usize| position / inner.max(1) % channels;
    match clustering.per {
        Granularity::Tensor => {
            numbers.copy_from_slice(&cluster(numbers, clustering)?.weights());
            Ok(equal(numbers, |_| 0))
        }
        Granularity::Channel => {
            for own in 0..channels {
                let positions: Vec<usize> = (0..numbers.len())
                    .filter(|position| channel(*position) == own)
                    .collect();
                let weights: Vec<f32> = positions.iter().map(|at| numbers[*at]).collect();
                let weights = cluster(&weights, clustering)?.weights();
                for (position, weight) in positions.into_iter().zip(weights) {
                    numbers[position] = weight;
                }
            }
            Ok(equal(numbers, channel))
        }
    }
}

/// The group of each number: equal ones of one part are together. `part` is of a position.
fn equal(numbers: &[f32], part: impl Fn(usize) -> usize) -> Vec<u32> {
    let mut known = HashMap::new();
    let numbers = numbers.iter().enumerate();
    numbers
        .map(|(position, number)| {
            let next = known.len() as u32;
            // The two zeros are equal.
            let bits = (number + 0.0).to_bits();
            *known.entry((part(position), bits)).or_insert(next)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Bonds, Held, equal};

    fn held(mask: Option<Vec<bool>>, groups: Option<Vec<u32>>) -> Held {
        Held {
            weights: vec![Some((vec![2, 2], 0))],
            bonds: vec![Bonds { mask, groups }],
            prune: None,
            min_weights: 0,
        }
    }

    #[test]
    fn a_group_is_one_number() {
        let held = held(None, Some(equal(&[0.5, -1.0, 0.5, 0.5], |_| 0)));
        let mut gradient = [1.0, 2.0, 3.0, 4.0];
        held.share_gradient(0, &mut gradient);
        assert_eq!(gradient, [8.0, 2.0, 8.0, 8.0]);
        let mut numbers = [0.4, -1.0, 0.400_000_1, 0.4];
        held.hold(0, &mut numbers);
        assert_eq!(numbers, [0.4, -1.0, 0.4, 0.4]);
    }

    #[test]
    fn what_is_pruned_stays_zero() {
        let held = held(Some(vec![true, false, true, false]), None);
        let mut numbers = [1.0, 2.0, 3.0, -4.0];
        held.hold(0, &mut numbers);
        assert_eq!(numbers, [1.0, 0.0, 3.0, 0.0]);
    }

    #[test]
    fn channels_have_groups_of_their_own_and_zeros_are_equal() {
        assert_eq!(equal(&[1.0, 1.0, 1.0, 0.0], |at| at / 2), [0, 0, 1, 2]);
        assert_eq!(equal(&[0.0, -0.0], |_| 0), [0, 0]);
    }
}
