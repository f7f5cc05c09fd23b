//! Damaged models on every runtime: each gives outputs or one clear error, in bounded time, and never a panic.
//!
//! The undamaged files are the goldens; damage is exhaustive for one small model of each operator, and random with a
//! fixed seed for all of them.

use ember_testkit::aligned::AlignedBytes;
use ember_testkit::alteration::Alterations;
use ember_testkit::case::{Case, Tensors};
use ember_testkit::mutation::{self, Mutant, Mutations};
use ember_testkit::runtime::{Refusal, Runtime, Session};
use ember_testkit::{golden, runtimes, sample};
use ember_tflite::{Model, ReadError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

/// No golden takes a millisecond; a damaged one that takes this long loops over an absurd dimension.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Random damages, and alterations, per golden.
const ROUNDS: usize = 60;

/// What became of the mutants.
#[derive(Debug, Default)]
struct Tally {
    ran: usize,
    refused: usize,
}

/// Prepares a damaged model and runs it once on zeros.
fn attempt(runtime: &dyn Runtime, bytes: &[u8]) -> Result<(), Refusal> {
    let mut run_on_zeros = |session: &mut dyn Session| {
        let inputs: Tensors = session
            .input_bytes()
            .into_iter()
            .map(|n| vec![0; n])
            .collect();
        session.invoke(&inputs).map(drop)
    };
    runtime.open(&AlignedBytes::copy_of(bytes), &mut run_on_zeros)
}

/// Runs every mutant on every runtime in a thread of its own, so that a loop that does not end fails the test instead of
/// stopping it.
fn survive(mutants: impl Iterator<Item = (String, Mutant)> + Send + 'static) -> Tally {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for (name, mutant) in mutants {
            for runtime in runtimes::OF_SHORT_LOOPS {
                let place = format!("{} on {name}, {}", runtime.name(), mutant.how);
                let _ = sender.send((place, None));
                let outcome = catch_unwind(AssertUnwindSafe(|| attempt(*runtime, &mutant.bytes)));
                let _ = sender.send((String::new(), Some(outcome.map_err(drop))));
            }
        }
    });
    let mut tally = Tally::default();
    let mut place = String::new();
    loop {
        match receiver.recv_timeout(TIME_LIMIT) {
            Ok((started, None)) => place = started,
            Ok((_, Some(Ok(Ok(()))))) => tally.ran += 1,
            Ok((_, Some(Ok(Err(refusal))))) => {
                let text = refusal.to_string();
                assert!(
                    text.len() > 10 && !text.contains('\n'),
                    "{place}: not one clear line: {text:?}"
                );
                tally.refused += 1;
            }
            Ok((_, Some(Err(())))) => panic!("{place}: panicked (the message is above)"),
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("{place}: still running"),
            Err(mpsc::RecvTimeoutError::Disconnected) => return tally,
        }
    }
}

fn goldens() -> Vec<Case> {
    golden::operators()
        .flat_map(|operator| golden::cases(operator).unwrap())
        .collect()
}

/// The golden with the smallest file of each operator, and the sample model, which has many operators and a plan.
fn small_models() -> Vec<(String, AlignedBytes)> {
    let smallest = |operator| {
        let cases = golden::cases(operator).unwrap();
        let case = cases
            .into_iter()
            .min_by_key(|case| case.model.as_slice().len());
        case.map(|case| (case.name, case.model)).unwrap()
    };
    golden::operators()
        .map(smallest)
        .chain([("sample".to_owned(), sample::model(true))])
        .collect()
}

/// The mutants that `damage` makes of the small models.
fn of_small<I: Iterator<Item = Mutant>>(
    damage: fn(&'static [u8]) -> I,
) -> impl Iterator<Item = (String, Mutant)> {
    small_models().into_iter().flat_map(move |(name, model)| {
        let file: &'static [u8] = Box::leak(model.as_slice().to_vec().into_boxed_slice());
        damage(file).map(move |mutant| (name.clone(), mutant))
    })
}

#[test]
fn no_prefix_of_a_model_runs() {
    let tally = survive(of_small(mutation::truncations));
    // The last bytes of a file may be padding or lie in no table; all else is missed.
    assert!(tally.refused > 5_000, "{tally:?}");
    assert!(tally.ran * 50 < tally.refused, "{tally:?}");
}

#[test]
fn a_flipped_bit_gives_an_error_or_other_numbers() {
    let tally = survive(of_small(mutation::bit_flips));
    assert!(tally.refused > 10_000 && tally.ran > 1_000, "{tally:?}");
}

#[test]
fn an_absurd_word_gives_an_error_or_other_numbers() {
    let tally = survive(of_small(mutation::word_changes));
    assert!(tally.refused > 10_000 && tally.ran > 1_000, "{tally:?}");
}

#[test]
fn random_damage_gives_an_error_or_other_numbers() {
    let mut mutations = Mutations::new(0x5eed);
    let mutants = goldens().into_iter().flat_map(move |case| {
        (0..ROUNDS)
            .map(|_| (case.name.clone(), mutations.damage(case.model.as_slice())))
            .collect::<Vec<_>>()
    });
    let tally = survive(mutants);
    assert!(tally.refused > 10_000 && tally.ran > 500, "{tally:?}");
}

#[test]
fn a_wrong_model_in_a_sound_file_gives_an_error_or_other_numbers() {
    let mut alterations = Alterations::new(0x5eed);
    let mut models: Vec<(String, AlignedBytes)> = goldens()
        .into_iter()
        .map(|case| (case.name, case.model))
        .collect();
    // The sample has nine operators, so it gets as many rounds more.
    models.extend((0..9).map(|_| ("sample".to_owned(), sample::model(true))));
    let mutants = models.into_iter().flat_map(move |(name, file)| {
        let model = Model::parse(file.as_slice()).unwrap();
        let mutants = (0..ROUNDS).filter_map(|_| alterations.alter(&model));
        let named: Vec<_> = mutants.map(|mutant| (name.clone(), mutant)).collect();
        named
    });
    let tally = survive(mutants);
    assert!(tally.refused > 10_000 && tally.ran > 2_000, "{tally:?}");
}

#[test]
fn bytes_that_are_no_model_are_refused() {
    for runtime in runtimes::OF_SHORT_LOOPS {
        for bytes in [&b""[..], b"TFL3", b"\x1c\0\0\0TFL3", &[0; 64], &[0xff; 64]] {
            let refusal = attempt(*runtime, bytes).expect_err(runtime.name());
            assert!(refusal.to_string().len() > 10, "{refusal}");
        }
    }
}

#[test]
fn another_schema_version_is_refused_by_number() {
    let case = &golden::cases("relu").unwrap()[0];
    let model = Model::parse(case.model.as_slice()).unwrap();
    assert_eq!(model.main().operator_count(), 1);
    // The version is the only word of the file that makes the reader speak of versions.
    let mut found = 0;
    for mutant in mutation::word_changes(case.model.as_slice()) {
        if let Err(ReadError::Version { found: version }) =
            Model::parse(AlignedBytes::copy_of(&mutant.bytes).as_slice())
        {
            found += 1;
            for runtime in runtimes::OF_SHORT_LOOPS {
                let text = attempt(*runtime, &mutant.bytes).unwrap_err().to_string();
                assert!(
                    text.contains(&version.to_string()) && text.contains("expected 3"),
                    "{text}"
                );
            }
        }
    }
    assert!(found > 5, "{found}");
}
