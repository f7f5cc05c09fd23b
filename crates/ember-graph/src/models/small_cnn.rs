//! Between the nano and the reference CNN in RAM, and better than both: strides instead of pooling.

use crate::{Graph, GraphBuilder, GraphError, Window};
use ember_core::Activation;

use super::Model;

pub(super) const MODEL: Model = Model {
    name: "small-cnn",
    description: "conv 12 3x3/2 relu, conv 20 3x3/2 relu, conv 24 3x3/2 relu, dense 10 softmax",
    build,
};

fn build() -> Result<Graph, GraphError> {
    let mut model = GraphBuilder::new(MODEL.name);
    let image = model.input("image", &[1, 28, 28, 1])?;
    let x = model.conv_2d(image, 12, [3, 3], Window::same(2), Activation::Relu)?;
    let x = model.conv_2d(x, 20, [3, 3], Window::same(2), Activation::Relu)?;
    let x = model.conv_2d(x, 24, [3, 3], Window::same(2), Activation::Relu)?;
    let x = model.flatten(x)?;
    let x = model.fully_connected(x, 10, Activation::None)?;
    let scores = model.softmax(x)?;
    model.finish(&[scores])
}
