//! What the tests of the runtime share: aligned memory and small models.
#![allow(dead_code, reason = "each test program uses its part")]

use ember_core::{Activation, BuiltinOp, Dtype, Padding};
use ember_micro::{Interpreter, PrepareError, Registration};
use ember_tflite::write::{ModelSpec, OperatorSpec, QuantizationSpec, TensorSpec, write};
use ember_tflite::{
    Conv2dOptions, FullyConnectedOptions, Model, Options, Pool2dOptions, ReshapeOptions,
    SoftmaxOptions, TensorId,
};

/// Bytes that begin at a multiple of 16.
pub(crate) struct Aligned {
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl Aligned {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut memory = vec![0; bytes.len() + 16];
        let start = memory.as_ptr().align_offset(16);
        memory[start..start + bytes.len()].copy_from_slice(bytes);
        Self {
            memory,
            start,
            len: bytes.len(),
        }
    }

    /// An arena in which nothing is zero.
    pub(crate) fn arena(len: usize) -> Self {
        Self::new(&vec![0xa5; len])
    }

    pub(crate) fn model(spec: &ModelSpec) -> Self {
        Self::new(&write(spec).unwrap())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.len]
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

pub(crate) fn int8(name: &str, shape: &[usize], scale: f32, zero_point: i32) -> TensorSpec {
    TensorSpec::new(name, Dtype::Int8, shape)
        .with_quantization(QuantizationSpec::per_tensor(scale, zero_point))
}

pub(crate) fn float32(name: &str, shape: &[usize]) -> TensorSpec {
    TensorSpec::new(name, Dtype::Float32, shape)
}

/// The tensors of [`classifier`] by what they are.
pub(crate) mod at {
    use super::TensorId;

    pub(crate) const IMAGE: TensorId = TensorId(0);
    pub(crate) const FILTER: TensorId = TensorId(1);
    pub(crate) const FILTER_BIAS: TensorId = TensorId(2);
    pub(crate) const FEATURES: TensorId = TensorId(3);
    pub(crate) const POOLED: TensorId = TensorId(4);
    pub(crate) const FLAT: TensorId = TensorId(5);
    pub(crate) const WEIGHTS: TensorId = TensorId(6);
    pub(crate) const BIAS: TensorId = TensorId(7);
    pub(crate) const LOGITS: TensorId = TensorId(8);
    pub(crate) const SCORES: TensorId = TensorId(9);
}

/// Image `[1, 6, 6, 1]` → convolution of 2 channels → pooling → reshape → dense 3 → softmax, all int8.
pub(crate) fn classifier() -> ModelSpec {
    let mut spec = ModelSpec::default();
    let ramp = |len: u8| (0..len).map(|x| x.wrapping_mul(37)).collect::<Vec<u8>>();
    let per_channel = |scales: &[f32]| QuantizationSpec::per_channel(scales.to_vec(), 0);
    for tensor in [
        int8("image", &[1, 6, 6, 1], 0.02, -128),
        int8("filter", &[2, 3, 3, 1], 0.01, 0)
            .with_quantization(per_channel(&[0.01, 0.02]))
            .with_data(ramp(18)),
        TensorSpec::new("filter bias", Dtype::Int32, [2])
            .with_quantization(per_channel(&[0.0002, 0.0004]))
            .with_data(vec![100, 0, 0, 0, 200, 0, 0, 0]),
        int8("features", &[1, 4, 4, 2], 0.05, -128),
        int8("pooled", &[1, 2, 2, 2], 0.05, -128),
        int8("flat", &[1, 8], 0.05, -128),
        int8("weights", &[3, 8], 0.001, 0).with_data(ramp(24)),
        TensorSpec::new("bias", Dtype::Int32, [3])
            .with_quantization(QuantizationSpec::per_tensor(0.00005, 0))
            .with_data(vec![1, 0, 0, 0, 2, 0, 0, 0, 0xf0, 0xff, 0xff, 0xff]),
        int8("logits", &[1, 3], 0.1, 4),
        int8("scores", &[1, 3], 1.0 / 256.0, -128),
    ] {
        spec.push_tensor(tensor);
    }
    let conv = Conv2dOptions {
        padding: Padding::Valid,
        stride_w: 1,
        stride_h: 1,
        fused_activation_function: Activation::Relu,
        ..Conv2dOptions::default()
    };
    let pool = Pool2dOptions {
        padding: Padding::Valid,
        stride_w: 2,
        stride_h: 2,
        filter_width: 2,
        filter_height: 2,
        fused_activation_function: Activation::None,
    };
    spec.operators = vec![
        OperatorSpec::new(
            BuiltinOp::Conv2d,
            [at::IMAGE, at::FILTER, at::FILTER_BIAS],
            [at::FEATURES],
            conv,
        )
        .with_version(3),
        OperatorSpec::new(BuiltinOp::MaxPool2d, [at::FEATURES], [at::POOLED], pool).with_version(2),
        OperatorSpec::new(
            BuiltinOp::Reshape,
            [at::POOLED],
            [at::FLAT],
            ReshapeOptions::default(),
        ),
        OperatorSpec::new(
            BuiltinOp::FullyConnected,
            [at::FLAT, at::WEIGHTS, at::BIAS],
            [at::LOGITS],
            FullyConnectedOptions::default(),
        )
        .with_version(4),
        OperatorSpec::new(
            BuiltinOp::Softmax,
            [at::LOGITS],
            [at::SCORES],
            SoftmaxOptions { beta: 1.0 },
        )
        .with_version(2),
    ];
    (spec.inputs, spec.outputs) = (vec![at::IMAGE], vec![at::SCORES]);
    spec
}

/// One operator on activations alone, without options.
pub(crate) fn operator(op: BuiltinOp, inputs: &[u32], outputs: &[u32]) -> OperatorSpec {
    let ids = |ids: &[u32]| ids.iter().copied().map(TensorId).collect::<Vec<_>>();
    OperatorSpec::new(op, ids(inputs), ids(outputs), Options::None)
}

/// What preparing a model says.
pub(crate) fn prepare(
    spec: &ModelSpec,
    registry: &'static [Registration],
) -> Result<(), PrepareError> {
    let bytes = Aligned::model(spec);
    let model = Model::parse(bytes.bytes()).unwrap();
    let mut arena = Aligned::arena(1 << 14);
    Interpreter::new(&model, registry, arena.bytes_mut()).map(|_| ())
}
