//! A custom operator from outside of Ember, on the host.

use ember_core::{BuiltinOp, Dtype};
use ember_lite::MappedModel;
use ember_micro::{InvokeFault, Io, Kernel, OpCode, Prepare, Refused, Registration};
use ember_tflite::write::{ModelSpec, OperatorSpec, TensorSpec, write};
use ember_tflite::{Options, TensorId};

/// Adds the bytes of its options to each element.
struct Sum;

ember_core::plain! {
    #[derive(Clone, Copy)]
    struct Added {
        sum: i32,
    }
}

impl Kernel for Sum {
    const CODE: OpCode<'static> = OpCode::Custom("ADD_OPTIONS");
    const DTYPE: Option<Dtype> = Some(Dtype::Int32);
    type Prepared = Added;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Added) -> Result<(), Refused> {
        cx.same_elements()?;
        let bytes = cx.operator().custom_options();
        prepared.sum = bytes.iter().map(|byte| i32::from(*byte)).sum();
        Ok(())
    }

    fn run(prepared: &Added, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<i32>()?;
        for (y, x) in output.iter_mut().zip(inputs.get::<i32>(0)?) {
            *y = x.wrapping_add(prepared.sum);
        }
        Ok(())
    }
}

/// ADD_OPTIONS, then the largest of each element and a constant, which is an operator of Ember's.
fn model() -> Vec<u8> {
    let mut spec = ModelSpec::default();
    for name in ["x", "sum", "floor", "y"] {
        spec.push_tensor(TensorSpec::new(name, Dtype::Int32, [2]));
    }
    spec.tensors[2].data = Some([10i32, 10].map(i32::to_le_bytes).concat());
    let operator = |op: BuiltinOp, inputs: &[u32], output: u32| {
        let inputs = inputs.iter().map(|id| TensorId(*id));
        OperatorSpec::new(op, inputs, [TensorId(output)], Options::None)
    };
    spec.operators = vec![
        OperatorSpec {
            custom_code: "ADD_OPTIONS".to_owned(),
            custom_options: vec![3, 4],
            ..operator(BuiltinOp::Custom, &[0], 1)
        },
        operator(BuiltinOp::Maximum, &[1, 2], 3),
    ];
    spec.inputs = vec![TensorId(0)];
    spec.outputs = vec![TensorId(3)];
    write(&spec).unwrap()
}

#[test]
fn a_session_runs_an_operator_of_ones_own_beside_the_others() {
    let model = MappedModel::from_bytes(&model(), "custom").unwrap();
    let model = model.with_kernels(&[Registration::of::<Sum>()]);
    let mut arena = model.arena().unwrap();
    let mut session = model.session(&mut arena).unwrap();
    let input: Vec<u8> = [-1i32, 20].map(i32::to_le_bytes).concat();
    session.input(0).unwrap().copy_from_slice(&input);
    session.invoke().unwrap();
    let expected: Vec<u8> = [10i32, 27].map(i32::to_le_bytes).concat();
    assert_eq!(session.output(0).unwrap(), expected);
}

#[test]
fn a_missing_operator_is_named() {
    let model = MappedModel::from_bytes(&model(), "custom").unwrap();
    let error = model.arena().map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "custom: operator 0 is the custom operator ADD_OPTIONS on INT32, which there is no kernel for: implement \
         ember_micro::Kernel and give it to MappedModel::with_kernels"
    );
}
