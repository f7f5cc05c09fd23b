//! RELU and RELU6.

use ember_core::Clamp;
use ember_micro::Kernel;
use ember_micro::ops::quantize::Integer;
use ember_micro::ops::relu::{Quantized, Relu6Quantized};

use super::super::constants::Element;
use super::super::step::{Problem, Step};
use super::{Activation, range};

/// RELU on integers, which rescales.
pub(in super::super) fn quantized<T: Activation + Integer>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<Quantized<T>>()?;
    let parameters = step.shape("", &prepared.first);
    let range = range(prepared.second);
    let input = step.input(0, "input", T::ELEMENT)?;
    let output = step.output(T::ELEMENT)?;
    step.call(
        "quantize::requantize",
        &[&parameters, &range, &input, &output],
    );
    Ok(())
}

/// RELU6 on integers.
pub(in super::super) fn relu6<T: Activation + Integer>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<Relu6Quantized<T>>()?;
    clamp(step, &range(prepared), T::ELEMENT)
}

/// Either on float32.
pub(in super::super) fn float32<K: Kernel<Prepared = Clamp<f32>>>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<K>()?;
    clamp(step, &range(prepared), Element::F32)
}

fn clamp(step: &mut Step<'_, '_>, range: &str, element: Element) -> Result<(), Problem> {
    let input = step.input(0, "input", element)?;
    let output = step.output(element)?;
    step.call("relu::clamp", &[range, &input, &output]);
    Ok(())
}
