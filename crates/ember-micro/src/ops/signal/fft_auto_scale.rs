//! SignalFftAutoScale: `signal/micro/kernels/fft_auto_scale_kernel.cc` and `fft_auto_scale_common.cc`.

use ember_core::Dtype;
use ember_kernels::signal::fft_auto_scale;
use ember_tflite::OpCode;

use crate::error::{InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;
use crate::written;

const OUTPUT: Slot = Slot::output(0);
const SHIFT: Slot = Slot::output(1);

/// SignalFftAutoScale of int16.
pub struct Int16;

impl Kernel for Int16 {
    const CODE: OpCode<'static> = OpCode::Custom("SignalFftAutoScale");
    const DTYPE: Option<Dtype> = Some(Dtype::Int16);
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        cx.arity(1..=1, 2)?;
        let [samples] = cx.input(0, Dtype::Int16)?.dims()?;
        cx.typed(OUTPUT, Dtype::Int16)?.dims_are(&[samples])?;
        cx.typed(SHIFT, Dtype::Int32)?.rank_is(0)
    }

    fn run(_prepared: &(), io: Io<'_>) -> Result<(), InvokeFault> {
        let ([output, shift], others) = io.written([OUTPUT, SHIFT])?;
        let output = written::elements(output, OUTPUT)?;
        let shift = written::elements(shift, SHIFT)?;
        fft_auto_scale::run(others.get(0)?, output, shift)?;
        Ok(())
    }
}
