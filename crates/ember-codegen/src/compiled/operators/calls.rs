//! The operators that are one call, as rows: the name in [`ember_micro::registry`], the kernel, and the call.
//!
//! In a call `$` is the next of what the kernel prepared. `input`, `input0`, `input1`, … are the elements of the inputs, `bytes`,
//! `bytes0`, … their bytes, `some0`, … an option of the elements of one that may be left out, `variable0`, … the elements of one
//! that is written to, `output` and `output_bytes` those of the output. Everything else is text, a line for a
//! statement.

use ember_kernels::{Bool, Int64};
use ember_micro::Kernel;
use ember_micro::ops::{
    abs, add, arg_max, average_pool_2d, axes_at, batch_matmul, broadcast_args, cast, comparisons,
    depth_to_space, dequantize, div, dynamic_update_slice, gather, hard_swish, l2, leaky_relu,
    log_softmax, logical, logistic, max_pool_2d, maximum_minimum, mul, pad, prelu, quantize,
    reduce, relu, resize, select_v2, slice, softmax, space_to_batch_nd, squared_difference,
    strided_slice, sub, svdf, transpose, unary, unidirectional_sequence_lstm, zeros_like,
};

use super::super::constants::Element;
use super::super::step::{Problem, Step, broken_call};
use super::super::text::{broken, parts};
use super::parameters::Parameters;

/// Gives what the kernel prepared as expressions.
type Prepared = fn(&mut Step<'_, '_>) -> Result<Vec<String>, Problem>;

/// A name, what that kernel prepared, and the call.
type Row = (&'static str, Prepared, &'static str);

fn of<K: Kernel<Prepared: Parameters>>(step: &mut Step<'_, '_>) -> Result<Vec<String>, Problem> {
    let (prepared, _) = step.prepared::<K>()?;
    let mut arguments = Vec::new();
    prepared.emit(step, &mut arguments);
    Ok(arguments)
}

/// Writes the call of the kernel with this name, if it has a row.
pub(super) fn emit(name: &str, step: &mut Step<'_, '_>) -> Option<Result<(), Problem>> {
    FAMILIES.iter().find_map(|(whole, rows)| {
        let (_, prepared, part) = rows.iter().find(|(own, ..)| *own == name)?;
        Some(write(step, *prepared, &whole.replace("{}", part)))
    })
}

/// The names that have a row.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let rows = FAMILIES.iter().flat_map(|(_, rows)| rows.iter());
    rows.map(|(name, ..)| *name)
}

fn write(step: &mut Step<'_, '_>, prepared: Prepared, calls: &str) -> Result<(), Problem> {
    let mut prepared = prepared(step)?.into_iter();
    let calls: Vec<&str> = calls.lines().collect();
    for (call, number) in calls.iter().zip(1..) {
        let call = expanded(step, call, &mut prepared)?;
        if let Some((name, value)) = call.split_once(" = ") {
            let value = broken(value, 0, "         = ;".len() + name.len());
            step.statement(format!("{name} = {value};"));
            continue;
        }
        let (Some(open), Some(close)) = (call.find('('), call.rfind(')')) else {
            return Err(Problem(format!("{call} is no call")));
        };
        let arguments = parts(&call[open + 1..close]);
        let text = broken_call(&call[..open], &arguments);
        let (end, more) = (&call[close + 1..], number < calls.len());
        step.statement(format!("{text}{end}{}", if more { ";" } else { "" }));
    }
    Ok(())
}

/// The text with expressions in the places of its words.
fn expanded(
    step: &mut Step<'_, '_>,
    text: &str,
    prepared: &mut impl Iterator<Item = String>,
) -> Result<String, Problem> {
    let mut expanded = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        let end = rest.find(|character| !is_word(character));
        let end = end.unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        // Before a colon stands the name of a field.
        let operand = match behind.starts_with(':') {
            true => None,
            false => operand(step, word)?,
        };
        expanded += &operand.unwrap_or_else(|| word.to_owned());
        let mut behind = behind.chars();
        match behind.next() {
            Some('$') => expanded += &prepared.next().unwrap_or_default(),
            Some(other) => expanded.push(other),
            None => {}
        }
        rest = behind.as_str();
    }
    Ok(expanded)
}

/// The expression for a tensor, if the word means one.
fn operand(step: &mut Step<'_, '_>, word: &str) -> Result<Option<String>, Problem> {
    let number = |prefix| word.strip_prefix(prefix).and_then(|at| at.parse().ok());
    let expression = match word {
        "output" => step.own_output()?,
        "output_bytes" => step.output_bytes()?,
        "input" => step.own_input(0, word)?,
        _ => {
            if let Some(at) = number("input") {
                step.own_input(at, word)?
            } else if let Some(at) = number("bytes") {
                step.input(at, &format!("input{at}"), Element::U8)?
            } else if let Some(at) = number("some") {
                match step.operator.inputs().get(at) {
                    Some(_) => format!("Some({})", step.own_input(at, &format!("input{at}"))?),
                    None => "None".to_owned(),
                }
            } else if let Some(at) = number("variable") {
                step.variable(at, &format!("input{at}"))?
            } else {
                return Ok(None);
            }
        }
    };
    Ok(Some(expression))
}

macro_rules! rows {
    ($($name:literal, $kernel:ty, $text:expr;)*) => {
        &[$(($name, of::<$kernel>, $text),)*]
    };
}

/// CAST of each type to each.
macro_rules! casts {
    ($($name:literal $from:ident;)*) => {
        &[$(
            casts!($name $from, "INT8" i8),
            casts!($name $from, "INT16" i16),
            casts!($name $from, "INT32" i32),
            casts!($name $from, "UINT32" u32),
            casts!($name $from, "FLOAT32" f32),
            casts!($name $from, "BOOL" Bool),
        )*]
    };
    ($name:literal $from:ident, $to_name:literal $to:ident) => {
        (
            concat!("CAST_", $name, "_TO_", $to_name),
            of::<cast::Cast<$from, $to>>,
            concat!("cast::Cast(PhantomData::<(", stringify!($from), ", ", stringify!($to), ")>)"),
        )
    };
}

/// Each comparison on each type.
macro_rules! comparisons {
    ($($name:literal $relation:ident;)*) => {
        &[$(
            (
                concat!($name, "_INT8"),
                of::<comparisons::Int8<comparisons::$relation>>,
                concat!("comparisons::Scaled($, PhantomData::<(comparisons::", stringify!($relation), ", i8)>)"),
            ),
            comparisons!($name $relation, "FLOAT32" f32),
            comparisons!($name $relation, "INT32" i32),
            comparisons!($name $relation, "INT64" Int64),
        )*
            comparisons!("EQUAL" Equal, "BOOL" Bool),
            comparisons!("NOT_EQUAL" NotEqual, "BOOL" Bool),
        ]
    };
    ($name:literal $relation:ident, $of_name:literal $of:ident) => {
        (
            concat!($name, "_", $of_name),
            of::<comparisons::Plain<comparisons::$relation, $of>>,
            concat!("comparisons::Plain(PhantomData::<(comparisons::", stringify!($relation), ", ", stringify!($of), ")>)"),
        )
    };
}

/// SVDF with an arithmetic: its type, and a value of it.
macro_rules! svdf {
    ($of:literal, $value:literal) => {
        concat!(
            "let weights: svdf::Weights<'_, svdf::",
            $of,
            "> = svdf::Weights { feature: input1, time: input2, bias: some3 }\n",
            "svdf::run($, &svdf::",
            $value,
            ", &weights, input0, variable4, output)",
        )
    };
}

/// UNIDIRECTIONAL_SEQUENCE_LSTM with an arithmetic, as [`svdf!`].
macro_rules! lstm {
    ($of:literal, $value:literal) => {
        concat!(
            "let gates: [unidirectional_sequence_lstm::Weights<'_, unidirectional_sequence_lstm::",
            $of,
            ">; 4] = [",
            "unidirectional_sequence_lstm::Weights { input: input1, recurrent: input5, bias: input12 }, ",
            "unidirectional_sequence_lstm::Weights { input: input2, recurrent: input6, bias: input13 }, ",
            "unidirectional_sequence_lstm::Weights { input: input3, recurrent: input7, bias: input14 }, ",
            "unidirectional_sequence_lstm::Weights { input: input4, recurrent: input8, bias: input15 }]\n",
            "let state = unidirectional_sequence_lstm::State { hidden: variable18, cell: variable19 }\n",
            "unidirectional_sequence_lstm::run($, &unidirectional_sequence_lstm::",
            $value,
            ", &gates, input0, state, output)",
        )
    };
}

/// Rows, by what stands around their text.
const FAMILIES: &[(&str, &[Row])] = &[
    ("{}", CALLS),
    ("strided::copy($, bytes0, output_bytes)", COPIES),
    ("unary::run(&{}, input, output)", UNARY),
    ("unary::run(&{}, input, output)", CASTS),
    ("binary::run($, &{}, input0, input1, output)", BINARY),
    ("binary::run($, &{}, input0, input1, output)", COMPARISONS),
];

const CALLS: &[Row] = rows! {
    "MAX_POOL_2D_INT8", max_pool_2d::Int8, "max_pool_2d::pool($, $, input, output)";
    "MAX_POOL_2D_INT16", max_pool_2d::Int16, "max_pool_2d::pool($, $, input, output)";
    "MAX_POOL_2D_FLOAT32", max_pool_2d::Float32, "max_pool_2d::pool($, $, input, output)";
    "AVERAGE_POOL_2D_INT8", average_pool_2d::Int8, "average_pool_2d::pool($, $, input, output)";
    "AVERAGE_POOL_2D_INT16", average_pool_2d::Int16, "average_pool_2d::pool($, $, input, output)";
    "AVERAGE_POOL_2D_FLOAT32", average_pool_2d::Float32, "average_pool_2d::pool($, $, input, output)";
    "L2_POOL_2D_FLOAT32", l2::Pool, "l2::pool($, $, input, output)";
    "L2_NORMALIZATION_INT8", l2::Int8, "l2::int8($, $, input, output)";
    "L2_NORMALIZATION_FLOAT32", l2::Float32, "l2::float32($, input, output)";
    "ADD_INT8", add::Int8, "add::quantized($, $, input0, input1, output)";
    "ADD_INT16", add::Int16, "add::quantized($, $, input0, input1, output)";
    "ADD_FLOAT32", add::Float32, "add::float32($, $, input0, input1, output)";
    "SOFTMAX_INT8", softmax::Int8, "softmax::int8($, $, input, output)";
    "SOFTMAX_INT8_TO_INT16", softmax::Int8ToInt16, "softmax::int8_to_int16($, $, input, output)";
    "SOFTMAX_INT16", softmax::Int16, "softmax::int16::softmax($, $, input, output)";
    "SOFTMAX_FLOAT32", softmax::Float32, "softmax::float32($, $, input, output)";
    "LOG_SOFTMAX_INT8", log_softmax::Int8, "log_softmax::int8($, $, input, output)";
    "LOG_SOFTMAX_FLOAT32", log_softmax::Float32, "log_softmax::float32($, input, output)";
    "SVDF_INT8", svdf::Int8, svdf!("Quantized<'_, i8>", "Quantized($, PhantomData::<i8>)");
    "SVDF_INT8_INT16", svdf::Int8WithInt16, svdf!("Quantized<'_, i16>", "Quantized($, PhantomData::<i16>)");
    "SVDF_FLOAT32", svdf::Float32, svdf!("Float32", "Float32($)");
    "UNIDIRECTIONAL_SEQUENCE_LSTM_INT8", unidirectional_sequence_lstm::Int8, lstm!("Quantized<'_, i8>", "Quantized($, PhantomData::<i8>)");
    "UNIDIRECTIONAL_SEQUENCE_LSTM_INT16", unidirectional_sequence_lstm::Int16, lstm!("Quantized<'_, i16>", "Quantized($, PhantomData::<i16>)");
    "UNIDIRECTIONAL_SEQUENCE_LSTM_FLOAT32", unidirectional_sequence_lstm::Float32, lstm!("Float32", "Float32 { clip: $ }");
    "RELU_INT8", relu::Int8, "quantize::requantize($, $, input, output)";
    "RELU_INT16", relu::Int16, "quantize::requantize($, $, input, output)";
    "RELU_FLOAT32", relu::Float32, "relu::clamp($, input, output)";
    "RELU6_INT8", relu::Relu6Int8, "relu::clamp($, input, output)";
    "RELU6_INT16", relu::Relu6Int16, "relu::clamp($, input, output)";
    "RELU6_FLOAT32", relu::Relu6Float32, "relu::clamp($, input, output)";
    "QUANTIZE_INT8", quantize::Int8, "quantize::requantize($, Clamp::INT8, input, output)";
    "QUANTIZE_INT16", quantize::Int16, "quantize::requantize($, Clamp::INT16, input, output)";
    "QUANTIZE_INT8_TO_INT16", quantize::Int8ToInt16, "quantize::requantize($, Clamp::INT16, input, output)";
    "QUANTIZE_INT16_TO_INT8", quantize::Int16ToInt8, "quantize::requantize($, Clamp::INT8, input, output)";
    "QUANTIZE_INT8_TO_UINT8", quantize::Int8ToUint8, "quantize::requantize($, Clamp { min: 0, max: 255 }, input, output)";
    "QUANTIZE_UINT8_TO_INT8", quantize::Uint8ToInt8, "quantize::requantize($, Clamp::INT8, input, output)";
    "QUANTIZE_INT8_TO_INT32", quantize::Int8ToInt32, "quantize::requantize($, Clamp { min: i32::MIN, max: i32::MAX }, input, output)";
    "QUANTIZE_INT16_TO_INT32", quantize::Int16ToInt32, "quantize::requantize($, Clamp { min: i32::MIN, max: i32::MAX }, input, output)";
    "QUANTIZE_INT32_TO_INT8", quantize::Int32ToInt8, "quantize::requantize($, Clamp::INT8, input, output)";
    "QUANTIZE_INT32_TO_INT16", quantize::Int32ToInt16, "quantize::requantize($, Clamp::INT16, input, output)";
    "QUANTIZE_FLOAT32", quantize::Float32, "quantize::quantize($, input, output)";
    "QUANTIZE_FLOAT32_TO_INT16", quantize::Float32ToInt16, "quantize::quantize($, input, output)";
    "DEQUANTIZE_INT8", dequantize::Int8, "dequantize::dequantize($, input, output)";
    "DEQUANTIZE_UINT8", dequantize::Uint8, "dequantize::dequantize($, input, output)";
    "DEQUANTIZE_INT16", dequantize::Int16, "dequantize::dequantize($, input, output)";
    "DEQUANTIZE_FLOAT16", dequantize::Float16, "dequantize::float16(input, output)";
    "MEAN_INT8", reduce::Quantized<reduce::Mean, i8>, "reduce::quantized($, $, input, output)";
    "MEAN_INT16", reduce::Quantized<reduce::Mean, i16>, "reduce::quantized($, $, input, output)";
    "MEAN_FLOAT32", reduce::Float32<reduce::Mean>, "reduce::float32($, $, input, output)";
    "SUM_INT8", reduce::Quantized<reduce::Sum, i8>, "reduce::quantized($, $, input, output)";
    "SUM_INT16", reduce::Quantized<reduce::Sum, i16>, "reduce::quantized($, $, input, output)";
    "SUM_FLOAT32", reduce::Float32<reduce::Sum>, "reduce::float32($, $, input, output)";
    "REDUCE_MAX_INT8", reduce::ExtremeOf<reduce::Greatest, i8>, "reduce::extreme($, Ordering::Greater, input, output)";
    "REDUCE_MAX_FLOAT32", reduce::ExtremeOf<reduce::Greatest, f32>, "reduce::extreme($, Ordering::Greater, input, output)";
    "REDUCE_MIN_INT8", reduce::ExtremeOf<reduce::Least, i8>, "reduce::extreme($, Ordering::Less, input, output)";
    "REDUCE_MIN_FLOAT32", reduce::ExtremeOf<reduce::Least, f32>, "reduce::extreme($, Ordering::Less, input, output)";
    "REDUCE_ALL", reduce::All, "reduce::all($, input, output)";
    "ARG_MAX_INT8", arg_max::Arg<arg_max::Greatest, i8>, "arg_max::position($, Ordering::Greater, input0, output)";
    "ARG_MAX_FLOAT32", arg_max::Arg<arg_max::Greatest, f32>, "arg_max::position($, Ordering::Greater, input0, output)";
    "ARG_MIN_INT8", arg_max::Arg<arg_max::Least, i8>, "arg_max::position($, Ordering::Less, input0, output)";
    "ARG_MIN_FLOAT32", arg_max::Arg<arg_max::Least, f32>, "arg_max::position($, Ordering::Less, input0, output)";
    "CUMSUM_INT8", arg_max::CumsumInt8, "arg_max::sums_int8($, $, $, input0, output)";
    "CUMSUM_FLOAT32", arg_max::CumsumFloat32, "arg_max::sums_float32($, $, input0, output)";
    "RESIZE_BILINEAR_INT8", resize::BilinearInt8, "resize::bilinear_int8($, input0, output)";
    "RESIZE_BILINEAR_FLOAT32", resize::BilinearFloat32, "resize::bilinear_float32($, input0, output)";
    "RESIZE_NEAREST_NEIGHBOR", resize::Nearest, "resize::nearest($, $, bytes0, output_bytes)";
    "BATCH_MATMUL_INT8", batch_matmul::Int8, "batch_matmul::int8($, $, input0, input1, output)";
    "BATCH_MATMUL_INT16", batch_matmul::Int16, "batch_matmul::int16($, $, input0, input1, output)";
    "BATCH_MATMUL_FLOAT32", batch_matmul::Float32, "batch_matmul::float32($, input0, input1, output)";
    "BROADCAST_ARGS_INT32", broadcast_args::Int32, "broadcast_args::shape(input0, input1, 1, output)";
    "BROADCAST_ARGS_INT64", broadcast_args::Wide, "broadcast_args::shape(input0, input1, Int64::new(1), output)";
    "DYNAMIC_UPDATE_SLICE", dynamic_update_slice::Any, "dynamic_update_slice::bytes($, bytes0, bytes1, input2, output_bytes)";
    "STRIDED_SLICE", strided_slice::Any, "strided_slice::bytes($, $, bytes0, output_bytes)";
    "MIRROR_PAD", pad::MirrorPad, "mirror_pad::bytes($, $, $, bytes0, output_bytes)";
    "FILL", pad::Fill, "strided::fill(bytes1, output_bytes)";
    "ZEROS_LIKE", zeros_like::Any, "output_bytes.fill(0)\nOk(())";
    "SPACE_TO_BATCH_ND", space_to_batch_nd::SpaceToBatchNd, "output_bytes.fill(0)\nspace_to_batch_nd::to_batch($, bytes0, output_bytes)";
    "BATCH_TO_SPACE_ND", space_to_batch_nd::BatchToSpace, "space_to_batch_nd::to_space($, bytes0, output_bytes)";
    "GATHER", gather::Any, "gather::gather($, bytes0, input1, output_bytes)";
    "GATHER_ND", gather::Nd, "gather::gather_nd($, bytes0, input1, output_bytes)";
    "EMBEDDING_LOOKUP", gather::EmbeddingLookup, "gather::gather($, bytes1, input0, output_bytes)";
    "EMBEDDING_LOOKUP_INT8_TO_FLOAT32", gather::EmbeddingLookupDequantized, "gather::dequantized($, $, input1, input0, output)";
    "SLICE_AT", slice::Any, "slice::bytes($, bytes0, input1, input2, output_bytes)";
    "ARG_MAX_AT_INT8", axes_at::Arg<arg_max::Greatest, i8>, "arg_max::position_at($, Ordering::Greater, input0, input1, output)";
    "ARG_MAX_AT_FLOAT32", axes_at::Arg<arg_max::Greatest, f32>, "arg_max::position_at($, Ordering::Greater, input0, input1, output)";
    "ARG_MIN_AT_INT8", axes_at::Arg<arg_max::Least, i8>, "arg_max::position_at($, Ordering::Less, input0, input1, output)";
    "ARG_MIN_AT_FLOAT32", axes_at::Arg<arg_max::Least, f32>, "arg_max::position_at($, Ordering::Less, input0, input1, output)";
    "CUMSUM_AT_INT8", axes_at::CumsumInt8, "arg_max::sums_int8_at($, $, $, input0, input1, output)";
    "CUMSUM_AT_FLOAT32", axes_at::CumsumFloat32, "arg_max::sums_float32_at($, $, input0, input1, output)";
    "MEAN_AT_INT8", axes_at::Quantized<reduce::Mean, i8>, "reduce::quantized_at($, $, 1, input0, input1, output)";
    "MEAN_AT_INT16", axes_at::Quantized<reduce::Mean, i16>, "reduce::quantized_at($, $, 1, input0, input1, output)";
    "MEAN_AT_FLOAT32", axes_at::Float32<reduce::Mean>, "reduce::float32_at($, 1, input0, input1, output)";
    "SUM_AT_INT8", axes_at::Quantized<reduce::Sum, i8>, "reduce::quantized_at($, $, 0, input0, input1, output)";
    "SUM_AT_INT16", axes_at::Quantized<reduce::Sum, i16>, "reduce::quantized_at($, $, 0, input0, input1, output)";
    "SUM_AT_FLOAT32", axes_at::Float32<reduce::Sum>, "reduce::float32_at($, 0, input0, input1, output)";
    "REDUCE_MAX_AT_INT8", axes_at::ExtremeOf<reduce::Greatest, i8>, "reduce::extreme_at($, Ordering::Greater, input0, input1, output)";
    "REDUCE_MAX_AT_FLOAT32", axes_at::ExtremeOf<reduce::Greatest, f32>, "reduce::extreme_at($, Ordering::Greater, input0, input1, output)";
    "REDUCE_MIN_AT_INT8", axes_at::ExtremeOf<reduce::Least, i8>, "reduce::extreme_at($, Ordering::Less, input0, input1, output)";
    "REDUCE_MIN_AT_FLOAT32", axes_at::ExtremeOf<reduce::Least, f32>, "reduce::extreme_at($, Ordering::Less, input0, input1, output)";
    "REDUCE_ALL_AT", axes_at::All, "reduce::all_at($, input0, input1, output)";
    "REVERSE_V2_AT", axes_at::Reverse, "strided::reverse_at($, $, bytes0, input1, output_bytes)";
    "MIRROR_PAD_AT", pad::MirrorPadAt, "mirror_pad::bytes_at($, $, $, $, bytes0, input1, output_bytes)";
    "SPACE_TO_BATCH_ND_AT", space_to_batch_nd::SpaceToBatchNdAt, "output_bytes.fill(0)\nspace_to_batch_nd::to_batch_at($, bytes0, input1, input2, output_bytes)";
    "BATCH_TO_SPACE_ND_AT", space_to_batch_nd::BatchToSpaceAt, "space_to_batch_nd::to_space_at($, bytes0, input1, input2, output_bytes)";
    "SELECT_V2", select_v2::Any, "select_v2::bytes($, $, input0, [bytes1, bytes2], output_bytes)";
};

const COPIES: &[Row] = rows! {
    "TRANSPOSE", transpose::Transpose, "";
    "REVERSE_V2", transpose::Reverse, "";
    "SLICE", transpose::Slice, "";
    "BROADCAST_TO", transpose::BroadcastTo, "";
    "DEPTH_TO_SPACE", depth_to_space::DepthToSpace, "";
    "SPACE_TO_DEPTH", depth_to_space::SpaceToDepth, "";
};

const UNARY: &[Row] = rows! {
    "ABS_INT8", abs::Int8, "abs::Abs($, PhantomData::<i8>)";
    "ABS_INT16", abs::Int16, "abs::Abs($, PhantomData::<i16>)";
    "ABS_FLOAT32", unary::Abs, "unary::Abs";
    "SIN_FLOAT32", unary::Sin, "unary::Sin";
    "COS_FLOAT32", unary::Cos, "unary::Cos";
    "LOG_FLOAT32", unary::Log, "unary::Log";
    "SQRT_FLOAT32", unary::Sqrt, "unary::Sqrt";
    "RSQRT_INT8", abs::RsqrtInt8, "abs::Rsqrt($, PhantomData::<i8>)";
    "RSQRT_INT16", abs::RsqrtInt16, "abs::Rsqrt($, PhantomData::<i16>)";
    "RSQRT_FLOAT32", unary::Rsqrt, "unary::Rsqrt";
    "SQUARE_FLOAT32", unary::Square, "unary::Square";
    "NEG_FLOAT32", unary::Neg, "unary::Neg";
    "EXP_FLOAT32", unary::Exp, "unary::Exp";
    "FLOOR_FLOAT32", unary::Floor, "unary::Floor";
    "CEIL_FLOAT32", unary::Ceil, "unary::Ceil";
    "ROUND_FLOAT32", unary::Round, "unary::Round";
    "ELU_FLOAT32", unary::Elu, "unary::Elu";
    "HARD_SWISH_INT8", hard_swish::Int8, "hard_swish::Int8($)";
    "HARD_SWISH_FLOAT32", unary::HardSwish, "unary::HardSwish";
    "LOGISTIC_INT8", logistic::Int8, "logistic::Int8($)";
    "LOGISTIC_INT16", logistic::Int16, "logistic::Int16($)";
    "LOGISTIC_FLOAT32", unary::Logistic, "unary::Logistic";
    "TANH_INT8", logistic::TanhInt8, "logistic::TanhInt8($)";
    "TANH_INT16", logistic::TanhInt16, "logistic::TanhInt16($)";
    "TANH_FLOAT32", unary::Tanh, "unary::Tanh";
    "LOGICAL_NOT", unary::LogicalNot, "unary::LogicalNot";
    "LEAKY_RELU_INT8", leaky_relu::Int8, "leaky_relu::Quantized($, PhantomData::<i8>)";
    "LEAKY_RELU_INT16", leaky_relu::Int16, "leaky_relu::Quantized($, PhantomData::<i16>)";
    "LEAKY_RELU_FLOAT32", leaky_relu::Float32, "leaky_relu::Float32($)";
};

const CASTS: &[Row] = casts! {
    "INT8" i8;
    "INT16" i16;
    "INT32" i32;
    "UINT32" u32;
    "FLOAT32" f32;
    "BOOL" Bool;
};

const BINARY: &[Row] = rows! {
    "ADD_INT32", sub::AddInt32, "sub::Plus($)";
    "SUB_INT8", sub::Int8, "sub::Quantized($, PhantomData::<i8>)";
    "SUB_INT16", sub::Int16, "sub::Quantized($, PhantomData::<i16>)";
    "SUB_INT32", sub::Int32, "sub::Minus($)";
    "SUB_FLOAT32", sub::Float32, "sub::Minus($)";
    "MUL_INT8", mul::Int8, "mul::Quantized($, PhantomData::<i8>)";
    "MUL_INT16", mul::Int16, "mul::Quantized($, PhantomData::<i16>)";
    "MUL_INT32", mul::Int32, "mul::Times($)";
    "MUL_FLOAT32", mul::Float32, "mul::Times($)";
    "DIV_INT8", div::Int8, "div::Int8($)";
    "DIV_INT32", div::Int32, "div::Int32($)";
    "DIV_FLOAT32", div::Float32, "div::Float32($)";
    "FLOOR_DIV_FLOAT32", div::Floor, "div::Floor";
    "FLOOR_MOD_FLOAT32", div::Modulo, "div::Modulo";
    "SQUARED_DIFFERENCE_INT8", squared_difference::Int8, "squared_difference::Quantized($, PhantomData::<i8>)";
    "SQUARED_DIFFERENCE_INT16", squared_difference::Int16, "squared_difference::Quantized($, PhantomData::<i16>)";
    "SQUARED_DIFFERENCE_INT32", squared_difference::Int32, "squared_difference::Plain(PhantomData::<i32>)";
    "SQUARED_DIFFERENCE_FLOAT32", squared_difference::Float32, "squared_difference::Plain(PhantomData::<f32>)";
    "PRELU_INT8", prelu::Int8, "prelu::Quantized($, PhantomData::<i8>)";
    "PRELU_INT16", prelu::Int16, "prelu::Quantized($, PhantomData::<i16>)";
    "PRELU_FLOAT32", prelu::Float32, "prelu::Float32";
    "MAXIMUM_INT8", maximum_minimum::Maximum<i8>, "maximum_minimum::Maximum(PhantomData::<i8>)";
    "MAXIMUM_INT16", maximum_minimum::Maximum<i16>, "maximum_minimum::Maximum(PhantomData::<i16>)";
    "MAXIMUM_INT32", maximum_minimum::Maximum<i32>, "maximum_minimum::Maximum(PhantomData::<i32>)";
    "MAXIMUM_INT64", maximum_minimum::MaximumInt64, "maximum_minimum::Maximum(PhantomData::<Int64>)";
    "MAXIMUM_FLOAT32", maximum_minimum::Maximum<f32>, "maximum_minimum::Maximum(PhantomData::<f32>)";
    "MINIMUM_INT8", maximum_minimum::Minimum<i8>, "maximum_minimum::Minimum(PhantomData::<i8>)";
    "MINIMUM_INT16", maximum_minimum::Minimum<i16>, "maximum_minimum::Minimum(PhantomData::<i16>)";
    "MINIMUM_INT32", maximum_minimum::Minimum<i32>, "maximum_minimum::Minimum(PhantomData::<i32>)";
    "MINIMUM_INT64", maximum_minimum::MinimumInt64, "maximum_minimum::Minimum(PhantomData::<Int64>)";
    "MINIMUM_FLOAT32", maximum_minimum::Minimum<f32>, "maximum_minimum::Minimum(PhantomData::<f32>)";
    "LOGICAL_AND", logical::And, "logical::And";
    "LOGICAL_OR", logical::Or, "logical::Or";
};

const COMPARISONS: &[Row] = comparisons! {
    "EQUAL" Equal;
    "NOT_EQUAL" NotEqual;
    "GREATER" Greater;
    "GREATER_EQUAL" GreaterEqual;
    "LESS" Less;
    "LESS_EQUAL" LessEqual;
};
