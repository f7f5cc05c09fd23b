//! From a file that was read back to a spec that can be written.

use std::borrow::ToOwned;
use std::string::String;
use std::vec::Vec;

use ember_core::BuiltinOp;

use super::WriteError;
use super::spec::{
    ModelSpec, OperatorSpec, QuantizationSpec, SignatureSpec, SubgraphSpec, TensorSpec,
    VariableSpec,
};
use crate::model::{Model, OpCode, Operator, Subgraph, TensorId};
use crate::options::{self, Options};
use crate::tensor::Tensor;

impl ModelSpec {
    /// Takes a model over, so that writing the spec gives a file that behaves the same.
    ///
    /// What Ember does not read is left behind: the ranges that quantization came from, shape signatures with unknown
    /// dimensions, debug metadata.
    ///
    /// # Errors
    /// Options that Ember does not read, where they say something.
    pub fn from_model(model: &Model<'_>) -> Result<Self, WriteError> {
        let SubgraphSpec {
            name,
            tensors,
            operators,
            inputs,
            outputs,
        } = subgraph(&model.main())?;
        Ok(Self {
            description: model.description().to_owned(),
            name,
            tensors,
            operators,
            inputs,
            outputs,
            called: (model.subgraphs().skip(1).map(|graph| subgraph(&graph)))
                .collect::<Result<_, _>>()?,
            signatures: model
                .signatures()
                .map(|signature| SignatureSpec {
                    key: signature.key().to_owned(),
                    subgraph: signature.subgraph().0,
                    inputs: named(signature.inputs()),
                    outputs: named(signature.outputs()),
                })
                .collect(),
            metadata: model
                .metadata_entries()
                .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
                .collect(),
        })
    }
}

fn subgraph(graph: &Subgraph<'_>) -> Result<SubgraphSpec, WriteError> {
    let operators = graph.operators().enumerate();
    Ok(SubgraphSpec {
        name: graph.name().to_owned(),
        tensors: graph.tensors().map(tensor).collect(),
        operators: (operators.map(|(index, op)| operator(index, &op))).collect::<Result<_, _>>()?,
        inputs: graph.inputs().iter().flatten().collect(),
        outputs: graph.outputs().iter().flatten().collect(),
    })
}

fn named<'a>(maps: impl Iterator<Item = (&'a str, TensorId)>) -> Vec<(String, TensorId)> {
    maps.map(|(name, id)| (name.to_owned(), id)).collect()
}

pub(super) fn tensor(tensor: Tensor<'_>) -> TensorSpec {
    let data = tensor.data();
    TensorSpec {
        name: tensor.name().to_owned(),
        dtype: tensor.dtype(),
        shape: tensor.shape().iter().collect(),
        data: (!data.is_empty()).then(|| data.to_vec()),
        quantization: tensor.quantization().map(|quantization| QuantizationSpec {
            scales: quantization.scales().iter().collect(),
            zero_points: quantization.raw_zero_points().iter().collect(),
            quantized_dimension: quantization.quantized_dimension(),
        }),
        is_variable: tensor.is_variable(),
    }
}

pub(super) fn operator(index: usize, operator: &Operator<'_>) -> Result<OperatorSpec, WriteError> {
    let (op, custom_code) = match operator.opcode() {
        OpCode::Builtin(op) => (op, ""),
        OpCode::Custom(name) => (BuiltinOp::Custom, name),
    };
    let code = operator.options_code();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let variable = operator.variable().map(|(container, name)| VariableSpec {
        container: text(container),
        name: text(name),
    });
    if options::code_for(op).is_none() && variable.is_none() && operator.options_say_something() {
        return Err(WriteError::UnreadOptions {
            operator: index,
            op,
            code,
        });
    }
    Ok(OperatorSpec {
        op,
        version: operator.version(),
        inputs: operator.inputs().iter().collect(),
        outputs: operator.outputs().iter().collect(),
        options: if code == 0 {
            Options::None
        } else {
            operator.options()
        },
        variable,
        custom_code: custom_code.to_owned(),
        custom_options: operator.custom_options().to_vec(),
    })
}
