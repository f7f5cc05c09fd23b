//! The device runtime: an interpreter of `.tflite` files without an allocator.
//!
//! [`Interpreter::new`] prepares a checked model in an arena of the caller's and [`Interpreter::invoke`] runs it. The
//! model stays where it is, in flash; the weights are read in place.
//!
//! **Invariants:** no standard library, no allocation (feature `alloc` adds what a host needs for planning), no
//! `unsafe` of its own, no panic: whatever the file says, the answer is a [`PrepareError`]. What is kept in the arena
//! consists of 32-bit words, so that a host's figures hold on the device.

#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod call;
#[cfg(feature = "alloc")]
pub mod coverage;
mod error;
mod fusion;
#[cfg(feature = "alloc")]
mod inspect;
mod interpreter;
mod io;
mod kernel;
mod linked;
mod memory;
pub mod ops;
pub mod plan;
mod prepare;
mod profile;
pub mod registry;
mod run;
mod state;
mod steps;
mod written;

#[cfg(feature = "alloc")]
pub use call::{called_by, reached};
pub use ember_core::{BuiltinOp, Dtype};
pub use ember_tflite::{Model, OpCode, ReadError};
pub use error::{Fault, InvokeError, InvokeFault, PrepareError, Refused, Slot};
#[cfg(feature = "alloc")]
pub use inspect::{PreparedOperator, PreparedOperators};
#[cfg(feature = "alloc")]
pub use interpreter::arena_bytes_needed;
pub use interpreter::{ARENA_ALIGNMENT, Interpreter, initial_byte};
pub use io::{Inputs, Io};
pub use kernel::{Kernel, Registration};
#[cfg(feature = "alloc")]
pub use linked::Preparation;
pub use linked::{Linked, LinkedInterpreter};
#[doc(hidden)]
pub use memory::Aligned;
pub use memory::Arena;
pub use prepare::{Operand, Prepare, Scratch};
pub use profile::Profiler;
pub use state::State;
pub use written::Others;
