//! `ember-gpu`: models on a GPU from the command line. `cargo xtask model … --delegate gpu` starts it.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use ember_gpu::Gpu;
use ember_lite::{
    Delegate, EvaluateOptions, Images, MappedModel, Pixels, Simd, evaluate, profile, run_files,
};

/// Runs the float operators of models on a GPU, and the others in the interpreter.
#[derive(Debug, Parser)]
#[command(name = "ember-gpu")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// A model, and who runs it.
#[derive(Debug, Args)]
struct Chosen {
    /// The model, a .tflite file
    model: PathBuf,
    /// Who runs the operators that it takes, the first that takes one
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "gpu"
    )]
    delegate: Vec<Name>,
    /// Do not say which GPU it is
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    /// The GPU
    Gpu,
    /// The kernels for this processor's vector instructions, apart from the others
    Simd,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show who runs which operator of a model, and why not the GPU
    Inspect {
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Run a model once: files in, files out
    Run {
        #[command(flatten)]
        chosen: Chosen,
        /// A file for each input, in order: its elements, little-endian, or an image
        #[arg(long, value_name = "FILE", required = true)]
        input: Vec<PathBuf>,
        /// A file for each output, in order, for its elements, little-endian; without it they are only shown
        #[arg(long, value_name = "FILE")]
        output: Vec<PathBuf>,
        /// What the black of an image stands for
        #[arg(
            long,
            value_name = "NUMBER",
            default_value_t = 0.0,
            allow_hyphen_values = true
        )]
        black: f32,
        /// What the white of an image stands for
        #[arg(
            long,
            value_name = "NUMBER",
            default_value_t = 1.0,
            allow_hyphen_values = true
        )]
        white: f32,
        /// Resize images to the input's size
        #[arg(long)]
        resize: bool,
    },
    /// Time a model on one thread, operator by operator; a partition is one
    Bench {
        #[command(flatten)]
        chosen: Chosen,
        /// How many runs are timed, and as many again for the operators
        #[arg(long, default_value = "1000")]
        runs: NonZeroUsize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Measure accuracy and loss on images
    Accuracy {
        #[command(flatten)]
        chosen: Chosen,
        /// The images: a byte per pixel, row after row, image after image
        #[arg(long, value_name = "FILE")]
        images: PathBuf,
        /// The labels: a byte per image
        #[arg(long, value_name = "FILE")]
        labels: PathBuf,
        /// Rows of an image
        #[arg(long)]
        rows: usize,
        /// Columns of an image
        #[arg(long)]
        cols: usize,
    },
}

fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    let (Command::Inspect { chosen }
    | Command::Run { chosen, .. }
    | Command::Bench { chosen, .. }
    | Command::Accuracy { chosen, .. }) = &command;
    match run(&command, chosen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error with its causes, each said once: the library's errors have theirs in their own text.
fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn run(command: &Command, chosen: &Chosen) -> Result<()> {
    let model = delegated(chosen)?;
    match command {
        Command::Inspect { .. } => {
            if let Some(delegation) = model.delegation() {
                print!("{delegation}");
            }
        }
        Command::Run {
            input,
            output,
            black,
            white,
            resize,
            ..
        } => {
            let pixels = Pixels {
                black: *black,
                white: *white,
                resize: *resize,
            };
            let outputs = run_files(&model, input, output, pixels)?;
            for (index, output) in outputs.iter().enumerate() {
                println!("output {index} {output}");
            }
        }
        Command::Bench { runs, json, .. } => {
            let profile = profile(&model, *runs)?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&profile)?);
            } else {
                print!("{profile}");
            }
        }
        Command::Accuracy {
            images,
            labels,
            rows,
            cols,
            ..
        } => {
            let (pixels, labels) = (read(images)?, read(labels)?);
            let images = Images {
                pixels: &pixels,
                rows: *rows,
                cols: *cols,
            };
            let evaluation = evaluate(&model, images, &labels, &EvaluateOptions::default())?;
            println!(
                "{:.2} % of {} images, loss {:.4}",
                100.0 * evaluation.accuracy,
                evaluation.images,
                evaluation.loss
            );
        }
    }
    Ok(())
}

/// The model as the delegates and the interpreter run it.
fn delegated(chosen: &Chosen) -> Result<MappedModel> {
    let model = MappedModel::open(&chosen.model)?;
    let delegate = |name: &Name| -> Result<Box<dyn Delegate>> {
        Ok(match name {
            Name::Simd => Box::new(Simd::of(&model)?),
            Name::Gpu => {
                let gpu = Gpu::open()?;
                if !chosen.quiet {
                    eprintln!("GPU: {}", gpu.adapter());
                }
                Box::new(gpu)
            }
        })
    };
    let delegates = chosen.delegate.iter().map(delegate);
    let delegates = delegates.collect::<Result<Vec<_>>>()?;
    let delegates: Vec<&dyn Delegate> = delegates.iter().map(Box::as_ref).collect();
    Ok(model.delegated(&delegates)?)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
