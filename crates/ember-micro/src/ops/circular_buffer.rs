//! CIRCULAR_BUFFER: `micro/kernels/circular_buffer.cc` and `circular_buffer_common.cc`. The inputs are kept in its output, which
//! is a variable; how often it has run is a state of its own.
//!
//! A run that ends at it is an error that is none, [`KernelError::Waiting`](ember_kernels::KernelError::Waiting): in TFLM
//! `Invoke` gives `kTfLiteAbort` then. Outputs behind it are those of an earlier run.

use ember_core::Dtype;
use ember_kernels::circular_buffer::{self, CircularBuffer};
use ember_tflite::{FlexMap, OpCode, Operator};

use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;
use crate::state::State;
use crate::written;

/// Its name in the file.
pub const NAME: &str = "CIRCULAR_BUFFER";

const OUTPUT: Slot = Slot::output(0);

/// CIRCULAR_BUFFER of int8.
pub struct Int8;

ember_core::plain! {
    /// What [`Int8`] prepares.
    #[derive(Clone, Copy, Debug)]
    pub struct Prepared {
        /// Shapes and the option.
        pub shape: CircularBuffer,
        /// The number of runs since what is behind it ran.
        pub runs: State,
    }
}

/// The period in the options; `None` where it is none, and TFLM guesses.
fn period(operator: &Operator<'_>) -> Option<Option<u32>> {
    let options = operator.custom_options();
    if options.is_empty() {
        return Some(None);
    }
    let period = FlexMap::parse(options)?.i32("cycles_max")?;
    Some(u32::try_from(period).ok().filter(|period| *period > 0))
}

/// TFLM's guess where the options have no period: the last buffers of two models that were published run every time, the
/// others every second time. One of them is known as the fifth buffer since the last guess of 1.
fn guessed(cx: &Prepare<'_>) -> u32 {
    let mut without = 0u32;
    let mut guess = 2;
    for operator in cx.graph.operators().take(cx.index as usize + 1) {
        if operator.custom_name() != NAME.as_bytes() || period(&operator) != Some(None) {
            continue;
        }
        without += 1;
        let output = operator.outputs().get(0).and_then(|id| cx.graph.tensor(id));
        let size = |at| output.and_then(|output| output.shape().get(at));
        let last = matches!(size(1), Some(5 | 13 | 25))
            || (without == 5 && size(2) == Some(2) && size(3) == Some(96));
        guess = if last { 1 } else { 2 };
        if last {
            without = 0;
        }
    }
    guess
}

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Custom(NAME);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        let input = cx.input(0, Dtype::Int8)?;
        let [_, _, width, channels] = input.dims()?;
        input.dims_are(&[1, 1, width, channels])?;
        let output = cx.typed(OUTPUT, Dtype::Int8)?;
        output.is_variable()?;
        let [_, slots, ..] = output.dims::<4>()?;
        output.dims_are(&[1, slots, width, channels])?;
        let period = cx.expect(period(cx.operator()), Fault::Options)?;
        let depth = cx.expect(width.checked_mul(channels), Fault::Options)?;
        *prepared = Prepared {
            shape: CircularBuffer {
                slots,
                depth,
                period: period.unwrap_or_else(|| guessed(cx)),
            },
            runs: cx.state::<u32>(1)?,
        };
        Ok(())
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (runs, io) = io.state(prepared.runs)?;
        let ([buffer], others) = io.written([OUTPUT])?;
        let buffer = written::elements(buffer, OUTPUT)?;
        let runs = runs.first_mut().ok_or(InvokeFault::Prepared)?;
        circular_buffer::push(&prepared.shape, runs, others.get(0)?, buffer)?;
        Ok(())
    }
}
