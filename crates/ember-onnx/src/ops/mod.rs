//! One file per group of operators, and the table of all.

mod add;
mod batch_norm;
mod constant;
mod conv;
mod dense;
mod pad;
mod pool;
mod quantize;
mod reduce_mean;
pub(crate) mod relu;
mod reshape;
mod shape;
mod softmax;
mod transpose;
mod window;

use crate::OnnxError;
use crate::lower::Lowering;
use crate::node::OnnxNode;

/// Lowers one node.
pub(crate) type Lower = for<'m> fn(&mut Lowering<'m>, &OnnxNode<'m>) -> Result<(), OnnxError>;

/// Every operator that is supported, by its name in the file.
const OPS: &[(&str, Lower)] = &[
    ("Add", add::lower),
    ("AveragePool", pool::average),
    ("BatchNormalization", batch_norm::lower),
    ("Cast", shape::cast),
    ("Clip", relu::lower),
    ("Concat", shape::concat),
    ("Constant", constant::lower),
    ("Conv", conv::lower),
    ("DequantizeLinear", quantize::dequantize),
    ("Dropout", reshape::dropout),
    ("Flatten", reshape::flatten),
    ("Gather", shape::gather),
    ("Gemm", dense::gemm),
    ("GlobalAveragePool", pool::global_average),
    ("Identity", reshape::identity),
    ("MatMul", dense::mat_mul),
    ("MaxPool", pool::max),
    ("Pad", pad::lower),
    ("QuantizeLinear", quantize::quantize),
    ("ReduceMean", reduce_mean::lower),
    ("Relu", relu::lower),
    ("Reshape", reshape::reshape),
    ("Shape", shape::shape),
    ("Softmax", softmax::lower),
    ("Squeeze", shape::squeeze),
    ("Transpose", transpose::lower),
    ("Unsqueeze", shape::unsqueeze),
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
