//! SOFTMAX.

use ember_micro::ops::softmax::{Float32, Int8, Int16};

use super::super::constants::Element;
use super::super::step::{Problem, Step};
use super::super::text::{Literal as _, debug};

/// On int8.
pub(in super::super) fn int8(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<Int8>()?;
    let shape = step.shape("", &prepared.shape);
    let text = format!("softmax::{}", debug(&prepared.quantization));
    let quantization = step.parameter("QUANTIZATION", "softmax::Int8", &text);
    run(step, "softmax::int8", &[&shape, &quantization], Element::I8)
}

/// On int16.
pub(in super::super) fn int16(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<Int16>()?;
    let shape = step.shape("", &prepared.shape);
    let multiplier = debug(&prepared.multiplier);
    run(
        step,
        "softmax::int16::softmax",
        &[&shape, &multiplier],
        Element::I16,
    )
}

/// On float32.
pub(in super::super) fn float32(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<Float32>()?;
    let shape = step.shape("", &prepared.shape);
    let beta = prepared.beta.literal();
    run(step, "softmax::float32", &[&shape, &beta], Element::F32)
}

fn run(
    step: &mut Step<'_, '_>,
    path: &str,
    parameters: &[&str],
    element: Element,
) -> Result<(), Problem> {
    let input = step.input(0, "input", element)?;
    let output = step.output(element)?;
    let arguments: Vec<&str> = parameters
        .iter()
        .copied()
        .chain([&*input, &*output])
        .collect();
    step.call(path, &arguments);
    Ok(())
}
