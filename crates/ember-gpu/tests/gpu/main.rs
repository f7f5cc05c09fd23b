//! The GPU against the interpreter: every operator that it takes, graphs drawn at random, the models of the zoo and those of
//! others.
//!
//! Where there is no adapter, a test says so and checks nothing; `EMBER_REQUIRE_GPU=1` makes that a failure.

mod case;
mod models;
mod operators;
mod placement;
mod program;
mod random;

use std::env;

use ember_gpu::Gpu;
use ember_lite::MappedModel;

/// How far the GPU may be from the interpreter, as a fraction of the output's greatest magnitude, or of 1 where that is less:
/// `ember_gpu` documents it.
const NEAR: f32 = 1e-4;

fn gpu() -> Option<Gpu> {
    match Gpu::open() {
        Ok(gpu) => Some(gpu),
        Err(error) => {
            assert!(
                env::var_os("EMBER_REQUIRE_GPU").is_none(),
                "EMBER_REQUIRE_GPU is set: {error}"
            );
            eprintln!("nothing was tested: {error}");
            None
        }
    }
}

/// Numbers in -1..1 that repeat nowhere near.
fn numbers(count: usize, seed: usize) -> Vec<f32> {
    let mut state = (seed as u32).wrapping_mul(2_654_435_761).wrapping_add(1);
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1_u32 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn to_bytes(numbers: &[f32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

fn to_floats(bytes: &[u8]) -> Vec<f32> {
    let words = bytes.as_chunks().0.iter();
    words.map(|word| f32::from_le_bytes(*word)).collect()
}

/// All outputs, for inputs that `seed` draws.
fn outputs(model: &MappedModel, seed: usize) -> Vec<Vec<f32>> {
    let mut arena = model.arena().unwrap();
    let mut session = model.session(&mut arena).unwrap();
    for index in 0..session.input_count() {
        let input = session.input(index).unwrap();
        input.copy_from_slice(&to_bytes(&numbers(input.len() / 4, seed + index)));
    }
    session.invoke().unwrap();
    let floats = |index| to_floats(session.output(index).unwrap());
    (0..session.output_count()).map(floats).collect()
}

/// Fails where one of the outputs is too far from what is expected.
fn assert_near(name: &str, found: &[Vec<f32>], expected: &[Vec<f32>]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.len(), expected.len(), "{name}");
        let greatest = expected
            .iter()
            .fold(1.0_f32, |greatest, b| greatest.max(b.abs()));
        for (at, (a, b)) in found.iter().zip(expected).enumerate() {
            // Written so that no NaN passes.
            let near = (a - b).abs() <= NEAR * greatest;
            assert!(near, "{name}: element {at} is {a}, not {b}");
        }
    }
}
