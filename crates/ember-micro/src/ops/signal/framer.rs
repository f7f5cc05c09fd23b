//! SignalFramer: `signal/micro/kernels/framer.cc`.

use ember_core::Dtype;
use ember_kernels::signal::framer::{self, Framer};
use ember_tflite::OpCode;

use super::{Options, counted, last, words_of};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;
use crate::state::State;
use crate::written;

const OUTPUT: Slot = Slot::output(0);
const VALID: Slot = Slot::output(1);

/// SignalFramer of int16.
pub struct Int16;

ember_core::plain! {
    /// What [`Int16`] prepares.
    #[derive(Clone, Copy, Debug)]
    pub struct Prepared {
        /// Shapes.
        pub shape: Framer,
        /// Steps before the first frame in a word, then the samples that are kept.
        pub state: State,
    }
}

impl Kernel for Int16 {
    const CODE: OpCode<'static> = OpCode::Custom("SignalFramer");
    const DTYPE: Option<Dtype> = Some(Dtype::Int16);
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        cx.arity(1..=1, 2)?;
        let options = Options::of(cx)?;
        let size = options.count("frame_size")?;
        let step = options.count("frame_step")?;
        let prefilled = options.bool("prefill")?;
        let kept = Framer::kept(size, step, prefilled).filter(|_| size > 0);
        let kept = cx.expect(kept, Fault::Options)?;
        let input = cx.input(0, Dtype::Int16)?;
        let (rows, samples) = last(cx, &input)?;
        let frames = samples
            .is_multiple_of(step)
            .then(|| samples.checked_div(step));
        let frames = cx.expect(frames.flatten(), Fault::Options)?;
        let output = cx.typed(OUTPUT, Dtype::Int16)?;
        output.rank_is(input.shape()?.len().saturating_add(1))?;
        let all = rows
            .checked_mul(frames)
            .and_then(|all| all.checked_mul(size));
        output.elements_are(cx.expect(all, Fault::Options)?)?;
        cx.typed(VALID, Dtype::Bool)?.rank_is(0)?;
        let words = words_of::<i16>(cx, rows.checked_mul(kept))?;
        *prepared = Prepared {
            shape: Framer {
                rows,
                frames,
                size,
                step,
                kept,
                prefilled: prefilled.into(),
            },
            state: cx.state::<u32>(words)?,
        };
        Ok(())
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (words, io) = io.state(prepared.state)?;
        let shape = &prepared.shape;
        let (seen, samples) = counted(words, shape.rows.wrapping_mul(shape.kept))?;
        let ([output, valid], others) = io.written([OUTPUT, VALID])?;
        let output = written::elements(output, OUTPUT)?;
        let valid = written::elements(valid, VALID)?;
        framer::run(shape, seen, samples, others.get(0)?, output, valid)?;
        Ok(())
    }
}
