//! SignalPCAN: `signal/micro/kernels/pcan.cc`.

use ember_core::Dtype;
use ember_kernels::signal::pcan::{self, Pcan};
use ember_tflite::OpCode;

use super::Options;
use crate::error::{InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// SignalPCAN of uint32.
pub struct Uint32;

impl Kernel for Uint32 {
    const CODE: OpCode<'static> = OpCode::Custom("SignalPCAN");
    const DTYPE: Option<Dtype> = Some(Dtype::Uint32);
    type Prepared = Pcan;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Pcan) -> Result<(), Refused> {
        cx.arity(3..=3, 1)?;
        let [channels] = cx.input(0, Dtype::Uint32)?.dims()?;
        cx.input(1, Dtype::Uint32)?.dims_are(&[channels])?;
        let _: [u32; 1] = cx.input(2, Dtype::Int16)?.dims()?;
        cx.output(0, Dtype::Uint32)?.dims_are(&[channels])?;
        *prepared = Pcan {
            snr_shift: Options::of(cx)?.up_to("snr_shift", 63)?,
        };
        Ok(())
    }

    fn run(options: &Pcan, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let (noise, gains) = (inputs.get(1)?, inputs.get(2)?);
        pcan::run(options, inputs.get(0)?, noise, gains, output)?;
        Ok(())
    }
}
