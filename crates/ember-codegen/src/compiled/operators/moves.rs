//! The operators that move elements of any type and depend on more than what was prepared: RESHAPE, SHAPE and PAD; ELU of
//! int8, which looks its outputs up; and VAR_HANDLE.

use ember_kernels::strided::Strided;
use ember_micro::Kernel;
use ember_micro::ops::{elu, pad, shape, variables};

use super::super::constants::Element;
use super::super::step::{Problem, Step};
use super::parameters::Parameters;

/// RESHAPE, SQUEEZE or EXPAND_DIMS of a constant, or to other bytes: where the output has the input's bytes there is no call.
pub(in super::super) fn reshape<K: Kernel>(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    step.prepared::<K>()?;
    let input = step.input(0, "input", Element::U8)?;
    let output = step.output_bytes()?;
    step.call("reshape::bytes", &[&input, &output]);
    Ok(())
}

/// SHAPE: the sizes are constants.
pub(in super::super) fn shape(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let ((), sizes) = step.prepared::<shape::Any>()?;
    let output = step.output(Element::I32)?;
    step.call("shape::int32", &[&format!("&{sizes:?}"), &output]);
    Ok(())
}

/// PAD or PADV2: the value that surrounds the input is an input, or the zero point in as many bytes as an element has.
pub(in super::super) fn pad<K: Kernel<Prepared = pad::Prepared>>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (pad::Prepared { shape, zero_point }, _) = step.prepared::<K>()?;
    let mut moved = Vec::new();
    Strided::emit(&shape, step, &mut moved);
    let value = match step.optional_input(2, "value", Element::U8) {
        Some((value, _)) => value,
        None => {
            let [low, high] = [zero_point.to_le_bytes(), [0; 4]];
            let bytes = [low, high].concat();
            let element = bytes.get(..shape.element as usize).unwrap_or_default();
            format!("&{element:?}")
        }
    };
    let input = step.input(0, "input", Element::U8)?;
    let output = step.output_bytes()?;
    step.statement(format!("strided::fill({value}, {output})?;"));
    step.call("strided::copy", &[&moved.concat(), &input, &output]);
    Ok(())
}

/// ELU of int8: the table is a constant.
pub(in super::super) fn elu(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let ((), table) = step.prepared::<elu::Int8>()?;
    let name = step.constant_name("TABLE");
    let table = step.constants.table(&name, &table);
    let input = step.input(0, "input", Element::I8)?;
    let output = step.output(Element::I8)?;
    step.call("elu::look_up", &[&table, &input, &output]);
    Ok(())
}

/// VAR_HANDLE: the interpreter's handle, so that one that a model gives out is the same.
pub(in super::super) fn handle(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (variable, _) = step.prepared::<variables::Handle>()?;
    let output = step.output(Element::U32)?;
    step.statement(format!("{output}.fill({});", variable.from_end));
    step.statement("Ok(())".to_owned());
    Ok(())
}
