//! SLICE at places that come as inputs: a run checks them.

mod support;

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::KernelError;
use ember_micro::{Interpreter, InvokeFault, registry};
use ember_tflite::write::{ModelSpec, TensorSpec};
use ember_tflite::{Model, TensorId};
use support::{Aligned, int8, operator};

/// Two of five elements, from a place that comes with a size.
fn slice() -> ModelSpec {
    let mut spec = ModelSpec::default();
    for tensor in [
        int8("x", &[5], 0.5, 0),
        TensorSpec::new("begin", Dtype::Int32, [1]),
        TensorSpec::new("size", Dtype::Int32, [1]),
        int8("y", &[2], 0.5, 0),
    ] {
        spec.push_tensor(tensor);
    }
    spec.operators = vec![operator(BuiltinOp::Slice, &[0, 1, 2], &[3])];
    spec.inputs = vec![TensorId(0), TensorId(1), TensorId(2)];
    spec.outputs = vec![TensorId(3)];
    spec
}

#[test]
fn a_place_within_the_input_is_sliced_and_any_other_is_an_error() {
    let file = Aligned::model(&slice());
    let model = Model::parse(file.bytes()).unwrap();
    let mut arena = Aligned::arena(1024);
    let mut interpreter = Interpreter::new(&model, registry::ALL, arena.bytes_mut()).unwrap();
    let mut run = |begin: i32, size: i32| {
        let x = interpreter.input_as(0).unwrap();
        x.copy_from_slice(&[1i8, 2, 3, 4, 5]);
        interpreter.input_as(1).unwrap().copy_from_slice(&[begin]);
        interpreter.input_as(2).unwrap().copy_from_slice(&[size]);
        interpreter.invoke().map_err(|error| error.fault)?;
        let y = interpreter.output_as::<i8>(0).unwrap();
        Ok::<[i8; 2], InvokeFault>([y[0], y[1]])
    };
    assert_eq!(run(0, 2), Ok([1, 2]));
    assert_eq!(run(3, 2), Ok([4, 5]));
    assert_eq!(run(3, -1), Ok([4, 5]));
    let outside = Err(InvokeFault::Kernel(KernelError::Undefined));
    for (begin, size) in [
        (4, 2),
        (-1, 2),
        (0, -1),
        (0, 3),
        (0, 1),
        (i32::MIN, -1),
        (6, -1),
    ] {
        assert_eq!(run(begin, size), outside, "{begin}, {size}");
    }
}
