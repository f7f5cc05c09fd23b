//! Damaged files: never a panic, and what our check accepts the official flatbuffers verifier accepts too.
//!
//! The same body is the fuzz target `fuzz/fuzz_targets/read.rs`; here it runs over a bounded number of seeded mutations.

#![cfg(feature = "write")]

mod cases;
mod samples;

use std::collections::BTreeSet;
use std::hash::DefaultHasher;

use ember_tflite::write::{ModelSpec, verify, write};
use ember_tflite::{Model, ReadError, walk};

/// Mutations of each sample.
const ROUNDS: u32 = 20_000;

/// Numbers that offsets and lengths break on.
const EDGES: [u32; 10] = [
    0,
    1,
    3,
    4,
    8,
    0x7f,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffc,
    0xffff_ffff,
];

/// A linear congruential generator with the constants of Knuth's MMIX: the same mutations on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = (self.0.wrapping_mul(6_364_136_223_846_793_005))
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 | 1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = random.below(256) as u8,
            3 => {
                let word = at & !3;
                let edge = EDGES[random.below(EDGES.len())].to_le_bytes();
                bytes[word..]
                    .iter_mut()
                    .zip(edge)
                    .for_each(|(to, from)| *to = from);
            }
            // Small differences keep offsets in the file: overlapping tables, shared lists, fields of a wrong kind.
            4 => {
                let word = at & !3;
                bytes[word] = bytes[word]
                    .wrapping_add(4 * random.below(9) as u8)
                    .wrapping_sub(16);
            }
            _ => {
                let from = random.below(bytes.len());
                let len = random.below(16).min(bytes.len() - at.max(from));
                bytes.copy_within(from..from + len, at);
            }
        }
    }
    if random.below(8) == 0 {
        bytes.truncate(random.below(bytes.len()).max(1));
    }
}

/// What must hold for any bytes.
fn judge(bytes: &[u8]) -> Result<(), ReadError> {
    let model = Model::parse(bytes).inspect_err(|error| assert!(!error.to_string().is_empty()))?;
    walk(&model, &mut DefaultHasher::new());
    verify(bytes).unwrap_or_else(|error| panic!("only the official verifier refuses: {error}"));
    if let Ok(written) = ModelSpec::from_model(&model).and_then(|spec| write(&spec)) {
        let model = Model::parse(&written).unwrap();
        let again = write(&ModelSpec::from_model(&model).unwrap()).unwrap();
        assert!(again == written, "a written file is written the same again");
    }
    Ok(())
}

#[test]
fn damaged_files_are_refused_or_readable() {
    let mut random = Random(1);
    let mut accepted = 0;
    let mut faults = BTreeSet::new();
    for (_, spec) in samples::all() {
        let sample = write(&spec).unwrap();
        for _ in 0..ROUNDS {
            let mut bytes = sample.clone();
            mutate(&mut bytes, &mut random);
            match judge(&bytes) {
                Ok(()) => accepted += 1,
                Err(error) => {
                    let error = format!("{error:?}");
                    let kind = error.split(' ').next().unwrap_or_default();
                    faults.insert(kind.to_owned());
                }
            }
        }
    }
    println!("{accepted} accepted, {faults:?}");
    assert!(
        accepted > 1000,
        "only {accepted} accepted: the second half is not tested"
    );
    assert!(faults.len() >= 8, "only {faults:?}");
}

#[test]
fn cut_off_files_are_refused() {
    for (name, spec) in samples::all() {
        let sample = write(&spec).unwrap();
        for len in 0..sample.len() {
            // The first thing laid out is at the end; its terminator or padding may be all that is missing.
            let refused = judge(&sample[..len]).is_err();
            assert!(
                refused || len + 16 > sample.len(),
                "{name} cut to {len} bytes"
            );
        }
    }
}

#[test]
fn the_models_of_others_survive_mutation() {
    let mut random = Random(2);
    for (_, sample) in cases::cases() {
        // The part that is not weights is short; weights are accepted with any content.
        for _ in 0..300 {
            let mut bytes = sample.clone();
            mutate(&mut bytes, &mut random);
            let _ = judge(&bytes);
        }
    }
}
