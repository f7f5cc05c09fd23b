//! Custom operators: the example's kernel, what it refuses, and a registry without it.

mod support;

#[path = "../examples/custom_operator.rs"]
#[allow(dead_code, reason = "the example has a main function, too")]
mod example;

use ember_core::{BuiltinOp, Dtype};
use ember_micro::{Fault, Interpreter, Model, PrepareError, registry};
use support::{Aligned, prepare};

#[test]
fn a_custom_operator_runs_with_its_options() {
    let file = Aligned::model(&example::model(&example::OPTIONS));
    let model = Model::parse(file.bytes()).unwrap();
    let mut arena = Aligned::arena(1024);
    let mut interpreter = Interpreter::new(&model, example::REGISTRY, arena.bytes_mut()).unwrap();
    let input = interpreter.input_as(0).unwrap();
    input.copy_from_slice(&[-1.0, 0.5, 1.0, 2.0f32]);
    interpreter.invoke().unwrap();
    assert_eq!(
        interpreter.output_as::<f32>(0).unwrap(),
        [0.0, 1.25, 2.5, 5.0]
    );
}

#[test]
fn options_that_are_not_what_the_kernel_reads_are_refused() {
    for options in [&b""[..], b"factor", &example::OPTIONS[1..], &[3, 4, 1]] {
        let refused = prepare(&example::model(options), example::REGISTRY);
        let expected = PrepareError::Operator {
            subgraph: 0,
            index: 1,
            op: BuiltinOp::Custom,
            fault: Fault::Custom(1),
        };
        assert_eq!(refused.unwrap_err(), expected, "{options:?}");
    }
}

#[test]
fn a_registry_without_it_says_that_it_is_missing() {
    let missing = PrepareError::MissingRegistration {
        subgraph: 0,
        index: 1,
        op: BuiltinOp::Custom,
        version: 1,
        dtype: Dtype::Float32,
    };
    let refused = prepare(&example::model(&example::OPTIONS), registry::ALL);
    assert_eq!(refused.unwrap_err(), missing);
    // Another name is another operator, and a type that it is not for another kernel.
    let mut spec = example::model(&example::OPTIONS);
    spec.operators[1].custom_code = "SCALE_BY_2".to_owned();
    assert_eq!(prepare(&spec, example::REGISTRY).unwrap_err(), missing);
}
