//! A float `.tflite` file as a graph: what other converters wrote, to be compressed here.
//!
//! Weights in float16 become f32 (their DEQUANTIZE is left out); a layer without a bias gets zeros; an activation that a
//! pool applies stands alone after it; a dense layer whose input is not `[1, features]` gets a reshape in front. Names that
//! the graph's text form cannot carry are changed in those characters.

use std::collections::BTreeMap;

use ember_core::{Activation, BuiltinOp, Dtype};
use ember_graph::quantized::f16;
use ember_graph::{Graph, GraphBuilder, Op, ValueId, Window};
use ember_tflite::{
    AddOptions, Conv2dOptions, DepthwiseConv2dOptions, FullyConnectedOptions, Model, OpCode,
    Operator, OptionsTable, Pool2dOptions, SoftmaxOptions, Subgraph, Tensor, TensorId,
};

use crate::CodegenError;

/// The graph of a file in float32, its weights in float32 or float16.
///
/// # Errors
/// When the bytes are no model; when it is quantized already; when it has an operator that the graph does not have, an
/// operand that is left out, or a shape that is not known.
pub fn to_graph(bytes: &[u8]) -> Result<Graph, CodegenError> {
    let model = Model::parse(bytes)?;
    let main = model.main();
    let quantized = main.tensors().find(|tensor| {
        let integer = matches!(
            tensor.dtype(),
            Dtype::Int8 | Dtype::Int16 | Dtype::Uint8 | Dtype::Int4
        );
        integer && tensor.quantization().is_some()
    });
    if let Some(tensor) = quantized {
        return Err(CodegenError::AlreadyQuantized {
            tensor: tensor.name().to_owned(),
            dtype: tensor.dtype(),
        });
    }
    let name = if main.name().is_empty() {
        "model"
    } else {
        main.name()
    };
    let mut import = Import {
        main,
        builder: GraphBuilder::new(&usable(name)),
        values: BTreeMap::new(),
    };
    for id in main.inputs().iter().flatten() {
        let tensor = import.tensor(id)?;
        let shape: Vec<usize> = tensor.shape().iter().collect();
        let value = import.builder.input(&usable(tensor.name()), &shape)?;
        import.values.insert(id, value);
    }
    for (position, operator) in main.operators().enumerate() {
        import.operator(position, &operator)?;
    }
    let outputs = main.outputs().iter().flatten().map(|id| import.value(id));
    let outputs = outputs
        .collect::<Vec<_>>()
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    Ok(import.builder.finish(&outputs)?)
}

/// The name with what the text form cannot carry replaced.
fn usable(name: &str) -> String {
    let cannot = |c: char| c.is_whitespace() || c.is_control() || ",()[]=#".contains(c);
    let name = name.replace(cannot, "_");
    if name.is_empty() {
        "tensor".to_owned()
    } else {
        name
    }
}

struct Import<'m> {
    main: Subgraph<'m>,
    builder: GraphBuilder,
    values: BTreeMap<TensorId, ValueId>,
}

impl<'m> Import<'m> {
    fn operator(&mut self, position: usize, operator: &Operator<'m>) -> Result<(), CodegenError> {
        let OpCode::Builtin(builtin) = operator.opcode() else {
            return Err(self.refused(position, operator, "only builtin operators are taken over"));
        };
        let (op, after) = match builtin {
            BuiltinOp::Conv2d => {
                let options: Conv2dOptions = self.options(position, operator)?;
                let window = Window {
                    stride: [options.stride_h, options.stride_w].map(extent),
                    dilation: [options.dilation_h_factor, options.dilation_w_factor].map(extent),
                    padding: options.padding,
                };
                let activation = options.fused_activation_function;
                (Op::Conv2d { window, activation }, Activation::None)
            }
            BuiltinOp::DepthwiseConv2d => {
                let options: DepthwiseConv2dOptions = self.options(position, operator)?;
                let window = Window {
                    stride: [options.stride_h, options.stride_w].map(extent),
                    dilation: [options.dilation_h_factor, options.dilation_w_factor].map(extent),
                    padding: options.padding,
                };
                let activation = options.fused_activation_function;
                (Op::DepthwiseConv2d { window, activation }, Activation::None)
            }
            BuiltinOp::FullyConnected => {
                let options: FullyConnectedOptions = self.options(position, operator)?;
                let activation = options.fused_activation_function;
                (Op::FullyConnected { activation }, Activation::None)
            }
            BuiltinOp::MaxPool2d | BuiltinOp::AveragePool2d => {
                let options: Pool2dOptions = self.options(position, operator)?;
                let size = [options.filter_height, options.filter_width].map(extent);
                let window = Window {
                    stride: [options.stride_h, options.stride_w].map(extent),
                    dilation: [1, 1],
                    padding: options.padding,
                };
                let op = if builtin == BuiltinOp::MaxPool2d {
                    Op::MaxPool2d { size, window }
                } else {
                    Op::AveragePool2d { size, window }
                };
                (op, options.fused_activation_function)
            }
            BuiltinOp::Add => {
                let options: AddOptions = self.options(position, operator)?;
                let activation = options.fused_activation_function;
                (Op::Add { activation }, Activation::None)
            }
            BuiltinOp::Softmax => {
                let options: SoftmaxOptions = self.options(position, operator)?;
                (Op::Softmax { beta: options.beta }, Activation::None)
            }
            BuiltinOp::Reshape => {
                let shape = self.output(position, operator)?.shape().iter().collect();
                (Op::Reshape { shape }, Activation::None)
            }
            BuiltinOp::Pad => (self.pad(position, operator)?, Activation::None),
            BuiltinOp::Relu => (Op::Relu, Activation::None),
            BuiltinOp::Relu6 => (Op::Relu6, Activation::None),
            BuiltinOp::Dequantize => return self.widen(position, operator),
            _ => return Err(self.refused(position, operator, "the graph does not have it")),
        };
        self.node(position, operator, op, after)
    }

    /// Adds the node, and what it applies to its result where that is a node of its own.
    fn node(
        &mut self,
        position: usize,
        operator: &Operator<'m>,
        op: Op,
        after: Activation,
    ) -> Result<(), CodegenError> {
        let output = self.output(position, operator)?;
        let stem = usable(output.name());
        let mut operands = Vec::new();
        for (index, role) in op.operands().iter().enumerate() {
            let id = operator.inputs().get(index);
            operands.push(match id {
                Some(id) => self.value(id)?,
                None if *role == ember_graph::Role::Bias => {
                    let channels = output.shape().last().unwrap_or(1);
                    let bias = format!("{stem}.bias");
                    self.builder
                        .constant(&bias, &[channels], vec![0.0; channels])?
                }
                None => return Err(self.refused(position, operator, "an operand is left out")),
            });
        }
        if let (Op::FullyConnected { .. }, [input, weights, ..]) = (&op, &operands[..]) {
            let (input, weights) = (*input, self.builder.shape(*weights).unwrap_or_default());
            let features = weights.last().copied().unwrap_or(1);
            let shape = self.builder.shape(input).unwrap_or_default();
            if shape.len() != 2 && shape.iter().product::<usize>() == features {
                operands[0] = self.builder.reshape(input, &[1, features])?;
            }
        }
        let mut value = match after {
            Activation::None => self.builder.node(&stem, op, &operands)?,
            _ => self
                .builder
                .node(&format!("{stem}.before"), op, &operands)?,
        };
        value = match after {
            Activation::None => value,
            Activation::Relu => self.builder.node(&stem, Op::Relu, &[value])?,
            Activation::Relu6 => self.builder.node(&stem, Op::Relu6, &[value])?,
            Activation::ReluN1To1 | Activation::Tanh | Activation::SignBit => {
                return Err(self.refused(position, operator, "its activation cannot stand alone"));
            }
        };
        if let Some(id) = operator.outputs().get(0) {
            self.values.insert(id, value);
        }
        Ok(())
    }

    /// A DEQUANTIZE of constants: its result is the constant.
    fn widen(&mut self, position: usize, operator: &Operator<'m>) -> Result<(), CodegenError> {
        let (Some(from), Some(to)) = (operator.inputs().get(0), operator.outputs().get(0)) else {
            return Err(self.refused(position, operator, "an operand is left out"));
        };
        if self.tensor(from)?.data().is_empty() {
            return Err(self.refused(position, operator, "only constants are made float32"));
        }
        let value = self.value(from)?;
        self.values.insert(to, value);
        Ok(())
    }

    fn pad(&self, position: usize, operator: &Operator<'m>) -> Result<Op, CodegenError> {
        let paddings = operator.inputs().get(1).and_then(|id| self.main.tensor(id));
        let data = paddings.map_or(&[][..], |tensor| tensor.data());
        let numbers: Vec<usize> = (data.as_chunks::<4>().0.iter())
            .map(|bytes| extent(i32::from_le_bytes(*bytes)))
            .collect();
        match numbers[..] {
            [0, 0, top, bottom, left, right, 0, 0] => Ok(Op::Pad {
                before: [top, left],
                after: [bottom, right],
            }),
            _ => Err(self.refused(
                position,
                operator,
                "it pads other than rows and columns of an image",
            )),
        }
    }

    fn options<T: OptionsTable>(
        &self,
        position: usize,
        operator: &Operator<'m>,
    ) -> Result<T, CodegenError> {
        let options = operator.options_as::<T>();
        options
            .ok_or_else(|| self.refused(position, operator, "its options are of another operator"))
    }

    fn output(&self, position: usize, operator: &Operator<'m>) -> Result<Tensor<'m>, CodegenError> {
        let output = operator
            .outputs()
            .get(0)
            .and_then(|id| self.main.tensor(id));
        output.ok_or_else(|| self.refused(position, operator, "it has no output"))
    }

    /// The value of a tensor: made before, or a constant.
    fn value(&mut self, id: TensorId) -> Result<ValueId, CodegenError> {
        if let Some(value) = self.values.get(&id) {
            return Ok(*value);
        }
        let tensor = self.tensor(id)?;
        let numbers: Option<Vec<f32>> = match tensor.dtype() {
            Dtype::Float32 => {
                let (numbers, _) = tensor.data().as_chunks::<4>();
                Some(
                    numbers
                        .iter()
                        .map(|bytes| f32::from_le_bytes(*bytes))
                        .collect(),
                )
            }
            Dtype::Float16 => {
                let (numbers, _) = tensor.data().as_chunks::<2>();
                Some(
                    numbers
                        .iter()
                        .map(|bytes| f16::from_le_bytes(*bytes).to_f32())
                        .collect(),
                )
            }
            _ => None,
        };
        let shape: Vec<usize> = tensor.shape().iter().collect();
        let numbers = numbers.filter(|_| !tensor.data().is_empty());
        let Some(numbers) = numbers else {
            return Err(CodegenError::Import {
                place: format!("tensor {:?}", tensor.name()),
                problem: format!("{} that nothing before it makes", tensor.dtype()),
            });
        };
        let value = self
            .builder
            .constant(&usable(tensor.name()), &shape, numbers)?;
        self.values.insert(id, value);
        Ok(value)
    }

    fn tensor(&self, id: TensorId) -> Result<Tensor<'m>, CodegenError> {
        self.main.tensor(id).ok_or_else(|| CodegenError::Import {
            place: format!("tensor {}", id.0),
            problem: "there is none".to_owned(),
        })
    }

    fn refused(&self, position: usize, operator: &Operator<'m>, problem: &str) -> CodegenError {
        let name = match operator.opcode() {
            OpCode::Builtin(op) => op.name(),
            OpCode::Custom(name) => name,
        };
        CodegenError::Import {
            place: format!("operator {position} ({name})"),
            problem: problem.to_owned(),
        }
    }
}

/// A size in an options table; what is negative is refused as 0 is, where the graph checks it.
fn extent(number: i32) -> usize {
    usize::try_from(number).unwrap_or(0)
}
