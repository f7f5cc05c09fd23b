//! Which emitter writes the call of which kernel.

mod add;
mod linear;
mod moves;
mod pool_2d;
mod quantize;
mod relu;
mod softmax;

use ember_core::Clamp;
use ember_kernels::Element as KernelElement;
use ember_micro::ops::{
    average_pool_2d, conv_2d, depthwise_conv_2d, fully_connected, max_pool_2d,
    stored::{Int2, Int4, Lut, Pruned, PrunedLut},
};

use super::constants::Element;
use super::step::{Problem, Step};
use super::text::Literal;

/// Writes the call of a kernel.
pub(super) type Emit = fn(&mut Step<'_, '_>) -> Result<(), Problem>;

/// The elements of activations, as the kernels and as the source have them.
trait Activation: KernelElement<Wide: Copy> {
    /// In the source.
    const ELEMENT: Element;
    /// The name of every value there is.
    const RANGE_NAME: &'static str;
    /// What it is clamped in.
    const WIDE_NAME: &'static str;
}

impl Activation for i8 {
    const ELEMENT: Element = Element::I8;
    const RANGE_NAME: &'static str = "Clamp::INT8";
    const WIDE_NAME: &'static str = "i32";
}

impl Activation for i16 {
    const ELEMENT: Element = Element::I16;
    const RANGE_NAME: &'static str = "Clamp::INT16";
    const WIDE_NAME: &'static str = "i32";
}

impl Activation for f32 {
    const ELEMENT: Element = Element::F32;
    const RANGE_NAME: &'static str = "";
    const WIDE_NAME: &'static str = "f32";
}

/// A range as an argument.
fn range<T: Copy>(range: Clamp<T>) -> String
where
    Clamp<T>: Literal,
{
    range.literal()
}

/// The emitter for each name of [`ember_micro::registry`] that has one.
pub(super) const EMITTERS: &[(&str, Emit)] = &[
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
    ("MAX_POOL_2D_INT8", pool_2d::pool::<max_pool_2d::Op, i8>),
    ("MAX_POOL_2D_INT16", pool_2d::pool::<max_pool_2d::Op, i16>),
    ("MAX_POOL_2D_FLOAT32", pool_2d::pool::<max_pool_2d::Op, f32>),
    (
        "AVERAGE_POOL_2D_INT8",
        pool_2d::pool::<average_pool_2d::Op, i8>,
    ),
    (
        "AVERAGE_POOL_2D_INT16",
        pool_2d::pool::<average_pool_2d::Op, i16>,
    ),
    (
        "AVERAGE_POOL_2D_FLOAT32",
        pool_2d::pool::<average_pool_2d::Op, f32>,
    ),
    ("ADD_INT8", add::quantized::<i8>),
    ("ADD_INT16", add::quantized::<i16>),
    ("ADD_FLOAT32", add::float32),
    ("SOFTMAX_INT8", softmax::int8),
    ("SOFTMAX_INT16", softmax::int16),
    ("SOFTMAX_FLOAT32", softmax::float32),
    ("RELU_INT8", relu::quantized::<i8>),
    ("RELU_INT16", relu::quantized::<i16>),
    (
        "RELU_FLOAT32",
        relu::float32::<ember_micro::ops::relu::Float32>,
    ),
    ("RELU6_INT8", relu::relu6::<i8>),
    ("RELU6_INT16", relu::relu6::<i16>),
    (
        "RELU6_FLOAT32",
        relu::float32::<ember_micro::ops::relu::Relu6Float32>,
    ),
    ("QUANTIZE_INT8", quantize::between::<i8, i8>),
    ("QUANTIZE_INT16", quantize::between::<i16, i16>),
    ("QUANTIZE_INT8_TO_INT16", quantize::between::<i8, i16>),
    ("QUANTIZE_INT16_TO_INT8", quantize::between::<i16, i8>),
    ("QUANTIZE_FLOAT32", quantize::from_float32::<i8>),
    ("QUANTIZE_FLOAT32_TO_INT16", quantize::from_float32::<i16>),
    ("DEQUANTIZE_INT8", quantize::to_float32::<i8>),
    ("DEQUANTIZE_INT16", quantize::to_float32::<i16>),
    ("DEQUANTIZE_FLOAT16", quantize::float16),
    ("RESHAPE", moves::reshape),
    ("SHAPE", moves::shape),
    ("STRIDED_SLICE", moves::strided_slice),
    ("PACK", moves::pack),
];
