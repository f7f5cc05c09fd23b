//! Operators on activations alone: functions of each element, reductions, products of two activations, and what moves
//! elements.

use crate::shape::{ShapeError, positive};

/// An operator without weights. Inputs are listed in the order of the `.tflite` operator of the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum Weightless {
    /// Input: anything. A function of each element.
    Unary(Unary),
    /// Inputs: two tensors of one rank; where one has an extent of 1, it is repeated.
    Binary(Binary),
    /// Input: anything. The logarithm of softmax, over the last dimension.
    LogSoftmax,
    /// Inputs: `[N,..,R,D]` and `[N,..,D,C]`; the product is `[N,..,R,C]`.
    BatchMatmul {
        /// Whether the second one is `[N,..,C,D]` instead.
        turned: bool,
    },
    /// Input: anything. What is reduced stays as an extent of 1.
    Reduce {
        /// What becomes of the elements.
        function: Reduction,
        /// The dimensions, ascending; not the batch.
        axes: Vec<usize>,
    },
    /// Input: image `[N,H,W,C]`.
    Resize {
        /// How pixels come about.
        method: Resizing,
        /// Height and width of the result.
        size: [usize; 2],
        /// Whether the first and last pixels keep their places.
        align_corners: bool,
        /// Whether a pixel lies in the middle of its square.
        half_pixel_centers: bool,
    },
    /// Input: anything. Dimension `i` of the result is dimension `order[i]` of the input.
    Transpose {
        /// A permutation that leaves the batch first.
        order: Vec<usize>,
    },
    /// Input: anything. Every `step`-th element from `begin` on and before `end`, along each dimension; the batch whole.
    Slice {
        /// The first element.
        begin: Vec<usize>,
        /// Behind the last element.
        end: Vec<usize>,
        /// From one element to the next, at least 1.
        step: Vec<usize>,
    },
    /// Inputs: 1 to [`MOST_OPERANDS`](Self::MOST_OPERANDS) tensors with the same extents but along `axis`.
    Concatenation {
        /// The dimension along which they follow each other; not the batch.
        axis: usize,
    },
}

/// A function of one element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary {
    /// `|x|`.
    Abs,
    /// The least whole number that is not less.
    Ceil,
    /// The cosine.
    Cos,
    /// `x`, below 0 `exp(x) - 1`.
    Elu,
    /// `exp(x)`.
    Exp,
    /// The greatest whole number that is not greater.
    Floor,
    /// `x * clamp(x + 3, 0, 6) / 6`.
    HardSwish,
    /// `x`, below 0 `slope * x`.
    LeakyRelu {
        /// The factor below 0.
        slope: f32,
    },
    /// The natural logarithm.
    Log,
    /// `1 / (1 + exp(-x))`.
    Logistic,
    /// `-x`.
    Neg,
    /// The nearest whole number, the even one of two.
    Round,
    /// `1 / sqrt(x)`.
    Rsqrt,
    /// The sine.
    Sin,
    /// The square root.
    Sqrt,
    /// `x * x`.
    Square,
    /// The hyperbolic tangent.
    Tanh,
}

/// A function of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// The quotient.
    Div,
    /// The greater one.
    Maximum,
    /// The lesser one.
    Minimum,
    /// The product.
    Mul,
    /// The first one, times the second one where the first is below 0.
    Prelu,
    /// The square of the difference.
    SquaredDifference,
    /// The difference.
    Sub,
}

/// What becomes of the elements along some dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The greatest.
    Max,
    /// The mean.
    Mean,
    /// The least.
    Min,
    /// The sum.
    Sum,
}

/// How a resized image gets its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resizing {
    /// From the nearest one.
    Nearest,
    /// From the four around it, by their distance.
    Bilinear,
}

impl Unary {
    /// All of them, a leaky relu with the slope 0.
    pub const ALL: [Self; 17] = [
        Self::Abs,
        Self::Ceil,
        Self::Cos,
        Self::Elu,
        Self::Exp,
        Self::Floor,
        Self::HardSwish,
        Self::LeakyRelu { slope: 0.0 },
        Self::Log,
        Self::Logistic,
        Self::Neg,
        Self::Round,
        Self::Rsqrt,
        Self::Sin,
        Self::Sqrt,
        Self::Square,
        Self::Tanh,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Abs => "abs",
            Self::Ceil => "ceil",
            Self::Cos => "cos",
            Self::Elu => "elu",
            Self::Exp => "exp",
            Self::Floor => "floor",
            Self::HardSwish => "hard_swish",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Log => "log",
            Self::Logistic => "logistic",
            Self::Neg => "neg",
            Self::Round => "round",
            Self::Rsqrt => "rsqrt",
            Self::Sin => "sin",
            Self::Sqrt => "sqrt",
            Self::Square => "square",
            Self::Tanh => "tanh",
        }
    }
}

impl Binary {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Div,
        Self::Maximum,
        Self::Minimum,
        Self::Mul,
        Self::Prelu,
        Self::SquaredDifference,
        Self::Sub,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Div => "div",
            Self::Maximum => "maximum",
            Self::Minimum => "minimum",
            Self::Mul => "mul",
            Self::Prelu => "prelu",
            Self::SquaredDifference => "squared_difference",
            Self::Sub => "sub",
        }
    }
}

impl Reduction {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Max, Self::Mean, Self::Min, Self::Sum];

    const fn name(self) -> &'static str {
        match self {
            Self::Max => "reduce_max",
            Self::Mean => "mean",
            Self::Min => "reduce_min",
            Self::Sum => "sum",
        }
    }
}

impl Resizing {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Nearest, Self::Bilinear];

    const fn name(self) -> &'static str {
        match self {
            Self::Nearest => "resize_nearest_neighbor",
            Self::Bilinear => "resize_bilinear",
        }
    }
}

impl Weightless {
    /// A concatenation has no more operands.
    pub const MOST_OPERANDS: usize = 256;

    /// The operator's name in the text form: that of the `.tflite` operator in lower case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unary(function) => function.name(),
            Self::Binary(function) => function.name(),
            Self::LogSoftmax => "log_softmax",
            Self::BatchMatmul { .. } => "batch_matmul",
            Self::Reduce { function, .. } => function.name(),
            Self::Resize { method, .. } => method.name(),
            Self::Transpose { .. } => "transpose",
            Self::Slice { .. } => "strided_slice",
            Self::Concatenation { .. } => "concatenation",
        }
    }

    /// Operands at least and at most.
    #[must_use]
    pub const fn arity(&self) -> (usize, usize) {
        match self {
            Self::Binary(_) | Self::BatchMatmul { .. } => (2, 2),
            Self::Concatenation { .. } => (1, Self::MOST_OPERANDS),
            Self::Unary(_)
            | Self::LogSoftmax
            | Self::Reduce { .. }
            | Self::Resize { .. }
            | Self::Transpose { .. }
            | Self::Slice { .. } => (1, 1),
        }
    }

    /// The shape of the result; there are as many operands as the operator takes.
    pub(crate) fn shape(&self, operands: &[&[usize]]) -> Result<Vec<usize>, ShapeError> {
        let input = operands[0];
        let misfit = |problem: String| Err(ShapeError::Attribute { problem });
        match self {
            Self::Unary(Unary::LeakyRelu { slope }) if !slope.is_finite() => {
                misfit(format!("the slope is {slope}, and must be finite"))
            }
            Self::Unary(_) => Ok(input.to_vec()),
            Self::LogSoftmax if input.len() < 2 => Err(ShapeError::Rank {
                operand: "input",
                expected: 2,
                layout: "batch, classes",
                got: input.to_vec(),
            }),
            Self::LogSoftmax => Ok(input.to_vec()),
            Self::Binary(Binary::Prelu) => {
                let result = broadcast(input, operands[1])?;
                if result == input {
                    Ok(result)
                } else {
                    misfit(format!(
                        "the slopes {:?} are more than the input {input:?}",
                        operands[1]
                    ))
                }
            }
            Self::Binary(_) => broadcast(input, operands[1]),
            Self::BatchMatmul { turned } => batch_matmul(input, operands[1], *turned),
            Self::Reduce { axes, .. } => {
                let ascending = axes.windows(2).all(|pair| pair[0] < pair[1]);
                let inside = axes.iter().all(|axis| (1..input.len()).contains(axis));
                if axes.is_empty() || !ascending || !inside {
                    return misfit(format!(
                        "the axes {axes:?} of {input:?} must ascend and leave the batch"
                    ));
                }
                let mut result = input.to_vec();
                for axis in axes {
                    result[*axis] = 1;
                }
                Ok(result)
            }
            Self::Resize {
                size,
                align_corners,
                half_pixel_centers,
                ..
            } => {
                positive("the size", *size)?;
                if *align_corners && *half_pixel_centers {
                    return misfit(
                        "corners cannot be aligned where pixels lie in the middle of their squares"
                            .to_owned(),
                    );
                }
                let [batch, _, _, channels] = crate::shape::image(input)?;
                Ok(vec![batch, size[0], size[1], channels])
            }
            Self::Transpose { order } => {
                let mut sorted = order.clone();
                sorted.sort_unstable();
                if !sorted.into_iter().eq(0..input.len()) || order.first() != Some(&0) {
                    return misfit(format!(
                        "the order {order:?} of {input:?} must name each dimension once, the batch first"
                    ));
                }
                Ok(order.iter().map(|from| input[*from]).collect())
            }
            Self::Slice { begin, end, step } => slice(input, begin, end, step),
            Self::Concatenation { axis } => concatenation(operands, *axis),
        }
    }
}

/// The shape of what two shapes of one rank become where extents of 1 are repeated.
pub(crate) fn broadcast(left: &[usize], right: &[usize]) -> Result<Vec<usize>, ShapeError> {
    let unequal = || ShapeError::Unequal {
        left: left.to_vec(),
        right: right.to_vec(),
    };
    // The batch is nobody's to repeat.
    if left.len() != right.len() || left.first() != right.first() {
        return Err(unequal());
    }
    let extents = left
        .iter()
        .zip(right)
        .map(|(left, right)| match (*left, *right) {
            (left, right) if left == right => Ok(left),
            (1, other) | (other, 1) => Ok(other),
            _ => Err(unequal()),
        });
    extents.collect()
}

fn batch_matmul(left: &[usize], right: &[usize], turned: bool) -> Result<Vec<usize>, ShapeError> {
    let rank = left.len();
    if !(3..=5).contains(&rank) || right.len() != rank {
        return Err(ShapeError::Attribute {
            problem: format!(
                "takes two operands of one rank from 3 to 5, got {left:?} and {right:?}"
            ),
        });
    }
    let (batches, matrix) = left.split_at(rank - 2);
    let (others, other) = right.split_at(rank - 2);
    let [depth, columns] = if turned {
        [other[1], other[0]]
    } else {
        [other[0], other[1]]
    };
    if matrix[1] != depth {
        return Err(ShapeError::Extent {
            what: "the rows of the second matrix",
            expected: matrix[1],
            got: depth,
        });
    }
    let mut result = broadcast(batches, others)?;
    result.extend([matrix[0], columns]);
    Ok(result)
}

fn slice(
    input: &[usize],
    begin: &[usize],
    end: &[usize],
    step: &[usize],
) -> Result<Vec<usize>, ShapeError> {
    let lengths = [begin.len(), end.len(), step.len()];
    let bounds = input.iter().zip(begin).zip(end).zip(step);
    let fits = bounds
        .enumerate()
        .all(|(axis, (((extent, begin), end), step))| {
            let whole = axis != 0 || (*begin, *end, *step) == (0, *extent, 1);
            begin < end && end <= extent && *step > 0 && whole
        });
    if lengths != [input.len(); 3] || !fits {
        return Err(ShapeError::Attribute {
            problem: format!(
                "cannot take {begin:?} to {end:?} in steps of {step:?} out of {input:?}: the batch stays whole, and there is at least one element"
            ),
        });
    }
    let extents = begin.iter().zip(end).zip(step);
    Ok(extents
        .map(|((begin, end), step)| (end - begin).div_ceil(*step))
        .collect())
}

fn concatenation(operands: &[&[usize]], axis: usize) -> Result<Vec<usize>, ShapeError> {
    let first = operands[0];
    if !(1..first.len()).contains(&axis) {
        return Err(ShapeError::Attribute {
            problem: format!("the axis {axis} of {first:?} must be a dimension behind the batch"),
        });
    }
    let mut result = first.to_vec();
    for other in &operands[1..] {
        let same = other.len() == first.len()
            && (0..first.len()).all(|at| at == axis || other[at] == first[at]);
        if !same {
            return Err(ShapeError::Unequal {
                left: first.to_vec(),
                right: other.to_vec(),
            });
        }
        result[axis] = result[axis].saturating_add(other[axis]);
    }
    Ok(result)
}
