//! SignalWindow: `signal/micro/kernels/window.cc`.

use ember_core::Dtype;
use ember_kernels::signal::window::{self, Window};
use ember_tflite::OpCode;

use super::{Options, last};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// SignalWindow of int16.
pub struct Int16;

impl Kernel for Int16 {
    const CODE: OpCode<'static> = OpCode::Custom("SignalWindow");
    const DTYPE: Option<Dtype> = Some(Dtype::Int16);
    type Prepared = Window;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Window) -> Result<(), Refused> {
        cx.arity(2..=2, 1)?;
        let input = cx.input(0, Dtype::Int16)?;
        last(cx, &input)?;
        let [weights] = cx.input(1, Dtype::Int16)?.dims()?;
        if input.elements().checked_rem(weights) != Some(0) {
            return Err(cx.refuse(Fault::Elements {
                slot: Slot::input(1),
                found: weights,
                expected: input.elements(),
            }));
        }
        let output = cx.output(0, Dtype::Int16)?;
        output.rank_is(input.shape()?.len())?;
        output.elements_are(input.elements())?;
        *prepared = Window {
            shift: Options::of(cx)?.up_to("shift", 31)?,
        };
        Ok(())
    }

    fn run(options: &Window, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        window::run(options, inputs.get(0)?, inputs.get(1)?, output)?;
        Ok(())
    }
}
