//! From a [`ModelSpec`] to the bytes of a file.

use std::collections::BTreeMap;
use std::vec::Vec;

use ember_core::BuiltinOp;

use super::WriteError;
use super::layout::{Fields, Layout, OptionsFields, Part};
use super::spec::{ModelSpec, OperatorSpec, SignatureSpec, SubgraphSpec, TensorSpec, VariableSpec};
use crate::model::{Model, TensorId};
use crate::options::{self, Options};
use crate::schema::{
    self, buffer, metadata, model, operator, operator_code, quantization_parameters, signature_def,
    sub_graph, tensor, tensor_map,
};

/// The greatest code that fits the older field of an operator code; greater ones leave it at this placeholder.
const GREATEST_DEPRECATED_CODE: i32 = 127;

/// Lays out a file.
///
/// Constants of equal bytes share a buffer, and so do equal strings, vectors and tables. Operator codes are given both
/// in the older and the newer field, as TensorFlow does. Tensors that are not constant use buffer 0, which is empty.
///
/// # Errors
/// What the file format cannot express, and what [`Model::parse`] would refuse.
pub fn write(spec: &ModelSpec) -> Result<Vec<u8>, WriteError> {
    check(spec)?;
    let mut file = File {
        layout: Layout::new(),
        buffers: BTreeMap::new(),
        buffer_parts: Vec::new(),
    };
    let root = file.model(spec);
    let bytes = file.layout.finish(root, schema::IDENTIFIER);
    Model::parse(&bytes)?;
    Ok(bytes)
}

/// What the reader could not tell any more from the bytes.
fn check(spec: &ModelSpec) -> Result<(), WriteError> {
    let graphs = || core::iter::once(Graph::main(spec)).chain(spec.called.iter().map(Graph::of));
    for graph in graphs() {
        check_graph(&graph)?;
    }
    let constants = graphs().flat_map(|graph| graph.tensors);
    let constants = constants.filter_map(|tensor| tensor.data.as_ref());
    let metadata = spec.metadata.iter().map(|(_, bytes)| bytes);
    let bytes = constants.chain(metadata).map(Vec::len).sum();
    // Half of what a flatbuffer can hold leaves room for everything that describes the constants.
    if bytes > (i32::MAX / 2) as usize {
        return Err(WriteError::TooLarge { bytes });
    }
    Ok(())
}

fn check_graph(graph: &Graph<'_>) -> Result<(), WriteError> {
    for (index, tensor) in graph.tensors.iter().enumerate() {
        let too_large = |dim: &usize| i32::try_from(*dim).is_err();
        if let Some(dimension) = tensor.shape.iter().position(too_large) {
            return Err(WriteError::Dimension {
                tensor: index,
                name: tensor.name.clone(),
                dimension,
                found: tensor.shape[dimension],
            });
        }
        if tensor.data.as_ref().is_some_and(Vec::is_empty) {
            return Err(WriteError::EmptyConstant {
                tensor: index,
                name: tensor.name.clone(),
            });
        }
    }
    for (operator, spec) in graph.operators.iter().enumerate() {
        if spec.variable.is_some() && spec.op != BuiltinOp::VarHandle {
            return Err(WriteError::Variable {
                operator,
                op: spec.op,
            });
        }
        let expected = options::code_for(spec.op);
        let found = spec.options.code();
        if found != 0 && Some(found) != expected {
            return Err(WriteError::Options {
                operator,
                op: spec.op,
                found,
                expected,
            });
        }
    }
    Ok(())
}

/// A subgraph of a spec: the main one or another.
struct Graph<'a> {
    name: &'a str,
    tensors: &'a [TensorSpec],
    operators: &'a [OperatorSpec],
    inputs: &'a [TensorId],
    outputs: &'a [TensorId],
}

impl<'a> Graph<'a> {
    fn main(spec: &'a ModelSpec) -> Self {
        Self {
            name: &spec.name,
            tensors: &spec.tensors,
            operators: &spec.operators,
            inputs: &spec.inputs,
            outputs: &spec.outputs,
        }
    }

    fn of(spec: &'a SubgraphSpec) -> Self {
        Self {
            name: &spec.name,
            tensors: &spec.tensors,
            operators: &spec.operators,
            inputs: &spec.inputs,
            outputs: &spec.outputs,
        }
    }
}

struct File<'a> {
    layout: Layout,
    /// Which buffer holds these bytes.
    buffers: BTreeMap<&'a [u8], u32>,
    buffer_parts: Vec<Part>,
}

impl<'a> File<'a> {
    fn model(&mut self, spec: &'a ModelSpec) -> Part {
        self.buffer(&[]);
        let mut codes = Vec::new();
        let mut subgraphs = std::vec![self.subgraph(&Graph::main(spec), &mut codes)];
        for called in &spec.called {
            subgraphs.push(self.subgraph(&Graph::of(called), &mut codes));
        }
        let metadata: Vec<_> = (spec.metadata.iter())
            .map(|(name, bytes)| self.metadata(name, bytes))
            .collect();
        let signatures: Vec<_> = (spec.signatures.iter())
            .map(|signature| self.signature(signature))
            .collect();
        let codes: Vec<_> = codes.iter().map(|code| self.operator_code(code)).collect();
        let mut fields = Fields::default();
        fields.word(model::version, schema::VERSION);
        fields.tables(model::operator_codes, self.layout.tables(&codes));
        fields.tables(model::subgraphs, self.layout.tables(&subgraphs));
        fields.text(model::description, self.layout.text(&spec.description));
        fields.tables(model::buffers, self.layout.tables(&self.buffer_parts));
        fields.tables(model::metadata, self.layout.tables(&metadata));
        fields.tables(model::signature_defs, self.layout.tables(&signatures));
        self.layout.table(fields)
    }

    /// The index of the buffer with these bytes.
    fn buffer(&mut self, bytes: &'a [u8]) -> u32 {
        if let Some(index) = self.buffers.get(bytes) {
            return *index;
        }
        let mut fields = Fields::default();
        if !bytes.is_empty() {
            fields.list(buffer::data, Some(self.layout.data(bytes)));
        }
        let index = self.buffer_parts.len() as u32;
        self.buffer_parts.push(self.layout.table(fields));
        self.buffers.insert(bytes, index);
        index
    }

    fn metadata(&mut self, name: &str, bytes: &'a [u8]) -> Part {
        let mut fields = Fields::default();
        fields.word(metadata::buffer, self.buffer(bytes));
        fields.text(metadata::name, self.layout.text(name));
        self.layout.table(fields)
    }

    fn subgraph(&mut self, spec: &Graph<'a>, codes: &mut Vec<Code<'a>>) -> Part {
        let tensors: Vec<_> = spec
            .tensors
            .iter()
            .map(|tensor| self.tensor(tensor))
            .collect();
        let operators: Vec<_> = (spec.operators.iter())
            .map(|operator| self.operator(operator, codes))
            .collect();
        let mut fields = Fields::default();
        fields.tables(sub_graph::tensors, self.layout.tables(&tensors));
        let inputs = spec.inputs.iter().copied().map(Some);
        fields.tensor_ids(sub_graph::inputs, self.tensor_ids(inputs));
        let outputs = spec.outputs.iter().copied().map(Some);
        fields.tensor_ids(sub_graph::outputs, self.tensor_ids(outputs));
        fields.tables(sub_graph::operators, self.layout.tables(&operators));
        fields.text(sub_graph::name, self.layout.text(spec.name));
        self.layout.table(fields)
    }

    fn tensor_ids(&mut self, ids: impl IntoIterator<Item = Option<TensorId>>) -> Part {
        let ids = ids
            .into_iter()
            .map(|id| id.map_or(schema::LEFT_OUT, |id| id.0));
        self.layout.words(ids)
    }

    fn tensor(&mut self, spec: &'a TensorSpec) -> Part {
        let mut fields = Fields::default();
        let shape = spec.shape.iter().map(|dim| *dim as u32);
        fields.list(tensor::shape, Some(self.layout.words(shape)));
        fields.byte(tensor::dtype, spec.dtype as u8);
        fields.word(
            tensor::buffer,
            self.buffer(spec.data.as_deref().unwrap_or_default()),
        );
        fields.text(tensor::name, self.layout.text(&spec.name));
        if let Some(quantization) = &spec.quantization {
            let mut params = Fields::default();
            let scales = quantization.scales.iter().map(|scale| scale.to_bits());
            params.list(
                quantization_parameters::scale,
                Some(self.layout.words(scales)),
            );
            let zero_points = self.layout.longs(&quantization.zero_points);
            params.list(quantization_parameters::zero_point, Some(zero_points));
            let dimension = quantization.quantized_dimension;
            params.word(quantization_parameters::quantized_dimension, dimension);
            fields.table(tensor::quantization, Some(self.layout.table(params)));
        }
        fields.byte(tensor::is_variable, u8::from(spec.is_variable));
        fields.byte(tensor::has_rank, 1);
        self.layout.table(fields)
    }

    fn operator(&mut self, spec: &'a OperatorSpec, codes: &mut Vec<Code<'a>>) -> Part {
        let code = Code {
            code: spec.op.code(),
            custom: if spec.op == BuiltinOp::Custom {
                &spec.custom_code
            } else {
                ""
            },
            version: spec.version,
        };
        let known = codes.iter().position(|other| *other == code);
        let index = known.unwrap_or_else(|| {
            codes.push(code);
            codes.len() - 1
        });
        let mut fields = Fields::default();
        fields.word(operator::opcode_index, index as u32);
        let inputs = self.tensor_ids(spec.inputs.iter().copied());
        fields.tensor_ids(operator::inputs, inputs);
        let outputs = self.tensor_ids(spec.outputs.iter().copied());
        fields.tensor_ids(operator::outputs, outputs);
        if spec.options != Options::None {
            let mut sink = OptionsFields {
                layout: &mut self.layout,
                fields: Fields::default(),
            };
            spec.options.write(&mut sink);
            let options = sink.fields;
            fields.byte(operator::builtin_options_type, spec.options.code());
            fields.options(operator::builtin_options, Some(self.layout.table(options)));
        }
        if let Some(VariableSpec { container, name }) = &spec.variable {
            let mut texts = Fields::default();
            texts.text(options::VARIABLE_CONTAINER, self.layout.text(container));
            texts.text(options::VARIABLE_NAME, self.layout.text(name));
            fields.byte(operator::builtin_options_type, options::VAR_HANDLE);
            fields.options(operator::builtin_options, Some(self.layout.table(texts)));
        }
        let custom_options = self.layout.bytes(&spec.custom_options);
        fields.list(operator::custom_options, custom_options);
        self.layout.table(fields)
    }

    fn operator_code(&mut self, code: &Code<'_>) -> Part {
        let mut fields = Fields::default();
        let deprecated = code.code.min(GREATEST_DEPRECATED_CODE);
        fields.byte(operator_code::deprecated_builtin_code, deprecated as u8);
        fields.text(operator_code::custom_code, self.layout.text(code.custom));
        fields.word(operator_code::version, code.version);
        fields.word(operator_code::builtin_code, code.code);
        self.layout.table(fields)
    }

    fn signature(&mut self, spec: &SignatureSpec) -> Part {
        let inputs = self.tensor_maps(&spec.inputs);
        let outputs = self.tensor_maps(&spec.outputs);
        let mut fields = Fields::default();
        fields.tables(signature_def::inputs, inputs);
        fields.tables(signature_def::outputs, outputs);
        fields.text(signature_def::signature_key, self.layout.text(&spec.key));
        fields.word(signature_def::subgraph_index, spec.subgraph);
        self.layout.table(fields)
    }

    fn tensor_maps(&mut self, maps: &[(std::string::String, TensorId)]) -> Option<Part> {
        let mut parts = Vec::new();
        for (name, id) in maps {
            let mut fields = Fields::default();
            fields.text(tensor_map::name, self.layout.text(name));
            fields.word(tensor_map::tensor_index, id.0);
            parts.push(self.layout.table(fields));
        }
        self.layout.tables(&parts)
    }
}

/// An operator code: operators of the same code and version share it.
#[derive(PartialEq)]
struct Code<'a> {
    code: i32,
    custom: &'a str,
    version: i32,
}
