//! The most accurate of the zoo: a residual block (He et al., "Deep residual learning for image recognition", 2016)
//! between a pooled stem and a coarse mean that keeps where things are.

use crate::{Graph, GraphBuilder, GraphError, Window};
use ember_core::Activation;

use super::Model;

pub(super) const MODEL: Model = Model {
    name: "residual-cnn",
    description: "conv 12 3x3 relu, max-pool 2x2, conv 32 3x3/2 relu, residual block of two conv 32 3x3, \
                  average-pool 3x3/2, dense 10 softmax",
    build,
};

fn build() -> Result<Graph, GraphError> {
    let mut model = GraphBuilder::new(MODEL.name);
    let image = model.input("image", &[1, 28, 28, 1])?;
    let x = model.conv_2d(image, 12, [3, 3], Window::valid(1), Activation::Relu)?;
    let x = model.max_pool_2d(x, [2, 2], Window::valid(2))?;
    let x = model.conv_2d(x, 32, [3, 3], Window::same(2), Activation::Relu)?;
    let y = model.conv_2d(x, 32, [3, 3], Window::same(1), Activation::Relu)?;
    let y = model.conv_2d(y, 32, [3, 3], Window::same(1), Activation::None)?;
    let x = model.add(x, y, Activation::Relu)?;
    let x = model.average_pool_2d(x, [3, 3], Window::valid(2))?;
    let x = model.flatten(x)?;
    let x = model.fully_connected(x, 10, Activation::None)?;
    let scores = model.softmax(x)?;
    model.finish(&[scores])
}
