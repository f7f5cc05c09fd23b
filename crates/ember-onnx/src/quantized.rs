//! Models that the file quantizes: the same integers, scales and zero points in a [`QuantizedGraph`].
//!
//! Every value that an operator computes with parameters of its own needs them from the file; filters and weights must be
//! integers there; a bias may be real, and is rounded at the scale that goes with it. What has UINT8 in the file has INT8
//! here: integers and zero points are 128 less, and stand for the same numbers. Where a pool or reshape gets other
//! parameters than its input has, which no integer kernel can do, a quantize is put behind it.

mod constants;

use std::collections::BTreeMap;

use ember_compress::passes::{
    self, CancelConversions, DropDead, FoldBatchNorm, FoldConstants, LowerBatchNorm, MergePad,
    MergeReshapes, Pass,
};
use ember_core::Dtype;
use ember_graph::quantized::{OutputParameters, QuantizedParts, output_parameters};
use ember_graph::{
    Graph, Node, Op, Quantization, QuantizedGraph, QuantizedSource, QuantizedValue, Role, Source,
    ValueId, Weightless,
};

use crate::OnnxError;
use crate::constant::{Integer, Integers};
use crate::lower::ByValue;

/// The passes that leave every quantized value in its place: a relu behind a value that the file quantizes stays there.
const PASSES: &[&dyn Pass] = &[
    &FoldConstants,
    &CancelConversions,
    &FoldBatchNorm,
    &MergePad,
    &LowerBatchNorm,
    &MergeReshapes,
    &DropDead,
];

/// How an activation is quantized.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Parameters {
    /// The step between neighbours.
    pub(crate) scale: f32,
    /// The integer that stands for 0, in INT8.
    pub(crate) zero_point: i32,
    /// The type in the file.
    pub(crate) kind: Integer,
}

impl Parameters {
    pub(crate) const fn quantization(self) -> Quantization {
        Quantization::PerTensor {
            scale: self.scale,
            zero_point: self.zero_point,
        }
    }
}

/// What the file says of how values of the graph are quantized.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) activations: ByValue<Parameters>,
    pub(crate) constants: ByValue<Integers>,
}

impl Kept {
    /// Whether the file quantizes nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.activations.is_empty() && self.constants.is_empty()
    }
}

/// The int8 model of `graph` with the integers, scales and zero points of the file.
///
/// # Errors
/// When something is not quantized, or in a way that int8 kernels do not have.
pub(crate) fn keep(graph: &Graph, kept: &Kept) -> Result<QuantizedGraph, OnnxError> {
    let names = |id: &ValueId| graph.values[id.index()].name.as_str();
    let (optimized, _) = passes::run(graph, PASSES)?;
    let mut keeper = Keeper {
        graph: &optimized,
        activations: kept
            .activations
            .iter()
            .map(|(id, p)| (names(id), *p))
            .collect(),
        constants: kept
            .constants
            .iter()
            .map(|(id, c)| (names(id), c))
            .collect(),
        before: graph,
        places: vec![None; optimized.values.len()],
        values: Vec::new(),
        nodes: Vec::new(),
    };
    keeper.spread_back();
    for id in optimized.ids() {
        keeper.value(id)?;
    }
    let placed = |ids: &[ValueId]| -> Result<Vec<ValueId>, OnnxError> {
        ids.iter().map(|id| keeper.place(*id)).collect()
    };
    let (inputs, outputs) = (placed(&optimized.inputs)?, placed(&optimized.outputs)?);
    Ok(QuantizedGraph::new(QuantizedParts {
        name: optimized.name.clone(),
        values: keeper.values,
        nodes: keeper.nodes,
        inputs,
        outputs,
    })?)
}

struct Keeper<'g> {
    graph: &'g Graph,
    /// The graph before the passes, which the constants are compared with.
    before: &'g Graph,
    activations: BTreeMap<&'g str, Parameters>,
    constants: BTreeMap<&'g str, &'g Integers>,
    /// Where each value of the graph is among `values`.
    places: Vec<Option<ValueId>>,
    values: Vec<QuantizedValue>,
    nodes: Vec<Node>,
}

impl<'g> Keeper<'g> {
    fn name(&self, id: ValueId) -> &'g str {
        &self.graph.values[id.index()].name
    }

    fn fault(&self, id: ValueId, problem: impl Into<String>) -> OnnxError {
        OnnxError::Quantization {
            value: self.name(id).to_owned(),
            problem: problem.into(),
        }
    }

    /// Where a reshape, pad or maximum alone reads a value, rounding before it is the same as rounding after it.
    fn spread_back(&mut self) {
        for node in self.graph.nodes.iter().rev() {
            let input = node.inputs[0];
            let commutes = matches!(
                node.op,
                Op::Reshape { .. }
                    | Op::Pad { .. }
                    | Op::MaxPool2d { .. }
                    | Op::Weightless(Weightless::Transpose { .. } | Weightless::Slice { .. })
            );
            let (from, to) = (self.name(node.output), self.name(input));
            if let Some(known) = self.activations.get(from).copied()
                && commutes
                && self.graph.uses(input) == 1
            {
                self.activations.entry(to).or_insert(known);
            }
        }
    }

    fn place(&self, id: ValueId) -> Result<ValueId, OnnxError> {
        let place = self.places[id.index()];
        place.ok_or_else(|| {
            self.fault(
                id,
                "an operator reads it in a way that it is not quantized for",
            )
        })
    }

    fn push(
        &mut self,
        name: String,
        shape: &[usize],
        quantization: Quantization,
        source: QuantizedSource,
    ) -> ValueId {
        let dtype = match &source {
            QuantizedSource::Constant(elements) => elements.dtype(),
            QuantizedSource::Input | QuantizedSource::Node => Dtype::Int8,
        };
        self.values.push(QuantizedValue {
            name,
            shape: shape.to_vec(),
            dtype,
            quantization,
            source,
        });
        ValueId::from_index(self.values.len() - 1)
    }

    fn value(&mut self, id: ValueId) -> Result<(), OnnxError> {
        let value = &self.graph.values[id.index()];
        match &value.source {
            Source::Input => {
                let quantization = self.own(id)?;
                let place = self.push(
                    value.name.clone(),
                    &value.shape,
                    quantization,
                    QuantizedSource::Input,
                );
                self.places[id.index()] = Some(place);
                Ok(())
            }
            // Constants are made by the node that reads them: what they are depends on it.
            Source::Constant(_) => Ok(()),
            Source::Node => match self.graph.producer(id) {
                Some(node) => self.node(node),
                None => Err(self.fault(id, "is made by no node")),
            },
        }
    }

    /// The parameters that the file gives a value.
    fn own(&self, id: ValueId) -> Result<Quantization, OnnxError> {
        let known = self.activations.get(self.name(id));
        known.map(|known| known.quantization()).ok_or_else(|| {
            self.fault(
                id,
                "the file has no QuantizeLinear for it, and has some for other values: quantize all of them, or none",
            )
        })
    }

    /// The value in these parameters; itself where it has them.
    fn rescaled(&mut self, id: ValueId, quantization: &Quantization) -> ValueId {
        let value = &self.values[id.index()];
        if value.quantization == *quantization {
            return id;
        }
        let (name, shape) = (
            format!("{}.rescaled{}", value.name, self.values.len()),
            value.shape.clone(),
        );
        let output = self.push(name, &shape, quantization.clone(), QuantizedSource::Node);
        self.nodes.push(Node {
            op: Op::Quantize,
            inputs: vec![id],
            output,
        });
        output
    }

    fn node(&mut self, node: &'g Node) -> Result<(), OnnxError> {
        let mut inputs: Vec<ValueId> = Vec::with_capacity(node.inputs.len());
        for (role, id) in node.op.operands().iter().zip(&node.inputs) {
            inputs.push(match role {
                Role::Activation if self.graph.constant(*id).is_some() => {
                    self.constant_activation(*id)?
                }
                Role::Activation => self.place(*id)?,
                Role::Filter | Role::Weights => self.weights(node, *id)?,
                Role::Bias => self.bias(*id, inputs[0], inputs[1])?,
                Role::Gamma | Role::Beta | Role::Mean | Role::Variance => {
                    return Err(self.fault(
                        node.output,
                        "a batch norm stands between quantized values: fold it before quantization",
                    ));
                }
            });
        }
        let output = &self.graph.values[node.output.index()];
        let given = self
            .activations
            .get(output.name.as_str())
            .map(|given| given.quantization());
        let of_input = self.values[inputs[0].index()].quantization.clone();
        let (made, after) = match output_parameters(&node.op, Dtype::Int8) {
            OutputParameters::Own => (self.own(node.output)?, None),
            OutputParameters::Shared => {
                let own = self.own(node.output)?;
                for input in &mut inputs {
                    *input = self.rescaled(*input, &own);
                }
                (own, None)
            }
            OutputParameters::OfInput => {
                let after = given.filter(|given| *given != of_input);
                (of_input, after)
            }
            OutputParameters::Fixed(fixed) => match given {
                Some(given) if given != fixed => {
                    return Err(self.fault(
                        node.output,
                        format!(
                            "a {} makes {fixed:?}, and the file has {given:?}",
                            node.op.name()
                        ),
                    ));
                }
                _ => (fixed, None),
            },
        };
        let name = match after {
            Some(_) => format!("{}.{}", output.name, node.op.name()),
            None => output.name.clone(),
        };
        let mut place = self.push(name, &output.shape, made, QuantizedSource::Node);
        self.nodes.push(Node {
            op: node.op.clone(),
            inputs,
            output: place,
        });
        if let Some(after) = after {
            let input = place;
            place = self.push(
                output.name.clone(),
                &output.shape,
                after,
                QuantizedSource::Node,
            );
            self.nodes.push(Node {
                op: Op::Quantize,
                inputs: vec![input],
                output: place,
            });
        }
        self.places[node.output.index()] = Some(place);
        Ok(())
    }
}
