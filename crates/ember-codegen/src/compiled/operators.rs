//! Which emitter writes the call of which kernel.
//!
//! Most operators are one call whose text is a row of [`calls`], with what the kernel prepared as arguments
//! ([`parameters`]). The others, with emitters of their own, are those whose calls depend on the operator: on which inputs it
//! has, on their number, or on what was kept.

mod calls;
mod detection_post_process;
mod linear;
mod moves;
mod parameters;
mod parts;
mod signal;
mod transpose_conv;

use ember_core::Clamp;
use ember_kernels::Element as KernelElement;
use ember_micro::ops::{
    concatenation, conv_2d, depthwise_conv_2d, detection_post_process as micro_detection,
    fully_connected, pad, reshape, signal as micro_signal,
    stored::{Int2, Int4, Lut, Pruned, PrunedLut},
};

use super::constants::Element;
use super::step::{Problem, Step};
use super::text::Literal;

/// Writes the call of a kernel.
type Emit = fn(&mut Step<'_, '_>) -> Result<(), Problem>;

/// Writes the call of the kernel that has this name in [`ember_micro::registry`]; `None` where there is no source for it.
pub(super) fn emit(name: &str, step: &mut Step<'_, '_>) -> Option<Result<(), Problem>> {
    let own = EMITTERS.iter().find(|(own, _)| *own == name);
    own.map(|(_, emit)| emit(step))
        .or_else(|| calls::emit(name, step))
}

/// The names of the kernels that there is source for.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let own = EMITTERS.iter().map(|(name, _)| *name);
    own.chain(calls::names())
}

/// The elements of activations, as the kernels and as the source have them.
trait Activation: KernelElement<Wide: Copy> {
    /// In the source.
    const ELEMENT: Element;
    /// What it is clamped in.
    const WIDE_NAME: &'static str;
}

impl Activation for i8 {
    const ELEMENT: Element = Element::I8;
    const WIDE_NAME: &'static str = "i32";
}

impl Activation for i16 {
    const ELEMENT: Element = Element::I16;
    const WIDE_NAME: &'static str = "i32";
}

impl Activation for f32 {
    const ELEMENT: Element = Element::F32;
    const WIDE_NAME: &'static str = "f32";
}

/// A range as an argument.
fn range<T: Copy>(range: Clamp<T>) -> String
where
    Clamp<T>: Literal,
{
    range.literal()
}

/// The emitters by the names in [`ember_micro::registry`].
const EMITTERS: &[(&str, Emit)] = &[
    ("CONV_2D_INT8", linear::int8::<conv_2d::Op>),
    ("CONV_2D_INT16", linear::int16::<conv_2d::Op>),
    ("CONV_2D_FLOAT32", linear::float32::<conv_2d::Op>),
    ("CONV_2D_DYNAMIC", linear::dynamic::<conv_2d::Op>),
    ("CONV_2D_INT4", linear::stored::<conv_2d::Op, Int4>),
    ("CONV_2D_INT2", linear::stored::<conv_2d::Op, Int2>),
    ("CONV_2D_LUT", linear::stored::<conv_2d::Op, Lut>),
    ("CONV_2D_PRUNED", linear::stored::<conv_2d::Op, Pruned>),
    (
        "CONV_2D_PRUNED_LUT",
        linear::stored::<conv_2d::Op, PrunedLut>,
    ),
    (
        "DEPTHWISE_CONV_2D_INT8",
        linear::int8::<depthwise_conv_2d::Op>,
    ),
    (
        "DEPTHWISE_CONV_2D_INT16",
        linear::int16::<depthwise_conv_2d::Op>,
    ),
    (
        "DEPTHWISE_CONV_2D_FLOAT32",
        linear::float32::<depthwise_conv_2d::Op>,
    ),
    (
        "DEPTHWISE_CONV_2D_DYNAMIC",
        linear::dynamic::<depthwise_conv_2d::Op>,
    ),
    (
        "DEPTHWISE_CONV_2D_INT4",
        linear::stored::<depthwise_conv_2d::Op, Int4>,
    ),
    (
        "DEPTHWISE_CONV_2D_INT2",
        linear::stored::<depthwise_conv_2d::Op, Int2>,
    ),
    (
        "DEPTHWISE_CONV_2D_LUT",
        linear::stored::<depthwise_conv_2d::Op, Lut>,
    ),
    (
        "DEPTHWISE_CONV_2D_PRUNED",
        linear::stored::<depthwise_conv_2d::Op, Pruned>,
    ),
    (
        "DEPTHWISE_CONV_2D_PRUNED_LUT",
        linear::stored::<depthwise_conv_2d::Op, PrunedLut>,
    ),
    ("FULLY_CONNECTED_INT8", linear::int8::<fully_connected::Op>),
    (
        "FULLY_CONNECTED_INT16",
        linear::int16::<fully_connected::Op>,
    ),
    (
        "FULLY_CONNECTED_FLOAT32",
        linear::float32::<fully_connected::Op>,
    ),
    (
        "FULLY_CONNECTED_DYNAMIC",
        linear::dynamic::<fully_connected::Op>,
    ),
    (
        "FULLY_CONNECTED_INT4",
        linear::stored::<fully_connected::Op, Int4>,
    ),
    (
        "FULLY_CONNECTED_INT2",
        linear::stored::<fully_connected::Op, Int2>,
    ),
    (
        "FULLY_CONNECTED_LUT",
        linear::stored::<fully_connected::Op, Lut>,
    ),
    (
        "FULLY_CONNECTED_PRUNED",
        linear::stored::<fully_connected::Op, Pruned>,
    ),
    (
        "FULLY_CONNECTED_PRUNED_LUT",
        linear::stored::<fully_connected::Op, PrunedLut>,
    ),
    ("TRANSPOSE_CONV_INT8", transpose_conv::int8),
    ("TRANSPOSE_CONV_INT16", transpose_conv::int16),
    ("TRANSPOSE_CONV_FLOAT32", transpose_conv::float32),
    (
        "DETECTION_POST_PROCESS_FLOAT32",
        detection_post_process::run::<micro_detection::Float32>,
    ),
    (
        "DETECTION_POST_PROCESS_UINT8",
        detection_post_process::run::<micro_detection::Uint8>,
    ),
    ("CIRCULAR_BUFFER_INT8", signal::circular_buffer),
    ("SIGNAL_DELAY_INT16", signal::delay),
    ("SIGNAL_ENERGY_INT16", signal::energy),
    ("SIGNAL_FFT_AUTO_SCALE_INT16", signal::fft_auto_scale),
    ("SIGNAL_FILTER_BANK_UINT32", signal::filter_bank),
    ("SIGNAL_FILTER_BANK_LOG_UINT32", signal::filter_bank_log),
    (
        "SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION_UINT32",
        signal::filter_bank_spectral_subtraction,
    ),
    (
        "SIGNAL_FILTER_BANK_SQUARE_ROOT_UINT64",
        signal::filter_bank_square_root,
    ),
    ("SIGNAL_FRAMER_INT16", signal::framer),
    (
        "SIGNAL_IRFFT_INT16",
        signal::irfft::<micro_signal::irfft::Int16>,
    ),
    (
        "SIGNAL_IRFFT_INT32",
        signal::irfft::<micro_signal::irfft::Int32>,
    ),
    (
        "SIGNAL_IRFFT_FLOAT32",
        signal::irfft::<micro_signal::irfft::Float32>,
    ),
    (
        "SIGNAL_RFFT_INT16",
        signal::rfft::<micro_signal::rfft::Int16>,
    ),
    (
        "SIGNAL_RFFT_INT32",
        signal::rfft::<micro_signal::rfft::Int32>,
    ),
    (
        "SIGNAL_RFFT_FLOAT32",
        signal::rfft::<micro_signal::rfft::Float32>,
    ),
    (
        "SIGNAL_OVERLAP_ADD_INT16",
        signal::overlap_add::<micro_signal::overlap_add::Int16>,
    ),
    (
        "SIGNAL_OVERLAP_ADD_FLOAT32",
        signal::overlap_add::<micro_signal::overlap_add::Float32>,
    ),
    ("SIGNAL_PCAN_UINT32", signal::pcan),
    ("SIGNAL_STACKER_INT16", signal::stacker),
    ("SIGNAL_WINDOW_INT16", signal::window),
    ("RESHAPE", moves::reshape::<reshape::Any>),
    ("SQUEEZE", moves::reshape::<reshape::Squeeze>),
    ("EXPAND_DIMS", moves::reshape::<reshape::ExpandDims>),
    ("SHAPE", moves::shape),
    ("PACK", parts::pack),
    ("CONCATENATION", parts::concatenation),
    ("SPLIT", parts::split::<concatenation::Split, 1>),
    ("SPLIT_V", parts::split::<concatenation::SplitV, 0>),
    ("UNPACK", parts::split::<concatenation::Unpack, 0>),
    ("PAD", moves::pad::<pad::Pad>),
    ("PADV2", moves::pad::<pad::PadV2>),
    ("ADD_N_INT8", parts::add_n_int8),
    ("ADD_N_FLOAT32", parts::add_n_float32),
    ("ELU_INT8", moves::elu),
    ("VAR_HANDLE", moves::handle),
];

#[cfg(test)]
mod tests {
    use ember_micro::registry;

    #[test]
    fn every_kernel_of_one_operator_has_one_emitter() {
        let mut names: Vec<&str> = super::names().collect();
        // What it decodes is decoded by its readers.
        names.push("DECODE");
        names.extend(super::super::flow::NAMES);
        for (name, row) in registry::NAMED {
            let emitters = names.iter().filter(|own| *own == name).count();
            assert_eq!(emitters, usize::from(row.next.is_none()), "{name}");
        }
        let unknown = names
            .iter()
            .find(|name| registry::NAMED.iter().all(|(own, _)| own != *name));
        assert_eq!(unknown, None);
    }
}
