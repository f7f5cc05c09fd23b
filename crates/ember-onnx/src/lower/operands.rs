//! What a node reads: constants, and values that the graph computes.

use std::rc::Rc;

use super::{Lowered, Lowering, Tensor};
use crate::OnnxError;
use crate::constant::Constant;
use crate::node::OnnxNode;

impl<'m> Lowering<'m> {
    /// The constant among the operands of `node` at `index`; nothing where none is given.
    ///
    /// # Errors
    /// When the operand is computed, or made by no earlier node.
    pub(crate) fn constant(
        &self,
        node: &OnnxNode<'m>,
        index: usize,
        what: &str,
    ) -> Result<Option<Rc<Constant>>, OnnxError> {
        let Some(name) = node.input(index) else {
            return Ok(None);
        };
        match self.values.get(name) {
            Some(Lowered::Constant(constant)) => Ok(Some(constant.clone())),
            Some(Lowered::Tensor(_)) => Err(node.fail(format!(
                "the {what} {name:?} is computed by the model, and must be a constant"
            ))),
            None => Err(unmade(node, name)),
        }
    }

    /// [`Lowering::constant`] that must be given.
    ///
    /// # Errors
    /// As there; when it is not given.
    pub(crate) fn required(
        &self,
        node: &OnnxNode<'m>,
        index: usize,
        what: &str,
    ) -> Result<Rc<Constant>, OnnxError> {
        self.constant(node, index, what)?
            .ok_or_else(|| node.fail(format!("has no {what}")))
    }

    /// Whether the operand at `index` is a constant.
    ///
    /// # Errors
    /// When it is not given, or made by no earlier node.
    pub(crate) fn is_constant(&self, node: &OnnxNode<'m>, index: usize) -> Result<bool, OnnxError> {
        let missing = || node.fail(format!("has no operand number {}", index + 1));
        let name = node.input(index).ok_or_else(missing)?;
        let value = self.values.get(name).ok_or_else(|| unmade(node, name))?;
        Ok(matches!(value, Lowered::Constant(_)))
    }

    /// The operand at `index`, real numbers that the graph computes.
    ///
    /// # Errors
    /// When it is not given, a constant, or integers.
    pub(crate) fn tensor(&self, node: &OnnxNode<'m>, index: usize) -> Result<Tensor, OnnxError> {
        let tensor = self.any_tensor(node, index)?;
        if tensor.integers.is_some() {
            return Err(node.fail(format!(
                "the operand {:?} is integers: a DequantizeLinear belongs before",
                node.input(index).unwrap_or_default()
            )));
        }
        Ok(tensor)
    }

    /// As [`Lowering::tensor`], where integers are allowed.
    ///
    /// # Errors
    /// When it is not given, or a constant.
    pub(crate) fn any_tensor(
        &self,
        node: &OnnxNode<'m>,
        index: usize,
    ) -> Result<Tensor, OnnxError> {
        let missing = || node.fail(format!("has no operand number {}", index + 1));
        let name = node.input(index).ok_or_else(missing)?;
        match self.values.get(name) {
            Some(Lowered::Tensor(tensor)) => Ok(tensor.clone()),
            Some(Lowered::Constant(_)) => Err(node.fail(format!(
                "the operand {name:?} is a constant, and must be computed by the model"
            ))),
            None => Err(unmade(node, name)),
        }
    }

    /// The operand at `index`, an image or a signal: its channels, height and width. A signal has the height 1. What is not
    /// in NHWC here is brought to it.
    ///
    /// # Errors
    /// As [`Lowering::tensor`]; when it has not 3 or 4 dimensions, or a batch.
    pub(crate) fn image(
        &mut self,
        node: &OnnxNode<'m>,
        index: usize,
    ) -> Result<(Tensor, [usize; 3]), OnnxError> {
        let tensor = self.tensor(node, index)?;
        let name = node.input(index).unwrap_or_default();
        let extents = match tensor.shape[..] {
            [1, channels, height, width] => [channels, height, width],
            [1, channels, width] => [channels, 1, width],
            [batch, _, _] | [batch, _, _, _] => {
                return Err(node.fail(format!(
                    "{name:?} has a batch of {batch}: export the model for a batch of 1, or with an open batch"
                )));
            }
            _ => {
                return Err(node.fail(format!(
                    "takes an image [1, C, H, W] or a signal [1, C, W], and {name:?} has the shape {:?}",
                    tensor.shape
                )));
            }
        };
        let image = self.as_image(name, &tensor)?;
        Ok((image, extents))
    }
}

fn unmade(node: &OnnxNode<'_>, name: &str) -> OnnxError {
    node.fail(format!("{name:?} is made by no node before it"))
}
