//! Numbers that the file holds, with the integers that they were made of where the file quantizes them.

use crate::layout;

/// A tensor whose numbers are known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Constant {
    /// Extents, in the file's order.
    pub(crate) shape: Vec<usize>,
    /// Row-major.
    pub(crate) numbers: Numbers,
}

/// The numbers of a [`Constant`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Numbers {
    /// Real numbers.
    Real(Vec<f32>),
    /// Integers as they are stored, and of which type.
    Integer(Integer, Vec<i64>),
    /// What a `DequantizeLinear` makes of integers.
    Dequantized(Integers),
}

/// The types of stored integers that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Integer {
    /// INT8.
    Int8,
    /// UINT8.
    Uint8,
    /// INT32.
    Int32,
    /// INT64.
    Int64,
    /// BOOL.
    Bool,
}

/// Integers that stand for `scale * integer`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Integers {
    /// Row-major, the zero point taken away.
    pub(crate) integers: Vec<i64>,
    /// Whether they came as INT32, as biases do.
    pub(crate) wide: bool,
    /// What the zero point was, of a tensor with one scale; 0 with several.
    pub(crate) zero_point: i32,
    /// One, or one for each index of `axis`.
    pub(crate) scales: Vec<f32>,
    /// The dimension that the scales go along.
    pub(crate) axis: usize,
}

impl Constant {
    /// The real numbers; nothing of integers that stand for themselves.
    pub(crate) fn reals(&self) -> Option<Vec<f32>> {
        match &self.numbers {
            Numbers::Real(numbers) => Some(numbers.clone()),
            Numbers::Integer(..) => None,
            Numbers::Dequantized(quantized) => Some(quantized.reals(&self.shape)),
        }
    }

    /// The integers that stand for themselves.
    pub(crate) fn integers(&self) -> Option<&[i64]> {
        match &self.numbers {
            Numbers::Integer(_, numbers) => Some(numbers),
            Numbers::Real(_) | Numbers::Dequantized(_) => None,
        }
    }

    /// What the numbers are made of, where the file quantizes them.
    pub(crate) fn quantized(&self) -> Option<&Integers> {
        match &self.numbers {
            Numbers::Dequantized(quantized) => Some(quantized),
            Numbers::Real(_) | Numbers::Integer(..) => None,
        }
    }

    /// The same numbers with the dimensions in another order: dimension `i` of the result is dimension `order[i]`.
    /// `order` is a permutation of the dimensions.
    pub(crate) fn permuted(&self, order: &[usize]) -> Self {
        let positions = layout::positions(&self.shape, order);
        let numbers = match &self.numbers {
            Numbers::Real(numbers) => Numbers::Real(taken(numbers, &positions)),
            Numbers::Integer(kind, numbers) => Numbers::Integer(*kind, taken(numbers, &positions)),
            Numbers::Dequantized(quantized) => Numbers::Dequantized(Integers {
                integers: taken(&quantized.integers, &positions),
                axis: order
                    .iter()
                    .position(|from| *from == quantized.axis)
                    .unwrap_or(quantized.axis),
                ..quantized.clone()
            }),
        };
        Self {
            shape: order.iter().map(|from| self.shape[*from]).collect(),
            numbers,
        }
    }

    /// The numbers cut along the first dimension into so many parts of one length; nothing where that would tear scales apart.
    pub(crate) fn rows(&self, parts: usize) -> Option<Vec<Self>> {
        let (first, rest) = self.shape.split_first()?;
        let rows = first / parts.max(1);
        let length = rows * rest.iter().product::<usize>();
        let mut shape = self.shape.clone();
        shape[0] = rows;
        let cut = |part: usize| {
            let range = part * length..(part + 1) * length;
            let numbers = match &self.numbers {
                Numbers::Real(numbers) => Numbers::Real(numbers.get(range)?.to_vec()),
                Numbers::Integer(kind, numbers) => {
                    Numbers::Integer(*kind, numbers.get(range)?.to_vec())
                }
                Numbers::Dequantized(quantized) => {
                    let scales = match (quantized.scales.len(), quantized.axis) {
                        (1, _) => quantized.scales.clone(),
                        (_, 0) => quantized
                            .scales
                            .get(part * rows..(part + 1) * rows)?
                            .to_vec(),
                        _ => return None,
                    };
                    Numbers::Dequantized(Integers {
                        integers: quantized.integers.get(range)?.to_vec(),
                        scales,
                        ..quantized.clone()
                    })
                }
            };
            let shape = shape.clone();
            Some(Self { shape, numbers })
        };
        (0..parts).map(cut).collect()
    }

    /// The same numbers in another shape of as many elements; nothing where that would tear a quantized dimension apart.
    pub(crate) fn reshaped(&self, shape: &[usize]) -> Option<Self> {
        if let Numbers::Dequantized(Integers { axis, scales, .. }) = &self.numbers
            && scales.len() > 1
            && shape.get(..=*axis) != self.shape.get(..=*axis)
        {
            return None;
        }
        Some(Self {
            shape: shape.to_vec(),
            numbers: self.numbers.clone(),
        })
    }
}

impl Integers {
    /// `scale * integer` of each, the product rounded to f32 once, as `DequantizeLinear` defines.
    fn reals(&self, shape: &[usize]) -> Vec<f32> {
        let inner: usize = shape.iter().skip(self.axis + 1).product();
        let reals = self.integers.iter().enumerate().map(|(position, integer)| {
            let channel = position / inner.max(1) % self.scales.len();
            (f64::from(self.scales[channel]) * *integer as f64) as f32
        });
        reals.collect()
    }
}

fn taken<T: Copy>(numbers: &[T], positions: &[usize]) -> Vec<T> {
    positions
        .iter()
        .map(|position| numbers[*position])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Constant, Integers, Numbers};

    fn quantized(shape: &[usize], axis: usize, scales: &[f32]) -> Constant {
        let count: usize = shape.iter().product();
        Constant {
            shape: shape.to_vec(),
            numbers: Numbers::Dequantized(Integers {
                integers: (0..count as i64).collect(),
                wide: false,
                zero_point: 0,
                scales: scales.to_vec(),
                axis,
            }),
        }
    }

    #[test]
    fn a_permutation_takes_the_scales_along() {
        let before = quantized(&[2, 3], 0, &[1.0, 10.0]);
        assert_eq!(before.reals().unwrap(), [0.0, 1.0, 2.0, 30.0, 40.0, 50.0]);
        let after = before.permuted(&[1, 0]);
        assert_eq!(after.shape, [3, 2]);
        assert_eq!(after.reals().unwrap(), [0.0, 30.0, 1.0, 40.0, 2.0, 50.0]);
        assert_eq!(after.quantized().unwrap().axis, 1);
    }

    #[test]
    fn a_reshape_keeps_the_quantized_dimension_or_is_none() {
        let constant = quantized(&[2, 6], 0, &[1.0, 10.0]);
        let reshaped = constant.reshaped(&[2, 3, 2]).unwrap();
        assert_eq!(reshaped.reals(), constant.reals());
        assert!(constant.reshaped(&[4, 3]).is_none());
    }
}
