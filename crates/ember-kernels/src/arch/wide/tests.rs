//! Every set of instructions that this machine has against the generic kernels, on random shapes: the same bytes.

use std::vec::Vec;

use ember_core::{Clamp, Padding, QuantizedMultiplier};
use proptest::prelude::*;

#[cfg(target_arch = "x86_64")]
use crate::arch::x86_64::Level;
use crate::arithmetic::{Arithmetic, Float32, Int8};
use crate::conv_2d::{self, Conv2d};
use crate::depthwise_conv_2d::{self, DepthwiseConv2d};
use crate::element::Element;
use crate::error::KernelError;
use crate::fully_connected::{self, FullyConnected};
use crate::max_pool_2d::{self, MaxPool, Pool2d};
use crate::window::Axis;

/// An arithmetic with which the generic kernels run.
struct Generic<A>(A);

impl<A: Arithmetic> Arithmetic for Generic<A> {
    type Value = A::Value;
    type Output = A::Output;
    type Weight = A::Weight;
    type Sum = A::Sum;

    fn check(&self, channels: usize) -> Result<(), KernelError> {
        self.0.check(channels)
    }

    fn zero(&self) -> A::Value {
        self.0.zero()
    }

    fn join(&self, a: A::Sum, b: A::Sum) -> A::Sum {
        self.0.join(a, b)
    }

    fn start(&self, channel: usize) -> A::Sum {
        self.0.start(channel)
    }

    fn multiply_add(&self, sum: A::Sum, x: A::Value, w: A::Weight) -> A::Sum {
        self.0.multiply_add(sum, x, w)
    }

    fn dot(&self, sum: A::Sum, x: &[A::Value], w: &[A::Weight]) -> A::Sum {
        self.0.dot(sum, x, w)
    }

    fn finish(&self, channel: usize, sum: A::Sum) -> A::Output {
        self.0.finish(channel, sum)
    }

    fn correction(&self, row: &[A::Value]) -> A::Sum {
        self.0.correction(row)
    }
}

/// A set of instructions.
#[derive(Clone, Copy)]
enum Machine {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Level(Level),
}

/// Calls a kernel with the instructions of a machine.
macro_rules! on {
    ($machine:expr, $wide:path | $name:ident($($arg:expr),*)) => {
        match $machine {
            Machine::Plain => $wide(super::Plain, $($arg),*),
            #[cfg(target_arch = "x86_64")]
            Machine::Level(level) => level.$name($($arg),*),
        }
    };
}

impl Machine {
    /// All that this processor has.
    fn all() -> Vec<Machine> {
        let mut all = std::vec![Machine::Plain];
        #[cfg(target_arch = "x86_64")]
        for level in [Level::avx2(), Level::best()] {
            if !matches!(level, Level::None) {
                all.push(Machine::Level(level));
            }
        }
        all
    }
}

/// Numbers of a linear congruential generator, the same for the same seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    /// Numbers of every size, zeros of both signs among them; with `wild` also infinite ones and such that are none.
    fn floats(&mut self, count: u32, wild: bool) -> Vec<f32> {
        let mut float = || {
            let bits = self.next();
            match bits % 64 {
                0 => 0.0,
                1 => -0.0,
                2 if wild => f32::INFINITY,
                3 if wild => f32::NAN,
                _ => {
                    (self.next() as i32 - (1 << 30)) as f32 * [1e-9, 1e-3, 1e-12][bits as usize % 3]
                }
            }
        };
        (0..count).map(|_| float()).collect()
    }

    fn bytes(&mut self, count: u32) -> Vec<i8> {
        (0..count).map(|_| self.next() as i8).collect()
    }
}

/// What is random besides the shape.
#[derive(Clone, Debug)]
struct Case {
    seed: u64,
    zero_points: [i8; 3],
    range: [i8; 2],
    with_bias: bool,
    per_channel: bool,
    /// Shifts of the multipliers.
    shifts: (i32, i32),
}

fn case() -> impl Strategy<Value = Case> {
    let shifts = prop_oneof![3 => Just((-12, -6)), 1 => Just((-31, 30)), 1 => Just((-3, 3))];
    (any::<(u64, [i8; 3], [i8; 2], bool, bool)>(), shifts).prop_map(
        |((seed, zero_points, range, with_bias, per_channel), shifts)| Case {
            seed,
            zero_points,
            range: [range[0].min(range[1]), range[0].max(range[1])],
            with_bias,
            per_channel,
            shifts,
        },
    )
}

/// Weights, and what is per channel.
struct Parameters {
    input: Vec<i8>,
    filter: Vec<i8>,
    bias: Vec<i32>,
    multipliers: Vec<QuantizedMultiplier>,
}

impl Case {
    fn parameters(&self, input: u32, filter: u32, channels: u32) -> Parameters {
        let mut numbers = Numbers(self.seed);
        let (least, greatest) = self.shifts;
        let count = if self.per_channel { channels } else { 1 };
        Parameters {
            input: numbers.bytes(input),
            filter: numbers.bytes(filter),
            bias: (0..channels).map(|_| numbers.next() as i32 >> 14).collect(),
            multipliers: (0..count)
                .map(|_| QuantizedMultiplier {
                    multiplier: (numbers.next() >> 2 | 1 << 30) as i32,
                    shift: least + (numbers.next() % (greatest - least + 1) as u32) as i32,
                })
                .collect(),
        }
    }

    fn int8<'p>(&self, parameters: &'p Parameters) -> Int8<'p> {
        let [input, output, filter] = self.zero_points.map(i32::from);
        let [min, max] = self.range.map(i32::from);
        Int8 {
            input_zero_point: input,
            output_zero_point: output,
            filter_zero_point: if filter > 0 { filter } else { 0 },
            range: Clamp { min, max },
            bias: self.with_bias.then_some(parameters.bias.as_slice()),
            multipliers: &parameters.multipliers,
        }
    }
}

fn axis() -> impl Strategy<Value = Axis> {
    (1..12u32, 1..6u32, 1..4u32, 1..3u32, any::<bool>()).prop_filter_map(
        "the window does not fit",
        |(input, filter, stride, dilation, same)| {
            let padding = if same { Padding::Same } else { Padding::Valid };
            // Mostly without dilation.
            Axis::new(
                input,
                filter,
                stride,
                if input % 4 == 0 { dilation } else { 1 },
                padding,
            )
        },
    )
}

fn conv() -> impl Strategy<Value = Conv2d> {
    let channels = prop_oneof![3 => 1..6u32, 1 => 6..40u32];
    (1..3u32, axis(), axis(), channels, 1..45u32).prop_map(
        |(batches, rows, columns, input_channels, output_channels)| Conv2d {
            batches,
            rows,
            columns,
            input_channels,
            filter_channels: input_channels,
            output_channels,
        },
    )
}

/// A pooling of what a convolution gives, whose windows do not overlap.
fn pool_of(shape: &Conv2d, sizes: [u32; 2], more: [u32; 2], same: bool) -> Option<Pool2d> {
    let padding = if same { Padding::Same } else { Padding::Valid };
    let axis = |input, at: usize| Axis::new(input, sizes[at], sizes[at] + more[at], 1, padding);
    Some(Pool2d {
        batches: shape.batches,
        rows: axis(shape.rows.output, 0)?,
        columns: axis(shape.columns.output, 1)?,
        channels: shape.output_channels,
    })
}

fn depthwise() -> impl Strategy<Value = DepthwiseConv2d> {
    (1..3u32, axis(), axis(), 1..30u32).prop_map(|(batches, rows, columns, channels)| {
        DepthwiseConv2d {
            batches,
            rows,
            columns,
            channels,
            multiplier: 1,
        }
    })
}

fn pooling() -> impl Strategy<Value = Pool2d> {
    let axis = || {
        let usual = |input| Axis::new(input, 2, 2, 1, Padding::Valid);
        let any = axis().prop_filter("a pooling has no dilation", |axis| axis.dilation == 1);
        prop_oneof![(2..20u32).prop_filter_map("too small", usual), any]
    };
    (1..3u32, axis(), axis(), 1..5u32).prop_map(|(batches, rows, columns, blocks)| Pool2d {
        batches,
        rows,
        columns,
        channels: blocks * 8,
    })
}

/// The bits of numbers: what is not a number has many, all as good.
fn bits(numbers: &[f32]) -> Vec<u32> {
    let bits = |x: &f32| if x.is_nan() { f32::NAN } else { *x }.to_bits();
    numbers.iter().map(bits).collect()
}

/// Inputs, filter and bias of a float32 operator.
struct Floats {
    input: Vec<f32>,
    filter: Vec<f32>,
    bias: Vec<f32>,
    range: Clamp<f32>,
}

impl Floats {
    fn new(case: &Case, input: u32, filter: u32, channels: u32) -> Floats {
        let mut numbers = Numbers(case.seed);
        let wild = case.seed.is_multiple_of(4);
        let limit = if case.seed.is_multiple_of(3) {
            1.0
        } else {
            f32::INFINITY
        };
        Floats {
            input: numbers.floats(input, wild),
            filter: numbers.floats(filter, wild),
            bias: numbers.floats(channels, false),
            range: Clamp {
                min: if case.per_channel { 0.0 } else { -limit },
                max: limit,
            },
        }
    }

    fn arithmetic(&self, case: &Case) -> Float32<'_> {
        Float32 {
            range: self.range,
            bias: case.with_bias.then_some(self.bias.as_slice()),
        }
    }
}

fn elements(sizes: [u32; 4]) -> u32 {
    sizes.iter().product()
}

impl Conv2d {
    fn lens(&self) -> (u32, u32, u32) {
        let Self {
            batches,
            rows,
            columns,
            input_channels,
            output_channels,
            ..
        } = *self;
        (
            elements([batches, rows.input, columns.input, input_channels]),
            elements([output_channels, rows.filter, columns.filter, input_channels]),
            elements([batches, rows.output, columns.output, output_channels]),
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn convolutions(shape in conv(), case in case()) {
        let (input, filter, output) = shape.lens();
        let parameters = case.parameters(input, filter, shape.output_channels);
        let int8 = case.int8(&parameters);
        let mut expected = std::vec![0i8; output as usize];
        let Parameters { input, filter, .. } = &parameters;
        conv_2d::run(&shape, &Generic(int8), input, filter, &mut [], &mut expected).unwrap();
        for machine in Machine::all() {
            let mut found = std::vec![0i8; expected.len()];
            let ran = on!(machine, super::convolve | conv_2d_i8(&shape, &int8, input, filter, &mut [], &mut found));
            prop_assert!(ran);
            prop_assert_eq!(&found, &expected);
        }
    }

    #[test]
    fn pooled_convolutions(
        shape in conv(), case in case(), sizes in [1..4u32, 1..4u32], more in [0..2u32, 0..2u32], same: bool,
        pool_range: [i8; 2],
    ) {
        let Some(pool_shape) = pool_of(&shape, sizes, more, same) else {
            return Ok(());
        };
        let (input, filter, _) = shape.lens();
        let parameters = case.parameters(input, filter, shape.output_channels);
        let int8 = case.int8(&parameters);
        let [min, max] = pool_range.map(i32::from);
        let range = Clamp { min: min.min(max), max: max.max(min) };
        let pool = MaxPool { shape: pool_shape, range };
        let Pool2d { batches, rows, columns, channels } = pool_shape;
        let output = elements([batches, rows.output, columns.output, channels]) as usize;
        let mut expected = std::vec![0i8; output];
        let Parameters { input, filter, .. } = &parameters;
        let generic = Generic(int8);
        conv_2d::run_pooled(&shape, &pool, &generic, input, filter, &mut [], &mut expected).unwrap();
        for machine in Machine::all() {
            let mut found = std::vec![0i8; output];
            let ran = on!(machine, super::convolve_pooled | conv_2d_pooled_i8(&shape, &pool, &int8, input, filter, &mut [], &mut found));
            // A shift to the left may lose bits.
            let ordered = parameters.multipliers.iter().all(|multiplier| multiplier.shift < 0);
            prop_assert_eq!(ran, ordered);
            if ran {
                prop_assert_eq!(&found, &expected);
            }
        }
    }

    #[test]
    fn dense_layers(batches in 1..4u32, depth in 1..300u32, units in 1..40u32, case in case()) {
        let shape = FullyConnected { batches, depth, units };
        let parameters = case.parameters(batches * depth, units * depth, units);
        let int8 = case.int8(&parameters);
        let mut expected = std::vec![0i8; (batches * units) as usize];
        let Parameters { input, filter, .. } = &parameters;
        fully_connected::run(&shape, &Generic(int8), input, filter, &mut expected).unwrap();
        for machine in Machine::all() {
            let mut found = std::vec![0i8; expected.len()];
            let ran = on!(machine, super::connect | fully_connected_i8(&shape, &int8, input, filter, &mut found));
            prop_assert!(ran);
            prop_assert_eq!(&found, &expected);
        }
    }

    #[test]
    fn depthwise_convolutions(shape in depthwise(), case in case()) {
        let DepthwiseConv2d { batches, rows, columns, channels, .. } = shape;
        let input = elements([batches, rows.input, columns.input, channels]);
        let filter = elements([1, rows.filter, columns.filter, channels]);
        let output = elements([batches, rows.output, columns.output, channels]) as usize;

        let parameters = case.parameters(input, filter, channels);
        let int8 = case.int8(&parameters);
        let mut expected = std::vec![0i8; output];
        let (x, w) = (&parameters.input, &parameters.filter);
        depthwise_conv_2d::run(&shape, &Generic(int8), x, w, &mut [], &mut expected).unwrap();
        for machine in Machine::all() {
            let mut found = std::vec![0i8; output];
            prop_assert!(on!(machine, super::depthwise | depthwise_conv_2d_i8(&shape, &int8, x, w, &mut [], &mut found)));
            prop_assert_eq!(&found, &expected);
        }

        let floats = Floats::new(&case, input, filter, channels);
        let float32 = floats.arithmetic(&case);
        let mut expected = std::vec![0f32; output];
        let (x, w) = (&floats.input, &floats.filter);
        depthwise_conv_2d::run(&shape, &Generic(float32), x, w, &mut [], &mut expected).unwrap();
        for machine in Machine::all() {
            let mut found = std::vec![0f32; output];
            let ran = on!(
                machine,
                super::depthwise_float32 | depthwise_conv_2d_f32(&shape, &float32, x, w, &mut [], &mut found)
            );
            prop_assert!(ran);
            prop_assert_eq!(bits(&found), bits(&expected));
        }
    }

    #[test]
    fn float32_convolutions(shape in conv(), case in case()) {
        let (input, filter, output) = shape.lens();
        let floats = Floats::new(&case, input, filter, shape.output_channels);
        let float32 = floats.arithmetic(&case);
        let mut expected = std::vec![0f32; output as usize];
        let (x, w) = (&floats.input, &floats.filter);
        conv_2d::run(&shape, &Generic(float32), x, w, &mut [], &mut expected).unwrap();
        for machine in Machine::all() {
            let mut found = std::vec![0f32; expected.len()];
            let ran = on!(
                machine,
                super::float32::convolve | conv_2d_f32(&shape, &float32, x, w, &mut [], &mut found)
            );
            prop_assert!(ran);
            prop_assert_eq!(bits(&found), bits(&expected));
        }
    }

    #[test]
    fn pooled_float32_convolutions(
        shape in conv(), case in case(), sizes in [1..4u32, 1..4u32], more in [0..2u32, 0..2u32], same: bool,
    ) {
        let Some(pool_shape) = pool_of(&shape, sizes, more, same) else {
            return Ok(());
        };
        let pool = MaxPool { shape: pool_shape, range: Clamp { min: -0.5, max: 1e6 } };
        let (input, filter, _) = shape.lens();
        let Pool2d { batches, rows, columns, channels } = pool_shape;
        let output = elements([batches, rows.output, columns.output, channels]) as usize;
        let floats = Floats::new(&case, input, filter, channels);
        let float32 = floats.arithmetic(&case);
        let mut expected = std::vec![0f32; output];
        let (x, w) = (&floats.input, &floats.filter);
        conv_2d::run_pooled(&shape, &pool, &Generic(float32), x, w, &mut [], &mut expected).unwrap();
        for machine in Machine::all() {
            let mut found = std::vec![0f32; output];
            let ran = on!(
                machine,
                super::float32::convolve_pooled | conv_2d_pooled_f32(&shape, &pool, &float32, x, w, &mut [], &mut found)
            );
            prop_assert!(ran);
            prop_assert_eq!(bits(&found), bits(&expected));
        }
    }

    #[test]
    fn float32_dense_layers(batches in 1..4u32, depth in 1..70u32, units in 1..40u32, case in case()) {
        let shape = FullyConnected { batches, depth, units };
        let floats = Floats::new(&case, batches * depth, units * depth, units);
        let float32 = floats.arithmetic(&case);
        let mut expected = std::vec![0f32; (batches * units) as usize];
        let (x, w) = (&floats.input, &floats.filter);
        fully_connected::run(&shape, &Generic(float32), x, w, &mut expected).unwrap();
        for machine in Machine::all() {
            let mut found = std::vec![0f32; expected.len()];
            let ran = on!(
                machine,
                super::float32::connect | fully_connected_f32(&shape, &float32, x, w, &mut found)
            );
            prop_assert!(ran);
            prop_assert_eq!(bits(&found), bits(&expected));
        }
    }

    #[test]
    fn poolings(shape in pooling(), case in case()) {
        let Pool2d { batches, rows, columns, channels } = shape;
        let input = elements([batches, rows.input, columns.input, channels]);
        let output = elements([batches, rows.output, columns.output, channels]) as usize;

        let x = Numbers(case.seed).bytes(input);
        let [min, max] = case.range.map(i32::from);
        let range = Clamp { min, max };
        let mut expected = std::vec![0i8; output];
        max_pool_2d::run(&shape, range, &x, &mut expected, |_, _, _, _| false).unwrap();
        for machine in Machine::all() {
            let mut found = std::vec![0i8; output];
            prop_assert!(on!(machine, super::pool | max_pool_2d_i8(&shape, range, &x, &mut found)));
            prop_assert_eq!(&found, &expected);
        }

        let x = Numbers(case.seed).floats(input, true);
        let range = f32::RANGE;
        let mut expected = std::vec![0f32; output];
        max_pool_2d::run(&shape, range, &x, &mut expected, |_, _, _, _| false).unwrap();
        for machine in Machine::all() {
            let mut found = std::vec![0f32; output];
            prop_assert!(on!(machine, super::pool | max_pool_2d_f32(&shape, range, &x, &mut found)));
            prop_assert_eq!(bits(&found), bits(&expected));
        }
    }
}
