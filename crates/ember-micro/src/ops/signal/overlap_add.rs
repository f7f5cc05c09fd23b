//! SignalOverlapAdd: `signal/micro/kernels/overlap_add.cc`.

use core::marker::PhantomData;

use ember_core::Dtype;
use ember_kernels::signal::overlap_add::{self, OverlapAdd, Sample};
use ember_tflite::OpCode;

use super::{Options, last};
use crate::error::{Fault, InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::ops::typed::Typed;
use crate::prepare::Prepare;
use crate::state::State;

/// SignalOverlapAdd of `T`.
pub struct Of<T>(PhantomData<T>);

/// SignalOverlapAdd of int16.
pub type Int16 = Of<i16>;

/// SignalOverlapAdd of float32.
pub type Float32 = Of<f32>;

ember_core::plain! {
    /// What [`Of`] prepares.
    #[derive(Clone, Copy, Debug)]
    pub struct Prepared {
        /// Shapes.
        pub shape: OverlapAdd,
        /// What the frames have left behind their own samples.
        pub sums: State,
    }
}

#[inline(never)]
fn shape(cx: &Prepare<'_>, dtype: Dtype) -> Result<OverlapAdd, Refused> {
    cx.arity(1..=1, 1)?;
    let options = Options::of(cx)?;
    options.type_is(dtype)?;
    let input = cx.input(0, dtype)?;
    let (all, size) = last(cx, &input)?;
    let dims = input.shape()?;
    let frames = dims.len().checked_sub(2).and_then(|at| dims.get(at));
    let frames = frames.and_then(|frames| u32::try_from(frames).ok());
    let frames = cx.expect(frames.filter(|frames| *frames > 0), Fault::Options)?;
    let rows = all.checked_div(frames).unwrap_or(0);
    let step = options.up_to("frame_step", size)?;
    let output = cx.output(0, dtype)?;
    output.rank_is(dims.len().saturating_sub(1))?;
    let samples = all.checked_mul(step);
    output.elements_are(cx.expect(samples, Fault::Options)?)?;
    Ok(OverlapAdd {
        rows,
        frames,
        size,
        step,
    })
}

impl<T: Sample + Typed> Kernel for Of<T> {
    const CODE: OpCode<'static> = OpCode::Custom("SignalOverlapAdd");
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        let shape = shape(cx, T::DTYPE)?;
        let sums = cx.expect(shape.rows.checked_mul(shape.size), Fault::Options)?;
        *prepared = Prepared {
            shape,
            sums: cx.state::<T>(sums)?,
        };
        Ok(())
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (sums, io) = io.state::<T>(prepared.sums)?;
        let (inputs, output) = io.split()?;
        overlap_add::run(&prepared.shape, inputs.get(0)?, sums, output)?;
        Ok(())
    }
}
