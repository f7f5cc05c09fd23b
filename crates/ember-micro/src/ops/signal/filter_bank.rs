//! SignalFilterBank: `signal/micro/kernels/filter_bank.cc`.

use ember_core::Dtype;
use ember_kernels::signal::filter_bank::{self, Bank};
use ember_tflite::OpCode;

use super::Options;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// SignalFilterBank of uint32.
pub struct Uint32;

ember_core::plain! {
    /// What [`Uint32`] prepares.
    #[derive(Clone, Copy, Debug)]
    pub struct Prepared {
        /// Elements of the output.
        pub channels: u32,
    }
}

impl Kernel for Uint32 {
    const CODE: OpCode<'static> = OpCode::Custom("SignalFilterBank");
    const DTYPE: Option<Dtype> = Some(Dtype::Uint32);
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        cx.arity(6..=6, 1)?;
        let channels = Options::of(cx)?.count("num_channels")?;
        let _: [u32; 1] = cx.input(0, Dtype::Uint32)?.dims()?;
        let [weights] = cx.input(1, Dtype::Int16)?.dims()?;
        cx.input(2, Dtype::Int16)?.dims_are(&[weights])?;
        for index in 3..6 {
            let [starts] = cx.input(index, Dtype::Int16)?.dims()?;
            if starts <= channels {
                return Err(cx.refuse(Fault::Elements {
                    slot: Slot::input(index),
                    found: starts,
                    expected: channels.saturating_add(1),
                }));
            }
        }
        cx.output(0, Dtype::Uint64)?.dims_are(&[channels])?;
        *prepared = Prepared { channels };
        Ok(())
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let bank = Bank {
            weights: inputs.get(1)?,
            unweights: inputs.get(2)?,
            frequency_starts: inputs.get(3)?,
            weight_starts: inputs.get(4)?,
            widths: inputs.get(5)?,
        };
        filter_bank::run(prepared.channels, &bank, inputs.get(0)?, output)?;
        Ok(())
    }
}
