//! What the interpreter refuses, with its place.

mod support;

use ember_core::{Activation, BuiltinOp, Dtype, Padding};
use ember_micro::{Fault, PrepareError, Registration, Slot, registry};
use ember_tflite::write::{ModelSpec, OperatorSpec, QuantizationSpec, TensorSpec};
use ember_tflite::{AddOptions, Options, PackOptions, StridedSliceOptions, TensorId};
use support::{at, classifier, float32, int8, prepare};

/// The classifier with one change, and what preparing it says.
fn changed(change: impl Fn(&mut ModelSpec)) -> Result<(), PrepareError> {
    let mut spec = classifier();
    change(&mut spec);
    prepare(&spec, registry::INT8)
}

/// The fault of operator `index`.
#[track_caller]
fn fault(index: u32, change: impl Fn(&mut ModelSpec)) -> Fault {
    match changed(change) {
        Err(PrepareError::Operator {
            subgraph: 0,
            index: found,
            fault,
            ..
        }) if found == index => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_registry_lacks_is_named() {
    static FEW: &[Registration] = &[registry::CONV_2D_INT8, registry::RESHAPE];
    let error = prepare(&classifier(), FEW).unwrap_err();
    assert_eq!(
        error,
        PrepareError::MissingRegistration {
            subgraph: 0,
            index: 1,
            op: BuiltinOp::MaxPool2d,
            version: 2,
            dtype: Dtype::Int8,
        }
    );
    let text = error.to_string();
    assert!(
        text.contains("operator 1 is MAX_POOL_2D version 2 on INT8"),
        "{text}"
    );
}

#[test]
fn types_are_checked() {
    let float = |spec: &mut ModelSpec, id: TensorId| {
        let tensor = &mut spec.tensors[id.index()];
        tensor.dtype = Dtype::Float32;
        tensor.data = tensor.data.take().map(|data| [&data[..]; 4].concat());
    };
    assert_eq!(
        fault(3, |spec| float(spec, at::WEIGHTS)),
        Fault::Dtype {
            slot: Slot::input(1),
            found: Dtype::Float32,
            expected: Dtype::Int8
        }
    );
    assert_eq!(
        fault(4, |spec| float(spec, at::SCORES)),
        Fault::Dtype {
            slot: Slot::output(0),
            found: Dtype::Float32,
            expected: Dtype::Int8
        }
    );
    let text = changed(|spec| float(spec, at::FILTER))
        .unwrap_err()
        .to_string();
    assert_eq!(
        text,
        "operator 0, CONV_2D: its input 1 is FLOAT32 where the kernel takes INT8: the operator is not supported with \
         these types; convert the model with other types (full integer or float)"
    );
}

#[test]
fn shapes_are_checked() {
    let shape = |id: TensorId, shape: &'static [usize]| {
        move |spec: &mut ModelSpec| spec.tensors[id.index()].shape = shape.into()
    };
    assert_eq!(
        fault(0, shape(at::IMAGE, &[6, 6])),
        Fault::Rank {
            slot: Slot::input(0),
            found: 2,
            expected: 4
        }
    );
    assert_eq!(
        fault(0, shape(at::FEATURES, &[1, 4, 5, 2])),
        Fault::Size {
            slot: Slot::output(0),
            dimension: 2,
            found: 5,
            expected: 4
        }
    );
    assert_eq!(
        fault(0, shape(at::IMAGE, &[1, 2, 6, 3])),
        Fault::Options,
        "the window is larger"
    );
    assert_eq!(
        fault(0, shape(at::IMAGE, &[1, 6, 6, 3])),
        Fault::Size {
            slot: Slot::input(1),
            dimension: 3,
            found: 1,
            expected: 3
        },
        "3 groups do not divide 2 channels"
    );
    assert_eq!(
        fault(2, shape(at::FLAT, &[1, 9])),
        Fault::Elements {
            slot: Slot::output(0),
            found: 9,
            expected: 8
        }
    );
    assert_eq!(
        fault(3, |spec| {
            spec.tensors[at::WEIGHTS.index()].shape = vec![4, 6];
            spec.tensors[at::WEIGHTS.index()].quantization =
                Some(QuantizationSpec::per_tensor(0.03, 0));
        }),
        Fault::Size {
            slot: Slot::input(1),
            dimension: 1,
            found: 6,
            expected: 8
        }
    );
    assert_eq!(
        fault(3, shape(at::LOGITS, &[1, 4])),
        Fault::Elements {
            slot: Slot::output(0),
            found: 4,
            expected: 3
        }
    );
}

#[test]
fn quantization_is_checked() {
    let quantize = |id: TensorId, quantization: Option<QuantizationSpec>| {
        move |spec: &mut ModelSpec| spec.tensors[id.index()].quantization = quantization.clone()
    };
    let per_tensor = |scale, zero_point| Some(QuantizationSpec::per_tensor(scale, zero_point));
    assert_eq!(
        fault(0, quantize(at::IMAGE, None)),
        Fault::NotQuantized(Slot::input(0))
    );
    assert_eq!(
        fault(0, quantize(at::IMAGE, per_tensor(0.0, 0))),
        Fault::Scale(Slot::input(0))
    );
    assert_eq!(
        fault(0, quantize(at::IMAGE, per_tensor(0.1, 200))),
        Fault::ZeroPoint {
            slot: Slot::input(0),
            found: 200
        }
    );
    assert_eq!(
        fault(
            0,
            quantize(at::IMAGE, Some(QuantizationSpec::per_channel([0.1; 6], 1)))
        ),
        Fault::Scales {
            slot: Slot::input(0),
            found: 6,
            expected: 1
        }
    );
    assert_eq!(
        fault(
            0,
            quantize(at::FILTER, Some(QuantizationSpec::per_channel([0.1; 3], 1)))
        ),
        Fault::Scales {
            slot: Slot::input(1),
            found: 3,
            expected: 2
        },
        "along the wrong dimension"
    );
    assert_eq!(
        fault(0, quantize(at::FEATURES, per_tensor(1e-20, 0))),
        Fault::Scale(Slot::output(0))
    );
    assert_eq!(
        fault(1, quantize(at::POOLED, per_tensor(0.06, -128))),
        Fault::Rescale
    );
    assert_eq!(
        fault(1, quantize(at::POOLED, per_tensor(0.05, -127))),
        Fault::Rescale
    );
    assert_eq!(
        fault(3, quantize(at::BIAS, per_tensor(0.5, 0))),
        Fault::Scale(Slot::input(2))
    );
    assert_eq!(
        fault(4, quantize(at::SCORES, per_tensor(0.01, -128))),
        Fault::Scale(Slot::output(0))
    );
    assert_eq!(
        fault(4, quantize(at::SCORES, per_tensor(1.0 / 256.0, 0))),
        Fault::ZeroPoint {
            slot: Slot::output(0),
            found: 0
        }
    );
    // One scale for all channels is as good as one for each.
    changed(quantize(at::FILTER, per_tensor(0.01, 0))).unwrap();
    changed(quantize(
        at::WEIGHTS,
        Some(QuantizationSpec::per_channel([0.03; 3], 0)),
    ))
    .unwrap();
}

#[test]
fn operands_and_options_are_checked() {
    assert_eq!(
        fault(0, |spec| spec.operators[0].inputs[1] = None),
        Fault::Missing(Slot::input(1))
    );
    assert_eq!(
        fault(1, |spec| spec.operators[1].inputs.push(Some(at::IMAGE))),
        Fault::Arity {
            inputs: 2,
            outputs: 1
        }
    );
    let activation = |activation| {
        move |spec: &mut ModelSpec| {
            let Options::Conv2d(options) = &mut spec.operators[0].options else {
                unreachable!()
            };
            options.fused_activation_function = activation;
        }
    };
    assert_eq!(
        fault(0, activation(Activation::Tanh)),
        Fault::Activation(Activation::Tanh)
    );
    let stride = |stride| {
        move |spec: &mut ModelSpec| {
            let Options::Pool2d(options) = &mut spec.operators[1].options else {
                unreachable!()
            };
            (options.stride_w, options.padding) = (stride, Padding::Same);
        }
    };
    for wrong in [0, -1, i32::MIN] {
        assert_eq!(fault(1, stride(wrong)), Fault::Options, "stride {wrong}");
    }
    // The bias may be left out, in both ways that files have for it.
    changed(|spec| spec.operators[0].inputs[2] = None).unwrap();
    changed(|spec| spec.operators[0].inputs.truncate(2)).unwrap();
}

#[test]
fn additions_that_cannot_be_are_refused() {
    let add = |one: TensorSpec, other: TensorSpec, sum: TensorSpec| {
        let mut spec = ModelSpec::default();
        let ids = [one, other, sum].map(|tensor| spec.push_tensor(tensor));
        let options = AddOptions::default();
        spec.operators = vec![OperatorSpec::new(
            BuiltinOp::Add,
            [ids[0], ids[1]],
            [ids[2]],
            options,
        )];
        (spec.inputs, spec.outputs) = (vec![ids[0], ids[1]], vec![ids[2]]);
        match prepare(&spec, registry::ALL) {
            Ok(()) => None,
            Err(PrepareError::Operator { fault, .. }) => Some(fault),
            Err(other) => panic!("{other:?}"),
        }
    };
    let int8 = |shape: &[usize], scale| int8("", shape, scale, 0);
    assert_eq!(
        add(int8(&[2, 3], 0.1), int8(&[3], 0.2), int8(&[2, 3], 0.3)),
        None
    );
    assert_eq!(
        add(int8(&[2, 3], 0.1), int8(&[2], 0.2), int8(&[2, 3], 0.3)),
        Some(Fault::Broadcast)
    );
    assert_eq!(
        add(int8(&[2, 3], 0.1), int8(&[3], 0.2), int8(&[3], 0.3)),
        Some(Fault::Elements {
            slot: Slot::output(0),
            found: 3,
            expected: 6
        })
    );
    assert_eq!(
        add(int8(&[3], 1e9), int8(&[3], 1.0), int8(&[3], 1.0)),
        Some(Fault::Scale(Slot::output(0)))
    );
    let rank5 = [2, 1, 2, 1, 2];
    assert_eq!(
        add(
            float32("", &rank5),
            float32("", &[1, 2, 1, 2, 1]),
            float32("", &[2; 5])
        ),
        Some(Fault::Broadcast)
    );
}

#[test]
fn slices_and_stacks_are_checked() {
    let int32 = |shape: &[usize]| TensorSpec::new("", Dtype::Int32, shape);
    let numbers = |numbers: &[i32]| {
        int32(&[numbers.len()]).with_data(
            numbers
                .iter()
                .flat_map(|x| x.to_le_bytes())
                .collect::<Vec<_>>(),
        )
    };
    let slice = |begin: TensorSpec, options: StridedSliceOptions, output: &[usize]| {
        let mut spec = ModelSpec::default();
        let tensors = [
            int32(&[4]),
            begin,
            numbers(&[3]),
            numbers(&[1]),
            int32(output),
        ];
        let [x, begin, end, stride, y] = tensors.map(|tensor| spec.push_tensor(tensor));
        let inputs = [x, begin, end, stride];
        spec.operators = vec![OperatorSpec::new(
            BuiltinOp::StridedSlice,
            inputs,
            [y],
            options,
        )];
        (spec.inputs, spec.outputs) = (vec![x, begin], vec![y]);
        prepare(&spec, registry::INT8)
            .err()
            .map(|error| match error {
                PrepareError::Operator { fault, .. } => fault,
                other => panic!("{other:?}"),
            })
    };
    let plain = StridedSliceOptions::default();
    let shrink = StridedSliceOptions {
        shrink_axis_mask: 1,
        ..plain
    };
    assert_eq!(slice(numbers(&[1]), plain, &[2]), None);
    assert_eq!(slice(numbers(&[1]), shrink, &[]), None);
    assert_eq!(
        slice(numbers(&[1]), plain, &[3]),
        Some(Fault::Size {
            slot: Slot::output(0),
            dimension: 0,
            found: 3,
            expected: 2
        })
    );
    assert_eq!(
        slice(int32(&[1]), plain, &[2]),
        Some(Fault::NotConstant(Slot::input(1)))
    );
    assert_eq!(
        slice(numbers(&[4]), shrink, &[]),
        Some(Fault::Options),
        "position 4 of 4"
    );
    let ellipsis = StridedSliceOptions {
        ellipsis_mask: 1,
        ..plain
    };
    assert_eq!(slice(numbers(&[1]), ellipsis, &[2]), Some(Fault::Options));
    assert_eq!(
        slice(numbers(&[1]), shrink, &[2]),
        Some(Fault::Rank {
            slot: Slot::output(0),
            found: 1,
            expected: 0
        })
    );

    let pack = |axis, values_count, output: &[usize]| {
        let mut spec = ModelSpec::default();
        let [a, b, y] =
            [int32(&[3]), int32(&[3]), int32(output)].map(|tensor| spec.push_tensor(tensor));
        let options = PackOptions { axis, values_count };
        spec.operators = vec![OperatorSpec::new(BuiltinOp::Pack, [a, b], [y], options)];
        (spec.inputs, spec.outputs) = (vec![a, b], vec![y]);
        prepare(&spec, registry::INT8)
    };
    pack(0, 2, &[2, 3]).unwrap();
    pack(1, 2, &[3, 2]).unwrap();
    pack(-1, 2, &[3, 2]).unwrap();
    for (axis, count, output) in [
        (0, 2, &[3, 2]),
        (2, 2, &[2, 3]),
        (-3, 2, &[2, 3]),
        (0, 3, &[2, 3]),
    ] {
        let error = pack(axis, count, output).unwrap_err();
        assert!(
            matches!(
                error,
                PrepareError::Operator {
                    subgraph: 0,
                    fault: Fault::Options,
                    ..
                }
            ),
            "{error:?}"
        );
    }
}
