//! Every operator that the GPU takes, by itself.

use ember_core::{Activation, BuiltinOp, Padding};
use ember_tflite::{
    AddOptions, ConcatenationOptions, Conv2dOptions, DepthwiseConv2dOptions, DivOptions,
    FullyConnectedOptions, LeakyReluOptions, MulOptions, Options, Pool2dOptions, ReducerOptions,
    ReshapeOptions, SoftmaxOptions, SubOptions,
};

use crate::case::Case;
use crate::gpu;

#[test]
fn convolutions_are_near_the_interpreters() {
    let Some(gpu) = gpu() else { return };
    for (padding, stride, dilation, size, activation) in [
        (Padding::Same, 1, 1, 3, Activation::None),
        (Padding::Same, 2, 1, 3, Activation::Relu),
        (Padding::Valid, 1, 1, 3, Activation::Relu6),
        (Padding::Valid, 2, 1, 2, Activation::ReluN1To1),
        (Padding::Same, 1, 2, 3, Activation::None),
        (Padding::Same, 2, 1, 4, Activation::None),
        (Padding::Same, 1, 1, 1, Activation::Relu),
    ] {
        let (height, width): (usize, usize) = (9, 8);
        let reach = (size - 1) * dilation + 1;
        let out = |given: usize| match padding {
            Padding::Same => given.div_ceil(stride),
            Padding::Valid => (given - reach) / stride + 1,
        };
        let shape = |channels| [2, out(height), out(width), channels];
        let name = format!("{padding:?} stride {stride} dilation {dilation} size {size}");
        for (filters, depth) in [(5, 4), (6, 2)] {
            let options = Conv2dOptions {
                padding,
                stride_w: stride as i32,
                stride_h: stride as i32,
                dilation_w_factor: dilation as i32,
                dilation_h_factor: dilation as i32,
                fused_activation_function: activation,
                ..Conv2dOptions::default()
            };
            Case::new(format!("{name} depth {depth}"), &[&[2, height, width, 4]])
                .constant(&[filters, size, size, depth])
                .constant(&[filters])
                .check(&gpu, BuiltinOp::Conv2d, options, &shape(filters));
        }
        for multiplier in [1, 2] {
            let options = DepthwiseConv2dOptions {
                padding,
                stride_w: stride as i32,
                stride_h: stride as i32,
                dilation_w_factor: dilation as i32,
                dilation_h_factor: dilation as i32,
                depth_multiplier: multiplier as i32,
                fused_activation_function: activation,
            };
            Case::new(
                format!("{name} times {multiplier}"),
                &[&[2, height, width, 4]],
            )
            .constant(&[1, size, size, 4 * multiplier])
            .constant(&[4 * multiplier])
            .check(
                &gpu,
                BuiltinOp::DepthwiseConv2d,
                options,
                &shape(4 * multiplier),
            );
        }
        if dilation == 1 {
            let options = Pool2dOptions {
                padding,
                stride_w: stride as i32,
                stride_h: stride as i32,
                filter_width: size as i32,
                filter_height: size as i32,
                fused_activation_function: activation,
            };
            for op in [BuiltinOp::MaxPool2d, BuiltinOp::AveragePool2d] {
                Case::new(name.clone(), &[&[2, height, width, 4]]).check(
                    &gpu,
                    op,
                    options,
                    &shape(4),
                );
            }
        }
    }
}

#[test]
fn dense_layers_and_softmax_are_near_the_interpreters() {
    let Some(gpu) = gpu() else { return };
    for rows in [1, 3] {
        let options = FullyConnectedOptions {
            fused_activation_function: Activation::Relu,
            ..FullyConnectedOptions::default()
        };
        Case::new(format!("{rows} rows"), &[&[rows, 70]])
            .constant(&[11, 70])
            .constant(&[11])
            .check(&gpu, BuiltinOp::FullyConnected, options, &[rows, 11]);
        Case::new(format!("{rows} rows, no bias"), &[&[rows, 2, 5]])
            .constant(&[4, 10])
            .check(
                &gpu,
                BuiltinOp::FullyConnected,
                FullyConnectedOptions::default(),
                &[rows, 4],
            );
        let softmax = SoftmaxOptions { beta: 1.5 };
        let shape = [rows, 10];
        Case::new(format!("{rows} rows"), &[&shape]).check(
            &gpu,
            BuiltinOp::Softmax,
            softmax,
            &shape,
        );
    }
}

#[test]
fn elementwise_operators_are_near_the_interpreters() {
    let Some(gpu) = gpu() else { return };
    let (wide, row): (&[usize], &[usize]) = (&[2, 3, 4, 5], &[4, 1]);
    let clamped = MulOptions {
        fused_activation_function: Activation::Relu,
    };
    let binary: [(BuiltinOp, Options); 6] = [
        (BuiltinOp::Add, AddOptions::default().into()),
        (BuiltinOp::Sub, SubOptions::default().into()),
        (BuiltinOp::Mul, clamped.into()),
        (BuiltinOp::Maximum, Options::None),
        (BuiltinOp::Minimum, Options::None),
        (BuiltinOp::SquaredDifference, Options::None),
    ];
    for (op, options) in binary {
        Case::new("equal", &[wide, wide]).check(&gpu, op, options, wide);
        Case::new("broadcast", &[wide, row]).check(&gpu, op, options, wide);
        Case::new("constant", &[wide])
            .constant(&[5])
            .check(&gpu, op, options, wide);
    }
    Case::new("", &[wide, row])
        .positive()
        .check(&gpu, BuiltinOp::Div, DivOptions::default(), wide);
    Case::new("slopes", &[wide]).constant(&[1, 1, 5]).check(
        &gpu,
        BuiltinOp::Prelu,
        Options::None,
        wide,
    );
    let leaky = LeakyReluOptions { alpha: 0.125 };
    Case::new("", &[wide]).check(&gpu, BuiltinOp::LeakyRelu, leaky, wide);
    for op in [
        BuiltinOp::Relu,
        BuiltinOp::Relu6,
        BuiltinOp::Logistic,
        BuiltinOp::Tanh,
        BuiltinOp::Elu,
        BuiltinOp::HardSwish,
        BuiltinOp::Abs,
        BuiltinOp::Neg,
        BuiltinOp::Exp,
        BuiltinOp::Square,
    ] {
        Case::new("", &[wide]).check(&gpu, op, Options::None, wide);
    }
    for op in [BuiltinOp::Log, BuiltinOp::Sqrt, BuiltinOp::Rsqrt] {
        Case::new("", &[wide])
            .positive()
            .check(&gpu, op, Options::None, wide);
    }
}

#[test]
fn moves_and_reductions_are_near_the_interpreters() {
    let Some(gpu) = gpu() else { return };
    Case::new("flat", &[&[2, 3, 4, 5]]).check(
        &gpu,
        BuiltinOp::Reshape,
        ReshapeOptions::default(),
        &[2, 60],
    );
    Case::new("", &[&[2, 1, 5]]).check(&gpu, BuiltinOp::Squeeze, Options::None, &[2, 5]);
    Case::new("", &[&[2, 5]]).integers(&[1], &[1]).check(
        &gpu,
        BuiltinOp::ExpandDims,
        Options::None,
        &[2, 1, 5],
    );
    for (axis, parts, whole) in [
        (3, [[2, 3, 4, 5], [2, 3, 4, 2]], [2, 3, 4, 7]),
        (-3, [[2, 3, 4, 5], [2, 1, 4, 5]], [2, 4, 4, 5]),
    ] {
        let options = ConcatenationOptions {
            axis,
            ..ConcatenationOptions::default()
        };
        let parts: Vec<&[usize]> = parts.iter().map(|part| part.as_slice()).collect();
        Case::new(format!("along {axis}"), &parts).check(
            &gpu,
            BuiltinOp::Concatenation,
            options,
            &whole,
        );
    }
    Case::new("rows and columns", &[&[1, 3, 4, 2]])
        .integers(&[4, 2], &[0, 0, 1, 2, 0, 3, 0, 0])
        .check(&gpu, BuiltinOp::Pad, Options::None, &[1, 6, 7, 2]);
    Case::new("with a value", &[&[3, 4]])
        .integers(&[2, 2], &[1, 0, 0, 2])
        .constant(&[1])
        .check(&gpu, BuiltinOp::Padv2, Options::None, &[4, 6]);
    Case::new("to channels first", &[&[2, 3, 4, 5]])
        .integers(&[4], &[0, 3, 1, 2])
        .check(&gpu, BuiltinOp::Transpose, Options::None, &[2, 5, 3, 4]);
    for op in [
        BuiltinOp::Mean,
        BuiltinOp::Sum,
        BuiltinOp::ReduceMax,
        BuiltinOp::ReduceMin,
    ] {
        for keep_dims in [false, true] {
            let shape: &[usize] = if keep_dims { &[2, 1, 1, 5] } else { &[2, 5] };
            Case::new(format!("keep {keep_dims}"), &[&[2, 3, 4, 5]])
                .integers(&[2], &[1, -2])
                .check(&gpu, op, ReducerOptions { keep_dims }, shape);
        }
    }
}
