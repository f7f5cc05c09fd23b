//! A small model of many operators, written here: what single-operator goldens do not have. Two values live at once over
//! several operators, float and int8 meet, and there is a signature and, on request, an arena plan.

use ember_core::{Activation, BuiltinOp, Dtype, Padding};
use ember_tflite::write::{
    ModelSpec, OperatorSpec, QuantizationSpec, SignatureSpec, TensorSpec, write,
};
use ember_tflite::{
    AddOptions, Conv2dOptions, DepthwiseConv2dOptions, FullyConnectedOptions, Options,
    Pool2dOptions, SoftmaxOptions, TensorId, UNPLANNED,
};

use crate::aligned::AlignedBytes;

/// Elements of the model's float32 input `[1, 6, 6, 1]`.
pub const INPUT_ELEMENTS: usize = 36;

/// Elements of the model's float32 output `[1, 4]`, which are probabilities.
pub const OUTPUT_ELEMENTS: usize = 4;

/// The scale of the quantized input: pixels of 0 to 1 as int8.
const PIXEL: f32 = 1.0 / 255.0;

/// Bytes between the starts of two tensors in the arena plan; no tensor of the model is larger.
const PLAN_STEP: i32 = 160;

struct Builder {
    spec: ModelSpec,
}

impl Builder {
    fn value(&mut self, dtype: Dtype, shape: &[usize], scale: f32, zero_point: i32) -> TensorId {
        let tensor = TensorSpec::new("", dtype, shape);
        self.spec.push_tensor(match dtype {
            Dtype::Float32 => tensor,
            _ => tensor.with_quantization(QuantizationSpec::per_tensor(scale, zero_point)),
        })
    }

    /// int8 weights: a fixed pattern with both signs.
    fn weights(&mut self, shape: &[usize], scales: &[f32], dimension: i32) -> TensorId {
        let elements = shape.iter().product::<usize>();
        let data: Vec<u8> = (0..elements).map(|i| (i * 37 % 255) as u8).collect();
        let quantization = QuantizationSpec::per_channel(scales, dimension);
        let tensor = TensorSpec::new("", Dtype::Int8, shape);
        self.spec
            .push_tensor(tensor.with_data(data).with_quantization(quantization))
    }

    /// An int32 bias in the scale of the products, one scale or one per channel.
    fn bias(&mut self, values: &[i32], input_scale: f32, weight_scales: &[f32]) -> TensorId {
        let scales: Vec<f32> = weight_scales.iter().map(|s| s * input_scale).collect();
        let tensor = int32(values).with_quantization(QuantizationSpec::per_channel(scales, 0));
        self.spec.push_tensor(tensor)
    }

    fn operator(
        &mut self,
        op: BuiltinOp,
        inputs: &[TensorId],
        output: TensorId,
        options: impl Into<Options>,
    ) {
        let operator = OperatorSpec::new(op, inputs.iter().copied(), [output], options);
        self.spec.operators.push(operator.with_version(2));
    }
}

fn int32(values: &[i32]) -> TensorSpec {
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    TensorSpec::new("", Dtype::Int32, [values.len()]).with_data(data)
}

/// The model's file: QUANTIZE, CONV_2D, DEPTHWISE_CONV_2D, ADD of both, MAX_POOL_2D, RESHAPE, FULLY_CONNECTED, SOFTMAX,
/// DEQUANTIZE.
///
/// # Panics
/// When the writer refuses it.
#[must_use]
pub fn model(with_plan: bool) -> AlignedBytes {
    let mut b = Builder {
        spec: ModelSpec::default(),
    };
    let same = Padding::Same;
    let relu = Activation::Relu;
    let (f32, i8) = (Dtype::Float32, Dtype::Int8);

    let image = b.value(f32, &[1, 6, 6, 1], 0.0, 0);
    let quantized = b.value(i8, &[1, 6, 6, 1], PIXEL, -128);
    b.operator(BuiltinOp::Quantize, &[image], quantized, Options::None);

    let filter = b.weights(&[2, 3, 3, 1], &[0.004, 0.01], 0);
    let bias = b.bias(&[100, -900], PIXEL, &[0.004, 0.01]);
    let features = b.value(i8, &[1, 6, 6, 2], 0.02, -128);
    let conv = Conv2dOptions {
        padding: same,
        stride_w: 1,
        stride_h: 1,
        fused_activation_function: relu,
        ..Conv2dOptions::default()
    };
    b.operator(
        BuiltinOp::Conv2d,
        &[quantized, filter, bias],
        features,
        conv,
    );

    let filter = b.weights(&[1, 3, 3, 2], &[0.005, 0.003], 3);
    let bias = b.bias(&[0, 50], 0.02, &[0.005, 0.003]);
    let deeper = b.value(i8, &[1, 6, 6, 2], 0.03, 4);
    let depthwise = DepthwiseConv2dOptions {
        padding: same,
        stride_w: 1,
        stride_h: 1,
        depth_multiplier: 1,
        ..DepthwiseConv2dOptions::default()
    };
    b.operator(
        BuiltinOp::DepthwiseConv2d,
        &[features, filter, bias],
        deeper,
        depthwise,
    );

    let sum = b.value(i8, &[1, 6, 6, 2], 0.04, -10);
    b.operator(
        BuiltinOp::Add,
        &[features, deeper],
        sum,
        AddOptions::default(),
    );

    let pooled = b.value(i8, &[1, 3, 3, 2], 0.04, -10);
    let pool = Pool2dOptions {
        padding: Padding::Valid,
        stride_w: 2,
        stride_h: 2,
        filter_width: 2,
        filter_height: 2,
        ..Pool2dOptions::default()
    };
    b.operator(BuiltinOp::MaxPool2d, &[sum], pooled, pool);

    let shape = b.spec.push_tensor(int32(&[1, -1]));
    let flat = b.value(i8, &[1, 18], 0.04, -10);
    b.operator(BuiltinOp::Reshape, &[pooled, shape], flat, Options::None);

    let weights = b.weights(&[4, 18], &[0.006], 0);
    let bias = b.bias(&[3, -3, 300, 0], 0.04, &[0.006]);
    let logits = b.value(i8, &[1, 4], 0.2, 12);
    let dense = FullyConnectedOptions::default();
    b.operator(
        BuiltinOp::FullyConnected,
        &[flat, weights, bias],
        logits,
        dense,
    );

    let probabilities = b.value(i8, &[1, 4], 1.0 / 256.0, -128);
    let softmax = SoftmaxOptions { beta: 1.0 };
    b.operator(BuiltinOp::Softmax, &[logits], probabilities, softmax);

    let scores = b.value(f32, &[1, 4], 0.0, 0);
    b.operator(
        BuiltinOp::Dequantize,
        &[probabilities],
        scores,
        Options::None,
    );

    let mut spec = b.spec;
    spec.inputs = vec![image];
    spec.outputs = vec![scores];
    spec.signatures = vec![SignatureSpec {
        key: SignatureSpec::DEFAULT_KEY.to_owned(),
        inputs: vec![("image".to_owned(), image)],
        outputs: vec![("scores".to_owned(), scores)],
        ..SignatureSpec::default()
    }];
    if with_plan {
        let mut next = 0;
        let mut place = |tensor: &TensorSpec| {
            if tensor.data.is_some() {
                return UNPLANNED;
            }
            next += PLAN_STEP;
            next - PLAN_STEP
        };
        let offsets: Vec<i32> = spec.tensors.iter().map(&mut place).collect();
        spec.set_arena_plan(&offsets);
    }
    AlignedBytes::copy_of(&write(&spec).expect("the sample model is a valid one"))
}
