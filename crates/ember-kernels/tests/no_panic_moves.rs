//! Operators that move, reduce and compare elements, with parameters that make no sense: an error, never a panic, with
//! overflow checks on.

use core::cmp::Ordering;
use core::marker::PhantomData;
use ember_core::{Clamp, QuantizedMultiplier};
use ember_kernels::arg_max::{self, About, Order};
use ember_kernels::axes::Sizes;
use ember_kernels::batch_matmul::{self, BatchMatmul, Side};
use ember_kernels::gather::{self, Gather, GatherNd};
use ember_kernels::maximum_minimum::Maximum;
use ember_kernels::mirror_pad::{self, MirrorAxis};
use ember_kernels::reduce::{self, Reduce, ReduceAxis};
use ember_kernels::resize::{self, Resize};
use ember_kernels::select_v2::{self, SelectAxis};
use ember_kernels::space_to_batch_nd::{self, SpaceToBatch, SpaceToBatchAt};
use ember_kernels::strided::{self, Strided, StridedAxis};
use ember_kernels::{Bool, binary, broadcast::Broadcast, div, mul, prelu, sub, unary};
use ember_kernels::{abs, add, comparisons, elu, hard_swish, l2, leaky_relu, logistic, quantize};
use ember_kernels::{cast, squared_difference};
use proptest::prelude::*;

/// A size: mostly small, sometimes absurd.
fn size() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0..5u32, 1 => any::<u32>(), 1 => Just(u32::MAX), 1 => Just(1 << 31)]
}

/// A size that a loop over it ends with.
fn count() -> impl Strategy<Value = u32> {
    prop_oneof![0..5u32, 0..40u32]
}

/// A step in either direction.
fn step() -> impl Strategy<Value = i32> {
    prop_oneof![8 => -4..5i32, 1 => any::<i32>(), 1 => Just(i32::MIN)]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..60)
}

fn signed(bytes: &[u8]) -> Vec<i8> {
    bytes.iter().map(|byte| byte.cast_signed()).collect()
}

fn multiplier() -> impl Strategy<Value = QuantizedMultiplier> {
    (0..=i32::MAX, -31..=30i32)
        .prop_map(|(multiplier, shift)| QuantizedMultiplier { multiplier, shift })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn moves(
        axes in proptest::array::uniform6((count(), step(), step())), starts in [size(), size()], element in count(),
        input in bytes(), mut output in bytes(), sizes in proptest::array::uniform5((size(), size(), count())),
        indices in proptest::collection::vec(step(), 0..9), edge in 0..2u32,
    ) {
        let axes = axes.map(|(count, input_step, output_step)| StridedAxis { count: count.min(6), input_step, output_step });
        let shape = Strided { axes, input_start: starts[0], output_start: starts[1], element };
        let _ = strided::copy(&shape, &input, &mut output);
        let _ = strided::fill(&input, &mut output);
        let [a, b, c, d, e] = sizes;
        let shape = Gather { batches: a.0, outer: b.2, axis: c.0, inner: d.0, count: e.2 };
        let _ = gather::gather(&shape, &input, &indices, &mut output);
        let shape = GatherNd { sizes: [a.0, b.0, c.0, d.0, e.0], dimensions: starts[0], inner: starts[1] };
        let _ = gather::gather_nd(&shape, &input, &indices, &mut output);
        let mirrors = sizes.map(|(size, before, output)| MirrorAxis { size, before, output });
        let [first, ..] = mirrors;
        let mirrors = [first, mirrors[0], mirrors[1], mirrors[2], mirrors[3], mirrors[4]];
        let _ = mirror_pad::bytes(&mirrors, edge, element, &input, &mut output);
        let numbers = indices.clone();
        let _ = mirror_pad::bytes_at(&mirrors, starts[0] % 8, edge, element, &input, &numbers, &mut output);
        let sizes_of = [a.0, b.0, c.0, d.0, e.0, a.2];
        let whole = Sizes { sizes: sizes_of, rank: starts[1] % 9 };
        let _ = strided::reverse_at(&whole, element, &input, &numbers, &mut output);
        let _ = reduce::float32_at(&whole, edge, &vec![0.5; input.len()], &numbers, &mut vec![0.0; output.len()]);
        let _ = arg_max::position_at(&whole, Ordering::Greater, &signed(&input), &numbers, &mut [0; 7]);
        let selects = sizes.map(|(step, other, size)| SelectAxis { size, steps: [step, other, 1] });
        let condition: Vec<Bool> = input.iter().map(|byte| Bool::new(byte % 2 == 0)).collect();
        let _ = select_v2::bytes(&selects, element, &condition, [&input, &input], &mut output.clone());
        let shape = SpaceToBatch {
            batches: a.2, space: [a.0, b.0], batch: [c.2.min(6), d.2.min(6)], block: [e.2.min(5), a.2.min(5)], before: [d.0, e.0],
            pixel: element,
        };
        let _ = space_to_batch_nd::to_space(&shape, &input, &mut output);
        let _ = space_to_batch_nd::to_batch(&shape, &input, &mut output);
        let shape = SpaceToBatchAt { shape, small_batches: b.2, sides: starts[0] % 4 };
        let (blocks, around) = numbers.split_at(numbers.len().min(2));
        let _ = space_to_batch_nd::to_space_at(&shape, &input, blocks, around, &mut output);
        let _ = space_to_batch_nd::to_batch_at(&shape, &input, blocks, around, &mut output);
        let shape = Resize {
            batches: a.2, input: [b.0, c.0], output: [b.2, c.2], depth: element, align_corners: edge, half_pixel_centers: d.2 % 2,
        };
        let _ = resize::nearest(&shape, element, &input, &mut output);
        let _ = resize::bilinear_int8(&shape, &signed(&input), &mut signed(&output));
        let _ = resize::bilinear_float32(&shape, &vec![0.5; input.len()], &mut vec![0.0; output.len()]);
    }

    #[test]
    fn reductions(
        kept in proptest::array::uniform6((count(), size())), reduced in proptest::array::uniform6((count(), size())),
        input in bytes(), output in bytes(), numbers: [i32; 3], multiplier in multiplier(), sizes in [size(), size(), size()],
        steps in [size(), size(), size(), size()], batches in [count(), count(), count()],
    ) {
        let axis = |(count, step): (u32, u32)| ReduceAxis { count: count.min(5), step };
        let shape = Reduce { kept: kept.map(axis), reduced: reduced.map(axis) };
        let (input, mut output) = (signed(&input), signed(&output));
        let quantization = reduce::Quantization { input_offset: numbers[0], multiplier, output_zero_point: numbers[1] };
        let _ = quantization.mean(sizes[0]);
        let _ = reduce::quantized(&shape, &quantization, &input, &mut output);
        let _ = reduce::extreme(&shape, Ordering::Greater, &input, &mut output);
        let _ = reduce::float32(&shape, 0.0, &vec![1.0; input.len()], &mut vec![0.0; output.len()]);
        let _ = reduce::all(&shape, &vec![Bool::new(true); input.len()], &mut vec![Bool::new(false); output.len()]);
        let about = About { outer: sizes[0], axis: sizes[1], inner: sizes[2] };
        let _ = arg_max::position(&about, Ordering::Less, &input, &mut vec![0; output.len()]);
        let order = Order { exclusive: steps[0], reverse: steps[1] };
        let quantization = add::Quantized {
            input_zero_points: [numbers[0], numbers[1]], input_multipliers: [multiplier; 2], output_multiplier: multiplier,
            left_shift: 20, output_zero_point: numbers[2], range: Clamp { min: numbers[0], max: numbers[1] },
        };
        let _ = arg_max::sums_int8(&about, order, &quantization, &input, &mut output);
        let _ = l2::int8(sizes[0], numbers[0], &input, &mut output);
        let side = |at: usize| Side { batch_steps: [steps[at], sizes[0], sizes[1]], step: steps[at + 1], depth_step: sizes[2] };
        let shape = BatchMatmul {
            batches, rows: batches[0], columns: batches[1], depth: batches[2], sides: [side(0), side(2)],
        };
        let quantization = batch_matmul::Quantization {
            input_zero_points: [numbers[0], numbers[1]], multiplier, output_zero_point: numbers[2],
        };
        let _ = batch_matmul::int8(&shape, &quantization, &input, &input, &mut output);
    }

    /// Whatever the parameters, every element has an output.
    #[test]
    fn elements(x: i8, y: i8, wide: i16, bits: u32, numbers: [i32; 4], multiplier in multiplier(), other in multiplier(), scale in 1e-9f32..1e9) {
        let one = Broadcast::new([1].into_iter(), [1].into_iter()).unwrap();
        let range = Clamp { min: numbers[2], max: numbers[3] };
        let sum = add::Quantized {
            input_zero_points: [numbers[0], numbers[1]], input_multipliers: [multiplier, other], output_multiplier: multiplier,
            left_shift: 20, output_zero_point: numbers[2], range,
        };
        let mut out = [0i8];
        let _ = binary::run(&one, &sub::Quantized(&sum, PhantomData), &[x], &[y], &mut out);
        let _ = binary::run(&one, &squared_difference::Quantized(&sum, PhantomData), &[x], &[y], &mut out);
        let _ = binary::run(&one, &Maximum(PhantomData), &[x], &[y], &mut out);
        let product = mul::Quantization { input_zero_points: [numbers[0], numbers[1]], multiplier, output_zero_point: numbers[2], range };
        let _ = binary::run(&one, &mul::Quantized(&product, PhantomData), &[x], &[y], &mut out);
        let quotient = mul::Quantization { input_zero_points: [i32::from(y) / 2, i32::from(x) / 2], ..product };
        let _ = binary::run(&one, &div::Int8(&quotient), &[x], &[y], &mut out);
        let slopes = prelu::Quantization {
            input_zero_point: numbers[0], alpha_zero_point: numbers[1], output_zero_point: numbers[2], multiplier, alpha_multiplier: other,
        };
        let _ = binary::run(&one, &prelu::Quantized(&slopes, PhantomData), &[x], &[y], &mut out);
        let scaled = comparisons::Quantization { zero_points: [numbers[0], numbers[1]], multipliers: [multiplier, other] };
        let less = comparisons::Scaled::<comparisons::Less, i8>(&scaled, PhantomData);
        let _ = binary::run(&one, &less, &[x], &[y], &mut [Bool::new(false)]);
        let whole = Clamp { min: i32::MIN, max: i32::MAX };
        let _ = binary::run(&one, &div::Int32(whole), &[numbers[0]], &[numbers[1]], &mut [0]);
        let float = f32::from_bits(bits);
        let _ = binary::run(&one, &div::Floor, &[float], &[scale], &mut [0.0]);
        let _ = binary::run(&one, &div::Modulo, &[float], &[scale], &mut [0.0]);
        let _ = binary::run(&one, &div::Modulo, &[scale], &[float], &mut [0.0]);

        let to = quantize::Requantize { multiplier, input_zero_point: numbers[0], output_zero_point: numbers[1] };
        let _ = unary::run(&abs::Abs(&to, PhantomData), &[x], &mut out);
        let root = quantize::Requantize { input_zero_point: i32::from(x), ..to };
        let _ = unary::run(&abs::Rsqrt(&root, PhantomData), &[y], &mut out);
        let leaky = leaky_relu::Quantization {
            input_zero_point: numbers[0], output_zero_point: numbers[1], multiplier, alpha_multiplier: other, alpha_sign: -1,
        };
        let _ = unary::run(&leaky_relu::Quantized(&leaky, PhantomData), &[wide], &mut [0]);
        if let Some(quantization) = logistic::Quantization::new(scale, i32::from(y)) {
            unary::run(&logistic::Int8(&quantization), &[x], &mut out).unwrap();
            unary::run(&logistic::TanhInt8(&quantization), &[x], &mut out).unwrap();
        }
        if let Some(steps) = logistic::Steps::new(scale, 1) {
            let mut out = [0];
            unary::run(&logistic::Int16(&steps), &[wide], &mut out).unwrap();
            prop_assert!(out[0] >= 0, "LOGISTIC of {} is {}", wide, out[0]);
            unary::run(&logistic::TanhInt16(&steps), &[wide], &mut out).unwrap();
            prop_assert!(wide == 0 || i32::from(out[0]) * i32::from(wide.signum()) >= -1, "TANH of {} is {}", wide, out[0]);
        }
        let swish = hard_swish::Quantization {
            input_zero_point: i32::from(y), output_zero_point: i32::from(x), output_multiplier: numbers[0] >> 16 & 0x7fff,
            output_exponent: -(numbers[1] & 15), ramp_multiplier: numbers[2] >> 16 & 0x7fff, ramp_exponent: (numbers[3] & 63) - 15,
        };
        unary::run(&hard_swish::Int8(&swish), &[x], &mut out).unwrap();
        let affine = quantize::Affine { scale, zero_point: i32::from(y) };
        let _ = elu::entry(affine, quantize::Affine { scale: 1.0 / scale, zero_point: numbers[0] >> 24 }, x);
        unary::run(&cast::Cast::<f32, i8>(PhantomData), &[float], &mut out).unwrap();
        unary::run(&cast::Cast::<f32, u32>(PhantomData), &[float], &mut [0]).unwrap();
    }
}
