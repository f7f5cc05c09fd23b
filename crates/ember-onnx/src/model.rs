//! The file as a whole: its version, its inputs and outputs, its nodes.

use std::path::Path;

use onnx_ir::{Message as _, ModelProto, TypeProto, ValueInfoProto};

use crate::OnnxError;
use crate::node::OnnxNode;
use crate::tensor::{self, FLOAT, INT8, UINT8};

/// The versions of ONNX's operators that are understood: before 7, operators broadcast by attributes; what comes after the
/// last one could mean something else.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=26;

/// A file that was read, and the folder that it is from.
pub(crate) struct Model<'f> {
    proto: ModelProto,
    opset: i64,
    /// Where files beside it are looked for.
    pub(crate) folder: Option<&'f Path>,
}

/// What the file says of an input.
pub(crate) struct Declared {
    /// Extents, in the file's order, the batch 1.
    pub(crate) shape: Vec<usize>,
    /// Whether it is given as INT8 or UINT8.
    pub(crate) integer: bool,
}

impl<'f> Model<'f> {
    /// Reads the file's bytes.
    ///
    /// # Errors
    /// When they are no ONNX model, or one of another version.
    pub(crate) fn parse(bytes: &[u8], folder: Option<&'f Path>) -> Result<Self, OnnxError> {
        let not = |problem: String| OnnxError::NotOnnx { problem };
        let proto = ModelProto::parse_from_bytes(bytes)
            .map_err(|error| not(format!("{error}; is the file whole?")))?;
        if proto.graph.is_none() {
            return Err(not("the file holds no graph".to_owned()));
        }
        if let Some(function) = proto.functions.first() {
            return Err(not(format!(
                "it defines the function {:?}: export it with all functions inlined",
                function.name
            )));
        }
        let mut sets = proto.opset_import.iter();
        let Some(set) = sets.find(|set| matches!(set.domain.as_str(), "" | "ai.onnx")) else {
            return Err(not(
                "it does not say which version of ONNX's operators (opset) it is for".to_owned(),
            ));
        };
        let opset = set.version;
        if !OPSETS.contains(&opset) {
            return Err(not(format!(
                "it is for version {opset} of ONNX's operators (opset); supported are {} to {}: export it for one of them",
                OPSETS.start(),
                OPSETS.end()
            )));
        }
        Ok(Self {
            proto,
            opset,
            folder,
        })
    }

    pub(crate) fn nodes(&self) -> Vec<OnnxNode<'_>> {
        let nodes = self.proto.graph.node.iter();
        nodes.map(|node| OnnxNode::new(node, self.opset)).collect()
    }

    pub(crate) fn initializers(&self) -> &[onnx_ir::TensorProto] {
        &self.proto.graph.initializer
    }

    /// The inputs that are not constants.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &ValueInfoProto> {
        let constants = &self.proto.graph.initializer;
        let graph = self.proto.graph.input.iter();
        graph.filter(|input| !constants.iter().any(|constant| constant.name == input.name))
    }

    pub(crate) fn outputs(&self) -> &[ValueInfoProto] {
        &self.proto.graph.output
    }
}

/// The shape and type of an input, its batch made 1.
///
/// # Errors
/// When it is no tensor of real numbers or 8 bit integers, or its shape is open.
pub(crate) fn declared(input: &ValueInfoProto) -> Result<Declared, OnnxError> {
    let fault = |problem: String| OnnxError::Interface {
        direction: "input",
        name: input.name.clone(),
        problem,
    };
    let declared = input
        .type_
        .as_ref()
        .filter(|kind| TypeProto::has_tensor_type(kind));
    let Some(declared) = declared.map(TypeProto::tensor_type) else {
        return Err(fault("is no tensor".to_owned()));
    };
    let integer = match declared.elem_type {
        FLOAT => false,
        INT8 | UINT8 => true,
        other => {
            return Err(fault(format!(
                "is {}, and must be FLOAT, or INT8 or UINT8 in front of a DequantizeLinear",
                tensor::type_name(other)
            )));
        }
    };
    let Some(dims) = declared.shape.as_ref() else {
        return Err(fault(
            "has no shape: export it with the shape of its inputs".to_owned(),
        ));
    };
    let mut shape = Vec::with_capacity(dims.dim.len());
    for (index, dim) in dims.dim.iter().enumerate() {
        let known = usize::try_from(dim.dim_value()).unwrap_or(0);
        let extent = match (index, known) {
            // What is fixed may be no batch: the nodes that need one say so.
            (0, 0) => 1,
            (_, 0) => {
                let name = match dim.dim_param() {
                    "" => "open".to_owned(),
                    name => format!("open ({name:?})"),
                };
                return Err(fault(format!(
                    "dimension {index} is {name}: only the first one, the batch, may be; export it with a fixed shape"
                )));
            }
            (_, extent) => extent,
        };
        shape.push(extent);
    }
    Ok(Declared { shape, integer })
}
