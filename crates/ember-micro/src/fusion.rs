//! Which operators are done together with the one behind them.
//!
//! A row of a registry whose kernel does two operators ([`Kernel::NEXT`](crate::Kernel::NEXT)) takes a pair where the types
//! are its own, nobody else reads what is between the two, and the operators fit each other: a CONV_2D without groups and
//! with constant weights, and a MAX_POOL_2D whose windows do not overlap.

use ember_core::BuiltinOp;
use ember_tflite::{OpCode, Operator, Pool2dOptions, Subgraph, TensorIds};

use crate::error::Slot;
use crate::kernel::Registration;
use crate::ops::linear::FILTER;

/// The row that does operator `index` and the one behind it together, if there is one.
#[inline(never)]
pub(crate) fn row(graph: &Subgraph<'_>, index: usize, registry: &[Registration]) -> Option<usize> {
    if registry.iter().all(|row| row.next.is_none()) {
        return None;
    }
    let first = graph.operator(index)?;
    let op = first.builtin()?;
    let second = graph.operator(index.checked_add(1)?)?;
    let next = second.builtin()?;
    let position = registry.iter().position(|row| {
        let own = row.code == OpCode::Builtin(op) && row.next == Some(next);
        own && row
            .dtype
            .is_none_or(|dtype| Slot::input(0).dtype(graph, &first) == Some(dtype))
            && row.suits_other(graph, &first)
            && row.suits.is_none_or(|suits| suits(graph, &first))
    });
    position.filter(|_| {
        is_between(graph, &first, &second)
            && match (op, next) {
                (BuiltinOp::Conv2d, BuiltinOp::MaxPool2d) => is_poolable(graph, &first, &second),
                _ => false,
            }
    })
}

/// Whether the one output of `first` is read by `second`, as its first input, and by nobody else.
fn is_between(graph: &Subgraph<'_>, first: &Operator<'_>, second: &Operator<'_>) -> bool {
    let between = first.outputs().get(0);
    let Some(tensor) = between.and_then(|id| graph.tensor(id)) else {
        return false;
    };
    let count = |ids: TensorIds<'_>| ids.iter().filter(|id| *id == between).count();
    let mut readers = count(graph.outputs());
    for operator in graph.operators() {
        readers += count(operator.inputs());
    }
    first.outputs().len() == 1
        && second.inputs().get(0) == between
        && readers == 1
        && !tensor.is_variable()
}

/// What `Conv2d::is_poolable` of `ember-kernels` asks for beyond shapes that match, which the kernel checks.
fn is_poolable(graph: &Subgraph<'_>, conv: &Operator<'_>, pool: &Operator<'_>) -> bool {
    let (input, filter) = (Slot::input(0).of(graph, conv), FILTER.of(graph, conv));
    let (Some(input), Some(filter), Some(window)) =
        (input, filter, pool.options_as::<Pool2dOptions>())
    else {
        return false;
    };
    input.shape().last() == filter.shape().last()
        && filter.data_range().1 > 0
        && window.filter_width <= window.stride_w
        && window.filter_height <= window.stride_h
}
