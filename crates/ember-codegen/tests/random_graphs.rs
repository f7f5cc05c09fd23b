//! Random float32 models as graphs: the graph's evaluator says what the interpreter says of the file that the graph was read
//! from, and of the file that is written from the graph.

mod support;

use ember_codegen::tflite;
use ember_graph::eval::evaluate;
use ember_micro::registry;
use ember_testkit::agreement::difference;
use ember_testkit::case::Port;
use ember_testkit::generate::{self, Families};
use ember_tflite::write::write;
use support::run;

/// Models of the normal run.
const COUNT: u64 = 300;

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (floats, _) = bytes.as_chunks();
    floats
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

#[test]
fn the_evaluator_agrees_with_the_interpreter() {
    let mut compared = 0u64;
    let seeds = generate::seeds(0..COUNT);
    for seed in seeds.clone() {
        let mut spec = generate::model(seed, 6, Families::OfGraphs);
        // The first output is what is compared.
        spec.outputs.truncate(1);
        let file = write(&spec).unwrap();
        // What a graph cannot express is refused: broadcasts, groups, dense layers on images.
        let Ok(graph) = tflite::to_graph(&file) else {
            continue;
        };
        let input = generate::inputs(&spec, seed).concat();
        let numbers = floats(&input);
        let found = evaluate(&graph, 1, &[&numbers]).unwrap();
        let found: Vec<u8> = found
            .concat()
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect();
        let tensor = &spec.tensors[spec.outputs[0].0 as usize];
        let port = Port {
            dtype: tensor.dtype,
            shape: tensor.shape.clone(),
        };
        let written = tflite::float32(&graph).unwrap();
        for (what, file) in [("as it is", &file), ("written again", &written)] {
            let expected = run(file, registry::ALL, [input.as_slice()].into_iter());
            let difference = difference(&port, &found, &expected);
            assert_eq!(
                difference,
                None,
                "seed {seed}, {what}:\n{}",
                generate::text(&spec)
            );
        }
        compared += 1;
    }
    println!("{compared} graphs");
    assert!(compared * 4 > seeds.end - seeds.start, "only {compared}");
}
