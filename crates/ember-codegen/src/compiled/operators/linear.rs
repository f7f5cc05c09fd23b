//! CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED: each on each combination of types.

use std::fmt::Debug;

use ember_core::Clamp;
use ember_core::view::Plain;
use ember_kernels::conv_2d::Conv2d;
use ember_kernels::max_pool_2d::Pool2d;
use ember_micro::ops::hybrid::Hybrid;
use ember_micro::ops::linear::{self, LinearKernel, Operation};
use ember_micro::ops::pool_2d::{Pool, Pooled};
use ember_micro::ops::stored::{self, Form, Parts, Stored};
use ember_micro::ops::{conv_2d, depthwise_conv_2d, fully_connected, max_pool_2d};

use super::super::constants::Element;
use super::super::graph::Place;
use super::super::step::{Problem, Step, broken_call};
use super::super::text::{Literal, broken, debug};
use super::{Activation, range};

/// The input that is the weights, and the one that is the bias.
const FILTER: usize = 1;
const BIAS: usize = 2;

/// An arithmetic that the function makes.
const LOCAL: &str = "&arithmetic";

/// A linear operator's kernels.
pub(super) trait Call: Operation<Shape: Debug> {
    /// The one for plain weights. Where [`Operation::patch_len`] asks for scratch, there is one called `.._with`, too.
    const RUN: &'static str;
    /// The one for weights that are decoded.
    const RUN_STORED: &'static str;

    /// The kernel that does such a pooling too, and how many words of scratch it is fastest with. For int8 there is one called
    /// `.._as`, too.
    fn pooled(_shape: &Self::Shape, _pool: &Pool2d) -> Option<(&'static str, u32)> {
        None
    }
}

impl Call for conv_2d::Op {
    const RUN: &'static str = "conv_2d::convolve";
    const RUN_STORED: &'static str = "conv_2d::convolve_stored";

    fn pooled(shape: &Conv2d, pool: &Pool2d) -> Option<(&'static str, u32)> {
        let words = shape.pooled_scratch_len(pool);
        shape
            .is_poolable(pool)
            .then_some(("conv_2d::convolve_pooled", words))
    }
}

impl Call for depthwise_conv_2d::Op {
    const RUN: &'static str = "depthwise_conv_2d::convolve";
    const RUN_STORED: &'static str = "depthwise_conv_2d::convolve_stored";
}

impl Call for fully_connected::Op {
    const RUN: &'static str = "fully_connected::connect";
    const RUN_STORED: &'static str = "fully_connected::connect_stored";
}

/// On int8 activations with int8 weights.
pub(in super::super) fn int8<O: Call>(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, kept) = step.prepared::<LinearKernel<O, linear::Int8>>()?;
    let arithmetic = int8_arithmetic(step, &prepared.second.first, &kept);
    run::<O, i8>(step, &prepared.first, &arithmetic, Element::I8)
}

/// On int16 activations with int8 weights.
pub(in super::super) fn int16<O: Call>(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, kept) = step.prepared::<LinearKernel<O, linear::Int16>>()?;
    let int16 = prepared.second.first;
    let (range, narrow) = (range(int16.range), int16.bits == 32);
    let (bias, constant) = wide_bias(step, BIAS, int16.bits);
    let multipliers = step.multipliers(&kept);
    let text = format!(
        "Int16 {{ range: {range}, bias: {bias}, narrow: {narrow}, multipliers: {multipliers} }}"
    );
    let arithmetic = arithmetic(step, "Int16<'static>", &text, constant);
    run::<O, i16>(step, &prepared.first, &arithmetic, Element::I8)
}

/// On float32.
pub(in super::super) fn float32<O: Call>(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<LinearKernel<O, linear::Float32>>()?;
    let (bias, constant) = bias(step, BIAS, Element::F32);
    let range = range(prepared.second.first);
    let text = format!("Float32 {{ range: {range}, bias: {bias} }}");
    let arithmetic = arithmetic(step, "Float32<'static>", &text, constant);
    run::<O, f32>(step, &prepared.first, &arithmetic, Element::F32)
}

fn run<O: Call, T: Activation + Pooled>(
    step: &mut Step<'_, '_>,
    shape: &O::Shape,
    arithmetic: &str,
    weight: Element,
) -> Result<(), Problem>
where
    Clamp<T::Wide>: Plain + Literal,
{
    let pool = step
        .next
        .and_then(|(_, next)| next.of::<Pool<max_pool_2d::Op, T>>());
    let pool = pool.map(|(pool, _)| *pool);
    let pooled = pool.and_then(|pool| Some((pool, O::pooled(shape, &pool.first)?)));
    let shape_name = step.shape("", shape);
    let mut parameters = vec![shape_name];
    let (path, words) = match pooled {
        Some((pool, (path, words))) => {
            step.joined = true;
            let of = format!("MaxPool<{}>", T::WIDE_NAME);
            let (shape, range) = (debug(&pool.first), pool.second.literal());
            let text = format!("MaxPool {{ shape: {shape}, range: {range} }}");
            let pool = step.parameter("POOL", &of, &text);
            let path = if T::ELEMENT == Element::I8 && arithmetic != LOCAL {
                // The numbers decide, when the firmware is compiled, which kernel is linked.
                let special = format!(
                    "conv_2d::is_special({}, {pool}, {arithmetic})",
                    parameters[0]
                );
                let special = step.parameter("SPECIAL", "bool", &special);
                format!("{path}_as::<{}>", special.trim_start_matches('&'))
            } else {
                path.to_owned()
            };
            parameters.push(pool);
            (path, Some(words))
        }
        None => match O::patch_len(shape) {
            0 => (O::RUN.to_owned(), None),
            words => (format!("{}_with", O::RUN), Some(words)),
        },
    };
    parameters.push(arithmetic.to_owned());
    parameters.push(step.input(0, "input", T::ELEMENT)?);
    parameters.push(step.input(FILTER, "filter", weight)?);
    let output = step.output(T::ELEMENT)?;
    parameters.extend(words.map(|words| step.scratch_words(words)));
    parameters.push(output);
    let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
    step.call(&path, &parameters);
    Ok(())
}

/// The bias, the input at `at`, as an option, and whether it is constant.
pub(super) fn bias(step: &mut Step<'_, '_>, at: usize, element: Element) -> (String, bool) {
    match step.optional_input(at, "bias", element) {
        None => ("None".to_owned(), true),
        Some((bias, constant)) => (format!("Some({bias})"), constant),
    }
}

/// [`bias`] for activations of int16: of integers of so many bits, 16, 32 or 64.
pub(super) fn wide_bias(step: &mut Step<'_, '_>, at: usize, bits: u32) -> (String, bool) {
    let (variant, element) = match bits {
        16 => ("Int16", Element::I16),
        32 => ("Int32", Element::I32),
        _ => ("Int64", Element::I64),
    };
    match step.optional_input(at, "bias", element) {
        None => ("WideBias::None".to_owned(), true),
        Some((bias, constant)) => (format!("WideBias::{variant}({bias})"), constant),
    }
}

/// An expression for a reference to this arithmetic: a constant of the module where all of it is constant, else one that
/// the function makes.
pub(super) fn arithmetic(step: &mut Step<'_, '_>, of: &str, text: &str, constant: bool) -> String {
    if constant {
        return step.parameter("ARITHMETIC", of, text);
    }
    let text = broken(text, 0, "        let arithmetic = ;".len());
    step.statement(format!("let arithmetic = {text};"));
    LOCAL.to_owned()
}

fn int8_arithmetic(
    step: &mut Step<'_, '_>,
    prepared: &linear::PreparedInt8,
    kept: &[u32],
) -> String {
    let (bias, constant) = bias(step, BIAS, Element::I32);
    let multipliers = step.multipliers(kept);
    let [input, filter, output, _] = prepared.zero_points;
    let range = range(prepared.range);
    let text = format!(
        "Int8 {{ input_zero_point: {input}, filter_zero_point: {filter}, output_zero_point: {output}, \
         range: {range}, bias: {bias}, multipliers: {multipliers} }}"
    );
    arithmetic(step, "Int8<'static>", &text, constant)
}

/// On float32 activations with int8 weights: each image is quantized as it comes.
pub(in super::super) fn dynamic<O: Call>(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, kept) = step.prepared::<Hybrid<O>>()?;
    let hybrid = prepared.second;
    let scales: Vec<f32> = kept.iter().map(|bits| f32::from_bits(*bits)).collect();
    let name = step.constant_name("SCALES");
    let scales = step.constants.scales(&name, &scales);
    let (bias, _) = bias(step, BIAS, Element::F32);
    let shape = step.shape("", &prepared.first);
    let input = step.input(0, "input", Element::F32)?;
    let filter = step.input(FILTER, "filter", Element::I8)?;
    let output = step.output(Element::F32)?;
    let scratch = step.scratch(hybrid.scratch.len);
    let quantize = if hybrid.asymmetric != 0 {
        "hybrid::quantize_asymmetric"
    } else {
        "hybrid::quantize_symmetric"
    };
    let range: Clamp<f32> = hybrid.range;
    let arithmetic = format!(
        "Hybrid {{ input: quantized, range: {}, bias: {bias}, scales: {scales} }}",
        range.literal()
    );
    let text = broken(&arithmetic, 0, "        let arithmetic = ;".len());
    let quantized = |image: &str| format!("let quantized = {quantize}({image}, {scratch})?;");
    let arguments =
        |output: &str| broken_call(O::RUN, &[&shape, "&arithmetic", &scratch, &filter, output]);
    if hybrid.batches == 1 {
        step.statement(quantized(&input));
        step.statement(format!("let arithmetic = {text};"));
        step.statement(arguments(&output));
        return Ok(());
    }
    let elements = |id: Option<_>| id.map_or(0, |id| step.graph.byte_len(id) / size_of::<f32>());
    let images = hybrid.batches.max(1) as usize;
    let input_len = elements(step.operator.inputs().get(0)) / images;
    let output_len = elements(step.operator.outputs().get(0)) / images;
    if input_len == 0 || output_len == 0 {
        return Err(Problem("its images have no elements".to_owned()));
    }
    let indented = |text: String| text.replace('\n', "\n    ");
    step.statement(format!(
        "let outputs = {output}.chunks_exact_mut({output_len});"
    ));
    step.statement(format!(
        "for (image, output) in {input}.chunks_exact({input_len}).zip(outputs) {{"
    ));
    step.statement(format!("    {}", quantized("image")));
    step.statement(format!("    let arithmetic = {};", indented(text)));
    step.statement(format!("    {}?;", indented(arguments("output"))));
    step.statement("}".to_owned());
    step.statement("Ok(())".to_owned());
    Ok(())
}

/// How a form's decoder is made.
pub(super) trait Decoder: Form {
    /// An expression for it. `filter` is the encoded tensor.
    fn emit(step: &mut Step<'_, '_>, parts: &Parts) -> Result<String, Problem>;
}

fn encoded<'m>(step: &Step<'_, 'm>) -> Result<&'m [u8], Problem> {
    let id = step.operator.inputs().get(FILTER);
    match id.map(|id| step.graph.place(id)) {
        Some(Place::Constant(data)) => Ok(data),
        _ => Err(Problem("its stored weights are no constant".to_owned())),
    }
}

/// The tables' values.
fn values(step: &mut Step<'_, '_>, parts: &Parts) -> Result<String, Problem> {
    let start = parts.values as usize;
    let data = step
        .model
        .get(start..)
        .and_then(|data| data.get(..parts.values_len as usize));
    let data = data.ok_or_else(|| Problem("its table of values is not in the file".to_owned()))?;
    Ok(step.data("values", data, Element::I8))
}

macro_rules! packed {
    ($($form:ident: $bits:literal;)*) => {
        $(impl Decoder for stored::$form {
            fn emit(step: &mut Step<'_, '_>, _parts: &Parts) -> Result<String, Problem> {
                let data = encoded(step)?;
                let filter = step.data("filter", data, Element::U8);
                Ok(format!(concat!("Packed::<", $bits, ">::new({})"), filter))
            }
        })*
    };
}

packed! {
    Int4: 4;
    Int2: 2;
}

impl Decoder for stored::Lut {
    fn emit(step: &mut Step<'_, '_>, parts: &Parts) -> Result<String, Problem> {
        let data = encoded(step)?;
        let indices = step.data("filter", data, Element::U8);
        let values = values(step, parts)?;
        let tables = step.shape("TABLES", &parts.tables);
        Ok(format!("LookUp::new({tables}, {indices}, {values})"))
    }
}

impl Decoder for stored::Pruned {
    fn emit(step: &mut Step<'_, '_>, parts: &Parts) -> Result<String, Problem> {
        let data = encoded(step)?;
        let map = step.data("filter", data, Element::U8);
        let values = values(step, parts)?;
        Ok(format!("Sparse::new({map}, {values})"))
    }
}

impl Decoder for stored::PrunedLut {
    fn emit(step: &mut Step<'_, '_>, parts: &Parts) -> Result<String, Problem> {
        let split = encoded(step)?.split_at_checked(parts.map_len as usize);
        let (map, indices) =
            split.ok_or_else(|| Problem("its map is longer than it is".to_owned()))?;
        let map = step.data("map", map, Element::U8);
        let indices = step.data("filter", indices, Element::U8);
        let values = values(step, parts)?;
        let tables = step.shape("TABLES", &parts.tables);
        Ok(format!(
            "SparseLookUp::new({tables}, {map}, {indices}, {values})"
        ))
    }
}

/// On int8 activations with weights that are decoded.
pub(in super::super) fn stored<O: Call, F: Decoder>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (prepared, kept) = step.prepared::<Stored<O, F>>()?;
    let (shape, stored) = (prepared.first, prepared.second);
    let arithmetic = int8_arithmetic(step, &stored.arithmetic, &kept);
    let shape = step.shape("", &shape);
    let decoder = F::emit(step, &stored.parts)?;
    let input = step.input(0, "input", Element::I8)?;
    let output = step.output(Element::I8)?;
    let scratch = step.scratch(stored.scratch.len);
    step.statement(format!("let mut filter = {decoder};"));
    let arguments = [
        &shape,
        &arithmetic,
        &input,
        "&mut filter",
        &scratch,
        &output,
    ];
    step.call(O::RUN_STORED, &arguments);
    Ok(())
}
