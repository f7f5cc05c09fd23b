//! Recipes: which layers get which types, as data.
//!
//! ```toml
//! # Every layer starts in int8. Each rule changes what it names, of the layers that it matches; where several rules match
//! # a layer, the last one that sets a key decides it.
//! [[rule]]
//! op = "fully_connected"      # an operator's name in the graph's text form; `*` and `?` stand for any characters
//! weights = "int4"            # float32 (or float), float16, int8, int4, int2 (-1, 0 and 1)
//! clip = "mse"                # min-max, percentile:P, mse, octav: how much of the weights the integers cover
//! per = "channel"             # channel, tensor: which weights share a scale
//! min_elements = 1024         # only layers with at least so many weights
//!
//! [[rule]]
//! tensor = "dense_1*"         # a layer's result or one of its constants; or an input of the model
//! weights = "float"
//! activations = "float"       # float32 (or float), int8, int16
//!
//! [calibration]
//! clip = "percentile:99.9"    # how much of the activations the integers cover
//! ```
//!
//! Pooling, reshape, pad, a relu that stands alone and what moves elements compute in the type that arrives. What has no kernel
//! for integers, such as `exp`, computes in float32. An input of the model has the type
//! of its first reader, unless a rule names it. Where types meet, conversions are put in between.

use ember_data::Split;
use ember_graph::quantized::has_integers;
use ember_graph::{Graph, Node, Op, Role, ValueId, Weightless};
use serde::{Deserialize, Serialize};

use crate::calibrate::calibrate_clipping;
use crate::scheme::{ActivationType, Granularity, Scheme, WeightType};
use crate::{Calibration, Clipping, CompressError};

/// Which layers get which types.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// In the order in which they apply.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
    /// How activations are calibrated.
    #[serde(default)]
    pub calibration: CalibrationRule,
}

/// How activations are calibrated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationRule {
    /// How much of their distribution the integers cover.
    #[serde(default, with = "clipping_text")]
    pub clip: Clipping,
}

/// What layers it matches, and what it sets for them; a key that is not given stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A pattern for the operator's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// A pattern for the name of the result, of one of the constants, or of an input of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensor: Option<String>,
    /// Only layers with at least so many weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_elements: Option<usize>,
    /// The type of the weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightType>,
    /// The type of the activations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activations: Option<ActivationType>,
    /// How much of the weights' distribution the integers cover.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "optional_clipping_text"
    )]
    pub clip: Option<Clipping>,
    /// Which weights share a scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Granularity>,
}

mod clipping_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::Clipping;

    pub(super) fn serialize<S: Serializer>(clip: &Clipping, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(clip)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Clipping, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

mod optional_clipping_text {
    use serde::{Deserializer, Serializer};

    use crate::Clipping;

    pub(super) fn serialize<S: Serializer>(
        clip: &Option<Clipping>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match clip {
            Some(clip) => to.collect_str(clip),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(
        from: D,
    ) -> Result<Option<Clipping>, D::Error> {
        super::clipping_text::deserialize(from).map(Some)
    }
}

/// What a recipe means for one graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The scheme of each node, in the order of [`Graph::nodes`]; of those that compute in the type that arrives it says
    /// nothing.
    pub schemes: Vec<Scheme>,
    /// The type of each input, in the order of [`Graph::inputs`].
    pub inputs: Vec<ActivationType>,
}

impl Plan {
    /// Whether some activation becomes an integer, for which its range must be known.
    #[must_use]
    pub fn needs_calibration(&self, graph: &Graph) -> bool {
        let integer = |activations: ActivationType| activations != ActivationType::Float32;
        let layers = graph.nodes.iter().zip(&self.schemes);
        let mut layers = layers.filter(|(node, _)| !carries(&node.op));
        self.inputs.iter().any(|input| integer(*input))
            || layers.any(|(_, scheme)| integer(scheme.activations))
    }
}

impl Recipe {
    /// The ranges that the recipe needs, on `count` images that are drawn from `images` with `seed`; none when no activation
    /// becomes an integer.
    ///
    /// # Errors
    /// As [`Recipe::plan`] and [`calibrate`](crate::calibrate::calibrate).
    pub fn calibrate(
        &self,
        graph: &Graph,
        images: &Split,
        count: usize,
        seed: u64,
    ) -> Result<Option<Calibration>, CompressError> {
        if !self.plan(graph)?.needs_calibration(graph) {
            return Ok(None);
        }
        let clip = self.calibration.clip;
        calibrate_clipping(graph, images, count, seed, clip).map(Some)
    }

    /// The recipe of a TOML text.
    ///
    /// # Errors
    /// When the text is not TOML or not a recipe, with the line.
    pub fn parse(text: &str) -> Result<Self, CompressError> {
        toml::from_str(text).map_err(|problem| CompressError::Recipe {
            problem: problem.to_string().trim_end().to_owned(),
        })
    }

    /// The recipe as TOML; [`Recipe::parse`] gives it back.
    ///
    /// # Errors
    /// None that is known: every recipe can be written.
    pub fn to_toml(&self) -> Result<String, CompressError> {
        toml::to_string(self).map_err(|problem| CompressError::Recipe {
            problem: problem.to_string(),
        })
    }

    /// What it means for `graph`.
    ///
    /// # Errors
    /// When a rule matches nothing of the graph, or only what computes in the type that arrives; when a layer would get
    /// types for which there is no kernel.
    pub fn plan(&self, graph: &Graph) -> Result<Plan, CompressError> {
        let mut schemes = vec![Scheme::default(); graph.nodes.len()];
        let mut inputs = vec![None; graph.inputs.len()];
        // What an input has that no layer reads.
        let mut rest = Scheme::default();
        for (number, rule) in (1..).zip(&self.rules) {
            rule.check(number)?;
            let mut matched = Matched::Nothing;
            for (node, scheme) in graph.nodes.iter().zip(&mut schemes) {
                if !rule.matches(graph, node) {
                    continue;
                }
                if carries(&node.op) {
                    matched = matched.max(Matched::Carrier);
                    continue;
                }
                matched = Matched::Layer;
                if rule
                    .min_elements
                    .is_none_or(|least| weights(graph, node) >= least)
                {
                    rule.apply(scheme);
                }
            }
            if rule.is_for_all() {
                matched = Matched::Layer;
                rule.apply(&mut rest);
            }
            if rule.op.is_none() {
                for (id, input) in graph.inputs.iter().zip(&mut inputs) {
                    if rule.names(graph, *id) {
                        matched = Matched::Layer;
                        *input = rule.activations.or(*input);
                    }
                }
            }
            match matched {
                Matched::Layer => {}
                Matched::Carrier => return Err(rule.without_layer(number)),
                Matched::Nothing => return Err(rule.without_match(number, graph)),
            }
        }
        for (node, scheme) in graph.nodes.iter().zip(&mut schemes) {
            if !carries(&node.op) && !has_integers(&node.op, scheme.activations.dtype()) {
                scheme.activations = ActivationType::Float32;
            }
            let has_weights = node.op.operands().contains(&Role::Bias);
            if has_weights && !scheme.is_possible() {
                return Err(CompressError::Types {
                    node: graph.values[node.output.index()].name.clone(),
                    weights: scheme.weights.name(),
                    activations: scheme.activations.name(),
                });
            }
        }
        let read = |(id, named): (&ValueId, Option<ActivationType>)| {
            named
                .or_else(|| wanted(graph, &schemes, *id))
                .unwrap_or(rest.activations)
        };
        let inputs = graph.inputs.iter().zip(inputs).map(read).collect();
        Ok(Plan { schemes, inputs })
    }
}

/// The best that a rule matched.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Matched {
    Nothing,
    Carrier,
    Layer,
}

impl Rule {
    /// A rule for the layers of this name.
    #[must_use]
    pub fn tensor(pattern: &str) -> Self {
        Self {
            tensor: Some(pattern.to_owned()),
            ..Self::default()
        }
    }

    /// A rule for the layers of this operator; `*` is all.
    #[must_use]
    pub fn op(pattern: &str) -> Self {
        Self {
            op: Some(pattern.to_owned()),
            ..Self::default()
        }
    }

    /// The same rule, setting both types.
    #[must_use]
    pub fn types(mut self, weights: WeightType, activations: ActivationType) -> Self {
        self.weights = Some(weights);
        self.activations = Some(activations);
        self
    }

    fn check(&self, number: usize) -> Result<(), CompressError> {
        let problem = if self.op.is_none() && self.tensor.is_none() {
            "says neither op nor tensor: op = \"*\" is every layer"
        } else if self.weights.is_none()
            && self.activations.is_none()
            && self.clip.is_none()
            && self.per.is_none()
        {
            "sets nothing: give it weights, activations, clip or per"
        } else {
            return Ok(());
        };
        Err(CompressError::Rule {
            number,
            problem: problem.to_owned(),
        })
    }

    /// Whether it is about every layer.
    fn is_for_all(&self) -> bool {
        self.tensor.is_none() && self.op.as_deref() == Some("*")
    }

    fn matches(&self, graph: &Graph, node: &Node) -> bool {
        let op = self.op.as_ref();
        if op.is_some_and(|pattern| !matches(pattern, node.op.name())) {
            return false;
        }
        if self.tensor.is_none() {
            return true;
        }
        let constants = node
            .inputs
            .iter()
            .filter(|id| graph.constant(**id).is_some());
        let mut tensors = constants.chain([&node.output]);
        tensors.any(|id| self.names(graph, *id))
    }

    fn names(&self, graph: &Graph, id: ValueId) -> bool {
        let pattern = self.tensor.as_ref();
        pattern.is_some_and(|pattern| matches(pattern, &graph.values[id.index()].name))
    }

    fn apply(&self, scheme: &mut Scheme) {
        scheme.weights = self.weights.unwrap_or(scheme.weights);
        scheme.activations = self.activations.unwrap_or(scheme.activations);
        scheme.clip = self.clip.unwrap_or(scheme.clip);
        scheme.per = self.per.unwrap_or(scheme.per);
    }

    fn pattern(&self) -> String {
        let named = |key: &str, pattern: &Option<String>| {
            pattern
                .as_ref()
                .map(|pattern| format!("{key} = {pattern:?}"))
        };
        let parts = [named("op", &self.op), named("tensor", &self.tensor)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn without_match(&self, number: usize, graph: &Graph) -> CompressError {
        let layers = graph.nodes.iter().filter(|node| !carries(&node.op));
        let names = layers.map(|node| {
            let name = &graph.values[node.output.index()].name;
            format!("{name} ({})", node.op.name())
        });
        CompressError::Rule {
            number,
            problem: format!(
                "({}) matches nothing of {:?}, whose layers are {}",
                self.pattern(),
                graph.name,
                names.collect::<Vec<_>>().join(", ")
            ),
        }
    }

    fn without_layer(&self, number: usize) -> CompressError {
        CompressError::Rule {
            number,
            problem: format!(
                "({}) matches only pooling, reshape, pad, relu or moves, which compute in the type that arrives: name the layer before",
                self.pattern()
            ),
        }
    }
}

/// Whether an operator computes in the type that arrives.
pub(crate) const fn carries(op: &Op) -> bool {
    match op {
        Op::MaxPool2d { .. }
        | Op::AveragePool2d { .. }
        | Op::Reshape { .. }
        | Op::Pad { .. }
        | Op::Relu
        | Op::Relu6
        | Op::Quantize
        | Op::Dequantize
        | Op::Weightless(Weightless::Transpose { .. } | Weightless::Slice { .. }) => true,
        Op::Weightless(_)
        | Op::Conv2d { .. }
        | Op::DepthwiseConv2d { .. }
        | Op::TransposeConv { .. }
        | Op::FullyConnected { .. }
        | Op::Add { .. }
        | Op::Softmax { .. }
        | Op::BatchNorm { .. } => false,
    }
}

/// The type in which the first reader takes a value, through all that computes in the type that arrives.
fn wanted(graph: &Graph, schemes: &[Scheme], id: ValueId) -> Option<ActivationType> {
    let mut nodes = graph.nodes.iter().zip(schemes);
    match nodes.find(|(node, _)| node.inputs.contains(&id)) {
        Some((node, _)) if carries(&node.op) => wanted(graph, schemes, node.output),
        Some((_, scheme)) => Some(scheme.activations),
        None => None,
    }
}

/// How many weights a node has, its bias left out.
fn weights(graph: &Graph, node: &Node) -> usize {
    let operands = node.op.operands().iter().zip(&node.inputs);
    let weights = operands.filter(|(role, _)| matches!(role, Role::Filter | Role::Weights));
    weights
        .map(|(_, id)| graph.constant(*id).map_or(0, <[f32]>::len))
        .sum()
}

/// Whether `text` is what `pattern` describes: `*` stands for any characters, `?` for one.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut in_text) = (0, 0);
    // Where to go on when what follows the last star does not fit: there, one character later.
    let mut star = None;
    while in_text < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at + 1, in_text + 1));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[in_text] => {
                at += 1;
                in_text += 1;
            }
            _ => match star {
                Some((after, next)) => {
                    (at, in_text) = (after, next);
                    star = Some((after, next + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, text, expected) in [
            ("conv", "conv", true),
            ("conv", "conv_1", false),
            ("conv*", "conv_1.filter", true),
            ("*.filter", "conv_1.filter", true),
            ("*", "", true),
            ("c?nv", "conv", true),
            ("c?nv", "cnv", false),
            ("*1*", "dense_1.bias", true),
            ("é?", "éa", true),
            ("*a*b", "aabcb", true),
            ("*a*b", "aabc", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
