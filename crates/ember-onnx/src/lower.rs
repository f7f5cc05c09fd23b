//! From the nodes of the file to those of a graph.
//!
//! The file's nodes are gone through once, in their order. Each value of the file becomes a [`Constant`] or a [`Tensor`],
//! which is a value of the graph with the layout that its numbers have there. A relu behind a layer is made part of it,
//! as is the addition of a constant: there a layer looks at its only reader.

mod layouts;
mod operands;
mod results;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use ember_core::Activation;
use ember_graph::{Graph, GraphBuilder, ValueId};

use crate::constant::Constant;
use crate::layout::Layout;
use crate::model::{self, Model};
use crate::node::OnnxNode;
use crate::ops;
use crate::quantized::{Kept, Parameters};
use crate::{ChannelsLast, OnnxError, tensor};

/// As many nodes may stand between an input in NHWC and the Transpose that makes NCHW of it.
const MOST_BETWEEN: usize = 8;

/// A value of the file that the graph computes.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    /// What it is in the graph.
    pub(crate) id: ValueId,
    /// Its shape in the file, the batch 1.
    pub(crate) shape: Vec<usize>,
    /// How its numbers lie in the graph.
    pub(crate) layout: Layout,
    /// Between a `QuantizeLinear` and a `DequantizeLinear`: the parameters of its integers. `Some(None)` where the model
    /// is given integers whose parameters the `DequantizeLinear` will say.
    pub(crate) integers: Option<Option<Parameters>>,
}

#[derive(Clone, Debug)]
enum Lowered {
    Constant(Rc<Constant>),
    Tensor(Tensor),
}

/// The graph under construction.
pub(crate) struct Lowering<'m> {
    nodes: Vec<OnnxNode<'m>>,
    builder: GraphBuilder,
    values: HashMap<&'m str, Lowered>,
    /// The nodes that read each value, as often as each lists it.
    readers: HashMap<&'m str, Vec<usize>>,
    outputs: BTreeSet<&'m str>,
    /// Nodes that became part of an earlier one.
    done: BTreeSet<usize>,
    /// Values of which no number is negative.
    pub(crate) not_negative: BTreeSet<ValueId>,
    /// Values that were brought to NHWC (`true`) or to the order of the file, and what became of them.
    turned: BTreeMap<(ValueId, bool), ValueId>,
    /// What the file quantizes.
    pub(crate) kept: Kept,
    pub(crate) folder: Option<&'m std::path::Path>,
}

/// The graph that the model describes, and how the file quantizes it.
///
/// # Errors
/// At the first thing that is wrong or not supported, with the node.
pub(crate) fn lower(
    model: &Model<'_>,
    name: &str,
) -> Result<(Graph, Kept, ChannelsLast), OnnxError> {
    let nodes = model.nodes();
    let mut readers: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        ops::find(node)?;
        for input in node.inputs().filter(|input| !input.is_empty()) {
            readers.entry(input).or_default().push(index);
        }
    }
    let mut lowering = Lowering {
        builder: GraphBuilder::new(&named(name)),
        values: HashMap::new(),
        outputs: model.outputs().iter().map(|o| o.name.as_str()).collect(),
        readers,
        done: BTreeSet::new(),
        not_negative: BTreeSet::new(),
        turned: BTreeMap::new(),
        kept: Kept::default(),
        folder: model.folder,
        nodes,
    };
    for stored in model.initializers() {
        let constant = tensor::constant(stored, &stored.name, model.folder)?;
        lowering.define_constant(&stored.name, constant);
    }
    for input in model.inputs() {
        lowering.input(&input.name, &model::declared(input)?)?;
    }
    lowering.run()?;
    lowering.finish(model)
}

impl<'m> Lowering<'m> {
    fn input(&mut self, name: &'m str, declared: &model::Declared) -> Result<(), OnnxError> {
        let is_image = match declared.shape[..] {
            [1, _, _, _] => !self.is_nhwc(name, MOST_BETWEEN),
            [1, _, _] => self.is_signal(name, MOST_BETWEEN),
            _ => false,
        };
        let layout = if is_image {
            Layout::Image
        } else {
            Layout::of_file(&declared.shape)
        };
        let id = self
            .builder
            .input(&named(name), &layout.shape(&declared.shape))?;
        let tensor = Tensor {
            id,
            shape: declared.shape.clone(),
            layout,
            integers: declared.integer.then_some(None),
        };
        self.values.insert(name, Lowered::Tensor(tensor));
        Ok(())
    }

    /// Whether all that is done with a value is to make NCHW of its NHWC, at most `between` nodes later.
    fn is_nhwc(&self, name: &str, between: usize) -> bool {
        let readers = self.readers.get(name).map_or(&[][..], Vec::as_slice);
        !readers.is_empty()
            && readers.iter().all(|index| {
                let node = &self.nodes[*index];
                match node.op() {
                    "Transpose" => node
                        .ints("perm")
                        .is_ok_and(|perm| perm == Some(&[0, 3, 1, 2])),
                    "QuantizeLinear" | "DequantizeLinear" | "Identity" if between > 0 => node
                        .output()
                        .is_ok_and(|output| self.is_nhwc(output, between - 1)),
                    _ => false,
                }
            })
    }

    /// Whether all that is done with a value of three dimensions, at most `between` nodes later, goes along its last one.
    fn is_signal(&self, name: &str, between: usize) -> bool {
        let readers = self.readers.get(name).map_or(&[][..], Vec::as_slice);
        !readers.is_empty()
            && readers.iter().all(|index| {
                let node = &self.nodes[*index];
                match node.op() {
                    "Conv" | "ConvTranspose" | "MaxPool" | "AveragePool" | "BatchNormalization"
                    | "GlobalAveragePool" | "GlobalMaxPool" => true,
                    "QuantizeLinear" | "DequantizeLinear" | "Identity" | "Pad" | "Relu"
                        if between > 0 =>
                    {
                        node.output()
                            .is_ok_and(|output| self.is_signal(output, between - 1))
                    }
                    _ => false,
                }
            })
    }

    fn run(&mut self) -> Result<(), OnnxError> {
        let nodes = self.nodes.clone();
        // Constants first, so that a layer that looks ahead sees them.
        let (constants, others): (Vec<_>, Vec<_>) = nodes
            .iter()
            .enumerate()
            .partition(|(_, node)| node.op() == "Constant");
        for (index, node) in constants.into_iter().chain(others) {
            for output in node
                .outputs()
                .filter(|output| self.values.contains_key(output))
            {
                if !self.done.contains(&index) {
                    return Err(node.fail(format!("makes {output:?}, which there is already")));
                }
            }
            if !self.done.contains(&index) {
                ops::find(node)?(self, node)?;
            }
        }
        Ok(())
    }

    fn finish(mut self, model: &Model<'_>) -> Result<(Graph, Kept, ChannelsLast), OnnxError> {
        let mut ids = Vec::new();
        let mut channels_last = ChannelsLast::default();
        for input in model.inputs() {
            let value = self.values.get(input.name.as_str());
            let is_image =
                matches!(value, Some(Lowered::Tensor(tensor)) if tensor.layout == Layout::Image);
            channels_last.inputs.push(is_image);
        }
        for output in model.outputs() {
            let fault = |problem: &str| OnnxError::Interface {
                direction: "output",
                name: output.name.clone(),
                problem: problem.to_owned(),
            };
            let tensor = match self.values.get(output.name.as_str()) {
                Some(Lowered::Tensor(tensor)) => tensor.clone(),
                Some(Lowered::Constant(_)) => return Err(fault("is a constant")),
                None => return Err(fault("is made by no node")),
            };
            // A row is in the order of the file again; images stay as they are.
            let id = match tensor.layout {
                Layout::Row { .. } => self.in_file_order(&output.name, &tensor)?.id,
                Layout::Plain | Layout::Lead | Layout::Image => tensor.id,
            };
            channels_last.outputs.push(tensor.layout == Layout::Image);
            ids.push(id);
        }
        Ok((self.builder.finish(&ids)?, self.kept, channels_last))
    }

    pub(crate) fn define_constant(&mut self, name: &'m str, constant: Constant) {
        self.values
            .insert(name, Lowered::Constant(Rc::new(constant)));
    }

    pub(crate) fn define(&mut self, name: &'m str, tensor: Tensor) {
        self.values.insert(name, Lowered::Tensor(tensor));
    }

    /// Whether a node or the caller of the model reads `name`.
    pub(crate) fn is_read(&self, name: &str) -> bool {
        self.readers.contains_key(name) || self.outputs.contains(name)
    }

    /// The only node that reads `name`, if there is one and `name` is no output of the model.
    pub(crate) fn only_reader(&self, name: &str) -> Option<(usize, OnnxNode<'m>)> {
        let readers = self.readers.get(name)?;
        match readers[..] {
            [index] if !self.outputs.contains(name) => Some((index, self.nodes[index])),
            _ => None,
        }
    }

    /// The constant that `node` adds to `name`, if that is what it does.
    pub(crate) fn added_constant(&self, node: &OnnxNode<'m>, name: &str) -> Option<Rc<Constant>> {
        let other = match (node.op(), node.input(0)?, node.input(1)?) {
            ("Add", left, right) if left == name => right,
            ("Add", left, right) if right == name => left,
            _ => return None,
        };
        match self.values.get(other)? {
            Lowered::Constant(constant) => Some(constant.clone()),
            Lowered::Tensor(_) => None,
        }
    }

    /// Marks a node as being part of one that was lowered before it.
    pub(crate) fn absorb(&mut self, index: usize) {
        self.done.insert(index);
    }

    /// The activation that the only reader of `name` applies, if it is one, and what its result is called; the reader is
    /// done then.
    pub(crate) fn absorbed_activation(&mut self, name: &'m str) -> (Activation, &'m str) {
        let found = self.only_reader(name).and_then(|(index, reader)| {
            let activation = ops::relu::activation(self, &reader).ok()??;
            Some((index, activation, reader.output().ok()?))
        });
        match found {
            Some((index, activation, output)) => {
                self.absorb(index);
                (activation, output)
            }
            None => (Activation::None, name),
        }
    }
}

/// A name that the graph's text form can carry.
fn named(name: &str) -> String {
    let usable = |c: char| !c.is_whitespace() && !c.is_control() && !",()[]=#".contains(c);
    let name: String = name
        .chars()
        .map(|c| if usable(c) { c } else { '_' })
        .collect();
    if name.is_empty() {
        "value".to_owned()
    } else {
        name
    }
}

/// What is known of some values of the graph.
pub(crate) type ByValue<T> = BTreeMap<ValueId, T>;
