//! In which types a layer computes.

use ember_core::Dtype;
use serde::{Deserialize, Serialize};

use crate::Clipping;

/// The type of a layer's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightType {
    /// f32, as trained.
    #[serde(alias = "float")]
    Float32,
    /// Half the bytes; made f32 again when the model starts.
    Float16,
    /// A quarter of the bytes.
    Int8,
    /// An eighth of the bytes.
    Int4,
    /// A sixteenth of the bytes: -1, 0 and 1 times a scale. LiteRT takes it in dense layers only.
    Int2,
}

impl WeightType {
    /// The type of the elements in the file.
    #[must_use]
    pub const fn dtype(self) -> Dtype {
        match self {
            Self::Float32 => Dtype::Float32,
            Self::Float16 => Dtype::Float16,
            Self::Int8 => Dtype::Int8,
            Self::Int4 => Dtype::Int4,
            Self::Int2 => Dtype::Int2,
        }
    }

    /// The word in a recipe.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::Int8 => "int8",
            Self::Int4 => "int4",
            Self::Int2 => "int2",
        }
    }
}

/// The type of what a layer takes and makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActivationType {
    /// f32.
    #[serde(alias = "float")]
    Float32,
    /// 8 bits with a scale and a zero point.
    Int8,
    /// 16 bits with a scale.
    Int16,
}

impl ActivationType {
    /// The type of the elements in the file.
    #[must_use]
    pub const fn dtype(self) -> Dtype {
        match self {
            Self::Float32 => Dtype::Float32,
            Self::Int8 => Dtype::Int8,
            Self::Int16 => Dtype::Int16,
        }
    }

    /// The word in a recipe.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
        }
    }
}

/// Which weights share a scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Granularity {
    /// Those of one output channel.
    #[default]
    Channel,
    /// All of the tensor.
    Tensor,
}

/// In which types a layer computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scheme {
    /// Its weights; biases follow.
    pub weights: WeightType,
    /// What it takes and makes.
    pub activations: ActivationType,
    /// How much of the weights' distribution their integers cover.
    pub clip: Clipping,
    /// Which weights share a scale.
    pub per: Granularity,
}

impl Scheme {
    /// Everything in int8, a scale for each channel: what a recipe starts from.
    pub const INT8: Self = Self {
        weights: WeightType::Int8,
        activations: ActivationType::Int8,
        clip: Clipping::MinMax,
        per: Granularity::Channel,
    };

    /// Whether there are kernels for these types together.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        let (weights, _) = ember_graph::quantized::layer_types(self.activations.dtype());
        weights.contains(&self.weights.dtype())
    }
}

impl Default for Scheme {
    fn default() -> Self {
        Self::INT8
    }
}
