//! The operators that move elements of any type: RESHAPE, SHAPE, STRIDED_SLICE and PACK.

use ember_micro::ops::{pack, reshape, shape as micro_shape, strided_slice as micro_slice};

use super::super::constants::Element;
use super::super::step::{Problem, Step, broken_call};
use super::super::text::debug;

/// RESHAPE of a constant, or to other bytes: where the output has the input's bytes there is no call.
pub(in super::super) fn reshape(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    step.prepared::<reshape::Any>()?;
    let input = step.input(0, "input", Element::U8)?;
    let output = step.output_bytes()?;
    step.call("reshape::bytes", &[&input, &output]);
    Ok(())
}

/// SHAPE: the sizes are constants.
pub(in super::super) fn shape(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let ((), sizes) = step.prepared::<micro_shape::Any>()?;
    let output = step.output(Element::I32)?;
    step.call("shape::int32", &[&format!("&{sizes:?}"), &output]);
    Ok(())
}

/// STRIDED_SLICE.
pub(in super::super) fn strided_slice(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<micro_slice::Any>()?;
    let of = format!("[SliceAxis; {}]", prepared.axes.len());
    let axes = step.parameter("AXES", &of, &debug(&prepared.axes));
    let input = step.input(0, "input", Element::U8)?;
    let output = step.output_bytes()?;
    let element = prepared.element.to_string();
    step.call("strided_slice::bytes", &[&axes, &element, &input, &output]);
    Ok(())
}

/// PACK.
pub(in super::super) fn pack(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<pack::Any>()?;
    let shape = step.shape("", &prepared);
    let output = step.output_bytes()?;
    for index in 0..step.operator.inputs().len() {
        let input = step.input(index, &format!("input{index}"), Element::U8)?;
        let call = broken_call(
            "pack::bytes",
            &[&shape, &index.to_string(), &input, &output],
        );
        step.statement(format!("{call}?;"));
    }
    step.statement("Ok(())".to_owned());
    Ok(())
}
