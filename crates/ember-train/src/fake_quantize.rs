//! Training for low precision: weights and activations are rounded in the forward pass as the integer kernels round them,
//! and the gradient passes through as if they were not (Bengio, Léonard and Courville, "Estimating or propagating gradients
//! through stochastic neurons", 2013).
//!
//! Scales and zero points are those of [`ember_compress::quantize`], so the exported model computes what was trained:
//! weights symmetric, one scale for each output channel; activations int8 with a zero point, from a moving average of the
//! least and the greatest number of each batch (Jacob et al., "Quantization and training of neural networks for efficient
//! integer-arithmetic-only inference", 2018, section 3.1). What pooling and reshaping give has the scale of what they take.
//! Biases, whose int32 steps are far finer, are rounded for tests alone.

use burn::tensor::{Tensor, TensorData};
use ember_compress::quantize::{WeightRounding, activation_parameters, channel_axis};
use ember_compress::recipe::Rule;
use ember_compress::scheme::{ActivationType, Granularity, WeightType};
use ember_compress::{Clipping, Range, Recipe};
use ember_core::Dtype;
use ember_graph::quantized::{OutputParameters, output_parameters};
use ember_graph::{Graph, GraphError, Op, Role};

use crate::compression::{Compression, WeightBits};
use crate::kernels;
use crate::kernels::round::Round;
use crate::network::with_numbers;

/// What is left of the old range after a step.
const DECAY: f32 = 0.99;

/// A layer with fewer weights keeps them in int8 where others have less, as [`ember_compress::Variant::Int4`] does: they cost
/// little, and all that follows depends on them.
const FEWEST_WEIGHTS: usize = 1024;

/// How the values of a graph are rounded while it is trained.
#[derive(Clone, Debug)]
pub(crate) struct FakeQuantization {
    /// For each value of the graph.
    kinds: Vec<Kind>,
    /// For each value of the graph, the value whose range it has.
    origins: Vec<usize>,
    /// The moving average of each value's range, for those that have one of their own.
    ranges: Vec<Option<Range>>,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Stays as it is.
    Exact,
    Weights(Weights),
    /// Rounded to its own range.
    Own,
    /// Rounded to the range of that value.
    Of(usize),
}

#[derive(Clone, Debug)]
struct Weights {
    shape: Vec<usize>,
    axis: usize,
    bits: WeightBits,
    per: Granularity,
}

impl FakeQuantization {
    /// For an optimized graph.
    pub(crate) fn new(graph: &Graph, bits: WeightBits, compression: &Compression) -> Self {
        let per = compression.scale_per();
        let mut kinds = vec![Kind::Exact; graph.values.len()];
        for id in &graph.inputs {
            kinds[id.index()] = Kind::Own;
        }
        // Where a value's range is, pooled and reshaped ones followed back.
        let mut origin: Vec<usize> = (0..graph.values.len()).collect();
        for node in &graph.nodes {
            for (role, id) in node.op.operands().iter().zip(&node.inputs) {
                if let (Role::Filter | Role::Weights, Some(value)) = (role, graph.get(*id)) {
                    let few = value.shape.iter().product::<usize>() < FEWEST_WEIGHTS;
                    kinds[id.index()] = Kind::Weights(Weights {
                        shape: value.shape.clone(),
                        axis: channel_axis(&node.op),
                        bits: if few { WeightBits::Int8 } else { bits },
                        per,
                    });
                }
            }
            let (output, input) = (node.output.index(), node.inputs.first());
            kinds[output] = match (output_parameters(&node.op, Dtype::Int8), input) {
                (OutputParameters::Own, _) => Kind::Own,
                (OutputParameters::OfInput, Some(input)) => {
                    origin[output] = origin[input.index()];
                    // What they give is rounded already where it is one of the numbers that they take.
                    match node.op {
                        Op::AveragePool2d { .. } => Kind::Of(origin[output]),
                        _ => Kind::Exact,
                    }
                }
                _ => Kind::Exact,
            };
        }
        Self {
            ranges: vec![None; kinds.len()],
            origins: origin,
            kinds,
        }
    }

    /// The ranges, for each value of the graph that has one.
    pub(crate) fn ranges(&self) -> &[Option<Range>] {
        &self.ranges
    }

    /// Puts back what [`Self::ranges`] gave; `false` when it was of another graph.
    pub(crate) fn restore(&mut self, ranges: Vec<Option<Range>>) -> bool {
        let fit = ranges.len() == self.ranges.len();
        if fit {
            self.ranges = ranges;
        }
        fit
    }

    /// A value while training: its range follows, and the gradient passes where it is within.
    pub(crate) fn train(&mut self, value: usize, tensor: Tensor<2>) -> Tensor<2> {
        if let Kind::Own = self.kinds[value] {
            let seen = with_numbers(tensor.clone().inner(), |numbers| {
                let start = Range { min: 0.0, max: 0.0 };
                numbers.iter().fold(start, |range, number| Range {
                    min: range.min.min(*number),
                    max: range.max.max(*number),
                })
            });
            // A training that diverges is found out by its loss.
            if seen.min.is_finite() && seen.max.is_finite() {
                let follow = |old: f32, new: f32| DECAY * old + (1.0 - DECAY) * new;
                self.ranges[value] = Some(self.ranges[value].map_or(seen, |old| Range {
                    min: follow(old.min, seen.min),
                    max: follow(old.max, seen.max),
                }));
            }
        }
        match self.grid(value) {
            None => tensor,
            Some(Grid::Weights(weights)) => {
                let dims = tensor.dims();
                let change: Vec<f32> = with_numbers(tensor.clone().inner(), |numbers| {
                    let rounded = weights.round(numbers).into_iter();
                    rounded.zip(numbers).map(|(new, old)| new - old).collect()
                });
                let change = TensorData::new(change, dims);
                tensor.clone() + Tensor::from_data(change, &tensor.device())
            }
            Some(Grid::Activation(grid)) => {
                let round = grid.kernel(tensor.dims());
                kernels::apply(round, [&tensor]).unwrap_or_else(|| grid.composed(tensor))
            }
        }
    }

    /// An activation while testing: rounded. Constants are what [`Self::round_constants`] made of them.
    pub(crate) fn apply(&self, value: usize, tensor: Tensor<2>) -> Tensor<2> {
        let Some(Grid::Activation(grid)) = self.grid(value) else {
            return tensor;
        };
        let dims = tensor.dims();
        let device = tensor.device();
        let rounded = with_numbers(tensor, |numbers| grid.kernel(dims).rounded(numbers));
        Tensor::from_data(TensorData::new(rounded, dims), &device)
    }

    /// Makes the filters and weights of the graph what their integers stand for.
    ///
    /// # Errors
    /// When it is another graph.
    pub(crate) fn round_weights(&self, graph: &mut Graph) -> Result<(), GraphError> {
        let ids: Vec<_> = graph.constants().map(|(id, _, _)| id).collect();
        for id in ids {
            if let Some(Kind::Weights(weights)) = self.kinds.get(id.index()) {
                let rounded = weights.round(graph.constant(id).unwrap_or_default());
                graph.set_constant(id, rounded)?;
            }
        }
        Ok(())
    }

    /// The same, and biases, whose scale is that of the input times that of the rounded weights.
    ///
    /// # Errors
    /// When it is another graph.
    pub(crate) fn round_constants(&self, graph: &mut Graph) -> Result<(), GraphError> {
        self.round_weights(graph)?;
        let mut biases = Vec::new();
        for node in &graph.nodes {
            let &[input, filter, bias] = &node.inputs[..] else {
                continue;
            };
            let (Some(Kind::Weights(weights)), Some(range)) = (
                self.kinds.get(filter.index()),
                self.ranges[self.origins[input.index()]],
            ) else {
                continue;
            };
            let input = activation_parameters(range);
            let input = input.and_then(|own| own.scales().first().copied());
            let (Some(input), Some(filter), Some(numbers)) =
                (input, graph.constant(filter), graph.constant(bias))
            else {
                continue;
            };
            let scales =
                (weights.rounding(Clipping::MinMax)).scales(filter, &weights.shape, weights.axis);
            let rounded = numbers.iter().enumerate().map(|(channel, number)| {
                let scale = f64::from(input * scales[channel % scales.len()]);
                ((f64::from(*number) / scale).round() * scale) as f32
            });
            biases.push((bias, rounded.collect()));
        }
        for (bias, rounded) in biases {
            graph.set_constant(bias, rounded)?;
        }
        Ok(())
    }

    /// What rounds a value now; none where it stays as it is, or nothing of it has been seen.
    fn grid(&self, value: usize) -> Option<Grid<'_>> {
        let range = match &self.kinds[value] {
            Kind::Exact => return None,
            Kind::Weights(weights) => return Some(Grid::Weights(weights)),
            Kind::Own => self.ranges[value]?,
            Kind::Of(origin) => self.ranges[*origin]?,
        };
        let quantization = activation_parameters(range)?;
        let scale = *quantization.scales().first()?;
        let zero_point = quantization.zero_point();
        Some(Grid::Activation(Steps {
            scale,
            least: (i32::from(i8::MIN) - zero_point) as f32,
            greatest: (i32::from(i8::MAX) - zero_point) as f32,
        }))
    }
}

/// Where numbers are rounded to.
enum Grid<'a> {
    Weights(&'a Weights),
    Activation(Steps),
}

/// Multiples of `scale`, from `least` to `greatest` of them.
struct Steps {
    scale: f32,
    least: f32,
    greatest: f32,
}

impl Steps {
    /// What rounds a tensor of this shape.
    const fn kernel(&self, shape: [usize; 2]) -> Round {
        Round {
            scale: self.scale,
            least: self.least,
            greatest: self.greatest,
            shape,
        }
    }

    /// The same out of Burn's operators: between the ends the gradient passes.
    fn composed(&self, tensor: Tensor<2>) -> Tensor<2> {
        let dims = tensor.dims();
        let [least, greatest] = [self.least, self.greatest].map(|end| end * self.scale);
        let change: Vec<f32> = with_numbers(tensor.clone().inner(), |numbers| {
            let rounded = self.kernel(dims).rounded(numbers).into_iter();
            let clamped = numbers.iter().map(|number| number.clamp(least, greatest));
            rounded.zip(clamped).map(|(new, old)| new - old).collect()
        });
        let change = Tensor::from_data(TensorData::new(change, dims), &tensor.device());
        tensor.clamp(least, greatest) + change
    }
}

impl Weights {
    /// The real numbers that the integers of these weights stand for.
    fn round(&self, numbers: &[f32]) -> Vec<f32> {
        let rounding = match self.bits {
            WeightBits::Ternary => return self.ternary(numbers),
            WeightBits::Int8 => self.rounding(Clipping::MinMax),
            WeightBits::Int4 => self.rounding(Clipping::Octav),
        };
        let scales = rounding.scales(numbers, &self.shape, self.axis);
        let integers = rounding.round(numbers, &self.shape, self.axis, &scales);
        let real = integers.iter().enumerate().map(|(position, integer)| {
            let scale = scales[self.channel(position) % scales.len()];
            (f64::from(scale) * f64::from(*integer)) as f32
        });
        real.collect()
    }

    /// How the quantizer rounds them, with this clipping.
    const fn rounding(&self, clip: Clipping) -> WeightRounding {
        WeightRounding {
            weights: match self.bits {
                WeightBits::Int8 => WeightType::Int8,
                WeightBits::Int4 => WeightType::Int4,
                WeightBits::Ternary => WeightType::Int2,
            },
            clip,
            per: self.per,
        }
    }

    /// The weights beyond 0.7 of the mean magnitude become the mean magnitude of those, the others 0.
    fn ternary(&self, numbers: &[f32]) -> Vec<f32> {
        let channels = match self.per {
            Granularity::Tensor => 1,
            Granularity::Channel => self.shape[self.axis],
        };
        let of = |position: usize| self.channel(position) % channels;
        // Sums and counts, first of all weights, then of those beyond the threshold.
        let mean = |beyond: &[f64]| -> Vec<f64> {
            let mut sums = vec![(0.0, 0.0); channels];
            for (position, number) in numbers.iter().enumerate() {
                let (channel, magnitude) = (of(position), f64::from(number.abs()));
                if magnitude > beyond[channel] {
                    sums[channel].0 += magnitude;
                    sums[channel].1 += 1.0;
                }
            }
            let mean = |(sum, count): (f64, f64)| if count > 0.0 { sum / count } else { 0.0 };
            sums.into_iter().map(mean).collect()
        };
        let thresholds: Vec<f64> = mean(&vec![-1.0; channels])
            .iter()
            .map(|mean| 0.7 * mean)
            .collect();
        let scales = mean(&thresholds);
        let rounded = numbers.iter().enumerate().map(|(position, number)| {
            let channel = of(position);
            if f64::from(number.abs()) > thresholds[channel] {
                (scales[channel] as f32).copysign(*number)
            } else {
                0.0
            }
        });
        rounded.collect()
    }

    fn channel(&self, position: usize) -> usize {
        let inner: usize = self.shape[self.axis + 1..].iter().product();
        position / inner.max(1) % self.shape[self.axis]
    }
}

/// With which the trained graph is quantized to what was trained.
pub(crate) fn recipe(bits: WeightBits, compression: &Compression) -> Recipe {
    let per = |rule: Rule| Rule {
        per: Some(compression.scale_per()),
        // The weights are on their grid already, which clipping would leave.
        clip: Some(Clipping::MinMax),
        ..rule
    };
    let int8 = ActivationType::Int8;
    let mut rules = vec![per(Rule::op("*").types(WeightType::Int8, int8))];
    let narrow = match bits {
        WeightBits::Int8 => None,
        WeightBits::Int4 => Some(WeightType::Int4),
        WeightBits::Ternary => Some(WeightType::Int2),
    };
    if narrow.is_some() {
        rules.push(per(Rule {
            weights: narrow,
            min_elements: Some(FEWEST_WEIGHTS),
            ..Rule::op("*")
        }));
    }
    Recipe {
        rules,
        ..Recipe::default()
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Tensor, TensorData};

    use super::{Steps, WeightBits, Weights};
    use crate::network::numbers;
    use crate::{Backend, kernels};
    use ember_compress::scheme::Granularity;

    fn weights(bits: WeightBits, shape: &[usize], per: Granularity) -> Weights {
        Weights {
            shape: shape.to_vec(),
            axis: 0,
            bits,
            per,
        }
    }

    #[test]
    fn int8_weights_have_a_scale_for_each_channel() {
        let rounded = weights(WeightBits::Int8, &[2, 2], Granularity::Channel)
            .round(&[1.27, 0.004, -12.7, 0.04]);
        let expected = [1.27, 0.0, -12.7, 0.0];
        for (rounded, expected) in rounded.into_iter().zip(expected) {
            assert!((rounded - expected).abs() < 1e-6, "{rounded} {expected}");
        }
    }

    #[test]
    fn ternary_weights_are_their_mean_or_zero() {
        let rounded = weights(WeightBits::Ternary, &[1, 4], Granularity::Channel)
            .round(&[1.0, -2.0, 0.5, 0.1]);
        // The mean magnitude is 0.9; beyond 0.63 are 1 and 2.
        assert_eq!(rounded, [1.5, -1.5, 0.0, 0.0]);
    }

    #[test]
    fn activations_round_halves_away_from_0_and_pass_the_gradient_within() {
        let steps = Steps {
            scale: 0.5,
            least: -3.0,
            greatest: 4.0,
        };
        let device = Backend::Flex.device().autodiff();
        let inputs = vec![0.25, -0.25, 0.24, 0.76, -0.3, 9.0, -9.0, 2.0, -1.5, -1.6];
        let rounded = [0.5, -0.5, 0.0, 1.0, -0.5, 2.0, -1.5, 2.0, -1.5, -1.5];
        let passes = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0];
        for composed in [false, true] {
            let data = TensorData::new(inputs.clone(), [2, 5]);
            let tensor = Tensor::<2>::from_data(data, &device).require_grad();
            let result = if composed {
                steps.composed(tensor.clone())
            } else {
                kernels::apply(steps.kernel([2, 5]), [&tensor]).unwrap()
            };
            let gradients = result.clone().sum().backward();
            assert_eq!(numbers(result), rounded);
            assert_eq!(numbers(tensor.grad(&gradients).unwrap()), passes);
        }
    }

    #[test]
    fn rounding_twice_changes_nothing() {
        let numbers: Vec<f32> = (0..64)
            .map(|i| ((i * 37 % 64) as f32 - 31.5) / 17.0)
            .collect();
        for bits in [WeightBits::Int8, WeightBits::Ternary] {
            for per in [Granularity::Tensor, Granularity::Channel] {
                let weights = weights(bits, &[4, 16], per);
                let once = weights.round(&numbers);
                for (once, twice) in once.iter().zip(weights.round(&once)) {
                    assert!((once - twice).abs() <= 1e-6 * once.abs(), "{once} {twice}");
                }
            }
        }
    }
}
