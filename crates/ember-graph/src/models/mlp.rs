//! The smallest useful network: no convolution, two dense layers.

use crate::{Graph, GraphBuilder, GraphError};
use ember_core::Activation;

use super::Model;

pub(super) const MODEL: Model = Model {
    name: "mlp",
    description: "dense 32 relu, dense 10 softmax",
    build,
};

fn build() -> Result<Graph, GraphError> {
    let mut model = GraphBuilder::new(MODEL.name);
    let image = model.input("image", &[1, 28, 28, 1])?;
    let x = model.flatten(image)?;
    let x = model.fully_connected(x, 32, Activation::Relu)?;
    let x = model.fully_connected(x, 10, Activation::None)?;
    let scores = model.softmax(x)?;
    model.finish(&[scores])
}
