//! The second half of the check: do the numbers of a well laid out file make sense together?
//!
//! It checks that
//!
//! - the schema version is 3 and there is a subgraph;
//! - all constants lie within the file;
//! - every operator code is of the schema, and custom operators have names;
//! - every index (of a buffer, tensor, operator code, subgraph) is within its list, left-out tensors (-1) aside;
//! - dimensions are not negative, and neither elements nor bytes of a tensor exceed 2^31 - 1;
//! - a constant has exactly the bytes that type and shape ask for;
//! - scales and zero points are one each, or one each per channel; scales are finite and not negative, zero points fit
//!   32 bits; nothing is sparse or quantized by blocks;
//! - options are of the operator's own type;
//! - the arena plan in the metadata has an offset for every tensor of its subgraph.

use ember_core::BuiltinOp;

use crate::error::{OperatorCodeFault, ReadError, TensorFault};
use crate::flat::List;
use crate::metadata::{ArenaPlan, PLAN};
use crate::model::{Model, OpCode, Subgraph, TensorIds, raw_code};
use crate::options;
use crate::schema::{
    self, Place, buffer, metadata, model, operator, operator_code, quantization_parameters,
    signature_def, sub_graph, tensor, tensor_map,
};
use crate::tensor::Tensor;

pub(crate) fn check(checked: &Model<'_>) -> Result<(), ReadError> {
    let root = &checked.table;
    let found = root.scalar(model::version);
    if found != schema::VERSION {
        return Err(ReadError::Version { found });
    }
    for (index, table) in root.tables(model::buffers).iter().enumerate() {
        if table.scalar(buffer::offset) > 1 || table.scalar(buffer::size) > 0 {
            return Err(ReadError::ExternalBuffer { buffer: index });
        }
    }
    operator_codes(checked)?;
    if checked.subgraphs().next().is_none() {
        return Err(ReadError::NoSubgraph);
    }
    for (index, graph) in checked.subgraphs().enumerate() {
        subgraph(checked, index, &graph)?;
    }
    let buffers = checked.buffer_count();
    for (item, table) in root.tables(model::metadata).iter().enumerate() {
        let found = table.scalar(metadata::buffer);
        below(metadata::buffer.place(), item, found as i32, buffers)?;
    }
    signatures(checked)?;
    arena_plan(checked)
}

/// `found`, a number that the schema calls unsigned, names one of `limit` things.
fn below(place: Place, item: usize, found: i32, limit: usize) -> Result<(), ReadError> {
    // A negative number is as far beyond the list as any.
    if found as u32 as usize >= limit {
        return Err(ReadError::Index {
            place,
            item,
            found,
            limit,
        });
    }
    Ok(())
}

/// All places that are not left out name tensors of the subgraph.
fn tensor_ids(
    place: Place,
    item: usize,
    ids: TensorIds<'_>,
    limit: usize,
) -> Result<(), ReadError> {
    let mut named = ids.0.iter().filter(|index| *index != -1);
    named.try_for_each(|found| below(place, item, found, limit))
}

fn operator_codes(model: &Model<'_>) -> Result<(), ReadError> {
    let tables = model.table.tables(model::operator_codes);
    for (index, table) in tables.iter().enumerate() {
        let found = raw_code(&table);
        let fault = match BuiltinOp::from_code(found) {
            None => OperatorCodeFault::Unknown,
            Some(BuiltinOp::Custom) if table.text_bytes(operator_code::custom_code).is_empty() => {
                OperatorCodeFault::Unnamed
            }
            Some(_) => continue,
        };
        return Err(ReadError::OperatorCode {
            index,
            found,
            fault,
        });
    }
    Ok(())
}

fn subgraph(model: &Model<'_>, subgraph: usize, graph: &Subgraph<'_>) -> Result<(), ReadError> {
    let tensors = graph.tensor_count();
    let buffers = model.buffer_count();
    for (index, tensor) in graph.tensors().enumerate() {
        let found = tensor.buffer_index();
        below(tensor::buffer.place(), index, found as i32, buffers)?;
        tensor_content(&tensor).map_err(|fault| ReadError::Tensor {
            subgraph,
            tensor: index,
            fault,
        })?;
    }
    tensor_ids(sub_graph::inputs.place(), subgraph, graph.inputs(), tensors)?;
    tensor_ids(
        sub_graph::outputs.place(),
        subgraph,
        graph.outputs(),
        tensors,
    )?;
    for (index, op) in graph.operators().enumerate() {
        let code = op.opcode_index();
        let codes = model.operator_code_count();
        below(operator::opcode_index.place(), index, code as i32, codes)?;
        tensor_ids(operator::inputs.place(), index, op.inputs(), tensors)?;
        tensor_ids(operator::outputs.place(), index, op.outputs(), tensors)?;
        let found = op.options_code();
        let OpCode::Builtin(builtin) = op.opcode() else {
            continue;
        };
        match options::code_for(builtin) {
            Some(expected) if found != 0 && found != expected => {
                return Err(ReadError::OptionsType {
                    subgraph,
                    operator: index,
                    op: builtin,
                    found,
                    expected,
                });
            }
            _ => {}
        }
    }
    Ok(())
}

fn tensor_content(tensor: &Tensor<'_>) -> Result<(), TensorFault> {
    let table = &tensor.table;
    for (dimension, found) in tensor.shape().0.iter().enumerate() {
        if found < 0 {
            return Err(TensorFault::NegativeDimension { dimension, found });
        }
    }
    // The same limit on every target: a device's `usize` has 32 bits.
    let fits = |count: &usize| *count <= i32::MAX as usize;
    let dims = tensor.shape();
    let elements = dims.iter().try_fold(1, usize::checked_mul);
    let elements = elements.filter(fits).ok_or(TensorFault::TooLarge)?;
    let expected = match tensor.dtype().bits() {
        Some(_) => {
            let expected = tensor.dtype().bytes_for(elements);
            Some(expected.filter(fits).ok_or(TensorFault::TooLarge)?)
        }
        None => None,
    };
    if table.scalar(tensor::external_buffer) != 0 {
        return Err(TensorFault::External);
    }
    if table.table(tensor::sparsity).is_some() {
        return Err(TensorFault::Sparse);
    }
    let data = tensor.data();
    if !data.is_empty() {
        let found = data.len();
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(TensorFault::DataLength { found, expected });
        }
    }
    quantization(tensor)
}

fn quantization(tensor: &Tensor<'_>) -> Result<(), TensorFault> {
    let Some(table) = tensor.table.table(tensor::quantization) else {
        return Ok(());
    };
    let found = table.scalar(quantization_parameters::details_type);
    if found != 0 {
        return Err(TensorFault::QuantizationDetails { found });
    }
    let Some(quantization) = tensor.quantization() else {
        return Ok(());
    };
    let scales = quantization.len();
    let zero_points = quantization.raw_zero_points().len();
    let dims = tensor.shape();
    let named = usize::try_from(quantization.quantized_dimension());
    let channels = named.ok().and_then(|index| dims.get(index)).or(dims.last());
    if scales != zero_points || (scales != 1 && channels != Some(scales)) {
        return Err(TensorFault::QuantizationLength {
            scales,
            zero_points,
        });
    }
    for (index, scale) in quantization.scales().iter().enumerate() {
        // The bits of positive finite numbers are below those of infinity; a sign bit is above.
        if scale.to_bits() >= f32::INFINITY.to_bits() {
            return Err(TensorFault::Scale { index });
        }
    }
    for (index, zero_point) in quantization.raw_zero_points().iter().enumerate() {
        if i32::try_from(zero_point).is_err() {
            return Err(TensorFault::ZeroPoint { index });
        }
    }
    Ok(())
}

fn signatures(model: &Model<'_>) -> Result<(), ReadError> {
    let subgraphs = model.table.tables(model::subgraphs);
    let signatures = model.table.tables(model::signature_defs);
    for (item, table) in signatures.iter().enumerate() {
        let index = table.scalar(signature_def::subgraph_index);
        let place = signature_def::subgraph_index.place();
        below(place, item, index as i32, subgraphs.len())?;
        let graph = subgraphs.get(index as usize);
        let tensors = graph.map_or(0, |graph| graph.tables(sub_graph::tensors).len());
        for maps in [signature_def::inputs, signature_def::outputs] {
            for map in table.tables(maps).iter() {
                let found = map.scalar(tensor_map::tensor_index);
                below(
                    tensor_map::tensor_index.place(),
                    item,
                    found as i32,
                    tensors,
                )?;
            }
        }
    }
    Ok(())
}

fn arena_plan(model: &Model<'_>) -> Result<(), ReadError> {
    let Some(bytes) = model.metadata(PLAN) else {
        return Ok(());
    };
    let plan = ArenaPlan::over(List::over(bytes));
    let graph = model.subgraph(plan.subgraph());
    let tensors = graph.map_or(0, |graph| graph.tensor_count());
    let expected = tensors.wrapping_mul(4).wrapping_add(12);
    if bytes.len() != expected || plan.offsets().len() != tensors {
        return Err(ReadError::ArenaPlan {
            found: bytes.len(),
            expected,
        });
    }
    Ok(())
}
