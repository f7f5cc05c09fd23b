//! Models that delegates run parts of: whatever they take, the outputs are those of the interpreter alone.

use std::{collections::BTreeSet, env, fs, path::PathBuf, thread};

use ember_core::{Activation, BuiltinOp, Dtype, Padding};
use ember_lite::{
    Compiled, Delegate, Delegation, Interpreted, Kept, LiteError, MappedModel, Node, Partition,
    Simd, profile,
};
use ember_tflite::write::{ModelSpec, OperatorSpec, TensorSpec, write};
use ember_tflite::{
    AddOptions, ConcatenationOptions, Conv2dOptions, MulOptions, Options, Pool2dOptions,
    SplitOptions, SubOptions, TensorId,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::models;

/// Takes the operators with these numbers, and has the interpreter run them; declines partitions that begin with one of the
/// others.
struct Chosen {
    name: &'static str,
    takes: Vec<bool>,
    declines: Vec<bool>,
}

impl Chosen {
    fn all() -> Chosen {
        Chosen {
            name: "all",
            takes: vec![true; 4_096],
            declines: Vec::new(),
        }
    }
}

impl Delegate for Chosen {
    fn name(&self) -> &str {
        self.name
    }

    fn takes(&self, node: &Node<'_>) -> Result<(), String> {
        match self.takes.get(node.index()) {
            Some(true) => Ok(()),
            _ => Err(format!("{} does not want {}", self.name, node.index())),
        }
    }

    fn compile(&self, partition: &Partition<'_>) -> Result<Box<dyn Compiled>, String> {
        let first = partition.nodes()[0].index();
        if self.declines.get(first).copied().unwrap_or(false) {
            return Err("not today".to_owned());
        }
        let interpreted = Interpreted::of(partition).map_err(|error| error.to_string())?;
        Ok(Box::new(interpreted))
    }
}

/// A graph of float operators on `[1, 4, 4, 4]`. Each entry is an operator with two numbers that choose its inputs.
fn graph(steps: &[(u8, usize, usize)], given_out: &[usize]) -> Vec<u8> {
    let shape = [1, 4, 4, 4];
    let mut spec = ModelSpec::default();
    let image = spec.push_tensor(TensorSpec::new("image", Dtype::Float32, shape));
    spec.inputs = vec![image];
    let numbers = |count: usize| -> Vec<u8> {
        let numbers = (0..count).map(|at| ((at * 7 % 11) as f32 - 5.0) / 16.0);
        numbers.flat_map(f32::to_le_bytes).collect()
    };
    let filter = TensorSpec::new("filter", Dtype::Float32, [4, 1, 1, 4]);
    let filter = spec.push_tensor(filter.with_data(numbers(16)));
    let bias = TensorSpec::new("bias", Dtype::Float32, [4]).with_data(numbers(4));
    let bias = spec.push_tensor(bias);
    let axis = TensorSpec::new("axis", Dtype::Int32, [1]).with_data(3_i32.to_le_bytes());
    let axis = spec.push_tensor(axis);
    let mut values = vec![image];
    for (at, (kind, a, b)) in steps.iter().enumerate() {
        let [a, b] = [a, b].map(|choice| values[choice % values.len()]);
        let value = TensorSpec::new(format!("value {at}"), Dtype::Float32, shape);
        let output = spec.push_tensor(value);
        let activation = Activation::None;
        let mut push = |op, inputs: &[TensorId], options: Options| {
            let inputs = inputs.iter().copied();
            let operator = OperatorSpec::new(op, inputs, [output], options);
            spec.operators.push(operator);
        };
        match kind % 8 {
            0 => push(BuiltinOp::Add, &[a, b], AddOptions::default().into()),
            1 => push(BuiltinOp::Mul, &[a, b], MulOptions::default().into()),
            2 => push(BuiltinOp::Sub, &[a, b], SubOptions::default().into()),
            3 => push(BuiltinOp::Relu, &[a], Options::None),
            4 => push(BuiltinOp::Tanh, &[a], Options::None),
            5 => {
                let options = Conv2dOptions {
                    padding: Padding::Same,
                    stride_w: 1,
                    stride_h: 1,
                    fused_activation_function: activation,
                    ..Conv2dOptions::default()
                };
                push(BuiltinOp::Conv2d, &[a, filter, bias], options.into());
            }
            6 => {
                let options = Pool2dOptions {
                    padding: Padding::Same,
                    stride_w: 1,
                    stride_h: 1,
                    filter_width: 2,
                    filter_height: 2,
                    ..Pool2dOptions::default()
                };
                push(BuiltinOp::MaxPool2d, &[a], options.into());
            }
            _ => {
                let halves = ["left", "right"].map(|side| {
                    let name = format!("{side} {at}");
                    spec.push_tensor(TensorSpec::new(name, Dtype::Float32, [1, 4, 4, 2]))
                });
                let split = SplitOptions { num_splits: 2 };
                let split = OperatorSpec::new(BuiltinOp::Split, [axis, a], halves, split);
                spec.operators.push(split);
                let [left, right] = halves;
                let joined = ConcatenationOptions {
                    axis: 3,
                    ..ConcatenationOptions::default()
                };
                let joined =
                    OperatorSpec::new(BuiltinOp::Concatenation, [right, left], [output], joined);
                spec.operators.push(joined);
            }
        }
        values.push(output);
    }
    let mut outputs: BTreeSet<TensorId> = given_out
        .iter()
        .map(|choice| values[1 + choice % (values.len() - 1)])
        .collect();
    outputs.extend(values.last());
    spec.outputs = outputs.into_iter().collect();
    write(&spec).expect("the model is valid")
}

/// All outputs for inputs of one pattern.
fn outputs(model: &MappedModel) -> Vec<Vec<u8>> {
    let mut arena = model.arena().unwrap();
    let mut session = model.session(&mut arena).unwrap();
    for index in 0..session.input_count() {
        let floats = session.input_tensor(index).unwrap().dtype() == Dtype::Float32;
        let input = session.input(index).unwrap();
        if floats {
            for (at, word) in input.as_chunks_mut().0.iter_mut().enumerate() {
                *word = ((at * 5 % 17) as f32 / 8.0 - 1.0).to_le_bytes();
            }
        } else {
            for (at, byte) in input.iter_mut().enumerate() {
                *byte = (at * 13 % 120) as u8;
            }
        }
    }
    session.invoke().unwrap();
    let outputs = (0..session.output_count()).map(|index| session.output(index).unwrap().to_vec());
    outputs.collect()
}

/// What the documentation of partitions says, found out anew from the model.
fn check(model: &MappedModel, delegation: &Delegation) {
    let parsed = model.model().unwrap();
    let operators: Vec<_> = parsed.main().operators().collect();
    let feeds = |from: usize, to: usize| {
        let mut outputs = operators[from].outputs().iter().flatten();
        outputs.any(|id| {
            operators[to]
                .inputs()
                .iter()
                .flatten()
                .any(|other| other == id)
        })
    };
    // For each operator, all that can be reached from it.
    let mut reached = vec![BTreeSet::new(); operators.len()];
    for from in (0..operators.len()).rev() {
        for to in from + 1..operators.len() {
            if feeds(from, to) {
                let beyond: BTreeSet<usize> = reached[to].clone();
                reached[from].extend(beyond);
                reached[from].insert(to);
            }
        }
    }
    for (number, partition) in delegation.partitions().iter().enumerate() {
        let members = &partition.operators;
        for member in members {
            assert_eq!(delegation.partition_of(*member).unwrap().0, number);
        }
        // Connected.
        let mut found = BTreeSet::from([members[0]]);
        while let Some(next) = members.iter().find(|next| {
            let linked = |at: &usize| feeds(*at, **next) || feeds(**next, *at);
            !found.contains(next) && found.iter().any(linked)
        }) {
            found.insert(*next);
        }
        assert_eq!(found.len(), members.len(), "{delegation}");
        // Convex.
        for between in (0..operators.len()).filter(|at| !members.contains(at)) {
            let before = members
                .iter()
                .any(|member| reached[*member].contains(&between));
            let after = members
                .iter()
                .any(|member| reached[between].contains(member));
            assert!(!(before && after), "{between} in\n{delegation}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn whatever_is_taken_the_outputs_are_the_same(
        steps in vec((0..8_u8, any::<usize>(), any::<usize>()), 1..14),
        given_out in vec(any::<usize>(), 0..3),
        first in vec(any::<bool>(), 28),
        second in vec(any::<bool>(), 28),
        declines in vec(prop::bool::weighted(0.2), 28),
    ) {
        let model = models::opened(&graph(&steps, &given_out));
        let first = Chosen { name: "first", takes: first, declines };
        let second = Chosen { name: "second", takes: second, declines: Vec::new() };
        let delegated = model.delegated(&[&first, &second]).unwrap();
        let delegation = delegated.delegation().unwrap();
        check(&model, delegation);
        // Each has what it takes and did not decline.
        let has = |delegate: &Chosen, index: usize| {
            let declined = delegation.declined().iter();
            let mut declined = declined.filter(|declined| declined.delegate == delegate.name);
            delegate.takes[index] && !declined.any(|declined| declined.operators.contains(&index))
        };
        for (index, runs) in delegation.placement().enumerate() {
            let expected = [&first, &second].into_iter().find(|delegate| has(delegate, index));
            prop_assert_eq!(runs, expected.map(|delegate| delegate.name), "{}", delegation);
        }
        prop_assert_eq!(outputs(&delegated), outputs(&model));
    }
}

#[test]
fn one_delegate_that_takes_all_has_one_partition() {
    let steps = [(5, 0, 0), (3, 1, 0), (0, 1, 2), (7, 3, 0), (1, 4, 1)];
    let model = models::opened(&graph(&steps, &[]));
    let delegated = model.delegated(&[&Chosen::all()]).unwrap();
    let delegation = delegated.delegation().unwrap();
    assert_eq!(delegation.partitions().len(), 1, "{delegation}");
    assert_eq!(delegation.partitions()[0].operators, [0, 1, 2, 3, 4, 5]);
    assert!(delegation.placement().all(|name| name == Some("all")));
    let text = delegation.to_string();
    assert!(
        text.contains("6 of 6 operators in 1 partitions of delegates"),
        "{text}"
    );
    assert!(
        text.contains("0 CONV_2D                  all, partition 0"),
        "{text}"
    );
    let runs = std::num::NonZeroUsize::new(3).unwrap();
    let profile = profile(&delegated, runs).unwrap();
    assert_eq!(profile.operators[0].name, "all: CONV_2D … MUL");
    assert_eq!(outputs(&delegated), outputs(&model));
    // No delegate is no difference.
    let alone = model.delegated(&[]).unwrap();
    assert_eq!(alone.delegation().unwrap().placement().flatten().count(), 0);
    assert_eq!(outputs(&alone), outputs(&model));
}

#[test]
fn what_is_declined_goes_to_the_next_with_a_reason() {
    let model = models::opened(&graph(&[(3, 0, 0), (4, 1, 0)], &[]));
    let first = Chosen {
        declines: vec![true],
        ..Chosen::all()
    };
    let second = Chosen {
        name: "second",
        takes: vec![false, true],
        declines: Vec::new(),
    };
    let delegated = model.delegated(&[&first, &second]).unwrap();
    let delegation = delegated.delegation().unwrap();
    let placement: Vec<_> = delegation.placement().collect();
    assert_eq!(placement, [None, Some("second")]);
    assert_eq!(delegation.declined().len(), 1);
    assert_eq!(delegation.declined()[0].reason, "not today");
    let left: Vec<_> = delegation.left(0).iter().collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].reason, "second does not want 0");
    assert_eq!(delegation.left(1), []);
    let text = delegation.to_string();
    assert!(
        text.contains("interpreter   second: second does not want 0\n"),
        "{text}"
    );
    assert!(
        text.contains("all declined operators [0, 1]: not today"),
        "{text}"
    );
    assert_eq!(outputs(&delegated), outputs(&model));
}

/// Takes RELU and fails.
struct Broken;

impl Delegate for Broken {
    fn name(&self) -> &str {
        "broken"
    }

    fn takes(&self, node: &Node<'_>) -> Result<(), String> {
        match node.op() {
            Some(BuiltinOp::Relu) => Ok(()),
            _ => Err("it is no RELU".to_owned()),
        }
    }

    fn compile(&self, _partition: &Partition<'_>) -> Result<Box<dyn Compiled>, String> {
        Ok(Box::new(Broken))
    }
}

impl Compiled for Broken {
    fn run(&self, _inputs: &[&[u8]], _outputs: &mut [&mut [u8]]) -> Result<(), String> {
        Err("out of steam".to_owned())
    }
}

#[test]
fn a_partition_that_fails_is_named() {
    let model = models::opened(&graph(&[(0, 0, 0), (3, 1, 0)], &[]));
    let delegated = model.delegated(&[&Broken]).unwrap();
    let mut arena = delegated.arena().unwrap();
    let error = delegated.session(&mut arena).unwrap().invoke().unwrap_err();
    assert!(matches!(error, LiteError::Delegate { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "bright.tflite: delegate broken failed on its partition of operators [1]: out of steam; run the model without this \
         delegate"
    );
}

#[test]
fn a_delegated_model_is_not_delegated_or_taken_apart_again() {
    let model = models::opened(&graph(&[(3, 0, 0)], &[]));
    let delegated = model.delegated(&[&Chosen::all()]).unwrap();
    let again = delegated.delegated(&[]).unwrap_err();
    assert!(matches!(again, LiteError::Delegated { .. }), "{again}");
    let strip = ember_lite::strip(&delegated, Kept::default()).unwrap_err();
    assert!(matches!(strip, LiteError::Delegated { .. }), "{strip}");
    // Nor from its bytes, which have no delegates.
    let bytes = models::opened(delegated.bytes());
    let error = bytes.delegated(&[]).unwrap_err();
    assert!(matches!(error, LiteError::Delegated { .. }), "{error}");
    let missing = bytes.arena().map(drop).unwrap_err();
    assert!(
        matches!(&missing, LiteError::CustomOperator { name, .. } if name == "EMBER_DELEGATE"),
        "{missing}"
    );
}

#[test]
fn threads_share_a_delegated_model() {
    let steps = [(5, 0, 0), (3, 1, 0), (0, 1, 2), (7, 3, 0), (1, 4, 1)];
    let model = models::opened(&graph(&steps, &[2]));
    let claims = Chosen {
        name: "some",
        takes: vec![true, false, true, true, false, true],
        declines: Vec::new(),
    };
    let delegated = model.delegated(&[&claims]).unwrap();
    let expected = outputs(&model);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(outputs(&delegated), expected);
                }
            });
        }
    });
}

#[test]
fn vector_kernels_are_a_delegate() {
    let steps = [(5, 0, 0), (3, 1, 0), (6, 2, 0), (4, 3, 0)];
    let model = models::opened(&graph(&steps, &[]));
    let delegated = model.delegated(&[&Simd::of(&model).unwrap()]).unwrap();
    let delegation = delegated.delegation().unwrap();
    let placement: Vec<_> = delegation.placement().collect();
    // The convolution has code for vectors; the pooling has it from eight channels on, RELU and TANH have none.
    match Simd::instructions() {
        Some(_) => assert_eq!(placement, [Some("simd"), None, None, None]),
        None => assert_eq!(placement, [None; 4]),
    }
    assert_eq!(outputs(&delegated), outputs(&model));
}

#[test]
fn other_peoples_models_are_the_same_whatever_is_taken() {
    let Some(dir) = env::var_os("EMBER_CASES_DIR") else {
        eprintln!("EMBER_CASES_DIR is not set: the shared cases were not given to delegates");
        return;
    };
    let entries = fs::read_dir(&dir).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let mut partitions = 0;
    for folder in folders
        .iter()
        .filter(|folder| folder.join("case.json").is_file())
    {
        let model = MappedModel::open(&folder.join("model.tflite")).unwrap();
        if model.arena().is_err() {
            // Whether it runs at all is the affair of other tests.
            continue;
        }
        let expected = outputs(&model);
        for taken in 1..4_usize {
            let takes = |name, turn: usize| Chosen {
                name,
                takes: (0..4_096)
                    .map(|at| !(at * 5 + at / 3 + turn).is_multiple_of(taken + 1))
                    .collect(),
                declines: Vec::new(),
            };
            let (first, second) = (takes("first", 0), takes("second", 1));
            let delegated = match model.delegated(&[&first, &second]) {
                Ok(delegated) => delegated,
                Err(error @ LiteError::Write { .. }) => {
                    eprintln!("not given to delegates: {error}");
                    continue;
                }
                Err(error) => panic!("{error}"),
            };
            let delegation = delegated.delegation().unwrap();
            check(&model, delegation);
            let declined = delegation.declined();
            assert_eq!(declined, [], "{}", folder.display());
            partitions += delegation.partitions().len();
            assert_eq!(outputs(&delegated), expected, "{}", folder.display());
        }
    }
    assert!(partitions > 0, "nothing was taken");
}
