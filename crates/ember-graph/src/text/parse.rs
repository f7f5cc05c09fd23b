//! Text to graph. Every error names the line.

use std::collections::BTreeMap;

use ember_core::{Activation, Padding};

use super::{ACTIVATIONS, PADDINGS};
use crate::builder::infer_node;
use crate::{
    Binary, Graph, GraphError, Node, Op, Reduction, Resizing, Source, Unary, Value, ValueId,
    Weightless, Window, shape, verify,
};

/// The graph of a text whose constants are all inline.
///
/// # Errors
/// With the line, when one cannot be understood; what [`verify()`](crate::verify()) finds in the graph.
pub fn parse(text: &str) -> Result<Graph, GraphError> {
    parse_lines(text, None)
}

/// The graph of a text; `lookup` gives the numbers of each constant that the text has without any, by name and shape.
///
/// # Errors
/// With the line, when one cannot be understood; what `lookup` says; what [`verify()`](crate::verify()) finds.
pub fn parse_with(
    text: &str,
    lookup: impl Fn(&str, &[usize]) -> Result<Vec<f32>, GraphError>,
) -> Result<Graph, GraphError> {
    parse_lines(text, Some(&lookup))
}

/// Gives the numbers of a constant that the text has without any.
type Lookup<'a> = &'a dyn Fn(&str, &[usize]) -> Result<Vec<f32>, GraphError>;

fn parse_lines(text: &str, lookup: Option<Lookup<'_>>) -> Result<Graph, GraphError> {
    let mut parser = Parser {
        graph: None,
        ids: BTreeMap::new(),
    };
    for (line, number) in text.lines().zip(1..) {
        let content = line.split_once('#').map_or(line, |(content, _)| content);
        match parser.line(content, lookup) {
            Ok(()) => {}
            Err(Fault::Text(problem)) => {
                return Err(GraphError::Text {
                    line: number,
                    problem,
                });
            }
            Err(Fault::Graph(error)) => return Err(error),
        }
    }
    let graph = parser.graph.ok_or_else(|| GraphError::Text {
        line: 1,
        problem: "the text has no line \"graph NAME\"".to_owned(),
    })?;
    verify(&graph)?;
    Ok(graph)
}

/// Why a line is refused: it cannot be understood, or what it says makes no graph.
enum Fault {
    Text(String),
    Graph(GraphError),
}

impl From<GraphError> for Fault {
    fn from(error: GraphError) -> Self {
        // A graph error that names nodes and values needs no line; one in the text does.
        match error {
            GraphError::Shape { .. } | GraphError::UnknownValue { .. } => {
                Self::Text(error.to_string())
            }
            error => Self::Graph(error),
        }
    }
}

fn fault<T>(problem: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Text(problem.into()))
}

struct Parser {
    graph: Option<Graph>,
    ids: BTreeMap<String, ValueId>,
}

impl Parser {
    fn line(&mut self, line: &str, lookup: Option<Lookup<'_>>) -> Result<(), Fault> {
        let mut rest = line.trim();
        if rest.is_empty() {
            return Ok(());
        }
        let first = word(&mut rest)?;
        if self.graph.is_none() {
            if first != "graph" {
                return fault(format!("expected \"graph NAME\", found {first:?}"));
            }
            let name = word(&mut rest)?.to_owned();
            self.graph = Some(Graph {
                name,
                values: Vec::new(),
                nodes: Vec::new(),
                inputs: Vec::new(),
                outputs: Vec::new(),
            });
            return end(rest);
        }
        // A keyword is one only in front of another name, so that a node may be called `input`.
        match first {
            "input" if starts_with_word(rest) => {
                let name = word(&mut rest)?;
                let shape = numbers_in_brackets(&mut rest)?;
                let id = self.value(name, shape, Source::Input)?;
                self.graph()?.inputs.push(id);
                end(rest)
            }
            "constant" if starts_with_word(rest) => {
                let name = word(&mut rest)?;
                let shape = numbers_in_brackets(&mut rest)?;
                let numbers = match lookup {
                    Some(lookup) if rest.is_empty() => lookup(name, &shape)?,
                    Some(_) | None => constant(rest, &shape)?,
                };
                self.value(name, shape, Source::Constant(numbers))?;
                Ok(())
            }
            "output" if starts_with_word(rest) => {
                let id = self.id(word(&mut rest)?)?;
                self.graph()?.outputs.push(id);
                end(rest)
            }
            "graph" if starts_with_word(rest) => fault("the text has two graphs"),
            name => self.node(name, rest),
        }
    }

    fn node(&mut self, name: &str, mut rest: &str) -> Result<(), Fault> {
        let stored = if rest.starts_with('[') {
            Some(numbers_in_brackets(&mut rest)?)
        } else {
            None
        };
        if !take(&mut rest, '=') {
            return fault(format!(
                "expected \"input\", \"constant\", \"output\" or \"NAME [SHAPE] = OP(...)\", found {name:?} {rest:?}"
            ));
        }
        let op = word(&mut rest)?;
        if !take(&mut rest, '(') {
            return fault(format!("expected \"(\" after {op:?}"));
        }
        let mut inputs = Vec::new();
        while !take(&mut rest, ')') {
            inputs.push(self.id(word(&mut rest)?)?);
            if !take(&mut rest, ',') && !rest.starts_with(')') {
                return fault("expected \",\" or \")\" after an operand");
            }
        }
        let mut attributes = Attributes::parse(rest)?;
        let op = operator(op, &mut attributes, stored.as_deref())?;
        attributes.done(op.name())?;
        let inferred = infer_node(self.graph()?, name, &op, &inputs)?;
        if let Some(stored) = stored
            && stored != inferred
        {
            return fault(format!(
                "{name:?} is written with the shape {stored:?}, but its {} makes {inferred:?}",
                op.name()
            ));
        }
        let output = self.value(name, inferred, Source::Node)?;
        self.graph()?.nodes.push(Node { op, inputs, output });
        Ok(())
    }

    fn value(&mut self, name: &str, shape: Vec<usize>, source: Source) -> Result<ValueId, Fault> {
        let graph = self.graph()?;
        let id = ValueId::from_index(graph.values.len());
        graph.values.push(Value {
            name: name.to_owned(),
            shape,
            source,
        });
        if self.ids.insert(name.to_owned(), id).is_some() {
            return fault(format!("{name:?} is defined twice"));
        }
        Ok(id)
    }

    fn id(&self, name: &str) -> Result<ValueId, Fault> {
        match self.ids.get(name) {
            Some(id) => Ok(*id),
            None => fault(format!("{name:?} is not defined above")),
        }
    }

    fn graph(&mut self) -> Result<&mut Graph, Fault> {
        match &mut self.graph {
            Some(graph) => Ok(graph),
            None => fault("expected \"graph NAME\" first"),
        }
    }
}

/// The operator of this name, its attributes taken out of `attributes`.
fn operator(
    name: &str,
    attributes: &mut Attributes<'_>,
    shape: Option<&[usize]>,
) -> Result<Op, Fault> {
    Ok(match name {
        "conv_2d" => Op::Conv2d {
            window: attributes.window()?,
            activation: attributes.activation()?,
        },
        "depthwise_conv_2d" => Op::DepthwiseConv2d {
            window: attributes.window()?,
            activation: attributes.activation()?,
        },
        "fully_connected" => Op::FullyConnected {
            activation: attributes.activation()?,
        },
        "max_pool_2d" => Op::MaxPool2d {
            size: attributes.size()?,
            window: attributes.window()?,
        },
        "average_pool_2d" => Op::AveragePool2d {
            size: attributes.size()?,
            window: attributes.window()?,
        },
        "add" => Op::Add {
            activation: attributes.activation()?,
        },
        "reshape" => match shape {
            Some(shape) => Op::Reshape {
                shape: shape.to_vec(),
            },
            None => return fault("a reshape needs its shape: NAME [SHAPE] = reshape(...)"),
        },
        "relu" => Op::Relu,
        "relu6" => Op::Relu6,
        "softmax" => Op::Softmax {
            beta: match attributes.take("beta") {
                None => 1.0,
                Some(text) => number(text)?,
            },
        },
        "batch_norm" => Op::BatchNorm {
            epsilon: match attributes.take("epsilon") {
                None => crate::batch_norm::DEFAULT_EPSILON,
                Some(text) => number(text)?,
            },
        },
        "pad" => Op::Pad {
            before: attributes.pair("before")?.unwrap_or([0, 0]),
            after: attributes.pair("after")?.unwrap_or([0, 0]),
        },
        "transpose_conv" => Op::TransposeConv {
            size: attributes.size()?,
            window: attributes.window()?,
            activation: attributes.activation()?,
        },
        "quantize" => Op::Quantize,
        "dequantize" => Op::Dequantize,
        name if let Some(op) = weightless(name, attributes)? => Op::Weightless(op),
        _ => return fault(format!("there is no operator {name:?}")),
    })
}

/// The operator without weights of this name, if there is one.
fn weightless(name: &str, attributes: &mut Attributes<'_>) -> Result<Option<Weightless>, Fault> {
    Ok(Some(match name {
        "log_softmax" => Weightless::LogSoftmax,
        "batch_matmul" => Weightless::BatchMatmul {
            turned: match attributes.take("turned") {
                None => false,
                Some(text) => one_of("turned", &[("false", false), ("true", true)], text)?,
            },
        },
        "transpose" => Weightless::Transpose {
            order: attributes.list("order")?,
        },
        "strided_slice" => Weightless::Slice {
            begin: attributes.list("begin")?,
            end: attributes.list("end")?,
            step: attributes.list("step")?,
        },
        "concatenation" => match attributes.take("axis").map(str::parse) {
            Some(Ok(axis)) => Weightless::Concatenation { axis },
            Some(Err(_)) | None => return fault("the attribute axis=NUMBER is missing"),
        },
        _ => return elementwise(name, attributes),
    }))
}

/// Functions of elements, reductions and resizing: the operators that have their names from their functions.
fn elementwise(name: &str, attributes: &mut Attributes<'_>) -> Result<Option<Weightless>, Fault> {
    let mut unary = Unary::ALL.into_iter().map(Weightless::Unary);
    let mut binary = Binary::ALL.into_iter().map(Weightless::Binary);
    if name == "leaky_relu" {
        let slope = match attributes.take("slope") {
            None => return fault("the attribute slope=NUMBER is missing"),
            Some(text) => number(text)?,
        };
        return Ok(Some(Weightless::Unary(Unary::LeakyRelu { slope })));
    }
    if let Some(op) = unary.find(|op| op.name() == name) {
        return Ok(Some(op));
    }
    if let Some(op) = binary.find(|op| op.name() == name) {
        return Ok(Some(op));
    }
    for function in Reduction::ALL {
        let axes = Vec::new();
        if (Weightless::Reduce { function, axes }).name() == name {
            let axes = attributes.list("axes")?;
            return Ok(Some(Weightless::Reduce { function, axes }));
        }
    }
    for method in Resizing::ALL {
        let mut op = Weightless::Resize {
            method,
            size: [1, 1],
            align_corners: false,
            half_pixel_centers: false,
        };
        if op.name() != name {
            continue;
        }
        if let Weightless::Resize {
            size,
            align_corners,
            half_pixel_centers,
            ..
        } = &mut op
        {
            *size = attributes.size()?;
            if let Some(text) = attributes.take("centers") {
                let known = [("corners", (true, false)), ("half", (false, true))];
                (*align_corners, *half_pixel_centers) = one_of("centers", &known, text)?;
            }
        }
        return Ok(Some(op));
    }
    Ok(None)
}

/// What follows an operator's operands: `key=value`, each key once.
struct Attributes<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Attributes<'a> {
    fn parse(text: &'a str) -> Result<Self, Fault> {
        let mut attributes = BTreeMap::new();
        for each in text.split_whitespace() {
            let Some((key, value)) = each.split_once('=') else {
                return fault(format!("expected KEY=VALUE, found {each:?}"));
            };
            if attributes.insert(key, value).is_some() {
                return fault(format!("the attribute {key:?} is given twice"));
            }
        }
        Ok(Self(attributes))
    }

    fn take(&mut self, key: &str) -> Option<&'a str> {
        self.0.remove(key)
    }

    fn window(&mut self) -> Result<Window, Fault> {
        let padding: Padding = match self.take("padding") {
            Some(text) => one_of("padding", &PADDINGS, text)?,
            None => return fault("the attribute padding=same or padding=valid is missing"),
        };
        Ok(Window {
            stride: self.pair("stride")?.unwrap_or([1, 1]),
            dilation: self.pair("dilation")?.unwrap_or([1, 1]),
            padding,
        })
    }

    fn size(&mut self) -> Result<[usize; 2], Fault> {
        match self.pair("size")? {
            Some(size) => Ok(size),
            None => fault("the attribute size=[HEIGHT,WIDTH] is missing"),
        }
    }

    fn activation(&mut self) -> Result<Activation, Fault> {
        match self.take("activation") {
            Some(text) => one_of("activation", &ACTIVATIONS, text),
            None => Ok(Activation::None),
        }
    }

    fn pair(&mut self, key: &str) -> Result<Option<[usize; 2]>, Fault> {
        let Some(mut text) = self.take(key) else {
            return Ok(None);
        };
        let pair = numbers_in_brackets(&mut text)?;
        end(text)?;
        match pair.try_into() {
            Ok(pair) => Ok(Some(pair)),
            Err(_) => fault(format!("expected {key}=[HEIGHT,WIDTH]")),
        }
    }

    fn list(&mut self, key: &str) -> Result<Vec<usize>, Fault> {
        let Some(mut text) = self.take(key) else {
            return fault(format!("the attribute {key}=[NUMBERS] is missing"));
        };
        let list = numbers_in_brackets(&mut text)?;
        end(text)?;
        Ok(list)
    }

    fn done(self, op: &str) -> Result<(), Fault> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(key) => fault(format!("{op} has no attribute {key:?}")),
        }
    }
}

fn one_of<T: Copy>(what: &str, words: &[(&str, T)], text: &str) -> Result<T, Fault> {
    match words.iter().find(|(word, _)| *word == text) {
        Some((_, value)) => Ok(*value),
        None => {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            fault(format!(
                "there is no {what} {text:?}, only {}",
                known.join(", ")
            ))
        }
    }
}

fn constant(text: &str, shape: &[usize]) -> Result<Vec<f32>, Fault> {
    let mut rest = text;
    if !take(&mut rest, '=') {
        return fault(format!(
            "expected \"= NUMBERS\" or \"= fill NUMBER\" after the shape of a constant, found {text:?}"
        ));
    }
    let Some(count) = shape::elements(shape) else {
        return fault(format!("the shape {shape:?} cannot be counted"));
    };
    if let Some(text) = rest.strip_prefix("fill ") {
        return Ok(vec![number(text.trim())?; count]);
    }
    let numbers = rest
        .split_whitespace()
        .map(number)
        .collect::<Result<Vec<f32>, Fault>>()?;
    if numbers.len() != count {
        return fault(format!(
            "the shape {shape:?} needs {count} numbers, found {}",
            numbers.len()
        ));
    }
    Ok(numbers)
}

fn number(text: &str) -> Result<f32, Fault> {
    match text.parse::<f32>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) | Err(_) => fault(format!("{text:?} is not a finite number")),
    }
}

/// `[1,28,28,1]`, spaces allowed.
fn numbers_in_brackets(rest: &mut &str) -> Result<Vec<usize>, Fault> {
    let Some((inside, after)) = rest.strip_prefix('[').and_then(|text| text.split_once(']')) else {
        return fault(format!("expected \"[NUMBERS]\", found {rest:?}"));
    };
    *rest = after.trim_start();
    if inside.trim().is_empty() {
        return Ok(Vec::new());
    }
    inside
        .split(',')
        .map(|text| match text.trim().parse::<usize>() {
            Ok(number) => Ok(number),
            Err(_) => fault(format!("{text:?} is not a dimension")),
        })
        .collect()
}

const PUNCTUATION: &str = ",()[]=";

fn starts_with_word(rest: &str) -> bool {
    rest.starts_with(|c: char| !PUNCTUATION.contains(c))
}

/// The characters up to white space or punctuation, at least one.
fn word<'a>(rest: &mut &'a str) -> Result<&'a str, Fault> {
    let stop = |c: char| c.is_whitespace() || PUNCTUATION.contains(c);
    let length = rest.find(stop).unwrap_or(rest.len());
    let (word, after) = rest.split_at(length);
    if word.is_empty() {
        return fault(format!("expected a name, found {rest:?}"));
    }
    *rest = after.trim_start();
    Ok(word)
}

fn take(rest: &mut &str, wanted: char) -> bool {
    match rest.strip_prefix(wanted) {
        Some(after) => {
            *rest = after.trim_start();
            true
        }
        None => false,
    }
}

fn end(rest: &str) -> Result<(), Fault> {
    if rest.is_empty() {
        Ok(())
    } else {
        fault(format!("expected the end of the line, found {rest:?}"))
    }
}
