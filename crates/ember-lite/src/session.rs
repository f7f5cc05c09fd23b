//! A model that is ready to run.

use ember_core::{Dtype, view::Plain};
use ember_micro::{Interpreter, InvokeError, Profiler};
use ember_tflite::Tensor;

use crate::{Arena, Delegation, ImageEncoder, LiteError, MappedModel, delegate, scores};

/// A type that tensors hold, so that a run can be refused when the model's is another.
pub trait Element: Plain {
    /// The tensor type of it.
    const DTYPE: Dtype;
}

impl Element for i8 {
    const DTYPE: Dtype = Dtype::Int8;
}

impl Element for u8 {
    const DTYPE: Dtype = Dtype::Uint8;
}

impl Element for i16 {
    const DTYPE: Dtype = Dtype::Int16;
}

impl Element for i32 {
    const DTYPE: Dtype = Dtype::Int32;
}

impl Element for f32 {
    const DTYPE: Dtype = Dtype::Float32;
}

/// A model prepared in an arena: the interpreter with the model's kernels, and the delegates that the model was given to.
pub struct Session<'s> {
    interpreter: Interpreter<'s, 's>,
    name: &'s str,
    delegation: Option<&'s Delegation>,
}

impl<'s> Session<'s> {
    /// Prepares `model` in `arena`; [`MappedModel::session`] is the same.
    ///
    /// # Errors
    ///
    /// [`LiteError::Prepare`] when the runtime cannot run the model or the arena is too small.
    pub fn new(model: &'s MappedModel, arena: &'s mut Arena) -> Result<Session<'s>, LiteError> {
        let parsed = model.model()?;
        let interpreter = Interpreter::new(&parsed, model.registry(), arena.as_mut_slice());
        Ok(Session {
            interpreter: interpreter.map_err(|source| model.refused(source))?,
            name: model.name(),
            delegation: model.delegation(),
        })
    }

    fn counts(&self) -> (usize, usize) {
        let graph = self.interpreter.model().main();
        (graph.inputs().len(), graph.outputs().len())
    }

    /// Number of inputs.
    #[must_use]
    pub fn input_count(&self) -> usize {
        self.counts().0
    }

    /// Number of outputs.
    #[must_use]
    pub fn output_count(&self) -> usize {
        self.counts().1
    }

    /// What the model says about its input `index`.
    ///
    /// # Errors
    ///
    /// [`LiteError::NoSuchTensor`].
    pub fn input_tensor(&self, index: usize) -> Result<Tensor<'s>, LiteError> {
        self.interpreter
            .input_tensor(index)
            .ok_or_else(|| no_such(self.name, "input", index, self.counts().0))
    }

    /// What the model says about its output `index`.
    ///
    /// # Errors
    ///
    /// [`LiteError::NoSuchTensor`].
    pub fn output_tensor(&self, index: usize) -> Result<Tensor<'s>, LiteError> {
        self.interpreter
            .output_tensor(index)
            .ok_or_else(|| no_such(self.name, "output", index, self.counts().1))
    }

    /// The bytes of input `index`, little-endian and row-major. A run may overwrite them: fill all inputs before each.
    ///
    /// # Errors
    ///
    /// [`LiteError::NoSuchTensor`].
    pub fn input(&mut self, index: usize) -> Result<&mut [u8], LiteError> {
        let (name, count) = (self.name, self.counts().0);
        let bytes = self.interpreter.input(index);
        bytes.ok_or_else(|| no_such(name, "input", index, count))
    }

    /// The bytes of output `index`, as the last run left them.
    ///
    /// # Errors
    ///
    /// [`LiteError::NoSuchTensor`].
    pub fn output(&self, index: usize) -> Result<&[u8], LiteError> {
        self.interpreter
            .output(index)
            .ok_or_else(|| no_such(self.name, "output", index, self.counts().1))
    }

    /// Runs the model on what its inputs hold.
    ///
    /// # Errors
    ///
    /// [`LiteError::Invoke`] with the operator that stopped it, [`LiteError::Delegate`] with the partition.
    pub fn invoke(&mut self) -> Result<(), LiteError> {
        self.invoke_profiled(&mut ())
    }

    /// [`invoke`](Self::invoke), telling `profiler` of each operator.
    ///
    /// # Errors
    ///
    /// As [`invoke`](Self::invoke).
    pub fn invoke_profiled(&mut self, profiler: &mut impl Profiler) -> Result<(), LiteError> {
        let mut invoke = || self.interpreter.invoke_profiled(profiler);
        match self.delegation {
            None => invoke().map_err(|source| LiteError::Invoke {
                model: self.name.to_owned(),
                source,
            }),
            Some(delegation) => {
                let (result, failure) = delegate::running(delegation, invoke);
                result.map_err(|error| delegated(self.name, delegation, error, failure))
            }
        }
    }

    /// For each operator, whether the one before does its work, too.
    pub(crate) fn done_with_previous(&self) -> impl Iterator<Item = bool> {
        let mut both = false;
        self.interpreter.prepared().map(move |prepared| {
            both = !both && prepared.registration.next.is_some();
            !both && prepared.registration.next.is_some()
        })
    }

    /// Sets the variables of a model with state to zero.
    pub fn reset_variables(&mut self) {
        self.interpreter.reset_variables();
    }

    /// Runs a model of one input and one output on `values`, row-major in the input's shape, and gives back the output,
    /// row-major in its shape. `I` and `O` are the model's own types: `run::<i8, i8>` for a fully quantized model,
    /// `run::<f32, f32>` for a float one.
    ///
    /// # Errors
    ///
    /// [`LiteError::NotOneToOne`], [`LiteError::Type`], [`LiteError::InputLength`], [`LiteError::Invoke`].
    pub fn run<I: Element, O: Element>(&mut self, values: &[I]) -> Result<&[O], LiteError> {
        self.one_to_one()?;
        self.is_type::<I>("input", self.input_tensor(0)?)?;
        self.is_type::<O>("output", self.output_tensor(0)?)?;
        self.has_length(values.len())?;
        if let Some(input) = self.interpreter.input_as::<I>(0) {
            input.copy_from_slice(values);
        }
        self.invoke()?;
        let output = self.interpreter.output_as(0);
        output.ok_or_else(|| no_such(self.name, "output", 0, 1))
    }

    /// Runs a model of one input and one output on real numbers, whatever its types: quantizes `values` as the input's
    /// scale and zero point say, and dequantizes the output.
    ///
    /// # Errors
    ///
    /// [`LiteError::NotOneToOne`], [`LiteError::NotForImages`], [`LiteError::InputLength`], [`LiteError::Invoke`].
    pub fn run_real(&mut self, values: &[f32]) -> Result<Vec<f32>, LiteError> {
        self.one_to_one()?;
        self.set_real(values)?;
        self.invoke()?;
        let tensor = self.output_tensor(0)?;
        let code =
            scores::Code::of(&tensor).ok_or_else(|| self.not_for_images("output", tensor))?;
        Ok(code.decode(self.output(0)?))
    }

    /// Quantizes real numbers into input 0.
    pub(crate) fn set_real(&mut self, values: &[f32]) -> Result<(), LiteError> {
        self.has_length(values.len())?;
        let tensor = self.input_tensor(0)?;
        let code = scores::Code::of(&tensor).ok_or_else(|| self.not_for_images("input", tensor))?;
        code.encode(values, self.input(0)?);
        Ok(())
    }

    /// Runs an image classifier on the pixels of one image, bytes 0..=255 that stand for 0..=1, and gives back the raw
    /// bytes of its output. To run many, make the [`ImageEncoder`] once and use [`run_encoded`](Self::run_encoded).
    ///
    /// # Errors
    ///
    /// [`LiteError::NotOneToOne`], [`LiteError::NotForImages`], [`LiteError::InputLength`], [`LiteError::Invoke`].
    pub fn run_image(&mut self, pixels: &[u8]) -> Result<&[u8], LiteError> {
        let encoder = self.image_encoder()?;
        self.run_encoded(&encoder, pixels)
    }

    /// What turns pixels into this model's input.
    ///
    /// # Errors
    ///
    /// [`LiteError::NotOneToOne`], [`LiteError::NotForImages`].
    pub fn image_encoder(&self) -> Result<ImageEncoder, LiteError> {
        self.one_to_one()?;
        let tensor = self.input_tensor(0)?;
        ImageEncoder::new(&tensor).ok_or_else(|| self.not_for_images("input", tensor))
    }

    /// [`run_image`](Self::run_image) with an encoder made before.
    ///
    /// # Errors
    ///
    /// [`LiteError::InputLength`], [`LiteError::Invoke`].
    pub fn run_encoded(
        &mut self,
        encoder: &ImageEncoder,
        pixels: &[u8],
    ) -> Result<&[u8], LiteError> {
        self.has_length(pixels.len())?;
        encoder.encode(pixels, self.input(0)?);
        self.invoke()?;
        self.output(0)
    }

    fn one_to_one(&self) -> Result<(), LiteError> {
        match self.counts() {
            (1, 1) => Ok(()),
            (inputs, outputs) => Err(LiteError::NotOneToOne {
                model: self.name.to_owned(),
                inputs,
                outputs,
            }),
        }
    }

    fn is_type<T: Element>(&self, side: &'static str, tensor: Tensor<'_>) -> Result<(), LiteError> {
        if tensor.dtype() == T::DTYPE {
            return Ok(());
        }
        Err(LiteError::Type {
            model: self.name.to_owned(),
            side,
            index: 0,
            found: tensor.dtype(),
            asked: T::DTYPE,
        })
    }

    fn has_length(&self, given: usize) -> Result<(), LiteError> {
        let tensor = self.input_tensor(0)?;
        if tensor.elements() == given {
            return Ok(());
        }
        Err(LiteError::InputLength {
            model: self.name.to_owned(),
            index: 0,
            shape: tensor.shape().iter().collect(),
            expected: tensor.elements(),
            given,
        })
    }

    pub(crate) fn not_for_images(&self, side: &'static str, tensor: Tensor<'_>) -> LiteError {
        LiteError::NotForImages {
            model: self.name.to_owned(),
            side,
            found: tensor.dtype(),
        }
    }
}

/// The error of a model with partitions, in the numbers of the operators that it had before.
fn delegated(
    name: &str,
    delegation: &Delegation,
    error: InvokeError,
    failure: Option<String>,
) -> LiteError {
    let operators = delegation.origins(error.index as usize);
    let first = operators.first().copied();
    let partition = first.and_then(|first| delegation.partition_of(first));
    if let (Some((_, partition)), Some(what)) = (partition, failure) {
        return LiteError::Delegate {
            model: name.to_owned(),
            delegate: partition.delegate.clone(),
            operators: operators.to_vec(),
            what,
        };
    }
    LiteError::Invoke {
        model: name.to_owned(),
        source: InvokeError {
            index: first.map_or(error.index, |first| first as u32),
            ..error
        },
    }
}

fn no_such(model: &str, side: &'static str, index: usize, count: usize) -> LiteError {
    LiteError::NoSuchTensor {
        model: model.to_owned(),
        side,
        index,
        count,
    }
}
