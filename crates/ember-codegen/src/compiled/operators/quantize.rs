//! QUANTIZE and DEQUANTIZE.

use ember_kernels::quantize::Affine;
use ember_micro::ops::dequantize::{Float16, ToFloat32};
use ember_micro::ops::quantize::{Between, FromFloat32, Integer};

use super::super::constants::Element;
use super::super::step::{Problem, Step};
use super::super::text::Literal as _;
use super::Activation;

/// Integers to integers.
pub(in super::super) fn between<X: Activation + Integer, Y: Activation + Integer>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<Between<X, Y>>()?;
    let parameters = step.shape("", &prepared);
    run(
        step,
        "quantize::requantize",
        &[&parameters, Y::RANGE_NAME],
        X::ELEMENT,
        Y::ELEMENT,
    )
}

/// float32 to integers.
pub(in super::super) fn from_float32<Y: Activation + Integer>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<FromFloat32<Y>>()?;
    run(
        step,
        "quantize::quantize",
        &[&affine(prepared)],
        Element::F32,
        Y::ELEMENT,
    )
}

/// Integers to float32.
pub(in super::super) fn to_float32<X: Activation + Integer>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<ToFloat32<X>>()?;
    run(
        step,
        "dequantize::dequantize",
        &[&affine(prepared)],
        X::ELEMENT,
        Element::F32,
    )
}

/// float16 to float32.
pub(in super::super) fn float16(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    step.prepared::<Float16>()?;
    run(step, "dequantize::float16", &[], Element::U16, Element::F32)
}

fn affine(affine: Affine) -> String {
    let (scale, zero_point) = (affine.scale.literal(), affine.zero_point);
    format!("Affine {{ scale: {scale}, zero_point: {zero_point} }}")
}

fn run(
    step: &mut Step<'_, '_>,
    path: &str,
    parameters: &[&str],
    from: Element,
    to: Element,
) -> Result<(), Problem> {
    let input = step.input(0, "input", from)?;
    let output = step.output(to)?;
    let arguments: Vec<&str> = parameters
        .iter()
        .copied()
        .chain([&*input, &*output])
        .collect();
    step.call(path, &arguments);
    Ok(())
}
