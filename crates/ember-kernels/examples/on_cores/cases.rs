//! Random shapes and tensors; the expected values by the definition, index by index.

use core::ffi::CStr;

use ember_core::{Clamp, Padding, QuantizedMultiplier};
use ember_kernels::conv_2d::{self, Conv2d};
use ember_kernels::depthwise_conv_2d::{self, DepthwiseConv2d};
use ember_kernels::fully_connected::{self, FullyConnected};
use ember_kernels::max_pool_2d::{self, MaxPool, Pool2d};
use ember_kernels::{Axis, Element, Float32, Int8};

use crate::quantization::Quantization;
use crate::random::Random;

/// Cases of each kind.
const CASES: u32 = 300;

/// Room of each tensor, in elements.
const INPUT: usize = 1536;
const FILTER: usize = 2048;
const OUTPUT: usize = 1536;
const SCRATCH: usize = 512;
pub(crate) const CHANNELS: usize = 64;

/// A case that failed.
pub(crate) struct Failed {
    pub(crate) what: &'static CStr,
    pub(crate) seed: u32,
}

/// A kind of case: whether it came out right; `None` where the random shape does not fit.
type Kind = fn(&mut Random, &mut Tensors) -> Option<bool>;

/// Calls `f(index in the input, index in the filter)` for every product of a convolution's output, in order.
fn each_product(
    (rows, columns): (&Axis, &Axis),
    (y, x): (u32, u32),
    (pixel, depth): (usize, usize),
    mut f: impl FnMut(usize, usize),
) {
    for tap_y in 0..rows.filter {
        for tap_x in 0..columns.filter {
            let at = |axis: &Axis, output: u32, tap: u32| {
                let at = (output * axis.stride + tap * axis.dilation).wrapping_sub(axis.padding);
                (at < axis.input).then_some(at as usize)
            };
            if let (Some(y), Some(x)) = (at(rows, y, tap_y), at(columns, x, tap_x)) {
                let from = (y * columns.input as usize + x) * pixel;
                let to = (tap_y * columns.filter + tap_x) as usize * depth;
                for channel in 0..depth {
                    f(from + channel, to + channel);
                }
            }
        }
    }
}

pub(crate) struct Tensors {
    input: [i8; INPUT],
    filter: [i8; FILTER],
    found: [i8; OUTPUT],
    scratch: [u32; SCRATCH],
    pub(crate) bias: [i32; CHANNELS],
    pub(crate) multipliers: [QuantizedMultiplier; CHANNELS],
}

static mut TENSORS: Tensors = Tensors {
    input: [0; INPUT],
    filter: [0; FILTER],
    found: [0; OUTPUT],
    scratch: [0; SCRATCH],
    bias: [0; CHANNELS],
    multipliers: [QuantizedMultiplier::ZERO; CHANNELS],
};

fn conv_2d(random: &mut Random, tensors: &mut Tensors, pooled: bool) -> Option<bool> {
    let depth = match random.within(0, 3) {
        0 => 1,
        1 => random.within(1, 4) * 4,
        _ => random.within(1, 10),
    };
    let small = pooled && random.flag();
    let (rows, columns, depth) = if small {
        let axis = |size| Axis::new(size, 3, 1, 1, Padding::Valid);
        (axis(random.within(3, 9))?, axis(random.within(3, 9))?, 1)
    } else {
        (random.axis(8, 4)?, random.axis(8, 4)?, depth)
    };
    let filters = random.within(1, 9);
    let shape = Conv2d {
        batches: 1,
        rows,
        columns,
        input_channels: depth,
        filter_channels: depth,
        output_channels: filters,
    };
    let pool = Pool2d {
        batches: 1,
        rows: Axis::new(rows.output, 2, 2, 1, Padding::Valid).unwrap_or_default(),
        columns: Axis::new(columns.output, 2, 2, 1, Padding::Valid).unwrap_or_default(),
        channels: filters,
    };
    let (output_rows, output_columns) = if pooled {
        (pool.rows.output, pool.columns.output)
    } else {
        (rows.output, columns.output)
    };
    let input_len = (rows.input * columns.input * depth) as usize;
    let taps = (rows.filter * columns.filter * depth) as usize;
    let output_len = (output_rows * output_columns * filters) as usize;
    let words = if pooled {
        shape.pooled_scratch_len(&pool)
    } else {
        shape.patch_len()
    } as usize;
    if input_len > INPUT
        || taps * filters as usize > FILTER
        || output_len > OUTPUT
        || output_len == 0
        || words > SCRATCH
    {
        return None;
    }
    let quantization = Quantization::new(random, tensors, filters as usize);
    random.int8(&mut tensors.input[..input_len]);
    let filter_len = taps * filters as usize;
    random.int8(&mut tensors.filter[..filter_len]);
    quantization.kill(&mut tensors.filter[..filter_len], |index| index / taps);
    let pool_range = if random.flag() {
        Clamp::INT8
    } else {
        Clamp { min: -90, max: 70 }
    };
    let words = if random.within(0, 3) == 0 { 0 } else { words };
    {
        let Tensors {
            input,
            filter,
            found,
            scratch,
            bias,
            multipliers,
        } = &mut *tensors;
        let arithmetic = quantization.arithmetic(&bias[..filters as usize], multipliers);
        let (input, filter, found) = (
            &input[..input_len],
            &filter[..taps * filters as usize],
            &mut found[..output_len],
        );
        let done = if pooled {
            let pool = MaxPool {
                shape: pool,
                range: pool_range,
            };
            conv_2d::convolve_pooled(
                &shape,
                &pool,
                &arithmetic,
                input,
                filter,
                &mut scratch[..words],
                found,
            )
        } else {
            conv_2d::convolve_with(
                &shape,
                &arithmetic,
                input,
                filter,
                &mut scratch[..words],
                found,
            )
        };
        done.ok()?;
    }
    let one = |y, x, channel: usize| {
        let mut sum = 0i32;
        each_product(
            (&rows, &columns),
            (y, x),
            (depth as usize, depth as usize),
            |from, to| {
                let x = i32::from(tensors.input[from]) - quantization.zero_points.0;
                sum = sum.wrapping_add(x * i32::from(tensors.filter[channel * taps + to]));
            },
        );
        quantization.finish(tensors, channel, sum)
    };
    for (at, found) in tensors.found[..output_len].iter().enumerate() {
        let channel = at % filters as usize;
        let pixel = (at / filters as usize) as u32;
        let (y, x) = (pixel / output_columns, pixel % output_columns);
        let expected = if pooled {
            let mut most = i8::MIN;
            for (down, right) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                most = most.max(one(y * 2 + down, x * 2 + right, channel));
            }
            i8::within(i32::from(most), pool_range)
        } else {
            one(y, x, channel)
        };
        if expected != *found {
            return Some(false);
        }
    }
    Some(true)
}

fn depthwise_conv_2d(random: &mut Random, tensors: &mut Tensors) -> Option<bool> {
    let (rows, columns) = (random.axis(7, 4)?, random.axis(7, 4)?);
    let multiplier = if random.flag() {
        1
    } else {
        random.within(1, 9)
    };
    let channels = random.within(1, if multiplier == 1 { 19 } else { 3 });
    let shape = DepthwiseConv2d {
        batches: 1,
        rows,
        columns,
        channels,
        multiplier,
    };
    let filters = (channels * multiplier) as usize;
    let input_len = (rows.input * columns.input * channels) as usize;
    let filter_len = (rows.filter * columns.filter) as usize * filters;
    let output_len = (rows.output * columns.output) as usize * filters;
    let words = shape.patch_len() as usize;
    if input_len > INPUT || filter_len > FILTER || output_len > OUTPUT || words > SCRATCH {
        return None;
    }
    let words = if random.within(0, 3) == 0 { 0 } else { words };
    let quantization = Quantization::new(random, tensors, filters);
    random.int8(&mut tensors.input[..input_len]);
    random.int8(&mut tensors.filter[..filter_len]);
    quantization.kill(&mut tensors.filter[..filter_len], |index| index % filters);
    {
        let Tensors {
            input,
            filter,
            found,
            scratch,
            bias,
            multipliers,
        } = &mut *tensors;
        let arithmetic = quantization.arithmetic(&bias[..filters], multipliers);
        let found = &mut found[..output_len];
        depthwise_conv_2d::convolve_with(
            &shape,
            &arithmetic,
            &input[..input_len],
            &filter[..filter_len],
            &mut scratch[..words],
            found,
        )
        .ok()?;
    }
    for (at, found) in tensors.found[..output_len].iter().enumerate() {
        let channel = at % filters;
        let pixel = (at / filters) as u32;
        let mut sum = 0i32;
        let at = (pixel / columns.output, pixel % columns.output);
        each_product((&rows, &columns), at, (1, 1), |from, to| {
            let x =
                i32::from(tensors.input[from * channels as usize + channel / multiplier as usize]);
            let x = x - quantization.zero_points.0;
            sum = sum.wrapping_add(x * i32::from(tensors.filter[to * filters + channel]));
        });
        if quantization.finish(tensors, channel, sum) != *found {
            return Some(false);
        }
    }
    Some(true)
}

fn fully_connected(random: &mut Random, tensors: &mut Tensors) -> Option<bool> {
    let shape = FullyConnected {
        batches: random.within(1, 2),
        depth: random.within(1, 70),
        units: random.within(1, 14),
    };
    let (depth, units) = (shape.depth as usize, shape.units as usize);
    let output_len = shape.batches as usize * units;
    let quantization = Quantization::new(random, tensors, units);
    let filter_zero_point = if random.flag() {
        0
    } else {
        random.within(0, 255) as i32 - 128
    };
    random.int8(&mut tensors.input);
    random.int8(&mut tensors.filter);
    {
        let Tensors {
            input,
            filter,
            found,
            bias,
            multipliers,
            ..
        } = &mut *tensors;
        let arithmetic = Int8 {
            filter_zero_point,
            ..quantization.arithmetic(&bias[..units], multipliers)
        };
        let input = &input[..shape.batches as usize * depth];
        fully_connected::connect(
            &shape,
            &arithmetic,
            input,
            &filter[..units * depth],
            &mut found[..output_len],
        )
        .ok()?;
    }
    for (at, found) in tensors.found[..output_len].iter().enumerate() {
        let (row, unit) = (at / units, at % units);
        let mut sum = 0i32;
        for n in 0..depth {
            let x = i32::from(tensors.input[row * depth + n]) - quantization.zero_points.0;
            sum = sum.wrapping_add(
                x * (i32::from(tensors.filter[unit * depth + n]) - filter_zero_point),
            );
        }
        if quantization.finish(tensors, unit, sum) != *found {
            return Some(false);
        }
    }
    Some(true)
}

/// In the order of the sums that the crate promises for every processor: four interleaved ones.
fn fully_connected_float32(random: &mut Random) -> Option<bool> {
    let shape = FullyConnected {
        batches: 1,
        depth: random.within(1, 40),
        units: random.within(1, 9),
    };
    let (depth, units) = (shape.depth as usize, shape.units as usize);
    let (mut input, mut filter, mut bias, mut found) = ([0.0; 40], [0.0; 360], [0.0; 9], [0.0; 9]);
    random.float32(&mut input);
    random.float32(&mut filter);
    random.float32(&mut bias);
    let arithmetic = Float32 {
        range: f32::RANGE,
        bias: Some(&bias[..units]),
    };
    fully_connected::connect(
        &shape,
        &arithmetic,
        &input[..depth],
        &filter[..units * depth],
        &mut found[..units],
    )
    .ok()?;
    for (unit, found) in found[..units].iter().enumerate() {
        let mut sums = [0.0f32; 4];
        for n in 0..depth {
            // What is beyond the last whole four goes to the first.
            let lane = if n < depth / 4 * 4 { n % 4 } else { 0 };
            sums[lane] += input[n] * filter[unit * depth + n];
        }
        let sum = (sums[0] + sums[1]) + (sums[2] + sums[3]) + bias[unit];
        if sum.to_bits() != found.to_bits() {
            return Some(false);
        }
    }
    Some(true)
}

/// A small convolution with its pooling, against the two one after the other.
fn conv_2d_pooled_float32(random: &mut Random) -> Option<bool> {
    let axis = |size| Axis::new(size, 3, 1, 1, Padding::Valid);
    let (rows, columns) = (axis(random.within(4, 7))?, axis(random.within(4, 7))?);
    let filters = random.within(1, 5);
    let shape = Conv2d {
        batches: 1,
        rows,
        columns,
        input_channels: 1,
        filter_channels: 1,
        output_channels: filters,
    };
    let pooled = |axis: &Axis| Axis::new(axis.output, 2, 2, 1, Padding::Valid);
    let pool = MaxPool {
        shape: Pool2d {
            batches: 1,
            rows: pooled(&rows)?,
            columns: pooled(&columns)?,
            channels: filters,
        },
        range: Clamp {
            min: -3.0,
            max: 20.0,
        },
    };
    let (mut input, mut filter, mut bias) = ([0.0; 49], [0.0; 45], [0.0; 5]);
    random.float32(&mut input);
    random.float32(&mut filter);
    random.float32(&mut bias);
    let (mut between, mut expected, mut found) = ([0.0; 125], [0.0; 20], [0.0; 20]);
    let input = &input[..(rows.input * columns.input) as usize];
    let filter = &filter[..filters as usize * 9];
    let between = &mut between[..(rows.output * columns.output * filters) as usize];
    let len = (pool.shape.rows.output * pool.shape.columns.output * filters) as usize;
    let arithmetic = Float32 {
        range: Clamp {
            min: 0.0,
            max: 30.0,
        },
        bias: Some(&bias[..filters as usize]),
    };
    conv_2d::convolve(&shape, &arithmetic, input, filter, between).ok()?;
    max_pool_2d::pool(&pool.shape, pool.range, between, &mut expected[..len]).ok()?;
    conv_2d::convolve_pooled(
        &shape,
        &pool,
        &arithmetic,
        input,
        filter,
        &mut [],
        &mut found[..len],
    )
    .ok()?;
    Some(expected.map(f32::to_bits) == found.map(f32::to_bits))
}

fn max_pool_2d(random: &mut Random, tensors: &mut Tensors) -> Option<bool> {
    let axis = |random: &mut Random| {
        Some(Axis {
            dilation: 1,
            ..random.axis(8, 3)?
        })
    };
    let (rows, columns) = (axis(random)?, axis(random)?);
    let (rows, columns) = (
        Axis::new(rows.input, rows.filter, rows.stride, 1, Padding::Same)?,
        Axis::new(
            columns.input,
            columns.filter,
            columns.stride,
            1,
            Padding::Same,
        )?,
    );
    let channels = random.within(1, 13) as usize;
    let shape = Pool2d {
        batches: 1,
        rows,
        columns,
        channels: channels as u32,
    };
    let input_len = (rows.input * columns.input) as usize * channels;
    let output_len = (rows.output * columns.output) as usize * channels;
    if input_len > INPUT || output_len > OUTPUT {
        return None;
    }
    random.int8(&mut tensors.input[..input_len]);
    let Tensors { input, found, .. } = tensors;
    max_pool_2d::pool(
        &shape,
        Clamp { min: -90, max: 100 },
        &input[..input_len],
        &mut found[..output_len],
    )
    .ok()?;
    for (at, found) in tensors.found[..output_len].iter().enumerate() {
        let pixel = (at / channels) as u32;
        let mut most = -90;
        each_product(
            (&rows, &columns),
            (pixel / columns.output, pixel % columns.output),
            (1, 1),
            |from, _| {
                most = most.max(tensors.input[from * channels + at % channels]);
            },
        );
        if most.min(100) != *found {
            return Some(false);
        }
    }
    Some(true)
}

/// Every case of every kind.
pub(crate) fn run() -> Result<(), Failed> {
    let kinds: [(&CStr, Kind); 7] = [
        (c"fully_connected", fully_connected),
        (c"fully_connected_float32", |random, _| {
            fully_connected_float32(random)
        }),
        (c"conv_2d_pooled_float32", |random, _| {
            conv_2d_pooled_float32(random)
        }),
        (c"max_pool_2d", max_pool_2d),
        (c"conv_2d", |random, tensors| {
            conv_2d(random, tensors, false)
        }),
        (c"conv_2d_pooled", |random, tensors| {
            conv_2d(random, tensors, true)
        }),
        (c"depthwise_conv_2d", depthwise_conv_2d),
    ];
    let tensors = &raw mut TENSORS;
    // SAFETY: there is one thread, and this is called once.
    let tensors = unsafe { &mut *tensors };
    for (what, kind) in kinds {
        let (mut seed, mut done) = (1u32, 0);
        while done < CASES {
            // Shapes that do not fit are not counted.
            if let Some(right) = kind(&mut Random(seed.wrapping_mul(0x9e37_79b9)), tensors) {
                if !right {
                    return Err(Failed { what, seed });
                }
                done += 1;
            }
            seed += 1;
        }
    }
    Ok(())
}
