//! The text form of a graph, for tests, error reports and checkpoints.
//!
//! One value per line, in the order of the graph:
//!
//! ```text
//! graph tiny                                     # a comment
//! input image [1,4,4,1]
//! constant conv.filter [2,3,3,1] = fill 0.5      # every number is 0.5
//! constant conv.bias [2] = -1 0.25               # row-major
//! conv [1,2,2,2] = conv_2d(image, conv.filter, conv.bias) stride=[1,1] dilation=[1,1] padding=valid activation=relu
//! flat [1,8] = reshape(conv)
//! output flat
//! ```
//!
//! Attributes that have their default (`stride=[1,1]`, `dilation=[1,1]`, `activation=none`, `beta=1`, `epsilon=0.001`,
//! `before=[0,0]`, `after=[0,0]`, `turned=false`, pixels at their corners where `centers` is not `half` or `corners`) may be left out,
//! and so may the shape of a node, except a reshape's, which is its attribute. [`parse`] of [`print()`] is the same graph,
//! bit for bit.

mod parse;
mod print;

pub use parse::{parse, parse_with};
pub use print::{Constants, print};

use ember_core::{Activation, Padding};

/// The attribute's word for each activation, both ways.
const ACTIVATIONS: [(&str, Activation); 6] = [
    ("none", Activation::None),
    ("relu", Activation::Relu),
    ("relu_n1_to_1", Activation::ReluN1To1),
    ("relu6", Activation::Relu6),
    ("tanh", Activation::Tanh),
    ("sign_bit", Activation::SignBit),
];

/// The attribute's word for each padding, both ways.
const PADDINGS: [(&str, Padding); 2] = [("same", Padding::Same), ("valid", Padding::Valid)];
