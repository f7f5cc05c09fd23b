//! A compiled model with subgraphs and a variable: the source is what is committed, and stops, begins again and counts as the
//! interpreter does.
//!
//! `golden/flow_compiled.rs` is committed; `EMBER_BLESS=1 cargo test -p ember-codegen` writes it again.

use std::path::Path;

use ember_codegen::compiled::source;
use ember_core::{BuiltinOp, Dtype};
use ember_kernels::KernelError;
use ember_kernels::compiled::InvokeError;
use ember_micro::ops::control_flow::ROUNDS;
use ember_micro::{Arena, Interpreter, InvokeFault, registry};
use ember_testkit::aligned::AlignedBytes;
use ember_tflite::write::{ModelSpec, OperatorSpec, SubgraphSpec, TensorSpec, VariableSpec, write};
use ember_tflite::{AddOptions, CallOnceOptions, Model, Options, TensorId, WhileOptions};

/// The golden file as a firmware sees it.
mod golden {
    #![allow(
        dead_code,
        missing_docs,
        unreachable_pub,
        clippy::all,
        reason = "generated"
    )]

    include!("golden/flow_compiled.rs");
}

fn number() -> TensorSpec {
    TensorSpec::new("", Dtype::Int32, [1])
}

fn flag() -> TensorSpec {
    TensorSpec::new("", Dtype::Bool, [1])
}

fn handle() -> TensorSpec {
    TensorSpec::new("", Dtype::Resource, [1])
}

fn total(output: u32) -> OperatorSpec {
    let variable = VariableSpec {
        container: String::new(),
        name: "total".into(),
    };
    OperatorSpec::var_handle(variable, TensorId(output))
}

fn operator(
    op: BuiltinOp,
    inputs: &[u32],
    outputs: &[u32],
    options: impl Into<Options>,
) -> OperatorSpec {
    let ids = |ids: &[u32]| ids.iter().map(|id| TensorId(*id)).collect::<Vec<_>>();
    OperatorSpec::new(op, ids(inputs), ids(outputs), options)
}

/// Adds its second input to a total that begins at 10, then goes round for ever if the first one says so.
fn file() -> Vec<u8> {
    let begin = SubgraphSpec {
        name: "begin".into(),
        tensors: vec![number().with_data(10i32.to_le_bytes()), handle()],
        operators: vec![
            total(1),
            operator(BuiltinOp::AssignVariable, &[1, 0], &[], Options::None),
        ],
        ..SubgraphSpec::default()
    };
    let same = |outputs: &[u32]| SubgraphSpec {
        tensors: vec![flag(), number()],
        inputs: vec![TensorId(0), TensorId(1)],
        outputs: outputs.iter().map(|id| TensorId(*id)).collect(),
        ..SubgraphSpec::default()
    };
    let once = CallOnceOptions {
        init_subgraph_index: 1,
    };
    let repeat = WhileOptions {
        cond_subgraph_index: 2,
        body_subgraph_index: 3,
    };
    let spec = ModelSpec {
        tensors: vec![
            flag(),
            number(),
            handle(),
            number(),
            number(),
            flag(),
            number(),
        ],
        operators: vec![
            operator(BuiltinOp::CallOnce, &[], &[], once),
            total(2),
            operator(BuiltinOp::ReadVariable, &[2], &[3], Options::None),
            operator(BuiltinOp::Add, &[1, 3], &[4], AddOptions::default()),
            operator(BuiltinOp::AssignVariable, &[2, 4], &[], Options::None),
            operator(BuiltinOp::While, &[0, 4], &[5, 6], repeat),
        ],
        inputs: vec![TensorId(0), TensorId(1)],
        outputs: vec![TensorId(6)],
        called: vec![begin, same(&[0]), same(&[0, 1])],
        ..ModelSpec::default()
    };
    write(&spec).unwrap()
}

#[test]
fn the_golden_source_is_what_is_generated() {
    let source = source(&file()).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/flow_compiled.rs");
    if std::env::var_os("EMBER_BLESS").is_some() {
        std::fs::write(&path, &source).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert!(
        source == golden,
        "the generated source changed; if that is meant: EMBER_BLESS=1 cargo test -p ember-codegen"
    );
}

/// The total, or which operator stopped and after how many rounds.
type Outcome = Result<i32, (u32, u32)>;

fn compiled(model: &mut golden::Model, endless: bool, number: i32) -> Outcome {
    model.input(0).unwrap().fill(u8::from(endless));
    let input = model.input(1).unwrap();
    input.copy_from_slice(&number.to_le_bytes());
    match model.invoke() {
        Ok(()) => {
            let output = model.output(0).unwrap().first_chunk();
            Ok(i32::from_le_bytes(*output.unwrap()))
        }
        Err(InvokeError {
            operator,
            error: KernelError::Endless(rounds),
        }) => Err((operator, rounds)),
        Err(error) => panic!("{error}"),
    }
}

fn interpreted(model: &mut Interpreter<'_, '_>, endless: bool, number: i32) -> Outcome {
    model.input(0).unwrap().fill(u8::from(endless));
    model.input_as::<i32>(1).unwrap()[0] = number;
    match model.invoke() {
        Ok(()) => Ok(model.output_as::<i32>(0).unwrap()[0]),
        Err(error) => match error.fault {
            InvokeFault::Endless(rounds) => Err((error.index, rounds)),
            fault => panic!("{fault}"),
        },
    }
}

#[test]
fn it_counts_stops_and_begins_again_as_the_interpreter_does() {
    let file = AlignedBytes::copy_of(&file());
    let model = Model::parse(file.as_slice()).unwrap();
    let mut arena = Arena::<4096>::new();
    let mut interpreter = Interpreter::new(&model, registry::ALL, &mut arena).unwrap();
    let mut code = golden::Model::new();
    let expected = [
        (false, Ok(15)),
        (false, Ok(20)),
        (true, Err((5, ROUNDS))),
        (false, Ok(30)),
    ];
    for round in 0..2 {
        for (endless, outcome) in expected {
            let found = compiled(&mut code, endless, 5);
            assert_eq!(found, outcome, "compiled, round {round}");
            let found = interpreted(&mut interpreter, endless, 5);
            assert_eq!(found, outcome, "interpreted, round {round}");
        }
        code.reset_variables();
        interpreter.reset_variables();
    }
}
