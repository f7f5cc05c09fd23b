//! How much of a distribution integers are to cover: what lies outside is clipped, what lies inside gets finer steps.
//!
//! | name | the range |
//! |---|---|
//! | `min-max` | everything that was seen |
//! | `percentile:P` | P percent of the magnitudes, or of each tail of activations |
//! | `mse` | where the mean square error of rounding and clipping is least, searched in steps of 1 % of the range |
//! | `octav` | where its derivative is 0, by the recursion of Sakr et al., "Optimal Clipping and Magnitude-aware Differentiation for Improved Quantization-aware Training" (2022), equation 2 |

use std::fmt;
use std::str::FromStr;

use crate::CompressError;

/// How much of a distribution integers are to cover.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Clipping {
    /// Everything.
    #[default]
    MinMax,
    /// So many percent, above 50 and at most 100.
    Percentile(f64),
    /// Where the mean square error is least.
    Mse,
    /// Where the recursion of OCTAV comes to rest.
    Octav,
}

impl FromStr for Clipping {
    type Err = CompressError;

    fn from_str(text: &str) -> Result<Self, CompressError> {
        let percent = text.strip_prefix("percentile:").map(str::parse::<f64>);
        match (text, percent) {
            ("min-max", _) => Ok(Self::MinMax),
            ("mse", _) => Ok(Self::Mse),
            ("octav", _) => Ok(Self::Octav),
            (_, Some(Ok(percent))) if percent > 50.0 && percent <= 100.0 => {
                Ok(Self::Percentile(percent))
            }
            _ => Err(CompressError::Clipping {
                found: text.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Clipping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MinMax => f.write_str("min-max"),
            Self::Percentile(percent) => write!(f, "percentile:{percent}"),
            Self::Mse => f.write_str("mse"),
            Self::Octav => f.write_str("octav"),
        }
    }
}

/// The magnitude up to which weights are kept that become integers in `-limit..=limit`: at most their greatest.
#[must_use]
pub fn magnitude(weights: &[f32], limit: i8, clipping: Clipping) -> f32 {
    let greatest = weights
        .iter()
        .fold(0.0_f32, |most, weight| most.max(weight.abs()));
    if greatest == 0.0 {
        return 0.0;
    }
    match clipping {
        Clipping::MinMax => greatest,
        Clipping::Percentile(percent) => {
            let mut magnitudes: Vec<f32> = weights.iter().map(|weight| weight.abs()).collect();
            magnitudes.sort_by(f32::total_cmp);
            let rank = (percent / 100.0 * magnitudes.len() as f64).ceil() as usize;
            let kept = magnitudes[rank.clamp(1, magnitudes.len()) - 1];
            // Nearly all are 0: what little there is must not be lost.
            if kept > 0.0 { kept } else { greatest }
        }
        Clipping::Mse => {
            let error = |clip: f32| -> f64 {
                let scale = f64::from(clip) / f64::from(limit);
                let of = |weight: &f32| {
                    let weight = f64::from(*weight);
                    let limit = f64::from(limit);
                    let rounded = (weight / scale).round().clamp(-limit, limit) * scale;
                    (weight - rounded) * (weight - rounded)
                };
                weights.iter().map(of).sum()
            };
            let parts = (20..100).rev();
            let candidates = parts.map(|percent| greatest * percent as f32 / 100.0);
            let candidates = std::iter::once(greatest).chain(candidates);
            least(candidates, error).unwrap_or(greatest)
        }
        Clipping::Octav => {
            let sums = |clip: f64| {
                let start = (0.0, 0.0, 0.0);
                weights
                    .iter()
                    .fold(start, |(outside, count, inside), weight| {
                        let magnitude = f64::from(weight.abs());
                        if magnitude > clip {
                            (outside + magnitude, count + 1.0, inside)
                        } else {
                            let inside = inside + f64::from(u8::from(magnitude > 0.0));
                            (outside, count, inside)
                        }
                    })
            };
            octav(f64::from(greatest), f64::from(limit), sums) as f32
        }
    }
}

/// The candidate of least error; of equals the first.
pub(crate) fn least<T: Copy>(
    candidates: impl Iterator<Item = T>,
    error: impl Fn(T) -> f64,
) -> Option<T> {
    let scored = candidates.map(|candidate| (error(candidate), candidate));
    let best = scored.reduce(|best, next| if next.0 < best.0 { next } else { best });
    best.map(|(_, candidate)| candidate)
}

/// OCTAV's recursion from the greatest magnitude on, for `steps` steps from 0 to the clip: `sums` gives the sum and the
/// count of the magnitudes above a clip, and the count of those up to it that are not 0.
///
/// A step is `clip / steps` wide, so that a number inside costs `clip² / (12 steps²)`, the paper's `clip² 4⁻ᴮ / 3`.
pub(crate) fn octav(greatest: f64, steps: f64, sums: impl Fn(f64) -> (f64, f64, f64)) -> f64 {
    const ROUNDS: usize = 100;
    let per_number = 1.0 / (12.0 * steps * steps);
    // From the mean magnitude upwards: from the greatest on there would be nothing outside.
    let (total, count, _) = sums(0.0);
    let mut clip = total / count.max(1.0);
    for _ in 0..ROUNDS {
        let (outside, count, inside) = sums(clip);
        let next = outside / (per_number * inside + count);
        if !(next.is_finite() && next > 0.0) || (next - clip).abs() <= 1e-7 * clip {
            break;
        }
        clip = next;
    }
    clip.min(greatest)
}
