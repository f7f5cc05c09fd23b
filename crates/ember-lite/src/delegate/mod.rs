//! Operators that something else than the interpreter's kernels runs: a GPU, an NPU, a library.
//!
//! A [`Delegate`] says which operators of a model it takes. [`MappedModel::delegated`](crate::MappedModel::delegated) makes
//! partitions of them, has each compiled, and gives a model in which a partition is one operator; everything else is left to
//! the interpreter. Sessions, evaluation, benches and files work on it as on any other model, and
//! [`MappedModel::delegation`](crate::MappedModel::delegation) says what became of each operator.
//!
//! A partition is
//!
//! - of one delegate: of several, the first in the list that takes an operator has it;
//! - connected: one can go from each of its operators to each other along tensors that one of them writes and another reads;
//! - convex: no tensor leaves it and comes back changed, not even by way of other partitions. So all partitions can run as
//!   wholes, one after the other;
//! - without state: operators with variables, with subgraphs or on strings and resources are never offered. Neither are those
//!   whose weights are stored compressed, because the interpreter's kernels decode these as they go.
//!
//! A partition that its delegate cannot compile is offered to the delegates behind it, and run by the interpreter if none
//! takes it; [`Delegation::declined`] has the reason, and [`Delegation::left`] those for single operators. What goes wrong while a partition runs is an error of the run,
//! [`LiteError::Delegate`](crate::LiteError::Delegate): nothing is computed twice.
//!
//! ```
//! use ember_lite::{Compiled, Delegate, Node, Partition};
//! use ember_core::{BuiltinOp, Dtype};
//!
//! /// Takes RELU on float32.
//! struct Positive;
//!
//! impl Delegate for Positive {
//!     fn name(&self) -> &str {
//!         "positive"
//!     }
//!
//!     fn takes(&self, node: &Node<'_>) -> Result<(), String> {
//!         let float = node.input(0).is_some_and(|input| input.dtype() == Dtype::Float32);
//!         match node.op() {
//!             Some(BuiltinOp::Relu) if float => Ok(()),
//!             _ => Err("it is no RELU on float32".to_owned()),
//!         }
//!     }
//!
//!     fn compile(&self, _partition: &Partition<'_>) -> Result<Box<dyn Compiled>, String> {
//!         Ok(Box::new(Positive))
//!     }
//! }
//!
//! impl Compiled for Positive {
//!     fn run(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<(), String> {
//!         // However many RELUs follow each other: they do what one does.
//!         for (y, x) in outputs[0].as_chunks_mut().0.iter_mut().zip(inputs[0].as_chunks().0) {
//!             *y = f32::from_le_bytes(*x).max(0.0).to_le_bytes();
//!         }
//!         Ok(())
//!     }
//! }
//! ```

mod delegation;
mod interpreted;
mod kernel;
mod partitions;
mod rewrite;
mod simd;

use ember_core::BuiltinOp;
use ember_tflite::{OpCode, Operator, OptionsTable, Subgraph, Tensor, TensorId};

pub use self::delegation::{Declined, Delegation, Left, PlacedPartition};
pub use self::interpreted::Interpreted;
pub(crate) use self::kernel::{PARTITION, running};
pub use self::simd::Simd;

/// Something that runs operators in the interpreter's stead.
pub trait Delegate {
    /// What it is called in listings and errors.
    fn name(&self) -> &str;

    /// Takes this operator or leaves it, whatever is around it.
    ///
    /// # Errors
    ///
    /// Why it leaves it; the reason is kept in [`Delegation::left`].
    fn takes(&self, node: &Node<'_>) -> Result<(), String>;

    /// Makes a partition ready to run. It may keep nothing of the model but copies.
    ///
    /// # Errors
    ///
    /// Why it cannot; the partition then runs elsewhere, and the reason is kept in [`Delegation::declined`].
    fn compile(&self, partition: &Partition<'_>) -> Result<Box<dyn Compiled>, String>;
}

/// A partition that is ready to run. Sessions on several threads run the same one, at the same time.
pub trait Compiled: Send + Sync {
    /// Computes the partition's outputs from its inputs, in the order of [`Partition::outputs`] and [`Partition::inputs`].
    /// Each is the whole tensor, little-endian and row-major; inputs begin at a multiple of 16 in memory.
    ///
    /// # Errors
    ///
    /// What went wrong: the run ends with it.
    fn run(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<(), String>;
}

/// An operator of a model's main subgraph, with its tensors.
#[derive(Clone, Copy)]
pub struct Node<'m> {
    index: usize,
    graph: Subgraph<'m>,
    operator: Operator<'m>,
}

impl<'m> Node<'m> {
    /// The operator `index` of a graph, where there is one.
    pub(crate) fn of(graph: Subgraph<'m>, index: usize) -> Option<Node<'m>> {
        Some(Node {
            index,
            graph,
            operator: graph.operator(index)?,
        })
    }

    /// Its number in the order of execution.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The operator; `None` for a custom one.
    #[must_use]
    pub fn op(&self) -> Option<BuiltinOp> {
        self.operator.builtin()
    }

    /// The operator, or the name of a custom one.
    #[must_use]
    pub fn code(&self) -> OpCode<'m> {
        self.operator.opcode()
    }

    /// The operator as it stands in the file: its version and its options of every kind.
    #[must_use]
    pub fn operator(&self) -> &Operator<'m> {
        &self.operator
    }

    /// Its options, where they are of the type `T`; the schema's defaults where the file gives none.
    #[must_use]
    pub fn options<T: OptionsTable>(&self) -> Option<T> {
        self.operator.options_as()
    }

    /// Numbers of the tensors that it reads; `None` where one is left out.
    pub fn input_ids(&self) -> impl ExactSizeIterator<Item = Option<TensorId>> + 'm {
        self.operator.inputs().into_iter()
    }

    /// Numbers of the tensors that it writes.
    pub fn output_ids(&self) -> impl ExactSizeIterator<Item = Option<TensorId>> + 'm {
        self.operator.outputs().into_iter()
    }

    /// The tensor that it reads at this place; `None` where there is none or it is left out. A constant has
    /// [`data`](Tensor::data).
    #[must_use]
    pub fn input(&self, place: usize) -> Option<Tensor<'m>> {
        self.graph.tensor(self.operator.inputs().get(place)?)
    }

    /// The tensor that it writes at this place.
    #[must_use]
    pub fn output(&self, place: usize) -> Option<Tensor<'m>> {
        self.graph.tensor(self.operator.outputs().get(place)?)
    }
}

/// Operators that a delegate runs as a whole.
#[derive(Clone)]
pub struct Partition<'m> {
    graph: Subgraph<'m>,
    nodes: Vec<Node<'m>>,
    inputs: Vec<TensorId>,
    outputs: Vec<TensorId>,
}

impl<'m> Partition<'m> {
    /// Its operators, in an order in which they can run.
    #[must_use]
    pub fn nodes(&self) -> &[Node<'m>] {
        &self.nodes
    }

    /// The tensors that come from outside and are no constants, each once.
    #[must_use]
    pub fn inputs(&self) -> &[TensorId] {
        &self.inputs
    }

    /// The tensors that it computes and something outside reads, or that the model gives out; one at least.
    #[must_use]
    pub fn outputs(&self) -> &[TensorId] {
        &self.outputs
    }

    /// A tensor of the model: one of the partition's inputs, outputs, constants or what is between its operators.
    #[must_use]
    pub fn tensor(&self, id: TensorId) -> Option<Tensor<'m>> {
        self.graph.tensor(id)
    }

    /// The constants that its operators read, each once.
    #[must_use]
    pub fn constants(&self) -> Vec<TensorId> {
        let mut found = Vec::new();
        for id in self.nodes.iter().flat_map(Node::input_ids).flatten() {
            let constant = self.graph.tensor(id).is_some_and(|t| is_constant(&t));
            if constant && !found.contains(&id) {
                found.push(id);
            }
        }
        found
    }
}

/// Whether a tensor's bytes are in the file.
pub(crate) fn is_constant(tensor: &Tensor<'_>) -> bool {
    !tensor.data().is_empty()
}
