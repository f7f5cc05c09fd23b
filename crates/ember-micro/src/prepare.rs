//! What a kernel sees of the model while it prepares.

use core::cell::Cell;
use core::ops::RangeInclusive;

use ember_core::view::Plain;
use ember_core::{Clamp, Dtype};
use ember_tflite::{Operator, OptionsTable, Quantization, Shape, Subgraph, SubgraphId, Tensor};

use crate::error::{Fault, PrepareError, Refused, Slot};
use crate::kernel::Registration;
use crate::plan::{self, Activations};

/// Words of the arena that are given out one after the other.
pub(crate) struct Tape<'a> {
    words: &'a [Cell<u32>],
    used: Cell<usize>,
    /// Words at the end that are lent.
    lent: Cell<usize>,
    most: Cell<usize>,
}

impl<'a> Tape<'a> {
    pub(crate) const fn new(words: &'a [Cell<u32>]) -> Self {
        Self {
            words,
            used: Cell::new(0),
            lent: Cell::new(0),
            most: Cell::new(0),
        }
    }

    /// The number of words given out.
    pub(crate) const fn used(&self) -> usize {
        self.used.get()
    }

    /// The number of words that would have been enough so far, those that were lent meanwhile included.
    pub(crate) const fn most(&self) -> usize {
        self.most.get()
    }

    /// Notes that so many words are needed; none where there are fewer.
    fn need(&self, words: usize) -> Option<()> {
        self.most.set(words.max(self.most.get()));
        (words <= self.words.len()).then_some(())
    }

    /// Lends the last `count` words that are not given out or lent; none where there are fewer. They are to be handed
    /// back in the reverse order.
    pub(crate) fn lend(&self, count: usize) -> Option<&'a [Cell<u32>]> {
        let lent = self.lent.get().saturating_add(count);
        self.need(self.used.get().saturating_add(lent))?;
        let start = self.words.len().checked_sub(lent)?;
        let words = self.words.get(start..)?.get(..count)?;
        self.lent.set(lent);
        Some(words)
    }

    /// Takes back the last `count` words that were lent.
    pub(crate) fn hand_back(&self, count: usize) {
        self.lent.set(self.lent.get().saturating_sub(count));
    }

    /// The next `count` words; none where there are fewer.
    #[inline(never)]
    pub(crate) fn take(&self, count: usize) -> Option<&'a [Cell<u32>]> {
        let start = self.used.get();
        let end = start.saturating_add(count);
        self.need(end.saturating_add(self.lent.get()))?;
        let words = self.words.get(start..end)?;
        self.used.set(end);
        Some(words)
    }
}

/// Writes words to places; there are as many.
#[inline(never)]
pub(crate) fn write(places: &[Cell<u32>], words: &[u32]) {
    for (place, word) in places.iter().zip(words) {
        place.set(*word);
    }
}

ember_core::plain! {
    /// Bytes of the arena that an operator has for itself while it runs: what [`Prepare::scratch`] gave, to be kept for
    /// [`Io::scratch`](crate::Io::scratch).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Scratch {
        pub(crate) start: u32,
        /// Bytes.
        pub len: u32,
    }
}

/// An operator of the model, and the place for what its kernel works out.
///
/// A step that fails notes why and returns [`Refused`]; the note is what the caller of
/// [`Interpreter::new`](crate::Interpreter::new) gets to see. The words that a kernel keeps with [`Prepare::keep`] come
/// back as [`Io::kept`](crate::Io::kept), in order.
pub struct Prepare<'p> {
    pub(crate) graph: &'p Subgraph<'p>,
    pub(crate) path: &'p Path<'p>,
    pub(crate) registry: &'p [Registration],
    pub(crate) operator: Operator<'p>,
    pub(crate) tape: &'p Tape<'p>,
    pub(crate) activations: &'p Activations<'p>,
    /// Which operator it is, in the order of execution.
    pub(crate) index: u32,
    /// The end of the scratch that it was given.
    pub(crate) scratch: Cell<u32>,
    /// Which operator was refused, and why.
    pub(crate) failed: &'p Cell<Failure>,
}

/// Why a preparation failed.
#[derive(Clone, Copy)]
pub(crate) enum Failure {
    /// An operator of the subgraph was refused.
    Operator(u32, Fault),
    /// Something else: what is wrong in a subgraph that the operator calls.
    Called(PrepareError),
}

/// Which subgraph is being prepared, and for whom.
pub(crate) struct Path<'p> {
    pub(crate) subgraph: SubgraphId,
    /// The subgraph with the operator that calls it.
    pub(crate) caller: Option<&'p Path<'p>>,
}

impl Path<'_> {
    pub(crate) const MAIN: Self = Self {
        subgraph: SubgraphId::MAIN,
        caller: None,
    };
}

impl<'p> Prepare<'p> {
    /// Refuses the operator for this reason.
    #[cold]
    #[inline(never)]
    pub fn refuse(&self, fault: Fault) -> Refused {
        self.failed.set(Failure::Operator(self.index, fault));
        Refused(())
    }

    /// `value`, or a refusal for this reason.
    ///
    /// # Errors
    /// There is no value.
    #[inline(always)]
    pub fn expect<T>(&self, value: Option<T>, fault: Fault) -> Result<T, Refused> {
        match value {
            Some(value) => Ok(value),
            None => Err(self.refuse(fault)),
        }
    }

    /// The operator.
    #[must_use]
    pub const fn operator(&self) -> &Operator<'p> {
        &self.operator
    }

    /// Checks the number of inputs and outputs.
    ///
    /// # Errors
    /// [`Fault::Arity`].
    pub fn arity(&self, inputs: RangeInclusive<usize>, outputs: usize) -> Result<(), Refused> {
        let found = (self.operator.inputs().len(), self.operator.outputs().len());
        if inputs.contains(&found.0) && found.1 == outputs {
            return Ok(());
        }
        Err(self.refuse(Fault::Arity {
            inputs: found.0.min(255) as u8,
            outputs: found.1.min(255) as u8,
        }))
    }

    /// The operator behind this one, for a kernel that does both ([`Kernel::NEXT`](crate::Kernel::NEXT)).
    ///
    /// # Errors
    /// [`Fault::Options`] where there is none.
    pub fn next(&self) -> Result<Self, Refused> {
        let index = self.index + 1;
        let operator = self.graph.operator(index as usize);
        Ok(Self {
            operator: self.expect(operator, Fault::Options)?,
            index,
            scratch: Cell::new(self.scratch.get()),
            ..*self
        })
    }

    /// A tensor of any type.
    ///
    /// # Errors
    /// [`Fault::Missing`] where it is left out, [`Fault::Misaligned`] for a constant that cannot be read in place.
    #[inline(never)]
    pub fn any(&self, slot: Slot) -> Result<Operand<'_>, Refused> {
        let tensor = slot.of(self.graph, &self.operator);
        let tensor = self.expect(tensor, Fault::Missing(slot))?;
        let alignment = match tensor.dtype().bits() {
            Some(bits) if bits >= 32 => 4,
            Some(16) => 2,
            _ => 1,
        };
        if alignment > 1 {
            let data = tensor.data();
            if !data.is_empty() && data.as_ptr() as usize & (alignment - 1) != 0 {
                return Err(self.refuse(Fault::Misaligned(slot)));
            }
        }
        Ok(Operand {
            cx: self,
            slot,
            tensor,
        })
    }

    /// A tensor of type `dtype`.
    ///
    /// # Errors
    /// It is left out or of another type.
    #[inline(never)]
    pub fn typed(&self, slot: Slot, dtype: Dtype) -> Result<Operand<'_>, Refused> {
        self.any(slot)?.of(dtype)
    }

    /// The input at `index`, of type `dtype`.
    ///
    /// # Errors
    /// It is left out or of another type.
    pub fn input(&self, index: u8, dtype: Dtype) -> Result<Operand<'_>, Refused> {
        self.typed(Slot::input(index), dtype)
    }

    /// The input at `index`, of type `dtype`, if there is one.
    ///
    /// # Errors
    /// It is of another type.
    pub fn optional_input(&self, index: u8, dtype: Dtype) -> Result<Option<Operand<'_>>, Refused> {
        match self.operator.inputs().get(usize::from(index)) {
            None => Ok(None),
            Some(_) => self.input(index, dtype).map(Some),
        }
    }

    /// Checks that there is no input at `index`, where a variant of the operator would have one.
    ///
    /// # Errors
    /// [`Fault::Unsupported`].
    pub fn no_input(&self, index: u8) -> Result<(), Refused> {
        match self.operator.inputs().get(usize::from(index)) {
            None => Ok(()),
            Some(_) => Err(self.refuse(Fault::Unsupported(Slot::input(index)))),
        }
    }

    /// The output at `index`, of type `dtype`.
    ///
    /// # Errors
    /// It is left out or of another type.
    pub fn output(&self, index: u8, dtype: Dtype) -> Result<Operand<'_>, Refused> {
        self.typed(Slot::output(index), dtype)
    }

    /// The operator's options of the type that it carries.
    ///
    /// # Errors
    /// [`Fault::Options`] where it carries another type.
    pub fn options<T: OptionsTable>(&self) -> Result<T, Refused> {
        self.expect(self.operator.options_as(), Fault::Options)
    }

    /// Checks that the first input and the first output have the same type and number of elements; gives the input.
    ///
    /// # Errors
    /// [`Fault::Dtype`] or [`Fault::Elements`].
    #[inline(never)]
    pub fn same_elements(&self) -> Result<Operand<'_>, Refused> {
        let input = self.any(Slot::input(0))?;
        self.output(0, input.dtype())?
            .elements_are(input.elements())?;
        Ok(input)
    }

    /// Keeps words for the run, in the arena.
    ///
    /// # Errors
    /// [`Fault::Arena`] where it is full.
    #[inline(never)]
    pub fn keep(&self, words: &[u32]) -> Result<(), Refused> {
        write(self.places(words.len())?, words);
        Ok(())
    }

    /// Room for `elements` while the operator runs, in bytes that hold nothing of others then; what they hold at the start
    /// does not matter. [`Io::scratch`](crate::Io::scratch) gives it to the run.
    ///
    /// It begins at a multiple of 16 of the arena and lies behind all activations that are in use during the operator, so
    /// that the run can split it off; the arena grows only where that is beyond its end.
    ///
    /// # Errors
    /// [`Fault::Options`] where there are more bytes than an arena can have.
    #[inline(never)]
    pub fn scratch<T: Plain>(&self, elements: u32) -> Result<Scratch, Refused> {
        let begun = self.scratch.get();
        let start = if begun > 0 {
            begun
        } else {
            self.activations.end_during(self.index)
        };
        let len = elements.checked_mul(size_of::<T>() as u32);
        let len = self.expect(len, Fault::Options)?;
        let end = plan::aligned(start.saturating_add(len));
        self.expect(self.activations.reach(end), Fault::Options)?;
        self.scratch.set(end);
        Ok(Scratch { start, len })
    }

    /// Where a tensor lies among the activations, in bytes from their start; none for a constant, and for one that is left
    /// out. [`Io::activations`](crate::Io::activations) gives the bytes.
    #[must_use]
    pub fn place(&self, slot: Slot) -> Option<u32> {
        let ids = if slot.is_output() {
            self.operator.outputs()
        } else {
            self.operator.inputs()
        };
        let id = ids.get(slot.index())?;
        let [word, _] = self.activations.table.get(id.index())?;
        match plan::Location::from_word(word.get()) {
            plan::Location::Arena(offset) => Some(offset),
            plan::Location::Model(_) | plan::Location::SameAs(_) | plan::Location::Nowhere => None,
        }
    }

    /// Where in the model these bytes of it lie.
    pub(crate) fn offset(&self, bytes: &[u8]) -> u32 {
        (bytes.as_ptr() as usize).wrapping_sub(self.graph.model().bytes().as_ptr() as usize) as u32
    }

    /// The next words of the arena.
    pub(crate) fn places(&self, count: usize) -> Result<&'p [Cell<u32>], Refused> {
        self.expect(self.tape.take(count), Fault::Arena)
    }
}

/// A tensor of an operator that is being prepared.
#[derive(Clone, Copy)]
pub struct Operand<'c> {
    cx: &'c Prepare<'c>,
    slot: Slot,
    tensor: Tensor<'c>,
}

impl<'c> Operand<'c> {
    /// Which tensor of the operator it is.
    #[must_use]
    pub const fn slot(&self) -> Slot {
        self.slot
    }

    /// The type of its elements.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        self.tensor.dtype()
    }

    /// Its dimensions.
    ///
    /// # Errors
    /// None for an operand that the preparation gave out.
    #[inline(never)]
    pub fn shape(&self) -> Result<Shape<'c>, Refused> {
        Ok(self.tensor.shape())
    }

    /// The product of its dimensions.
    #[inline(never)]
    #[must_use]
    pub fn elements(&self) -> u32 {
        self.tensor.elements() as u32
    }

    /// The bytes of a constant.
    ///
    /// # Errors
    /// [`Fault::NotConstant`].
    pub fn constant(&self) -> Result<&'c [u8], Refused> {
        let data = self.tensor.data();
        if data.is_empty() && self.elements() > 0 {
            return Err(self.cx.refuse(Fault::NotConstant(self.slot)));
        }
        Ok(data)
    }

    /// Checks that it keeps its content from run to run.
    ///
    /// # Errors
    /// [`Fault::NotVariable`].
    pub fn is_variable(&self) -> Result<(), Refused> {
        if self.tensor.is_variable() {
            return Ok(());
        }
        Err(self.cx.refuse(Fault::NotVariable(self.slot)))
    }

    /// Checks the type.
    ///
    /// # Errors
    /// [`Fault::Dtype`].
    #[inline(never)]
    pub fn of(self, expected: Dtype) -> Result<Self, Refused> {
        let found = self.dtype();
        if found == expected {
            return Ok(self);
        }
        Err(self.cx.refuse(Fault::Dtype {
            slot: self.slot,
            found,
            expected,
        }))
    }

    /// Checks the number of dimensions.
    ///
    /// # Errors
    /// [`Fault::Rank`].
    #[inline(never)]
    pub fn rank_is(&self, expected: usize) -> Result<(), Refused> {
        let found = self.shape()?.len();
        if found == expected {
            return Ok(());
        }
        Err(self.cx.refuse(Fault::Rank {
            slot: self.slot,
            found: found as u32,
            expected: expected as u32,
        }))
    }

    /// Its dimensions, which must be `N`.
    ///
    /// # Errors
    /// [`Fault::Rank`].
    #[inline(never)]
    pub fn dims<const N: usize>(&self) -> Result<[u32; N], Refused> {
        let shape = self.shape()?;
        if shape.len() != N {
            return Err(self.cx.refuse(Fault::Rank {
                slot: self.slot,
                found: shape.len() as u32,
                expected: N as u32,
            }));
        }
        Ok(core::array::from_fn(|at| shape.get(at).unwrap_or(0) as u32))
    }

    /// Checks the dimensions.
    ///
    /// # Errors
    /// [`Fault::Rank`] or [`Fault::Size`].
    #[inline(never)]
    pub fn dims_are<const N: usize>(&self, expected: &[u32; N]) -> Result<(), Refused> {
        let dims = self.dims::<N>()?;
        for ((found, expected), dimension) in dims.into_iter().zip(expected).zip(0..) {
            self.size_is(dimension, found, *expected)?;
        }
        Ok(())
    }

    /// Checks the size of one dimension.
    ///
    /// # Errors
    /// [`Fault::Size`].
    pub fn size_is(&self, dimension: u8, found: u32, expected: u32) -> Result<(), Refused> {
        if found == expected {
            return Ok(());
        }
        Err(self.cx.refuse(Fault::Size {
            slot: self.slot,
            dimension,
            found,
            expected,
        }))
    }

    /// Checks the number of elements.
    ///
    /// # Errors
    /// [`Fault::Elements`].
    #[inline(never)]
    pub fn elements_are(&self, expected: u32) -> Result<(), Refused> {
        let found = self.elements();
        if found == expected {
            return Ok(());
        }
        Err(self.cx.refuse(Fault::Elements {
            slot: self.slot,
            found,
            expected,
        }))
    }

    /// What its integers stand for.
    ///
    /// # Errors
    /// [`Fault::NotQuantized`].
    pub fn quantization(&self) -> Result<Quantization<'c>, Refused> {
        self.cx
            .expect(self.tensor.quantization(), Fault::NotQuantized(self.slot))
    }

    /// Scale, above zero, and zero point, within the type, of a tensor of int8, int16, uint8 or int32 that is quantized as a
    /// whole.
    ///
    /// # Errors
    /// [`Fault::NotQuantized`], [`Fault::Scales`], [`Fault::Scale`] or [`Fault::ZeroPoint`].
    #[inline(never)]
    pub fn affine(&self) -> Result<(f32, i32), Refused> {
        let quantization = self.quantization()?;
        if quantization.len() != 1 {
            return Err(self.cx.refuse(Fault::Scales {
                slot: self.slot,
                found: quantization.len() as u32,
                expected: 1,
            }));
        }
        let scale = quantization.scale(0).unwrap_or_default();
        let zero_point = quantization.zero_point(0).unwrap_or_default();
        if scale == 0.0 {
            return Err(self.cx.refuse(Fault::Scale(self.slot)));
        }
        let range = self.range();
        if zero_point < range.min || zero_point > range.max {
            return Err(self.cx.refuse(Fault::ZeroPoint {
                slot: self.slot,
                found: zero_point,
            }));
        }
        Ok((scale, zero_point))
    }

    /// Whether it has scale and zero point.
    #[must_use]
    pub fn is_quantized(&self) -> bool {
        self.tensor.quantization().is_some()
    }

    /// Whether both have the same (first) scale and zero point, or none.
    #[must_use]
    pub fn has_scale_of(&self, other: &Operand<'_>) -> bool {
        let first = |operand: &Operand<'_>| {
            let quantization = operand.tensor.quantization();
            quantization.map(|q| (q.scale(0), q.zero_point(0)))
        };
        first(self) == first(other)
    }

    /// [`Operand::affine`] where the zero point must be this one; gives the scale.
    ///
    /// # Errors
    /// As [`Operand::affine`].
    pub fn scale_about(&self, expected: i32) -> Result<f32, Refused> {
        let (scale, found) = self.affine()?;
        if found != expected {
            return Err(self.cx.refuse(Fault::ZeroPoint {
                slot: self.slot,
                found,
            }));
        }
        Ok(scale)
    }

    /// Every value of its type, which is int8, int16, uint8 or int32.
    pub(crate) fn range(&self) -> Clamp<i32> {
        match self.dtype() {
            Dtype::Int16 => Clamp::INT16,
            Dtype::Uint8 => Clamp { min: 0, max: 255 },
            Dtype::Int32 => Clamp {
                min: i32::MIN,
                max: i32::MAX,
            },
            _ => Clamp::INT8,
        }
    }
}
