//! The model files that an import writes besides the checkpoint.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use ember_compress::Calibrator;
use ember_graph::Graph;
use ember_onnx::Imported;

/// The `.tflite` file of the model in float32.
pub(crate) fn float(imported: &Imported) -> Result<Vec<u8>> {
    let (optimized, _) = ember_compress::optimize(&imported.graph)?;
    Ok(ember_codegen::tflite::float32(&optimized)?)
}

/// The `.tflite` file of the model in int8: with the ONNX file's own quantization, or with ranges from samples.
pub(crate) fn int8(imported: &Imported, model: &Path, samples: Option<&Path>) -> Result<Vec<u8>> {
    let quantized = match (&imported.quantized, samples) {
        (Some(_), Some(_)) => bail!(
            "{model:?} is quantized, and its int8 model keeps that: leave --samples out, or quantize the run with ranges of its own"
        ),
        (Some(quantized), None) => &quantized.model,
        (None, Some(samples)) => {
            let (optimized, _) = ember_compress::optimize(&imported.graph)?;
            &calibrated(&optimized, samples)?
        }
        (None, None) => bail!(
            "{model:?} quantizes nothing, so int8 needs the ranges of its values: give inputs to calibrate on with --samples, or quantize the run on a data set"
        ),
    };
    Ok(ember_codegen::tflite::quantized(quantized)?)
}

/// The graph in int8 with the ranges that its values have on these samples.
fn calibrated(graph: &Graph, path: &Path) -> Result<ember_graph::QuantizedGraph> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {path:?}"))?;
    let shapes = graph.inputs.iter().filter_map(|id| graph.get(*id));
    let lengths: Vec<usize> = shapes.map(|value| value.shape.iter().product()).collect();
    let sample_bytes = 4 * lengths.iter().sum::<usize>();
    if bytes.is_empty() || bytes.len() % sample_bytes != 0 {
        bail!(
            "{path:?} has {} bytes, expected a multiple of {sample_bytes}: float32 numbers, little-endian, each sample with its inputs in order, images NHWC",
            bytes.len()
        );
    }
    let mut calibrator = Calibrator::new(graph);
    for sample in bytes.chunks_exact(sample_bytes) {
        let words = sample.as_chunks().0.iter();
        let numbers: Vec<f32> = words.map(|word| f32::from_le_bytes(*word)).collect();
        let mut rest = numbers.as_slice();
        let inputs: Vec<&[f32]> = lengths
            .iter()
            .map(|length| rest.split_off(..*length).unwrap_or_default())
            .collect();
        calibrator.observe(1, &inputs)?;
    }
    Ok(ember_compress::quantize(graph, &calibrator.finish()?)?)
}
