//! What kernels prepare, as arguments of calls: structs become constants of the module, numbers and ranges are written where
//! they are used.

use ember_core::view::Pair;
use ember_core::{Activation, Clamp, QuantizedMultiplier};
use ember_kernels::{
    add, arg_max, axes, batch_matmul, broadcast::Broadcast, comparisons, dynamic_update_slice,
    gather, hard_swish, leaky_relu, log_softmax, logistic, max_pool_2d::Pool2d, mul, prelu,
    quantize, reduce, resize, slice, softmax, space_to_batch_nd, strided::Strided, svdf,
    unidirectional_sequence_lstm as lstm,
};
use ember_micro::ops as micro;

use super::super::step::Step;
use super::super::text::{Literal, debug};

/// What a kernel prepared.
pub(super) trait Parameters {
    /// Adds an argument, or as many as it has parts, as expressions.
    fn emit(&self, step: &mut Step<'_, '_>, arguments: &mut Vec<String>);
}

impl Parameters for () {
    fn emit(&self, _step: &mut Step<'_, '_>, _arguments: &mut Vec<String>) {}
}

impl<A: Parameters, B: Parameters> Parameters for Pair<A, B> {
    fn emit(&self, step: &mut Step<'_, '_>, arguments: &mut Vec<String>) {
        self.first.emit(step, arguments);
        self.second.emit(step, arguments);
    }
}

impl<T: Parameters> Parameters for [T; 1] {
    fn emit(&self, step: &mut Step<'_, '_>, arguments: &mut Vec<String>) {
        let [one] = self;
        one.emit(step, arguments);
    }
}

impl Parameters for f32 {
    fn emit(&self, _step: &mut Step<'_, '_>, arguments: &mut Vec<String>) {
        arguments.push(self.literal());
    }
}

impl<T> Parameters for Clamp<T>
where
    Self: Literal,
{
    fn emit(&self, _step: &mut Step<'_, '_>, arguments: &mut Vec<String>) {
        arguments.push(self.literal());
    }
}

impl Parameters for quantize::Affine {
    fn emit(&self, _step: &mut Step<'_, '_>, arguments: &mut Vec<String>) {
        let (scale, zero_point) = (self.scale.literal(), self.zero_point);
        arguments.push(format!(
            "Affine {{ scale: {scale}, zero_point: {zero_point} }}"
        ));
    }
}

impl Parameters for micro::svdf::PreparedFloat32 {
    fn emit(&self, step: &mut Step<'_, '_>, arguments: &mut Vec<String>) {
        self.shape.emit(step, arguments);
        let activation = Activation::from_code(self.activation as i8);
        let activation = activation.unwrap_or(Activation::None);
        arguments.push(format!("Activation::{activation:?}"));
    }
}

impl Parameters for log_softmax::Int8 {
    fn emit(&self, step: &mut Step<'_, '_>, arguments: &mut Vec<String>) {
        let (input, reverse) = (debug(&self.input), debug(&self.reverse));
        let text = format!("log_softmax::Int8 {{ input: softmax::{input}, reverse: {reverse} }}");
        arguments.push(step.parameter("QUANTIZATION", "log_softmax::Int8", &text));
    }
}

impl Parameters for arg_max::Order {
    fn emit(&self, _step: &mut Step<'_, '_>, arguments: &mut Vec<String>) {
        arguments.push(format!("arg_max::{}", debug(self)));
    }
}

/// Numbers, and structs of them that are passed by value: their `Debug` form is Rust source.
macro_rules! values {
    ($($type:ty),*) => {
        $(impl Parameters for $type {
            fn emit(&self, _step: &mut Step<'_, '_>, arguments: &mut Vec<String>) {
                arguments.push(debug(self));
            }
        })*
    };
}

values!(u32, i32, QuantizedMultiplier);

/// Structs of integers, which become constants: of this type in the source, with this at the end of the name.
macro_rules! constants {
    ($($type:ty as $path:literal, $suffix:literal;)*) => {
        $(impl Parameters for $type {
            fn emit(&self, step: &mut Step<'_, '_>, arguments: &mut Vec<String>) {
                let text = debug(self);
                let fields = text.find(' ').map_or("", |at| &text[at..]);
                let constant = step.parameter($suffix, $path, &format!("{}{fields}", $path));
                arguments.push(constant);
            }
        })*
    };
}

constants! {
    Broadcast as "Broadcast", "";
    Pool2d as "Pool2d", "";
    Strided as "Strided", "";
    slice::SliceAt as "SliceAt", "";
    softmax::Softmax as "Softmax", "";
    svdf::Svdf as "Svdf", "";
    svdf::Quantization as "svdf::Quantization", "QUANTIZATION";
    lstm::Lstm as "Lstm", "";
    lstm::Quantization as "unidirectional_sequence_lstm::Quantization", "QUANTIZATION";
    softmax::Int8 as "softmax::Int8", "QUANTIZATION";
    add::Quantized as "add::Quantized", "QUANTIZATION";
    arg_max::About as "arg_max::About", "";
    axes::Sizes as "Sizes", "";
    batch_matmul::BatchMatmul as "BatchMatmul", "";
    batch_matmul::Quantization as "batch_matmul::Quantization", "QUANTIZATION";
    comparisons::Quantization as "comparisons::Quantization", "QUANTIZATION";
    dynamic_update_slice::UpdateSlice as "UpdateSlice", "";
    gather::Gather as "Gather", "";
    gather::GatherNd as "GatherNd", "";
    hard_swish::Quantization as "hard_swish::Quantization", "QUANTIZATION";
    leaky_relu::Quantization as "leaky_relu::Quantization", "QUANTIZATION";
    logistic::Quantization as "logistic::Quantization", "QUANTIZATION";
    logistic::Steps as "logistic::Steps", "STEPS";
    mul::Quantization as "mul::Quantization", "QUANTIZATION";
    prelu::Quantization as "prelu::Quantization", "QUANTIZATION";
    quantize::Requantize as "Requantize", "";
    reduce::Reduce as "Reduce", "";
    reduce::Quantization as "reduce::Quantization", "QUANTIZATION";
    resize::Resize as "Resize", "";
    space_to_batch_nd::SpaceToBatch as "SpaceToBatch", "";
    space_to_batch_nd::SpaceToBatchAt as "SpaceToBatchAt", "";
}

/// Structs of `ember-micro`, part by part.
macro_rules! parts {
    ($($type:ty: $($field:ident),*;)*) => {
        $(impl Parameters for $type {
            fn emit(&self, step: &mut Step<'_, '_>, arguments: &mut Vec<String>) {
                $(self.$field.emit(step, arguments);)*
            }
        })*
    };
}

parts! {
    micro::gather::PreparedDequantized: shape, scale;
    micro::log_softmax::PreparedInt8: shape, quantization;
    micro::svdf::PreparedInt8: shape, quantization;
    micro::unidirectional_sequence_lstm::PreparedFloat32: shape, clip;
    micro::unidirectional_sequence_lstm::PreparedIntegers: shape, quantization;
    micro::add::PreparedFloat32: shape, range;
    micro::pad::PreparedMirror: axes, edge, element;
    micro::pad::PreparedMirrorAt: axes, skipped, edge, element;
    micro::select_v2::Prepared: axes, element;
    micro::softmax::PreparedInt8: shape, quantization;
    micro::softmax::PreparedInt16: shape, multiplier;
    micro::softmax::PreparedFloat32: shape, beta;
    micro::strided_slice::Prepared: axes, element;
}

/// Arrays of axes, which become constants.
macro_rules! axes {
    ($($type:ty as $name:literal;)*) => {
        $(impl<const N: usize> Parameters for [$type; N] {
            fn emit(&self, step: &mut Step<'_, '_>, arguments: &mut Vec<String>) {
                let constant = step.parameter("AXES", &format!("[{}; {N}]", $name), &debug(self));
                arguments.push(constant);
            }
        })*
    };
}

axes! {
    ember_kernels::mirror_pad::MirrorAxis as "MirrorAxis";
    ember_kernels::select_v2::SelectAxis as "SelectAxis";
    ember_kernels::strided_slice::SliceAxis as "SliceAxis";
}
