//! The custom operator `ethos-u`.
//!
//! | input | what | | output | what |
//! |---|---|---|---|---|
//! | 0 | the payload, constant | | all | the tensors that the NPU writes |
//! | 1 | region 0, constants | | | |
//! | 2 | region 1, the arena | | | |
//! | 3 | region 2, a fast memory elsewhere; the tensor of input 2 where there is none | | | |
//! | 4… | the tensors that the NPU reads | | | |

use core::marker::PhantomData;

use ember_core::Dtype;
use ember_micro::{Fault, InvokeFault, Io, Kernel, OpCode, Prepare, Refused, Slot};
use ember_tflite::{ETHOS_U, ETHOS_U_ARENA, ETHOS_U_FAST};

use crate::driver::{Driver, Job};
use crate::payload::{Payload, PayloadError};

/// The options of the operator, a flexbuffer that is one integer: 1, an Ethos-U's (`tflite_writer.py`, `ethosu.cc`).
const OPTIONS: [u8; 3] = [1, 4, 1];

/// Every region begins at a multiple of this, in bytes.
const ALIGNMENT: usize = 16;

/// The numbers by which the operator refuses: those of [`Fault::Custom`] and, where said, of [`InvokeFault::Custom`]. Those that
/// a [`Driver`] gives are its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Refusal {
    /// The options are not those of an Ethos-U.
    Options = 1,
    /// The first input is not a payload, or is damaged: [`Payload::parse`] says how.
    Payload = 2,
    /// It is for an NPU that this crate does not know.
    Product = 3,
    /// An input or output of the operator is not within the arena region, where the commands expect it.
    Outside = 4,
    /// A region is smaller than the commands need.
    Small = 5,
    /// While it ran: commands or a region do not begin at a multiple of 16. Load the model, and begin the arena, at one.
    Misaligned = 6,
}

/// The kernel of the operator, for the NPU that `D` drives.
pub struct EthosU<D>(PhantomData<D>);

ember_core::plain! {
    /// The regions that are no constants, in bytes.
    #[derive(Clone, Copy)]
    pub struct Prepared {
        /// Where the arena region begins among the activations.
        arena: u32,
        arena_len: u32,
        /// Whether region 2 is another memory than region 1.
        has_fast: u32,
        fast_len: u32,
    }
}

const PAYLOAD: Slot = Slot::input(0);
const CONSTANTS: Slot = Slot::input(1);
const ARENA: Slot = Slot::input(ETHOS_U_ARENA as u8);
const FAST: Slot = Slot::input(ETHOS_U_FAST as u8);
/// Inputs before the tensors that the NPU reads.
const BEFORE: usize = 4;

impl<D: Driver> Kernel for EthosU<D> {
    const CODE: OpCode<'static> = OpCode::Custom(ETHOS_U);
    const DTYPE: Option<Dtype> = Some(Dtype::Uint8);
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        let (inputs, outputs) = (cx.operator().inputs(), cx.operator().outputs());
        if inputs.len() < BEFORE || outputs.is_empty() {
            return Err(cx.refuse(Fault::Arity {
                inputs: inputs.len().min(255) as u8,
                outputs: outputs.len().min(255) as u8,
            }));
        }
        if cx.operator().custom_options() != OPTIONS {
            return Err(refuse(cx, Refusal::Options));
        }
        let payload = cx.any(PAYLOAD)?.constant()?;
        let payload = Payload::parse(payload).map_err(|error| {
            let refusal = match error {
                PayloadError::Product(_) => Refusal::Product,
                _ => Refusal::Payload,
            };
            refuse(cx, refusal)
        })?;
        let constants = cx.typed(CONSTANTS, Dtype::Uint8)?;
        constants.constant()?;

        let arena_len = cx.typed(ARENA, Dtype::Uint8)?.elements();
        let arena = cx.place(ARENA);
        let arena = cx.expect(arena, Fault::Custom(Refusal::Outside as u32))?;
        let fast_len = cx.typed(FAST, Dtype::Uint8)?.elements();
        let has_fast = inputs.get(ETHOS_U_ARENA) != inputs.get(ETHOS_U_FAST);
        let has = [constants.elements(), arena_len, fast_len];
        let needs = payload.commands.needs().bytes;
        if has
            .iter()
            .zip(needs)
            .any(|(has, needs)| u64::from(*has) < needs)
        {
            return Err(refuse(cx, Refusal::Small));
        }
        let read = (BEFORE..inputs.len()).map(|at| Slot::input(at as u8));
        let written = (0..outputs.len()).map(|at| Slot::output(at as u8));
        for slot in read.chain(written) {
            let tensor = cx.any(slot)?;
            let bytes = tensor.dtype().bits().unwrap_or(0).div_ceil(8);
            let len = tensor.elements().saturating_mul(bytes);
            // A constant has its bytes in region 0 as well.
            let Some(start) = cx.place(slot) else {
                continue;
            };
            let end = start.saturating_add(len);
            if start < arena || end > arena.saturating_add(arena_len) {
                return Err(refuse(cx, Refusal::Outside));
            }
        }
        *prepared = Prepared {
            arena,
            arena_len,
            has_fast: u32::from(has_fast),
            fast_len,
        };
        Ok(())
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, activations) = io.activations();
        let payload = Payload::parse(inputs.get(0)?).map_err(|_| stop(Refusal::Payload))?;
        let (start, len) = (prepared.arena as usize, prepared.arena_len as usize);
        let arena = activations
            .get_mut(start..)
            .and_then(|from| from.get_mut(..len));
        let job = Job {
            target: payload.target,
            commands: payload.commands,
            constants: inputs.get(1)?,
            arena: arena.ok_or(InvokeFault::Prepared)?,
            fast_bytes: (prepared.has_fast != 0).then_some(prepared.fast_len as usize),
        };
        let commands = job.commands.bytes().as_ptr() as u64;
        let [constants, arena, _] = job.addresses(core::ptr::null());
        let together = commands | constants | arena;
        if !together.is_multiple_of(ALIGNMENT as u64) {
            return Err(stop(Refusal::Misaligned));
        }
        D::run(job).map_err(|stopped| InvokeFault::Custom(stopped.0))
    }
}

fn refuse(cx: &Prepare<'_>, refusal: Refusal) -> Refused {
    cx.refuse(Fault::Custom(refusal as u32))
}

const fn stop(refusal: Refusal) -> InvokeFault {
    InvokeFault::Custom(refusal as u32)
}
