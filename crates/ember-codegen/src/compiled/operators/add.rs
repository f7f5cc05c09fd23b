//! ADD.

use ember_micro::ops::add::{Addend, Float32, Quantized};

use super::super::constants::Element;
use super::super::step::{Problem, Step};
use super::super::text::debug;
use super::{Activation, range};

/// On integers.
pub(in super::super) fn quantized<T: Activation + Addend>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<Quantized<T>>()?;
    let shape = step.shape("", &prepared.first);
    let text = format!("add::{}", debug(&prepared.second));
    let quantization = step.parameter("QUANTIZATION", "add::Quantized", &text);
    let input1 = step.input(0, "input1", T::ELEMENT)?;
    let input2 = step.input(1, "input2", T::ELEMENT)?;
    let output = step.output(T::ELEMENT)?;
    step.call(
        "add::quantized",
        &[&shape, &quantization, &input1, &input2, &output],
    );
    Ok(())
}

/// On float32.
pub(in super::super) fn float32(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<Float32>()?;
    let shape = step.shape("", &prepared.shape);
    let range = range(prepared.range);
    let input1 = step.input(0, "input1", Element::F32)?;
    let input2 = step.input(1, "input2", Element::F32)?;
    let output = step.output(Element::F32)?;
    step.call("add::float32", &[&shape, &range, &input1, &input2, &output]);
    Ok(())
}
