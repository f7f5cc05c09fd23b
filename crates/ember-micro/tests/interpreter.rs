//! The interpreter on small models: runs, custom operators, profiling. What it refuses is in `refusals.rs`.

mod support;

use ember_core::{BuiltinOp, Dtype};
use ember_micro::{
    Fault, Interpreter, InvokeError, InvokeFault, Io, Kernel, OpCode, Prepare, PrepareError,
    Profiler, Refused, Registration, arena_bytes_needed, registry,
};
use ember_tflite::write::{ModelSpec, OperatorSpec};
use ember_tflite::{AddOptions, Model, TensorId};
use support::{Aligned, classifier, float32, operator, prepare};

#[test]
fn a_model_runs_again_and_again() {
    let bytes = Aligned::model(&classifier());
    let model = Model::parse(bytes.bytes()).unwrap();
    let needed = arena_bytes_needed(&model, registry::INT8).unwrap();
    let mut arena = Aligned::arena(needed);
    let mut interpreter = Interpreter::new(&model, registry::INT8, arena.bytes_mut()).unwrap();
    assert_eq!(interpreter.arena_bytes_used(), needed);
    let mut run = |value: i8| {
        interpreter.input_as::<i8>(0).unwrap().fill(value);
        interpreter.invoke().unwrap();
        interpreter.output_as::<i8>(0).unwrap().to_vec()
    };
    let (first, second) = (run(100), run(-100));
    assert_ne!(first, second);
    assert_eq!((run(100), run(-100)), (first.clone(), second));
    let sum: i32 = first.iter().map(|score| i32::from(*score) + 128).sum();
    assert!((250..=258).contains(&sum), "a distribution: {first:?}");
    assert_eq!(interpreter.input_tensor(0).unwrap().name(), "image");
    assert_eq!(interpreter.output_tensor(0).unwrap().name(), "scores");
    assert!(interpreter.input(1).is_none() && interpreter.output(1).is_none());
    assert!(
        interpreter.output_as::<u32>(0).is_none(),
        "3 bytes are no words"
    );
}

#[test]
fn the_arena_must_be_aligned() {
    let bytes = Aligned::model(&classifier());
    let model = Model::parse(bytes.bytes()).unwrap();
    let mut arena = Aligned::arena(4096);
    let error = Interpreter::new(&model, registry::INT8, &mut arena.bytes_mut()[4..]).err();
    assert_eq!(error, Some(PrepareError::ArenaAlignment { remainder: 4 }));
}

/// Writes down what it is told.
#[derive(Default)]
struct Diary(Vec<(u32, &'static str, BuiltinOp)>);

impl Profiler for Diary {
    fn begin(&mut self, index: u32, code: OpCode<'static>) {
        let OpCode::Builtin(op) = code else { return };
        self.0.push((index, "begin", op));
    }

    fn end(&mut self, index: u32, code: OpCode<'static>) {
        let OpCode::Builtin(op) = code else { return };
        self.0.push((index, "end", op));
    }
}

#[test]
fn a_profiler_sees_every_operator() {
    let bytes = Aligned::model(&classifier());
    let model = Model::parse(bytes.bytes()).unwrap();
    let mut arena = Aligned::arena(4096);
    let mut interpreter = Interpreter::new(&model, registry::INT8, arena.bytes_mut()).unwrap();
    let mut diary = Diary::default();
    interpreter.invoke_profiled(&mut diary).unwrap();
    use BuiltinOp::{Conv2d, FullyConnected, MaxPool2d, Reshape, Softmax};
    let expected: Vec<_> = (0..)
        .zip([Conv2d, MaxPool2d, Reshape, FullyConnected, Softmax])
        .flat_map(|(index, op)| [(index, "begin", op), (index, "end", op)])
        .collect();
    assert_eq!(diary.0, expected);
}

/// `y = factor * x + offset` on float32, with the factor in its options.
struct Affine;

ember_core::plain! {
    #[derive(Clone, Copy)]
    struct Prepared {
        factor: f32,
    }
}

impl Kernel for Affine {
    const CODE: OpCode<'static> = OpCode::Custom("affine");
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        cx.same_elements()?;
        let [factor, offset] = *cx.operator().custom_options() else {
            return Err(cx.refuse(Fault::Custom(7)));
        };
        prepared.factor = f32::from(factor);
        cx.keep(&[f32::from(offset).to_bits()])
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let [offset] = *io.kept_as::<f32>()? else {
            return Err(InvokeFault::Prepared);
        };
        let (inputs, output) = io.split::<f32>()?;
        for (y, x) in output.iter_mut().zip(inputs.get::<f32>(0)?) {
            if x.is_nan() {
                return Err(InvokeFault::Custom(3));
            }
            *y = prepared.factor * x + offset;
        }
        Ok(())
    }
}

static WITH_CUSTOM: &[Registration] = &[registry::RELU_FLOAT32, Registration::of::<Affine>()];

fn affine(options: &[u8]) -> ModelSpec {
    let mut spec = ModelSpec::default();
    for name in ["x", "relu", "y"] {
        spec.push_tensor(float32(name, &[2, 2]));
    }
    let mut custom = operator(BuiltinOp::Custom, &[1], &[2]);
    custom.custom_code = "affine".into();
    custom.custom_options = options.into();
    spec.operators = vec![operator(BuiltinOp::Relu, &[0], &[1]), custom];
    (spec.inputs, spec.outputs) = (vec![TensorId(0)], vec![TensorId(2)]);
    spec
}

#[test]
fn custom_operators_are_kernels_like_others() {
    let bytes = Aligned::model(&affine(&[3, 1]));
    let model = Model::parse(bytes.bytes()).unwrap();
    let mut arena = Aligned::arena(1024);
    let mut interpreter = Interpreter::new(&model, WITH_CUSTOM, arena.bytes_mut()).unwrap();
    let mut run = |x: [f32; 4]| {
        interpreter.input_as::<f32>(0).unwrap().copy_from_slice(&x);
        interpreter.invoke()?;
        Ok(interpreter.output_as::<f32>(0).unwrap().to_vec())
    };
    assert_eq!(run([1.0, -1.0, 0.5, 2.0]), Ok(vec![4.0, 1.0, 2.5, 7.0]));
    let error = InvokeError {
        index: 1,
        fault: InvokeFault::Custom(3),
    };
    assert_eq!(run([1.0, f32::NAN, 0.0, 0.0]), Err(error));
    assert_eq!(
        error.to_string(),
        "operator 1: its kernel stopped with code 3"
    );

    let error = prepare(&affine(&[3]), WITH_CUSTOM).unwrap_err();
    assert_eq!(
        error.to_string(),
        "operator 1, CUSTOM: its kernel refuses with code 7"
    );
    let error = prepare(&affine(&[3, 1]), registry::ALL).unwrap_err();
    let expected = PrepareError::MissingRegistration {
        subgraph: 0,
        index: 1,
        op: BuiltinOp::Custom,
        version: 1,
        dtype: Dtype::Float32,
    };
    assert_eq!(error, expected);
}
#[test]
fn variables_begin_as_zero() {
    let mut spec = ModelSpec::default();
    let mut state = float32("state", &[2]);
    state.is_variable = true;
    let [x, state, y] =
        [float32("x", &[2]), state, float32("y", &[2])].map(|tensor| spec.push_tensor(tensor));
    let options = AddOptions::default();
    spec.operators = vec![OperatorSpec::new(BuiltinOp::Add, [x, state], [y], options)];
    (spec.inputs, spec.outputs) = (vec![x], vec![y]);
    let bytes = Aligned::model(&spec);
    let model = Model::parse(bytes.bytes()).unwrap();
    let mut arena = Aligned::arena(1024);
    let mut interpreter = Interpreter::new(&model, registry::FLOAT32, arena.bytes_mut()).unwrap();
    for _ in 0..2 {
        interpreter
            .input_as::<f32>(0)
            .unwrap()
            .copy_from_slice(&[1.0, 2.0]);
        interpreter.invoke().unwrap();
        assert_eq!(interpreter.output_as::<f32>(0), Some(&[1.0, 2.0][..]));
    }
    interpreter.reset_variables();
    interpreter.invoke().unwrap();
}
