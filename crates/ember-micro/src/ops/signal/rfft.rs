//! SignalRfft: `signal/micro/kernels/rfft.cc`.

use core::marker::PhantomData;

use ember_core::Dtype;
use ember_kernels::signal::{
    Sample,
    rfft::{self, Rfft},
};
use ember_tflite::OpCode;

use super::{Options, keep_roots, last, points};
use crate::error::{Fault, InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::ops::typed::Typed;
use crate::prepare::Prepare;

/// SignalRfft of `T`, whose roots of unity are what it keeps.
pub struct Of<T>(PhantomData<T>);

/// SignalRfft of int16.
pub type Int16 = Of<i16>;

/// SignalRfft of int32.
pub type Int32 = Of<i32>;

/// SignalRfft of float32.
pub type Float32 = Of<f32>;

#[inline(never)]
fn shape(cx: &Prepare<'_>, dtype: Dtype) -> Result<Rfft, Refused> {
    cx.arity(1..=1, 1)?;
    let options = Options::of(cx)?;
    options.type_is(dtype)?;
    let points = points(&options)?;
    let input = cx.input(0, dtype)?;
    let (rows, samples) = last(cx, &input)?;
    if samples > points.saturating_mul(2) {
        return Err(cx.refuse(Fault::Options));
    }
    let output = cx.output(0, dtype)?;
    output.rank_is(input.shape()?.len())?;
    let values = points.saturating_add(1).checked_mul(2);
    let values = values.and_then(|values| values.checked_mul(rows));
    output.elements_are(cx.expect(values, Fault::Options)?)?;
    Ok(Rfft {
        rows,
        input: samples,
        points,
    })
}

impl<T: Sample + Typed> Kernel for Of<T> {
    const CODE: OpCode<'static> = OpCode::Custom("SignalRfft");
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    type Prepared = Rfft;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Rfft) -> Result<(), Refused> {
        *prepared = shape(cx, T::DTYPE)?;
        keep_roots::<T>(cx, prepared.points, false)
    }

    fn run(shape: &Rfft, io: Io<'_>) -> Result<(), InvokeFault> {
        let roots = io.kept_as::<[T; 2]>()?;
        let (inputs, output) = io.split()?;
        rfft::run(shape, roots, inputs.get(0)?, output)?;
        Ok(())
    }
}
