//! Models that Arm's compiler `vela` made for an Ethos-U55 or Ethos-U65.
//!
//! `vela` takes the operators that the NPU can do out of a `.tflite` file and leaves one custom operator, `ethos-u`, in their
//! place. This crate has what is needed to run that:
//!
//! - [`Payload`] reads the operator's first input: which NPU it is for, and the [`Commands`], which can be listed by name.
//! - [`EthosU`] is the operator's kernel for `ember-micro`. It checks all that can be checked without the NPU, and hands a
//!   [`Job`] to a [`Driver`] of the user's.
//! - [`Npu`] is a driver of our own at the level of registers, for whoever has none.
//!
//! ```
//! use ember_ethos_u::{Driver, EthosU, Job, Stopped};
//! use ember_micro::{Registration, registry};
//!
//! /// The NPU of this chip.
//! struct Chip;
//!
//! impl Driver for Chip {
//!     fn run(job: Job<'_>) -> Result<(), Stopped> {
//!         // Give the commands' address and the three regions to the hardware, and wait for it.
//!         # let _ = job;
//!         Ok(())
//!     }
//! }
//!
//! static KERNELS: &[Registration] = &[Registration::of::<EthosU<Chip>>(), registry::SOFTMAX_INT8];
//! ```
//!
//! A model keeps the plan of its arena that `vela` wrote: the commands have the places of the operator's inputs and outputs in
//! them. Give `vela` a model without a plan of its own (`tools/vela/compile.py` does): it does not replace one.
//!
//! # What was tried, and what was not
//!
//! The format was read off `vela` 5.2 and Arm's `ethos-u-core-driver`, the map of the registers off the latter's
//! `ethosu55_interface.h` and `ethosu65_interface.h`. Payloads, commands, memory and operator are tested with files that `vela`
//! made of models of ours; [`Npu`] is tested against a model of its registers in software. **Nothing here ever ran on an
//! Ethos-U**, nor in Arm's simulator of one. Ethos-U85 has other commands and is refused.

#![no_std]

mod commands;
mod driver;
mod mmio;
mod npu;
mod operator;
mod payload;

pub use commands::{Command, CommandIter, Commands, Needs};
pub use driver::{Driver, Job, REGIONS, Stopped};
pub use mmio::Mmio;
pub use npu::{Access, Npu, NpuError, Registers};
pub use operator::{EthosU, Refusal};
pub use payload::{Payload, PayloadError, Product, Target};
