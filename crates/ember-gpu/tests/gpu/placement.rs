//! What the GPU takes of a model, and what it leaves.

use ember_core::{BuiltinOp, Dtype};
use ember_lite::MappedModel;
use ember_tflite::write::{ModelSpec, OperatorSpec, TensorSpec, write};
use ember_tflite::{AddOptions, Conv2dOptions, Options};

use crate::{assert_near, gpu, outputs};

#[test]
fn what_the_gpu_does_not_take_runs_in_the_interpreter() {
    let Some(gpu) = gpu() else { return };
    let mut spec = ModelSpec::default();
    let shape = [1, 8];
    let [x, a, b, y] = ["x", "a", "b", "y"]
        .map(|name| spec.push_tensor(TensorSpec::new(name, Dtype::Float32, shape)));
    (spec.inputs, spec.outputs) = (vec![x], vec![y]);
    spec.operators = vec![
        OperatorSpec::new(BuiltinOp::Tanh, [x], [a], Options::None),
        OperatorSpec::new(BuiltinOp::Floor, [a], [b], Options::None),
        OperatorSpec::new(BuiltinOp::Add, [a, b], [y], AddOptions::default()),
    ];
    let model = MappedModel::from_bytes(&write(&spec).unwrap(), "mixed").unwrap();
    let delegated = model.delegated(&[&gpu]).unwrap();
    let delegation = delegated.delegation().unwrap();
    let placement: Vec<_> = delegation.placement().collect();
    assert_eq!(placement, [Some("gpu"), None, Some("gpu")]);
    assert_eq!(delegation.partitions().len(), 2);
    assert_near("mixed", &outputs(&delegated, 1), &outputs(&model, 1));
}

#[test]
fn operators_that_do_not_fit_are_left_to_the_interpreter() {
    let Some(gpu) = gpu() else { return };
    let mut spec = ModelSpec::default();
    let x = spec.push_tensor(TensorSpec::new("x", Dtype::Float32, [1, 4, 4, 3]));
    let filter = TensorSpec::new("w", Dtype::Float32, [2, 3, 3, 3]).with_data(vec![0; 216]);
    let filter = spec.push_tensor(filter);
    // One row too many.
    let y = spec.push_tensor(TensorSpec::new("y", Dtype::Float32, [1, 5, 4, 2]));
    (spec.inputs, spec.outputs) = (vec![x], vec![y]);
    let options = Conv2dOptions {
        stride_w: 1,
        stride_h: 1,
        ..Conv2dOptions::default()
    };
    spec.operators = vec![OperatorSpec::new(
        BuiltinOp::Conv2d,
        [x, filter],
        [y],
        options,
    )];
    let model = MappedModel::from_bytes(&write(&spec).unwrap(), "odd").unwrap();
    let delegated = model.delegated(&[&gpu]).unwrap();
    assert!(delegated.delegation().unwrap().partitions().is_empty());
    assert!(delegated.arena().is_err());
}
