//! Constant: numbers in an attribute.

use crate::OnnxError;
use crate::constant::{Constant, Integer, Numbers};
use crate::lower::Lowering;
use crate::node::OnnxNode;
use crate::tensor;

pub(super) fn lower<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[
        "value",
        "value_float",
        "value_floats",
        "value_int",
        "value_ints",
    ])?;
    let output = node.output()?;
    let real = |shape: Vec<usize>, numbers: Vec<f32>| Constant {
        shape,
        numbers: Numbers::Real(numbers),
    };
    let integer = |shape: Vec<usize>, numbers: Vec<i64>| Constant {
        shape,
        numbers: Numbers::Integer(Integer::Int64, numbers),
    };
    let constant = if let Some(stored) = node.tensor("value")? {
        tensor::constant(stored, output, l.folder)?
    } else if let Some(number) = node.float("value_float")? {
        real(Vec::new(), vec![number])
    } else if let Some(numbers) = node.floats("value_floats")? {
        real(vec![numbers.len()], numbers.to_vec())
    } else if let Some(number) = node.int("value_int")? {
        integer(Vec::new(), vec![number])
    } else if let Some(numbers) = node.ints("value_ints")? {
        integer(vec![numbers.len()], numbers.to_vec())
    } else {
        return Err(node.fail("holds no numbers"));
    };
    l.define_constant(output, constant);
    Ok(())
}
