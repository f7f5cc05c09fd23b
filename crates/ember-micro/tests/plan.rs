//! The arena planner: nothing that lives together overlaps, and plans in the file are followed or refused.

mod support;

use std::collections::HashSet;

use ember_core::{BuiltinOp, Dtype};
use ember_micro::{Interpreter, PrepareError, Registration, plan, registry};
use ember_tflite::write::{ModelSpec, TensorSpec};
use ember_tflite::{Model, TensorId, UNPLANNED};
use proptest::prelude::*;
use support::{Aligned, at, classifier, operator};

/// A graph of random shape: every operator reads earlier tensors and writes one or two new ones.
fn graph() -> impl Strategy<Value = ModelSpec> {
    let op = (
        proptest::collection::vec(any::<proptest::sample::Index>(), 1..4),
        proptest::collection::vec(1..200usize, 1..3),
        any::<bool>(),
    );
    (
        proptest::collection::vec(1..200usize, 1..3),
        proptest::collection::vec(op, 1..20),
        proptest::collection::vec(any::<proptest::sample::Index>(), 1..3),
    )
        .prop_map(|(inputs, ops, outputs)| {
            let mut spec = ModelSpec::default();
            let push = |spec: &mut ModelSpec, len: usize| {
                spec.push_tensor(TensorSpec::new("", Dtype::Int8, [len])).0
            };
            for len in inputs {
                let id = push(&mut spec, len);
                spec.inputs.push(TensorId(id));
            }
            for (reads, writes, reshape) in ops {
                let known = spec.tensors.len();
                let reads: Vec<u32> = reads.iter().map(|read| read.index(known) as u32).collect();
                if reshape {
                    // A new name for the first tensor read.
                    let len = spec.tensors[reads[0] as usize].shape[0];
                    let id = push(&mut spec, len);
                    spec.operators
                        .push(operator(BuiltinOp::Reshape, &reads[..1], &[id]));
                } else {
                    let writes: Vec<u32> = writes.iter().map(|len| push(&mut spec, *len)).collect();
                    spec.operators
                        .push(operator(BuiltinOp::Relu, &reads, &writes));
                }
            }
            let known = spec.tensors.len();
            let outputs: HashSet<u32> = outputs.iter().map(|out| out.index(known) as u32).collect();
            spec.outputs = outputs.into_iter().map(TensorId).collect();
            spec
        })
}

/// For every moment the tensors whose content is still wanted, by going through the operators backwards.
fn wanted(spec: &ModelSpec) -> Vec<HashSet<u32>> {
    let mut live: HashSet<u32> = spec.outputs.iter().map(|id| id.0).collect();
    let mut moments = vec![live.clone()];
    for operator in spec.operators.iter().rev() {
        // While it runs, what it reads, what it writes and what is wanted afterwards.
        live.extend(operator.outputs.iter().flatten().map(|id| id.0));
        live.extend(operator.inputs.iter().flatten().map(|id| id.0));
        moments.push(live.clone());
        for id in operator.outputs.iter().flatten() {
            live.remove(&id.0);
        }
    }
    moments
}

/// What a tensor is a name for: the first tensor of a chain of reshapes.
fn origin(spec: &ModelSpec, mut id: u32) -> u32 {
    while let Some(operator) = spec.operators.iter().find(|operator| {
        operator.op == BuiltinOp::Reshape && operator.outputs[0] == Some(TensorId(id))
    }) {
        id = operator.inputs[0].unwrap().0;
    }
    id
}

fn offsets(spec: &ModelSpec) -> Result<Vec<i32>, PrepareError> {
    let bytes = Aligned::model(spec);
    plan::offsets(&Model::parse(bytes.bytes()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_that_is_wanted_together_overlaps(spec in graph()) {
        let offsets = offsets(&spec).unwrap();
        for moment in wanted(&spec) {
            for one in &moment {
                let start = offsets[*one as usize];
                prop_assert!(start >= 0 && start % 16 == 0, "tensor {} at {}", one, start);
                let end = start + spec.tensors[*one as usize].shape[0] as i32;
                for other in &moment {
                    let other_start = offsets[*other as usize];
                    let other_end = other_start + spec.tensors[*other as usize].shape[0] as i32;
                    let apart = end <= other_start || other_end <= start;
                    let same = origin(&spec, *one) == origin(&spec, *other);
                    prop_assert!(apart || same, "{} and {} overlap", one, other);
                    prop_assert!(!same || start == other_start, "{} and {} are one", one, other);
                }
            }
        }
        // A plan that is followed is the plan.
        let mut planned = spec.clone();
        planned.set_arena_plan(&offsets);
        prop_assert_eq!(self::offsets(&planned).unwrap(), offsets);
    }
}

/// The classifier with the plan that the runtime makes, changed by `change`, and the bytes of arena it takes operator by
/// operator.
fn with_plan(change: impl Fn(&mut Vec<i32>)) -> Result<usize, PrepareError> {
    with_plan_on(registry::ALL, change)
}

fn with_plan_on(
    registry: &[Registration],
    change: impl Fn(&mut Vec<i32>),
) -> Result<usize, PrepareError> {
    let mut spec = classifier();
    let mut plan = offsets(&spec).unwrap();
    change(&mut plan);
    spec.set_arena_plan(&plan);
    let bytes = Aligned::model(&spec);
    let model = Model::parse(bytes.bytes()).unwrap();
    let mut arena = Aligned::arena(4096);
    let mut interpreter = Interpreter::new(&model, registry, arena.bytes_mut())?;
    interpreter.invoke().unwrap();
    Ok(interpreter.arena_bytes_used())
}

#[test]
fn a_plan_for_single_operators_is_checked_and_not_followed_where_two_are_done_together() {
    let together = with_plan_on(registry::INT8, |plan| plan.fill(UNPLANNED)).unwrap();
    assert_eq!(with_plan_on(registry::INT8, |_| ()), Ok(together));
    let moved = with_plan_on(registry::INT8, |plan| plan[at::SCORES.index()] = 1000);
    assert_eq!(moved, Ok(together));
    let wrong = with_plan_on(registry::INT8, |plan| plan[at::FEATURES.index()] = 3);
    assert!(
        matches!(wrong, Err(PrepareError::PlanOffset { .. })),
        "{wrong:?}"
    );
}

#[test]
fn reshape_has_the_bytes_of_its_input() {
    let plan = offsets(&classifier()).unwrap();
    assert_eq!(plan[at::POOLED.index()], plan[at::FLAT.index()]);
    for constant in [at::FILTER, at::FILTER_BIAS, at::WEIGHTS, at::BIAS] {
        assert_eq!(plan[constant.index()], UNPLANNED);
    }
}

#[test]
fn a_plan_in_the_file_is_followed() {
    let own = with_plan(|plan| plan.fill(UNPLANNED)).unwrap();
    assert_eq!(with_plan(|_| ()).unwrap(), own);
    // 1000 is no multiple of 16, but one of 4; 3 bytes of scores end at 1003.
    let moved = with_plan(|plan| plan[at::SCORES.index()] = 1000).unwrap();
    // 80 bytes of tensors and 64 behind them, which the convolution works in.
    let persistent = own.next_multiple_of(16) - 144;
    assert!(
        moved > persistent + 1000 && moved < persistent + 1024 + 80,
        "{own} {moved}"
    );
    // RESHAPE copies where the plan keeps its two sides apart.
    with_plan(|plan| plan[at::FLAT.index()] = 512).unwrap();
    // What is planned stays, the rest is put around it.
    with_plan(|plan| {
        plan.fill(UNPLANNED);
        plan[at::FEATURES.index()] = 64;
    })
    .unwrap();
}

#[test]
fn a_plan_that_cannot_be_is_refused() {
    let image = at::IMAGE.index();
    assert_eq!(
        with_plan(|plan| plan[image] = 6),
        Err(PrepareError::PlanOffset {
            tensor: 0,
            offset: 6
        })
    );
    assert_eq!(
        with_plan(|plan| plan[image] = -8),
        Err(PrepareError::PlanOffset {
            tensor: 0,
            offset: -8
        })
    );
    assert_eq!(
        with_plan(|plan| plan[image] = i32::MAX - 3),
        Err(PrepareError::PlanOffset {
            tensor: 0,
            offset: i32::MAX - 3
        })
    );
    let overlap = with_plan(|plan| plan[at::FEATURES.index()] = plan[image] + 4).unwrap_err();
    assert!(
        matches!(overlap, PrepareError::PlanOverlap { .. }),
        "{overlap:?}"
    );
    let text = overlap.to_string();
    assert!(
        text.contains("tensors") && text.contains("over each other"),
        "{text}"
    );
}

#[test]
fn operators_out_of_order_are_refused() {
    let mut spec = classifier();
    spec.operators.swap(0, 1);
    assert_eq!(
        offsets(&spec),
        Err(PrepareError::Unwritten {
            subgraph: 0,
            index: 0,
            tensor: at::FEATURES.0
        })
    );
    let mut spec = classifier();
    spec.operators[4].outputs = vec![Some(at::FEATURES)];
    assert_eq!(
        offsets(&spec),
        Err(PrepareError::Rewritten {
            subgraph: 0,
            index: 4,
            tensor: at::FEATURES.0
        })
    );
    let mut spec = classifier();
    spec.operators[4].outputs = vec![Some(at::WEIGHTS)];
    assert_eq!(
        offsets(&spec),
        Err(PrepareError::Rewritten {
            subgraph: 0,
            index: 4,
            tensor: at::WEIGHTS.0
        })
    );
    let mut spec = classifier();
    spec.operators.truncate(4);
    assert_eq!(
        offsets(&spec),
        Err(PrepareError::Unwritten {
            subgraph: 0,
            index: 4,
            tensor: at::SCORES.0
        })
    );
}
