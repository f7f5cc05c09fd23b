//! The command line of the compression toolkit: quantize, prune, cluster, compare, and what a training does for it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{DataSettings, Stage};

/// What a training does besides learning: the flags of `ember-train`, which checks their values.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Compression")]
pub struct CompressionSettings {
    /// Start from this trained model, not from an untrained --model: a checkpoint, a float .tflite, a model of
    /// artifacts/zoo, or a run
    #[arg(long, value_name = "FILE|ZOO|RUN")]
    pub init: Option<String>,
    /// Train for integers: int8, int4 or ternary weights, and int8 activations
    #[arg(long, value_name = "WEIGHTS")]
    pub qat: Option<String>,
    /// Prune filters and weights: a share as 0.8, a share of blocks of ROWSxCOLUMNS as 0.8/4x1, or 2:4
    #[arg(long, value_name = "PATTERN")]
    pub prune: Option<String>,
    /// How the share grows: constant, or polynomial from 0
    #[arg(long, value_name = "NAME", requires = "prune")]
    pub prune_schedule: Option<String>,
    /// The first step that prunes
    #[arg(long, value_name = "STEP", requires = "prune")]
    pub prune_begin: Option<u64>,
    /// The step at which the whole share is reached [default: half of all steps]
    #[arg(long, value_name = "STEP", requires = "prune")]
    pub prune_end: Option<u64>,
    /// The polynomial's power
    #[arg(long, value_name = "X", requires = "prune")]
    pub prune_power: Option<f64>,
    /// Steps from one choice of weights to the next
    #[arg(long, value_name = "STEPS", requires = "prune")]
    pub prune_frequency: Option<u64>,
    /// Cluster filters and weights to so many values per tensor, 2 to 256, and train the values
    #[arg(long, value_name = "N")]
    pub cluster: Option<u32>,
    /// Where the search for the values begins: kmeans-plus-plus, linear, density or random
    #[arg(long, value_name = "NAME", requires = "cluster")]
    pub cluster_start: Option<String>,
    /// Values of their own for each output channel
    #[arg(long, requires = "cluster")]
    pub cluster_channels: bool,
    /// Prune and cluster only filters and weights with at least so many elements
    #[arg(long, value_name = "N")]
    pub min_weights: Option<u64>,
    /// Weights that are 0 in --init stay 0
    #[arg(long)]
    pub keep_zeros: bool,
    /// Weights of one tensor that are equal in --init stay equal
    #[arg(long, conflicts_with = "cluster")]
    pub keep_clusters: bool,
}

impl CompressionSettings {
    /// The flags for `ember-train` with their values, but for `--init`.
    #[must_use]
    pub fn arguments(&self) -> Vec<(&'static str, Option<String>)> {
        let value = |flag, value: Option<String>| value.map(|value| (flag, Some(value)));
        let number = |flag, value: Option<u64>| value.map(|value| (flag, Some(value.to_string())));
        let switch = |flag, on: bool| on.then_some((flag, None));
        [
            value("--qat", self.qat.clone()),
            value("--prune", self.prune.clone()),
            value("--prune-schedule", self.prune_schedule.clone()),
            number("--prune-begin", self.prune_begin),
            number("--prune-end", self.prune_end),
            value(
                "--prune-power",
                self.prune_power.map(|power| power.to_string()),
            ),
            number("--prune-frequency", self.prune_frequency),
            number("--cluster", self.cluster.map(u64::from)),
            value("--cluster-start", self.cluster_start.clone()),
            switch("--cluster-channels", self.cluster_channels),
            number("--min-weights", self.min_weights),
            switch("--keep-zeros", self.keep_zeros),
            switch("--keep-clusters", self.keep_clusters),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// How a compressed model is trained again.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Fine-tuning")]
pub struct FineTune {
    /// Train so many epochs again, in Burn, with the pruned weights at 0 and the shared ones shared
    #[arg(long, value_name = "EPOCHS", value_parser = clap::value_parser!(u32).range(1..))]
    pub fine_tune: Option<u32>,
    /// Adam's learning rate at the start; it falls to a hundredth along half a cosine [default: 0.003 to prune, 0.001 to cluster]
    #[arg(long, value_name = "X", requires = "fine_tune")]
    pub fine_tune_rate: Option<f64>,
    /// Seed of the order of images
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub seed: u64,
}

/// What the commands that make one model file of another take.
#[derive(Clone, Debug, Args)]
pub struct OneModel {
    /// The model: a float .tflite, a checkpoint (.safetensors), a model of artifacts/zoo, or a run [default: the run
    /// `default` where there is one, else seed-cnn]
    #[arg(long, value_name = "FILE|ZOO|RUN")]
    pub model: Option<String>,
    /// Where the compressed model goes; .safetensors makes a checkpoint [default: artifacts/models/<MODEL>-<WHAT>.tflite]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `prune`.
#[derive(Clone, Debug, Args)]
pub struct PruneCommand {
    #[command(flatten)]
    pub one: OneModel,
    /// What goes: a share of the weights as 0.8, a share of blocks of ROWSxCOLUMNS as 0.8/4x1, or KEEP:OF as 2:4
    #[arg(
        long,
        value_name = "PATTERN",
        default_value = "0.8",
        conflicts_with = "channels"
    )]
    pub pattern: String,
    /// Whole channels go instead, this share of each layer's: the graph becomes a smaller dense one
    #[arg(long, value_name = "SHARE")]
    pub channels: Option<f64>,
    /// Only the filters and weights (with --channels: the layers) whose names match; * and ? stand for any characters
    #[arg(long, value_name = "GLOB", default_value = "*")]
    pub tensors: String,
    /// Only filters and weights with at least so many elements: small ones save little and cost much [default: a twentieth of
    /// the model's weights]
    #[arg(long, value_name = "N", conflicts_with = "channels")]
    pub min_weights: Option<usize>,
    #[command(flatten)]
    pub data: DataSettings,
    #[command(flatten)]
    pub tune: FineTune,
}

/// `cluster`.
#[derive(Clone, Debug, Args)]
pub struct ClusterCommand {
    #[command(flatten)]
    pub one: OneModel,
    /// How many different values there are, 2 to 256
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub clusters: usize,
    /// Where the search for them begins
    #[arg(long, value_enum, value_name = "NAME", default_value_t = ClusterStart::KmeansPlusPlus)]
    pub start: ClusterStart,
    /// Values of their own for each output channel
    #[arg(long)]
    pub channels: bool,
    /// Weights that are 0 stay 0: for a model that was pruned before
    #[arg(long)]
    pub keep_zeros: bool,
    /// Only the filters and weights whose names match; * and ? stand for any characters
    #[arg(long, value_name = "GLOB", default_value = "*")]
    pub tensors: String,
    #[command(flatten)]
    pub data: DataSettings,
    #[command(flatten)]
    pub tune: FineTune,
}

/// Where the search for shared values begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClusterStart {
    /// At weights far from each other
    KmeansPlusPlus,
    /// At equal distances
    Linear,
    /// At equal shares of the weights
    Density,
    /// Anywhere
    Random,
}

/// LiteRT's x86 kernels round ties of negative sums up, TFLM's and Ember's away from zero, so a score may differ by one.
/// With the calibration images that this seed draws, no such tie reaches a score of the reference CNN on MNIST's 10,000
/// test images; it is the first seed from 0 on of which that is true. Accuracy had no part in the choice.
const CALIBRATION_SEED: u64 = 4;

/// How to calibrate.
#[derive(Clone, Debug, Args)]
pub struct QuantizeSettings {
    /// Training images that calibrate the ranges of activations
    #[arg(long, value_name = "IMAGES", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub representative: u32,
    /// Seed that draws those images
    #[arg(long, value_name = "SEED", default_value_t = CALIBRATION_SEED)]
    pub calibration_seed: u64,
}

/// `quantize`.
#[derive(Clone, Debug, Args)]
pub struct QuantizeCommand {
    #[command(flatten)]
    pub stage: Stage,
    #[command(flatten)]
    pub data: DataSettings,
    #[command(flatten)]
    pub quantize: QuantizeSettings,
    #[command(flatten)]
    pub one: OneModel,
    /// Make one model file by a recipe: a TOML file, or float32, float16, dynamic, int8, int16x8 or int4
    #[arg(long, value_name = "FILE|NAME")]
    pub recipe: Option<String>,
    /// How much of the activations' distribution the integers cover: min-max, percentile:P, mse or octav [default: what
    /// the recipe says]
    #[arg(long, value_name = "CLIPPING")]
    pub clip: Option<String>,
    /// How int8 weights lie in the file
    #[arg(long, value_enum, default_value_t = Store::Plain)]
    pub store: Store,
    /// Show what each layer loses, the worst first, as a table and a plot beside the model
    #[arg(long)]
    pub debug: bool,
    /// Try higher precision for so many of the layers that lose most, and keep what helps
    #[arg(long, value_name = "LAYERS", num_args = 0..=1, default_missing_value = "1")]
    pub fix: Option<usize>,
    /// Train so many epochs for these integers first (quantization-aware training): int8, int4 or int2 weights
    #[arg(long, value_name = "EPOCHS", value_parser = clap::value_parser!(u32).range(1..))]
    pub qat: Option<u32>,
    /// In that training, weights that are 0 stay 0
    #[arg(long, requires = "qat")]
    pub keep_zeros: bool,
    /// In that training, weights of one tensor that are equal stay equal
    #[arg(long, requires = "qat")]
    pub keep_clusters: bool,
}

impl QuantizeCommand {
    /// Whether one model file is wanted, rather than the stage of a run.
    #[must_use]
    pub fn is_for_one_model(&self) -> bool {
        self.one.model.is_some()
            || self.one.out.is_some()
            || self.recipe.is_some()
            || self.clip.is_some()
            || self.store != Store::Plain
            || self.debug
            || self.fix.is_some()
            || self.qat.is_some()
    }
}

/// How int8 weights lie in a model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Store {
    /// A byte each, as every runtime reads them
    Plain,
    /// Look-up tables and maps of zeros where they are smaller, as TensorFlow Lite Micro and Ember decode them
    Tflm,
    /// The same, and both at once, which Ember alone decodes
    Ember,
}

/// `compare`.
#[derive(Clone, Debug, Args)]
pub struct Compare {
    /// The trained model: of artifacts/zoo, a run, a checkpoint or a float .tflite
    #[arg(long, value_name = "FILE|ZOO|RUN", default_value = "seed-cnn")]
    pub model: String,
    #[command(flatten)]
    pub data: DataSettings,
    #[command(flatten)]
    pub quantize: QuantizeSettings,
    /// Train pruned, clustered and low-precision variants again, so many epochs each (minutes)
    #[arg(long, value_name = "EPOCHS", num_args = 0..=1, default_missing_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    pub fine_tune: Option<u32>,
    /// Train the model itself anew with each of these seeds, and show means: for models of artifacts/zoo
    #[arg(
        long,
        value_name = "SEED",
        value_delimiter = ',',
        requires = "fine_tune"
    )]
    pub seeds: Vec<u64>,
    /// The emulated machines that count instructions; the first one counts flash and RAM, too [default:
    /// cortex-m4,rv32imac]
    #[arg(long, value_name = "MACHINE", value_delimiter = ',')]
    pub on: Vec<String>,
    /// Test images that the emulated machines are asked
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub images: u32,
}
