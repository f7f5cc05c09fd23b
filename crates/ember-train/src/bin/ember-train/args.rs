//! The command line.

use std::path::PathBuf;

use clap::Parser;

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

    /// Burn's backend: flex, or ndarray where it is built in
    ///
    /// ndarray is several times slower and needs `cargo run --release -p ember-train --features ndarray`.
    #[arg(long, value_name = "NAME", default_value = "flex")]
    pub(crate) backend: String,

    /// Training images to hold back for validation
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub(crate) validation: usize,

    /// Another dataset whose test images the trained model is shown; may be given several times
    #[arg(long, value_name = "NAME|PATH")]
    pub(crate) also_test: Vec<String>,

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

const EXAMPLES: &str = "\
Examples:
  cargo run --release -p ember-train -- --dataset mnist --out artifacts/runs/cnn
      trains the reference CNN: 5 epochs, a few seconds each, 97.6 % on the test images
  cargo run --release -p ember-train -- --model mlp --epochs 20 --seed 3
      trains the smaller network for longer, from other initial weights
  cargo run --release -p ember-train -- --dataset synthetic --also-test mnist
      trains on drawn digits and tells how the model does on real ones";
