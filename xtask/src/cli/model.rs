//! The command line of what can be asked of a model file.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::DataSettings;

/// `model`.
#[derive(Clone, Debug, Args)]
pub struct ModelCommand {
    /// What is asked
    #[command(subcommand)]
    pub question: Question,
}

/// What is asked of a model. A model is a .tflite file, a model of artifacts/zoo or a run.
#[derive(Clone, Debug, Subcommand)]
pub enum Question {
    /// Show operators, tensors, quantization, metadata, and where the bytes are
    Inspect {
        /// The model
        #[arg(value_name = "FILE|ZOO|RUN")]
        model: String,
        /// List all commands of the operators that run on an Arm Ethos-U
        #[arg(long)]
        commands: bool,
        /// Print JSON: of the file, not of who runs what
        #[arg(long, conflicts_with_all = ["commands", "delegate"])]
        json: bool,
        /// Show which operators these run, the first that takes one, and why not the others
        #[arg(long, value_name = "NAME", value_delimiter = ',')]
        delegate: Vec<DelegateName>,
    },
    /// Time the model on one thread of this machine, operator by operator
    Bench {
        /// The model
        #[arg(value_name = "FILE|ZOO|RUN")]
        model: String,
        /// How many runs are timed, and as many again for the operators
        #[arg(long, default_value = "1000")]
        runs: NonZeroUsize,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Who runs the operators that it takes, the first that takes one
        #[arg(long, value_name = "NAME", value_delimiter = ',')]
        delegate: Vec<DelegateName>,
    },
    /// Compare two models on one test image, tensor by tensor, those of subgraphs after their last run; exit code 1 where they differ
    Diff {
        /// The first model
        #[arg(value_name = "FILE|ZOO|RUN")]
        a: String,
        /// The second model
        #[arg(value_name = "FILE|ZOO|RUN")]
        b: String,
        /// Which test image
        #[arg(long, default_value_t = 0)]
        image: usize,
        #[command(flatten)]
        data: DataSettings,
    },
    /// Write the model as a graph for Graphviz
    Dot {
        /// The model
        #[arg(value_name = "FILE|ZOO|RUN")]
        model: String,
        /// The file [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Write the model without names, description and what else no runtime reads
    Strip {
        /// The model
        #[arg(value_name = "FILE|ZOO|RUN")]
        model: String,
        /// The file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Keep the signatures, with the names in them
        #[arg(long)]
        keep_signatures: bool,
        /// Leave out the arena plan, too: the chip plans for itself, and may need another arena. Arm's vela needs models without one
        #[arg(long)]
        drop_plan: bool,
    },
    /// Show the arena over time: what lies where while each operator runs
    Plan {
        /// The model
        #[arg(value_name = "FILE|ZOO|RUN")]
        model: String,
        /// Draw it, too
        #[arg(long, value_name = "FILE.svg")]
        svg: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Run the model once: files in, files out
    Run {
        /// The model
        #[arg(value_name = "FILE|ZOO|RUN")]
        model: String,
        /// A file for each input, in order: its elements, little-endian, or an image (PNG, JPEG, PGM, PPM)
        #[arg(long, value_name = "FILE", value_delimiter = ',', required = true)]
        input: Vec<PathBuf>,
        /// A file for each output, in order, for its elements, little-endian; without it they are only shown
        #[arg(long, value_name = "FILE", value_delimiter = ',')]
        output: Vec<PathBuf>,
        /// What the black and the white of an image stand for
        #[arg(long, value_name = "BLACK,WHITE", default_value = "0,1", value_parser = black_and_white, allow_hyphen_values = true)]
        pixels: (f32, f32),
        /// Resize images to the input's size
        #[arg(long)]
        resize: bool,
        /// Who runs the operators that it takes, the first that takes one
        #[arg(long, value_name = "NAME", value_delimiter = ',')]
        delegate: Vec<DelegateName>,
    },
    /// Measure accuracy and loss on the test images of a data set
    Accuracy {
        /// The model
        #[arg(value_name = "FILE|ZOO|RUN")]
        model: String,
        #[command(flatten)]
        data: DataSettings,
        /// Who runs the operators that it takes, the first that takes one
        #[arg(long, value_name = "NAME", value_delimiter = ',')]
        delegate: Vec<DelegateName>,
    },
    /// Say whether the model runs on a chip: flash, arena, stack, and what is missing
    Check {
        /// The model
        #[arg(value_name = "FILE|ZOO|RUN")]
        model: String,
        /// The chip, as `cargo xtask chips` lists it
        #[arg(long, value_name = "NAME")]
        chip: String,
    },
}

/// Something that runs operators in the interpreter's stead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DelegateName {
    /// The kernels for this processor's vector instructions, apart from the others
    Simd,
    /// Float operators on a GPU, or on a software driver for one; compiles Burn's wgpu backend the first time
    Gpu,
}

/// The two ends of what a pixel stands for, as in `-1,1`.
fn black_and_white(text: &str) -> Result<(f32, f32), String> {
    let numbers = text
        .split_once(',')
        .and_then(|(black, white)| Some((black.parse().ok()?, white.parse().ok()?)));
    numbers
        .filter(|(black, white): &(f32, f32)| black.is_finite() && white.is_finite())
        .ok_or_else(|| "two numbers are wanted, as in -1,1".to_owned())
}
