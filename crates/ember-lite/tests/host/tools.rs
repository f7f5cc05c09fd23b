//! The tools: what is in a model, how it looks as a graph, the same without names, two models side by side.

use std::{env, fs, path::Path};

use ember_core::Dtype;
use ember_lite::{
    ArenaPlan, Inspection, Kept, LiteError, MappedModel, Pixels, diff, dot, run_files, strip,
};

use crate::models;

/// A shared case's model, where they are.
pub(crate) fn shared(case: &str) -> Option<MappedModel> {
    let Some(dir) = env::var_os("EMBER_CASES_DIR") else {
        eprintln!("EMBER_CASES_DIR is not set: {case} was not looked at");
        return None;
    };
    let path = Path::new(&dir).join(case).join("model.tflite");
    Some(MappedModel::open(&path).unwrap())
}

/// Real numbers for the only input of a model.
fn ramp(model: &MappedModel) -> Vec<f32> {
    let graph = model.model().unwrap();
    let input = graph.main().inputs().get(0).unwrap();
    let elements = graph.main().tensor(input).unwrap().elements();
    (0..elements).map(|at| (at % 97) as f32 / 97.0).collect()
}

#[test]
fn an_inspection_says_where_the_bytes_are() {
    let model = models::opened(&models::int8());
    let found = Inspection::of(&model).unwrap();
    assert_eq!(found.sizes.file, model.bytes().len());
    assert_eq!(found.sizes.constants, 12 + 12);
    let sizes = found.sizes;
    assert_eq!(
        sizes.constants + sizes.metadata + sizes.structure,
        sizes.file
    );
    assert_eq!(found.main().operators.len(), 1);
    assert_eq!(found.main().operators[0].name, "FULLY_CONNECTED");
    assert_eq!(found.main().operators[0].constant_bytes, 24);
    assert_eq!(found.main().inputs, [0]);
    assert_eq!(found.main().outputs, [3]);
    assert_eq!(found.main().tensors[0].kind, "INT8 [1, 2, 2, 1]");
    assert_eq!(
        found.main().tensors[0].quantization,
        "scale 0.003921569, zero point -128"
    );
    assert_eq!(found.arena, Ok(model.arena_bytes().unwrap()));
    let text = found.to_string();
    assert!(text.contains("-> #3 INT8 [1, 3]"), "{text}");
}

#[test]
fn an_inspection_of_tensorflows_model_counts_every_weight_once() {
    let Some(model) = shared("seed_cnn_int8") else {
        return;
    };
    let found = Inspection::of(&model).unwrap();
    assert_eq!(found.sizes.file, 25_992);
    assert_eq!(found.sizes.constants, model.weight_bytes().unwrap());
    let of_operators: usize = found
        .main()
        .operators
        .iter()
        .map(|op| op.constant_bytes)
        .sum();
    assert!(of_operators <= found.sizes.constants);
    let names: Vec<_> = found
        .main()
        .operators
        .iter()
        .map(|op| op.name.as_str())
        .collect();
    let expected = "CONV_2D MAX_POOL_2D RESHAPE FULLY_CONNECTED FULLY_CONNECTED SOFTMAX";
    assert_eq!(names.join(" "), expected);
    assert!(found.to_string().contains("8 scales along dimension 0"));
}

#[test]
fn a_graph_has_a_node_per_operator_and_an_edge_per_tensor() {
    let text = dot(&models::opened(&models::float32())).unwrap();
    let expected = [
        "digraph \"bright.tflite\" {",
        "  node [shape=box];",
        "  in0 [shape=ellipse, label=\"image\"];",
        "  op0 [label=\"FULLY_CONNECTED\\n60 bytes\"];",
        "  in0 -> op0 [label=\"FLOAT32 [1, 2, 2, 1]\"];",
        "  out0 [shape=ellipse, label=\"scores\"];",
        "  op0 -> out0 [label=\"FLOAT32 [1, 3]\"];",
        "}",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    let Some(model) = shared("mlperf_ic") else {
        return;
    };
    let text = dot(&model).unwrap();
    let operators = model.model().unwrap().main().operator_count();
    let nodes = text
        .lines()
        .filter(|line| line.starts_with("  op") && !line.contains("->"));
    assert_eq!(nodes.count(), operators);
    // Each operator computes something that somebody reads.
    for operator in 0..operators {
        assert!(text.contains(&format!("  op{operator} -> ")), "{operator}");
    }
}

#[test]
fn a_stripped_model_computes_the_same() {
    for case in [
        "seed_cnn_int8",
        "mlperf_kws",
        "micro_speech",
        "seed_cnn_float32",
    ] {
        let Some(model) = shared(case) else {
            return;
        };
        let bytes = strip(&model, Kept::default()).unwrap();
        assert!(bytes.len() < model.bytes().len(), "{case}");
        let stripped = MappedModel::from_bytes(&bytes, "stripped").unwrap();
        assert_eq!(
            stripped.arena_bytes().unwrap(),
            model.arena_bytes().unwrap(),
            "{case}"
        );
        let found = Inspection::of(&stripped).unwrap();
        assert!(
            found
                .main()
                .tensors
                .iter()
                .all(|tensor| tensor.name.is_empty())
        );
        assert!(found.signatures.is_empty());
        let input = ramp(&model);
        let run = |model: &MappedModel| {
            let mut arena = model.arena().unwrap();
            let mut session = model.session(&mut arena).unwrap();
            session.run_real(&input).unwrap();
            session.output(0).unwrap().to_vec()
        };
        assert_eq!(run(&stripped), run(&model), "{case}");
    }
}

#[test]
fn a_model_does_not_differ_from_itself() {
    let model = models::opened(&models::int8());
    let found = diff(&model, &model, &[0.1, 0.5, 0.9, 0.3]).unwrap();
    assert_eq!(found.tensors.len(), 1);
    assert_eq!(found.first(), None);
    assert_eq!(found.tensors[0].decibels, Some(f64::INFINITY));
    assert!(found.to_string().contains("no tensor differs"));
    let Some(model) = shared("mlperf_ic") else {
        return;
    };
    let found = diff(&model, &model, &ramp(&model)).unwrap();
    assert_eq!(
        found.tensors.len(),
        model.model().unwrap().main().operator_count()
    );
    assert_eq!(found.first(), None);
}

#[test]
fn the_first_tensor_that_differs_is_that_of_the_changed_weight() {
    let Some(model) = shared("seed_cnn_int8") else {
        return;
    };
    // A weight of the second to last layer: its input is the same, its output is not.
    let parsed = model.model().unwrap();
    let graph = parsed.main();
    let layer = graph.operator(3).unwrap();
    let (start, len) = graph
        .tensor(layer.inputs().get(1).unwrap())
        .unwrap()
        .data_range();
    let mut bytes = model.bytes().to_vec();
    for byte in &mut bytes[start..start + len] {
        *byte = byte.wrapping_add(64);
    }
    let changed = MappedModel::from_bytes(&bytes, "changed").unwrap();
    let found = diff(&model, &changed, &ramp(&model)).unwrap();
    assert_eq!(found.tensors.len(), 6);
    let equal: Vec<bool> = found
        .tensors
        .iter()
        .map(|tensor| tensor.is_equal())
        .collect();
    assert_eq!(equal[..4], [true, true, true, false]);
    let first = found.first().unwrap();
    assert_eq!(first.operator, "FULLY_CONNECTED");
    assert_eq!(first.elements, 16);
    assert!(first.different.unwrap() > 0 && first.greatest.unwrap() > 0.0);
    assert!(first.decibels.unwrap().is_finite());
}

#[test]
fn an_int8_model_is_held_against_its_float_model() {
    let (Some(float), Some(int8)) = (shared("seed_cnn_float32"), shared("seed_cnn_int8")) else {
        return;
    };
    let found = diff(&float, &int8, &ramp(&float)).unwrap();
    let last = found.tensors.last().unwrap();
    assert_eq!(last.different, None, "types differ");
    assert!(last.greatest.unwrap() < 0.2, "{found}");
    assert!(
        found
            .tensors
            .iter()
            .all(|tensor| tensor.decibels.unwrap() > 10.0),
        "{found}"
    );
}

#[test]
fn an_input_of_another_length_is_refused() {
    let model = models::opened(&models::int8());
    let error = diff(&model, &model, &[0.0; 3]).unwrap_err();
    assert!(
        matches!(
            error,
            LiteError::InputLength {
                expected: 4,
                given: 3,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_plan_shows_who_has_which_bytes_when() {
    let model = models::opened(&models::float32());
    let plan = ArenaPlan::of(&model).unwrap();
    assert_eq!(plan.main.operators, ["FULLY_CONNECTED"]);
    let sizes: Vec<_> = plan
        .main
        .tensors
        .iter()
        .map(|tensor| (tensor.name.as_str(), tensor.offset, tensor.bytes))
        .collect();
    // Four and three floats; the larger lies lower.
    assert_eq!(sizes, [("image", 0, 16), ("scores", 16, 12)]);
    assert_eq!(plan.activation_bytes, 28);
    assert_eq!(plan.main.bytes_during(0), 28);
    let text = plan.to_text(7);
    assert!(text.contains("0 FULLY_CONNECTED |AAAABBB| 28"), "{text}");
    assert!(
        text.contains("B       16 + 12       operators 0-0  scores"),
        "{text}"
    );
}

#[test]
fn plans_of_other_peoples_models_fit_their_arenas() {
    for case in [
        "seed_cnn_int8",
        "mlperf_ic",
        "mlperf_kws",
        "person_detect",
        "micro_speech",
    ] {
        let Some(model) = shared(case) else {
            return;
        };
        let plan = ArenaPlan::of(&model).unwrap();
        assert!(plan.activation_bytes <= plan.arena_bytes, "{case}");
        assert_eq!(plan.arena_bytes, model.arena_bytes().unwrap());
        for (at, operator) in plan.main.operators.iter().enumerate() {
            let bytes = plan.main.bytes_during(at);
            assert!(
                (1..=plan.activation_bytes).contains(&bytes),
                "{case}: {at} {operator}"
            );
        }
        // Two that are there at the same time share no byte, unless one is the other under another name.
        for (a, b) in plan
            .main
            .tensors
            .iter()
            .flat_map(|a| plan.main.tensors.iter().map(move |b| (a, b)))
        {
            let meet = a.first <= b.last && b.first <= a.last;
            let overlap = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
            let same = a.offset == b.offset && a.bytes == b.bytes;
            assert!(!(meet && overlap) || same, "{case}: {a:?} {b:?}");
        }
        let svg = plan.to_svg();
        let drawing = roxmltree::Document::parse(&svg).unwrap();
        let boxes = drawing
            .descendants()
            .filter(|node| node.has_tag_name("rect"));
        assert_eq!(boxes.count(), plan.main.tensors.len(), "{case}");
        let lines = plan.to_text(64).lines().count();
        assert_eq!(
            lines,
            1 + plan.main.operators.len() + plan.main.tensors.len(),
            "{case}"
        );
    }
}

#[test]
fn files_go_in_and_come_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let model = models::opened(&models::int8());
    fs::write(path("in.bin"), [0x80, 0, 0x7f, 1]).unwrap();
    let run = |input: &str, pixels| {
        let outputs = run_files(&model, &[path(input)], &[path("out.bin")], pixels).unwrap();
        assert_eq!(outputs[0].bytes, fs::read(path("out.bin")).unwrap());
        outputs
    };
    let outputs = run("in.bin", Pixels::default());
    assert_eq!(
        (outputs[0].dtype, &outputs[0].shape[..]),
        (Dtype::Int8, &[1, 3][..])
    );
    assert_eq!(outputs[0].reals.as_ref().map(Vec::len), Some(3));
    assert_eq!(fs::read(path("out.bin")).unwrap(), [0x80, 0, 0x7f]);
    // An image: pixels 0..=255 are -128..=127.
    fs::write(path("in.pgm"), b"P5\n2 2\n255\n\x00\x80\xff\x01").unwrap();
    run("in.pgm", Pixels::default());
    assert_eq!(fs::read(path("out.bin")).unwrap(), [0x80, 0, 0x7f]);
    // Black and white may stand for something else: here for the other way round.
    let reversed = Pixels {
        black: 1.0,
        white: 0.0,
        ..Pixels::default()
    };
    run("in.pgm", reversed);
    assert_eq!(fs::read(path("out.bin")).unwrap(), [0x7f, 0xff, 0x80]);
    // A coloured one becomes grey, and one of another size the input's size where that is wanted.
    let grey = image::RgbImage::from_pixel(4, 6, image::Rgb([128; 3]));
    grey.save(path("in.png")).unwrap();
    let resized = Pixels {
        resize: true,
        ..Pixels::default()
    };
    run("in.png", resized);
    assert_eq!(fs::read(path("out.bin")).unwrap(), [0; 3]);
    // Without a file for it the output is not written.
    fs::remove_file(path("out.bin")).unwrap();
    run_files(&model, &[path("in.png")], &[], resized).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[test]
fn files_that_do_not_fit_are_refused_with_both_sides() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let model = models::opened(&models::int8());
    fs::write(path("in.bin"), [0; 5]).unwrap();
    fs::write(path("in.pgm"), "P5 1 1 255\n").unwrap();
    image::GrayImage::new(3, 1).save(path("in.png")).unwrap();
    let run = |inputs: &[&str]| {
        let inputs: Vec<_> = inputs.iter().map(|name| path(name)).collect();
        let error = run_files(&model, &inputs, &[path("out.bin")], Pixels::default()).unwrap_err();
        assert!(!path("out.bin").exists());
        error.to_string()
    };
    let error = run(&[]);
    assert!(error.contains("has 1 inputs, but 0 files"), "{error}");
    let error = run(&["in.bin"]);
    assert!(
        error.contains("has 5 bytes, but input 0 (INT8 [1, 2, 2, 1]) takes 4"),
        "{error}"
    );
    let error = run(&["in.pgm"]);
    assert!(
        error.contains("in.pgm: ") && error.contains("images are PNG"),
        "{error}"
    );
    let error = run(&["in.png"]);
    assert!(
        error.contains("1 × 3 pixels, but input 0 takes 2 × 2"),
        "{error}"
    );
    let error = run(&["none.bin"]);
    assert!(error.contains("none.bin: "), "{error}");
}
