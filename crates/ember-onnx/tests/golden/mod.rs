//! The committed models and what they must compute, made by the script in `tools/onnx_models`.

#![allow(dead_code, reason = "each test file uses a part")]

use std::path::PathBuf;

use ember_graph::Graph;
use ember_graph::eval::evaluate;
use serde::Deserialize;

/// What a model must compute, as the ONNX file has it: images are NCHW.
#[derive(Deserialize)]
pub(crate) struct Golden {
    /// Channels, height and width.
    pub(crate) image: [usize; 3],
    /// Numbers of each image.
    pub(crate) inputs: Vec<Vec<f32>>,
    /// Numbers of each result.
    pub(crate) outputs: Vec<Vec<f32>>,
    /// Those without the rounding of activations, of a quantized model.
    #[serde(default)]
    pub(crate) real_outputs: Vec<Vec<f32>>,
}

/// Where the model with this name is.
pub(crate) fn path(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    folder.join(format!("{name}.onnx"))
}

impl Golden {
    /// Of the model with this name.
    pub(crate) fn read(name: &str) -> Self {
        let text = std::fs::read_to_string(path(name).with_extension("json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The images in NHWC, and the numbers that come with them.
    pub(crate) fn samples<'g>(&self, outputs: &'g [Vec<f32>]) -> Vec<(Vec<f32>, &'g [f32])> {
        assert_eq!(self.inputs.len(), outputs.len());
        assert!(!outputs.is_empty());
        let images = self.inputs.iter().map(|input| self.nhwc(input));
        images.zip(outputs.iter().map(Vec::as_slice)).collect()
    }

    fn nhwc(&self, nchw: &[f32]) -> Vec<f32> {
        let [channels, height, width] = self.image;
        let pixels = (0..height * width)
            .flat_map(|pixel| (0..channels).map(move |channel| channel * height * width + pixel));
        pixels.map(|position| nchw[position]).collect()
    }
}

/// The greatest difference between what `graph` computes and what it must.
pub(crate) fn worst(graph: &Graph, golden: &Golden, outputs: &[Vec<f32>]) -> f32 {
    let mut worst = 0.0_f32;
    for (image, expected) in golden.samples(outputs) {
        let got = evaluate(graph, 1, &[&image]).unwrap().remove(0);
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(expected) {
            worst = worst.max((got - expected).abs());
        }
    }
    worst
}
