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
use crate::metadata::{ArenaPlan, PLAN};
use crate::model::{Model, SubgraphId, raw_code};
use crate::options;
use crate::schema::{self, model, operator_code};
use crate::tensor::Tensor;

pub(crate) const fn check(checked: &Model<'_>) -> Result<(), ReadError> {
    let found = checked.table.word(model::version.slot, 0);
    if found != schema::VERSION {
        return Err(ReadError::Version { found });
    }
    if let Err(error) = operator_codes(checked) {
        return Err(error);
    }
    if checked.table.rows(model::subgraphs).len() == 0 {
        return Err(ReadError::NoSubgraph);
    }
    let mut subgraph = 0usize;
    while let Some(graph) = checked.subgraph(SubgraphId(subgraph as u32)) {
        let mut index = 0usize;
        while let Some(tensor) = graph.tensor_at(index) {
            if let Err(fault) = tensor_content(&tensor) {
                return Err(ReadError::Tensor {
                    subgraph,
                    tensor: index,
                    fault,
                });
            }
            index = index.wrapping_add(1);
        }
        let mut operator = 0usize;
        while let Some(op) = graph.operator(operator) {
            let found = op.options_code();
            if let Some(builtin) = op.builtin()
                && let Some(expected) = options::code_for(builtin)
                && found != 0
                && found != expected
            {
                return Err(ReadError::OptionsType {
                    subgraph,
                    operator,
                    op: builtin,
                    found,
                    expected,
                });
            }
            operator = operator.wrapping_add(1);
        }
        subgraph = subgraph.wrapping_add(1);
    }
    arena_plan(checked)
}

const fn operator_codes(model: &Model<'_>) -> Result<(), ReadError> {
    let tables = model.table.tables(model::operator_codes);
    let mut index = 0usize;
    while let Some(table) = tables.get(index) {
        let found = raw_code(&table);
        let fault = match BuiltinOp::from_code(found) {
            None => Some(OperatorCodeFault::Unknown),
            Some(BuiltinOp::Custom) if table.text_bytes(operator_code::custom_code).is_empty() => {
                Some(OperatorCodeFault::Unnamed)
            }
            Some(_) => None,
        };
        if let Some(fault) = fault {
            return Err(ReadError::OperatorCode {
                index,
                found,
                fault,
            });
        }
        index = index.wrapping_add(1);
    }
    Ok(())
}

const fn tensor_content(tensor: &Tensor<'_>) -> Result<(), TensorFault> {
    // The same limit on every target: a device's `usize` has 32 bits.
    const MOST: usize = i32::MAX as usize;
    let shape = tensor.shape().0;
    let (mut elements, mut dimension) = (Some(1usize), 0usize);
    while let Some(dim) = shape.word(dimension) {
        let found = dim as i32;
        if found < 0 {
            return Err(TensorFault::NegativeDimension { dimension, found });
        }
        elements = match elements {
            Some(elements) => elements.checked_mul(dim as usize),
            None => None,
        };
        dimension = dimension.wrapping_add(1);
    }
    let elements = match elements {
        Some(elements) if elements <= MOST => elements,
        _ => return Err(TensorFault::TooLarge),
    };
    let dtype = tensor.dtype();
    if dtype.bits().is_some() {
        let expected = match dtype.bytes_for(elements) {
            Some(bytes) if bytes <= MOST => bytes,
            _ => return Err(TensorFault::TooLarge),
        };
        let (_, found) = tensor.data_range();
        if found != 0 && found != expected {
            return Err(TensorFault::DataLength { found, expected });
        }
    }
    quantization(tensor)
}

const fn quantization(tensor: &Tensor<'_>) -> Result<(), TensorFault> {
    let Some(quantization) = tensor.quantization() else {
        return Ok(());
    };
    let scales = quantization.len();
    let zero_points = quantization.raw_zero_points();
    // A dimension that is negative or beyond the shape stands for the last.
    let named = match tensor
        .shape()
        .get(quantization.quantized_dimension() as u32 as usize)
    {
        None => tensor.shape().last(),
        named => named,
    };
    let channels = match named {
        Some(channels) => channels == scales,
        None => false,
    };
    if scales != zero_points.len() || (scales != 1 && !channels) {
        return Err(TensorFault::QuantizationLength {
            scales,
            zero_points: zero_points.len(),
        });
    }
    let mut index = 0usize;
    while let Some(bits) = quantization.scales().word(index) {
        // The bits of positive finite numbers are below those of infinity; a sign bit is above.
        if bits >= f32::INFINITY.to_bits() {
            return Err(TensorFault::Scale { index });
        }
        index = index.wrapping_add(1);
    }
    index = 0;
    while let Some(zero_point) = zero_points.long(index) {
        if zero_point as i32 as i64 != zero_point {
            return Err(TensorFault::ZeroPoint { index });
        }
        index = index.wrapping_add(1);
    }
    Ok(())
}

const fn arena_plan(model: &Model<'_>) -> Result<(), ReadError> {
    let (Some(bytes), Some(plan)) = (model.metadata(PLAN), ArenaPlan::of(model)) else {
        return Ok(());
    };
    let tensors = match model.subgraph(plan.subgraph()) {
        Some(graph) => graph.tensor_count(),
        None => 0,
    };
    let expected = tensors.wrapping_mul(4).wrapping_add(12);
    if bytes.len() != expected || plan.count() != tensors {
        return Err(ReadError::ArenaPlan {
            found: bytes.len(),
            expected,
        });
    }
    Ok(())
}
