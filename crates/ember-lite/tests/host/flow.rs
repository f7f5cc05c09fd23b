//! Models with a loop and with variables, through the tools.

use ember_core::{BuiltinOp, Dtype};
use ember_lite::{ArenaPlan, Inspection, Kept, MappedModel, Simd, diff, dot, strip};
use ember_tflite::write::{
    ModelSpec, OperatorSpec, SignatureSpec, SubgraphSpec, TensorSpec, VariableSpec, write,
};
use ember_tflite::{AddOptions, Options, SubgraphId, TensorId, WhileOptions};

use crate::tools::shared;

fn count(name: &str) -> TensorSpec {
    TensorSpec::new(name, Dtype::Int32, [1])
}

fn numbers(name: &str) -> TensorSpec {
    TensorSpec::new(name, Dtype::Float32, [3])
}

fn add(left: u32, right: u32, sum: u32) -> OperatorSpec {
    let inputs = [TensorId(left), TensorId(right)];
    OperatorSpec::new(
        BuiltinOp::Add,
        inputs,
        [TensorId(sum)],
        AddOptions::default(),
    )
}

/// Doubles three numbers three times, or adds another constant in each round than one.
fn doubles(step: i32) -> ModelSpec {
    let condition = SubgraphSpec {
        name: "below".into(),
        tensors: vec![
            count("count"),
            numbers("numbers"),
            count("three").with_data(3i32.to_le_bytes()),
            TensorSpec::new("goes on", Dtype::Bool, [1]),
        ],
        operators: vec![OperatorSpec::new(
            BuiltinOp::Less,
            [TensorId(0), TensorId(2)],
            [TensorId(3)],
            Options::None,
        )],
        inputs: vec![TensorId(0), TensorId(1)],
        outputs: vec![TensorId(3)],
    };
    let body = SubgraphSpec {
        name: "double".into(),
        tensors: vec![
            count("count"),
            numbers("numbers"),
            count("step").with_data(step.to_le_bytes()),
            count("next"),
            numbers("doubled"),
        ],
        operators: vec![add(0, 2, 3), add(1, 1, 4)],
        inputs: vec![TensorId(0), TensorId(1)],
        outputs: vec![TensorId(3), TensorId(4)],
    };
    let options = WhileOptions {
        cond_subgraph_index: 1,
        body_subgraph_index: 2,
    };
    ModelSpec {
        tensors: vec![
            numbers("numbers"),
            count("zero").with_data(0i32.to_le_bytes()),
            count("rounds"),
            numbers("result"),
        ],
        operators: vec![OperatorSpec::new(
            BuiltinOp::While,
            [TensorId(1), TensorId(0)],
            [TensorId(2), TensorId(3)],
            options,
        )],
        inputs: vec![TensorId(0)],
        outputs: vec![TensorId(3)],
        called: vec![condition, body],
        ..ModelSpec::default()
    }
}

/// Gives the sum of all inputs so far.
fn sums() -> ModelSpec {
    let handle = TensorSpec::new("handle", Dtype::Resource, [1]);
    let variable = VariableSpec {
        container: String::new(),
        name: "total".into(),
    };
    let operator = |op, inputs: &[u32], outputs: &[u32]| {
        let ids = |ids: &[u32]| ids.iter().map(|id| TensorId(*id)).collect::<Vec<_>>();
        OperatorSpec::new(op, ids(inputs), ids(outputs), Options::None)
    };
    ModelSpec {
        tensors: vec![
            numbers("numbers"),
            handle,
            numbers("before"),
            numbers("sum"),
        ],
        operators: vec![
            OperatorSpec::var_handle(variable, TensorId(1)),
            operator(BuiltinOp::ReadVariable, &[1], &[2]),
            add(0, 2, 3),
            operator(BuiltinOp::AssignVariable, &[1, 3], &[]),
        ],
        inputs: vec![TensorId(0)],
        outputs: vec![TensorId(3)],
        ..ModelSpec::default()
    }
}

fn opened(spec: &ModelSpec, name: &str) -> MappedModel {
    MappedModel::from_bytes(&write(spec).unwrap(), name).unwrap()
}

fn stripped(model: &MappedModel, kept: Kept) -> MappedModel {
    MappedModel::from_bytes(&strip(model, kept).unwrap(), "stripped").unwrap()
}

fn results(model: &MappedModel, runs: usize) -> Vec<f32> {
    let mut arena = model.arena().unwrap();
    let mut session = model.session(&mut arena).unwrap();
    for _ in 0..runs {
        let numbers = [1.0f32, -0.5, 3.25].map(f32::to_le_bytes);
        let input = session.input(0).unwrap();
        input.copy_from_slice(numbers.as_flattened());
        session.invoke().unwrap();
    }
    let bytes = session.output(0).unwrap().as_chunks().0;
    bytes
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

#[test]
fn an_inspection_has_every_subgraph() {
    let model = opened(&doubles(1), "doubles");
    assert_eq!(results(&model, 1), [8.0, -4.0, 26.0]);
    let found = Inspection::of(&model).unwrap();
    assert_eq!(found.arena, Ok(model.arena_bytes().unwrap()));
    let [main, condition, body] = &found.subgraphs[..] else {
        panic!("{found}");
    };
    assert_eq!(main.operators[0].name, "WHILE");
    assert_eq!(main.operators[0].calls, [1, 2]);
    assert_eq!(condition.name, "below");
    assert_eq!(
        (&body.inputs[..], &body.outputs[..]),
        (&[0, 1][..], &[3, 4][..])
    );
    assert_eq!(body.operators.len(), 2);
    let text = found.to_string();
    assert!(text.contains("subgraph 2 double\ninput #0"), "{text}");
    assert!(
        text.contains("calls subgraph 1, calls subgraph 2"),
        "{text}"
    );
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["arena"]["bytes"], model.arena_bytes().unwrap());
    assert_eq!(json["subgraphs"][1]["operators"][0]["name"], "LESS");
}

#[test]
fn a_graph_has_a_box_for_every_subgraph() {
    let text = dot(&opened(&doubles(1), "doubles")).unwrap();
    for line in [
        "  subgraph cluster_2 {",
        "  label=\"subgraph 2 double\";",
        "  op0 -> g1_begin [style=dashed, lhead=cluster_1];",
        "  g2_op1 -> g2_out1 [label=\"FLOAT32 [3]\"];",
    ] {
        assert!(text.lines().any(|own| own == line), "{line}:\n{text}");
    }
    assert_eq!(text.matches('{').count(), text.matches('}').count());
}

#[test]
fn a_plan_has_every_subgraph_behind_its_caller() {
    let model = opened(&doubles(1), "doubles");
    let plan = ArenaPlan::of(&model).unwrap();
    assert_eq!(plan.main.operators, ["WHILE"]);
    let callers: Vec<_> = plan
        .called
        .iter()
        .map(|plan| (plan.subgraph, plan.caller.as_deref().unwrap()))
        .collect();
    let caller = "operator 0 of subgraph 0, WHILE";
    assert_eq!(callers, [(1, caller), (2, caller)]);
    let end = |tensors: &[ember_lite::PlannedTensor]| {
        let ends = tensors.iter().map(|tensor| tensor.offset + tensor.bytes);
        ends.max().unwrap()
    };
    let main = end(&plan.main.tensors);
    for called in &plan.called {
        assert!(called.tensors.iter().all(|tensor| tensor.offset >= main));
        assert!(end(&called.tensors) <= plan.activation_bytes);
    }
    assert!(plan.arena_bytes > plan.activation_bytes);
    let text = plan.to_text(64);
    assert!(text.contains("subgraph 2, called by operator 0"), "{text}");
    let svg = plan.to_svg();
    let drawing = roxmltree::Document::parse(&svg).unwrap();
    let boxes = drawing
        .descendants()
        .filter(|node| node.has_tag_name("rect"));
    let all = plan.called.iter().map(|called| called.tensors.len());
    assert_eq!(boxes.count(), plan.main.tensors.len() + all.sum::<usize>());
}

#[test]
fn a_stripped_model_has_no_name_in_any_subgraph() {
    let mut spec = doubles(1);
    spec.signatures.push(SignatureSpec {
        key: "body".into(),
        subgraph: 2,
        inputs: vec![("count".into(), TensorId(0))],
        ..SignatureSpec::default()
    });
    spec.set_arena_plan(&[0, -1, 16, 32]);
    let model = opened(&spec, "doubles");
    let small = stripped(&model, Kept::default());
    assert!(small.bytes().len() < model.bytes().len());
    let parsed = small.model().unwrap();
    assert!(
        parsed.subgraphs().all(|graph| graph.name().is_empty()
            && graph.tensors().all(|tensor| tensor.name().is_empty()))
    );
    assert!(parsed.arena_plan().is_some() && parsed.signatures().next().is_none());
    assert_eq!(results(&small, 1), results(&model, 1));

    let other = Kept {
        signatures: true,
        plan: false,
    };
    let small = stripped(&model, other);
    let parsed = small.model().unwrap();
    assert!(parsed.arena_plan().is_none());
    let signature = parsed.signatures().next().unwrap();
    assert_eq!(
        (signature.key(), signature.subgraph()),
        ("body", SubgraphId(2))
    );
    assert_eq!(results(&small, 1), results(&model, 1));
}

#[test]
fn a_difference_is_found_in_the_subgraph_where_it_arises() {
    let (model, other) = (opened(&doubles(1), "one"), opened(&doubles(2), "two"));
    let found = diff(&model, &model, &[0.5, 1.0, 2.0]).unwrap();
    assert!(found.first().is_none(), "{found}");
    let names: Vec<_> = found
        .tensors
        .iter()
        .map(|tensor| (tensor.name.as_str(), tensor.operator.as_str()))
        .collect();
    let expected = [
        ("subgraph 1: goes on", "LESS"),
        ("subgraph 2: next", "ADD"),
        ("subgraph 2: doubled", "ADD"),
        ("rounds", "WHILE"),
        ("result", "WHILE"),
    ];
    assert_eq!(names, expected);
    let found = diff(&model, &other, &[0.5, 1.0, 2.0]).unwrap();
    let first = found.first().unwrap();
    // The last rounds count to 3 and to 4, and doubled as often as that takes.
    assert_eq!(first.name, "subgraph 2: next");
    assert_eq!(first.greatest, None, "counts stand for no real numbers");
    assert_eq!(found.untraced, [0, 0]);
}

#[test]
fn a_model_with_variables_goes_through_the_tools() {
    let model = opened(&sums(), "sums");
    assert_eq!(results(&model, 3), [3.0, -1.5, 9.75]);
    assert_eq!(
        results(&stripped(&model, Kept::default()), 3),
        [3.0, -1.5, 9.75]
    );
    let found = diff(&model, &model, &[0.5, 1.0, 2.0]).unwrap();
    assert!(
        found.first().is_none() && found.tensors.len() == 2,
        "{found}"
    );
    let simd = Simd::of(&model).unwrap();
    let delegated = model.delegated(&[&simd]).unwrap();
    assert_eq!(results(&delegated, 3), [3.0, -1.5, 9.75]);
    let text = Inspection::of(&model).unwrap().to_string();
    assert!(text.contains("VAR_HANDLE (version 1), 0 bytes of constants, variable total"));
    assert!(dot(&model).unwrap().contains("VAR_HANDLE\\ntotal"));
}

#[test]
fn a_model_of_tensorflow_without_its_plan_computes_the_same() {
    let Some(model) = shared("seed_cnn_int8") else {
        return;
    };
    let kept = Kept {
        plan: false,
        ..Kept::default()
    };
    let small = stripped(&model, kept);
    assert!(small.model().unwrap().arena_plan().is_none());
    let run = |model: &MappedModel| {
        let mut arena = model.arena().unwrap();
        let mut session = model.session(&mut arena).unwrap();
        session.run_real(&[0.25; 784]).unwrap();
        session.output(0).unwrap().to_vec()
    };
    assert_eq!(run(&small), run(&model));
}
