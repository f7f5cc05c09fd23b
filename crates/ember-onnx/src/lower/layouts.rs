//! Brings values to another layout, with nodes that move them: each value once.

use ember_graph::{Op, ValueId, Weightless};

use super::{Lowering, Tensor, named};
use crate::OnnxError;
use crate::layout::{Layout, TO_NCHW, TO_NHWC};

impl Lowering<'_> {
    /// The tensor with its numbers in the order of the file.
    ///
    /// # Errors
    /// When the graph refuses a node.
    pub(crate) fn in_file_order(
        &mut self,
        name: &str,
        tensor: &Tensor,
    ) -> Result<Tensor, OnnxError> {
        let shape = &tensor.shape;
        // As an image here, and its extents there.
        let (here, there): (Vec<usize>, Vec<usize>) = match (tensor.layout, &shape[..]) {
            (Layout::Plain | Layout::Lead, _) => return Ok(tensor.clone()),
            (Layout::Row { image }, _) => {
                let [channels, height, width] = image;
                (
                    vec![1, height, width, channels],
                    [&[1], &image[..]].concat(),
                )
            }
            (Layout::Image, [_, channels, width]) => {
                (vec![1, 1, *width, *channels], vec![1, *channels, 1, *width])
            }
            (Layout::Image, _) => (tensor.layout.shape(shape), shape.clone()),
        };
        let id = match self.turned.get(&(tensor.id, false)) {
            Some(id) => *id,
            None => {
                let mut id = self.reshaped(name, tensor.id, &here)?;
                if there[1] != 1 && there[2] * there[3] != 1 {
                    id = self.transposed(name, id, &TO_NCHW)?;
                }
                let id = self.reshaped(name, id, shape)?;
                self.turned.insert((tensor.id, false), id);
                id
            }
        };
        Ok(Tensor {
            id,
            layout: Layout::Plain,
            ..tensor.clone()
        })
    }

    /// The image `[1,C,H,W]` or signal `[1,C,W]` of the file in NHWC.
    ///
    /// # Errors
    /// When the graph refuses a node.
    pub(crate) fn as_image(&mut self, name: &str, tensor: &Tensor) -> Result<Tensor, OnnxError> {
        if tensor.layout == Layout::Image {
            return Ok(tensor.clone());
        }
        let plain = self.in_file_order(name, tensor)?;
        let id = match self.turned.get(&(plain.id, true)) {
            Some(id) => *id,
            None => {
                let there = match plain.shape[..] {
                    [_, channels, width] => vec![1, channels, 1, width],
                    _ => plain.shape.clone(),
                };
                let mut id = plain.id;
                if there[1] != 1 && there[2] * there[3] != 1 {
                    id = self.reshaped(name, id, &there)?;
                    id = self.transposed(name, id, &TO_NHWC)?;
                }
                let id = self.reshaped(name, id, &Layout::Image.shape(&plain.shape))?;
                self.turned.insert((plain.id, true), id);
                id
            }
        };
        Ok(Tensor {
            id,
            layout: Layout::Image,
            ..plain
        })
    }

    /// The value with another shape in the graph; itself where it has that.
    ///
    /// # Errors
    /// When the number of elements is another.
    pub(crate) fn reshaped(
        &mut self,
        name: &str,
        id: ValueId,
        shape: &[usize],
    ) -> Result<ValueId, OnnxError> {
        if self.builder.shape(id) == Some(shape) {
            return Ok(id);
        }
        let shape = shape.to_vec();
        let op = Op::Reshape { shape };
        self.moved(&format!("{name}.reshape"), op, id)
    }

    /// The value with its dimensions in another order in the graph.
    ///
    /// # Errors
    /// When `order` is no such order.
    pub(crate) fn transposed(
        &mut self,
        name: &str,
        id: ValueId,
        order: &[usize],
    ) -> Result<ValueId, OnnxError> {
        let order = order.to_vec();
        let op = Op::Weightless(Weightless::Transpose { order });
        self.moved(&format!("{name}.transpose"), op, id)
    }

    fn moved(&mut self, name: &str, op: Op, id: ValueId) -> Result<ValueId, OnnxError> {
        let made = self.builder.node(&named(name), op, &[id])?;
        if self.not_negative.contains(&id) {
            self.not_negative.insert(made);
        }
        Ok(made)
    }
}
