//! SignalFilterBankLog: `signal/micro/kernels/filter_bank_log.cc`.

use ember_core::Dtype;
use ember_kernels::signal::filter_bank_log::{self, FilterBankLog};
use ember_tflite::OpCode;

use super::Options;
use crate::error::{InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// SignalFilterBankLog of uint32.
pub struct Uint32;

impl Kernel for Uint32 {
    const CODE: OpCode<'static> = OpCode::Custom("SignalFilterBankLog");
    const DTYPE: Option<Dtype> = Some(Dtype::Uint32);
    type Prepared = FilterBankLog;

    fn prepare(cx: &Prepare<'_>, prepared: &mut FilterBankLog) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        let [channels] = cx.input(0, Dtype::Uint32)?.dims()?;
        cx.output(0, Dtype::Int16)?.dims_are(&[channels])?;
        let options = Options::of(cx)?;
        *prepared = FilterBankLog {
            scale: options.i32("output_scale")?,
            correction_bits: options.up_to("input_correction_bits", 31)?,
        };
        Ok(())
    }

    fn run(options: &FilterBankLog, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        filter_bank_log::run(options, inputs.get(0)?, output)?;
        Ok(())
    }
}
