//! What an operator's kernel is to the runtime, and how it is registered.
//!
//! A kernel is a type with two functions: `prepare` looks at the model once and works out parameters, `run` computes
//! with them. [`Registration::of`] turns the type into a row of a registry; only the kernels that a registry lists are
//! linked. Operators of one's own implement the same trait:
//!
//! ```
//! use ember_core::Dtype;
//! use ember_micro::{InvokeFault, Io, Kernel, OpCode, Prepare, Refused, Registration};
//!
//! /// `y = 2 x` on float32.
//! struct Twice;
//!
//! impl Kernel for Twice {
//!     const CODE: OpCode<'static> = OpCode::Custom("twice");
//!     const DTYPE: Option<Dtype> = Some(Dtype::Float32);
//!     type Prepared = ();
//!
//!     fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
//!         cx.arity(1..=1, 1)?;
//!         cx.same_elements()?;
//!         Ok(())
//!     }
//!
//!     fn run(_prepared: &(), io: Io<'_>) -> Result<(), InvokeFault> {
//!         let (inputs, output) = io.split::<f32>()?;
//!         for (y, x) in output.iter_mut().zip(inputs.get::<f32>(0)?) {
//!             *y = 2.0 * x;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! static REGISTRY: &[Registration] = &[Registration::of::<Twice>()];
//! assert_eq!(REGISTRY[0].code, OpCode::Custom("twice"));
//! ```

use ember_core::view::{self, Plain};
use ember_core::{BuiltinOp, Dtype};
use ember_tflite::{OpCode, Operator, Subgraph};

use crate::error::{InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::prepare::{self, Prepare};

/// One operator on one type.
pub trait Kernel {
    /// The operator.
    const CODE: OpCode<'static>;

    /// The type of the first input that it is for; `None` where it takes any.
    const DTYPE: Option<Dtype>;

    /// A second tensor whose type decides, where one does: the weights of a linear operator, the output of a conversion.
    const OTHER: Option<(Slot, Dtype)> = None;

    /// What else decides whether it is for an operator: more special kernels stand before the others in a registry.
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = None;

    /// The operator behind this one that the kernel does too: it writes that one's output, and what is between the two is
    /// never in memory. What pairs there are is in `fusion.rs`; [`Prepare::next`] is the other operator.
    const NEXT: Option<BuiltinOp> = None;

    /// What `run` needs besides the tensors: numbers of 32 bits, so that it takes the same room everywhere.
    /// [`plain!`](ember_core::plain) defines such a struct.
    type Prepared: Plain;

    /// Checks everything that `run` relies on, types, ranks, shapes, scales and options, and works out what it needs:
    /// the fields of `prepared`, which are zero before.
    ///
    /// # Errors
    /// `cx` knows what is wrong with the operator as the model describes it.
    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused>;

    /// Computes the outputs from the inputs.
    ///
    /// # Errors
    /// Something is not as it was prepared.
    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault>;
}

/// A row of a registry: a kernel with its types erased.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// The operator.
    pub code: OpCode<'static>,
    /// The type of the first input that it is for; `None` where it takes any.
    pub dtype: Option<Dtype>,
    /// A second tensor whose type decides, and that type.
    pub other: Option<(Slot, Dtype)>,
    /// The operator behind it that is done together with it.
    pub next: Option<BuiltinOp>,
    /// Words of [`Kernel::Prepared`].
    pub(crate) prepared_words: u32,
    pub(crate) suits: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool>,
    pub(crate) prepare: fn(&Prepare<'_>) -> Result<(), Refused>,
    pub(crate) run: fn(Io<'_>) -> Result<(), InvokeFault>,
}

impl Registration {
    /// The row for a kernel.
    #[must_use]
    pub const fn of<K: Kernel>() -> Self {
        Self {
            code: K::CODE,
            dtype: K::DTYPE,
            other: K::OTHER,
            next: K::NEXT,
            prepared_words: (size_of::<K::Prepared>() / 4) as u32,
            suits: K::SUITS,
            prepare: prepare::<K>,
            run: run::<K>,
        }
    }

    /// The row without its preparation, so that a program in which only [`Linked`](crate::Linked) models run does not link it.
    #[must_use]
    pub const fn prepared(self) -> Self {
        Self {
            suits: None,
            prepare: |_| Err(Refused(())),
            ..self
        }
    }

    /// What tells it from others, in numbers.
    pub(crate) const fn numbers(&self) -> [u32; 5] {
        const NONE: u32 = u32::MAX;
        [
            match self.code {
                OpCode::Builtin(op) => op.code() as u32,
                OpCode::Custom(name) => name.len() as u32 | 1 << 31,
            },
            match self.dtype {
                Some(dtype) => dtype as u32,
                None => NONE,
            },
            match self.other {
                Some((_, dtype)) => dtype as u32,
                None => NONE,
            },
            match self.next {
                Some(op) => op.code() as u32,
                None => NONE,
            },
            self.prepared_words,
        ]
    }

    /// Whether the second tensor whose type decides has that type.
    pub(crate) fn suits_other(&self, graph: &Subgraph<'_>, operator: &Operator<'_>) -> bool {
        let suits = |(slot, own): (Slot, Dtype)| slot.dtype(graph, operator) == Some(own);
        self.other.is_none_or(suits)
    }

    /// Whether it is for this operator of this graph, by itself.
    #[must_use]
    pub fn takes(&self, graph: &Subgraph<'_>, operator: &Operator<'_>) -> bool {
        if self.next.is_some() {
            return false;
        }
        let first = operator.inputs().iter().chain(operator.outputs().iter());
        let first = first.flatten().next().and_then(|id| graph.tensor(id));
        self.names(operator, first.map(|tensor| tensor.dtype()))
            && self.suits_other(graph, operator)
            && self.suits.is_none_or(|suits| suits(graph, operator))
    }

    /// Whether it is for this operator with a first tensor of this type, if it has any tensor.
    #[inline(always)]
    pub(crate) fn names(&self, operator: &Operator<'_>, dtype: Option<Dtype>) -> bool {
        let op = operator.builtin();
        let same = match self.code {
            OpCode::Builtin(own) => op == Some(own),
            OpCode::Custom(name) => op.is_none() && operator.custom_name() == name.as_bytes(),
        };
        same && self.dtype.is_none_or(|own| dtype == Some(own))
    }
}

fn prepare<K: Kernel>(cx: &Prepare<'_>) -> Result<(), Refused> {
    // Placed first: behind it lies what `prepare` keeps.
    let places = cx.places(size_of::<K::Prepared>() / 4)?;
    let mut prepared = view::zeroed::<K::Prepared>();
    K::prepare(cx, &mut prepared)?;
    prepare::write(places, view::as_words(&prepared));
    Ok(())
}

fn run<K: Kernel>(mut io: Io<'_>) -> Result<(), InvokeFault> {
    let words = io.words.split_at_checked(size_of::<K::Prepared>() / 4);
    let (prepared, kept) = words.ok_or(InvokeFault::Prepared)?;
    io.words = kept;
    K::run(view::from_words(prepared).ok_or(InvokeFault::Prepared)?, io)
}
