//! Compiled models: the source is what is committed, is as rustfmt writes it, and gives the interpreter's outputs to the byte.
//!
//! `golden/tiny_cnn_compiled.rs` is committed; `EMBER_BLESS=1 cargo test -p ember-codegen` writes it again.

mod support;

use std::path::Path;

use ember_codegen::compiled::host::HostProgram;
use ember_codegen::compiled::source;
use ember_codegen::tflite::{self, Decoder};
use ember_compress::cluster::{Clustering, cluster_graph};
use ember_compress::prune::{Pruning, prune};
use ember_compress::{Calibrator, Variant, optimize};
use ember_graph::random::Random;
use ember_graph::{Graph, random};
use ember_micro::registry;
use ember_testkit::aligned::AlignedBytes;
use ember_testkit::generate::{self, Families};
use ember_testkit::{folder, golden as cases, runtimes};
use ember_tflite::Model;
use ember_tflite::write::write;
use support::{images, quantized, run, seed_cnn, tiny_cnn};

/// The golden file as a firmware sees it.
mod golden {
    #![allow(dead_code, missing_docs, unreachable_pub, reason = "generated")]

    include!("golden/tiny_cnn_compiled.rs");
}

fn tiny_file() -> Vec<u8> {
    tflite::quantized(&quantized(&tiny_cnn(), 16).1).unwrap()
}

#[test]
fn the_golden_source_is_what_is_generated() {
    let source = source(&tiny_file()).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tiny_cnn_compiled.rs");
    if std::env::var_os("EMBER_BLESS").is_some() {
        std::fs::write(&path, &source).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert!(
        source == golden,
        "the generated source changed; if that is meant: EMBER_BLESS=1 cargo test -p ember-codegen"
    );
}

#[test]
fn the_golden_source_runs() {
    let file = tiny_file();
    let image: Vec<u8> = (0..36).map(|pixel| pixel * 7).collect();
    let mut model = golden::Model::new();
    model.input(0).unwrap().copy_from_slice(&image);
    assert!(model.input(1).is_none());
    model.invoke().unwrap();
    let expected = run(&file, registry::ALL, [image.as_slice()].into_iter());
    assert_eq!(model.output(0).unwrap(), expected);
    assert!(model.output(1).is_none());
    assert_eq!((golden::INPUT_BYTES, golden::OUTPUT_BYTES), (36, 3));
    assert_eq!(golden::MODEL_FILE_BYTES, file.len());
    assert_eq!(
        size_of::<golden::Model>(),
        golden::ARENA_BYTES.next_multiple_of(16)
    );
}

/// A file, and inputs one after another.
struct Subject {
    name: String,
    file: Vec<u8>,
    inputs: Vec<u8>,
}

fn records(file: &[u8]) -> (usize, Vec<usize>) {
    let model = Model::parse(file).unwrap();
    let inputs = model.main().inputs();
    let tensors = inputs
        .iter()
        .flatten()
        .filter_map(|id| model.main().tensor(id));
    let bytes: Vec<usize> = tensors.map(|tensor| tensor.byte_len()).collect();
    (bytes.iter().sum(), bytes)
}

/// Every single-operator case and every whole model that the interpreter runs.
fn of_cases(subjects: &mut Vec<Subject>) {
    let mut all = Vec::new();
    for operator in cases::operators() {
        all.extend(cases::cases(operator).unwrap());
    }
    match folder::root() {
        Some(root) => {
            let names = folder::names(&root).unwrap();
            all.extend(names.iter().map(|name| folder::case(&root, name).unwrap()));
        }
        None => println!("{} is not set: no whole models", folder::VARIABLE),
    }
    for case in all {
        let model = Model::parse(case.model.as_slice()).unwrap();
        if ember_micro::arena_bytes_needed(&model, registry::ALL).is_err() {
            continue;
        }
        let inputs = case
            .records
            .iter()
            .take(8)
            .flat_map(|record| record.inputs.concat());
        subjects.push(Subject {
            inputs: inputs.collect(),
            file: case.model.as_slice().to_vec(),
            name: case.name,
        });
    }
}

/// Random models that are defined for their inputs: [`generate::VARIABLE`] names other seeds.
fn of_random(subjects: &mut Vec<Subject>) {
    for seed in generate::seeds(0..60) {
        let spec = generate::model(seed, 8, Families::All);
        let file = write(&spec).unwrap();
        let records = [seed, seed + 1].map(|seed| generate::inputs(&spec, seed));
        let runs = runtimes::ALL[0].open(&AlignedBytes::copy_of(&file), &mut |session| {
            let mut records = records.iter();
            records.try_for_each(|record| session.invoke(record).map(drop))
        });
        if runs.is_ok() {
            subjects.push(Subject {
                name: format!("seed {seed}:\n{}", generate::text(&spec)),
                file,
                inputs: records.concat().concat(),
            });
        }
    }
}

/// Graphs of every kind, in every variant and every stored form.
fn of_graphs(subjects: &mut Vec<Subject>) {
    let mut add = |name: String, file: Vec<u8>, graph: &Graph| {
        let (bytes, _) = records(&file);
        let mut random = Random::new(7);
        let numbers = images(graph, 4, 5);
        let inputs = if bytes == numbers.len() {
            numbers
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect()
        } else {
            (0..4 * bytes)
                .map(|_| random.within(0, 255) as u8)
                .collect()
        };
        subjects.push(Subject { name, file, inputs });
    };
    let graphs = (0..12).map(|seed| random::graph(seed, 6).unwrap());
    for (graph, seed) in graphs.chain([seed_cnn()]).zip(0..) {
        let (graph, _) = optimize(&graph).unwrap();
        let mut calibrator = Calibrator::new(&graph);
        calibrator.observe(8, &[&images(&graph, 8, 3)]).unwrap();
        let calibration = calibrator.finish().unwrap();
        for variant in Variant::ALL {
            let quantized = variant.apply(&graph, Some(&calibration)).unwrap();
            let file = tflite::quantized(&quantized).unwrap();
            add(format!("random_{seed}/{}", variant.name()), file, &graph);
        }
    }
    let graph = seed_cnn();
    let pruning = Pruning::Unstructured { sparsity: 0.8 };
    let pruned = prune(&graph, &pruning, "*").unwrap().0;
    let clustered = cluster_graph(&graph, &Clustering::default(), "*")
        .unwrap()
        .0;
    let keep = Clustering {
        keep_zeros: true,
        ..Clustering::default()
    };
    let both = cluster_graph(&pruned, &keep, "*").unwrap().0;
    for (name, graph) in [("pruned", pruned), ("clustered", clustered), ("both", both)] {
        let (graph, integers) = quantized(&graph, 8);
        let (file, stored) = tflite::compressed(&integers, Decoder::Ember).unwrap();
        assert!(stored.iter().any(|tensor| tensor.form.is_some()), "{name}");
        add(format!("stored/{name}"), file, &graph);
    }
}

fn interpreted(subject: &Subject) -> Vec<u8> {
    use ember_micro::{ARENA_ALIGNMENT, Interpreter, arena_bytes_needed};
    // A file is read in place.
    let file = AlignedBytes::copy_of(&subject.file);
    let model = Model::parse(file.as_slice()).unwrap();
    let bytes = arena_bytes_needed(&model, registry::ALL).unwrap();
    let mut memory = vec![0; bytes + ARENA_ALIGNMENT];
    let start = memory.as_ptr().align_offset(ARENA_ALIGNMENT);
    let arena = &mut memory[start..start + bytes];
    let mut interpreter = Interpreter::new(&model, registry::ALL, arena).unwrap();
    let (all, each) = records(&subject.file);
    let mut outputs = Vec::new();
    for record in subject.inputs.chunks(all.max(1)) {
        let mut rest = record;
        for (index, bytes) in each.iter().enumerate() {
            let (now, later) = rest.split_at(*bytes);
            interpreter.input(index).unwrap().copy_from_slice(now);
            rest = later;
        }
        match interpreter.invoke() {
            Err(error) if !error.waits() => panic!("{}: {error}", subject.name),
            _ => {}
        }
        for index in 0..model.main().outputs().len() {
            outputs.extend_from_slice(interpreter.output(index).unwrap());
        }
    }
    outputs
}

#[test]
fn compiled_models_give_the_interpreters_bytes() {
    let mut subjects = Vec::new();
    of_cases(&mut subjects);
    of_graphs(&mut subjects);
    of_random(&mut subjects);
    let mut sources = Vec::new();
    for subject in &subjects {
        match source(&subject.file) {
            Ok(source) => sources.push((format!("m{}", sources.len()), source)),
            Err(error) => panic!("{}: {error}", subject.name),
        }
    }
    let models: Vec<(&str, &str)> = sources
        .iter()
        .map(|(name, source)| (&**name, &**source))
        .collect();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled-models");
    let program = HostProgram::build(&folder, &workspace, &models, true).unwrap();
    let mut wrong = Vec::new();
    for (subject, (module, _)) in subjects.iter().zip(&sources) {
        let found = program.run(module, &subject.inputs).unwrap();
        if found != interpreted(subject) {
            wrong.push(format!("{} ({module})", subject.name));
        }
    }
    println!("{} models", subjects.len());
    assert!(
        wrong.is_empty(),
        "{} of {}: {wrong:?}",
        wrong.len(),
        subjects.len()
    );
}

#[test]
fn the_source_is_as_rustfmt_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut subjects = Vec::new();
    of_graphs(&mut subjects);
    let mut files: Vec<Vec<u8>> = subjects.into_iter().map(|subject| subject.file).collect();
    for operator in cases::operators() {
        let first = cases::cases(operator).unwrap().swap_remove(0);
        files.push(first.model.as_slice().to_vec());
    }
    // That all are compiled that can be is what the other test says.
    let sources = files.iter().filter_map(|file| source(file).ok());
    let paths = sources.zip(0..).map(|(source, number)| {
        let path = folder.path().join(format!("{number}.rs"));
        std::fs::write(&path, source).unwrap();
        path
    });
    let output = std::process::Command::new("rustfmt")
        .args(["--edition", "2024", "--check"])
        .args(paths)
        .output()
        .expect("rustfmt is part of the toolchain that rust-toolchain.toml names");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

#[test]
fn an_operator_without_source_is_one_clear_error() {
    let bytes = tiny_file();
    let error = source(&bytes[..100]).unwrap_err().to_string();
    assert!(error.starts_with("the bytes are not a model: "), "{error}");
}
