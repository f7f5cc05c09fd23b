//! Runs an ONNX model: `run_onnx MODEL.onnx INPUT...`, each input float32 numbers, little-endian, as the ONNX file has them. Prints
//! one line of JSON: for each output the numbers of the graph's evaluator and of `ember-lite` on the model file.

use anyhow::{Context as _, Result, ensure};
use ember_graph::eval::evaluate;

/// The numbers of a tensor of this shape with its channels moved from the second place to the last, or back.
fn turned(numbers: &[f32], here: &[usize], to_last: bool) -> Vec<f32> {
    let channels = here.last().copied().unwrap_or(1).max(1);
    let pixels = (numbers.len() / channels).max(1);
    let (outer, inner) = if to_last {
        (pixels, channels)
    } else {
        (channels, pixels)
    };
    let places = (0..outer).flat_map(|one| (0..inner).map(move |other| other * outer + one));
    places.map(|place| numbers[place]).collect()
}

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let model = arguments
        .next()
        .context("usage: run_onnx MODEL.onnx INPUT...")?;
    let imported = ember_onnx::import(model.as_ref())?;
    let graph = &imported.graph;
    let shape = |id: &ember_graph::ValueId| &graph.values[id.index()].shape;
    let mut inputs = Vec::new();
    for ((path, id), is_image) in arguments
        .zip(&graph.inputs)
        .zip(&imported.channels_last.inputs)
    {
        let bytes = std::fs::read(path)?;
        let numbers = bytes
            .as_chunks()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes));
        let numbers: Vec<f32> = numbers.collect();
        inputs.push(if *is_image {
            turned(&numbers, shape(id), true)
        } else {
            numbers
        });
    }
    ensure!(
        inputs.len() == graph.inputs.len(),
        "the model has {} inputs, and {} are given",
        graph.inputs.len(),
        inputs.len()
    );
    let slices: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let evaluated = evaluate(graph, 1, &slices)?;
    let (optimized, _) = ember_compress::optimize(graph)?;
    let file = ember_codegen::tflite::float32(&optimized)?;
    let model = ember_lite::MappedModel::from_bytes(&file, "model")?;
    let mut arena = model.arena()?;
    let mut session = model.session(&mut arena)?;
    let bytes: Vec<Vec<u8>> = inputs
        .iter()
        .map(|numbers| {
            numbers
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect()
        })
        .collect();
    let slices: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
    for (index, bytes) in slices.iter().enumerate() {
        session.input(index)?.copy_from_slice(bytes);
    }
    session.invoke()?;
    let mut outputs = Vec::new();
    for (index, id) in graph.outputs.iter().enumerate() {
        let of_file: Vec<f32> = session
            .output(index)?
            .as_chunks()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        let ordered = |numbers: &[f32]| {
            if imported.channels_last.outputs[index] {
                turned(numbers, shape(id), false)
            } else {
                numbers.to_vec()
            }
        };
        outputs.push([ordered(&evaluated[index]), ordered(&of_file)]);
    }
    println!("{}", serde_json::to_string(&outputs)?);
    Ok(())
}
