//! SignalFilterBankSquareRoot: `signal/micro/kernels/filter_bank_square_root.cc` and `filter_bank_square_root_common.cc`.

use ember_core::Dtype;
use ember_kernels::signal::filter_bank_square_root;
use ember_tflite::OpCode;

use crate::error::{InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// SignalFilterBankSquareRoot of uint64.
pub struct Uint64;

impl Kernel for Uint64 {
    const CODE: OpCode<'static> = OpCode::Custom("SignalFilterBankSquareRoot");
    const DTYPE: Option<Dtype> = Some(Dtype::Uint64);
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        cx.arity(2..=2, 1)?;
        let [channels] = cx.input(0, Dtype::Uint64)?.dims()?;
        cx.input(1, Dtype::Int32)?.rank_is(0)?;
        cx.output(0, Dtype::Uint32)?.dims_are(&[channels])
    }

    fn run(_prepared: &(), io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        filter_bank_square_root::run(inputs.get(0)?, inputs.get(1)?, output)?;
        Ok(())
    }
}
