//! The small CNN with a batch norm behind each convolution. They cost nothing on the chip: the passes fold them into the
//! convolutions.

use crate::{Graph, GraphBuilder, GraphError, Window};
use ember_core::Activation;

use super::Model;

pub(super) const MODEL: Model = Model {
    name: "small-cnn-bn",
    description: "small-cnn with a batch norm between each convolution and its relu",
    build,
};

fn build() -> Result<Graph, GraphError> {
    let mut model = GraphBuilder::new(MODEL.name);
    let mut x = model.input("image", &[1, 28, 28, 1])?;
    for filters in [12, 20, 24] {
        x = model.conv_2d(x, filters, [3, 3], Window::same(2), Activation::None)?;
        x = model.batch_norm(x)?;
        x = model.relu(x)?;
    }
    let x = model.flatten(x)?;
    let x = model.fully_connected(x, 10, Activation::None)?;
    let scores = model.softmax(x)?;
    model.finish(&[scores])
}
