//! A graph as a Burn module: its constants are the parameters, its nodes are the forward pass.
//!
//! Any graph of supported operators can be trained, whoever made it: a model of the registry, or a pruned or imported
//! graph to be fine-tuned. What training gives back is the same graph with other constants.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use ember_core::Activation;
use ember_graph::{Graph, Op, ValueId};

use crate::TrainError;
use crate::ops::{self, Layer};

/// A trainable graph on a Burn device.
#[derive(Module, Debug)]
pub struct Network {
    /// One flat tensor per constant of the graph, in the order of [`Graph::constants`].
    parameters: Vec<Param<Tensor<1>>>,
    #[module(skip)]
    program: Arc<Program>,
}

/// What to compute, in which order.
#[derive(Debug)]
struct Program {
    /// The graph's input, as an index of values.
    input: usize,
    /// Elements of one example.
    input_elements: usize,
    /// The logits.
    output: usize,
    classes: usize,
    /// Which value each parameter is.
    constants: Vec<ValueId>,
    steps: Vec<Step>,
    values: usize,
}

#[derive(Debug)]
struct Step {
    layer: Layer,
    activation: Activation,
    operands: Vec<usize>,
    output: usize,
}

impl Network {
    /// The network of a graph with one input and one output `[1, classes]`. A softmax that makes the output is left out:
    /// the network's result is its logits.
    ///
    /// # Errors
    /// When the graph is not valid, or has a part that cannot be trained.
    pub fn new(graph: &Graph, device: &Device) -> Result<Self, TrainError> {
        let mut network = Self::in_order(graph, device)?;
        if let Some(program) = Arc::get_mut(&mut network.program) {
            let output = program.output;
            pool_before_activation(&mut program.steps, output);
        }
        Ok(network)
    }

    /// The same, computing every value of the graph as the graph has it.
    pub(crate) fn in_order(graph: &Graph, device: &Device) -> Result<Self, TrainError> {
        ember_graph::verify(graph)?;
        let program = Program::new(graph)?;
        let parameters = graph
            .constants()
            .map(|(_, _, numbers)| parameter(numbers.to_vec(), device))
            .collect();
        Ok(Self {
            parameters,
            program: Arc::new(program),
        })
    }

    /// Elements of one example of the input.
    #[must_use]
    pub fn input_elements(&self) -> usize {
        self.program.input_elements
    }

    /// Number of logits.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.program.classes
    }

    /// Examples `[N, elements]`, row-major NHWC, become logits `[N, classes]`.
    #[must_use]
    pub fn forward(&self, examples: Tensor<2>) -> Tensor<2> {
        self.forward_mapped(examples, |_, tensor| tensor)
    }

    /// The same where every value is replaced by what `map` makes of its index in the graph and itself. Activations are
    /// `[N, elements]`, constants `[1, elements]`.
    pub(crate) fn forward_mapped(
        &self,
        examples: Tensor<2>,
        mut map: impl FnMut(usize, Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        let program = &self.program;
        let mut values: Vec<Option<Tensor<2>>> = vec![None; program.values];
        for (id, parameter) in program.constants.iter().zip(&self.parameters) {
            values[id.index()] = Some(map(id.index(), parameter.val().unsqueeze()));
        }
        values[program.input] = Some(map(program.input, examples.clone()));
        for step in &program.steps {
            let operands: Option<Vec<Tensor<2>>> =
                step.operands.iter().map(|&id| values[id].clone()).collect();
            // A verified graph has all operands, and `Layer::new` has counted them.
            values[step.output] = operands
                .and_then(|operands| step.layer.forward(&operands))
                .map(|result| map(step.output, ops::activate(step.activation, result)));
        }
        values[program.output].take().unwrap_or(examples)
    }

    /// The numbers of every parameter, in the order of [`Graph::constants`].
    #[must_use]
    pub fn numbers(&self) -> Vec<Vec<f32>> {
        self.parameters
            .iter()
            .map(|parameter| numbers(parameter.val()))
            .collect()
    }

    /// Gives every parameter new numbers, in the order of [`Graph::constants`].
    pub(crate) fn set_numbers(&mut self, numbers: Vec<Vec<f32>>, device: &Device) {
        self.parameters = numbers
            .into_iter()
            .map(|numbers| parameter(numbers, device))
            .collect();
    }

    /// Replaces every parameter by what `update` makes of its index and itself.
    pub(crate) fn map_parameters(
        &mut self,
        mut update: impl FnMut(usize, Param<Tensor<1>>) -> Param<Tensor<1>>,
    ) {
        self.parameters = std::mem::take(&mut self.parameters)
            .into_iter()
            .enumerate()
            .map(|(index, parameter)| update(index, parameter))
            .collect();
    }

    /// Writes the parameters back into the graph that the network was made of.
    ///
    /// # Errors
    /// When it is another graph.
    pub fn store(&self, graph: &mut Graph) -> Result<(), TrainError> {
        for (id, numbers) in self.program.constants.iter().zip(self.numbers()) {
            graph.set_constant(*id, numbers)?;
        }
        Ok(())
    }
}

impl Program {
    fn new(graph: &Graph) -> Result<Self, TrainError> {
        let wrong = |place: String, problem: String| TrainError::Graph {
            graph: graph.name.clone(),
            place,
            problem,
        };
        let ([input], [output]) = (graph.inputs.as_slice(), graph.outputs.as_slice()) else {
            let problem = format!(
                "it has {} inputs and {} outputs, expected one of each",
                graph.inputs.len(),
                graph.outputs.len()
            );
            return Err(wrong("its ends".to_owned(), problem));
        };
        let name = |id: ValueId| graph.get(id).map_or("?", |value| value.name.as_str());
        let shape = |id: ValueId| {
            graph
                .get(id)
                .map_or(&[][..], |value| value.shape.as_slice())
        };
        let mut nodes = graph.nodes.as_slice();
        let mut logits = *output;
        if let Some((last, before)) = nodes.split_last()
            && last.output == *output
            && let (Op::Softmax { beta: 1.0 }, [operand]) = (&last.op, last.inputs.as_slice())
        {
            nodes = before;
            logits = *operand;
        }
        let &[_, classes] = shape(logits) else {
            let problem = format!("its shape is {:?}, expected [1, classes]", shape(logits));
            return Err(wrong(format!("output \"{}\"", name(logits)), problem));
        };
        let mut steps = Vec::with_capacity(nodes.len());
        for node in nodes {
            let place = || format!("{} \"{}\"", node.op.name(), name(node.output));
            steps.push(Step {
                layer: Layer::new(graph, node).map_err(|problem| wrong(place(), problem))?,
                activation: node.op.activation().unwrap_or_default(),
                operands: node.inputs.iter().map(|id| id.index()).collect(),
                output: node.output.index(),
            });
        }
        Ok(Self {
            input: input.index(),
            input_elements: shape(*input).iter().skip(1).product(),
            output: logits.index(),
            classes,
            constants: graph.constants().map(|(id, _, _)| id).collect(),
            steps,
            values: graph.values.len(),
        })
    }
}

/// Moves an activation behind the max-pool that is alone in using its result: the greatest of each window is the same
/// before and after a function that never falls, and there are fewer of them to apply it to.
fn pool_before_activation(steps: &mut [Step], logits: usize) {
    for pool in 0..steps.len() {
        let (Layer::MaxPool2d(_), &[value]) = (&steps[pool].layer, &steps[pool].operands[..])
        else {
            continue;
        };
        let users = steps.iter().filter(|step| step.operands.contains(&value));
        if users.count() > 1 || value == logits {
            continue;
        }
        if let Some(maker) = steps[..pool].iter().position(|step| step.output == value) {
            steps[pool].activation = std::mem::take(&mut steps[maker].activation);
        }
    }
}

pub(crate) fn parameter(numbers: Vec<f32>, device: &Device) -> Param<Tensor<1>> {
    let count = numbers.len();
    Param::from_data(TensorData::new(numbers, [count]), device)
}

/// The numbers of a tensor, row-major.
pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    with_numbers(tensor, <[f32]>::to_vec)
}

/// What `read` makes of the numbers of a tensor, row-major.
pub(crate) fn with_numbers<const D: usize, T>(
    tensor: Tensor<D>,
    read: impl FnOnce(&[f32]) -> T,
) -> T {
    let data = tensor.into_data();
    match data.as_slice::<f32>() {
        // Always so on our backends; the conversion element by element is several times slower.
        Ok(numbers) => read(numbers),
        Err(_) => read(&data.iter::<f32>().collect::<Vec<_>>()),
    }
}

#[cfg(test)]
mod tests;
