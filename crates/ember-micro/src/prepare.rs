//! What a kernel sees of the model while it prepares.

use core::ops::RangeInclusive;

use ember_core::Dtype;
use ember_tflite::{Operator, OptionsTable, Quantization, Shape, Subgraph, Tensor, TensorId};

use crate::error::{Fault, Slot};
use crate::record::Record;

/// Words that are written one after the other.
pub(crate) struct Words<'a> {
    pub(crate) rest: &'a mut [u32],
    pub(crate) used: usize,
}

impl Words<'_> {
    pub(crate) fn push(&mut self, word: u32) -> Result<(), Fault> {
        let place = self.rest.get_mut(self.used).ok_or(Fault::Arena)?;
        *place = word;
        self.used += 1;
        Ok(())
    }
}

/// An operator of the model, and the place for what its kernel works out.
///
/// The words that a kernel keeps with [`Prepare::keep`] come back as [`Io::kept`](crate::Io::kept), in order.
pub struct Prepare<'p, 'm> {
    pub(crate) graph: Subgraph<'m>,
    pub(crate) operator: Operator<'m>,
    pub(crate) words: Words<'p>,
}

impl<'m> Prepare<'_, 'm> {
    /// The operator.
    #[must_use]
    pub const fn operator(&self) -> &Operator<'m> {
        &self.operator
    }

    /// Checks the number of inputs and outputs.
    ///
    /// # Errors
    /// [`Fault::Arity`].
    pub fn arity(&self, inputs: RangeInclusive<usize>, outputs: usize) -> Result<(), Fault> {
        let found = (self.operator.inputs().len(), self.operator.outputs().len());
        if inputs.contains(&found.0) && found.1 == outputs {
            return Ok(());
        }
        Err(Fault::Arity {
            inputs: found.0.min(255) as u8,
            outputs: found.1.min(255) as u8,
        })
    }

    fn find(&self, slot: Slot) -> Option<Tensor<'m>> {
        let id = match slot {
            Slot::Input(index) => self.operator.inputs().get(usize::from(index)),
            Slot::Output(index) => self.operator.outputs().get(usize::from(index)),
        };
        self.tensor(id?)
    }

    fn tensor(&self, id: TensorId) -> Option<Tensor<'m>> {
        self.graph.tensor(id)
    }

    /// A tensor of any type.
    ///
    /// # Errors
    /// [`Fault::Missing`] where it is left out, [`Fault::Misaligned`] for a constant that cannot be read in place.
    pub fn any(&self, slot: Slot) -> Result<Operand<'m>, Fault> {
        let tensor = self.find(slot).ok_or(Fault::Missing(slot))?;
        let alignment = match tensor.dtype().bits() {
            Some(bits) if bits >= 32 => 4,
            Some(16) => 2,
            _ => 1,
        };
        let data = tensor.data();
        if !data.is_empty() && data.as_ptr() as usize & (alignment - 1) != 0 {
            return Err(Fault::Misaligned(slot));
        }
        Ok(Operand { slot, tensor })
    }

    /// The input at `index`, of type `dtype`.
    ///
    /// # Errors
    /// It is left out or of another type.
    pub fn input(&self, index: u8, dtype: Dtype) -> Result<Operand<'m>, Fault> {
        self.any(Slot::Input(index))?.of(dtype)
    }

    /// The input at `index`, of type `dtype`, if there is one.
    ///
    /// # Errors
    /// It is of another type.
    pub fn optional_input(&self, index: u8, dtype: Dtype) -> Result<Option<Operand<'m>>, Fault> {
        let slot = Slot::Input(index);
        match self.operator.inputs().get(usize::from(index)) {
            None => Ok(None),
            Some(_) => self.any(slot)?.of(dtype).map(Some),
        }
    }

    /// The output at `index`, of type `dtype`.
    ///
    /// # Errors
    /// It is left out or of another type.
    pub fn output(&self, index: u8, dtype: Dtype) -> Result<Operand<'m>, Fault> {
        self.any(Slot::Output(index))?.of(dtype)
    }

    /// The operator's options of the type that it carries.
    ///
    /// # Errors
    /// [`Fault::Options`] where it carries another type.
    pub fn options<T: OptionsTable>(&self) -> Result<T, Fault> {
        self.operator.options_as().ok_or(Fault::Options)
    }

    /// Checks that the first input and the first output have the same type and number of elements.
    ///
    /// # Errors
    /// [`Fault::Dtype`] or [`Fault::Elements`].
    pub fn same_elements(&self) -> Result<(), Fault> {
        let input = self.any(Slot::Input(0))?;
        self.any(Slot::Output(0))?
            .of(input.dtype())?
            .elements_are(input.elements())
    }

    /// Keeps words for the run, in the arena.
    ///
    /// # Errors
    /// [`Fault::Arena`] where it is full.
    pub fn keep(&mut self, words: impl IntoIterator<Item = u32>) -> Result<(), Fault> {
        for word in words {
            self.words.push(word)?;
        }
        Ok(())
    }

    /// Keeps a record for the run, in the arena.
    ///
    /// # Errors
    /// [`Fault::Arena`] where it is full.
    pub fn keep_record(&mut self, record: &impl Record) -> Result<(), Fault> {
        let mut result = Ok(());
        record.store(&mut |word| {
            if result.is_ok() {
                result = self.words.push(word);
            }
        });
        result
    }

    /// Stores what `prepare` returned, behind what it kept.
    pub(crate) fn store(&mut self, prepared: &impl Record) -> Result<(), Fault> {
        self.keep_record(prepared)
    }
}

/// A tensor of an operator, with its place for messages.
#[derive(Clone, Copy)]
pub struct Operand<'m> {
    slot: Slot,
    tensor: Tensor<'m>,
}

impl<'m> Operand<'m> {
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
    #[must_use]
    pub fn shape(&self) -> Shape<'m> {
        self.tensor.shape()
    }

    /// The product of its dimensions.
    #[must_use]
    pub fn elements(&self) -> u32 {
        self.tensor.elements() as u32
    }

    /// The bytes of a constant.
    ///
    /// # Errors
    /// [`Fault::NotConstant`].
    pub fn constant(&self) -> Result<&'m [u8], Fault> {
        let data = self.tensor.data();
        if data.is_empty() && self.elements() > 0 {
            return Err(Fault::NotConstant(self.slot));
        }
        Ok(data)
    }

    /// Checks the type.
    ///
    /// # Errors
    /// [`Fault::Dtype`].
    pub fn of(self, expected: Dtype) -> Result<Self, Fault> {
        let found = self.dtype();
        if found == expected {
            return Ok(self);
        }
        Err(Fault::Dtype {
            slot: self.slot,
            found,
            expected,
        })
    }

    /// Its dimensions, which must be `N`.
    ///
    /// # Errors
    /// [`Fault::Rank`].
    pub fn dims<const N: usize>(&self) -> Result<[u32; N], Fault> {
        let shape = self.shape();
        let dims = shape.to_array::<N>().ok_or(Fault::Rank {
            slot: self.slot,
            found: shape.len() as u32,
            expected: N as u32,
        })?;
        Ok(dims.map(|dim| dim as u32))
    }

    /// Checks the dimensions.
    ///
    /// # Errors
    /// [`Fault::Rank`] or [`Fault::Size`].
    pub fn dims_are<const N: usize>(&self, expected: [u32; N]) -> Result<(), Fault> {
        let found = self.dims::<N>()?;
        for ((found, expected), dimension) in found.into_iter().zip(expected).zip(0..) {
            if found != expected {
                return Err(Fault::Size {
                    slot: self.slot,
                    dimension,
                    found,
                    expected,
                });
            }
        }
        Ok(())
    }

    /// Checks the number of elements.
    ///
    /// # Errors
    /// [`Fault::Elements`].
    pub fn elements_are(&self, expected: u32) -> Result<(), Fault> {
        let found = self.elements();
        if found == expected {
            return Ok(());
        }
        Err(Fault::Elements {
            slot: self.slot,
            found,
            expected,
        })
    }

    /// What its integers stand for.
    ///
    /// # Errors
    /// [`Fault::NotQuantized`].
    pub fn quantization(&self) -> Result<Quantization<'m>, Fault> {
        self.tensor
            .quantization()
            .ok_or(Fault::NotQuantized(self.slot))
    }

    /// Scale, above zero, and zero point, within int8, of a tensor that is quantized as a whole.
    ///
    /// # Errors
    /// [`Fault::NotQuantized`], [`Fault::Scales`], [`Fault::Scale`] or [`Fault::ZeroPoint`].
    pub fn affine_int8(&self) -> Result<(f32, i32), Fault> {
        let quantization = self.quantization()?;
        if quantization.len() != 1 {
            return Err(Fault::Scales {
                slot: self.slot,
                found: quantization.len() as u32,
                expected: 1,
            });
        }
        let scale = quantization.scale(0).unwrap_or_default();
        let zero_point = quantization.zero_point(0).unwrap_or_default();
        if scale == 0.0 {
            return Err(Fault::Scale(self.slot));
        }
        if i8::try_from(zero_point).is_err() {
            return Err(Fault::ZeroPoint {
                slot: self.slot,
                found: zero_point,
            });
        }
        Ok((scale, zero_point))
    }
}
