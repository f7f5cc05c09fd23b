//! SignalDelay: `signal/micro/kernels/delay.cc`.

use ember_core::Dtype;
use ember_kernels::signal::delay::{self, Delay};
use ember_tflite::OpCode;

use super::{Options, last};
use crate::error::{Fault, InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;
use crate::state::State;

/// SignalDelay of int16.
pub struct Int16;

ember_core::plain! {
    /// What [`Int16`] prepares.
    #[derive(Clone, Copy, Debug)]
    pub struct Prepared {
        /// Shapes.
        pub shape: Delay,
        /// The samples that have not come out.
        pub late: State,
    }
}

impl Kernel for Int16 {
    const CODE: OpCode<'static> = OpCode::Custom("SignalDelay");
    const DTYPE: Option<Dtype> = Some(Dtype::Int16);
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        let input = cx.input(0, Dtype::Int16)?;
        let (rows, frame) = last(cx, &input)?;
        let output = cx.output(0, Dtype::Int16)?;
        output.elements_are(input.elements())?;
        output.rank_is(input.shape()?.len())?;
        let delay = Options::of(cx)?.count("delay_length")?;
        let samples = cx.expect(rows.checked_mul(delay), Fault::Options)?;
        *prepared = Prepared {
            shape: Delay { rows, frame, delay },
            late: cx.state::<i16>(samples)?,
        };
        Ok(())
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (late, io) = io.state(prepared.late)?;
        let (inputs, output) = io.split()?;
        delay::run(&prepared.shape, inputs.get(0)?, late, output)?;
        Ok(())
    }
}
