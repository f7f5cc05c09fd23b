//! SignalIrfft: `signal/micro/kernels/irfft.cc`.

use core::marker::PhantomData;

use ember_core::Dtype;
use ember_kernels::signal::irfft::{self, Irfft, Output};
use ember_tflite::OpCode;

use super::{Options, keep_roots, last, points};
use crate::error::{Fault, InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::ops::typed::Typed;
use crate::prepare::Prepare;

/// SignalIrfft of `T`, whose roots of unity are what it keeps.
pub struct Of<T>(PhantomData<T>);

/// SignalIrfft of int16.
pub type Int16 = Of<i16>;

/// SignalIrfft of int32.
pub type Int32 = Of<i32>;

/// SignalIrfft of float32.
pub type Float32 = Of<f32>;

#[inline(never)]
fn shape(cx: &Prepare<'_>, dtype: Dtype) -> Result<Irfft, Refused> {
    cx.arity(1..=1, 1)?;
    let options = Options::of(cx)?;
    options.type_is(dtype)?;
    let points = points(&options)?;
    let input = cx.input(0, dtype)?;
    let (rows, values) = last(cx, &input)?;
    let bins = values / 2;
    if values % 2 != 0 || bins <= points {
        return Err(cx.refuse(Fault::Options));
    }
    let output = cx.output(0, dtype)?;
    output.rank_is(input.shape()?.len())?;
    let samples = points.checked_mul(2).and_then(|row| row.checked_mul(rows));
    output.elements_are(cx.expect(samples, Fault::Options)?)?;
    Ok(Irfft { rows, bins, points })
}

impl<T: Output + Typed> Kernel for Of<T> {
    const CODE: OpCode<'static> = OpCode::Custom("SignalIrfft");
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    type Prepared = Irfft;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Irfft) -> Result<(), Refused> {
        *prepared = shape(cx, T::DTYPE)?;
        keep_roots::<T>(cx, prepared.points, true)
    }

    fn run(shape: &Irfft, io: Io<'_>) -> Result<(), InvokeFault> {
        let roots = io.kept_as::<[T; 2]>()?;
        let (inputs, output) = io.split()?;
        irfft::run(shape, roots, inputs.get(0)?, output)?;
        Ok(())
    }
}
