//! A graph as a Burn module: its constants are the parameters, its nodes are the forward pass.
//!
//! Any graph of supported operators can be trained, whoever made it: a model of the registry, or a pruned or imported
//! graph to be fine-tuned. What training gives back is the same graph with other constants.

mod folded;

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use ember_core::Activation;
use ember_graph::{Graph, Op, ValueId};

use crate::TrainError;
use crate::norms::Norm;
use crate::ops::batch_norm::Moments;
use crate::ops::{self, Layer};
use folded::Folded;

/// A trainable graph on a Burn device.
#[derive(Module, Debug)]
pub struct Network {
    /// One flat tensor per constant of the graph, in the order of [`Graph::constants`], then four for each batch norm that is
    /// a part of a layer: gamma, beta, mean and variance.
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
    /// The batch norm that is a part of it.
    norm: Option<Folded>,
    /// Which parameters are the moving averages of mean and variance.
    averages: Option<[usize; 2]>,
}

/// By which statistics batch norms normalize.
pub(crate) enum Statistics<'a> {
    /// Their moving averages.
    Kept,
    /// Those of the batch, which are appended.
    Batch(&'a mut Vec<Seen>),
}

/// The statistics of a batch.
pub(crate) struct Seen {
    /// Which parameters are their moving averages.
    averages: [usize; 2],
    moments: Moments,
}

impl Network {
    /// The network of a graph with one input and one output `[1, classes]`. A softmax that makes the output is left out:
    /// the network's result is its logits.
    ///
    /// # Errors
    /// When the graph is not valid, or has a part that cannot be trained.
    pub fn new(graph: &Graph, device: &Device) -> Result<Self, TrainError> {
        ember_graph::verify(graph)?;
        let mut program = Program::new(graph, &[])?;
        pool_before_activation(&mut program.steps, program.output);
        merge_pools(&mut program.steps, program.output);
        Ok(Self::of(program, graph, &[], device))
    }

    /// The same, computing every value of the graph as the graph has it, with these batch norms as parts of its layers.
    pub(crate) fn in_order(
        graph: &Graph,
        norms: &[Norm],
        device: &Device,
    ) -> Result<Self, TrainError> {
        ember_graph::verify(graph)?;
        Ok(Self::of(Program::new(graph, norms)?, graph, norms, device))
    }

    fn of(mut program: Program, graph: &Graph, norms: &[Norm], device: &Device) -> Self {
        merge_activations(&mut program.steps);
        let constants = graph.constants().map(|(_, _, numbers)| numbers);
        let norms = (norms.iter()).flat_map(|norm| norm.numbers.iter().map(Vec::as_slice));
        let parameters = constants
            .chain(norms)
            .map(|numbers| parameter(numbers.to_vec(), device))
            .collect();
        Self {
            parameters,
            program: Arc::new(program),
        }
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
        self.forward_mapped(examples, |_, tensor| tensor, Statistics::Kept)
    }

    /// The same where every value is replaced by what `map` makes of its index in the graph and itself. Activations are
    /// `[N, elements]`, constants `[1, elements]`.
    pub(crate) fn forward_mapped(
        &self,
        examples: Tensor<2>,
        mut map: impl FnMut(usize, Tensor<2>) -> Tensor<2>,
        mut statistics: Statistics<'_>,
    ) -> Tensor<2> {
        let program = &self.program;
        let mut values: Vec<Option<Tensor<2>>> = vec![None; program.values];
        for (id, parameter) in program.constants.iter().zip(&self.parameters) {
            let tensor = parameter.val().unsqueeze();
            // A filter is mapped when its batch norm is folded in.
            let tensor = if program.is_folded(id.index()) {
                tensor
            } else {
                map(id.index(), tensor)
            };
            values[id.index()] = Some(tensor);
        }
        values[program.input] = Some(map(program.input, examples.clone()));
        for step in &program.steps {
            let operands: Option<Vec<Tensor<2>>> =
                step.operands.iter().map(|&id| values[id].clone()).collect();
            // A verified graph has all operands, and `Layer::new` has counted them.
            values[step.output] = operands
                .and_then(|operands| self.layer(step, operands, &mut map, &mut statistics))
                .map(|result| map(step.output, ops::activate(step.activation, result)));
        }
        values[program.output].take().unwrap_or(examples)
    }

    /// What the layer of a step makes of its operands.
    fn layer(
        &self,
        step: &Step,
        operands: Vec<Tensor<2>>,
        map: &mut impl FnMut(usize, Tensor<2>) -> Tensor<2>,
        statistics: &mut Statistics<'_>,
    ) -> Option<Tensor<2>> {
        let (layer, parameters) = (&step.layer, &self.parameters);
        let (result, moments) = match (&step.norm, &statistics) {
            (None, Statistics::Kept) => return layer.forward(&operands),
            (None, Statistics::Batch(_)) => layer.train(&operands)?,
            (Some(norm), statistics) => {
                let operands: [Tensor<2>; 3] = operands.try_into().ok()?;
                let round = |filter| map(step.operands[1], filter);
                match statistics {
                    Statistics::Kept => return norm.forward(layer, parameters, &operands, round),
                    Statistics::Batch(_) => {
                        let (result, moments) = norm.train(layer, parameters, &operands, round)?;
                        (result, Some(moments))
                    }
                }
            }
        };
        if let (Some(averages), Some(moments), Statistics::Batch(seen)) =
            (step.averages, moments, statistics)
        {
            seen.push(Seen { averages, moments });
        }
        Some(result)
    }

    /// Lets the moving averages follow what a batch had; `decay` of the old ones is left.
    pub(crate) fn follow(&mut self, seen: &[Seen], decay: f32, device: &Device) {
        for Seen { averages, moments } in seen {
            for (index, new) in averages.iter().zip(moments.numbers()) {
                let old = numbers(self.parameters[*index].val());
                let both = old.iter().zip(&new);
                let next = both.map(|(old, new)| decay * old + (1.0 - decay) * new);
                self.parameters[*index] = parameter(next.collect(), device);
            }
        }
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

    /// Writes the parameters back into the graph that the network was made of, batch norms that are parts of layers folded.
    ///
    /// # Errors
    /// When it is another graph.
    pub fn store(&self, graph: &mut Graph) -> Result<(), TrainError> {
        for (id, numbers) in self.program.constants.iter().zip(self.numbers()) {
            graph.set_constant(*id, numbers)?;
        }
        for step in &self.program.steps {
            let (Some(norm), &[_, filter, bias]) = (&step.norm, &step.operands[..]) else {
                continue;
            };
            let operands = [filter, bias].map(ValueId::from_index);
            let [filter, bias] = operands.map(|id| graph.constant(id).unwrap_or_default());
            let folded = norm.fold(&self.parameters, filter, bias);
            for (id, numbers) in operands.into_iter().zip(folded) {
                graph.set_constant(id, numbers)?;
            }
        }
        Ok(())
    }
}

impl Program {
    fn new(graph: &Graph, norms: &[Norm]) -> Result<Self, TrainError> {
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
        let constants: Vec<ValueId> = graph.constants().map(|(id, _, _)| id).collect();
        let parameter = |id: ValueId| constants.iter().position(|constant| *constant == id);
        let mut steps = Vec::with_capacity(nodes.len());
        for node in nodes {
            let place = || format!("{} \"{}\"", node.op.name(), name(node.output));
            let norm = norms.iter().enumerate().find_map(|(index, norm)| {
                (node.inputs.get(1) == Some(&norm.filter)).then(|| Folded {
                    first: constants.len() + 4 * index,
                    epsilon: norm.epsilon,
                    channels: norm.numbers[0].len(),
                    columns: matches!(node.op, Op::DepthwiseConv2d { .. }),
                })
            });
            let averages = match (&norm, &node.op, &node.inputs[..]) {
                (Some(norm), _, _) => Some([norm.first + 2, norm.first + 3]),
                (None, Op::BatchNorm { .. }, &[_, _, _, mean, variance]) => {
                    parameter(mean).zip(parameter(variance)).map(Into::into)
                }
                _ => None,
            };
            steps.push(Step {
                norm,
                averages,
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
            constants,
            steps,
            values: graph.values.len(),
        })
    }

    /// Whether the value is the filter of a layer that has a batch norm as a part.
    fn is_folded(&self, value: usize) -> bool {
        let folded = |step: &Step| step.norm.is_some() && step.operands.get(1) == Some(&value);
        self.steps.iter().any(folded)
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

/// Makes each max-pool that is alone in using a convolution's result a part of the convolution, which then need not keep it.
fn merge_pools(steps: &mut Vec<Step>, logits: usize) {
    let mut at = 0;
    while at < steps.len() {
        at += 1;
        let pool = &steps[at - 1];
        let (Layer::MaxPool2d(layer), &[value]) = (&pool.layer, &pool.operands[..]) else {
            continue;
        };
        let users = steps.iter().filter(|step| step.operands.contains(&value));
        if users.count() > 1 || value == logits {
            continue;
        }
        let (layer, activation, output) = (layer.clone(), pool.activation, pool.output);
        let Some(maker) = steps.iter_mut().find(|step| step.output == value) else {
            continue;
        };
        if let (Layer::Conv2d(conv), Activation::None) = (&mut maker.layer, maker.activation) {
            conv.pool(&layer);
            (maker.activation, maker.output) = (activation, output);
            at -= 1;
            steps.remove(at);
        }
    }
}

/// Makes the activation of a convolution a part of it, unless a batch norm comes between.
fn merge_activations(steps: &mut [Step]) {
    for step in steps {
        if let (Layer::Conv2d(conv), None) = (&mut step.layer, &step.norm)
            && step.activation != Activation::None
        {
            conv.activate(std::mem::take(&mut step.activation));
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
    if let Ok(tensor) = (tensor.clone()).try_into_primitive::<burn::backend::Flex>()
        && let Some(numbers) = tensor.to_contiguous().as_slice()
    {
        // Without a copy.
        return read(numbers);
    }
    let data = tensor.into_data();
    match data.as_slice::<f32>() {
        // Always so on our backends; the conversion element by element is several times slower.
        Ok(numbers) => read(numbers),
        Err(_) => read(&data.iter::<f32>().collect::<Vec<_>>()),
    }
}

#[cfg(test)]
mod tests;
