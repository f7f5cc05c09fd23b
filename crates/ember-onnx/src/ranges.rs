//! The file's quantization in the words of calibration: ranges and a recipe, with which a model can be quantized again,
//! or in other types.

use std::collections::BTreeMap;

use ember_compress::Recipe;
use ember_compress::recipe::Rule;
use ember_compress::scheme::Granularity;
use ember_core::Dtype;
use ember_graph::{Graph, Quantization, QuantizedGraph, QuantizedSource};
use serde::{Deserialize, Serialize};

/// What activations reach, as `cargo xtask quantize` reads it from `ranges.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranges {
    /// Where the ranges are from: here the name of the ONNX file.
    pub dataset: String,
    /// How many images they were measured on: here 0.
    pub images: u64,
    /// What drew the images: here 0.
    pub seed: u64,
    /// Least and greatest number per value of the optimized graph.
    pub ranges: BTreeMap<String, [f32; 2]>,
}

impl Ranges {
    /// What the integers of `quantized` reach, for those values that `optimized` has, too. Quantized by them, zero points are
    /// the file's, and scales are the file's but for the rounding of `(max - min) / 255`.
    pub(crate) fn new(quantized: &QuantizedGraph, optimized: &Graph, dataset: &str) -> Self {
        let activations = quantized.values().iter().filter_map(|value| {
            let constant = matches!(value.source, QuantizedSource::Constant(_));
            match (&value.quantization, value.dtype) {
                (Quantization::PerTensor { scale, zero_point }, Dtype::Int8) if !constant => {
                    optimized.find(&value.name)?;
                    let end = |integer: i8| {
                        (f64::from(i32::from(integer) - zero_point) * f64::from(*scale)) as f32
                    };
                    Some((value.name.clone(), [end(i8::MIN), end(i8::MAX)]))
                }
                _ => None,
            }
        });
        Self {
            dataset: dataset.to_owned(),
            images: 0,
            seed: 0,
            ranges: activations.collect(),
        }
    }
}

/// The recipe of an int8 model whose weights share scales as those of `quantized` do.
pub(crate) fn recipe(quantized: &QuantizedGraph) -> Recipe {
    let shared = quantized.values().iter().filter(|value| {
        let constant = matches!(value.source, QuantizedSource::Constant(_));
        constant
            && value.dtype == Dtype::Int8
            && value.shape.len() > 1
            && matches!(value.quantization, Quantization::PerTensor { .. })
            && is_weights(quantized, &value.name)
    });
    Recipe {
        rules: shared
            .map(|value| Rule {
                per: Some(Granularity::Tensor),
                ..Rule::tensor(&value.name)
            })
            .collect(),
        ..Recipe::default()
    }
}

/// Whether a layer has this constant as its filter or weights.
fn is_weights(quantized: &QuantizedGraph, name: &str) -> bool {
    quantized.nodes().iter().any(|node| {
        let weights = node.inputs.get(1).map(|id| quantized.value(*id));
        node.inputs.len() == 3 && weights.is_some_and(|weights| weights.name == name)
    })
}
