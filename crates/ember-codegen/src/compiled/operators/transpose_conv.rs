//! TRANSPOSE_CONV on each combination of types.

use ember_micro::ops::transpose_conv::{OfFloat32, OfInt8, OfInt16, Quantized};

use super::super::constants::Element;
use super::super::step::{Problem, Step};
use super::super::text::Literal as _;
use super::linear::{arithmetic, bias, wide_bias};

/// The inputs; the first is the output's shape.
const FILTER: usize = 1;
const INPUT: usize = 2;
const BIAS: usize = 3;

/// On int8.
pub(in super::super) fn int8(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, kept) = step.prepared::<OfInt8>()?;
    let Quantized {
        input_zero_point,
        output_zero_point,
        range,
    } = prepared.second;
    let (bias, constant) = bias(step, BIAS, Element::I32);
    let (range, multipliers) = (range.literal(), step.multipliers(&kept));
    let text = format!(
        "Int8 {{ input_zero_point: {input_zero_point}, filter_zero_point: 0, output_zero_point: {output_zero_point}, \
         range: {range}, bias: {bias}, multipliers: {multipliers} }}"
    );
    let arithmetic = arithmetic(step, "Int8<'static>", &text, constant);
    let shape = step.shape("", &prepared.first);
    run(step, "transpose_conv::int8", &shape, &arithmetic)
}

/// On int16 with filters of int8.
pub(in super::super) fn int16(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, kept) = step.prepared::<OfInt16>()?;
    let (bias, constant) = wide_bias(step, BIAS, prepared.second.bias_bits);
    let range = prepared.second.range.literal();
    let multipliers = step.multipliers(&kept);
    let text = format!(
        "Int16 {{ range: {range}, bias: {bias}, narrow: false, multipliers: {multipliers} }}"
    );
    let arithmetic = arithmetic(step, "Int16<'static>", &text, constant);
    let shape = step.shape("", &prepared.first);
    run(step, "transpose_conv::int16", &shape, &arithmetic)
}

/// On float32.
pub(in super::super) fn float32(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<OfFloat32>()?;
    let (bias, constant) = bias(step, BIAS, Element::F32);
    let range = prepared.second.literal();
    let text = format!("Float32 {{ range: {range}, bias: {bias} }}");
    let arithmetic = arithmetic(step, "Float32<'static>", &text, constant);
    let shape = step.shape("", &prepared.first);
    run(step, "transpose_conv::float32", &shape, &arithmetic)
}

fn run(step: &mut Step<'_, '_>, path: &str, shape: &str, arithmetic: &str) -> Result<(), Problem> {
    let input = step.own_input(INPUT, "input")?;
    let filter = step.own_input(FILTER, "filter")?;
    let output = step.own_output()?;
    step.call(path, &[shape, arithmetic, &input, &filter, &output]);
    Ok(())
}
