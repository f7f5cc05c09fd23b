//! Single kernels on one thread, on the shapes of the reference CNN and of small networks for images and speech.
//!
//! `cargo bench -p ember-lite --bench kernels`

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ember_core::{Clamp, Padding, QuantizedMultiplier};
use ember_kernels::conv_2d::{self, Conv2d};
use ember_kernels::depthwise_conv_2d::{self, DepthwiseConv2d};
use ember_kernels::fully_connected::{self, FullyConnected};
use ember_kernels::max_pool_2d::{self, Pool2d};
use ember_kernels::{Axis, Float32, Int8};

const INT8: Int8<'static> = Int8 {
    input_zero_point: -128,
    output_zero_point: -128,
    filter_zero_point: 0,
    range: Clamp::INT8,
    bias: None,
    multipliers: &[QuantizedMultiplier {
        multiplier: 1 << 30,
        shift: -7,
    }],
};

const FLOAT32: Float32<'static> = Float32 {
    range: Clamp {
        min: 0.0,
        max: f32::INFINITY,
    },
    bias: None,
};

fn axis(input: u32, filter: u32, stride: u32, padding: Padding) -> Axis {
    Axis::new(input, filter, stride, 1, padding).expect("the window fits")
}

fn bytes(len: u32) -> Vec<i8> {
    (0..len)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as i8)
        .collect()
}

fn floats(len: u32) -> Vec<f32> {
    bytes(len)
        .into_iter()
        .map(|x| f32::from(x) / 128.0)
        .collect()
}

fn convolutions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conv_2d");
    for (name, size, input_channels, output_channels, filter, padding) in [
        ("28x28x1 to 8, 3x3", 28, 1, 8, 3, Padding::Valid),
        ("32x32x16 to 16, 3x3", 32, 16, 16, 3, Padding::Same),
        ("25x25x64 to 64, 1x1", 25, 64, 64, 1, Padding::Same),
    ] {
        let shape = Conv2d {
            batches: 1,
            rows: axis(size, filter, 1, padding),
            columns: axis(size, filter, 1, padding),
            input_channels,
            filter_channels: input_channels,
            output_channels,
        };
        let input = size * size * input_channels;
        let weights = output_channels * filter * filter * input_channels;
        let output = shape.rows.output * shape.columns.output * output_channels;
        let products = output * filter * filter * input_channels;
        group.throughput(Throughput::Elements(u64::from(products)));
        let (x, w, mut y) = (bytes(input), bytes(weights), bytes(output));
        group.bench_function(format!("int8 {name}"), |bencher| {
            bencher.iter(|| conv_2d::convolve(&shape, &INT8, &x, &w, &mut y));
        });
        let (x, w, mut y) = (floats(input), floats(weights), floats(output));
        group.bench_function(format!("float32 {name}"), |bencher| {
            bencher.iter(|| conv_2d::convolve(&shape, &FLOAT32, &x, &w, &mut y));
        });
    }
    group.finish();
}

fn depthwise(criterion: &mut Criterion) {
    let shape = DepthwiseConv2d {
        batches: 1,
        rows: axis(25, 3, 1, Padding::Same),
        columns: axis(5, 3, 1, Padding::Same),
        channels: 64,
        multiplier: 1,
    };
    let (input, weights) = (25 * 5 * 64, 3 * 3 * 64);
    let mut group = criterion.benchmark_group("depthwise_conv_2d");
    group.throughput(Throughput::Elements(u64::from(input * 9)));
    let (x, w, mut y) = (bytes(input), bytes(weights), bytes(input));
    group.bench_function("int8 25x5x64, 3x3", |bencher| {
        bencher.iter(|| depthwise_conv_2d::convolve(&shape, &INT8, &x, &w, &mut y));
    });
    let (x, w, mut y) = (floats(input), floats(weights), floats(input));
    group.bench_function("float32 25x5x64, 3x3", |bencher| {
        bencher.iter(|| depthwise_conv_2d::convolve(&shape, &FLOAT32, &x, &w, &mut y));
    });
    group.finish();
}

fn dense_layers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fully_connected");
    for (depth, units) in [(1352, 16), (640, 128)] {
        let shape = FullyConnected {
            batches: 1,
            depth,
            units,
        };
        group.throughput(Throughput::Elements(u64::from(depth * units)));
        let (x, w, mut y) = (bytes(depth), bytes(depth * units), bytes(units));
        group.bench_function(format!("int8 {depth} to {units}"), |bencher| {
            bencher.iter(|| fully_connected::connect(&shape, &INT8, &x, &w, &mut y));
        });
        let (x, w, mut y) = (floats(depth), floats(depth * units), floats(units));
        group.bench_function(format!("float32 {depth} to {units}"), |bencher| {
            bencher.iter(|| fully_connected::connect(&shape, &FLOAT32, &x, &w, &mut y));
        });
    }
    group.finish();
}

fn poolings(criterion: &mut Criterion) {
    let shape = Pool2d {
        batches: 1,
        rows: axis(26, 2, 2, Padding::Valid),
        columns: axis(26, 2, 2, Padding::Valid),
        channels: 8,
    };
    let (input, output) = (26 * 26 * 8, 13 * 13 * 8);
    let mut group = criterion.benchmark_group("max_pool_2d");
    let (x, mut y) = (bytes(input), bytes(output));
    group.bench_function("int8 26x26x8, 2x2", |bencher| {
        bencher.iter(|| max_pool_2d::pool(&shape, Clamp::INT8, &x, &mut y));
    });
    let (x, mut y) = (floats(input), floats(output));
    group.bench_function("float32 26x26x8, 2x2", |bencher| {
        bencher.iter(|| max_pool_2d::pool(&shape, FLOAT32.range, &x, &mut y));
    });
    group.finish();
}

criterion_group!(benches, convolutions, depthwise, dense_layers, poolings);
criterion_main!(benches);
