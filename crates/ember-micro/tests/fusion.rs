//! Two operators in one kernel, and models that were prepared before: both give what the plain interpreter gives.

mod support;

use ember_micro::{
    Interpreter, Linked, LinkedInterpreter, Preparation, PrepareError, Registration,
    arena_bytes_needed, registry,
};
use ember_tflite::write::{ModelSpec, QuantizationSpec};
use ember_tflite::{Model, Options, TensorId};
use proptest::prelude::*;
use support::{Aligned, classifier};

const BOTH: &str = "CONV_2D_MAX_POOL_2D_INT8";

/// [`BOTH`] for the sizes that processors have special code for.
const SPECIAL: &str = "CONV_2D_MAX_POOL_2D_SPECIAL_INT8";

/// What the kernels of a registry make of an input, and the bytes of arena that they took.
fn run(model: &Model<'_>, registry: &[Registration], input: &[i8]) -> (Vec<u8>, usize) {
    let needed = arena_bytes_needed(model, registry).unwrap();
    let mut arena = Aligned::arena(needed);
    let mut interpreter = Interpreter::new(model, registry, arena.bytes_mut()).unwrap();
    interpreter.input_as(0).unwrap().copy_from_slice(input);
    interpreter.invoke().unwrap();
    (interpreter.output(0).unwrap().to_vec(), needed)
}

/// The rows with these names.
fn rows(names: &[&str]) -> Vec<Registration> {
    let named = registry::NAMED.iter();
    named
        .filter(|(name, _)| names.contains(name))
        .map(|(_, row)| *row)
        .collect()
}

fn input_len(model: &Model<'_>) -> usize {
    let graph = model.main();
    let input = graph.tensor(graph.inputs().get(0).unwrap()).unwrap();
    input.byte_len()
}

proptest! {
    #[test]
    fn together_or_one_by_one_or_prepared_before_it_is_the_same(seed: [i8; 64], special: bool) {
        let mut spec = classifier();
        if !special {
            scale_up(&mut spec);
        }
        let bytes = Aligned::model(&spec);
        let model = Model::parse(bytes.bytes()).unwrap();
        let input: Vec<i8> = seed.into_iter().cycle().take(input_len(&model)).collect();
        let (expected, _) = run(&model, registry::ALL, &input);
        prop_assert_eq!(&run(&model, registry::FUSING, &input).0, &expected);

        let preparation = Preparation::of(&model).unwrap();
        let row = if special { SPECIAL } else { BOTH };
        prop_assert!(preparation.registry.contains(&row));
        let full = rows(&preparation.registry);
        // The preparation is not needed any more.
        let kernels: Vec<Registration> = full.iter().map(|row| row.prepared()).collect();
        let linked = Linked::new(bytes.bytes(), &kernels, &preparation.numbers).unwrap();
        prop_assert_eq!(linked.arena_bytes(), preparation.arena_bytes);
        let mut arena = Aligned::arena(preparation.arena_bytes);
        arena.bytes_mut().fill(0xa5);
        let mut interpreter = LinkedInterpreter::new(&linked, arena.bytes_mut()).unwrap();
        for _ in 0..2 {
            let input: Vec<u8> = input.iter().map(|pixel| pixel.cast_unsigned()).collect();
            interpreter.input(0).unwrap().copy_from_slice(&input);
            interpreter.invoke().unwrap();
            prop_assert_eq!(interpreter.output(0).unwrap(), &expected[..]);
        }
    }
}

/// Makes a factor of the classifier's convolution one that is not below a half.
fn scale_up(spec: &mut ModelSpec) {
    let output = spec.operators[0].outputs[0].unwrap();
    let pooled = spec.operators[1].outputs[0].unwrap();
    let flat = spec.operators[2].outputs[0].unwrap();
    for tensor in [output, pooled, flat] {
        spec.tensors[tensor.index()].quantization =
            Some(QuantizationSpec::per_tensor(0.0004, -128));
    }
}

/// The row for the first two operators of a changed classifier, where they are done together.
fn fused(change: impl Fn(&mut ModelSpec)) -> Option<&'static str> {
    let mut spec = classifier();
    change(&mut spec);
    let bytes = Aligned::model(&spec);
    let needed = registry::needed(&Model::parse(bytes.bytes()).unwrap());
    needed.into_iter().find(|row| [BOTH, SPECIAL].contains(row))
}

fn is_fused(change: impl Fn(&mut ModelSpec)) -> bool {
    fused(change).is_some()
}

#[test]
fn special_sizes_have_a_row_of_their_own() {
    assert_eq!(fused(|_| {}), Some(SPECIAL));
    assert_eq!(fused(scale_up), Some(BOTH));
    // Other strides.
    assert_eq!(
        fused(|spec| {
            let Options::Conv2d(options) = &mut spec.operators[0].options else {
                panic!("a convolution");
            };
            options.stride_w = 2;
        }),
        Some(BOTH)
    );
    assert_eq!(
        fused(|spec| {
            let Options::Pool2d(options) = &mut spec.operators[1].options else {
                panic!("a pooling");
            };
            options.stride_w = 3;
        }),
        Some(BOTH)
    );
}

#[test]
fn only_what_nobody_else_reads_is_left_out() {
    assert!(is_fused(|_| {}));
    // The tensor between the two is a result.
    assert!(!is_fused(|spec| {
        let between = spec.operators[0].outputs[0];
        spec.outputs.extend(between);
    }));
    // Windows overlap: pixels would be computed twice.
    assert!(!is_fused(|spec| {
        let Options::Pool2d(options) = &mut spec.operators[1].options else {
            panic!("a pooling");
        };
        options.stride_w = 1;
    }));
    // Weights that are not in the file.
    assert!(!is_fused(|spec| {
        let filter: Option<TensorId> = spec.operators[0].inputs[1];
        spec.tensors[filter.unwrap().index()].data = None;
    }));
    // Other types.
    assert!(!is_fused(|spec| {
        let filter: Option<TensorId> = spec.operators[0].inputs[1];
        spec.tensors[filter.unwrap().index()].dtype = ember_core::Dtype::Uint8;
    }));
}

#[test]
fn what_is_wrong_with_the_second_operator_is_said_of_it() {
    let mut spec = classifier();
    let pooled = spec.operators[1].outputs[0].unwrap();
    spec.tensors[pooled.index()].quantization = None;
    let error = support::prepare(&spec, registry::INT8).unwrap_err();
    assert!(
        matches!(
            error,
            PrepareError::Operator {
                subgraph: 0,
                index: 1,
                op: ember_core::BuiltinOp::MaxPool2d,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let bytes = Aligned::model(&classifier());
    let model = Model::parse(bytes.bytes()).unwrap();
    let Preparation {
        registry, numbers, ..
    } = Preparation::of(&model).unwrap();
    let kernels = rows(&registry);
    let is_linked = |file: &[u8], kernels: &[Registration], numbers: &[u32]| {
        Linked::new(file, kernels, numbers).is_some()
    };
    assert!(is_linked(bytes.bytes(), &kernels, &numbers));
    for len in 0..numbers.len() {
        assert!(
            !is_linked(bytes.bytes(), &kernels, &numbers[..len]),
            "{len}"
        );
    }
    for kernels in [&kernels[1..], registry::INT8, &[]] {
        assert!(!is_linked(bytes.bytes(), kernels, &numbers));
    }
    assert!(
        !is_linked(&bytes.bytes()[..64], &kernels, &numbers),
        "a file that is cut off"
    );

    // Whatever passes runs or says why not.
    for at in 0..numbers.len() {
        for wrong in [0, 1, 0x00ff_ffff, 0x7fff_ffff, u32::MAX] {
            let mut numbers = numbers.clone();
            numbers[at] = wrong;
            let Some(linked) = Linked::new(bytes.bytes(), &kernels, &numbers) else {
                continue;
            };
            if linked.arena_bytes() > 1 << 16 {
                continue;
            }
            let mut arena = Aligned::arena(linked.arena_bytes());
            let mut interpreter = LinkedInterpreter::new(&linked, arena.bytes_mut()).unwrap();
            let _ = interpreter.invoke();
        }
    }
}

#[test]
fn the_arena_of_a_linked_model_must_be_aligned_and_large_enough() {
    let bytes = Aligned::model(&classifier());
    let model = Model::parse(bytes.bytes()).unwrap();
    let preparation = Preparation::of(&model).unwrap();
    let kernels = rows(&preparation.registry);
    let linked = Linked::new(bytes.bytes(), &kernels, &preparation.numbers).unwrap();
    let needed = preparation.arena_bytes;
    let mut arena = Aligned::arena(needed + 16);
    let error = LinkedInterpreter::new(&linked, &mut arena.bytes_mut()[4..]).err();
    assert_eq!(error, Some(PrepareError::ArenaAlignment { remainder: 4 }));
    let error = LinkedInterpreter::new(&linked, &mut arena.bytes_mut()[..needed - 1]).err();
    let expected = PrepareError::ArenaTooSmall {
        needed: needed as u32,
        given: needed as u32 - 1,
        exact: true,
    };
    assert_eq!(error, Some(expected));
}
