//! A node of a graph as an operator of a file, its options and its version.

mod weightless;

use std::collections::BTreeMap;

use ember_core::{BuiltinOp, Dtype};
use ember_graph::{Node, Op, Window};
use ember_tflite::write::{ModelSpec, OperatorSpec, TensorSpec};
use ember_tflite::{
    AddOptions, Conv2dOptions, DepthwiseConv2dOptions, FullyConnectedOptions, Options,
    Pool2dOptions, SoftmaxOptions, TensorId, TransposeConvOptions,
};

use super::{tensor, version};
use crate::CodegenError;

/// The operator of `node`, whose operands and result are tensors of `spec`. A reshape adds the tensor of its shape.
pub(super) fn operator(spec: &mut ModelSpec, node: &Node) -> Result<OperatorSpec, CodegenError> {
    let output = &spec.tensors[node.output.index()];
    let fields = Fields::of_node(&output.name);
    let mut inputs: Vec<TensorId> = node.inputs.iter().map(|id| tensor(*id)).collect();
    let (op, options): (BuiltinOp, Options) = match &node.op {
        Op::Conv2d { window, activation } => {
            let fields = fields.of(window);
            let options = Conv2dOptions {
                padding: window.padding,
                stride_w: fields.stride(1)?,
                stride_h: fields.stride(0)?,
                fused_activation_function: *activation,
                dilation_w_factor: fields.dilation(1)?,
                dilation_h_factor: fields.dilation(0)?,
                quantized_bias_type: bias_type(spec, node),
            };
            (BuiltinOp::Conv2d, options.into())
        }
        Op::DepthwiseConv2d { window, activation } => {
            let fields = fields.of(window);
            let channels = |id: ember_graph::ValueId| spec.tensors[id.index()].shape[3];
            let multiplier = channels(node.output) / channels(node.inputs[0]);
            let options = DepthwiseConv2dOptions {
                padding: window.padding,
                stride_w: fields.stride(1)?,
                stride_h: fields.stride(0)?,
                depth_multiplier: fields.number("channel multiplier", multiplier)?,
                fused_activation_function: *activation,
                dilation_w_factor: fields.dilation(1)?,
                dilation_h_factor: fields.dilation(0)?,
            };
            (BuiltinOp::DepthwiseConv2d, options.into())
        }
        Op::TransposeConv {
            size,
            window,
            activation,
        } => {
            let fields = fields.of(window);
            let options = TransposeConvOptions {
                padding: window.padding,
                stride_w: fields.stride(1)?,
                stride_h: fields.stride(0)?,
                fused_activation_function: *activation,
                quantized_bias_type: bias_type(spec, node),
            };
            let filters = output.shape.get(3).copied().unwrap_or(1);
            let name = output.name.clone();
            let shape = [1, size[0], size[1], filters];
            let shape = weightless::integers(spec, &name, "shape", &shape)?;
            // The output's shape, the filter, the image and the bias.
            inputs = vec![shape, inputs[1], inputs[0], inputs[2]];
            (BuiltinOp::TransposeConv, options.into())
        }
        Op::Weightless(op) => {
            let (name, dtype) = (output.name.clone(), output.dtype);
            let (op, options, constants) = weightless::operator(spec, op, &name, dtype)?;
            inputs.extend(constants);
            (op, options)
        }
        Op::FullyConnected { activation } => {
            let options = FullyConnectedOptions {
                fused_activation_function: *activation,
                // Float activations that meet integer weights are rounded with a zero point, which errs less.
                asymmetric_quantize_inputs: version::is_hybrid(spec, node),
                quantized_bias_type: bias_type(spec, node),
                ..FullyConnectedOptions::default()
            };
            (BuiltinOp::FullyConnected, options.into())
        }
        Op::MaxPool2d { size, window } => (
            BuiltinOp::MaxPool2d,
            pool(&fields.of(window), *size, window)?,
        ),
        Op::AveragePool2d { size, window } => (
            BuiltinOp::AveragePool2d,
            pool(&fields.of(window), *size, window)?,
        ),
        Op::Add { activation } => {
            let options = AddOptions {
                fused_activation_function: *activation,
                // It says how int16 is scaled; elsewhere it stays at its default.
                pot_scale_int16: output.dtype != Dtype::Int16,
            };
            (BuiltinOp::Add, options.into())
        }
        Op::Reshape { shape } => {
            let mut bytes = Vec::with_capacity(4 * shape.len());
            for extent in shape {
                bytes.extend(fields.number("shape", *extent)?.to_le_bytes());
            }
            let constant = TensorSpec::new(
                format!("{}.shape", output.name),
                Dtype::Int32,
                vec![shape.len()],
            );
            inputs.push(spec.push_tensor(constant.with_data(bytes)));
            (BuiltinOp::Reshape, Options::None)
        }
        Op::Pad { before, after } => {
            let mut bytes = Vec::with_capacity(32);
            let image = [[0, 0], [before[0], after[0]], [before[1], after[1]], [0, 0]];
            for extent in image.as_flattened() {
                bytes.extend(fields.number("padding", *extent)?.to_le_bytes());
            }
            let name = format!("{}.paddings", output.name);
            let constant = TensorSpec::new(name, Dtype::Int32, [4, 2]);
            inputs.push(spec.push_tensor(constant.with_data(bytes)));
            (BuiltinOp::Pad, Options::None)
        }
        // Between real numbers there is nothing to convert, and no kernel that would.
        Op::Quantize | Op::Dequantize
            if output.dtype == spec.tensors[node.inputs[0].index()].dtype
                && output.dtype == Dtype::Float32 =>
        {
            return Err(CodegenError::NoOperator {
                node: output.name.clone(),
                op: node.op.name(),
            });
        }
        Op::Quantize => (BuiltinOp::Quantize, Options::None),
        Op::Dequantize => (BuiltinOp::Dequantize, Options::None),
        Op::BatchNorm { .. } => {
            return Err(CodegenError::NoOperator {
                node: output.name.clone(),
                op: node.op.name(),
            });
        }
        Op::Relu => (BuiltinOp::Relu, Options::None),
        Op::Relu6 => (BuiltinOp::Relu6, Options::None),
        Op::Softmax { beta } => (BuiltinOp::Softmax, SoftmaxOptions { beta: *beta }.into()),
    };
    let version = version::of(spec, node);
    Ok(OperatorSpec::new(op, inputs, [tensor(node.output)], options).with_version(version))
}

/// The type of a bias beside int16 activations, which the operator names; elsewhere the default, which names none.
fn bias_type(spec: &ModelSpec, node: &Node) -> Dtype {
    let bias = node.inputs.get(2).map(|id| spec.tensors[id.index()].dtype);
    bias.filter(|dtype| *dtype == Dtype::Int64)
        .unwrap_or(Dtype::Float32)
}

/// Adds a DEQUANTIZE for each constant in float16: the float32 tensor that stands for each.
pub(super) fn widen_constants(spec: &mut ModelSpec) -> BTreeMap<TensorId, TensorId> {
    let mut widened = BTreeMap::new();
    for index in 0..spec.tensors.len() {
        let tensor = &spec.tensors[index];
        if tensor.dtype != Dtype::Float16 {
            continue;
        }
        let name = format!("{}.float32", tensor.name);
        let wide = TensorSpec::new(name, Dtype::Float32, tensor.shape.clone());
        let (narrow, wide) = (TensorId(index as u32), spec.push_tensor(wide));
        let operator = OperatorSpec::new(BuiltinOp::Dequantize, [narrow], [wide], Options::None);
        spec.operators
            .push(operator.with_version(version::DEQUANTIZE_FLOAT16));
        widened.insert(narrow, wide);
    }
    widened
}

fn pool(fields: &Fields<'_>, size: [usize; 2], window: &Window) -> Result<Options, CodegenError> {
    let options = Pool2dOptions {
        padding: window.padding,
        stride_w: fields.stride(1)?,
        stride_h: fields.stride(0)?,
        filter_width: fields.number("window", size[1])?,
        filter_height: fields.number("window", size[0])?,
        ..Pool2dOptions::default()
    };
    Ok(options.into())
}

/// Sizes on their way into the 32-bit fields of an options table.
struct Fields<'g> {
    node: &'g str,
    window: Option<&'g Window>,
}

impl<'g> Fields<'g> {
    const fn of_node(node: &'g str) -> Self {
        Self { node, window: None }
    }

    fn of(&self, window: &'g Window) -> Self {
        Self {
            window: Some(window),
            ..*self
        }
    }

    fn stride(&self, axis: usize) -> Result<i32, CodegenError> {
        self.number(
            "stride",
            self.window.map_or(1, |window| window.stride[axis]),
        )
    }

    fn dilation(&self, axis: usize) -> Result<i32, CodegenError> {
        self.number(
            "dilation",
            self.window.map_or(1, |window| window.dilation[axis]),
        )
    }

    fn number(&self, attribute: &'static str, found: usize) -> Result<i32, CodegenError> {
        i32::try_from(found).map_err(|_| CodegenError::Attribute {
            node: self.node.to_owned(),
            attribute,
            found,
        })
    }
}
