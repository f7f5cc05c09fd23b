//! What a node makes: nodes and constants of the graph.

use ember_core::Activation;
use ember_graph::{GraphError, Op, ValueId};

use super::{Lowering, Tensor, named};
use crate::OnnxError;
use crate::constant::Constant;
use crate::layout::Layout;
use crate::node::OnnxNode;

impl<'m> Lowering<'m> {
    /// A node of the graph for `node`, its result called `output` in the file, where it has the shape `shape`.
    ///
    /// # Errors
    /// When the operands do not fit the operator.
    pub(crate) fn push(
        &mut self,
        node: &OnnxNode<'m>,
        (output, shape, layout): (&'m str, Vec<usize>, Layout),
        op: Op,
        operands: &[ValueId],
    ) -> Result<ValueId, OnnxError> {
        let clamps = matches!(op, Op::Relu | Op::Relu6 | Op::Softmax { .. })
            || matches!(op.activation(), Some(Activation::Relu | Activation::Relu6));
        let keeps = matches!(
            op,
            Op::MaxPool2d { .. } | Op::AveragePool2d { .. } | Op::Reshape { .. } | Op::Pad { .. }
        ) && self.not_negative.contains(&operands[0]);
        let id = self.inner(node, &named(output), op, operands)?;
        if clamps || keeps {
            self.not_negative.insert(id);
        }
        self.define(
            output,
            Tensor {
                id,
                shape,
                layout,
                integers: None,
            },
        );
        Ok(id)
    }

    /// A node of the graph that is no value of the file.
    ///
    /// # Errors
    /// When the operands do not fit the operator.
    pub(crate) fn inner(
        &mut self,
        node: &OnnxNode<'m>,
        name: &str,
        op: Op,
        operands: &[ValueId],
    ) -> Result<ValueId, OnnxError> {
        let made = self.builder.node(name, op, operands);
        made.map_err(|problem| of_node(node, &problem))
    }

    /// The shape of a value in the graph.
    pub(crate) fn shape_here(&self, id: ValueId) -> Vec<usize> {
        self.builder.shape(id).unwrap_or_default().to_vec()
    }

    /// The result of a node of the file that is computed already.
    pub(crate) fn finished(
        &mut self,
        output: &'m str,
        id: ValueId,
        (shape, layout): (Vec<usize>, Layout),
    ) {
        let integers = None;
        self.define(
            output,
            Tensor {
                id,
                shape,
                layout,
                integers,
            },
        );
    }

    /// A constant of the graph, in the order that its numbers have here. Where the file quantizes it, its integers are
    /// noted.
    ///
    /// # Errors
    /// When it holds integers that stand for themselves, or numbers that are not finite.
    pub(crate) fn parameter(
        &mut self,
        node: &OnnxNode<'m>,
        name: &str,
        constant: &Constant,
    ) -> Result<ValueId, OnnxError> {
        let Some(numbers) = constant.reals() else {
            return Err(node.fail("takes real numbers, and one of its constants is integers"));
        };
        let made = self
            .builder
            .constant(&named(name), &constant.shape, numbers);
        let id = made.map_err(|problem| of_node(node, &problem))?;
        if let Some(quantized) = constant.quantized() {
            self.kept.constants.insert(id, quantized.clone());
        }
        Ok(id)
    }
}

fn of_node(node: &OnnxNode<'_>, problem: &GraphError) -> OnnxError {
    node.fail(problem.to_string())
}
