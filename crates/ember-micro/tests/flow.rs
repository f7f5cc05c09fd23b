//! Control flow and variables: what is refused, what a loop without an end does, and what a reset brings back.

mod support;

use ember_core::{BuiltinOp, Dtype};
use ember_micro::ops::control_flow::While;
use ember_micro::{
    Fault, Interpreter, InvokeFault, PrepareError, Registration, Slot, arena_bytes_needed, registry,
};
use ember_tflite::write::{ModelSpec, OperatorSpec, SubgraphSpec, TensorSpec};
use ember_tflite::{CallOnceOptions, IfOptions, Model, Options, TensorId, WhileOptions};
use support::Aligned;

fn tensor(dtype: Dtype, shape: &[usize]) -> TensorSpec {
    TensorSpec::new("", dtype, shape)
}

fn value() -> TensorSpec {
    tensor(Dtype::Int32, &[2])
}

/// A subgraph that gives what it gets.
fn same() -> SubgraphSpec {
    SubgraphSpec {
        tensors: vec![value()],
        inputs: vec![TensorId(0)],
        outputs: vec![TensorId(0)],
        ..SubgraphSpec::default()
    }
}

fn calls(op: BuiltinOp, options: impl Into<Options>, inputs: &[u32]) -> OperatorSpec {
    let ids = inputs.iter().map(|id| TensorId(*id));
    OperatorSpec::new(op, ids.collect::<Vec<_>>(), [TensorId(2)], options)
}

/// IF with a condition, a value and an output, and two subgraphs.
fn condition(then: i32, otherwise: i32) -> ModelSpec {
    let options = IfOptions {
        then_subgraph_index: then,
        else_subgraph_index: otherwise,
    };
    ModelSpec {
        tensors: vec![tensor(Dtype::Bool, &[1]), value(), value()],
        operators: vec![calls(BuiltinOp::If, options, &[0, 1])],
        inputs: vec![TensorId(0), TensorId(1)],
        outputs: vec![TensorId(2)],
        called: vec![same(), same()],
        ..ModelSpec::default()
    }
}

/// A loop whose condition is the truth value that it carries.
fn repeats() -> ModelSpec {
    let flag = || tensor(Dtype::Bool, &[1]);
    let carries = || SubgraphSpec {
        tensors: vec![flag()],
        inputs: vec![TensorId(0)],
        outputs: vec![TensorId(0)],
        ..SubgraphSpec::default()
    };
    let options = WhileOptions {
        cond_subgraph_index: 1,
        body_subgraph_index: 2,
    };
    let (input, output) = (TensorId(0), TensorId(1));
    ModelSpec {
        tensors: vec![flag(), flag()],
        operators: vec![OperatorSpec::new(
            BuiltinOp::While,
            [input],
            [output],
            options,
        )],
        inputs: vec![input],
        outputs: vec![output],
        called: vec![carries(), carries()],
        ..ModelSpec::default()
    }
}

fn refusal(spec: &ModelSpec) -> PrepareError {
    let bytes = Aligned::model(spec);
    let model = Model::parse(bytes.bytes()).unwrap();
    arena_bytes_needed(&model, registry::ALL).expect_err("the model is wrong")
}

fn fault(spec: &ModelSpec) -> (u32, Fault) {
    match refusal(spec) {
        PrepareError::Operator {
            subgraph, fault, ..
        } => (subgraph, fault),
        other => panic!("{other}"),
    }
}

#[test]
fn a_call_that_does_not_fit_is_refused() {
    assert_eq!(fault(&condition(1, 3)), (0, Fault::NoSubgraph(3)));
    assert_eq!(fault(&condition(-1, 1)), (0, Fault::NoSubgraph(-1)));

    let mut spec = condition(1, 2);
    spec.tensors[0] = tensor(Dtype::Bool, &[2]);
    let expected = Fault::Elements {
        slot: Slot::input(0),
        found: 2,
        expected: 1,
    };
    assert_eq!(fault(&spec), (0, expected));

    let mut spec = condition(1, 2);
    spec.tensors[0] = tensor(Dtype::Int8, &[1]);
    let expected = Fault::Dtype {
        slot: Slot::input(0),
        found: Dtype::Int8,
        expected: Dtype::Bool,
    };
    assert_eq!(fault(&spec), (0, expected));

    let mut spec = condition(1, 2);
    spec.called[1].outputs.clear();
    let expected = Fault::CalledArity {
        subgraph: 2,
        inputs: 1,
        outputs: 0,
    };
    assert_eq!(fault(&spec), (0, expected));

    for other in [tensor(Dtype::Int32, &[3]), tensor(Dtype::Float32, &[2])] {
        let mut spec = condition(1, 2);
        spec.called[0].tensors[0] = other;
        let (slot, subgraph) = (Slot::input(1), 1);
        assert_eq!(fault(&spec), (0, Fault::CalledTensor { slot, subgraph }));
    }

    let mut spec = condition(1, 2);
    spec.called[1].tensors[0].data = Some(vec![0; 8]);
    assert_eq!(fault(&spec), (0, Fault::ConstantInput(2)));

    let mut spec = repeats();
    spec.called[0].tensors[0] = tensor(Dtype::Bool, &[2]);
    spec.tensors = vec![tensor(Dtype::Bool, &[2]); 2];
    spec.called[1].tensors[0] = tensor(Dtype::Bool, &[2]);
    assert_eq!(fault(&spec), (0, Fault::Condition(1)));

    let mut spec = repeats();
    spec.tensors[1] = tensor(Dtype::Bool, &[3]);
    let (slot, subgraph) = (Slot::output(0), 2);
    assert_eq!(fault(&spec), (0, Fault::CalledTensor { slot, subgraph }));
}

#[test]
fn a_fault_within_a_subgraph_names_it() {
    let mut spec = condition(1, 2);
    spec.called[1].tensors.push(value());
    spec.called[1].outputs = vec![TensorId(1)];
    let error = refusal(&spec);
    let expected = PrepareError::Unwritten {
        subgraph: 2,
        index: 0,
        tensor: 1,
    };
    assert_eq!(error, expected);
    assert!(
        error.to_string().starts_with("subgraph 2, operator 0 "),
        "{error}"
    );
}

#[test]
fn a_model_does_not_call_itself() {
    assert_eq!(fault(&condition(1, 0)), (0, Fault::Recursion(0)));
    // The second subgraph asks the first whether to ask the second.
    let mut spec = condition(1, 2);
    let inner = condition(2, 2);
    spec.called[0] = SubgraphSpec {
        tensors: [inner.tensors, vec![value()]].concat(),
        operators: inner.operators,
        inputs: vec![TensorId(1)],
        outputs: vec![TensorId(2)],
        ..SubgraphSpec::default()
    };
    spec.called[0].tensors[0] = tensor(Dtype::Bool, &[1]).with_data([1]);
    spec.called[1] = spec.called[0].clone();
    spec.called[1].operators[0].options = IfOptions {
        then_subgraph_index: 1,
        else_subgraph_index: 1,
    }
    .into();
    assert_eq!(fault(&spec), (2, Fault::Recursion(1)));
}

/// The main subgraph calls the first, that calls the second, and so on, `each` times.
fn chain(deep: usize, each: usize) -> ModelSpec {
    let operators = |next: usize| {
        let options = CallOnceOptions {
            init_subgraph_index: next as i32,
        };
        vec![OperatorSpec::new(BuiltinOp::CallOnce, [], [], options); each]
    };
    let called = (2..=deep + 1).map(|next| SubgraphSpec {
        operators: if next > deep { vec![] } else { operators(next) },
        ..SubgraphSpec::default()
    });
    ModelSpec {
        operators: operators(1),
        called: called.collect(),
        ..ModelSpec::default()
    }
}

#[test]
fn calls_have_a_depth_and_an_end() {
    let bytes = Aligned::model(&chain(8, 1));
    let model = Model::parse(bytes.bytes()).unwrap();
    arena_bytes_needed(&model, registry::ALL).unwrap();
    assert_eq!(fault(&chain(9, 1)), (8, Fault::Depth(9)));
    // 6^8 calls: refused after what can be prepared, not tried.
    let (_, fault) = fault(&chain(8, 6));
    assert!(matches!(fault, Fault::Called(_)), "{fault}");
    let (_, fault) = self::fault(&chain(1, 256));
    assert_eq!(fault, Fault::TooManyVariables);
}

#[test]
fn a_loop_without_an_end_is_left() {
    static REGISTRY: &[Registration] = &[Registration::of::<While<1000>>()];
    let bytes = Aligned::model(&repeats());
    let model = Model::parse(bytes.bytes()).unwrap();
    let needed = arena_bytes_needed(&model, REGISTRY).unwrap();
    let mut arena = Aligned::arena(needed);
    let mut interpreter = Interpreter::new(&model, REGISTRY, arena.bytes_mut()).unwrap();
    interpreter.input(0).unwrap()[0] = 1;
    let error = interpreter.invoke().unwrap_err();
    assert_eq!((error.index, error.fault), (0, InvokeFault::Endless(1000)));
    interpreter.input(0).unwrap()[0] = 0;
    interpreter.invoke().unwrap();
    assert_eq!(interpreter.output(0), Some(&[0][..]));
}

#[test]
fn an_arena_of_the_bytes_that_are_needed_is_enough_and_one_of_fewer_is_not() {
    let bytes = Aligned::model(&condition(1, 2));
    let model = Model::parse(bytes.bytes()).unwrap();
    let needed = arena_bytes_needed(&model, registry::ALL).unwrap();
    for missing in 1..=needed {
        let mut arena = Aligned::arena(needed - missing);
        let error = Interpreter::new(&model, registry::ALL, arena.bytes_mut()).err();
        assert!(
            matches!(error, Some(PrepareError::ArenaTooSmall { .. })),
            "{missing}: {error:?}"
        );
    }
    let mut arena = Aligned::arena(needed);
    let mut interpreter = Interpreter::new(&model, registry::ALL, arena.bytes_mut()).unwrap();
    for turn in [1, 0] {
        interpreter.input(0).unwrap()[0] = turn;
        interpreter
            .input_as::<i32>(1)
            .unwrap()
            .copy_from_slice(&[5, -6]);
        interpreter.invoke().unwrap();
        assert_eq!(interpreter.output_as::<i32>(0), Some(&[5, -6][..]));
    }
}
