//! For chips with 4 KB of RAM: the stride of the first convolution leaves nothing larger than the image itself alive.

use crate::{Graph, GraphBuilder, GraphError, Window};
use ember_core::Activation;

use super::Model;

pub(super) const MODEL: Model = Model {
    name: "nano-cnn",
    description: "conv 6 5x5/3 relu, conv 12 3x3/2 relu, dense 10 softmax",
    build,
};

fn build() -> Result<Graph, GraphError> {
    let mut model = GraphBuilder::new(MODEL.name);
    let image = model.input("image", &[1, 28, 28, 1])?;
    let x = model.conv_2d(image, 6, [5, 5], Window::valid(3), Activation::Relu)?;
    let x = model.conv_2d(x, 12, [3, 3], Window::same(2), Activation::Relu)?;
    let x = model.flatten(x)?;
    let x = model.fully_connected(x, 10, Activation::None)?;
    let scores = model.softmax(x)?;
    model.finish(&[scores])
}
