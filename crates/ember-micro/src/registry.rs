//! The registrations that Ember has, one by one and as lists.
//!
//! A program links the kernels of the list that it names and no others. A list of one's own is a `static` slice:
//!
//! ```
//! use ember_micro::{Registration, registry};
//!
//! static REGISTRY: &[Registration] = &[
//!     registry::CONV_2D_INT8,
//!     registry::MAX_POOL_2D_INT8,
//!     registry::FULLY_CONNECTED_INT8,
//!     registry::RESHAPE,
//!     registry::SOFTMAX_INT8,
//! ];
//! # assert_eq!(REGISTRY.len(), 5);
//! ```

#[cfg(feature = "alloc")]
use ember_tflite::Model;

use crate::kernel::Registration;
#[cfg(feature = "alloc")]
use crate::{call, fusion};
use ember_kernels::{Bool, Int64};

use crate::ops::{
    abs, add, arg_max, average_pool_2d, axes_at, batch_matmul, broadcast_args, cast,
    circular_buffer, comparisons, concatenation, control_flow, conv_2d, conv_2d_max_pool_2d,
    depth_to_space, depthwise_conv_2d, dequantize, detection_post_process, div,
    dynamic_update_slice, elu, fully_connected, gather, hard_swish, l2, leaky_relu, log_softmax,
    logical, logistic, max_pool_2d, maximum_minimum, mul, pack, pad, prelu, quantize, reduce, relu,
    reshape, resize, select_v2, shape, signal, slice, softmax, space_to_batch_nd,
    squared_difference, stored, strided_slice, sub, svdf, transpose, transpose_conv, unary,
    unidirectional_sequence_lstm, variables, zeros_like,
};

macro_rules! registrations {
    ($($(#[$doc:meta])* $list:ident: { $($name:ident = $kernel:ty;)* })*) => {
        $($(
            #[doc = concat!("The kernel `ops::", stringify!($kernel), "`.")]
            pub const $name: Registration = Registration::of::<$kernel>();
        )*)*

        $($(#[$doc])* const $list: &[Registration] = &[$($name,)*];)*

        /// Every registration with its name in this module, for whoever generates a list of them.
        #[cfg(feature = "alloc")]
        pub static NAMED: &[(&str, Registration)] = &[$($((stringify!($name), $name),)*)*];
    };
}

registrations! {
    /// Kernels of two operators of special sizes, before the ones of any size: for programs whose model is known, which then
    /// link no more than that.
    #[expect(dead_code, reason = "a list of what a model needs is generated from the names")]
    FUSED_SPECIAL: {
        CONV_2D_MAX_POOL_2D_SPECIAL_INT8 = conv_2d_max_pool_2d::SpecialInt8;
    }
    /// Kernels of two operators on int8 activations.
    FUSED_INT8: {
        CONV_2D_MAX_POOL_2D_INT8 = conv_2d_max_pool_2d::Int8;
    }
    /// Kernels of two operators on float32 activations.
    FUSED_FLOAT32: {
        CONV_2D_MAX_POOL_2D_FLOAT32 = conv_2d_max_pool_2d::Float32;
    }
    /// Kernels on int8 activations with weights that are stored in fewer bits; they stand before those for plain weights.
    STORED: {
        DECODE = stored::Decoded;
        CONV_2D_INT4 = conv_2d::Int4;
        CONV_2D_INT2 = conv_2d::Int2;
        CONV_2D_LUT = conv_2d::Lut;
        CONV_2D_PRUNED = conv_2d::Pruned;
        CONV_2D_PRUNED_LUT = conv_2d::PrunedLut;
        DEPTHWISE_CONV_2D_INT4 = depthwise_conv_2d::Int4;
        DEPTHWISE_CONV_2D_INT2 = depthwise_conv_2d::Int2;
        DEPTHWISE_CONV_2D_LUT = depthwise_conv_2d::Lut;
        DEPTHWISE_CONV_2D_PRUNED = depthwise_conv_2d::Pruned;
        DEPTHWISE_CONV_2D_PRUNED_LUT = depthwise_conv_2d::PrunedLut;
        FULLY_CONNECTED_INT4 = fully_connected::Int4;
        FULLY_CONNECTED_INT2 = fully_connected::Int2;
        FULLY_CONNECTED_LUT = fully_connected::Lut;
        FULLY_CONNECTED_PRUNED = fully_connected::Pruned;
        FULLY_CONNECTED_PRUNED_LUT = fully_connected::PrunedLut;
    }
    /// Kernels for what most models of an operator do not have: an output of another type, shapes and axes that are no constants. They
    /// stand before those for the others.
    RARER: {
        SOFTMAX_INT8_TO_INT16 = softmax::Int8ToInt16;
        EMBEDDING_LOOKUP_INT8_TO_FLOAT32 = gather::EmbeddingLookupDequantized;
        SLICE_AT = slice::Any;
        ARG_MAX_AT_INT8 = axes_at::Arg<arg_max::Greatest, i8>;
        ARG_MAX_AT_FLOAT32 = axes_at::Arg<arg_max::Greatest, f32>;
        ARG_MIN_AT_INT8 = axes_at::Arg<arg_max::Least, i8>;
        ARG_MIN_AT_FLOAT32 = axes_at::Arg<arg_max::Least, f32>;
        CUMSUM_AT_INT8 = axes_at::CumsumInt8;
        CUMSUM_AT_FLOAT32 = axes_at::CumsumFloat32;
        MEAN_AT_INT8 = axes_at::Quantized<reduce::Mean, i8>;
        MEAN_AT_INT16 = axes_at::Quantized<reduce::Mean, i16>;
        MEAN_AT_FLOAT32 = axes_at::Float32<reduce::Mean>;
        SUM_AT_INT8 = axes_at::Quantized<reduce::Sum, i8>;
        SUM_AT_INT16 = axes_at::Quantized<reduce::Sum, i16>;
        SUM_AT_FLOAT32 = axes_at::Float32<reduce::Sum>;
        REDUCE_MAX_AT_INT8 = axes_at::ExtremeOf<reduce::Greatest, i8>;
        REDUCE_MAX_AT_FLOAT32 = axes_at::ExtremeOf<reduce::Greatest, f32>;
        REDUCE_MIN_AT_INT8 = axes_at::ExtremeOf<reduce::Least, i8>;
        REDUCE_MIN_AT_FLOAT32 = axes_at::ExtremeOf<reduce::Least, f32>;
        REDUCE_ALL_AT = axes_at::All;
        REVERSE_V2_AT = axes_at::Reverse;
        SPACE_TO_BATCH_ND_AT = space_to_batch_nd::SpaceToBatchNdAt;
        BATCH_TO_SPACE_ND_AT = space_to_batch_nd::BatchToSpaceAt;
        MIRROR_PAD_AT = pad::MirrorPadAt;
    }
    /// Kernels that move elements of any type.
    MOVES: {
        RESHAPE = reshape::Any;
        SHAPE = shape::Any;
        STRIDED_SLICE = strided_slice::Any;
        PACK = pack::Any;
    }
    /// Kernels on int8 activations.
    ON_INT8: {
        CONV_2D_INT8 = conv_2d::Int8;
        DEPTHWISE_CONV_2D_INT8 = depthwise_conv_2d::Int8;
        FULLY_CONNECTED_INT8 = fully_connected::Int8;
        MAX_POOL_2D_INT8 = max_pool_2d::Int8;
        AVERAGE_POOL_2D_INT8 = average_pool_2d::Int8;
        ADD_INT8 = add::Int8;
        SOFTMAX_INT8 = softmax::Int8;
        RELU_INT8 = relu::Int8;
        RELU6_INT8 = relu::Relu6Int8;
        QUANTIZE_INT8 = quantize::Int8;
    }
    /// Kernels on int16 activations.
    ON_INT16: {
        CONV_2D_INT16 = conv_2d::Int16;
        DEPTHWISE_CONV_2D_INT16 = depthwise_conv_2d::Int16;
        FULLY_CONNECTED_INT16 = fully_connected::Int16;
        MAX_POOL_2D_INT16 = max_pool_2d::Int16;
        AVERAGE_POOL_2D_INT16 = average_pool_2d::Int16;
        ADD_INT16 = add::Int16;
        SOFTMAX_INT16 = softmax::Int16;
        RELU_INT16 = relu::Int16;
        RELU6_INT16 = relu::Relu6Int16;
        QUANTIZE_INT16 = quantize::Int16;
    }
    /// Kernels on float32 activations.
    ON_FLOAT32: {
        CONV_2D_FLOAT32 = conv_2d::Float32;
        DEPTHWISE_CONV_2D_FLOAT32 = depthwise_conv_2d::Float32;
        FULLY_CONNECTED_FLOAT32 = fully_connected::Float32;
        MAX_POOL_2D_FLOAT32 = max_pool_2d::Float32;
        AVERAGE_POOL_2D_FLOAT32 = average_pool_2d::Float32;
        ADD_FLOAT32 = add::Float32;
        SOFTMAX_FLOAT32 = softmax::Float32;
        RELU_FLOAT32 = relu::Float32;
        RELU6_FLOAT32 = relu::Relu6Float32;
    }
    /// Kernels of further operators that move elements of any type.
    FURTHER_MOVES: {
        ZEROS_LIKE = zeros_like::Any;
        DYNAMIC_UPDATE_SLICE = dynamic_update_slice::Any;
        RESIZE_NEAREST_NEIGHBOR = resize::Nearest;
        SPACE_TO_BATCH_ND = space_to_batch_nd::SpaceToBatchNd;
        BATCH_TO_SPACE_ND = space_to_batch_nd::BatchToSpace;
        SQUEEZE = reshape::Squeeze;
        EXPAND_DIMS = reshape::ExpandDims;
        TRANSPOSE = transpose::Transpose;
        REVERSE_V2 = transpose::Reverse;
        SLICE = transpose::Slice;
        BROADCAST_TO = transpose::BroadcastTo;
        CONCATENATION = concatenation::Concatenation;
        SPLIT = concatenation::Split;
        SPLIT_V = concatenation::SplitV;
        UNPACK = concatenation::Unpack;
        PAD = pad::Pad;
        PADV2 = pad::PadV2;
        MIRROR_PAD = pad::MirrorPad;
        FILL = pad::Fill;
        DEPTH_TO_SPACE = depth_to_space::DepthToSpace;
        SPACE_TO_DEPTH = depth_to_space::SpaceToDepth;
        GATHER = gather::Any;
        GATHER_ND = gather::Nd;
        EMBEDDING_LOOKUP = gather::EmbeddingLookup;
        SELECT_V2 = select_v2::Any;
    }
    /// Kernels of control flow and of what is kept from run to run.
    FLOW: {
        IF = control_flow::If;
        WHILE = control_flow::While<{ control_flow::ROUNDS }>;
        CALL_ONCE = control_flow::CallOnce;
        VAR_HANDLE = variables::Handle;
        READ_VARIABLE = variables::Read;
        ASSIGN_VARIABLE = variables::Assign;
    }
    /// Kernels of further operators on int8.
    FURTHER_INT8: {
        SUB_INT8 = sub::Int8;
        MEAN_INT8 = reduce::Quantized<reduce::Mean, i8>;
        SUM_INT8 = reduce::Quantized<reduce::Sum, i8>;
        REDUCE_MAX_INT8 = reduce::ExtremeOf<reduce::Greatest, i8>;
        REDUCE_MIN_INT8 = reduce::ExtremeOf<reduce::Least, i8>;
        ARG_MAX_INT8 = arg_max::Arg<arg_max::Greatest, i8>;
        ARG_MIN_INT8 = arg_max::Arg<arg_max::Least, i8>;
        ADD_N_INT8 = arg_max::AddNInt8;
        CUMSUM_INT8 = arg_max::CumsumInt8;
        L2_NORMALIZATION_INT8 = l2::Int8;
        RESIZE_BILINEAR_INT8 = resize::BilinearInt8;
        BATCH_MATMUL_INT8 = batch_matmul::Int8;
        ABS_INT8 = abs::Int8;
        RSQRT_INT8 = abs::RsqrtInt8;
        LOGISTIC_INT8 = logistic::Int8;
        TANH_INT8 = logistic::TanhInt8;
        LEAKY_RELU_INT8 = leaky_relu::Int8;
        HARD_SWISH_INT8 = hard_swish::Int8;
        ELU_INT8 = elu::Int8;
        MUL_INT8 = mul::Int8;
        DIV_INT8 = div::Int8;
        SQUARED_DIFFERENCE_INT8 = squared_difference::Int8;
        PRELU_INT8 = prelu::Int8;
        MAXIMUM_INT8 = maximum_minimum::Maximum<i8>;
        MINIMUM_INT8 = maximum_minimum::Minimum<i8>;
        EQUAL_INT8 = comparisons::Int8<comparisons::Equal>;
        NOT_EQUAL_INT8 = comparisons::Int8<comparisons::NotEqual>;
        GREATER_INT8 = comparisons::Int8<comparisons::Greater>;
        GREATER_EQUAL_INT8 = comparisons::Int8<comparisons::GreaterEqual>;
        LESS_INT8 = comparisons::Int8<comparisons::Less>;
        LESS_EQUAL_INT8 = comparisons::Int8<comparisons::LessEqual>;
        TRANSPOSE_CONV_INT8 = transpose_conv::OfInt8;
        LOG_SOFTMAX_INT8 = log_softmax::Int8;
        SVDF_INT8 = svdf::Int8;
        SVDF_INT8_INT16 = svdf::Int8WithInt16;
        UNIDIRECTIONAL_SEQUENCE_LSTM_INT8 = unidirectional_sequence_lstm::Int8;
    }
    /// Kernels of further operators on int16.
    FURTHER_INT16: {
        SUB_INT16 = sub::Int16;
        MEAN_INT16 = reduce::Quantized<reduce::Mean, i16>;
        SUM_INT16 = reduce::Quantized<reduce::Sum, i16>;
        BATCH_MATMUL_INT16 = batch_matmul::Int16;
        ABS_INT16 = abs::Int16;
        RSQRT_INT16 = abs::RsqrtInt16;
        LOGISTIC_INT16 = logistic::Int16;
        TANH_INT16 = logistic::TanhInt16;
        LEAKY_RELU_INT16 = leaky_relu::Int16;
        MUL_INT16 = mul::Int16;
        SQUARED_DIFFERENCE_INT16 = squared_difference::Int16;
        PRELU_INT16 = prelu::Int16;
        MAXIMUM_INT16 = maximum_minimum::Maximum<i16>;
        MINIMUM_INT16 = maximum_minimum::Minimum<i16>;
        TRANSPOSE_CONV_INT16 = transpose_conv::OfInt16;
        UNIDIRECTIONAL_SEQUENCE_LSTM_INT16 = unidirectional_sequence_lstm::Int16;
    }
    /// Kernels of further operators on float32.
    FURTHER_FLOAT32: {
        SUB_FLOAT32 = sub::Float32;
        MEAN_FLOAT32 = reduce::Float32<reduce::Mean>;
        SUM_FLOAT32 = reduce::Float32<reduce::Sum>;
        REDUCE_MAX_FLOAT32 = reduce::ExtremeOf<reduce::Greatest, f32>;
        REDUCE_MIN_FLOAT32 = reduce::ExtremeOf<reduce::Least, f32>;
        ARG_MAX_FLOAT32 = arg_max::Arg<arg_max::Greatest, f32>;
        ARG_MIN_FLOAT32 = arg_max::Arg<arg_max::Least, f32>;
        CUMSUM_FLOAT32 = arg_max::CumsumFloat32;
        ADD_N_FLOAT32 = arg_max::AddN;
        L2_NORMALIZATION_FLOAT32 = l2::Float32;
        L2_POOL_2D_FLOAT32 = l2::Pool;
        RESIZE_BILINEAR_FLOAT32 = resize::BilinearFloat32;
        BATCH_MATMUL_FLOAT32 = batch_matmul::Float32;
        LEAKY_RELU_FLOAT32 = leaky_relu::Float32;
        ABS_FLOAT32 = unary::Abs;
        SIN_FLOAT32 = unary::Sin;
        COS_FLOAT32 = unary::Cos;
        LOG_FLOAT32 = unary::Log;
        SQRT_FLOAT32 = unary::Sqrt;
        RSQRT_FLOAT32 = unary::Rsqrt;
        SQUARE_FLOAT32 = unary::Square;
        NEG_FLOAT32 = unary::Neg;
        EXP_FLOAT32 = unary::Exp;
        FLOOR_FLOAT32 = unary::Floor;
        CEIL_FLOAT32 = unary::Ceil;
        ROUND_FLOAT32 = unary::Round;
        ELU_FLOAT32 = unary::Elu;
        HARD_SWISH_FLOAT32 = unary::HardSwish;
        LOGISTIC_FLOAT32 = unary::Logistic;
        TANH_FLOAT32 = unary::Tanh;
        MUL_FLOAT32 = mul::Float32;
        DIV_FLOAT32 = div::Float32;
        FLOOR_DIV_FLOAT32 = div::Floor;
        FLOOR_MOD_FLOAT32 = div::Modulo;
        SQUARED_DIFFERENCE_FLOAT32 = squared_difference::Float32;
        PRELU_FLOAT32 = prelu::Float32;
        MAXIMUM_FLOAT32 = maximum_minimum::Maximum<f32>;
        MINIMUM_FLOAT32 = maximum_minimum::Minimum<f32>;
        EQUAL_FLOAT32 = comparisons::Plain<comparisons::Equal, f32>;
        NOT_EQUAL_FLOAT32 = comparisons::Plain<comparisons::NotEqual, f32>;
        GREATER_FLOAT32 = comparisons::Plain<comparisons::Greater, f32>;
        GREATER_EQUAL_FLOAT32 = comparisons::Plain<comparisons::GreaterEqual, f32>;
        LESS_FLOAT32 = comparisons::Plain<comparisons::Less, f32>;
        LESS_EQUAL_FLOAT32 = comparisons::Plain<comparisons::LessEqual, f32>;
        TRANSPOSE_CONV_FLOAT32 = transpose_conv::OfFloat32;
        LOG_SOFTMAX_FLOAT32 = log_softmax::Float32;
        SVDF_FLOAT32 = svdf::Float32;
        UNIDIRECTIONAL_SEQUENCE_LSTM_FLOAT32 = unidirectional_sequence_lstm::Float32;
    }
    /// Kernels on float32 activations with int8 weights.
    DYNAMIC: {
        CONV_2D_DYNAMIC = conv_2d::Dynamic;
        DEPTHWISE_CONV_2D_DYNAMIC = depthwise_conv_2d::Dynamic;
        FULLY_CONNECTED_DYNAMIC = fully_connected::Dynamic;
    }
    /// Kernels of custom operators.
    CUSTOM: {
        DETECTION_POST_PROCESS_FLOAT32 = detection_post_process::Float32;
        DETECTION_POST_PROCESS_UINT8 = detection_post_process::Uint8;
        CIRCULAR_BUFFER_INT8 = circular_buffer::Int8;
    }
    /// Kernels of TFLM's signal library.
    SIGNAL: {
        SIGNAL_DELAY_INT16 = signal::delay::Int16;
        SIGNAL_ENERGY_INT16 = signal::energy::Int16;
        SIGNAL_FFT_AUTO_SCALE_INT16 = signal::fft_auto_scale::Int16;
        SIGNAL_FILTER_BANK_UINT32 = signal::filter_bank::Uint32;
        SIGNAL_FILTER_BANK_LOG_UINT32 = signal::filter_bank_log::Uint32;
        SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION_UINT32 = signal::filter_bank_spectral_subtraction::Uint32;
        SIGNAL_FILTER_BANK_SQUARE_ROOT_UINT64 = signal::filter_bank_square_root::Uint64;
        SIGNAL_FRAMER_INT16 = signal::framer::Int16;
        SIGNAL_IRFFT_INT16 = signal::irfft::Int16;
        SIGNAL_IRFFT_INT32 = signal::irfft::Int32;
        SIGNAL_IRFFT_FLOAT32 = signal::irfft::Float32;
        SIGNAL_OVERLAP_ADD_INT16 = signal::overlap_add::Int16;
        SIGNAL_OVERLAP_ADD_FLOAT32 = signal::overlap_add::Float32;
        SIGNAL_PCAN_UINT32 = signal::pcan::Uint32;
        SIGNAL_RFFT_INT16 = signal::rfft::Int16;
        SIGNAL_RFFT_INT32 = signal::rfft::Int32;
        SIGNAL_RFFT_FLOAT32 = signal::rfft::Float32;
        SIGNAL_STACKER_INT16 = signal::stacker::Int16;
        SIGNAL_WINDOW_INT16 = signal::window::Int16;
    }
    /// Kernels on integers without a scale, on truth values and on indices.
    ON_NUMBERS: {
        ADD_INT32 = sub::AddInt32;
        SUB_INT32 = sub::Int32;
        MUL_INT32 = mul::Int32;
        DIV_INT32 = div::Int32;
        SQUARED_DIFFERENCE_INT32 = squared_difference::Int32;
        MAXIMUM_INT32 = maximum_minimum::Maximum<i32>;
        MINIMUM_INT32 = maximum_minimum::Minimum<i32>;
        MAXIMUM_INT64 = maximum_minimum::MaximumInt64;
        MINIMUM_INT64 = maximum_minimum::MinimumInt64;
        LOGICAL_AND = logical::And;
        BROADCAST_ARGS_INT32 = broadcast_args::Int32;
        BROADCAST_ARGS_INT64 = broadcast_args::Wide;
        REDUCE_ALL = reduce::All;
        LOGICAL_NOT = unary::LogicalNot;
        LOGICAL_OR = logical::Or;
        EQUAL_INT32 = comparisons::Plain<comparisons::Equal, i32>;
        EQUAL_INT64 = comparisons::Plain<comparisons::Equal, Int64>;
        NOT_EQUAL_INT32 = comparisons::Plain<comparisons::NotEqual, i32>;
        NOT_EQUAL_INT64 = comparisons::Plain<comparisons::NotEqual, Int64>;
        GREATER_INT32 = comparisons::Plain<comparisons::Greater, i32>;
        GREATER_INT64 = comparisons::Plain<comparisons::Greater, Int64>;
        GREATER_EQUAL_INT32 = comparisons::Plain<comparisons::GreaterEqual, i32>;
        GREATER_EQUAL_INT64 = comparisons::Plain<comparisons::GreaterEqual, Int64>;
        LESS_INT32 = comparisons::Plain<comparisons::Less, i32>;
        LESS_INT64 = comparisons::Plain<comparisons::Less, Int64>;
        LESS_EQUAL_INT32 = comparisons::Plain<comparisons::LessEqual, i32>;
        LESS_EQUAL_INT64 = comparisons::Plain<comparisons::LessEqual, Int64>;
        EQUAL_BOOL = comparisons::Plain<comparisons::Equal, Bool>;
        NOT_EQUAL_BOOL = comparisons::Plain<comparisons::NotEqual, Bool>;
    }
    /// Kernels from one type to another.
    BETWEEN: {
        QUANTIZE_FLOAT32 = quantize::Float32;
        QUANTIZE_FLOAT32_TO_INT16 = quantize::Float32ToInt16;
        QUANTIZE_INT8_TO_INT16 = quantize::Int8ToInt16;
        QUANTIZE_INT16_TO_INT8 = quantize::Int16ToInt8;
        QUANTIZE_INT8_TO_UINT8 = quantize::Int8ToUint8;
        QUANTIZE_UINT8_TO_INT8 = quantize::Uint8ToInt8;
        QUANTIZE_INT8_TO_INT32 = quantize::Int8ToInt32;
        QUANTIZE_INT16_TO_INT32 = quantize::Int16ToInt32;
        QUANTIZE_INT32_TO_INT8 = quantize::Int32ToInt8;
        QUANTIZE_INT32_TO_INT16 = quantize::Int32ToInt16;
        DEQUANTIZE_INT8 = dequantize::Int8;
        DEQUANTIZE_INT16 = dequantize::Int16;
        DEQUANTIZE_UINT8 = dequantize::Uint8;
        DEQUANTIZE_FLOAT16 = dequantize::Float16;
        CAST_INT8_TO_INT8 = cast::Cast<i8, i8>;
        CAST_INT8_TO_INT16 = cast::Cast<i8, i16>;
        CAST_INT8_TO_INT32 = cast::Cast<i8, i32>;
        CAST_INT8_TO_UINT32 = cast::Cast<i8, u32>;
        CAST_INT8_TO_FLOAT32 = cast::Cast<i8, f32>;
        CAST_INT8_TO_BOOL = cast::Cast<i8, Bool>;
        CAST_INT16_TO_INT8 = cast::Cast<i16, i8>;
        CAST_INT16_TO_INT16 = cast::Cast<i16, i16>;
        CAST_INT16_TO_INT32 = cast::Cast<i16, i32>;
        CAST_INT16_TO_UINT32 = cast::Cast<i16, u32>;
        CAST_INT16_TO_FLOAT32 = cast::Cast<i16, f32>;
        CAST_INT16_TO_BOOL = cast::Cast<i16, Bool>;
        CAST_INT32_TO_INT8 = cast::Cast<i32, i8>;
        CAST_INT32_TO_INT16 = cast::Cast<i32, i16>;
        CAST_INT32_TO_INT32 = cast::Cast<i32, i32>;
        CAST_INT32_TO_UINT32 = cast::Cast<i32, u32>;
        CAST_INT32_TO_FLOAT32 = cast::Cast<i32, f32>;
        CAST_INT32_TO_BOOL = cast::Cast<i32, Bool>;
        CAST_UINT32_TO_INT8 = cast::Cast<u32, i8>;
        CAST_UINT32_TO_INT16 = cast::Cast<u32, i16>;
        CAST_UINT32_TO_INT32 = cast::Cast<u32, i32>;
        CAST_UINT32_TO_UINT32 = cast::Cast<u32, u32>;
        CAST_UINT32_TO_FLOAT32 = cast::Cast<u32, f32>;
        CAST_UINT32_TO_BOOL = cast::Cast<u32, Bool>;
        CAST_FLOAT32_TO_INT8 = cast::Cast<f32, i8>;
        CAST_FLOAT32_TO_INT16 = cast::Cast<f32, i16>;
        CAST_FLOAT32_TO_INT32 = cast::Cast<f32, i32>;
        CAST_FLOAT32_TO_UINT32 = cast::Cast<f32, u32>;
        CAST_FLOAT32_TO_FLOAT32 = cast::Cast<f32, f32>;
        CAST_FLOAT32_TO_BOOL = cast::Cast<f32, Bool>;
        CAST_BOOL_TO_INT8 = cast::Cast<Bool, i8>;
        CAST_BOOL_TO_INT16 = cast::Cast<Bool, i16>;
        CAST_BOOL_TO_INT32 = cast::Cast<Bool, i32>;
        CAST_BOOL_TO_UINT32 = cast::Cast<Bool, u32>;
        CAST_BOOL_TO_FLOAT32 = cast::Cast<Bool, f32>;
        CAST_BOOL_TO_BOOL = cast::Cast<Bool, Bool>;
    }
}

/// Several lists as one, of `N` registrations in all: of two for the same the first is taken. With an operator of one's own
/// beside all others:
///
/// ```
/// # use ember_core::Dtype;
/// # use ember_micro::{InvokeFault, Io, Kernel, OpCode, Prepare, Refused};
/// # struct Own;
/// # impl Kernel for Own {
/// #     const CODE: OpCode<'static> = OpCode::Custom("OWN");
/// #     const DTYPE: Option<Dtype> = None;
/// #     type Prepared = ();
/// #     fn prepare(_: &Prepare<'_>, _: &mut ()) -> Result<(), Refused> { Ok(()) }
/// #     fn run(_: &(), _: Io<'_>) -> Result<(), InvokeFault> { Ok(()) }
/// # }
/// use ember_micro::{Registration, registry};
///
/// const OWN: &[Registration] = &[Registration::of::<Own>()];
/// static REGISTRY: [Registration; registry::ALL.len() + 1] = registry::joined(&[OWN, registry::ALL]);
/// assert_eq!(REGISTRY[0].code, OpCode::Custom("OWN"));
/// ```
///
/// # Panics
/// There are more or fewer than `N`, which a `static` finds when it is compiled.
#[must_use]
pub const fn joined<const N: usize>(lists: &[&[Registration]]) -> [Registration; N] {
    let mut all = [RESHAPE; N];
    let (mut at, mut list) = (0, 0);
    while list < lists.len() {
        let mut row = 0;
        while row < lists[list].len() {
            all[at] = lists[list][row];
            at += 1;
            row += 1;
        }
        list += 1;
    }
    assert!(at == N);
    all
}

/// What fully quantized int8 models mostly need: [`ALL`] has further operators.
pub static INT8: &[Registration] =
    &joined::<{ FUSED_INT8.len() + ON_INT8.len() + MOVES.len() }>(&[FUSED_INT8, ON_INT8, MOVES]);

/// What models of 16-bit activations and 8-bit weights mostly need.
pub static INT16: &[Registration] = &joined::<{ ON_INT16.len() + MOVES.len() }>(&[ON_INT16, MOVES]);

/// What float32 models mostly need.
pub static FLOAT32: &[Registration] = &joined::<
    { FUSED_FLOAT32.len() + ON_FLOAT32.len() + MOVES.len() },
>(&[FUSED_FLOAT32, ON_FLOAT32, MOVES]);

/// Every kernel of one operator.
pub static ALL: &[Registration] = &joined::<
    {
        ON_INT8.len()
            + ON_INT16.len()
            + ON_FLOAT32.len()
            + DYNAMIC.len()
            + MOVES.len()
            + BETWEEN.len()
            + ON_NUMBERS.len()
            + FURTHER_MOVES.len()
            + FLOW.len()
            + FURTHER_INT8.len()
            + FURTHER_INT16.len()
            + FURTHER_FLOAT32.len()
            + STORED.len()
            + RARER.len()
            + CUSTOM.len()
            + SIGNAL.len()
    },
>(&[
    STORED,
    RARER,
    ON_INT8,
    ON_INT16,
    ON_FLOAT32,
    DYNAMIC,
    MOVES,
    BETWEEN,
    ON_NUMBERS,
    FURTHER_MOVES,
    FLOW,
    FURTHER_INT8,
    FURTHER_INT16,
    FURTHER_FLOAT32,
    CUSTOM,
    SIGNAL,
]);

/// Everything: the kernels of two operators too.
pub static FUSING: &[Registration] = &joined::<
    { FUSED_INT8.len() + FUSED_FLOAT32.len() + ALL.len() },
>(&[FUSED_INT8, FUSED_FLOAT32, ALL]);

/// The names in [`NAMED`] of the rows that a model needs, each once, in their order: per operator of the main subgraph, and
/// of those that are called, the first row that takes it, or takes it and the one behind it. That is the row which the
/// interpreter picks.
#[cfg(feature = "alloc")]
#[must_use]
pub fn needed(model: &Model<'_>) -> alloc::vec::Vec<&'static str> {
    let rows: alloc::vec::Vec<Registration> = NAMED.iter().map(|(_, row)| *row).collect();
    let mut needed = alloc::collections::BTreeSet::new();
    let reached = call::reached(model);
    for graph in reached.iter().filter_map(|id| model.subgraph(*id)) {
        let mut index = 0;
        while let Some(operator) = graph.operator(index) {
            let fused = fusion::row(&graph, index, &rows);
            index += if fused.is_some() { 2 } else { 1 };
            let alone = || rows.iter().position(|row| row.takes(&graph, &operator));
            needed.extend(fused.or_else(alone));
        }
    }
    let names = NAMED.iter().enumerate();
    names
        .filter(|(at, _)| needed.contains(at))
        .map(|(_, (name, _))| *name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::FUSING;

    #[test]
    fn no_two_registrations_are_for_the_same() {
        for (index, one) in FUSING.iter().enumerate() {
            for other in &FUSING[index + 1..] {
                assert!(
                    one.code != other.code
                        || one.next != other.next
                        || (one.dtype.is_some() && one.dtype != other.dtype)
                        || (one.other.is_some() && one.other != other.other)
                        || one.suits.is_some(),
                    "{one:?} and {other:?}"
                );
            }
        }
    }
}
