//! SignalFilterBankSpectralSubtraction: `signal/micro/kernels/filter_bank_spectral_subtraction.cc`.

use ember_core::Dtype;
use ember_kernels::signal::filter_bank_spectral_subtraction::{self, Outputs, SpectralSubtraction};
use ember_tflite::OpCode;

use super::Options;
use crate::error::{InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;
use crate::state::State;
use crate::written;

const OUTPUT: Slot = Slot::output(0);
const NOISE: Slot = Slot::output(1);

/// SignalFilterBankSpectralSubtraction of uint32.
pub struct Uint32;

ember_core::plain! {
    /// What [`Uint32`] prepares.
    #[derive(Clone, Copy, Debug)]
    pub struct Prepared {
        /// Options.
        pub options: SpectralSubtraction,
        /// The estimate of the noise.
        pub noise: State,
    }
}

impl Kernel for Uint32 {
    const CODE: OpCode<'static> = OpCode::Custom("SignalFilterBankSpectralSubtraction");
    const DTYPE: Option<Dtype> = Some(Dtype::Uint32);
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        cx.arity(1..=1, 2)?;
        let options = Options::of(cx)?;
        let channels = options.count("num_channels")?;
        cx.input(0, Dtype::Uint32)?.dims_are(&[channels])?;
        for slot in [OUTPUT, NOISE] {
            cx.typed(slot, Dtype::Uint32)?.dims_are(&[channels])?;
        }
        // Factors are unsigned; the options have them as int32.
        let factor = |key| options.i32(key).map(i32::cast_unsigned);
        let options = SpectralSubtraction {
            channels,
            smoothing: factor("smoothing")?,
            one_minus_smoothing: factor("one_minus_smoothing")?,
            alternate_smoothing: factor("alternate_smoothing")?,
            alternate_one_minus_smoothing: factor("alternate_one_minus_smoothing")?,
            min_signal_remaining: factor("min_signal_remaining")?,
            smoothing_bits: options.up_to("smoothing_bits", 31)?,
            bits: options.up_to("spectral_subtraction_bits", 63)?,
            clamping: options.bool("clamping")?.into(),
        };
        *prepared = Prepared {
            options,
            noise: cx.state::<u32>(channels)?,
        };
        Ok(())
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (noise, io) = io.state::<u32>(prepared.noise)?;
        let ([output, shown], others) = io.written([OUTPUT, NOISE])?;
        let outputs = Outputs {
            output: written::elements(output, OUTPUT)?,
            noise: written::elements(shown, NOISE)?,
        };
        filter_bank_spectral_subtraction::run(&prepared.options, others.get(0)?, noise, outputs)?;
        Ok(())
    }
}
