//! The arena of `ember-micro`: the bytes that it says it needs are enough, and one step fewer is an error that says so.

use ember_micro::{Interpreter, PrepareError, arena_bytes_needed, registry};
use ember_testkit::aligned::AlignedBytes;
use ember_testkit::case::{Case, Tensors};
use ember_testkit::{expectations, golden, sample};
use ember_tflite::Model;

/// The interpreter counts its arena in words of this many bytes.
const WORD: usize = 4;

fn supported(case: &Case) -> bool {
    let mut listed = expectations::GOLDENS_NOT_YET.iter();
    listed.all(|entry| entry.case != case.name)
}

/// A model with inputs that it is defined for.
struct Sample {
    name: String,
    file: AlignedBytes,
    inputs: Tensors,
}

fn models() -> impl Iterator<Item = Sample> {
    let sample = |name: &str, with_plan| Sample {
        name: name.to_owned(),
        file: sample::model(with_plan),
        inputs: vec![vec![1; sample::INPUT_ELEMENTS * 4]],
    };
    golden::operators()
        .flat_map(|operator| golden::cases(operator).unwrap())
        .filter(supported)
        .map(|case| Sample {
            name: case.name,
            file: case.model,
            inputs: case.records[0].inputs.clone(),
        })
        .chain([sample("sample", false), sample("sample with a plan", true)])
}

fn fill(interpreter: &mut Interpreter<'_, '_>, inputs: &Tensors) {
    for (index, bytes) in inputs.iter().enumerate() {
        interpreter.input(index).unwrap().copy_from_slice(bytes);
    }
}

/// Runs the model; not to its end where that waits for further inputs.
fn invoke(interpreter: &mut Interpreter<'_, '_>, name: &str) -> bool {
    match interpreter.invoke() {
        Ok(()) => true,
        Err(error) if error.waits() => false,
        Err(error) => panic!("{name}: {error}"),
    }
}

#[test]
fn an_arena_of_the_needed_bytes_is_enough_and_a_smaller_one_is_refused() {
    let mut checked = 0;
    for Sample { name, file, inputs } in models() {
        let model = Model::parse(file.as_slice()).unwrap();
        let needed =
            arena_bytes_needed(&model, registry::ALL).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut arena = AlignedBytes::zeroed(needed);
        let mut interpreter = Interpreter::new(&model, registry::ALL, arena.as_mut_slice())
            .unwrap_or_else(|e| panic!("{name}: {needed} bytes: {e}"));
        assert_eq!(interpreter.arena_bytes_used(), needed, "{name}");
        fill(&mut interpreter, &inputs);
        invoke(&mut interpreter, &name);

        for given in (0..needed).step_by(WORD) {
            let mut arena = AlignedBytes::zeroed(given);
            let error = Interpreter::new(&model, registry::ALL, arena.as_mut_slice())
                .err()
                .unwrap_or_else(|| panic!("{name}: {given} bytes do, but {needed} are needed"));
            let PrepareError::ArenaTooSmall { given: said, .. } = error else {
                panic!("{name}: {given} bytes: {error}");
            };
            assert_eq!(said as usize, given, "{name}");
            checked += 1;
        }
    }
    assert!(checked > 10_000, "{checked}");
}

#[test]
fn what_the_arena_held_before_does_not_matter() {
    for Sample { name, file, inputs } in models() {
        let model = Model::parse(file.as_slice()).unwrap();
        let needed = arena_bytes_needed(&model, registry::ALL).unwrap();
        let run = |filler: u8| {
            let mut arena = AlignedBytes::zeroed(needed);
            arena.as_mut_slice().fill(filler);
            let mut interpreter =
                Interpreter::new(&model, registry::ALL, arena.as_mut_slice()).unwrap();
            fill(&mut interpreter, &inputs);
            invoke(&mut interpreter, &name).then(|| interpreter.output(0).unwrap().to_vec())
        };
        assert_eq!(run(0), run(0xa5), "{name}");
    }
}

#[test]
fn a_plan_in_the_file_changes_the_arena_and_nothing_else() {
    let run = |with_plan: bool, image: &[f32]| {
        let file = sample::model(with_plan);
        let model = Model::parse(file.as_slice()).unwrap();
        let needed = arena_bytes_needed(&model, registry::ALL).unwrap();
        let mut arena = AlignedBytes::zeroed(needed);
        let mut interpreter =
            Interpreter::new(&model, registry::ALL, arena.as_mut_slice()).unwrap();
        interpreter
            .input_as::<f32>(0)
            .unwrap()
            .copy_from_slice(image);
        interpreter.invoke().unwrap();
        (needed, interpreter.output_as::<f32>(0).unwrap().to_vec())
    };
    let mut answers = Vec::new();
    for step in 1..6 {
        let image: Vec<f32> = (0..sample::INPUT_ELEMENTS)
            .map(|i| (i * step % 11) as f32 / 10.0)
            .collect();
        let (unplanned, scores) = run(false, &image);
        let (planned, planned_scores) = run(true, &image);
        assert_eq!(scores, planned_scores);
        assert!(
            planned > unplanned,
            "the plan shares no bytes: {planned}, {unplanned}"
        );
        assert_eq!(scores.len(), sample::OUTPUT_ELEMENTS);
        let sum: f32 = scores.iter().sum();
        assert!((sum - 1.0).abs() < 0.02, "{scores:?}");
        answers.push(scores);
    }
    answers.dedup();
    assert!(
        answers.len() > 1,
        "the scores depend on the image: {answers:?}"
    );
}
