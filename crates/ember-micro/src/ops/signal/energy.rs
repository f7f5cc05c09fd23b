//! SignalEnergy: `signal/micro/kernels/energy.cc`.

use ember_core::Dtype;
use ember_kernels::signal::energy::{self, Energy};
use ember_tflite::OpCode;

use super::Options;
use crate::error::{Fault, InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// SignalEnergy of int16.
pub struct Int16;

impl Kernel for Int16 {
    const CODE: OpCode<'static> = OpCode::Custom("SignalEnergy");
    const DTYPE: Option<Dtype> = Some(Dtype::Int16);
    type Prepared = Energy;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Energy) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        let [values] = cx.input(0, Dtype::Int16)?.dims()?;
        let bins = values.is_multiple_of(2).then_some(values / 2);
        let bins = cx.expect(bins, Fault::Options)?;
        cx.output(0, Dtype::Uint32)?.dims_are(&[bins])?;
        let options = Options::of(cx)?;
        *prepared = Energy {
            start: options.count("start_index")?,
            end: options.up_to("end_index", bins)?,
        };
        Ok(())
    }

    fn run(range: &Energy, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        energy::run(range, inputs.get(0)?, output)?;
        Ok(())
    }
}
