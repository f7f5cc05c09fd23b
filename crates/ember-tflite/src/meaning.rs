//! The second half of the check: do the numbers of a well laid out file make sense together?
//!
//! It checks that
//!
//! - the schema version is 3 and there is a subgraph;
//! - every operator code is of the schema, and custom operators have names;
//! - dimensions are not negative, and neither elements nor bytes of a tensor exceed 2^31 - 1;
//! - a constant has exactly the bytes that type and shape ask for;
//! - scales and zero points are one each, or one each per channel; scales are finite and not negative, zero points fit
//!   32 bits;
//! - options are of the operator's own type;
//! - the arena plan in the metadata has an offset for every tensor of its subgraph.

use ember_core::BuiltinOp;

use crate::error::{OperatorCodeFault, ReadError, TensorFault};
use crate::flat::List;
use crate::metadata::{ArenaPlan, PLAN};
use crate::model::{Model, raw_code};
use crate::options;
use crate::schema::{self, model, operator_code};
use crate::tensor::Tensor;

pub(crate) fn check(checked: &Model<'_>) -> Result<(), ReadError> {
    let found = checked.table.scalar(model::version);
    if found != schema::VERSION {
        return Err(ReadError::Version { found });
    }
    operator_codes(checked)?;
    if checked.table.tables(model::subgraphs).len() == 0 {
        return Err(ReadError::NoSubgraph);
    }
    for (subgraph, graph) in checked.subgraphs().enumerate() {
        for (index, tensor) in graph.tensors().enumerate() {
            if let Err(fault) = tensor_content(&tensor) {
                return Err(ReadError::Tensor {
                    subgraph,
                    tensor: index,
                    fault,
                });
            }
        }
        for (operator, op) in graph.operators().enumerate() {
            let found = op.options_code();
            let Some(builtin) = op.builtin() else {
                continue;
            };
            match options::code_for(builtin) {
                Some(expected) if found != 0 && found != expected => {
                    return Err(ReadError::OptionsType {
                        subgraph,
                        operator,
                        op: builtin,
                        found,
                        expected,
                    });
                }
                _ => {}
            }
        }
    }
    arena_plan(checked)
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

fn tensor_content(tensor: &Tensor<'_>) -> Result<(), TensorFault> {
    // The same limit on every target: a device's `usize` has 32 bits.
    const MOST: usize = i32::MAX as usize;
    let mut elements = Some(1);
    for (dimension, found) in tensor.shape().0.iter().enumerate() {
        let Ok(dim) = usize::try_from(found) else {
            return Err(TensorFault::NegativeDimension { dimension, found });
        };
        elements = elements.and_then(|elements: usize| elements.checked_mul(dim));
    }
    let elements = elements.filter(|elements| *elements <= MOST);
    let elements = elements.ok_or(TensorFault::TooLarge)?;
    let dtype = tensor.dtype();
    if dtype.bits().is_some() {
        let expected = dtype.bytes_for(elements).filter(|bytes| *bytes <= MOST);
        let expected = expected.ok_or(TensorFault::TooLarge)?;
        let found = tensor.data().len();
        if found != 0 && found != expected {
            return Err(TensorFault::DataLength { found, expected });
        }
    }
    quantization(tensor)
}

fn quantization(tensor: &Tensor<'_>) -> Result<(), TensorFault> {
    let Some(quantization) = tensor.quantization() else {
        return Ok(());
    };
    let scales = quantization.len();
    let zero_points = quantization.raw_zero_points().len();
    let dims = tensor.shape();
    // A dimension that is negative or beyond the shape stands for the last.
    let named = dims.get(quantization.quantized_dimension() as u32 as usize);
    if scales != zero_points || (scales != 1 && named.or(dims.last()) != Some(scales)) {
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

fn arena_plan(model: &Model<'_>) -> Result<(), ReadError> {
    let Some(bytes) = model.metadata(PLAN) else {
        return Ok(());
    };
    let plan = ArenaPlan::over(List::over(bytes));
    let graph = model.subgraph(plan.subgraph());
    let tensors = graph.map_or(0, |graph| graph.tensor_count());
    let expected = tensors.wrapping_mul(4).wrapping_add(12);
    if bytes.len() != expected || plan.count() != tensors {
        return Err(ReadError::ArenaPlan {
            found: bytes.len(),
            expected,
        });
    }
    Ok(())
}
