//! Weight clustering: few different weights, so that a model can store which one in place of each.
//!
//! [`cluster`] is a pure function on one tensor, for training too, which fine-tunes the shared values; [`cluster_graph`]
//! applies it to the layers of a graph. The values are found by Lloyd's algorithm, which in one dimension needs no more than
//! a sorted list.

use ember_graph::Graph;
use ember_graph::random::Random;
use serde::{Deserialize, Serialize};

use crate::CompressError;
use crate::prune::{finite, weights_named};
use crate::quantize::{Channels, channel_axis};
use crate::scheme::Granularity;

/// Where Lloyd's algorithm begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// At weights drawn one after the other, each with a chance that grows with the square of its distance from those that
    /// were drawn (Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", 2007).
    #[default]
    KmeansPlusPlus,
    /// At equal distances from the least weight to the greatest.
    Linear,
    /// At equal shares of the sorted weights.
    Density,
    /// Anywhere from the least weight to the greatest.
    Random,
}

/// How weights become few different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clustering {
    /// How many values there are, 2..=256; for each channel with [`Granularity::Channel`].
    pub clusters: usize,
    /// Where the search for them begins.
    pub start: Start,
    /// Which weights share the values.
    pub per: Granularity,
    /// Whether 0 is one of the values, and weights that are 0 stay so.
    pub keep_zeros: bool,
    /// Of what is drawn.
    pub seed: u64,
}

impl Default for Clustering {
    fn default() -> Self {
        Self {
            clusters: 16,
            start: Start::default(),
            per: Granularity::Tensor,
            keep_zeros: false,
            seed: 0,
        }
    }
}

/// Values, and which of them each weight has.
#[derive(Clone, Debug, PartialEq)]
pub struct Clusters {
    /// The values, ascending; at most as many as asked for, since values that no weight has are left out.
    pub centroids: Vec<f32>,
    /// For each weight, which of the values it has.
    pub indices: Vec<u8>,
}

impl Clusters {
    /// The clustered weights.
    #[must_use]
    pub fn weights(&self) -> Vec<f32> {
        let value = |index: &u8| self.centroids[usize::from(*index)];
        self.indices.iter().map(value).collect()
    }
}

/// How often values are moved at most; in one dimension they come to rest long before.
const ROUNDS: usize = 300;

/// Clusters weights that share their values; [`Clustering::per`] is for [`cluster_graph`].
///
/// # Errors
/// When there are fewer than 2 or more than 256 clusters, or more than weights; when a weight is not finite.
pub fn cluster(weights: &[f32], clustering: &Clustering) -> Result<Clusters, CompressError> {
    finite(weights)?;
    let count = clustering.clusters;
    if !(2..=256).contains(&count) || count > weights.len() {
        return Err(CompressError::Clusters {
            clusters: count,
            weights: weights.len(),
        });
    }
    let moving = |weight: &&f32| !clustering.keep_zeros || **weight != 0.0;
    let mut sorted: Vec<f32> = weights.iter().filter(moving).copied().collect();
    sorted.sort_by(f32::total_cmp);
    let count = count - usize::from(clustering.keep_zeros);
    let mut centroids = if sorted.is_empty() {
        Vec::new()
    } else {
        lloyd(&sorted, start(&sorted, count, clustering))
    };
    if clustering.keep_zeros {
        centroids.push(0.0);
        centroids.sort_by(f32::total_cmp);
    }
    centroids.dedup();
    let nearest = |weight: &f32| {
        if clustering.keep_zeros && *weight == 0.0 {
            return centroids
                .iter()
                .position(|centroid| *centroid == 0.0)
                .unwrap_or(0);
        }
        nearest(&centroids, *weight)
    };
    let mut indices: Vec<usize> = weights.iter().map(nearest).collect();
    // Values that nobody has.
    let mut places = vec![None; centroids.len()];
    for index in &indices {
        places[*index] = Some(0);
    }
    let mut used = Vec::new();
    for (place, centroid) in places.iter_mut().zip(&centroids) {
        if place.is_some() {
            *place = Some(used.len());
            used.push(*centroid);
        }
    }
    for index in &mut indices {
        *index = places[*index].unwrap_or(0);
    }
    Ok(Clusters {
        centroids: used,
        indices: indices.iter().map(|index| *index as u8).collect(),
    })
}

/// The nearest of ascending values, of two as near the lower one.
fn nearest(centroids: &[f32], weight: f32) -> usize {
    let above = centroids.partition_point(|centroid| *centroid < weight);
    if above == 0 {
        return 0;
    }
    if above == centroids.len() {
        return above - 1;
    }
    let below = f64::from(weight) - f64::from(centroids[above - 1]);
    let beyond = f64::from(centroids[above]) - f64::from(weight);
    if below <= beyond { above - 1 } else { above }
}

/// Where the search begins: `count` values, ascending, for sorted weights.
fn start(sorted: &[f32], count: usize, clustering: &Clustering) -> Vec<f32> {
    let (least, greatest) = (sorted[0], sorted[sorted.len() - 1]);
    let mut random = Random::new(clustering.seed);
    let between =
        |share: f64| (f64::from(least) + (f64::from(greatest) - f64::from(least)) * share) as f32;
    let mut unit = || f64::from(random.signed_unit()) / 2.0 + 0.5;
    let mut values: Vec<f32> = match clustering.start {
        Start::Linear => (0..count)
            .map(|i| between(i as f64 / (count - 1).max(1) as f64))
            .collect(),
        Start::Random => (0..count).map(|_| between(unit())).collect(),
        Start::Density => (0..count)
            .map(|i| {
                let rank = (i as f64 + 0.5) / count as f64 * sorted.len() as f64;
                sorted[(rank as usize).min(sorted.len() - 1)]
            })
            .collect(),
        Start::KmeansPlusPlus => {
            let first = sorted[((unit() * sorted.len() as f64) as usize).min(sorted.len() - 1)];
            let mut values = vec![first];
            let square = |weight: f32, value: f32| (f64::from(weight) - f64::from(value)).powi(2);
            let mut squares: Vec<f64> =
                sorted.iter().map(|weight| square(*weight, first)).collect();
            while values.len() < count {
                let mut left = unit() * squares.iter().sum::<f64>();
                let drawn = squares.iter().position(|square| {
                    left -= square;
                    left < 0.0
                });
                // Nothing is left when every weight is a value.
                let Some(drawn) = drawn else { break };
                values.push(sorted[drawn]);
                for (known, weight) in squares.iter_mut().zip(sorted) {
                    *known = known.min(square(*weight, sorted[drawn]));
                }
            }
            values
        }
    };
    values.sort_by(f32::total_cmp);
    values
}

/// Moves ascending values to the means of the sorted weights that are nearest to them until they rest. A value that no weight
/// is nearest to stays where it is.
fn lloyd(sorted: &[f32], mut centroids: Vec<f32>) -> Vec<f32> {
    for _ in 0..ROUNDS {
        let mut sums = vec![(0.0_f64, 0.0_f64); centroids.len()];
        for weight in sorted {
            let (sum, count) = &mut sums[nearest(&centroids, *weight)];
            *sum += f64::from(*weight);
            *count += 1.0;
        }
        let moved = centroids.iter().zip(sums);
        let moved = moved.map(|(old, (sum, count))| {
            if count > 0.0 {
                (sum / count) as f32
            } else {
                *old
            }
        });
        let mut moved: Vec<f32> = moved.collect();
        moved.sort_by(f32::total_cmp);
        if moved == centroids {
            break;
        }
        centroids = moved;
    }
    centroids
}

/// What was done to one tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusteredTensor {
    /// Its name.
    pub tensor: String,
    /// Different weights, of the channel that has most.
    pub clusters: usize,
    /// All of its weights.
    pub weights: usize,
    /// The mean square of what changed.
    pub mean_square_error: f64,
}

/// The graph with the filters and weights clustered whose names `tensors` describes (`*` and `?` stand for any characters),
/// and how many different ones each has now.
///
/// # Errors
/// When the graph is not valid, the pattern matches no weights, or [`cluster`] refuses, with the tensor.
pub fn cluster_graph(
    graph: &Graph,
    clustering: &Clustering,
    tensors: &str,
) -> Result<(Graph, Vec<ClusteredTensor>), CompressError> {
    ember_graph::verify(graph)?;
    let mut clustered = graph.clone();
    let mut done = Vec::new();
    for id in weights_named(graph, tensors)? {
        let value = &graph.values[id.index()];
        let numbers = graph.constant(id).unwrap_or_default();
        let node = graph.nodes.iter().find(|node| node.inputs.contains(&id));
        let axis = node.map_or(0, |node| channel_axis(&node.op));
        let clustered_tensor = match clustering.per {
            Granularity::Tensor => cluster(numbers, clustering)
                .map(|clusters| (clusters.weights(), clusters.centroids.len())),
            Granularity::Channel => cluster_channels(numbers, &value.shape, axis, clustering),
        };
        let (weights, clusters) = clustered_tensor.map_err(|problem| CompressError::InTensor {
            tensor: value.name.clone(),
            problem: Box::new(problem),
        })?;
        let changes = numbers.iter().zip(&weights);
        let squares =
            changes.map(|(before, after)| (f64::from(*before) - f64::from(*after)).powi(2));
        done.push(ClusteredTensor {
            tensor: value.name.clone(),
            clusters,
            weights: numbers.len(),
            mean_square_error: squares.sum::<f64>() / numbers.len() as f64,
        });
        clustered.set_constant(id, weights)?;
    }
    Ok((clustered, done))
}

/// Each channel by itself: the weights, and the most values that a channel has.
fn cluster_channels(
    numbers: &[f32],
    shape: &[usize],
    axis: usize,
    clustering: &Clustering,
) -> Result<(Vec<f32>, usize), CompressError> {
    let channels = Channels::new(shape, axis);
    let mut weights = numbers.to_vec();
    let mut most = 0;
    for channel in 0..channels.count() {
        let clusters = cluster(&channels.numbers(numbers, channel), clustering)?;
        most = most.max(clusters.centroids.len());
        let mut values = clusters.weights().into_iter();
        for (position, weight) in weights.iter_mut().enumerate() {
            if channels.of(position) == channel
                && let Some(value) = values.next()
            {
                *weight = value;
            }
        }
    }
    Ok((weights, most))
}
