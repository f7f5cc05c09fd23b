//! The command line: what each command does, its settings and their defaults.

pub mod compress;
pub mod deploy;
pub mod model;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use compress::{
    ClusterCommand, Compare, CompressionSettings, PruneCommand, QuantizeCommand, QuantizeSettings,
};
use deploy::{Chips, Deploy, Fit, Probes};
use model::ModelCommand;

/// Train a model, compress it, put it on a microcontroller, and prove that the chip says what the host says.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    disable_help_subcommand = true,
    max_term_width = 110
)]
#[command(
    after_help = "The two commands to know:\n  cargo xtask pipeline   everything, from data to report\n  cargo xtask test       all tests\n\nEach stage writes into artifacts/runs/<NAME>/ and is skipped while its inputs do not change."
)]
pub struct Cli {
    /// Say nothing but errors and results. `NO_COLOR` turns colours off.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// All stages: data, train, quantize, eval, codegen, firmware, run, report
    #[command(
        after_help = "Example:\n  cargo xtask pipeline --dataset mnist --on cortex-m4,rv32imac"
    )]
    Pipeline(Box<Pipeline>),
    /// Find, download or draw the data set, and check it
    #[command(
        after_help = "Examples:\n  cargo xtask data --dataset mnist\n  cargo xtask data --dataset path/to/idx/folder"
    )]
    Data(Data),
    /// Train a model in Burn
    #[command(
        after_help = "Example:\n  cargo xtask train --model mlp --epochs 10 --seed 1\n\nInterrupted training goes on with --resume."
    )]
    Train(Box<TrainCommand>),
    /// Optimize and calibrate the graph of a run, and write its .tflite files; or make one file by a recipe
    #[command(
        after_help = "Examples:\n  cargo xtask quantize --representative 500\n  cargo xtask quantize --model seed-cnn --recipe int4 --debug\n  cargo xtask quantize --model pruned.tflite --recipe mine.toml --store ember --out small.tflite"
    )]
    Quantize(Box<QuantizeCommand>),
    /// Import an ONNX model as a run, which the other commands take by name
    #[command(
        after_help = "Examples:\n  cargo xtask import mobilenet.onnx\n  cargo xtask quantize --model mobilenet\n  cargo xtask import keywords.onnx --int8 keywords.tflite --samples features.f32\n  cargo xtask deploy --chip nRF52840_xxAA --model keywords.tflite"
    )]
    Import(Import),
    /// Make the smallest weights of a model 0, or take whole channels out of it
    #[command(
        after_help = "Examples:\n  cargo xtask prune --model seed-cnn --pattern 0.8 --fine-tune 3\n  cargo xtask prune --model big.tflite --channels 0.5 --out half.tflite"
    )]
    Prune(PruneCommand),
    /// Leave few different weights in a model, so that a chip can store which one in place of each
    #[command(
        after_help = "Examples:\n  cargo xtask cluster --model seed-cnn --clusters 16 --fine-tune 3\n  cargo xtask cluster --model pruned.tflite --clusters 16 --keep-zeros"
    )]
    Cluster(ClusterCommand),
    /// Measure the .tflite files on the test set, in the host runtime
    #[command(
        after_help = "Examples:\n  cargo xtask eval --dataset mnist\n  cargo xtask eval --engine compiled"
    )]
    Eval(EvalCommand),
    /// Turn the int8 .tflite into Rust source: its bytes as an array, or code that computes it
    #[command(after_help = "Examples:\n  cargo xtask codegen\n  cargo xtask codegen --compiled")]
    Codegen(CodegenCommand),
    /// Cross-compile the firmware around the model
    #[command(after_help = "Example:\n  cargo xtask firmware --on cortex-m0,rv32imac")]
    Firmware(FirmwareCommand),
    /// Run the firmware on an emulated microcontroller and compare it with the host
    #[command(
        after_help = "Examples:\n  cargo xtask run --on cortex-m4\n  cargo xtask run --on cortex-m3 --emulator embedded --images 100"
    )]
    Run(RunCommand),
    /// Flash a chip over a debug probe, run the model on it, and compare it with the host
    #[command(
        after_help = "Examples:\n  cargo xtask deploy --chip nRF52840_xxAA\n  cargo xtask deploy --chip STM32F405RGTx --emulate\n  cargo xtask deploy --chip RP2040 --dry-run --format uf2\n  cargo xtask deploy --chip nRF52840_xxAA --model-only better.tflite\n\nExit code 2: no debug probe."
    )]
    Deploy(Deploy),
    /// List the chips that can be flashed, or the reason why one cannot
    #[command(after_help = "Examples:\n  cargo xtask chips nrf52\n  cargo xtask chips --json")]
    Chips(Chips),
    /// List the debug probes that are plugged in
    #[command(after_help = "Example:\n  cargo xtask probes")]
    Probes(Probes),
    /// Say which models fit a chip, the most accurate first
    #[command(after_help = "Example:\n  cargo xtask fit --chip STM32F100RBTx")]
    Fit(Fit),
    /// Ask something of a model file: inspect, diff, dot, plan, strip, run, accuracy, check
    #[command(
        after_help = "Examples:\n  cargo xtask model inspect seed-cnn\n  cargo xtask model diff a.tflite b.tflite --dataset mnist\n  cargo xtask model check seed-cnn --chip STM32F100RB"
    )]
    Model(ModelCommand),
    /// Put the figures of a run into report.json, report.md, report.html and the terminal
    #[command(after_help = "Example:\n  cargo xtask report")]
    Report(Stage),
    /// Show the committed models: accuracy, model, arena and stack
    #[command(after_help = "Example:\n  cargo xtask zoo")]
    Zoo,
    /// Make the committed models' files again and compare their hashes with the committed ones
    #[command(
        after_help = "Examples:\n  cargo xtask verify\n  cargo xtask verify --zoo seed-cnn --training\n  cargo xtask verify --update"
    )]
    Verify(Verify),
    /// Show what is installed, and the command for what is not
    #[command(after_help = "Example:\n  cargo xtask doctor")]
    Doctor,
    /// Count size and instructions of the committed models on the cores, beside the committed baselines
    #[command(
        after_help = "Examples:\n  cargo xtask bench\n  cargo xtask bench --zoo seed-cnn --on cortex-m4 --check\n  cargo xtask bench --model person_detect.tflite --on cortex-m4,rv32imac"
    )]
    Bench(Bench),
    /// Make every smaller variant of a trained model and measure size, accuracy, speed and flash of each
    #[command(
        after_help = "Examples:\n  cargo xtask compare --model seed-cnn --dataset mnist\n  cargo xtask compare --model seed-cnn --dataset mnist --fine-tune --seeds 0,1,2"
    )]
    Compare(Compare),
    /// Run all tests
    #[command(after_help = "Example:\n  cargo xtask test")]
    Test,
    /// Check what the compiler does not: layers, paths in documents, headers of files
    #[command(after_help = "Example:\n  cargo xtask tidy")]
    Tidy,
    /// Run a model once and print the highest resident memory of the process, in bytes
    #[command(
        hide = true,
        after_help = "Example:\n  cargo xtask footprint model.tflite"
    )]
    Footprint {
        /// The .tflite file
        model: PathBuf,
    },
    /// What continuous integration runs: fmt, tidy, clippy, test, pipeline, embedded, deploy, compress, examples, miri, gpu, verify, bench
    #[command(after_help = "Example:\n  cargo xtask ci --only fmt,clippy")]
    Ci(Ci),
}

/// Which run a command works on.
#[derive(Clone, Debug, Args)]
pub struct Stage {
    /// The run: a folder below artifacts/runs/
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub name: String,
    /// Run the stage even when its inputs did not change
    #[arg(long)]
    pub force: bool,
}

/// The data set.
#[derive(Clone, Debug, Args)]
pub struct DataSettings {
    /// auto, mnist, synthetic, or a folder with IDX files; auto is MNIST, and synthetic digits where it cannot be had
    #[arg(long, value_name = "auto|mnist|synthetic|PATH", default_value = "auto")]
    pub dataset: String,
}

/// `data`.
#[derive(Clone, Debug, Args)]
pub struct Data {
    #[command(flatten)]
    pub data: DataSettings,
}

/// How to train. The defaults are those that did best on the validation images of the reference model, over seeds 0 to 4, of a few
/// learning rates at 5 epochs of 32 images a step.
#[derive(Clone, Debug, Args)]
pub struct TrainSettings {
    /// The model: seed-cnn, mlp, nano-cnn, small-cnn, small-cnn-bn or residual-cnn
    #[arg(long, default_value = "seed-cnn")]
    pub model: String,
    /// Passes over the training set
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: u32,
    /// Images per step
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: u32,
    /// Adam's learning rate at the start
    #[arg(long, default_value_t = 3e-3)]
    pub learning_rate: f64,
    /// The learning rate at the end, reached along half a cosine; the same as --learning-rate keeps it constant [default: a
    /// three-hundredth of --learning-rate]
    #[arg(long)]
    pub final_learning_rate: Option<f64>,
    /// Seed of the initial weights and the order of images
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Images of the training set that are kept for validation
    #[arg(long, default_value_t = 5000)]
    pub validation: u32,
    /// Burn's CPU backend
    #[arg(long, value_enum, default_value_t = Backend::Flex)]
    pub backend: Backend,
    #[command(flatten)]
    pub compression: CompressionSettings,
}

impl TrainSettings {
    /// The learning rate at the end.
    #[must_use]
    pub fn last_learning_rate(&self) -> f64 {
        self.final_learning_rate
            .unwrap_or(self.learning_rate / 300.0)
    }
}

impl Default for TrainSettings {
    /// What a command line without any of them gives.
    fn default() -> Self {
        #[derive(Parser)]
        struct Alone {
            #[command(flatten)]
            settings: TrainSettings,
        }
        Alone::parse_from(["train"]).settings
    }
}

/// Burn's CPU backends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// The faster one
    Flex,
    /// burn-ndarray: older, three times slower
    Ndarray,
}

impl Backend {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
        }
    }
}

/// What runs a model on a chip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Engine {
    /// An interpreter reads the model's file
    #[default]
    Interpreter,
    /// Rust source that was made from the model: no interpreter, no file
    Compiled,
}

impl Engine {
    /// Its name on the command line and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interpreter => "interpreter",
            Self::Compiled => "compiled",
        }
    }
}

/// `train`.
#[derive(Clone, Debug, Args)]
pub struct TrainCommand {
    #[command(flatten)]
    pub stage: Stage,
    #[command(flatten)]
    pub data: DataSettings,
    #[command(flatten)]
    pub train: TrainSettings,
    /// Go on from the last checkpoint of an interrupted training
    #[arg(long)]
    pub resume: bool,
}

/// `import`.
#[derive(Clone, Debug, Args)]
pub struct Import {
    /// The ONNX file
    pub model: PathBuf,
    /// The run that it becomes: a folder below artifacts/runs/ [default: the file's name without its ending]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Write the model in float32, too
    #[arg(long, value_name = "FILE.tflite")]
    pub float: Option<PathBuf>,
    /// Write the model in int8, too: with the scales that a quantized file has, or those of --samples
    #[arg(long, value_name = "FILE.tflite")]
    pub int8: Option<PathBuf>,
    /// Inputs to calibrate the int8 model on: float32 numbers, little-endian, one sample after the other, images NHWC
    #[arg(long, value_name = "FILE", requires = "int8")]
    pub samples: Option<PathBuf>,
}

/// `eval`.
#[derive(Clone, Debug, Args)]
pub struct EvalCommand {
    #[command(flatten)]
    pub stage: Stage,
    #[command(flatten)]
    pub data: DataSettings,
    /// What runs the int8 model; compiled, its scores must be the interpreter's
    #[arg(long, value_enum, default_value_t)]
    pub engine: Engine,
}

/// `codegen`.
#[derive(Clone, Debug, Args)]
pub struct CodegenCommand {
    #[command(flatten)]
    pub stage: Stage,
    /// Rust source that computes the model, in place of its bytes as an array
    #[arg(long)]
    pub compiled: bool,
}

/// `firmware`.
#[derive(Clone, Debug, Args)]
pub struct FirmwareCommand {
    #[command(flatten)]
    pub stage: Stage,
    /// What runs the model
    #[arg(long, value_enum, default_value_t)]
    pub engine: Engine,
    /// The emulated machines: cortex-m0, cortex-m3, cortex-m4, cortex-m7, cortex-m33, cortex-m55, rv32imac [default: cortex-m4]
    #[arg(long, value_name = "MACHINE", value_delimiter = ',')]
    pub on: Vec<String>,
}

/// What plays the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Emulator {
    /// QEMU where it is installed, else the embedded one
    Auto,
    /// QEMU, instructions counted
    Qemu,
    /// The built-in Cortex-M3: needs nothing but cargo
    Embedded,
}

/// How to emulate.
#[derive(Clone, Debug, Args)]
pub struct RunSettings {
    /// What runs the model
    #[arg(long, value_enum, default_value_t)]
    pub engine: Engine,
    /// The emulated machines: cortex-m0, cortex-m3, cortex-m4, cortex-m7, cortex-m33, cortex-m55, rv32imac [default: cortex-m4,
    /// or cortex-m3 where there is no QEMU]
    #[arg(long, value_name = "MACHINE", value_delimiter = ',')]
    pub on: Vec<String>,
    /// What plays the chip
    #[arg(long, value_enum, default_value_t = Emulator::Auto)]
    pub emulator: Emulator,
    /// Test images to send [default: all in QEMU, as many as fit in 20 s in the embedded emulator]
    #[arg(long)]
    pub images: Option<usize>,
}

/// `run`.
#[derive(Clone, Debug, Args)]
pub struct RunCommand {
    #[command(flatten)]
    pub stage: Stage,
    #[command(flatten)]
    pub data: DataSettings,
    #[command(flatten)]
    pub run: RunSettings,
}

/// `pipeline`.
#[derive(Clone, Debug, Args)]
pub struct Pipeline {
    #[command(flatten)]
    pub stage: Stage,
    #[command(flatten)]
    pub data: DataSettings,
    #[command(flatten)]
    pub train: TrainSettings,
    #[command(flatten)]
    pub quantize: QuantizeSettings,
    #[command(flatten)]
    pub run: RunSettings,
    /// Go on from the last checkpoint of an interrupted training
    #[arg(long)]
    pub resume: bool,
}

/// `verify`.
#[derive(Clone, Debug, Args)]
pub struct Verify {
    /// The committed models [default: all]
    #[arg(long, value_name = "MODEL", value_delimiter = ',')]
    pub zoo: Vec<String>,
    /// Train some hundred steps twice as well, and compare the two models
    #[arg(long)]
    pub training: bool,
    /// Make everything but the checkpoints anew and take it, with its hashes: for changes of the firmware or the quantizer
    #[arg(long, conflicts_with = "training")]
    pub update: bool,
    /// Take this finished run as the committed model of the same name, with its hashes
    #[arg(long, value_name = "RUN", conflicts_with_all = ["training", "update", "zoo"])]
    pub adopt: Option<String>,
}

/// `bench`.
#[derive(Clone, Debug, Args)]
pub struct Bench {
    /// The committed models [default: all]
    #[arg(long, value_name = "MODEL", value_delimiter = ',')]
    pub zoo: Vec<String>,
    /// The emulated machines [default: all for the reference model seed-cnn and with --update, else cortex-m4]
    #[arg(long, value_name = "MACHINE", value_delimiter = ',')]
    pub on: Vec<String>,
    /// What runs the models [default: the interpreter, and both for the reference model]
    #[arg(long, value_enum)]
    pub engine: Option<Engine>,
    /// Other models than the committed ones: .tflite files
    #[arg(long, value_name = "FILE", value_delimiter = ',', conflicts_with_all = ["check", "update"])]
    pub model: Vec<PathBuf>,
    /// Only the firmware for chips that can be bought: what `fit` and `deploy` reckon with
    #[arg(long, conflicts_with_all = ["on", "zoo", "model", "engine", "json"])]
    pub chips: bool,
    /// Time the models on this host instead: wall times, which are not compared with anything
    #[arg(long, conflicts_with_all = ["on", "chips", "engine", "check", "update"])]
    pub host: bool,
    /// Train the reference model from three seeds with the default settings, and say when it reached 97.7 %
    #[arg(long, conflicts_with_all = ["on", "zoo", "model", "chips", "engine", "host", "check", "update"])]
    pub training: bool,
    #[command(flatten)]
    pub data: DataSettings,
    /// Fail when something grew beyond the committed baseline
    #[arg(long, conflicts_with = "update")]
    pub check: bool,
    /// Write the figures of today as the baseline
    #[arg(long)]
    pub update: bool,
    /// Write the figures as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// `ci`.
#[derive(Clone, Debug, Args)]
pub struct Ci {
    /// Only these steps
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub only: Vec<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn every_command_says_what_it_does_and_shows_an_example() {
        let cli = super::Cli::command();
        cli.clone().debug_assert();
        for command in cli.get_subcommands() {
            assert!(
                command.get_about().is_some(),
                "{} has no description",
                command.get_name()
            );
            let example = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                example.contains(&format!("cargo xtask {}", command.get_name())),
                "{} has no example",
                command.get_name()
            );
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {} is not explained",
                    command.get_name(),
                    argument.get_id()
                );
            }
        }
    }
}
