//! Models that say how bright the first three pixels of a 2 × 2 image are, so that every output is known.

use ember_core::{BuiltinOp, Dtype};
use ember_lite::MappedModel;
use ember_tflite::{
    FullyConnectedOptions,
    write::{ModelSpec, OperatorSpec, QuantizationSpec, TensorSpec, write},
};

/// Class `j` gets the value of pixel `j`: 0..=1, in float32.
pub(crate) fn float32() -> Vec<u8> {
    let mut weights = [[0.0_f32; 4]; 3];
    for (class, row) in weights.iter_mut().enumerate() {
        row[class] = 1.0;
    }
    let weights: Vec<u8> = weights
        .as_flattened()
        .iter()
        .flat_map(|weight| weight.to_le_bytes())
        .collect();
    build(
        TensorSpec::new("image", Dtype::Float32, [1, 2, 2, 1]),
        TensorSpec::new("weights", Dtype::Float32, [3, 4]).with_data(weights),
        TensorSpec::new("bias", Dtype::Float32, [3]).with_data([0_u8; 12]),
        TensorSpec::new("scores", Dtype::Float32, [1, 3]),
    )
}

/// The same in int8: `pixel - 128` in, `pixel - 128` out.
pub(crate) fn int8() -> Vec<u8> {
    let pixels = QuantizationSpec::per_tensor(1.0 / 255.0, -128);
    let mut weights = [0_u8; 12];
    for class in 0..3 {
        weights[class * 4 + class] = 64;
    }
    build(
        TensorSpec::new("image", Dtype::Int8, [1, 2, 2, 1]).with_quantization(pixels.clone()),
        TensorSpec::new("weights", Dtype::Int8, [3, 4])
            .with_data(weights)
            .with_quantization(QuantizationSpec::per_tensor(1.0 / 64.0, 0)),
        TensorSpec::new("bias", Dtype::Int32, [3])
            .with_data([0_u8; 12])
            .with_quantization(QuantizationSpec::per_tensor(1.0 / 255.0 / 64.0, 0)),
        TensorSpec::new("scores", Dtype::Int8, [1, 3]).with_quantization(pixels),
    )
}

fn build(image: TensorSpec, weights: TensorSpec, bias: TensorSpec, scores: TensorSpec) -> Vec<u8> {
    let mut spec = ModelSpec::default();
    let [image, weights, bias, scores] =
        [image, weights, bias, scores].map(|tensor| spec.push_tensor(tensor));
    spec.inputs = vec![image];
    spec.outputs = vec![scores];
    let options = FullyConnectedOptions::default();
    spec.operators = vec![OperatorSpec::new(
        BuiltinOp::FullyConnected,
        [image, weights, bias],
        [scores],
        options,
    )];
    write(&spec).expect("the model is valid")
}

/// The model in memory.
pub(crate) fn opened(bytes: &[u8]) -> MappedModel {
    MappedModel::from_bytes(bytes, "bright.tflite").expect("the model is valid")
}
