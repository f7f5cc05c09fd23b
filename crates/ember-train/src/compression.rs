//! What a training does besides learning: start from a checkpoint, train for low precision, prune, share weights.

use std::str::FromStr;

use ember_compress::cluster::Clustering;
use ember_compress::prune::{Pruning, Schedule};
use ember_compress::scheme::Granularity;
use ember_graph::{Graph, Node, Op};
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::norms::{self, Prepared};

/// The integers that weights are trained for, one scale for each output channel. Activations are trained for int8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightBits {
    /// -127..=127, from the greatest magnitude.
    Int8,
    /// -7..=7, clipped as OCTAV says ([`Clipping::Octav`](ember_compress::Clipping::Octav)).
    Int4,
    /// -1, 0, 1: what two bits hold in TensorFlow Lite's narrow range. The scale is that of Li, Zhang and Liu, "Ternary
    /// weight networks" (2016), equation 6.
    Ternary,
}

impl WeightBits {
    /// What the command line takes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Int4 => "int4",
            Self::Ternary => "ternary",
        }
    }
}

impl FromStr for WeightBits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "int8" => Ok(Self::Int8),
            "int4" => Ok(Self::Int4),
            "ternary" | "int2" => Ok(Self::Ternary),
            _ => Err("choose int8, int4 or ternary (also called int2)".to_owned()),
        }
    }
}

/// Which weights become 0, and when.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prune {
    /// The pattern; its sparsity is the schedule's.
    pub pattern: Pruning,
    /// How much of it at which step.
    pub schedule: Schedule,
}

/// What a training does besides learning; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Compression {
    /// SHA-256 of the checkpoint that it starts from.
    pub init: Option<String>,
    /// Train for these weights and int8 activations.
    pub qat: Option<WeightBits>,
    /// Prune filters and weights.
    pub prune: Option<Prune>,
    /// Cluster filters and weights before the first step, and train the shared values.
    pub cluster: Option<Clustering>,
    /// Prune and cluster only filters and weights with at least so many elements.
    pub min_weights: usize,
    /// Weights that are 0 at the start stay 0.
    pub keep_zeros: bool,
    /// Weights of one tensor that are equal at the start stay equal.
    pub keep_clusters: bool,
}

impl Compression {
    /// Whether several weights share a value.
    #[must_use]
    pub fn shares(&self) -> bool {
        self.cluster.is_some() || self.keep_clusters
    }

    /// The weights that have one scale: those of a channel, unless weights of a whole tensor share values, of which several
    /// scales would make more.
    #[must_use]
    pub fn scale_per(&self) -> Granularity {
        match &self.cluster {
            _ if self.keep_clusters => Granularity::Tensor,
            Some(clustering) => clustering.per,
            None => Granularity::Channel,
        }
    }

    /// Whether this can be done in `steps` steps.
    ///
    /// # Errors
    /// The first thing that cannot.
    pub(crate) fn check(&self, steps: u64) -> Result<(), TrainError> {
        let setting = |setting: &'static str, value: String, expected: &str| {
            Err(TrainError::Setting {
                setting,
                value,
                expected: expected.to_owned(),
            })
        };
        if let Some(prune) = &self.prune {
            prune.schedule.check()?;
            let (name, last) = match prune.schedule {
                Schedule::Constant { begin, .. } => ("--prune-begin", begin),
                Schedule::Polynomial { end, .. } => ("--prune-end", end),
            };
            if last >= steps {
                let expected = format!("expected fewer than the {steps} steps of the training");
                return setting(name, last.to_string(), &expected);
            }
        }
        if self.init.is_none() {
            let from = "only for trained weights: give it --init";
            if let Some(clustering) = &self.cluster {
                return setting("--cluster", clustering.clusters.to_string(), from);
            }
            if self.keep_zeros {
                return setting("--keep-zeros", "true".to_owned(), from);
            }
            if self.keep_clusters {
                return setting("--keep-clusters", "true".to_owned(), from);
            }
        }
        Ok(())
    }

    /// What is trained: for low precision the graph that is quantized later, with activations fused, so that the ranges are of
    /// its values. Batch norms are trained as parts of the layers before them; where weights share values they are folded
    /// before, because factors for each channel would make several of one.
    ///
    /// # Errors
    /// When the graph is not valid.
    pub fn prepare(&self, graph: Graph) -> Result<Prepared, TrainError> {
        if self.qat.is_some() && !self.shares() {
            return norms::optimize(graph);
        }
        let normalizes = |node: &Node| matches!(node.op, Op::BatchNorm { .. });
        if self.qat.is_some() || (self.shares() && graph.nodes.iter().any(normalizes)) {
            let (optimized, _) = ember_compress::optimize(&graph)?;
            return Ok(optimized.into());
        }
        Ok(graph.into())
    }
}
