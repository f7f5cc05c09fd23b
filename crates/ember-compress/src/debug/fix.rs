//! Tries to leave the layers that lose most in higher precision.

use std::fmt;

use ember_graph::{Graph, QuantizedGraph};
use serde::{Deserialize, Serialize};

use super::DebugReport;
use crate::recipe::{Recipe, Rule, carries};
use crate::scheme::{ActivationType, Scheme, WeightType};
use crate::{Calibration, CompressError, constant_bytes, quantize_by};

/// One layer in higher precision, and what the model was worth then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The layer.
    pub layer: String,
    /// Its types so far, weights and activations.
    pub from: [String; 2],
    /// The types that were tried.
    pub to: [String; 2],
    /// The score with them.
    pub score: f64,
    /// Bytes of the model's constants with them.
    pub constant_bytes: usize,
    /// Whether they were kept.
    pub kept: bool,
}

/// A recipe that is better than the one it began with, and how it was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// The recipe with a rule more for each trial that was kept.
    pub recipe: Recipe,
    /// The score before.
    pub before: f64,
    /// The score with the recipe.
    pub after: f64,
    /// Bytes of the model's constants before.
    pub bytes_before: usize,
    /// Bytes of the model's constants with the recipe.
    pub bytes_after: usize,
    /// What was tried, in order.
    pub trials: Vec<Trial>,
}

/// What was tried, a line each, and what came of it.
impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for trial in &self.trials {
            let ([weights, activations], [new_weights, new_activations]) = (&trial.from, &trial.to);
            let outcome = if trial.kept { "kept" } else { "left as it was" };
            writeln!(
                f,
                "{}: weights {weights} -> {new_weights}, activations {activations} -> {new_activations}: score {:.4}, {} \
                 bytes of constants: {outcome}",
                trial.layer, trial.score, trial.constant_bytes,
            )?;
        }
        write!(
            f,
            "score {:.4} -> {:.4}, constants {} -> {} bytes",
            self.before, self.after, self.bytes_before, self.bytes_after
        )
    }
}

/// Raises the precision of the `layers` layers that lose most by `report`, the worst first: from int2 or int4 to int8 weights,
/// then int16 activations, then float. A step stays where the score rises by at least `gain`, and the next one is tried;
/// where it does not, the next layer's turn comes.
///
/// `score` says what a model is worth, more is better: the signal to noise of its outputs, or its accuracy on a validation
/// set.
///
/// # Errors
/// When the recipe does not fit the graph; what `score` says.
pub fn fix<E: From<CompressError>>(
    graph: &Graph,
    calibration: &Calibration,
    recipe: &Recipe,
    report: &DebugReport,
    layers: usize,
    gain: f64,
    mut score: impl FnMut(&QuantizedGraph) -> Result<f64, E>,
) -> Result<Fix, E> {
    let mut worth = |recipe: &Recipe| -> Result<(f64, usize), E> {
        let quantized = quantize_by(graph, Some(calibration), recipe)?;
        Ok((score(&quantized)?, constant_bytes(&quantized)))
    };
    let (before, bytes) = worth(recipe)?;
    let mut fixed = Fix {
        recipe: recipe.clone(),
        before,
        after: before,
        bytes_before: bytes,
        bytes_after: bytes,
        trials: Vec::new(),
    };
    let candidates = report
        .layers
        .iter()
        .filter(|layer| layer.own.snr_db.is_some());
    let position = |name: &str| {
        let mut nodes = graph.nodes.iter();
        nodes.position(|node| graph.values[node.output.index()].name == name)
    };
    let candidates = candidates.filter_map(|layer| Some((layer, position(&layer.layer)?)));
    let candidates = candidates.filter(|(_, position)| !carries(&graph.nodes[*position].op));
    for (layer, position) in candidates.take(layers) {
        loop {
            let plan = fixed.recipe.plan(graph)?;
            let from = plan.schemes[position];
            let Some(to) = higher(&from, layer.weights.is_some()) else {
                break;
            };
            let mut tried = fixed.recipe.clone();
            tried
                .rules
                .push(Rule::tensor(&layer.layer).types(to.weights, to.activations));
            let (score, bytes) = worth(&tried)?;
            let kept = score >= fixed.after + gain;
            let names = |scheme: &Scheme| {
                [scheme.weights.name(), scheme.activations.name()].map(str::to_owned)
            };
            fixed.trials.push(Trial {
                layer: layer.layer.clone(),
                from: names(&from),
                to: names(&to),
                score,
                constant_bytes: bytes,
                kept,
            });
            if !kept {
                break;
            }
            (fixed.recipe, fixed.after, fixed.bytes_after) = (tried, score, bytes);
        }
    }
    Ok(fixed)
}

/// The next types up; none above float.
fn higher(scheme: &Scheme, has_weights: bool) -> Option<Scheme> {
    let (weights, activations) = match (scheme.weights, scheme.activations) {
        (WeightType::Int4 | WeightType::Int2, ActivationType::Int8) if has_weights => {
            (WeightType::Int8, ActivationType::Int8)
        }
        (_, ActivationType::Int8) => (WeightType::Int8, ActivationType::Int16),
        (_, ActivationType::Int16) => (WeightType::Float32, ActivationType::Float32),
        (WeightType::Float32, ActivationType::Float32) => return None,
        (_, ActivationType::Float32) => (WeightType::Float32, ActivationType::Float32),
    };
    Some(Scheme {
        weights,
        activations,
        ..*scheme
    })
}
