//! The operators on any number of tensors: PACK, CONCATENATION, SPLIT, SPLIT_V, UNPACK and ADD_N.

use ember_micro::Kernel;
use ember_micro::ops::{
    arg_max,
    concatenation::{self, Parts},
    pack,
};

use super::super::constants::Element;
use super::super::step::{Problem, Step, broken_call};
use super::parameters::Parameters;

/// A call for one of the tensors: those before the last one may fail.
fn each(step: &mut Step<'_, '_>, path: &str, arguments: &[&str]) {
    let call = broken_call(path, arguments);
    step.statement(format!("{call}?;"));
}

/// The move of a part: what [`Strided::rows`](ember_kernels::strided::Strided::rows) takes, and where it begins in both.
fn moved(step: &mut Step<'_, '_>, index: usize, rows: [u32; 4], starts: [u32; 2]) -> String {
    let ([rows, len, input_step, output_step], [input, output]) = (rows, starts);
    let text = format!(
        "Strided::rows({rows}, {len}, {input_step}, {output_step}, 1).starting({input}, {output})"
    );
    step.parameter(&index.to_string(), "Strided", &text)
}

fn done(step: &mut Step<'_, '_>) {
    step.statement("Ok(())".to_owned());
}

/// PACK.
pub(in super::super) fn pack(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<pack::Any>()?;
    let shape = step.shape("", &prepared);
    let output = step.output_bytes()?;
    for index in 0..step.operator.inputs().len() {
        let input = step.input(index, &format!("input{index}"), Element::U8)?;
        let number = index.to_string();
        each(step, "pack::bytes", &[&shape, &number, &input, &output]);
    }
    done(step);
    Ok(())
}

/// CONCATENATION: a move for each input.
pub(in super::super) fn concatenation(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (rows, _) = step.prepared::<concatenation::Concatenation>()?;
    let output = step.output_bytes()?;
    let mut start = 0;
    for (id, index) in step.operator.inputs().into_iter().zip(0..) {
        let part = id.map_or(0, |id| rows.part(step.graph.byte_len(id)));
        let shape = moved(step, index, [rows.rows, part, part, rows.row], [0, start]);
        let input = step.input(index, &format!("input{index}"), Element::U8)?;
        each(step, "strided::copy", &[&shape, &input, &output]);
        start += part;
    }
    done(step);
    Ok(())
}

/// SPLIT, SPLIT_V or UNPACK: a move for each output.
pub(in super::super) fn split<K: Kernel<Prepared = Parts>, const INPUT: usize>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (Parts { rows, .. }, _) = step.prepared::<K>()?;
    let input = step.input(INPUT, "input", Element::U8)?;
    let mut start = 0;
    for (id, index) in step.operator.outputs().into_iter().zip(0..) {
        let part = id.map_or(0, |id| rows.part(step.graph.byte_len(id)));
        let shape = moved(step, index, [rows.rows, part, rows.row, part], [start, 0]);
        let output = step.output_at(index)?;
        each(step, "strided::copy", &[&shape, &input, &output]);
        start += part;
    }
    done(step);
    Ok(())
}

/// ADD_N of int8.
pub(in super::super) fn add_n_int8(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<arg_max::AddNInt8>()?;
    let mut quantization = Vec::new();
    prepared.emit(step, &mut quantization);
    let inputs = addends(step, Element::I8)?;
    let output = step.own_output()?;
    let (count, inputs) = (inputs.len(), inputs.join(", "));
    step.statement(format!("let inputs: [&[i8]; {count}] = [{inputs}];"));
    step.statement(format!(
        "for (out, at) in {output}.iter_mut().zip(0usize..) {{"
    ));
    step.statement(
        "    let addends = inputs.iter().filter_map(|input| input.get(at).copied());".to_owned(),
    );
    let call = broken_call("arg_max::add_int8", &[&quantization.concat(), "addends"]);
    step.statement(format!("    *out = {call};"));
    step.statement("}".to_owned());
    done(step);
    Ok(())
}

/// ADD_N of float32.
pub(in super::super) fn add_n_float32(step: &mut Step<'_, '_>) -> Result<(), Problem> {
    step.prepared::<arg_max::AddN>()?;
    let inputs = addends(step, Element::F32)?;
    let output = step.own_output()?;
    step.statement(format!("let output = {output};"));
    step.statement("output.fill(0.0);".to_owned());
    for input in inputs {
        each(step, "arg_max::add_float32", &[&input, "output"]);
    }
    done(step);
    Ok(())
}

fn addends(step: &mut Step<'_, '_>, element: Element) -> Result<Vec<String>, Problem> {
    let numbers = 0..step.operator.inputs().len();
    numbers
        .map(|index| step.input(index, &format!("input{index}"), element))
        .collect()
}
