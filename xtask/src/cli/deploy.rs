//! Settings of the commands about chips that can be bought: `chips`, `probes`, `fit`, `deploy`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{DataSettings, Engine};

/// `chips`.
#[derive(Clone, Debug, Args)]
pub struct Chips {
    /// Only chips with this in their name or family, in any case
    pub search: Option<String>,
    /// Write JSON, one object per chip
    #[arg(long)]
    pub json: bool,
}

/// `probes`.
#[derive(Clone, Debug, Args)]
pub struct Probes {
    /// Write JSON, one object per probe
    #[arg(long)]
    pub json: bool,
}

/// Which model goes onto the chip.
#[derive(Clone, Debug, Args)]
pub struct ModelSettings {
    /// A .tflite file, a model of artifacts/zoo, or the name of a run [default: the run `default` where there is one,
    /// else the zoo's seed-cnn]
    #[arg(long, value_name = "FILE|ZOO|RUN")]
    pub model: Option<String>,
}

/// `fit`.
#[derive(Clone, Debug, Args)]
pub struct Fit {
    /// The chip, as `cargo xtask chips` lists it; any case, and a beginning that only one chip has is enough
    #[arg(long, value_name = "NAME")]
    pub chip: String,
    /// Models to try [default: every model of artifacts/zoo]
    #[arg(long, value_name = "FILE|ZOO|RUN", value_delimiter = ',')]
    pub model: Vec<String>,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// File formats of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// ELF without symbols; firmware.elf beside it is what the linker wrote, with symbols and without the model
    Elf,
    /// Bytes from the first address to the last
    Bin,
    /// Intel HEX: what is flashed
    Hex,
    /// For boards that are a drive on USB
    Uf2,
}

/// How to reach a debug probe.
#[derive(Clone, Debug, Args)]
pub struct ProbeSettings {
    /// The probe, as `cargo xtask probes` lists it, when there are several
    #[arg(long, value_name = "VID:PID[:SERIAL]")]
    pub probe: Option<String>,
    /// Speed of the debug port in kHz [default: the probe's own]
    #[arg(long, value_name = "KHZ", value_parser = clap::value_parser!(u32).range(1..))]
    pub speed: Option<u32>,
    /// The debug port's protocol [default: the chip's own]
    #[arg(long, value_enum)]
    pub protocol: Option<Protocol>,
    /// Hold the chip in reset while connecting: for firmware that turns the debug port off
    #[arg(long)]
    pub connect_under_reset: bool,
}

/// Protocols of debug ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// Two wires
    Swd,
    /// Four wires
    Jtag,
}

impl Protocol {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Swd => "swd",
            Self::Jtag => "jtag",
        }
    }
}

/// `deploy`.
#[derive(Clone, Debug, Args)]
pub struct Deploy {
    /// The chip, as `cargo xtask chips` lists it; any case, and a beginning that only one chip has is enough
    #[arg(long, value_name = "NAME")]
    pub chip: String,
    #[command(flatten)]
    pub model: ModelSettings,
    /// What runs the model; compiled, it is a part of the firmware: no slots, no updates of the model alone
    #[arg(long, value_enum, default_value_t)]
    pub engine: Engine,
    #[command(flatten)]
    pub data: DataSettings,
    /// Test images to send
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub images: u32,
    /// Go on sending images until ctrl-C, and show each answer
    #[arg(long)]
    pub live: bool,
    /// Let QEMU, or the built-in emulator, play the chip: the very file that would be flashed, over the same channel
    #[arg(long, conflicts_with_all = ["dry_run", "live"])]
    pub emulate: bool,
    /// Build and say what would be erased and written, and stop
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub probe: ProbeSettings,
    /// Write the image in these formats; HEX is always written
    #[arg(long, value_enum, value_delimiter = ',', default_value = "hex")]
    pub format: Vec<Format>,
    /// Replace the model of a chip that runs Ember, and nothing else; with --emulate, of the image that was deployed last
    #[arg(long, value_name = "FILE|ZOO|RUN", conflicts_with_all = ["model", "arena", "public_key", "all_kernels"])]
    pub model_only: Option<String>,
    /// The number that the firmware reports as the model's version [default: 1, or one more than that of the model before]
    #[arg(long, value_name = "N")]
    pub model_version: Option<u32>,
    /// Bytes of arena, when a later model may need more than this one [default: what the model needs]
    #[arg(long, value_name = "BYTES")]
    pub arena: Option<u32>,
    /// Link every int8 kernel, so that a later model may have other operators
    #[arg(long)]
    pub all_kernels: bool,
    /// The firmware runs only models that are signed with this key (Ed25519, PEM)
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
    /// Sign the model with this private key (Ed25519, PKCS#8 PEM)
    #[arg(long, value_name = "FILE")]
    pub sign: Option<PathBuf>,
}
