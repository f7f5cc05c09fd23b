//! What can stop a model from being prepared or run, each with its place and what to do about it.
//!
//! The types carry numbers and enums only, and the texts stand in the `Display` implementations: a firmware that
//! prints its own way links neither.

use ember_core::{Activation, BuiltinOp, Dtype};
use ember_kernels::KernelError;
use ember_tflite::{Operator, Subgraph, Tensor};

/// A tensor of an operator: an input or an output, by its number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Slot(u8);

impl Slot {
    const OUTPUT: u8 = 0x80;

    /// The input with this number, 0 to 127.
    #[must_use]
    pub const fn input(index: u8) -> Self {
        Self(index & !Self::OUTPUT)
    }

    /// The output with this number, 0 to 127.
    #[must_use]
    pub const fn output(index: u8) -> Self {
        Self(index | Self::OUTPUT)
    }

    /// Whether it is an output.
    #[must_use]
    pub const fn is_output(self) -> bool {
        self.0 & Self::OUTPUT != 0
    }

    /// Its number among the inputs or outputs.
    #[must_use]
    pub const fn index(self) -> usize {
        (self.0 & !Self::OUTPUT) as usize
    }

    /// The tensor in this place of an operator.
    #[inline(never)]
    pub(crate) fn of<'a>(
        self,
        graph: &Subgraph<'a>,
        operator: &Operator<'a>,
    ) -> Option<Tensor<'a>> {
        let ids = if self.is_output() {
            operator.outputs()
        } else {
            operator.inputs()
        };
        graph.tensor(ids.get(self.index())?)
    }

    /// The type of that tensor.
    #[inline(never)]
    pub(crate) fn dtype(self, graph: &Subgraph<'_>, operator: &Operator<'_>) -> Option<Dtype> {
        self.of(graph, operator).map(|tensor| tensor.dtype())
    }
}

impl core::fmt::Display for Slot {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let kind = if self.is_output() { "output" } else { "input" };
        write!(f, "{kind} {}", self.index())
    }
}

impl core::fmt::Debug for Slot {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

/// Why an [`Interpreter`](crate::Interpreter) could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The arena does not begin at a multiple of 16.
    #[error(
        "the arena begins {remainder} bytes after a multiple of 16: align it, as with #[repr(align(16))]"
    )]
    ArenaAlignment {
        /// Its address modulo 16.
        remainder: u32,
    },
    /// The arena is too small.
    #[error("the arena has {given} bytes and the model needs {}{needed}: make it as large as that", if *exact { "" } else { "at least " })]
    ArenaTooSmall {
        /// Bytes that the model needs.
        needed: u32,
        /// Bytes that there are.
        given: u32,
        /// Whether `needed` is the exact number. It is, unless the arena is too small even for the planning; then it is
        /// what the planning needs.
        exact: bool,
    },
    /// More of something than the runtime counts.
    #[error(
        "the model has more than 65534 tensors or operators, more than 127 inputs of one operator, or more than a gibibyte of activations: split it"
    )]
    TooLarge,
    /// No registration runs this operator with this type.
    #[error(
        "{}operator {index} is {op} version {version} on {dtype}, and the registry has no kernel for {op} on {dtype}: add its registration (registry::ALL has all that Ember has), or convert the model with other types",
        Within(*subgraph)
    )]
    MissingRegistration {
        /// Of which subgraph; the main one is 0.
        subgraph: u32,
        /// Which operator, in the order of execution.
        index: u32,
        /// What it is; `CUSTOM` for a custom operator, whose name the model has.
        op: BuiltinOp,
        /// Its version in the file.
        version: i32,
        /// The type of its first input.
        dtype: Dtype,
    },
    /// An operator cannot be run as the model describes it.
    #[error("{}operator {index}, {op}: {fault}", Within(*subgraph))]
    Operator {
        /// Of which subgraph; the main one is 0.
        subgraph: u32,
        /// Which operator, in the order of execution.
        index: u32,
        /// What it is.
        op: BuiltinOp,
        /// What is wrong with it.
        fault: Fault,
    },
    /// An operator reads a tensor that nothing has written.
    #[error(
        "{}operator {index} reads tensor {tensor}, which is no constant, no input of the model and no output of an earlier operator: the operators are out of order or the model is damaged",
        Within(*subgraph)
    )]
    Unwritten {
        /// Of which subgraph; the main one is 0.
        subgraph: u32,
        /// Which operator; the number of operators for an output of the model.
        index: u32,
        /// Which tensor.
        tensor: u32,
    },
    /// A tensor is written twice.
    #[error(
        "{}operator {index} writes tensor {tensor}, which already has its value: every tensor is written once, the model is damaged",
        Within(*subgraph)
    )]
    Rewritten {
        /// Of which subgraph; the main one is 0.
        subgraph: u32,
        /// Which operator.
        index: u32,
        /// Which tensor.
        tensor: u32,
    },
    /// The arena plan in the model's metadata is not usable.
    #[error(
        "the arena plan in the metadata puts tensor {tensor} at {offset}, which is no multiple of 4 or beyond 2^30: write the plan again or leave it out"
    )]
    PlanOffset {
        /// Which tensor.
        tensor: u32,
        /// Its offset in the plan, in bytes.
        offset: i32,
    },
    /// The arena plan in the model's metadata lets values overwrite each other.
    #[error(
        "the arena plan in the metadata puts tensors {tensor} and {other} over each other while both are in use: write the plan again or leave it out"
    )]
    PlanOverlap {
        /// Which tensor.
        tensor: u32,
        /// The tensor that it overlaps.
        other: u32,
    },
}

/// Names a subgraph in front of an operator, unless it is the main one.
struct Within(u32);

impl core::fmt::Display for Within {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            0 => Ok(()),
            subgraph => write!(f, "subgraph {subgraph}, "),
        }
    }
}

/// The word that a kernel refused to be prepared. Why stands in the [`Prepare`](crate::Prepare) that gave it out, so that
/// the many fallible steps of a preparation have small results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub(crate) ());

/// What is wrong with an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Too few or too many tensors.
    #[error("it has {inputs} inputs and {outputs} outputs, which is not what the operator takes")]
    Arity {
        /// Inputs in the file.
        inputs: u8,
        /// Outputs in the file.
        outputs: u8,
    },
    /// A tensor that must be there is left out.
    #[error("its {0} is left out")]
    Missing(Slot),
    /// A type that the kernel does not take.
    #[error(
        "its {slot} is {found} where the kernel takes {expected}: the operator is not supported with these types; convert the model with other types (full integer or float)"
    )]
    Dtype {
        /// Which tensor.
        slot: Slot,
        /// The type in the file.
        found: Dtype,
        /// The type that the kernel takes.
        expected: Dtype,
    },
    /// A number of dimensions that the kernel does not take.
    #[error("its {slot} has {found} dimensions where {expected} are expected")]
    Rank {
        /// Which tensor.
        slot: Slot,
        /// Dimensions in the file.
        found: u32,
        /// Dimensions expected.
        expected: u32,
    },
    /// A size that does not follow from the other tensors.
    #[error(
        "dimension {dimension} of its {slot} is {found} where the other tensors and options ask for {expected}"
    )]
    Size {
        /// Which tensor.
        slot: Slot,
        /// Which dimension.
        dimension: u8,
        /// Size in the file.
        found: u32,
        /// Size expected.
        expected: u32,
    },
    /// A number of elements that does not follow from the other tensors.
    #[error("its {slot} has {found} elements where the other tensors ask for {expected}")]
    Elements {
        /// Which tensor.
        slot: Slot,
        /// Elements in the file.
        found: u32,
        /// Elements expected.
        expected: u32,
    },
    /// A shape that does not fit the options: a window larger than its input, a stride of 0, an axis out of range.
    #[error(
        "its options do not fit its shapes: a stride or factor of 0, a window larger than its input, or an axis out of range"
    )]
    Options,
    /// Shapes that cannot be broadcast to each other.
    #[error("its inputs' shapes cannot be broadcast to each other within 4 dimensions")]
    Broadcast,
    /// An integer tensor without scale and zero point.
    #[error(
        "its {0} has no scale and zero point: convert the model with full integer quantization"
    )]
    NotQuantized(Slot),
    /// A number of scales that the kernel does not take.
    #[error(
        "its {slot} has {found} scales where {expected} or 1 are expected, along the dimension of its output channels"
    )]
    Scales {
        /// Which tensor.
        slot: Slot,
        /// Scales in the file.
        found: u32,
        /// Scales that per-channel quantization has.
        expected: u32,
    },
    /// A scale out of range.
    #[error("the scale of its {0} is zero, or out of all proportion to those of the other tensors")]
    Scale(Slot),
    /// A zero point out of range.
    #[error("the zero point of its {slot} is {found}, which the kernel does not take")]
    ZeroPoint {
        /// Which tensor.
        slot: Slot,
        /// The zero point in the file.
        found: i32,
    },
    /// Input and output of an operator that does not rescale differ in quantization.
    #[error(
        "its input and output differ in scale or zero point, and the operator does not rescale"
    )]
    Rescale,
    /// An activation that cannot be fused.
    #[error("its fused activation {0:?} is not one that clamps: move it to an operator of its own")]
    Activation(Activation),
    /// A tensor that must be constant.
    #[error("its {0} is no constant: only constant ones are supported")]
    NotConstant(Slot),
    /// A tensor that must keep its content from run to run.
    #[error("its {0} is no variable: the operator keeps its state there, mark the tensor as one")]
    NotVariable(Slot),
    /// A tensor that only a variant of the operator has.
    #[error(
        "its {0} is given, which makes it a variant of the operator that is not supported: leave it out"
    )]
    Unsupported(Slot),
    /// Weights that are stored in a form that is not as its description says, or that a kernel reads which cannot decode it.
    #[error(
        "its {0} is encoded, and the description of the encoding does not fit it, or it is read by an operator that cannot decode it: only the weights of CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED on INT8 are decoded, from decode types 0, 2 and 128"
    )]
    Encoding(Slot),
    /// A constant at an address that its type cannot be read at.
    #[error("its {0} lies at an odd address: load the model at a multiple of 16")]
    Misaligned(Slot),
    /// A number that names no subgraph.
    #[error("it calls subgraph {0}, which the model does not have: convert the model again")]
    NoSubgraph(i32),
    /// A subgraph that is running already when it is called.
    #[error(
        "it calls subgraph {0}, of which it is a part itself: a model cannot call itself; use WHILE"
    )]
    Recursion(u32),
    /// Calls within calls.
    #[error(
        "it calls subgraph {0} in calls more than 8 deep: put fewer conditions and loops into each other"
    )]
    Depth(u32),
    /// A call with another number of tensors than the subgraph has.
    #[error(
        "it calls subgraph {subgraph}, which has {inputs} inputs and {outputs} outputs, with other numbers of them: convert the model again"
    )]
    CalledArity {
        /// Which subgraph.
        subgraph: u32,
        /// Its inputs.
        inputs: u8,
        /// Its outputs.
        outputs: u8,
    },
    /// A tensor of a call that is not like that of the subgraph.
    #[error(
        "its {slot} differs in type or shape from the tensor that it stands for in subgraph {subgraph}: convert the model again, with static shapes"
    )]
    CalledTensor {
        /// Which tensor of the operator.
        slot: Slot,
        /// Which subgraph.
        subgraph: u32,
    },
    /// What decides is no truth value.
    #[error(
        "subgraph {0}, which says whether it goes on, does not give one BOOL: convert the model again"
    )]
    Condition(u32),
    /// A called subgraph whose input cannot be filled.
    #[error("it calls subgraph {0}, which has a constant as input: convert the model again")]
    ConstantInput(u32),
    /// An operator with a state of its own in a called subgraph.
    #[error(
        "it keeps what it has seen from run to run, which only an operator of the main subgraph can: move it there"
    )]
    InnerState,
    /// Too much of it.
    #[error(
        "with subgraph {0} the model has more than 65534 tensors or operators in one subgraph, or takes more than 4 MiB of preparation: call fewer subgraphs"
    )]
    Called(u32),
    /// Something that is no handle of a resource variable.
    #[error("its {0} is no handle of a variable, which is one element of RESOURCE or INT32")]
    Handle(Slot),
    /// A resource variable without a name.
    #[error("it has no options that name its variable: convert the model again")]
    Unnamed,
    /// A resource variable that is used as if it were several.
    #[error("its variable is read or assigned with different types or sizes: a variable has one")]
    VariableType,
    /// More than there can be.
    #[error(
        "the model has more than 255 operators VAR_HANDLE and CALL_ONCE, or follows handles through more than 8 subgraphs: use fewer variables"
    )]
    TooManyVariables,
    /// A custom operator's preparation refused; the number is its own.
    #[error("its kernel refuses with code {0}")]
    Custom(u32),
    /// The arena is too small. [`PrepareError::ArenaTooSmall`] stands for it outside.
    #[error("the arena is too small")]
    Arena,
}

/// Why a model did not run to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("operator {index}: {fault}")]
pub struct InvokeError {
    /// Which operator of the main subgraph, in the order of execution; also for what happened in a subgraph that it calls.
    pub index: u32,
    /// What happened.
    pub fault: InvokeFault,
}

impl InvokeError {
    /// Whether nothing failed: a CIRCULAR_BUFFER has kept its input and waits for the next one. The outputs behind it are those
    /// of an earlier run.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.fault == InvokeFault::Kernel(KernelError::Waiting)
    }
}

/// What stopped an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeFault {
    /// The kernel refused its slices.
    #[error("{0}")]
    Kernel(#[from] KernelError),
    /// A tensor is not where the preparation put it, or not of the type that the kernel asks for.
    #[error(
        "its {0} cannot be read as the kernel reads it: the model or the arena was overwritten"
    )]
    Operand(Slot),
    /// What the preparation stored is not what it was.
    #[error("what was prepared for it is damaged: the arena was overwritten")]
    Prepared,
    /// A custom operator stopped; the number is its own.
    #[error("its kernel stopped with code {0}")]
    Custom(u32),
    /// A loop went on and on.
    #[error(
        "its condition still held after {0} rounds: it is taken for a loop without an end; register control_flow::While with another limit, if it is not"
    )]
    Endless(u32),
}
