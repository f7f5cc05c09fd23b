//! Writes what Burn computes for the models of `ember-onnx`'s tests, so that these tests can hold their own results against it:
//! `burn-onnx` turned each ONNX file into Burn code when this program was built.
//!
//!     cargo run > ../../crates/ember-onnx/tests/models/burn.json

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;

/// The folder of the models and of the images that come with them.
const MODELS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../crates/ember-onnx/tests/models"
);

/// The images of a model, in NCHW.
#[derive(Deserialize)]
struct Images {
    /// Channels, height and width.
    image: [usize; 3],
    /// Numbers of each image.
    inputs: Vec<Vec<f32>>,
}

/// Runs the generated code on an image.
type Forward = fn(&[f32], [usize; 4]) -> Vec<f32>;

macro_rules! generated {
    ($($name:ident)*) => {
        $(mod $name {
            #![allow(warnings, reason = "generated code")]
            include!(concat!(env!("OUT_DIR"), "/models/", stringify!($name), ".rs"));

            pub fn forward(image: &[f32], shape: [usize; 4]) -> Vec<f32> {
                let device = super::Device::flex();
                let data = super::TensorData::new(image.to_vec(), shape);
                let input = super::Tensor::<4>::from_data(data, &device);
                let weights = concat!(env!("OUT_DIR"), "/models/", stringify!($name), ".bpk");
                let output = Model::from_file(weights, &device).forward(input);
                output.into_data().to_vec().expect("the model gives f32")
            }
        })*

        const GENERATED: &[(&str, Forward)] = &[$((stringify!($name), $name::forward)),*];
    };
}

generated!(mlp mlp_bn cnn cnn_bn residual residual_bn depthwise depthwise_bn);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut results = BTreeMap::new();
    for (name, forward) in GENERATED {
        let images = std::fs::read_to_string(format!("{MODELS}/{name}.json"))?;
        let Images {
            image: [channels, height, width],
            inputs,
        } = serde_json::from_str(&images)?;
        let outputs: Vec<_> = inputs
            .iter()
            .map(|input| forward(input, [1, channels, height, width]))
            .collect();
        results.insert(name, outputs);
    }
    println!("{}", serde_json::to_string(&results)?);
    Ok(())
}
