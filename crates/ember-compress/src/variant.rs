//! The ways to make a model smaller after training that have a name, each a recipe.

use ember_graph::{Graph, QuantizedGraph};

use crate::recipe::{Recipe, Rule};
use crate::scheme::{ActivationType, WeightType};
use crate::{Calibration, Clipping, CompressError, quantize_by};

/// Where less than this is saved TensorFlow's converter leaves weights alone (`weights_min_num_elements` of
/// `mlir/lite/common/tfl_pass_config.h`).
const WORTHWHILE: usize = 1024;

/// A way to make a model smaller after training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Variant {
    /// As trained.
    Float32,
    /// Weights in half the bytes.
    Float16,
    /// Weights of the large layers in int8, activations in float.
    DynamicRange,
    /// Everything in int8.
    Int8,
    /// Activations in int16, weights in int8.
    Int16x8,
    /// Weights of the large layers in int4, everything else in int8.
    Int4,
}

impl Variant {
    /// All of them, from the largest model to the smallest but for int16x8.
    pub const ALL: &'static [Self] = &[
        Self::Float32,
        Self::Float16,
        Self::DynamicRange,
        Self::Int8,
        Self::Int16x8,
        Self::Int4,
    ];

    /// The name in reports and files, as in `model.int16x8.tflite`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::DynamicRange => "dynamic",
            Self::Int8 => "int8",
            Self::Int16x8 => "int16x8",
            Self::Int4 => "int4",
        }
    }

    /// The variant of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|variant| variant.name() == name)
    }

    /// Whether it needs the ranges of activations.
    #[must_use]
    pub const fn needs_calibration(self) -> bool {
        match self {
            Self::Float32 | Self::Float16 | Self::DynamicRange => false,
            Self::Int8 | Self::Int16x8 | Self::Int4 => true,
        }
    }

    /// What it does, as a recipe to start from.
    #[must_use]
    pub fn recipe(self) -> Recipe {
        let every = |weights, activations| Rule::op("*").types(weights, activations);
        let large = |weights, clip| Rule {
            weights: Some(weights),
            min_elements: Some(WORTHWHILE),
            clip: Some(clip),
            ..Rule::op("*")
        };
        let (float, int8) = (ActivationType::Float32, ActivationType::Int8);
        let rules = match self {
            Self::Float32 => vec![every(WeightType::Float32, float)],
            Self::Float16 => vec![every(WeightType::Float16, float)],
            Self::DynamicRange => vec![
                every(WeightType::Float32, float),
                large(WeightType::Int8, Clipping::MinMax),
            ],
            Self::Int8 => vec![every(WeightType::Int8, int8)],
            Self::Int16x8 => vec![every(WeightType::Int8, ActivationType::Int16)],
            Self::Int4 => vec![
                every(WeightType::Int8, int8),
                large(WeightType::Int4, Clipping::Mse),
            ],
        };
        Recipe {
            rules,
            ..Recipe::default()
        }
    }

    /// The graph in this variant; `calibration` is of this very graph, and not needed by all.
    ///
    /// # Errors
    /// As [`quantize_by`].
    pub fn apply(
        self,
        graph: &Graph,
        calibration: Option<&Calibration>,
    ) -> Result<QuantizedGraph, CompressError> {
        quantize_by(graph, calibration, &self.recipe())
    }
}
