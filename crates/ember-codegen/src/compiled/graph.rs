//! A subgraph as the compiler sees it: which tensors are constants, and which have the bytes of another one.

use ember_core::BuiltinOp;
use ember_micro::plan;
use ember_tflite::{DECODE, Operator, Subgraph, SubgraphId, Tensor, TensorId, TensorIds};

/// What a tensor's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'m> {
    /// Bytes of the file.
    Constant(&'m [u8]),
    /// In the arena, in the bytes of this tensor, which may be the tensor itself.
    Arena(u32),
}

/// A subgraph of a checked model with the places of its tensors.
pub(super) struct Graph<'m> {
    pub(super) id: SubgraphId,
    pub(super) subgraph: Subgraph<'m>,
    places: Vec<Place<'m>>,
}

impl<'m> Graph<'m> {
    pub(super) fn new(id: SubgraphId, subgraph: Subgraph<'m>) -> Self {
        let places = subgraph
            .tensors()
            .zip(0..)
            .map(|(tensor, id)| match tensor.data() {
                [] => Place::Arena(id),
                data => Place::Constant(data),
            });
        let mut graph = Self {
            places: places.collect(),
            id,
            subgraph,
        };
        for operator in subgraph.operators() {
            graph.follow(&operator);
        }
        graph
    }

    /// Gives the outputs of an operator that only renames, or whose readers decode for themselves, the bytes of its inputs.
    fn follow(&mut self, operator: &Operator<'m>) {
        if operator.custom_name() == DECODE.as_bytes() {
            for (output, at) in operator.outputs().iter().zip(0..) {
                let encoded = operator.inputs().get(at * 2);
                if let (Some(TensorId(output)), Some(encoded)) = (output, encoded) {
                    self.places[output as usize] = self.place(encoded);
                }
            }
        } else if operator.builtin().is_some_and(plan::renames_input)
            && let (Some(input), Some(output)) =
                (operator.inputs().get(0), operator.outputs().get(0))
            && let Place::Arena(root) = self.place(input)
            && self.byte_len(input) == self.byte_len(output)
        {
            let TensorId(output) = output;
            self.places[output as usize] = Place::Arena(root);
        }
    }

    /// What the names of its operators in the source begin with.
    pub(super) fn prefix(&self) -> String {
        match self.id {
            SubgraphId::MAIN => String::new(),
            SubgraphId(id) => format!("graph_{id}_"),
        }
    }

    /// The name of an operator in the source: `conv_2d_0`, `graph_1_conv_2d_0`.
    pub(super) fn name(&self, op: BuiltinOp, index: usize) -> String {
        format!("{}{}_{index}", self.prefix(), op.name().to_lowercase())
    }

    pub(super) fn place(&self, TensorId(id): TensorId) -> Place<'m> {
        self.places[id as usize]
    }

    pub(super) fn tensor(&self, id: TensorId) -> Tensor<'m> {
        // A checked model names no tensor that it does not have.
        let tensor = self.subgraph.tensor(id);
        tensor.expect("a tensor of a checked model")
    }

    pub(super) fn byte_len(&self, id: TensorId) -> usize {
        self.tensor(id).byte_len()
    }

    /// Whether the operator has nothing to do: its output has the bytes of its input already.
    pub(super) fn is_nothing(&self, operator: &Operator<'m>) -> bool {
        if operator.custom_name() == DECODE.as_bytes() {
            return true;
        }
        let renames = operator.builtin().is_some_and(plan::renames_input);
        let (input, output) = (operator.inputs().get(0), operator.outputs().get(0));
        renames
            && input.zip(output).is_some_and(|(input, output)| {
                matches!(self.place(output), Place::Arena(_))
                    && self.place(input) == self.place(output)
            })
    }

    /// Whether `reader` is the only one that looks at this tensor's bytes, and the subgraph gives them to nobody.
    pub(super) fn is_read_only_by(&self, id: TensorId, reader: usize) -> bool {
        let same = |other: u32| self.place(TensorId(other)) == self.place(id);
        let mut readers = self.subgraph.operators().enumerate();
        let elsewhere =
            readers.any(|(index, operator)| index != reader && ids(operator.inputs()).any(same));
        !elsewhere
            && !ids(self.subgraph.outputs()).any(same)
            && !ids(self.subgraph.inputs()).any(same)
    }

    /// The builtin operator, CUSTOM for any other.
    pub(super) fn op(operator: &Operator<'m>) -> BuiltinOp {
        operator.builtin().unwrap_or(BuiltinOp::Custom)
    }
}

/// The tensors that are not left out.
pub(super) fn ids(ids: TensorIds<'_>) -> impl Iterator<Item = u32> {
    ids.into_iter().flatten().map(|TensorId(id)| id)
}
