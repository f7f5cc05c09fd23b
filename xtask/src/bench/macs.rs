//! Multiply-accumulates of a model file, operator by operator.

use ember_core::BuiltinOp;
use ember_tflite::{Model, OpCode, Operator, Subgraph};

/// Those of each operator of the model, in the order of the file: 0 where it has no weights.
#[must_use]
pub fn of_model(model: &Model<'_>) -> Vec<u64> {
    let main = model.main();
    main.operators()
        .map(|operator| of_operator(&main, &operator).unwrap_or(0))
        .collect()
}

fn of_operator(graph: &Subgraph<'_>, operator: &Operator<'_>) -> Option<u64> {
    let extents = |tensor| -> Option<Vec<u64>> {
        let shape = graph.tensor(tensor)?.shape();
        Some(shape.iter().map(|extent| extent as u64).collect())
    };
    let output = extents(operator.outputs().get(0)?)?;
    let weights = extents(operator.inputs().get(1)?)?;
    let outputs: u64 = output.iter().product();
    let last = weights.last().copied()?;
    match operator.opcode() {
        // [output channels, rows, columns, input channels]
        OpCode::Builtin(BuiltinOp::Conv2d) => {
            Some(outputs * weights.iter().skip(1).product::<u64>())
        }
        // [1, rows, columns, channels]
        OpCode::Builtin(BuiltinOp::DepthwiseConv2d) => {
            Some(outputs * weights.iter().product::<u64>() / last.max(1))
        }
        // [units, inputs]
        OpCode::Builtin(BuiltinOp::FullyConnected) => Some(outputs * last),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ember_tflite::Model;

    #[test]
    fn the_reference_cnn_has_those_of_the_literature() {
        let path = crate::workspace::root().join("artifacts/zoo/seed-cnn/model.int8.tflite");
        let bytes = std::fs::read(path).unwrap();
        let macs = super::of_model(&Model::parse(&bytes).unwrap());
        assert_eq!(macs.iter().sum::<u64>(), 70_464);
        assert_eq!(macs[0], 26 * 26 * 8 * 9);
    }
}
