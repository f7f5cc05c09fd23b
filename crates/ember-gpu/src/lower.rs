//! From an operator of the file to a step, where the GPU takes it.
//!
//! **Invariant:** a step that comes from here fits its tensors. Burn panics where sizes do not fit; what is wrong with an
//! operator is for the interpreter to say, so it is left to it.

use std::borrow::Cow;

use ember_core::{Activation, BuiltinOp, Dtype, Padding};
use ember_lite::Node;
use ember_tflite::{
    AddOptions, ConcatenationOptions, Conv2dOptions, DepthwiseConv2dOptions, DivOptions,
    FullyConnectedOptions, LeakyReluOptions, MulOptions, OptionsTable, Pool2dOptions,
    ReducerOptions, SoftmaxOptions, SubOptions, Tensor, TensorId, WeightsFormat,
};

use crate::step::{Binary, Clamp, Kind, Operand, Reduce, Step, Unary, Window};

/// Why the GPU leaves an operator.
pub(crate) type Reason = Cow<'static, str>;

const OPTIONS: &str = "its options are not those of the operator";
const SHAPES: &str = "its shapes do not fit together";
const RANK: &str = "a tensor of more than four dimensions";
const WINDOW: &str = "a window, stride or dilation that is not positive, or larger than the image";

/// The step for an operator.
///
/// # Errors
/// Why the GPU does not take it.
pub(crate) fn step(node: &Node<'_>) -> Result<Step, Reason> {
    use BuiltinOp as Op;

    let op = node.op().ok_or("no GPU code for custom operators")?;
    match op {
        Op::Conv2d => conv(node),
        Op::DepthwiseConv2d => depthwise(node),
        Op::FullyConnected => dense(node),
        Op::MaxPool2d | Op::AveragePool2d => pool(node, op),
        Op::Add => binary(
            node,
            Binary::Add,
            options::<AddOptions>(node)?.fused_activation_function,
        ),
        Op::Sub => binary(
            node,
            Binary::Sub,
            options::<SubOptions>(node)?.fused_activation_function,
        ),
        Op::Mul => binary(
            node,
            Binary::Mul,
            options::<MulOptions>(node)?.fused_activation_function,
        ),
        Op::Div => binary(
            node,
            Binary::Div,
            options::<DivOptions>(node)?.fused_activation_function,
        ),
        Op::Maximum => binary(node, Binary::Maximum, Activation::None),
        Op::Minimum => binary(node, Binary::Minimum, Activation::None),
        Op::SquaredDifference => binary(node, Binary::SquaredDifference, Activation::None),
        Op::Prelu => binary(node, Binary::Prelu, Activation::None),
        Op::Relu => unary(node, Unary::Identity, Activation::Relu),
        Op::Relu6 => unary(node, Unary::Identity, Activation::Relu6),
        Op::LeakyRelu => {
            let slope = options::<LeakyReluOptions>(node)?.alpha;
            unary(node, Unary::LeakyRelu(slope), Activation::None)
        }
        Op::Logistic => unary(node, Unary::Logistic, Activation::None),
        Op::Tanh => unary(node, Unary::Tanh, Activation::None),
        Op::Elu => unary(node, Unary::Elu, Activation::None),
        Op::HardSwish => unary(node, Unary::HardSwish, Activation::None),
        Op::Abs => unary(node, Unary::Abs, Activation::None),
        Op::Neg => unary(node, Unary::Neg, Activation::None),
        Op::Exp => unary(node, Unary::Exp, Activation::None),
        Op::Log => unary(node, Unary::Log, Activation::None),
        Op::Sqrt => unary(node, Unary::Sqrt, Activation::None),
        Op::Rsqrt => unary(node, Unary::Rsqrt, Activation::None),
        Op::Square => unary(node, Unary::Square, Activation::None),
        Op::Softmax => softmax(node),
        Op::Reshape | Op::Squeeze | Op::ExpandDims => same(node),
        Op::Concatenation => concat(node),
        Op::Pad | Op::Padv2 => pad(node),
        Op::Mean => reduce(node, Reduce::Mean),
        Op::Sum => reduce(node, Reduce::Sum),
        Op::ReduceMax => reduce(node, Reduce::Max),
        Op::ReduceMin => reduce(node, Reduce::Min),
        Op::Transpose => transpose(node),
        other => Err(format!("no GPU code for {other}").into()),
    }
}

fn fits(condition: bool, reason: &'static str) -> Result<(), Reason> {
    condition.then_some(()).ok_or(reason.into())
}

fn options<T: OptionsTable>(node: &Node<'_>) -> Result<T, Reason> {
    node.options().ok_or(OPTIONS.into())
}

fn float(tensor: &Tensor<'_>, side: &str, place: usize) -> Result<(), Reason> {
    let dtype = tensor.dtype();
    if dtype != Dtype::Float32 {
        let wanted = Dtype::Float32;
        return Err(format!("{side} {place} is {dtype}, and the GPU takes {wanted}").into());
    }
    fits(tensor.elements() > 0, "a tensor without elements")
}

fn input<'m>(node: &Node<'m>, place: usize) -> Result<Tensor<'m>, Reason> {
    node.input(place).ok_or("an operand is left out".into())
}

/// The only output, which is float.
fn output<'m>(node: &Node<'m>) -> Result<Tensor<'m>, Reason> {
    fits(node.output_ids().len() == 1, "it has several outputs")?;
    let tensor = node.output(0).ok_or(SHAPES)?;
    float(&tensor, "output", 0)?;
    Ok(tensor)
}

/// A float operand of at least one element.
fn operand(node: &Node<'_>, place: usize) -> Result<Operand, Reason> {
    let tensor = input(node, place)?;
    let id = node.input_ids().nth(place).flatten().ok_or(SHAPES)?;
    float(&tensor, "input", place)?;
    if tensor.data().is_empty() {
        return Ok(Operand::Computed(id));
    }
    fits(tensor.data().len() == 4 * tensor.elements(), SHAPES)?;
    Ok(Operand::Constant(id))
}

/// The number of a float constant of these dimensions.
fn constant(node: &Node<'_>, place: usize, shape: &[usize]) -> Result<TensorId, Reason> {
    let Operand::Constant(id) = operand(node, place)? else {
        return Err("its weights are computed".into());
    };
    has_shape(&input(node, place)?, shape)?;
    Ok(id)
}

/// The integers of a constant.
fn integers(node: &Node<'_>, place: usize) -> Result<Vec<i32>, Reason> {
    let tensor = input(node, place)?;
    let known = tensor.dtype() == Dtype::Int32 && !tensor.data().is_empty();
    fits(known, "axes or sizes that are computed, or no INT32")?;
    let words = tensor.data().as_chunks().0.iter();
    Ok(words.map(|word| i32::from_le_bytes(*word)).collect())
}

/// The bias, where there is one.
fn bias(node: &Node<'_>, units: usize) -> Result<Option<Operand>, Reason> {
    match node.input_ids().nth(2).flatten() {
        None => Ok(None),
        Some(_) => Ok(Some(Operand::Constant(constant(node, 2, &[units])?))),
    }
}

fn clamp(activation: Activation) -> Result<Clamp, Reason> {
    match activation {
        Activation::None => Ok(Clamp::NONE),
        Activation::Relu => Ok(Clamp(Some(0.0), None)),
        Activation::ReluN1To1 => Ok(Clamp(Some(-1.0), Some(1.0))),
        Activation::Relu6 => Ok(Clamp(Some(0.0), Some(6.0))),
        Activation::Tanh | Activation::SignBit => {
            Err("a fused activation that only clamps in part".into())
        }
    }
}

fn built(
    node: &Node<'_>,
    kind: Kind,
    operands: impl IntoIterator<Item = Operand>,
    activation: Activation,
) -> Result<Step, Reason> {
    output(node)?;
    Ok(Step {
        kind,
        operands: operands.into_iter().collect(),
        output: node.output_ids().next().flatten().ok_or(SHAPES)?,
        clamp: clamp(activation)?,
    })
}

/// The dimensions with ones in front.
fn four(tensor: &Tensor<'_>) -> Result<[usize; 4], Reason> {
    let shape = tensor.shape();
    let missing = 4_usize.checked_sub(shape.len()).ok_or(RANK)?;
    let mut four = [1; 4];
    for (size, dimension) in four.iter_mut().skip(missing).zip(shape.iter()) {
        *size = dimension;
    }
    Ok(four)
}

fn has_shape(tensor: &Tensor<'_>, shape: &[usize]) -> Result<(), Reason> {
    fits(tensor.shape().iter().eq(shape.iter().copied()), SHAPES)
}

fn same_elements(node: &Node<'_>) -> Result<(), Reason> {
    fits(
        input(node, 0)?.elements() == output(node)?.elements(),
        SHAPES,
    )
}

/// Images `[N, H, W, C]` or filters, of at least one element.
fn images(node: &Node<'_>, place: usize) -> Result<[usize; 4], Reason> {
    operand(node, place)?;
    input(node, place)?.shape().to_array().ok_or(SHAPES.into())
}

/// Steps and sizes in the options; none is zero or negative.
fn sizes<const N: usize>(given: [i32; N]) -> Result<[usize; N], Reason> {
    let mut sizes = [0; N];
    for (size, given) in sizes.iter_mut().zip(given) {
        *size = usize::try_from(given).unwrap_or(0);
        fits(*size > 0, WINDOW)?;
    }
    Ok(sizes)
}

/// The window of an operator on images, and how many rows and columns come out. `size` has no zero.
///
/// Padding is what TensorFlow defines: SAME gives `ceil(size / stride)`, the odd one goes behind.
fn window(
    input: [usize; 4],
    size: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: Padding,
) -> Result<(Window, [usize; 2]), Reason> {
    let mut pads = [(0, 0); 2];
    let mut outputs = [0; 2];
    for axis in 0..2 {
        let given = input[axis + 1];
        let reach = (size[axis] - 1).checked_mul(dilation[axis]);
        let reach = reach.and_then(|reach| reach.checked_add(1)).ok_or(WINDOW)?;
        match padding {
            Padding::Same => {
                outputs[axis] = given.div_ceil(stride[axis]);
                // At most `given`, so that nothing overflows.
                let last = (outputs[axis] - 1) * stride[axis];
                let total = last.checked_add(reach).ok_or(WINDOW)?.saturating_sub(given);
                pads[axis] = (total / 2, total - total / 2);
            }
            Padding::Valid => {
                let free = given.checked_sub(reach).ok_or(WINDOW)?;
                outputs[axis] = free / stride[axis] + 1;
            }
        }
    }
    let window = Window {
        input,
        size,
        stride,
        dilation,
        padding: pads,
    };
    Ok((window, outputs))
}

fn conv(node: &Node<'_>) -> Result<Step, Reason> {
    let options: Conv2dOptions = options(node)?;
    let (input, filter) = (images(node, 0)?, images(node, 1)?);
    let [outputs, rows, columns, depth] = filter;
    let groups = input[3] / depth;
    let whole = groups > 0 && groups * depth == input[3] && outputs.is_multiple_of(groups);
    fits(whole, SHAPES)?;
    let (window, [height, width]) = window(
        input,
        [rows, columns],
        sizes([options.stride_h, options.stride_w])?,
        sizes([options.dilation_h_factor, options.dilation_w_factor])?,
        options.padding,
    )?;
    has_shape(&output(node)?, &[input[0], height, width, outputs])?;
    let weights = Operand::Constant(constant(node, 1, &filter)?);
    let operands = [operand(node, 0)?, weights];
    let operands = operands.into_iter().chain(bias(node, outputs)?);
    let kind = Kind::Conv {
        window,
        outputs,
        groups,
    };
    built(node, kind, operands, options.fused_activation_function)
}

fn depthwise(node: &Node<'_>) -> Result<Step, Reason> {
    let options: DepthwiseConv2dOptions = options(node)?;
    let (input, filter) = (images(node, 0)?, images(node, 1)?);
    let [1, rows, columns, outputs] = filter else {
        return Err(SHAPES.into());
    };
    fits(outputs.is_multiple_of(input[3]), SHAPES)?;
    let (window, [height, width]) = window(
        input,
        [rows, columns],
        sizes([options.stride_h, options.stride_w])?,
        sizes([options.dilation_h_factor, options.dilation_w_factor])?,
        options.padding,
    )?;
    has_shape(&output(node)?, &[input[0], height, width, outputs])?;
    // `[1, rows, columns, out]` becomes `[out, rows, columns, 1]`.
    let weights = Operand::Transposed(constant(node, 1, &filter)?, [rows * columns, outputs]);
    let operands = [operand(node, 0)?, weights];
    let operands = operands.into_iter().chain(bias(node, outputs)?);
    let kind = Kind::Conv {
        window,
        outputs,
        groups: input[3],
    };
    built(node, kind, operands, options.fused_activation_function)
}

fn dense(node: &Node<'_>) -> Result<Step, Reason> {
    let options: FullyConnectedOptions = options(node)?;
    let plain = options.weights_format == WeightsFormat::Default;
    fits(plain, "its weights are shuffled")?;
    let operands = [operand(node, 0)?, operand(node, 1)?];
    let [units, depth] = input(node, 1)?.shape().to_array().ok_or(SHAPES)?;
    let elements = input(node, 0)?.elements();
    let rows = elements / depth;
    let whole = rows * depth == elements && output(node)?.elements() == rows * units;
    fits(whole, SHAPES)?;
    let operands = operands.into_iter().chain(bias(node, units)?);
    let kind = Kind::Dense { rows, depth, units };
    built(node, kind, operands, options.fused_activation_function)
}

fn pool(node: &Node<'_>, op: BuiltinOp) -> Result<Step, Reason> {
    let options: Pool2dOptions = options(node)?;
    let input = images(node, 0)?;
    let (window, [height, width]) = window(
        input,
        sizes([options.filter_height, options.filter_width])?,
        sizes([options.stride_h, options.stride_w])?,
        [1, 1],
        options.padding,
    )?;
    has_shape(&output(node)?, &[input[0], height, width, input[3]])?;
    let kind = match op {
        BuiltinOp::MaxPool2d => Kind::MaxPool(window),
        _ => Kind::AveragePool(window),
    };
    built(
        node,
        kind,
        [operand(node, 0)?],
        options.fused_activation_function,
    )
}

fn binary(node: &Node<'_>, op: Binary, activation: Activation) -> Result<Step, Reason> {
    let operands = [operand(node, 0)?, operand(node, 1)?];
    let (a, b) = (four(&input(node, 0)?)?, four(&input(node, 1)?)?);
    let mut wide = [0; 4];
    for ((wide, a), b) in wide.iter_mut().zip(a).zip(b) {
        fits(a == b || a == 1 || b == 1, SHAPES)?;
        *wide = a.max(b);
    }
    fits(four(&output(node)?)? == wide, SHAPES)?;
    let kind = Kind::Binary { op, shapes: [a, b] };
    built(node, kind, operands, activation)
}

fn unary(node: &Node<'_>, op: Unary, activation: Activation) -> Result<Step, Reason> {
    let operands = [operand(node, 0)?];
    same_elements(node)?;
    built(node, Kind::Unary(op), operands, activation)
}

/// Another shape of the same elements. What the file says of the shape beside the output's own does not matter, unless it is
/// computed.
fn same(node: &Node<'_>) -> Result<Step, Reason> {
    let operands = [operand(node, 0)?];
    same_elements(node)?;
    if node.input(1).is_some() {
        integers(node, 1)?;
    }
    built(node, Kind::Same, operands, Activation::None)
}

fn softmax(node: &Node<'_>) -> Result<Step, Reason> {
    let beta = options::<SoftmaxOptions>(node)?.beta;
    let operands = [operand(node, 0)?];
    same_elements(node)?;
    let depth = input(node, 0)?.shape().last().ok_or(SHAPES)?;
    let rows = input(node, 0)?.elements() / depth;
    let kind = Kind::Softmax { rows, depth, beta };
    built(node, kind, operands, Activation::None)
}

/// A dimension that may count from the end.
fn axis(given: i32, rank: usize) -> Result<usize, Reason> {
    let from_front = usize::try_from(given).ok();
    let from_end = || rank.checked_sub(usize::try_from(given.checked_neg()?).ok()?);
    let axis = from_front.or_else(from_end);
    axis.filter(|axis| *axis < rank).ok_or(SHAPES.into())
}

fn concat(node: &Node<'_>) -> Result<Step, Reason> {
    let options: ConcatenationOptions = options(node)?;
    let whole: Vec<usize> = output(node)?.shape().iter().collect();
    let axis = axis(options.axis, whole.len())?;
    let outer: usize = whole[..axis].iter().product();
    let (mut operands, mut widths, mut sum) = (Vec::new(), Vec::new(), 0_usize);
    for place in 0..node.input_ids().len() {
        operands.push(operand(node, place)?);
        let part: Vec<usize> = input(node, place)?.shape().iter().collect();
        let same = part.len() == whole.len()
            && (0..whole.len()).all(|at| at == axis || part[at] == whole[at]);
        fits(same, SHAPES)?;
        sum = sum.checked_add(part[axis]).ok_or(SHAPES)?;
        widths.push(part[axis..].iter().product());
    }
    fits(sum == whole[axis], SHAPES)?;
    let kind = Kind::Concat { outer, widths };
    built(node, kind, operands, options.fused_activation_function)
}

fn pad(node: &Node<'_>) -> Result<Step, Reason> {
    let operands = [operand(node, 0)?];
    let shape = four(&input(node, 0)?)?;
    let rank = input(node, 0)?.shape().len();
    let given = integers(node, 1)?;
    fits(given.len() == 2 * rank, SHAPES)?;
    let mut padding = [(0, 0); 4];
    for (padding, sides) in padding[4 - rank..].iter_mut().zip(given.as_chunks().0) {
        let [before, behind] = sides.map(usize::try_from);
        *padding = (before.map_err(|_| SHAPES)?, behind.map_err(|_| SHAPES)?);
    }
    let mut padded = shape;
    for (size, (before, behind)) in padded.iter_mut().zip(padding) {
        let sum = size
            .checked_add(before)
            .and_then(|sum| sum.checked_add(behind));
        *size = sum.ok_or(SHAPES)?;
    }
    fits(four(&output(node)?)? == padded, SHAPES)?;
    let value = match node.input_ids().nth(2).flatten() {
        None => 0.0,
        Some(_) => {
            let tensor = input(node, 2)?;
            float(&tensor, "input", 2)?;
            let value = tensor.data().first_chunk();
            f32::from_le_bytes(*value.ok_or("its padding value is computed")?)
        }
    };
    let kind = Kind::Pad {
        shape,
        padding,
        value,
    };
    built(node, kind, operands, Activation::None)
}

fn reduce(node: &Node<'_>, op: Reduce) -> Result<Step, Reason> {
    let options: ReducerOptions = options(node)?;
    let operands = [operand(node, 0)?];
    let input = input(node, 0)?;
    let (shape, rank) = (four(&input)?, input.shape().len());
    let mut axes = [false; 4];
    for given in integers(node, 1)? {
        axes[axis(given, rank)? + 4 - rank] = true;
    }
    let dimensions = || shape.iter().zip(axes).skip(4 - rank);
    let kept = |(size, reduced): (&usize, bool)| match (reduced, options.keep_dims) {
        (false, _) => Some(*size),
        (true, true) => Some(1),
        (true, false) => None,
    };
    let expected: Vec<usize> = dimensions().filter_map(kept).collect();
    has_shape(&output(node)?, &expected)?;
    let kind = Kind::Reduce { op, shape, axes };
    built(node, kind, operands, Activation::None)
}

fn transpose(node: &Node<'_>) -> Result<Step, Reason> {
    let operands = [operand(node, 0)?];
    let input = input(node, 0)?;
    let (shape, rank) = (four(&input)?, input.shape().len());
    let given = integers(node, 1)?;
    fits(given.len() == rank, SHAPES)?;
    let mut order = [0, 1, 2, 3];
    for (place, given) in order[4 - rank..].iter_mut().zip(given) {
        *place = axis(given, rank)? + 4 - rank;
    }
    let mut seen = [false; 4];
    for from in order {
        fits(!std::mem::replace(&mut seen[from], true), SHAPES)?;
    }
    fits(
        four(&output(node)?)? == order.map(|from| shape[from]),
        SHAPES,
    )?;
    let kind = Kind::Transpose { shape, order };
    built(node, kind, operands, Activation::None)
}
