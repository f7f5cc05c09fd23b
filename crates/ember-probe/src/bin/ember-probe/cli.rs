//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use ember_probe::session::attach::Wish;
use ember_probe::session::talk::Element;
use probe_rs::probe::WireProtocol;
use serde::Serialize;
use std::path::PathBuf;

/// Chips, debug probes, flashing and RTT for `cargo xtask`
#[derive(Debug, Parser)]
#[command(name = "ember-probe", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Only errors and results
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the chips of the registry, and whether a model can be deployed to them
    Chips(Chips),
    /// Write, as JSON, what is known of a chip
    Plan(Plan),
    /// Say what flashing an image would erase and write
    FlashPlan(FlashPlan),
    /// List the debug probes that are connected
    Probes {
        /// Write JSON, one object per probe
        #[arg(long)]
        json: bool,
    },
    /// Write an image into a chip's flash, start it and talk to it
    Deploy(Deploy),
    /// Write a model into the slot of a chip that does not run, start the chip and talk to it
    Update(Update),
    /// Restart a chip that was deployed to and talk to it
    Run(Run),
}

#[derive(Debug, Args)]
pub struct Chips {
    /// Only chips with this in their name or family, in any case
    pub search: Option<String>,
    /// Write JSON, one object per chip
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Plan {
    /// The chip
    #[arg(long, value_name = "NAME")]
    pub chip: String,
}

#[derive(Debug, Args)]
pub struct FlashPlan {
    /// The chip
    #[arg(long, value_name = "NAME")]
    pub chip: String,
    /// What would be written: Intel HEX
    #[arg(long, value_name = "FILE")]
    pub image: PathBuf,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Which chip, and how to reach it.
#[derive(Debug, Args)]
pub struct Reach {
    /// The chip
    #[arg(long, value_name = "NAME")]
    pub chip: String,
    /// The probe, when there are several
    #[arg(long, value_name = "VID:PID[:SERIAL]")]
    pub probe: Option<String>,
    /// Speed of the debug port in kHz
    #[arg(long, value_name = "KHZ", value_parser = clap::value_parser!(u32).range(1..))]
    pub speed: Option<u32>,
    /// The debug port's protocol
    #[arg(long, value_enum)]
    pub protocol: Option<Protocol>,
    /// Hold the chip in reset while connecting
    #[arg(long)]
    pub connect_under_reset: bool,
}

impl Reach {
    pub fn wish(&self) -> Wish {
        Wish {
            probe: self.probe.clone(),
            speed_khz: self.speed,
            protocol: self.protocol.map(|protocol| match protocol {
                Protocol::Swd => WireProtocol::Swd,
                Protocol::Jtag => WireProtocol::Jtag,
            }),
            under_reset: self.connect_under_reset,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Protocol {
    /// Two wires
    Swd,
    /// Four wires
    Jtag,
}

/// What to ask the firmware.
#[derive(Debug, Args)]
pub struct Talk {
    /// Images as the model takes them, one after the other; without them the chip is only started
    #[arg(long, value_name = "FILE", requires = "input_bytes")]
    pub images: Option<PathBuf>,
    /// The address of `_SEGGER_RTT`; without it all RAM is looked through
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub rtt: Option<u32>,
    /// The target triple that the firmware was built for [default: the chip's]
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// Bytes of one image
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub input_bytes: Option<u32>,
    /// The outputs that the host computed, one after the other
    #[arg(long, value_name = "FILE")]
    pub expected: Option<PathBuf>,
    /// The right classes, a byte each
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// What the outputs are
    #[arg(long, value_enum, default_value = "int8")]
    pub output: Output,
    /// Send the images over and over until ctrl-C, and show each answer
    #[arg(long)]
    pub live: bool,
    /// Write what was found out into this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Output {
    Int8,
    Uint8,
    Int16,
    Float32,
}

impl From<Output> for Element {
    fn from(output: Output) -> Self {
        match output {
            Output::Int8 => Self::Int8,
            Output::Uint8 => Self::Uint8,
            Output::Int16 => Self::Int16,
            Output::Float32 => Self::Float32,
        }
    }
}

#[derive(Debug, Args)]
pub struct Deploy {
    #[command(flatten)]
    pub reach: Reach,
    /// What is written: Intel HEX
    #[arg(long, value_name = "FILE")]
    pub image: PathBuf,
    #[command(flatten)]
    pub talk: Talk,
}

#[derive(Debug, Args)]
pub struct Update {
    #[command(flatten)]
    pub reach: Reach,
    /// The model: a .tflite file
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// Bytes of arena that the model needs
    #[arg(long, value_name = "BYTES")]
    pub arena_bytes: u32,
    /// The builtin codes of its operators; what the firmware has no kernel for is then said before anything is written
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub operators: Vec<i32>,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The version that the firmware reports [default: one more than that of the model that runs]
    #[arg(long, value_name = "N")]
    pub model_version: Option<u32>,
    /// Sign the model with this private key (Ed25519, PKCS#8 PEM)
    #[arg(long, value_name = "FILE")]
    pub sign: Option<PathBuf>,
    #[command(flatten)]
    pub talk: Talk,
}

#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub reach: Reach,
    #[command(flatten)]
    pub talk: Talk,
}

fn address(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|error| format!("expected an address such as 0x20000000: {error}"))
}

/// JSON, laid out for people too.
pub fn json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(value)
}
