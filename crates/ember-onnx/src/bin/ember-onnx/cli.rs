//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// ONNX models in.
#[derive(Debug, Parser)]
#[command(name = "ember-onnx", version)]
pub(crate) struct Cli {
    /// Only results and errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a checkpoint of an ONNX file.
    Import(ImportSettings),
    /// Lists the operators that are supported.
    Ops,
}

/// What `import` reads and writes.
#[derive(Debug, Args)]
pub(crate) struct ImportSettings {
    /// The ONNX file.
    pub(crate) model: PathBuf,
    /// Where the checkpoint goes: the graph and its weights in float32.
    #[arg(long, value_name = "FILE.safetensors")]
    pub(crate) out: PathBuf,
    /// The graph's name; that of the ONNX file where it is not given.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Where the model in float32 goes.
    #[arg(long, value_name = "FILE.tflite")]
    pub(crate) float: Option<PathBuf>,
    /// Where the model in int8 goes: of a quantized file with its own scales and zero points, otherwise with those of --samples.
    #[arg(long, value_name = "FILE.tflite")]
    pub(crate) int8: Option<PathBuf>,
    /// Inputs to calibrate the int8 model on: float32 numbers, little-endian, one sample after the other, images NHWC.
    #[arg(long, value_name = "FILE", requires = "int8")]
    pub(crate) samples: Option<PathBuf>,
    /// Of a quantized model: where the ranges of its activations go, as `quantize` reads them.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) ranges: Option<PathBuf>,
    /// Of a quantized model: where the recipe goes that says which weights share a scale.
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) recipe: Option<PathBuf>,
    /// Say what was imported in JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
