//! Graph to text.

use std::fmt::{self, Write as _};

use ember_core::{Activation, Padding};

use super::{ACTIVATIONS, PADDINGS};
use crate::{Graph, Node, Op, Source, Unary, Value, Weightless, Window};

/// Whether the numbers of constants are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constants {
    /// In full: the text is the whole graph.
    Inline,
    /// Left out: they are kept elsewhere, as in a checkpoint.
    Elided,
}

/// The graph as text.
#[must_use]
pub fn print(graph: &Graph, constants: Constants) -> String {
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    let _ = write_graph(&mut text, graph, constants);
    text
}

fn write_graph(text: &mut String, graph: &Graph, constants: Constants) -> fmt::Result {
    writeln!(text, "graph {}", graph.name)?;
    let mut nodes = graph.nodes.iter();
    for value in &graph.values {
        match &value.source {
            Source::Input => {
                write!(text, "input {} ", value.name)?;
                write_list(text, &value.shape)?;
            }
            Source::Constant(numbers) => {
                write!(text, "constant {} ", value.name)?;
                write_list(text, &value.shape)?;
                if constants == Constants::Inline {
                    text.push_str(" =");
                    write_numbers(text, numbers)?;
                }
            }
            // Nodes stand in the order of their results.
            Source::Node => {
                if let Some(node) = nodes.next() {
                    write_node(text, graph, value, node)?;
                }
            }
        }
        text.push('\n');
    }
    for id in &graph.outputs {
        if let Some(value) = graph.get(*id) {
            writeln!(text, "output {}", value.name)?;
        }
    }
    Ok(())
}

fn write_node(text: &mut String, graph: &Graph, value: &Value, node: &Node) -> fmt::Result {
    write!(text, "{} ", value.name)?;
    write_list(text, &value.shape)?;
    write!(text, " = {}(", node.op.name())?;
    for (position, id) in node.inputs.iter().enumerate() {
        if position > 0 {
            text.push_str(", ");
        }
        text.push_str(graph.get(*id).map_or("?", |value| &value.name));
    }
    text.push(')');
    match &node.op {
        Op::Conv2d { window, .. } | Op::DepthwiseConv2d { window, .. } => {
            write_window(text, window)?;
        }
        Op::MaxPool2d { size, window } | Op::AveragePool2d { size, window } => {
            write!(text, " size=[{},{}]", size[0], size[1])?;
            write_window(text, window)?;
        }
        Op::TransposeConv { size, window, .. } => {
            write!(text, " size=[{},{}]", size[0], size[1])?;
            write_window(text, window)?;
        }
        Op::Weightless(op) => write_weightless(text, op)?,
        Op::Softmax { beta } => write!(text, " beta={}", Number(*beta))?,
        Op::BatchNorm { epsilon } => write!(text, " epsilon={}", Number(*epsilon))?,
        Op::Pad { before, after } => write!(
            text,
            " before=[{},{}] after=[{},{}]",
            before[0], before[1], after[0], after[1]
        )?,
        Op::FullyConnected { .. }
        | Op::Add { .. }
        | Op::Reshape { .. }
        | Op::Relu
        | Op::Relu6
        | Op::Quantize
        | Op::Dequantize => {}
    }
    if let Some(activation) = node.op.activation() {
        write!(text, " activation={}", activation_word(activation))?;
    }
    Ok(())
}

fn write_weightless(text: &mut String, op: &Weightless) -> fmt::Result {
    let mut list = |name: &str, numbers: &[usize]| {
        write!(text, " {name}=")?;
        write_list(text, numbers)
    };
    match op {
        Weightless::Reduce { axes, .. } => list("axes", axes),
        Weightless::Transpose { order } => list("order", order),
        Weightless::Slice { begin, end, step } => {
            list("begin", begin)?;
            list("end", end)?;
            list("step", step)
        }
        Weightless::Concatenation { axis } => write!(text, " axis={axis}"),
        Weightless::Resize {
            size,
            align_corners,
            half_pixel_centers,
            ..
        } => {
            list("size", size)?;
            match (align_corners, half_pixel_centers) {
                (true, _) => write!(text, " centers=corners"),
                (false, true) => write!(text, " centers=half"),
                (false, false) => Ok(()),
            }
        }
        Weightless::BatchMatmul { turned: true } => write!(text, " turned=true"),
        Weightless::Unary(Unary::LeakyRelu { slope }) => {
            write!(text, " slope={}", Number(*slope))
        }
        Weightless::BatchMatmul { turned: false }
        | Weightless::Unary(_)
        | Weightless::Binary(_)
        | Weightless::LogSoftmax => Ok(()),
    }
}

fn write_window(text: &mut String, window: &Window) -> fmt::Result {
    let [stride, dilation] = [window.stride, window.dilation];
    write!(text, " stride=[{},{}]", stride[0], stride[1])?;
    if dilation != [1, 1] {
        write!(text, " dilation=[{},{}]", dilation[0], dilation[1])?;
    }
    write!(text, " padding={}", padding_word(window.padding))
}

fn activation_word(wanted: Activation) -> &'static str {
    ACTIVATIONS
        .iter()
        .find(|(_, activation)| *activation == wanted)
        .map_or("none", |(word, _)| word)
}

fn padding_word(wanted: Padding) -> &'static str {
    PADDINGS
        .iter()
        .find(|(_, padding)| *padding == wanted)
        .map_or("valid", |(word, _)| word)
}

fn write_list(text: &mut String, numbers: &[usize]) -> fmt::Result {
    text.push('[');
    for (position, number) in numbers.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        write!(text, "{number}")?;
    }
    text.push(']');
    Ok(())
}

fn write_numbers(text: &mut String, numbers: &[f32]) -> fmt::Result {
    if let [first, _, ..] = numbers
        && numbers
            .iter()
            .all(|number| number.to_bits() == first.to_bits())
    {
        return write!(text, " fill {}", Number(*first));
    }
    for number in numbers {
        write!(text, " {}", Number(*number))?;
    }
    Ok(())
}

/// The shortest decimal that reads back as the same f32, whole numbers without a point.
struct Number(f32);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:?}", self.0);
        f.write_str(text.strip_suffix(".0").unwrap_or(&text))
    }
}
