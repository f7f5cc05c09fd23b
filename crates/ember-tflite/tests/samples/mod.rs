//! Small models that together use all that the reader reads: the seeds of the mutations and of the fuzzer's corpus.

use ember_core::{Activation, BuiltinOp, Dtype, Padding};
use ember_tflite::write::{ModelSpec, OperatorSpec, QuantizationSpec, SignatureSpec, TensorSpec};
use ember_tflite::{
    AddOptions, Conv2dOptions, DepthwiseConv2dOptions, Dims, FullyConnectedOptions, Options,
    PackOptions, Pool2dOptions, ReshapeOptions, ShapeOptions, SoftmaxOptions, StridedSliceOptions,
    TensorId, UNPLANNED,
};

/// The samples with the names of their files.
pub(crate) fn all() -> [(&'static str, ModelSpec); 4] {
    [
        ("cnn_int8", cnn_int8()),
        ("dense_float32", dense_float32()),
        ("flatten", flatten()),
        ("odd", odd()),
    ]
}

/// Bytes that are not all equal.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 7 % 251) as u8).collect()
}

fn int8(name: &str, shape: &[usize], scale: f32) -> TensorSpec {
    TensorSpec::new(name, Dtype::Int8, shape)
        .with_quantization(QuantizationSpec::per_tensor(scale, -128))
}

/// A convolution, a pooling, a depthwise convolution and a dense layer with per-channel scales, signature, arena plan.
fn cnn_int8() -> ModelSpec {
    let mut spec = ModelSpec {
        description: "sample".into(),
        name: "main".into(),
        ..ModelSpec::default()
    };
    let filter = QuantizationSpec::per_channel([0.5, 0.25], 0);
    let depthwise = QuantizationSpec::per_channel([0.5, 0.125], 3);
    let input = spec.push_tensor(int8("input", &[1, 6, 6, 1], 0.5));
    let weights = spec.push_tensor(
        TensorSpec::new("conv/weights", Dtype::Int8, [2, 3, 3, 1])
            .with_data(pattern(18))
            .with_quantization(filter.clone()),
    );
    let bias = spec.push_tensor(
        TensorSpec::new("conv/bias", Dtype::Int32, [2])
            .with_data(pattern(8))
            .with_quantization(filter),
    );
    let conv = spec.push_tensor(int8("conv", &[1, 4, 4, 2], 0.25));
    let pool = spec.push_tensor(int8("pool", &[1, 2, 2, 2], 0.25));
    let dw_weights = spec.push_tensor(
        TensorSpec::new("depthwise/weights", Dtype::Int8, [1, 2, 2, 2])
            .with_data(pattern(8))
            .with_quantization(depthwise),
    );
    let dw = spec.push_tensor(int8("depthwise", &[1, 1, 1, 2], 0.25));
    let flat = spec.push_tensor(int8("flat", &[1, 2], 0.25));
    let out = spec.push_tensor(int8("scores", &[1, 2], 1.0 / 256.0));
    spec.operators = vec![
        OperatorSpec::new(
            BuiltinOp::Conv2d,
            [input, weights, bias],
            [conv],
            Conv2dOptions {
                padding: Padding::Valid,
                stride_w: 1,
                stride_h: 1,
                fused_activation_function: Activation::Relu,
                ..Conv2dOptions::default()
            },
        )
        .with_version(3),
        OperatorSpec::new(
            BuiltinOp::MaxPool2d,
            [conv],
            [pool],
            Pool2dOptions {
                padding: Padding::Valid,
                stride_w: 2,
                stride_h: 2,
                filter_width: 2,
                filter_height: 2,
                fused_activation_function: Activation::None,
            },
        )
        .with_version(2),
        OperatorSpec::new(
            BuiltinOp::DepthwiseConv2d,
            [pool, dw_weights, bias],
            [dw],
            DepthwiseConv2dOptions {
                padding: Padding::Valid,
                stride_w: 1,
                stride_h: 1,
                depth_multiplier: 1,
                fused_activation_function: Activation::Relu6,
                ..DepthwiseConv2dOptions::default()
            },
        )
        .with_version(3),
        OperatorSpec::new(
            BuiltinOp::Reshape,
            [dw],
            [flat],
            ReshapeOptions {
                new_shape: Dims::new(&[1, -1]).unwrap(),
            },
        ),
        OperatorSpec::new(
            BuiltinOp::Softmax,
            [flat],
            [out],
            SoftmaxOptions { beta: 1.0 },
        ),
    ];
    spec.inputs = vec![input];
    spec.outputs = vec![out];
    spec.signatures = vec![SignatureSpec {
        key: SignatureSpec::DEFAULT_KEY.into(),
        inputs: vec![("image".into(), input)],
        outputs: vec![("scores".into(), out)],
        ..SignatureSpec::default()
    }];
    spec.set_min_runtime_version("1.14.0");
    let mut plan = vec![UNPLANNED; spec.tensors.len()];
    plan[input.index()] = 0;
    plan[conv.index()] = 48;
    spec.set_arena_plan(&plan);
    spec
}

/// Dense layers in float32, one without a bias; an addition; equal constants.
fn dense_float32() -> ModelSpec {
    let mut spec = ModelSpec::default();
    let float = |name: &str, shape: &[usize]| TensorSpec::new(name, Dtype::Float32, shape);
    let input = spec.push_tensor(float("input", &[1, 3]));
    let weights = spec.push_tensor(float("weights", &[3, 3]).with_data(pattern(36)));
    let same = spec.push_tensor(float("weights again", &[3, 3]).with_data(pattern(36)));
    let bias = spec.push_tensor(float("bias", &[3]).with_data(pattern(12)));
    let hidden = spec.push_tensor(float("hidden", &[1, 3]));
    let other = spec.push_tensor(float("other", &[1, 3]));
    let out = spec.push_tensor(float("output", &[1, 3]));
    let relu = FullyConnectedOptions {
        fused_activation_function: Activation::Relu,
        ..FullyConnectedOptions::default()
    };
    let mut without_bias =
        OperatorSpec::new(BuiltinOp::FullyConnected, [hidden, same], [other], relu);
    without_bias.inputs.push(None);
    spec.operators = vec![
        OperatorSpec::new(
            BuiltinOp::FullyConnected,
            [input, weights, bias],
            [hidden],
            relu,
        ),
        without_bias,
        OperatorSpec::new(
            BuiltinOp::Add,
            [hidden, other],
            [out],
            AddOptions::default(),
        ),
    ];
    spec.inputs = vec![input];
    spec.outputs = vec![out];
    spec
}

/// How Keras flattens: the batch is read from the shape.
fn flatten() -> ModelSpec {
    let mut spec = ModelSpec::default();
    let ints = |name: &str, shape: &[usize]| TensorSpec::new(name, Dtype::Int32, shape);
    let word = |value: i32| value.to_le_bytes();
    let input = spec.push_tensor(int8("input", &[1, 2, 3], 0.5));
    let shape = spec.push_tensor(ints("shape", &[3]));
    let begin = spec.push_tensor(ints("begin", &[1]).with_data(word(0)));
    let one = spec.push_tensor(ints("one", &[1]).with_data(word(1)));
    let batch = spec.push_tensor(ints("batch", &[]));
    let rest = spec.push_tensor(ints("rest", &[]).with_data(word(6)));
    let dims = spec.push_tensor(ints("dims", &[2]));
    let out = spec.push_tensor(int8("output", &[1, 6], 0.5));
    let slice = StridedSliceOptions {
        shrink_axis_mask: 1,
        ..StridedSliceOptions::default()
    };
    let pack = PackOptions {
        values_count: 2,
        axis: 0,
    };
    spec.operators = vec![
        OperatorSpec::new(
            BuiltinOp::Shape,
            [input],
            [shape],
            ShapeOptions {
                out_type: Dtype::Int32,
            },
        ),
        OperatorSpec::new(
            BuiltinOp::StridedSlice,
            [shape, begin, one, one],
            [batch],
            slice,
        ),
        OperatorSpec::new(BuiltinOp::Pack, [batch, rest], [dims], pack),
        OperatorSpec::new(BuiltinOp::Reshape, [input, dims], [out], Options::None),
    ];
    spec.inputs = vec![input];
    spec.outputs = vec![out];
    spec
}

/// What is rare: a custom operator, a code beyond the older field, a variable, packed nibbles, no names.
fn odd() -> ModelSpec {
    let mut spec = ModelSpec::default();
    let input = spec.push_tensor(TensorSpec::new("", Dtype::Float32, [0, 2]));
    let mut state = TensorSpec::new("état", Dtype::Int64, [1]);
    state.is_variable = true;
    let state = spec.push_tensor(state);
    let nibbles = spec.push_tensor(TensorSpec::new("", Dtype::Int4, [3]).with_data([0x21, 0x03]));
    let out = spec.push_tensor(TensorSpec::new("", Dtype::Bool, []));
    let mut custom = OperatorSpec::new(BuiltinOp::Custom, [input, nibbles], [state], Options::None);
    custom.custom_code = "Detect".into();
    custom.custom_options = vec![1, 2, 3];
    spec.operators = vec![
        custom,
        OperatorSpec::new(BuiltinOp::Gelu, [input], [out], Options::None),
        OperatorSpec::new(BuiltinOp::Relu, [TensorId(0)], [TensorId(3)], Options::None),
    ];
    spec.inputs = vec![input];
    spec.outputs = vec![out];
    spec.set_metadata("note", b"text".to_vec());
    spec
}
