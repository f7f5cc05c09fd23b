//! Random models on every runtime: what one says every other one says, to the byte.
//!
//! `EMBER_RANDOM_MODELS=FROM..TO cargo test -p ember-testkit --release --test random_models` runs these seeds instead of the
//! first ones.

use ember_testkit::aligned::AlignedBytes;
use ember_testkit::case::Tensors;
use ember_testkit::generate::{self, Families};
use ember_testkit::runtime::{Refusal, Runtime};
use ember_testkit::runtimes;
use ember_tflite::write::{ModelSpec, write};

/// Models of the normal run.
const COUNT: u64 = 800;

/// Operators in a model, at most.
const OPERATORS: usize = 8;

/// What a runtime gives for two runs, one after the other.
fn outputs(
    runtime: &dyn Runtime,
    file: &AlignedBytes,
    inputs: &[Tensors],
) -> Result<Vec<Tensors>, Refusal> {
    let mut outputs = Vec::new();
    runtime.open(file, &mut |session| {
        for inputs in inputs {
            outputs.push(session.invoke(inputs)?);
        }
        Ok(())
    })?;
    Ok(outputs)
}

/// What differs between the runtimes, if something does.
fn difference(spec: &ModelSpec, seed: u64) -> Option<String> {
    let file = AlignedBytes::copy_of(&write(spec).unwrap());
    let inputs = [
        generate::inputs(spec, seed),
        generate::inputs(spec, seed + 1),
    ];
    let (first, others) = runtimes::ALL.split_first().unwrap();
    let expected = outputs(*first, &file, &inputs);
    others.iter().find_map(|other| {
        let found = outputs(*other, &file, &inputs);
        match (&expected, &found) {
            (Ok(expected), Ok(found)) if expected == found => None,
            // Not defined for these inputs: a division by zero, the root of a negative number.
            (Err(_), Err(_)) => None,
            _ => Some(format!(
                "{}: {expected:?}\n{}: {found:?}",
                first.name(),
                other.name()
            )),
        }
    })
}

#[test]
fn every_runtime_gives_the_same_bytes() {
    let seeds = generate::seeds(0..COUNT);
    let mut operators = std::collections::BTreeMap::<&str, usize>::new();
    let mut ran = 0;
    for seed in seeds.clone() {
        let spec = generate::model(seed, OPERATORS, Families::All);
        let called = spec.called.iter().flat_map(|graph| &graph.operators);
        for operator in spec.operators.iter().chain(called) {
            *operators.entry(operator.op.name()).or_default() += 1;
        }
        let Some(_) = difference(&spec, seed) else {
            ran += 1;
            continue;
        };
        // Fewer operators of one seed are the first ones of more.
        let shorter = (1..=OPERATORS).map(|count| generate::model(seed, count, Families::All));
        let mut found = shorter.filter_map(|spec| Some((difference(&spec, seed)?, spec)));
        let (difference, spec) = found.next().expect("as many operators differ");
        panic!("seed {seed}:\n{}{difference}", generate::text(&spec));
    }
    println!("{ran} models; operators: {operators:?}");
    if seeds.end - seeds.start >= COUNT {
        assert!(operators.len() > 80, "only {}", operators.len());
        for op in ["IF", "WHILE", "CALL_ONCE", "READ_VARIABLE"] {
            assert!(operators.contains_key(op), "{op}");
        }
    }
}
