//! The shape of what a node makes, from the shapes of its operands.

use ember_core::{Activation, Padding};

use crate::weightless::broadcast;
use crate::{Op, Window};

/// No value may have more elements: far above what a microcontroller can hold, and small enough that no text or file
/// can make this crate ask for more memory than a host has.
pub const MAX_ELEMENTS: usize = 1 << 26;

/// Why operands do not fit an operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// Too many or too few operands.
    #[error("takes {expected} operands and got {got}")]
    Arity {
        /// Operands that it takes.
        expected: usize,
        /// Operands given.
        got: usize,
    },
    /// An operand with another number of dimensions.
    #[error("the {operand} must have {expected} dimensions ({layout}), got the shape {got:?}")]
    Rank {
        /// The operand.
        operand: &'static str,
        /// Dimensions that it must have.
        expected: usize,
        /// What they mean.
        layout: &'static str,
        /// The shape given.
        got: Vec<usize>,
    },
    /// Two extents that must agree do not.
    #[error("{what} must be {expected}, got {got}")]
    Extent {
        /// Which extent.
        what: &'static str,
        /// What it must be.
        expected: usize,
        /// What it is.
        got: usize,
    },
    /// Two shapes that cannot be made one.
    #[error("both operands must have one shape, but for extents of 1, got {left:?} and {right:?}")]
    Unequal {
        /// The first operand's.
        left: Vec<usize>,
        /// The second operand's.
        right: Vec<usize>,
    },
    /// A stride, dilation or window extent of zero.
    #[error("{what} is {got:?}, and must be at least 1 in both directions")]
    Zero {
        /// Which attribute.
        what: &'static str,
        /// Its value.
        got: [usize; 2],
    },
    /// Pooling with holes.
    #[error("pooling has no dilation, got {got:?}")]
    DilatedPool {
        /// The dilation given.
        got: [usize; 2],
    },
    /// A window without padding that is larger than the image.
    #[error(
        "a window of {window} (dilation included) does not fit an extent of {extent} without padding"
    )]
    WindowTooLarge {
        /// The window's extent.
        window: usize,
        /// The image's extent.
        extent: usize,
    },
    /// A reshape that changes the number of elements.
    #[error("cannot reshape {from:?} to {to:?}: the number of elements differs")]
    Elements {
        /// The operand's shape.
        from: Vec<usize>,
        /// The shape asked for.
        to: Vec<usize>,
    },
    /// An activation that no integer operator can apply.
    #[error(
        "the activation {activation:?} cannot be fused: only None, Relu, ReluN1To1 and Relu6 clamp"
    )]
    Activation {
        /// The activation.
        activation: Activation,
    },
    /// A factor that makes no probability.
    #[error("beta is {0}, and must be positive and finite")]
    Beta(
        /// The factor, as text.
        String,
    ),
    /// A batch norm that could divide by 0.
    #[error("epsilon is {0}, and must be positive and finite")]
    Epsilon(
        /// The number, as text.
        String,
    ),
    /// An attribute that does not fit the operands.
    #[error("{problem}")]
    Attribute {
        /// What was found and what must be.
        problem: String,
    },
    /// A result with more elements than can be counted.
    #[error("the result would have the shape {got:?}, more than {MAX_ELEMENTS} elements")]
    TooLarge {
        /// The result's shape.
        got: Vec<usize>,
    },
}

/// Number of elements, when every extent is at least 1 and there are at most [`MAX_ELEMENTS`].
#[must_use]
pub fn elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, extent| {
        let product = product.checked_mul(*extent)?;
        (1..=MAX_ELEMENTS).contains(&product).then_some(product)
    })
}

/// The shape of the one result of `op` on operands of these shapes.
///
/// # Errors
/// When the number, the rank or the extents of the operands, or an attribute, do not fit the operator.
pub fn infer(op: &Op, operands: &[&[usize]]) -> Result<Vec<usize>, ShapeError> {
    let (least, most) = op.arity();
    if !(least..=most).contains(&operands.len()) {
        return Err(ShapeError::Arity {
            expected: if operands.len() < least { least } else { most },
            got: operands.len(),
        });
    }
    if let Some(activation) = op.activation()
        && activation.clamp().is_none()
    {
        return Err(ShapeError::Activation { activation });
    }
    let result = match op {
        Op::Conv2d { window, .. } => conv_2d(operands, window)?,
        Op::DepthwiseConv2d { window, .. } => depthwise_conv_2d(operands, window)?,
        Op::FullyConnected { .. } => fully_connected(operands)?,
        Op::MaxPool2d { size, window } | Op::AveragePool2d { size, window } => {
            pool(operands, *size, window)?
        }
        Op::Add { .. } => broadcast(operands[0], operands[1])?,
        Op::TransposeConv { size, window, .. } => transpose_conv(operands, *size, window)?,
        Op::Weightless(op) => op.shape(operands)?,
        Op::Reshape { shape } => reshape(operands[0], shape)?,
        Op::Relu | Op::Relu6 | Op::Quantize | Op::Dequantize => operands[0].to_vec(),
        Op::BatchNorm { epsilon } => batch_norm(operands, *epsilon)?,
        Op::Pad { before, after } => pad(operands[0], *before, *after)?,
        Op::Softmax { beta } => {
            if !(beta.is_finite() && *beta > 0.0) {
                return Err(ShapeError::Beta(beta.to_string()));
            }
            if operands[0].len() < 2 {
                return Err(ShapeError::Rank {
                    operand: "input",
                    expected: 2,
                    layout: "batch, classes",
                    got: operands[0].to_vec(),
                });
            }
            operands[0].to_vec()
        }
    };
    if elements(&result).is_none() {
        return Err(ShapeError::TooLarge { got: result });
    }
    Ok(result)
}

/// Positions of a window of `size` taps along one direction of `extent` elements.
///
/// # Errors
/// Without padding, when the dilated window is larger than the extent.
pub fn window_positions(
    extent: usize,
    size: usize,
    stride: usize,
    dilation: usize,
    padding: Padding,
) -> Result<usize, ShapeError> {
    let reach = size
        .saturating_sub(1)
        .saturating_mul(dilation)
        .saturating_add(1);
    match padding {
        Padding::Same => Ok(extent.div_ceil(stride.max(1))),
        Padding::Valid if reach > extent => Err(ShapeError::WindowTooLarge {
            window: reach,
            extent,
        }),
        Padding::Valid => Ok((extent - reach) / stride.max(1) + 1),
    }
}

const IMAGE: &str = "batch, height, width, channels";

fn dims<const N: usize>(
    operand: &'static str,
    layout: &'static str,
    shape: &[usize],
) -> Result<[usize; N], ShapeError> {
    shape.try_into().map_err(|_| ShapeError::Rank {
        operand,
        expected: N,
        layout,
        got: shape.to_vec(),
    })
}

fn expect(what: &'static str, expected: usize, got: usize) -> Result<(), ShapeError> {
    if expected == got {
        Ok(())
    } else {
        Err(ShapeError::Extent {
            what,
            expected,
            got,
        })
    }
}

/// Refuses an extent of 0.
pub(crate) fn positive(what: &'static str, got: [usize; 2]) -> Result<(), ShapeError> {
    if got.contains(&0) {
        return Err(ShapeError::Zero { what, got });
    }
    Ok(())
}

/// The extents of an image.
pub(crate) fn image(shape: &[usize]) -> Result<[usize; 4], ShapeError> {
    dims("input", IMAGE, shape)
}

fn positions(
    image: [usize; 2],
    size: [usize; 2],
    window: &Window,
) -> Result<[usize; 2], ShapeError> {
    positive("the stride", window.stride)?;
    positive("the dilation", window.dilation)?;
    positive("the window", size)?;
    let along = |axis: usize| {
        window_positions(
            image[axis],
            size[axis],
            window.stride[axis],
            window.dilation[axis],
            window.padding,
        )
    };
    Ok([along(0)?, along(1)?])
}

fn conv_2d(operands: &[&[usize]], window: &Window) -> Result<Vec<usize>, ShapeError> {
    let [batch, height, width, channels] = dims("input", IMAGE, operands[0])?;
    let [filters, filter_height, filter_width, depth] =
        dims("filter", "filters, height, width, channels", operands[1])?;
    let [bias] = dims("bias", "filters", operands[2])?;
    expect("the filter's channels", channels, depth)?;
    expect("the bias's length", filters, bias)?;
    let [rows, columns] = positions([height, width], [filter_height, filter_width], window)?;
    Ok(vec![batch, rows, columns, filters])
}

fn depthwise_conv_2d(operands: &[&[usize]], window: &Window) -> Result<Vec<usize>, ShapeError> {
    let [batch, height, width, channels] = dims("input", IMAGE, operands[0])?;
    let [one, filter_height, filter_width, filters] = dims(
        "filter",
        "1, height, width, channels times multiplier",
        operands[1],
    )?;
    let [bias] = dims("bias", "channels times multiplier", operands[2])?;
    expect("the filter's first dimension", 1, one)?;
    expect("the bias's length", filters, bias)?;
    if filters % channels.max(1) != 0 {
        return Err(ShapeError::Extent {
            what: "the filter's last dimension, a multiple of the input's channels,",
            expected: filters.div_ceil(channels.max(1)) * channels,
            got: filters,
        });
    }
    let [rows, columns] = positions([height, width], [filter_height, filter_width], window)?;
    Ok(vec![batch, rows, columns, filters])
}

fn transpose_conv(
    operands: &[&[usize]],
    size: [usize; 2],
    window: &Window,
) -> Result<Vec<usize>, ShapeError> {
    let [batch, height, width, channels] = dims("input", IMAGE, operands[0])?;
    let [filters, filter_height, filter_width, depth] =
        dims("filter", "filters, height, width, channels", operands[1])?;
    let [bias] = dims("bias", "filters", operands[2])?;
    expect("the filter's channels", channels, depth)?;
    expect("the bias's length", filters, bias)?;
    positive("the size", size)?;
    if window.dilation != [1, 1] {
        return Err(ShapeError::Attribute {
            problem: format!(
                "the dilation is {:?}, and must be 1 in both directions",
                window.dilation
            ),
        });
    }
    // The convolution whose gradient it is makes the input of the result.
    let [rows, columns] = positions(size, [filter_height, filter_width], window)?;
    expect("the input's height for a result of this size", rows, height)?;
    expect(
        "the input's width for a result of this size",
        columns,
        width,
    )?;
    Ok(vec![batch, size[0], size[1], filters])
}

fn fully_connected(operands: &[&[usize]]) -> Result<Vec<usize>, ShapeError> {
    let [batch, features] = dims("input", "batch, features", operands[0])?;
    let [units, columns] = dims("weights", "units, features", operands[1])?;
    let [bias] = dims("bias", "units", operands[2])?;
    expect("the weights' columns", features, columns)?;
    expect("the bias's length", units, bias)?;
    Ok(vec![batch, units])
}

fn pool(
    operands: &[&[usize]],
    size: [usize; 2],
    window: &Window,
) -> Result<Vec<usize>, ShapeError> {
    let [batch, height, width, channels] = dims("input", IMAGE, operands[0])?;
    if window.dilation != [1, 1] {
        return Err(ShapeError::DilatedPool {
            got: window.dilation,
        });
    }
    let [rows, columns] = positions([height, width], size, window)?;
    Ok(vec![batch, rows, columns, channels])
}

fn batch_norm(operands: &[&[usize]], epsilon: f32) -> Result<Vec<usize>, ShapeError> {
    if !(epsilon.is_finite() && epsilon > 0.0) {
        return Err(ShapeError::Epsilon(epsilon.to_string()));
    }
    let shape = operands[0];
    let (Some(channels), true) = (shape.last(), shape.len() > 1) else {
        return Err(ShapeError::Rank {
            operand: "input",
            expected: 2,
            layout: "batch, channels",
            got: shape.to_vec(),
        });
    };
    for (operand, shape) in ["gamma", "beta", "mean", "variance"]
        .into_iter()
        .zip(&operands[1..])
    {
        let [extent] = dims(operand, "channels", shape)?;
        expect(
            "the length of gamma, beta, mean and variance",
            *channels,
            extent,
        )?;
    }
    Ok(shape.to_vec())
}

fn pad(shape: &[usize], before: [usize; 2], after: [usize; 2]) -> Result<Vec<usize>, ShapeError> {
    let [batch, height, width, channels] = dims("input", IMAGE, shape)?;
    let along = |axis: usize, extent: usize| {
        extent
            .saturating_add(before[axis])
            .saturating_add(after[axis])
    };
    Ok(vec![batch, along(0, height), along(1, width), channels])
}

fn reshape(from: &[usize], to: &[usize]) -> Result<Vec<usize>, ShapeError> {
    if elements(to).is_none() || elements(from) != elements(to) {
        return Err(ShapeError::Elements {
            from: from.to_vec(),
            to: to.to_vec(),
        });
    }
    // The batch stays the first dimension everywhere, so that the evaluator can take any number of images at once.
    let first = |shape: &[usize]| shape.first().copied().unwrap_or(1);
    expect(
        "the first dimension, which is the batch,",
        first(from),
        first(to),
    )?;
    Ok(to.to_vec())
}
