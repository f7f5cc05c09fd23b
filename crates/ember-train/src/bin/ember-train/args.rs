//! The command line.

use std::path::PathBuf;

use clap::Parser;
use ember_compress::cluster::{Clustering, Start};
use ember_compress::prune::{Pruning, Schedule};
use ember_compress::scheme::Granularity;
use ember_train::Compression;
use ember_train::compression::{Prune, WeightBits};

/// Trains a model on images of digits and writes it as safetensors.
///
/// Each epoch goes once over the training images in a random order. A part of them is held back for validation; the test
/// images are looked at once, at the end. The training can be stopped at any moment, by ctrl-C or by a power cut, and
/// goes on with --resume to the very same weights.
#[derive(Debug, Parser)]
#[command(name = "ember-train", version, args_override_self = true, after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Which model; --list describes them
    #[arg(long, value_name = "NAME", default_value = "seed-cnn")]
    pub(crate) model: String,

    /// Start from the weights and the graph of this checkpoint, a model.safetensors, not from an untrained --model
    #[arg(long, value_name = "FILE")]
    pub(crate) init: Option<PathBuf>,

    /// auto, mnist, synthetic, or a folder with four IDX files
    ///
    /// mnist looks in EMBER_DATA_DIR, then in datasets/mnist, then downloads. auto is mnist, or synthetic digits where
    /// mnist cannot be had.
    #[arg(long, value_name = "NAME|PATH", default_value = "auto")]
    pub(crate) dataset: String,

    /// Where the results go: model.safetensors and training.json
    #[arg(long, value_name = "DIR", default_value = "artifacts/runs/training")]
    pub(crate) out: PathBuf,

    /// Passes over the training images
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) epochs: usize,

    /// Images per optimizer step
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub(crate) batch: usize,

    /// Step size of the optimizer (Adam)
    #[arg(
        long,
        value_name = "X",
        default_value_t = 1e-3,
        allow_negative_numbers = true
    )]
    pub(crate) learning_rate: f64,

    /// Step size at the end of the last epoch, reached along half a cosine [default: it stays the same]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) final_learning_rate: Option<f64>,

    /// Source of the initial weights, the held back images and the order of the others
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// Burn's backend: flex, or ndarray, which is several times slower
    #[arg(long, value_name = "NAME", default_value = "flex")]
    pub(crate) backend: String,

    /// Training images to hold back for validation
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub(crate) validation: usize,

    #[command(flatten)]
    pub(crate) compression: CompressionArgs,

    /// Another dataset whose test images the trained model is shown; may be given several times
    #[arg(long, value_name = "NAME|PATH")]
    pub(crate) also_test: Vec<String>,

    /// Test after each epoch, too, and record when that was: for measuring how soon an accuracy is reached
    ///
    /// Choose no setting by it; that is what --validation is for.
    #[arg(long)]
    pub(crate) test_each_epoch: bool,

    /// Stop after this many optimizer steps in all, test and write the results
    #[arg(long, value_name = "N")]
    pub(crate) limit_steps: Option<u64>,

    /// Go on with the training in --out
    #[arg(long, conflicts_with = "force")]
    pub(crate) resume: bool,

    /// Start anew, even if --out holds an unfinished training
    #[arg(long)]
    pub(crate) force: bool,

    /// List the models and leave
    #[arg(long)]
    pub(crate) list: bool,

    /// Write only errors and what nobody may miss
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// What a training does besides learning.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Compression")]
pub(crate) struct CompressionArgs {
    /// Train for integers: int8, int4 or ternary weights, and int8 activations
    ///
    /// The ranges of the activations and the quantizer's recipe are written beside the model.
    #[arg(long, value_name = "WEIGHTS")]
    pub(crate) qat: Option<WeightBits>,

    /// Prune filters and weights: a share as 0.8, a share of blocks of ROWSxCOLUMNS as 0.8/4x1, or 2:4
    #[arg(long, value_name = "PATTERN")]
    pub(crate) prune: Option<Pruning>,

    /// How the share grows: constant, or polynomial from 0
    #[arg(long, value_enum, value_name = "NAME", default_value_t = PruneSchedule::Polynomial, requires = "prune")]
    pub(crate) prune_schedule: PruneSchedule,

    /// The first step that prunes
    #[arg(long, value_name = "STEP", default_value_t = 0, requires = "prune")]
    pub(crate) prune_begin: u64,

    /// The step at which the whole share is reached [default: half of all steps]
    #[arg(long, value_name = "STEP", requires = "prune")]
    pub(crate) prune_end: Option<u64>,

    /// The polynomial's power
    #[arg(long, value_name = "X", default_value_t = 3.0, requires = "prune")]
    pub(crate) prune_power: f64,

    /// Steps from one choice of weights to the next
    #[arg(long, value_name = "STEPS", default_value_t = 100, requires = "prune")]
    pub(crate) prune_frequency: u64,

    /// Cluster filters and weights to so many values per tensor, 2 to 256, and train the values
    #[arg(long, value_name = "N")]
    pub(crate) cluster: Option<usize>,

    /// Where the search for the values begins
    #[arg(long, value_enum, value_name = "NAME", default_value_t = ClusterStart::KmeansPlusPlus, requires = "cluster")]
    pub(crate) cluster_start: ClusterStart,

    /// Values of their own for each output channel
    #[arg(long, requires = "cluster")]
    pub(crate) cluster_channels: bool,

    /// Prune and cluster only filters and weights with at least so many elements
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) min_weights: usize,

    /// Weights that are 0 in --init stay 0
    #[arg(long)]
    pub(crate) keep_zeros: bool,

    /// Weights of one tensor that are equal in --init stay equal
    #[arg(long, conflicts_with = "cluster")]
    pub(crate) keep_clusters: bool,
}

/// How the share of pruned weights grows.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum PruneSchedule {
    /// All at once
    Constant,
    /// Fast at first, then slower
    Polynomial,
}

/// Where the search for shared values begins.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum ClusterStart {
    /// At weights far from each other
    KmeansPlusPlus,
    /// At equal distances
    Linear,
    /// At equal shares of the weights
    Density,
    /// Anywhere
    Random,
}

impl CompressionArgs {
    /// The settings, for a training of `steps` steps that starts from the checkpoint with this SHA-256.
    pub(crate) fn settings(&self, init: Option<String>, seed: u64, steps: u64) -> Compression {
        let schedule = |sparsity| match self.prune_schedule {
            PruneSchedule::Constant => Schedule::Constant {
                sparsity,
                begin: self.prune_begin,
                frequency: self.prune_frequency,
            },
            PruneSchedule::Polynomial => Schedule::Polynomial {
                initial: 0.0,
                last: sparsity,
                begin: self.prune_begin,
                end: self.prune_end.unwrap_or((steps / 2).max(self.prune_begin)),
                power: self.prune_power,
                frequency: self.prune_frequency,
            },
        };
        Compression {
            init,
            qat: self.qat,
            prune: self.prune.map(|pattern| Prune {
                pattern,
                schedule: schedule(pattern.sparsity()),
            }),
            cluster: self.cluster.map(|clusters| Clustering {
                clusters,
                start: match self.cluster_start {
                    ClusterStart::KmeansPlusPlus => Start::KmeansPlusPlus,
                    ClusterStart::Linear => Start::Linear,
                    ClusterStart::Density => Start::Density,
                    ClusterStart::Random => Start::Random,
                },
                per: if self.cluster_channels {
                    Granularity::Channel
                } else {
                    Granularity::Tensor
                },
                keep_zeros: self.keep_zeros,
                seed,
            }),
            min_weights: self.min_weights,
            keep_zeros: self.keep_zeros,
            keep_clusters: self.keep_clusters,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  cargo run --release -p ember-train -- --dataset mnist --out artifacts/runs/cnn
      trains the reference CNN: 5 epochs, a few seconds each, 97.6 % on the test images
  cargo run --release -p ember-train -- --model mlp --epochs 20 --seed 3
      trains the smaller network for longer, from other initial weights
  cargo run --release -p ember-train -- --dataset synthetic --also-test mnist
      trains on drawn digits and tells how the model does on real ones
  cargo run --release -p ember-train -- --init artifacts/zoo/seed-cnn/model.safetensors --prune 0.8 --out artifacts/runs/pruned
  cargo run --release -p ember-train -- --init artifacts/runs/pruned/model.safetensors --keep-zeros --cluster 16 --out artifacts/runs/clustered
  cargo run --release -p ember-train -- --init artifacts/runs/clustered/model.safetensors --keep-zeros --keep-clusters --qat int8
      makes four of five weights 0, then 16 different ones of the rest, then trains them for int8";
