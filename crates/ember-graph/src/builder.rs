//! Builds graphs by hand: one call per layer, shapes inferred and names made unique on the way.
//!
//! A layer's constants are made with it, all zeros: the untrained model. [`GraphBuilder::node`] is for operators on
//! constants that already exist.

use std::collections::BTreeSet;

use ember_core::Activation;

use crate::batch_norm::DEFAULT_EPSILON;
use crate::{Graph, GraphError, Node, Op, Role, Source, Value, ValueId, Window, shape, verify};

/// A graph under construction.
///
/// ```
/// use ember_core::Activation;
/// use ember_graph::{GraphBuilder, Window};
///
/// let mut model = GraphBuilder::new("tiny");
/// let image = model.input("image", &[1, 28, 28, 1])?;
/// let x = model.conv_2d(image, 8, [3, 3], Window::valid(1), Activation::Relu)?;
/// let x = model.max_pool_2d(x, [2, 2], Window::valid(2))?;
/// let x = model.flatten(x)?;
/// let x = model.fully_connected(x, 10, Activation::None)?;
/// let scores = model.softmax(x)?;
/// let graph = model.finish(&[scores])?;
/// assert_eq!(graph.values[scores.index()].shape, [1, 10]);
/// assert!(graph.find("conv.filter").is_some());
/// # Ok::<(), ember_graph::GraphError>(())
/// ```
#[derive(Clone, Debug)]
pub struct GraphBuilder {
    graph: Graph,
    names: BTreeSet<String>,
}

impl GraphBuilder {
    /// An empty graph.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            graph: Graph {
                name: name.to_owned(),
                values: Vec::new(),
                nodes: Vec::new(),
                inputs: Vec::new(),
                outputs: Vec::new(),
            },
            names: BTreeSet::new(),
        }
    }

    /// A value that is given at every run; the first dimension is the batch, 1.
    ///
    /// # Errors
    /// When a dimension is zero.
    pub fn input(&mut self, stem: &str, shape: &[usize]) -> Result<ValueId, GraphError> {
        let name = self.unique(stem);
        let id = self.value(name, shape.to_vec(), Source::Input)?;
        self.graph.inputs.push(id);
        Ok(id)
    }

    /// Fixed or trained numbers, row-major.
    ///
    /// # Errors
    /// When a dimension is zero, or the count is not the shape's.
    pub fn constant(
        &mut self,
        stem: &str,
        shape: &[usize],
        numbers: Vec<f32>,
    ) -> Result<ValueId, GraphError> {
        let name = self.unique(stem);
        self.value(name, shape.to_vec(), Source::Constant(numbers))
    }

    /// The result of `op` on these operands, named after `stem`.
    ///
    /// # Errors
    /// When the operands do not fit the operator.
    pub fn node(
        &mut self,
        stem: &str,
        op: Op,
        operands: &[ValueId],
    ) -> Result<ValueId, GraphError> {
        let name = self.unique(stem);
        self.named_node(name, op, operands)
    }

    /// `filters` filters of `size` taps over an image `[1,H,W,C]`. Makes `conv.filter` `[filters,KH,KW,C]` and
    /// `conv.bias` `[filters]`, zeros.
    ///
    /// # Errors
    /// When the input is not an image or the window does not fit it.
    pub fn conv_2d(
        &mut self,
        input: ValueId,
        filters: usize,
        size: [usize; 2],
        window: Window,
        activation: Activation,
    ) -> Result<ValueId, GraphError> {
        let op = Op::Conv2d { window, activation };
        let channels = self.channels(input);
        let filter = vec![filters, size[0], size[1], channels];
        self.layer("conv", op, input, &[filter, vec![filters]])
    }

    /// `multiplier` filters of `size` taps for each channel of an image `[1,H,W,C]`. Makes `depthwise.filter`
    /// `[1,KH,KW,C*multiplier]` and `depthwise.bias` `[C*multiplier]`, zeros.
    ///
    /// # Errors
    /// When the input is not an image or the window does not fit it.
    pub fn depthwise_conv_2d(
        &mut self,
        input: ValueId,
        multiplier: usize,
        size: [usize; 2],
        window: Window,
        activation: Activation,
    ) -> Result<ValueId, GraphError> {
        let op = Op::DepthwiseConv2d { window, activation };
        let filters = self.channels(input).saturating_mul(multiplier);
        let filter = vec![1, size[0], size[1], filters];
        self.layer("depthwise", op, input, &[filter, vec![filters]])
    }

    /// A dense layer over `[1,I]`. Makes `dense.weights` `[units,I]` and `dense.bias` `[units]`, zeros.
    ///
    /// # Errors
    /// When the input does not have two dimensions.
    pub fn fully_connected(
        &mut self,
        input: ValueId,
        units: usize,
        activation: Activation,
    ) -> Result<ValueId, GraphError> {
        let op = Op::FullyConnected { activation };
        let features = self.channels(input);
        let weights = vec![units, features];
        self.layer("dense", op, input, &[weights, vec![units]])
    }

    /// The greatest of each window of an image `[1,H,W,C]`.
    ///
    /// # Errors
    /// When the input is not an image or the window does not fit it.
    pub fn max_pool_2d(
        &mut self,
        input: ValueId,
        size: [usize; 2],
        window: Window,
    ) -> Result<ValueId, GraphError> {
        self.node("max_pool", Op::MaxPool2d { size, window }, &[input])
    }

    /// The mean of each window of an image `[1,H,W,C]`.
    ///
    /// # Errors
    /// When the input is not an image or the window does not fit it.
    pub fn average_pool_2d(
        &mut self,
        input: ValueId,
        size: [usize; 2],
        window: Window,
    ) -> Result<ValueId, GraphError> {
        self.node("average_pool", Op::AveragePool2d { size, window }, &[input])
    }

    /// The sum of two values of one shape, but for extents of 1, which are repeated.
    ///
    /// # Errors
    /// When other extents differ.
    pub fn add(
        &mut self,
        left: ValueId,
        right: ValueId,
        activation: Activation,
    ) -> Result<ValueId, GraphError> {
        self.node("add", Op::Add { activation }, &[left, right])
    }

    /// The same numbers in another shape, whose first dimension stays the batch.
    ///
    /// # Errors
    /// When the number of elements or the batch changes.
    pub fn reshape(&mut self, input: ValueId, shape: &[usize]) -> Result<ValueId, GraphError> {
        let shape = shape.to_vec();
        self.node("reshape", Op::Reshape { shape }, &[input])
    }

    /// The same numbers as `[1, all the rest]`.
    ///
    /// # Errors
    /// When the id is not of this graph.
    pub fn flatten(&mut self, input: ValueId) -> Result<ValueId, GraphError> {
        let from = self.shape(input).unwrap_or_default();
        let (batch, rest) = match from.split_first() {
            Some((batch, rest)) => (*batch, rest.iter().product()),
            None => (1, 1),
        };
        let shape = vec![batch, rest];
        self.node("flatten", Op::Reshape { shape }, &[input])
    }

    /// `max(x, 0)`.
    ///
    /// # Errors
    /// When the id is not of this graph.
    pub fn relu(&mut self, input: ValueId) -> Result<ValueId, GraphError> {
        self.node("relu", Op::Relu, &[input])
    }

    /// `x` clamped to 0..=6.
    ///
    /// # Errors
    /// When the id is not of this graph.
    pub fn relu6(&mut self, input: ValueId) -> Result<ValueId, GraphError> {
        self.node("relu6", Op::Relu6, &[input])
    }

    /// Probabilities over the last dimension.
    ///
    /// # Errors
    /// When the input has fewer than two dimensions.
    pub fn softmax(&mut self, input: ValueId) -> Result<ValueId, GraphError> {
        self.node("softmax", Op::Softmax { beta: 1.0 }, &[input])
    }

    /// Normalizes each channel of `[1,..,C]`. Makes `batch_norm.gamma`, `.beta`, `.mean` and `.variance`, each `[C]`, ones
    /// and zeros such that it does (nearly) nothing until it is trained.
    ///
    /// # Errors
    /// When the input has fewer than two dimensions.
    pub fn batch_norm(&mut self, input: ValueId) -> Result<ValueId, GraphError> {
        let name = self.unique("batch_norm");
        let channels = self.channels(input);
        let op = Op::BatchNorm {
            epsilon: DEFAULT_EPSILON,
        };
        let mut operands = vec![input];
        for role in &op.operands()[1..] {
            let start = match role {
                Role::Gamma | Role::Variance => 1.0,
                _ => 0.0,
            };
            let value = format!("{name}.{}", role.name());
            operands.push(self.constant(&value, &[channels], vec![start; channels])?);
        }
        self.named_node(name, op, &operands)
    }

    /// Rows and columns of zeros around an image `[1,H,W,C]`, `[height, width]` each.
    ///
    /// # Errors
    /// When the input is not an image.
    pub fn pad(
        &mut self,
        input: ValueId,
        before: [usize; 2],
        after: [usize; 2],
    ) -> Result<ValueId, GraphError> {
        self.node("pad", Op::Pad { before, after }, &[input])
    }

    /// The shape of a value made so far; `None` when the id is not of this graph.
    #[must_use]
    pub fn shape(&self, id: ValueId) -> Option<&[usize]> {
        self.graph.get(id).map(|value| value.shape.as_slice())
    }

    /// The graph, verified, with these outputs.
    ///
    /// # Errors
    /// What [`verify()`](crate::verify()) finds.
    pub fn finish(mut self, outputs: &[ValueId]) -> Result<Graph, GraphError> {
        self.graph.outputs = outputs.to_vec();
        verify(&self.graph)?;
        Ok(self.graph)
    }

    fn channels(&self, id: ValueId) -> usize {
        self.shape(id)
            .and_then(|shape| shape.last().copied())
            .unwrap_or(1)
    }

    fn layer(
        &mut self,
        stem: &str,
        op: Op,
        input: ValueId,
        parameters: &[Vec<usize>],
    ) -> Result<ValueId, GraphError> {
        let name = self.unique(stem);
        let mut operands = vec![input];
        let roles = op
            .operands()
            .iter()
            .filter(|role| **role != Role::Activation);
        for (role, shape) in roles.zip(parameters) {
            let value = format!("{name}.{}", role.name());
            let Some(count) = shape::elements(shape) else {
                return Err(GraphError::Extent {
                    value,
                    shape: shape.clone(),
                });
            };
            operands.push(self.constant(&value, shape, vec![0.0; count])?);
        }
        self.named_node(name, op, &operands)
    }

    fn named_node(
        &mut self,
        name: String,
        op: Op,
        operands: &[ValueId],
    ) -> Result<ValueId, GraphError> {
        let shape = infer_node(&self.graph, &name, &op, operands)?;
        let output = self.value(name, shape, Source::Node)?;
        self.graph.nodes.push(Node {
            op,
            inputs: operands.to_vec(),
            output,
        });
        Ok(output)
    }

    fn value(
        &mut self,
        name: String,
        shape: Vec<usize>,
        source: Source,
    ) -> Result<ValueId, GraphError> {
        let value = Value {
            name,
            shape,
            source,
        };
        verify::value(&value)?;
        let id = ValueId::from_index(self.graph.values.len());
        self.graph.values.push(value);
        Ok(id)
    }

    /// `stem`, or `stem_1`, `stem_2`, … when it is taken.
    fn unique(&mut self, stem: &str) -> String {
        let mut name = stem.to_owned();
        let mut number = 0_usize;
        while !self.names.insert(name.clone()) {
            number += 1;
            name = format!("{stem}_{number}");
        }
        name
    }
}

/// The shape that `op` makes of these operands of `graph`; errors name the node.
pub(crate) fn infer_node(
    graph: &Graph,
    node: &str,
    op: &Op,
    operands: &[ValueId],
) -> Result<Vec<usize>, GraphError> {
    let mut shapes = Vec::with_capacity(operands.len());
    for id in operands {
        let value = graph.get(*id).ok_or_else(|| GraphError::UnknownValue {
            user: node.to_owned(),
            index: id.index(),
            count: graph.values.len(),
        })?;
        shapes.push(value.shape.as_slice());
    }
    shape::infer(op, &shapes).map_err(|problem| GraphError::Shape {
        node: node.to_owned(),
        op: op.name(),
        problem,
    })
}
