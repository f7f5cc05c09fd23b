//! SignalStacker: `signal/micro/kernels/stacker.cc`.

use ember_core::Dtype;
use ember_kernels::signal::stacker::{self, Stacker};
use ember_tflite::OpCode;

use super::{Options, counted, words_of};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;
use crate::state::State;
use crate::written;

const OUTPUT: Slot = Slot::output(0);
const VALID: Slot = Slot::output(1);

/// SignalStacker of int16.
pub struct Int16;

ember_core::plain! {
    /// What [`Int16`] prepares.
    #[derive(Clone, Copy, Debug)]
    pub struct Prepared {
        /// Shapes.
        pub shape: Stacker,
        /// Elements of the output.
        pub elements: u32,
        /// How many frames there are in a word, then the frames.
        pub state: State,
    }
}

impl Kernel for Int16 {
    const CODE: OpCode<'static> = OpCode::Custom("SignalStacker");
    const DTYPE: Option<Dtype> = Some(Dtype::Int16);
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        cx.arity(1..=1, 2)?;
        let options = Options::of(cx)?;
        let shape = Stacker {
            channels: options.count("num_channels")?,
            left: options.count("stacker_left_context")?,
            right: options.count("stacker_right_context")?,
            step: options.count("stacker_step")?,
        };
        let frames = cx.expect(shape.frames(), Fault::Options)?;
        if shape.channels == 0 || shape.step == 0 || shape.step > frames {
            return Err(cx.refuse(Fault::Options));
        }
        cx.input(0, Dtype::Int16)?.dims_are(&[shape.channels])?;
        let elements = cx.expect(frames.checked_mul(shape.channels), Fault::Options)?;
        cx.typed(OUTPUT, Dtype::Int16)?.dims_are(&[elements])?;
        cx.typed(VALID, Dtype::Bool)?.rank_is(0)?;
        let words = words_of::<i16>(cx, Some(elements))?;
        *prepared = Prepared {
            shape,
            elements,
            state: cx.state::<u32>(words)?,
        };
        Ok(())
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (words, io) = io.state(prepared.state)?;
        let (held, frames) = counted(words, prepared.elements)?;
        let ([output, valid], others) = io.written([OUTPUT, VALID])?;
        let output = written::elements(output, OUTPUT)?;
        let valid = written::elements(valid, VALID)?;
        stacker::run(&prepared.shape, held, frames, others.get(0)?, output, valid)?;
        Ok(())
    }
}
