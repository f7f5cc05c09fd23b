//! The reference CNN of the project: every published figure is about this one.

use crate::{Graph, GraphBuilder, GraphError, Window};
use ember_core::Activation;

use super::Model;

pub(super) const MODEL: Model = Model {
    name: "seed-cnn",
    description: "conv 8 3x3 relu, max-pool 2x2, dense 16 relu, dense 10 softmax",
    build,
};

fn build() -> Result<Graph, GraphError> {
    let mut model = GraphBuilder::new(MODEL.name);
    let image = model.input("image", &[1, 28, 28, 1])?;
    let x = model.conv_2d(image, 8, [3, 3], Window::valid(1), Activation::Relu)?;
    let x = model.max_pool_2d(x, [2, 2], Window::valid(2))?;
    let x = model.flatten(x)?;
    let x = model.fully_connected(x, 16, Activation::Relu)?;
    let x = model.fully_connected(x, 10, Activation::None)?;
    let scores = model.softmax(x)?;
    model.finish(&[scores])
}
