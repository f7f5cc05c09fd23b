//! Graphs drawn at random, for the property tests of everything that reads graphs.
//!
//! The same seed gives the same graph on every machine. All operators, paddings and fusable activations come up; sizes
//! are small so that a test can run hundreds.

use ember_core::{Activation, Padding};

use crate::{Graph, GraphBuilder, GraphError, Op, Role, ValueId, Window};

/// Steele, Lea and Flood's SplitMix64: any seed gives a good stream.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `low..=high`; `low` when the interval is empty.
    pub const fn within(&mut self, low: usize, high: usize) -> usize {
        let count = high.saturating_sub(low) as u64 + 1;
        low + (self.bits() % count) as usize
    }

    /// One of these, which must be at least one.
    pub fn choose<T: Copy, const N: usize>(&mut self, from: [T; N]) -> T {
        const { assert!(N > 0) };
        from[self.within(0, N - 1)]
    }

    /// A number in [-1, 1), a multiple of 2⁻²³.
    pub const fn signed_unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    }

    /// `count` numbers in [-1, 1).
    pub fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.signed_unit()).collect()
    }
}

/// A valid graph of one image input, one output and up to `steps` layers, its constants random.
///
/// # Errors
/// None that a seed is known to give; the builder's, should the two disagree.
pub fn graph(seed: u64, steps: usize) -> Result<Graph, GraphError> {
    let mut random = Random::new(seed);
    let mut builder = GraphBuilder::new("random");
    let shape = [
        1,
        random.within(1, 9),
        random.within(1, 9),
        random.within(1, 4),
    ];
    let mut made = vec![builder.input("image", &shape)?];
    for _ in 0..random.within(1, steps) {
        let from = made[random.within(made.len().saturating_sub(2), made.len() - 1)];
        let next = layer(&mut random, &mut builder, &made, from)?;
        made.push(next);
    }
    // The last layer is the output, so that little of the graph is dead.
    let last = made[made.len() - 1];
    let mut graph = builder.finish(&[last])?;
    fill(&mut graph, &mut random)?;
    Ok(graph)
}

/// Draws all constants anew.
fn fill(graph: &mut Graph, random: &mut Random) -> Result<(), GraphError> {
    let constants: Vec<(ValueId, usize, f32, bool)> = graph
        .constants()
        .map(|(id, value, numbers)| {
            let variance = value.name.ends_with(Role::Variance.name());
            (id, numbers.len(), spread(&value.shape), variance)
        })
        .collect();
    for (id, count, spread, variance) in constants {
        let mut numbers = random.numbers(count);
        for number in &mut numbers {
            *number = if variance {
                1.5 + *number
            } else {
                *number * spread
            };
        }
        graph.set_constant(id, numbers)?;
    }
    Ok(())
}

/// [`graph`] with what only a float graph has in between: batch norms behind layers and alone, paddings, residual blocks,
/// reshapes in a row, conversions, and constants that are worked out from constants.
///
/// # Errors
/// As [`graph`].
pub fn unoptimized(seed: u64, steps: usize) -> Result<Graph, GraphError> {
    let mut random = Random::new(!seed);
    let mut builder = GraphBuilder::new("random");
    let shape = [
        1,
        random.within(3, 9),
        random.within(3, 9),
        random.within(1, 4),
    ];
    let mut made = vec![builder.input("image", &shape)?];
    for _ in 0..random.within(1, steps) {
        let from = made[random.within(made.len().saturating_sub(2), made.len() - 1)];
        let next = if random.within(0, 2) == 0 {
            layer(&mut random, &mut builder, &made, from)?
        } else {
            float_layer(&mut random, &mut builder, from)?
        };
        made.push(next);
    }
    let last = made[made.len() - 1];
    let mut graph = builder.finish(&[last])?;
    fill(&mut graph, &mut random)?;
    Ok(graph)
}

/// Layers that the passes may remove or make fewer.
fn float_layer(
    random: &mut Random,
    builder: &mut GraphBuilder,
    from: ValueId,
) -> Result<ValueId, GraphError> {
    let shape = builder.shape(from).unwrap_or_default().to_vec();
    let none = Activation::None;
    match (&shape[..], random.within(0, 7)) {
        ([_, height, width, _], 0) => {
            let mut pair = || [random.within(0, 1), random.within(0, 1)];
            let (before, after) = (pair(), pair());
            let padded = builder.pad(from, before, after)?;
            let size = [
                3.min(height + before[0] + after[0]),
                3.min(width + before[1] + after[1]),
            ];
            let stride = Window::valid(random.within(1, 2));
            match random.within(0, 2) {
                0 => builder.depthwise_conv_2d(padded, random.within(1, 2), size, stride, none),
                _ => builder.conv_2d(padded, random.within(1, 4), size, stride, none),
            }
        }
        ([_, height, width, _], 1) => {
            let (size, window) = window(random, [*height, *width], true);
            let layer = builder.conv_2d(from, random.within(1, 4), size, window, none)?;
            normalized(random, builder, layer)
        }
        ([_, height, width, _], 2) => {
            let (size, window) = window(random, [*height, *width], true);
            let layer = builder.depthwise_conv_2d(from, random.within(1, 2), size, window, none)?;
            normalized(random, builder, layer)
        }
        ([_, _], 1) => {
            let layer = builder.fully_connected(from, random.within(1, 8), none)?;
            normalized(random, builder, layer)
        }
        ([_, _, ..], 3) => builder.batch_norm(from),
        (_, 4) => {
            let quantized = builder.node("quantize", Op::Quantize, &[from])?;
            builder.node("dequantize", Op::Dequantize, &[quantized])
        }
        (_, 5) => {
            let count = shape.iter().product();
            let constant = builder.constant("constant", &shape, random.numbers(count))?;
            let constant = builder.relu(constant)?;
            builder.add(from, constant, none)
        }
        (_, 6) => residual(random, builder, from),
        _ => {
            // There and back, or only there.
            let count = shape.iter().product();
            let column = builder.reshape(from, &[1, count, 1, 1])?;
            let row = builder.reshape(column, &[1, 1, count])?;
            match random.within(0, 2) {
                0 => builder.flatten(row),
                _ => builder.reshape(row, &shape),
            }
        }
    }
}

/// A batch norm, and the relu that often follows.
fn normalized(
    random: &mut Random,
    builder: &mut GraphBuilder,
    layer: ValueId,
) -> Result<ValueId, GraphError> {
    let norm = builder.batch_norm(layer)?;
    match random.within(0, 1) {
        0 => builder.relu(norm),
        _ => Ok(norm),
    }
}

/// A block whose result has the shape of what it takes, added to that.
fn residual(
    random: &mut Random,
    builder: &mut GraphBuilder,
    from: ValueId,
) -> Result<ValueId, GraphError> {
    let shape = builder.shape(from).unwrap_or_default().to_vec();
    let none = Activation::None;
    let layer = match shape[..] {
        [_, height, width, channels] => {
            let size = [3.min(height), 3.min(width)];
            builder.conv_2d(from, channels, size, Window::same(1), none)?
        }
        [_, features] => builder.fully_connected(from, features, none)?,
        _ => builder.relu(from)?,
    };
    let block = match random.within(0, 1) {
        0 if shape.len() > 1 => builder.batch_norm(layer)?,
        _ => layer,
    };
    let activation = random.choose([none, Activation::Relu]);
    builder.add(block, from, activation)
}

/// How far weights reach, so that activations neither vanish nor explode over the layers.
fn spread(shape: &[usize]) -> f32 {
    match shape {
        [1, height, width, _] => 1.5 / ((height * width) as f32).sqrt(),
        [_, fan_in @ ..] if !fan_in.is_empty() => {
            1.5 / (fan_in.iter().product::<usize>() as f32).sqrt()
        }
        _ => 0.3,
    }
}

fn layer(
    random: &mut Random,
    builder: &mut GraphBuilder,
    made: &[ValueId],
    from: ValueId,
) -> Result<ValueId, GraphError> {
    let activation = random.choose([
        Activation::None,
        Activation::Relu,
        Activation::Relu6,
        Activation::ReluN1To1,
    ]);
    let shape = builder.shape(from).unwrap_or_default().to_vec();
    match (&shape[..], random.within(0, 9)) {
        ([_, height, width, _], 0..=1) => {
            let (size, window) = window(random, [*height, *width], true);
            builder.conv_2d(from, random.within(1, 5), size, window, activation)
        }
        ([_, height, width, _], 2) => {
            let (size, window) = window(random, [*height, *width], true);
            builder.depthwise_conv_2d(from, random.within(1, 3), size, window, activation)
        }
        ([_, height, width, _], 3) => {
            let (size, window) = window(random, [*height, *width], false);
            builder.max_pool_2d(from, size, window)
        }
        ([_, height, width, _], 4) => {
            let (size, window) = window(random, [*height, *width], false);
            builder.average_pool_2d(from, size, window)
        }
        ([_, _], 0..=4) => builder.fully_connected(from, random.within(1, 12), activation),
        (_, 5) => {
            let same = made.iter().rev();
            let other = same
                .copied()
                .find(|id| builder.shape(*id) == Some(&shape[..]))
                .unwrap_or(from);
            builder.add(from, other, activation)
        }
        (_, 6) => builder.relu(from),
        (_, 7) => builder.relu6(from),
        ([_, _], 8) => builder.softmax(from),
        _ => builder.flatten(from),
    }
}

/// A window that fits an image of these extents.
fn window(random: &mut Random, image: [usize; 2], dilated: bool) -> ([usize; 2], Window) {
    let padding = random.choose([Padding::Same, Padding::Valid]);
    let mut size = [1, 1];
    let mut dilation = [1, 1];
    for axis in 0..2 {
        size[axis] = random.within(1, image[axis].min(3));
        let room = (image[axis] - 1) / size[axis].saturating_sub(1).max(1);
        if dilated && room > 1 {
            dilation[axis] = random.within(1, room.min(2));
        }
    }
    // TensorFlow has no convolution with both strides and dilation.
    let stride = if dilation == [1, 1] {
        [random.within(1, 3), random.within(1, 3)]
    } else {
        [1, 1]
    };
    let window = Window {
        stride,
        dilation,
        padding,
    };
    (size, window)
}
