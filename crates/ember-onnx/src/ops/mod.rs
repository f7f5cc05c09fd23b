//! One file per group of operators, and the table of all.

mod add;
mod batch_norm;
mod binary;
mod constant;
mod conv;
mod conv_transpose;
mod dense;
mod formula;
mod norm;
mod pad;
mod parts;
mod pool;
mod quantize;
mod recurrent;
mod reduce;
pub(crate) mod relu;
mod reshape;
mod resize;
mod shape;
mod softmax;
mod transpose;
mod unary;
mod window;

use crate::OnnxError;
use crate::lower::Lowering;
use crate::node::OnnxNode;

/// Lowers one node.
pub(crate) type Lower = for<'m> fn(&mut Lowering<'m>, &OnnxNode<'m>) -> Result<(), OnnxError>;

/// Every operator that is supported, by its name in the file.
const OPS: &[(&str, Lower)] = &[
    ("Abs", unary::direct),
    ("Add", add::lower),
    ("AveragePool", pool::average),
    ("BatchNormalization", batch_norm::lower),
    ("Cast", shape::cast),
    ("Ceil", unary::direct),
    ("Celu", unary::celu),
    ("Clip", relu::lower),
    ("Concat", parts::concat),
    ("Constant", constant::lower),
    ("Conv", conv::lower),
    ("ConvTranspose", conv_transpose::lower),
    ("Cos", unary::direct),
    ("DequantizeLinear", quantize::dequantize),
    ("Div", binary::div),
    ("Dropout", reshape::dropout),
    ("Elu", unary::elu),
    ("Exp", unary::direct),
    ("Expand", parts::expand),
    ("Flatten", reshape::flatten),
    ("Floor", unary::direct),
    ("GRU", recurrent::gru),
    ("Gather", parts::gather),
    ("Gelu", unary::gelu),
    ("Gemm", dense::gemm),
    ("GlobalAveragePool", pool::global_average),
    ("GlobalMaxPool", pool::global_max),
    ("HardSigmoid", unary::hard_sigmoid),
    ("HardSwish", unary::direct),
    ("Identity", reshape::identity),
    ("InstanceNormalization", norm::instance),
    ("LSTM", recurrent::lstm),
    ("LayerNormalization", norm::layer),
    ("LeakyRelu", unary::leaky_relu),
    ("Log", unary::direct),
    ("LogSoftmax", softmax::log_softmax),
    ("MatMul", dense::mat_mul),
    ("Max", binary::max),
    ("MaxPool", pool::max),
    ("Min", binary::min),
    ("Mish", unary::mish),
    ("Mul", binary::mul),
    ("Neg", unary::direct),
    ("PRelu", binary::p_relu),
    ("Pad", pad::lower),
    ("Pow", binary::pow),
    ("QuantizeLinear", quantize::quantize),
    ("RNN", recurrent::rnn),
    ("Reciprocal", unary::reciprocal),
    ("ReduceMax", reduce::max),
    ("ReduceMean", reduce::mean),
    ("ReduceMin", reduce::min),
    ("ReduceSum", reduce::sum),
    ("Relu", relu::lower),
    ("Reshape", reshape::reshape),
    ("Resize", resize::resize),
    ("Round", unary::direct),
    ("Selu", unary::selu),
    ("Shape", shape::shape),
    ("Sigmoid", unary::direct),
    ("Sin", unary::direct),
    ("Slice", parts::slice),
    ("Softmax", softmax::softmax),
    ("Softplus", unary::softplus),
    ("Softsign", unary::softsign),
    ("Split", parts::split),
    ("Sqrt", unary::direct),
    ("Squeeze", shape::squeeze),
    ("Sub", binary::sub),
    ("Sum", binary::sum),
    ("Swish", unary::swish),
    ("Tanh", unary::direct),
    ("Transpose", transpose::lower),
    ("Unsqueeze", shape::unsqueeze),
    ("Upsample", resize::upsample),
];

/// The names of all operators that are supported, in order.
pub fn supported() -> impl Iterator<Item = &'static str> {
    OPS.iter().map(|(name, _)| *name)
}

/// How to lower this node.
///
/// # Errors
/// When its operator is not supported.
pub(crate) fn find(node: &OnnxNode<'_>) -> Result<Lower, OnnxError> {
    let known = OPS.iter().find(|(name, _)| *name == node.op());
    if let (Some((_, lower)), "") = (known, node.domain()) {
        return Ok(*lower);
    }
    Err(OnnxError::Operator {
        node: node.label(),
        op: match node.domain() {
            "" => node.op().to_owned(),
            domain => format!("{domain}.{}", node.op()),
        },
        supported: supported().collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::OPS;

    #[test]
    fn the_table_is_in_order_and_has_no_operator_twice() {
        assert!(OPS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
