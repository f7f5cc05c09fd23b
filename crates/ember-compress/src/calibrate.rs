//! Calibration: the range that every activation takes over a representative dataset, or the part of it that is worth its
//! integers.

mod histogram;

use ember_data::Split;
use ember_graph::eval::evaluate_observed;
use ember_graph::{Graph, ValueId};

use crate::{Clipping, CompressError};
use histogram::Histogram;

/// Images that are enough for the ranges of a small model.
pub const DEFAULT_IMAGES: usize = 200;

/// The seed with which they are drawn.
pub const DEFAULT_SEED: u64 = 0;

/// Images evaluated at once.
const BATCH: usize = 50;

/// The least and the greatest number that a value took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The least.
    pub min: f32,
    /// The greatest.
    pub max: f32,
}

impl Range {
    fn hull(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

/// The ranges of the inputs and results of one graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    ranges: Vec<Option<Range>>,
    samples: usize,
}

impl Calibration {
    /// The range of a value; `None` for constants and for values of another graph.
    #[must_use]
    pub fn range(&self, id: ValueId) -> Option<Range> {
        self.ranges.get(id.index()).copied().flatten()
    }

    /// How many samples it saw.
    #[must_use]
    pub const fn samples(&self) -> usize {
        self.samples
    }

    /// The ranges with the names of their values in `graph`, in its order: what is to be stored.
    pub fn named<'a>(&'a self, graph: &'a Graph) -> impl Iterator<Item = (&'a str, Range)> {
        let names = graph.values.iter().map(|value| value.name.as_str());
        let named = names.zip(&self.ranges);
        named.filter_map(|(name, range)| Some((name, (*range)?)))
    }

    /// The calibration of `graph` from ranges that were stored, as [`Calibration::named`] gave them.
    ///
    /// # Errors
    /// When a range is not of a value of `graph`, or is none: not finite, or with the ends swapped.
    pub fn from_named<'a>(
        graph: &Graph,
        samples: usize,
        named: impl IntoIterator<Item = (&'a str, Range)>,
    ) -> Result<Self, CompressError> {
        let mut ranges = vec![None; graph.values.len()];
        for (name, range) in named {
            let id = graph
                .find(name)
                .ok_or_else(|| CompressError::StrangeRange {
                    value: name.to_owned(),
                })?;
            if !(range.min.is_finite() && range.max.is_finite() && range.min <= range.max) {
                return Err(CompressError::Unrepresentable {
                    value: name.to_owned(),
                    min: range.min,
                    max: range.max,
                });
            }
            ranges[id.index()] = Some(range);
        }
        Ok(Self { ranges, samples })
    }
}

/// Collects ranges, sample by sample.
#[derive(Clone, Debug)]
pub struct Calibrator<'g> {
    graph: &'g Graph,
    calibration: Calibration,
    clipping: Clipping,
    /// One per value, where the clipping needs them.
    histograms: Vec<Histogram>,
    /// The inputs of the first sample, and whether another one was unlike it.
    first: Vec<Vec<f32>>,
    varied: bool,
}

impl<'g> Calibrator<'g> {
    /// For this graph, without a sample yet; the ranges are what is seen.
    #[must_use]
    pub fn new(graph: &'g Graph) -> Self {
        Self::clipping(graph, Clipping::MinMax)
    }

    /// For this graph, without a sample yet; the ranges are what `clipping` leaves of what is seen, for integers of 8 bits.
    #[must_use]
    pub fn clipping(graph: &'g Graph, clipping: Clipping) -> Self {
        let count = if clipping == Clipping::MinMax {
            0
        } else {
            graph.values.len()
        };
        Self {
            graph,
            clipping,
            histograms: vec![Histogram::new(); count],
            first: Vec::new(),
            varied: false,
            calibration: Calibration {
                ranges: vec![None; graph.values.len()],
                samples: 0,
            },
        }
    }

    /// Runs the graph on `batch` samples: for each input, in order, `batch` times its elements.
    ///
    /// # Errors
    /// When an input has another length. When a value becomes infinite or NaN, with the value and the sample; this
    /// batch does not count then.
    pub fn observe(&mut self, batch: usize, inputs: &[&[f32]]) -> Result<(), CompressError> {
        let mut ranges = self.calibration.ranges.clone();
        let mut histograms = self.histograms.clone();
        let mut fault = None;
        evaluate_observed(self.graph, batch, inputs, |id, numbers| {
            match range_of(numbers) {
                Ok(Some(range)) => {
                    if let Some(histogram) = histograms.get_mut(id.index()) {
                        histogram.add(numbers);
                    }
                    let slot = &mut ranges[id.index()];
                    *slot = Some(slot.map_or(range, |known| known.hull(range)));
                }
                Ok(None) => {}
                // The first value that is out of range; what it does to later ones says nothing.
                Err(position) => {
                    let per_sample = (numbers.len() / batch.max(1)).max(1);
                    fault.get_or_insert((id, position / per_sample, numbers[position]));
                }
            }
        })?;
        if let Some((id, sample, number)) = fault {
            return Err(CompressError::NotFinite {
                value: self.graph.values[id.index()].name.clone(),
                sample: self.calibration.samples + sample,
                number,
            });
        }
        self.calibration.ranges = ranges;
        self.histograms = histograms;
        self.compare(batch, inputs);
        self.calibration.samples += batch;
        Ok(())
    }

    /// Notes whether the samples differ.
    fn compare(&mut self, batch: usize, inputs: &[&[f32]]) {
        for (input, numbers) in inputs.iter().enumerate() {
            for sample in numbers.chunks(numbers.len() / batch.max(1)) {
                match self.first.get(input) {
                    None => self.first.push(sample.to_vec()),
                    Some(first) => self.varied |= first != sample,
                }
            }
        }
    }

    /// The ranges over all samples.
    ///
    /// # Errors
    /// When there was no sample, or several that are all the same, or an input was one number all the time.
    pub fn finish(self) -> Result<Calibration, CompressError> {
        let mut calibration = self.calibration;
        if calibration.samples == 0 {
            return Err(CompressError::NoSamples);
        }
        for id in &self.graph.inputs {
            let constant = match calibration.range(*id) {
                Some(range) => range.min == range.max,
                None => false,
            };
            if constant || (calibration.samples > 1 && !self.varied) {
                return Err(CompressError::ConstantSamples {
                    input: self.graph.values[id.index()].name.clone(),
                    samples: calibration.samples,
                });
            }
        }
        for (range, histogram) in calibration.ranges.iter_mut().zip(&self.histograms) {
            *range = range.map(|seen| histogram.range(seen, self.clipping));
        }
        Ok(calibration)
    }
}

/// Least and greatest of finite numbers; the position of the first that is not finite.
fn range_of(numbers: &[f32]) -> Result<Option<Range>, usize> {
    match numbers.iter().position(|number| !number.is_finite()) {
        Some(position) => Err(position),
        None => Ok(numbers
            .iter()
            .map(|number| Range {
                min: *number,
                max: *number,
            })
            .reduce(Range::hull)),
    }
}

/// Calibrates a model of one image input `[1,H,W,1]` or `[1,H*W]` on `count` images that are drawn from `images` with
/// `seed`, all of them where there are fewer. Pixels 0..=255 become 0..=1, as in training.
///
/// # Errors
/// When the dataset is empty or its images do not fit the input; what [`Calibrator::observe`] says.
pub fn calibrate(
    graph: &Graph,
    images: &Split,
    count: usize,
    seed: u64,
) -> Result<Calibration, CompressError> {
    calibrate_clipping(graph, images, count, seed, Clipping::MinMax)
}

/// [`calibrate`] to the ranges that `clipping` leaves.
///
/// # Errors
/// As [`calibrate`].
pub fn calibrate_clipping(
    graph: &Graph,
    images: &Split,
    count: usize,
    seed: u64,
    clipping: Clipping,
) -> Result<Calibration, CompressError> {
    let mut calibrator = Calibrator::clipping(graph, clipping);
    for_each_batch(graph, images, count, seed, |batch, numbers| {
        calibrator.observe(batch, &[numbers])
    })?;
    calibrator.finish()
}

/// Draws images as [`calibrate`] does and gives them to `take` in batches: how many, and their numbers.
///
/// # Errors
/// When the images do not fit the graph's input; what `take` says.
pub fn for_each_batch(
    graph: &Graph,
    images: &Split,
    count: usize,
    seed: u64,
    mut take: impl FnMut(usize, &[f32]) -> Result<(), CompressError>,
) -> Result<(), CompressError> {
    let [input] = graph.inputs[..] else {
        return Err(CompressError::Inputs {
            graph: graph.name.clone(),
            inputs: graph.inputs.len(),
        });
    };
    let input = &graph.values[input.index()];
    let fits = match input.shape[..] {
        [1, height, width, 1] => height == images.rows() && width == images.cols(),
        [1, features] => features == images.image_bytes(),
        _ => false,
    };
    if !fits {
        return Err(CompressError::ImageShape {
            input: input.name.clone(),
            shape: input.shape.clone(),
            rows: images.rows(),
            cols: images.cols(),
        });
    }
    let representative = images.sample(count, seed);
    for pixels in representative.images().chunks(BATCH * images.image_bytes()) {
        let numbers: Vec<f32> = pixels
            .iter()
            .map(|pixel| f32::from(*pixel) / 255.0)
            .collect();
        take(pixels.len() / images.image_bytes(), &numbers)?;
    }
    Ok(())
}
