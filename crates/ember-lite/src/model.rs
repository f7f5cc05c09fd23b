//! A model file on the host: mapped, checked, and the place where sessions come from.

use std::{
    borrow::Cow,
    fmt,
    fs::File,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use ember_core::{BuiltinOp, Dtype};
use ember_micro::{Preparation, PrepareError, Registration, arena_bytes_needed, registry};
use ember_tflite::Model;
use memmap2::Mmap;

use crate::{Arena, Delegation, LiteError, Session, aligned::AlignedBytes, delegate, map};

/// What sessions run: everything but convolution and pooling of floats at once, which saves memory on a chip and takes a fifth
/// longer with the vector instructions of a host.
static KERNELS: LazyLock<Vec<Registration>> = LazyLock::new(|| {
    let is_slower = |row: &&Registration| row.next.is_some() && row.dtype == Some(Dtype::Float32);
    let rows = registry::FUSING.iter().filter(|row| !is_slower(row));
    rows.copied().collect()
});

/// The bytes of a model. A mapping begins at a page, so both kinds begin at a multiple of 16.
enum Bytes {
    Mapped(Mmap),
    Copied(AlignedBytes),
}

/// A model file that was opened and checked.
///
/// Several threads can share one and each have a session of it: the file is in memory once.
pub struct MappedModel {
    bytes: Bytes,
    name: String,
    delegation: Option<Delegation>,
    registry: Cow<'static, [Registration]>,
}

impl MappedModel {
    /// Maps the file at `path` and checks it.
    ///
    /// Do not write into the file or shorten it while it is open; replace it by renaming another over it, as all of
    /// Ember does.
    ///
    /// # Errors
    ///
    /// [`LiteError::Open`] or [`LiteError::NotAFile`] when there is no such file; [`LiteError::Read`] when it is not a
    /// model, with what is wrong where.
    pub fn open(path: &Path) -> Result<MappedModel, LiteError> {
        let failed = |source| LiteError::Open {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(LiteError::NotAFile {
                path: PathBuf::from(path),
            });
        }
        // There is no mapping of no bytes; the check says what an empty file lacks.
        let bytes = if metadata.len() == 0 {
            Bytes::Copied(AlignedBytes::zeroed(0))
        } else {
            Bytes::Mapped(map::map(&file).map_err(failed)?)
        };
        MappedModel::checked(bytes, path.display().to_string())
    }

    /// Checks a model that is in memory already; `name` stands for the path in errors. The bytes are copied to a place
    /// that is aligned as a model must be.
    ///
    /// # Errors
    ///
    /// [`LiteError::Read`] when the bytes are not a model.
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<MappedModel, LiteError> {
        MappedModel::checked(Bytes::Copied(AlignedBytes::copy_of(bytes)), name.to_owned())
    }

    fn checked(bytes: Bytes, name: String) -> Result<MappedModel, LiteError> {
        let model = MappedModel {
            bytes,
            name,
            delegation: None,
            registry: Cow::Borrowed(&KERNELS),
        };
        model.model()?;
        Ok(model)
    }

    /// The model with further kernels for its sessions, such as those of custom operators ([`ember_micro::Kernel`]): they stand
    /// before all that Ember has.
    ///
    /// ```
    /// # use ember_lite::{LiteError, MappedModel};
    /// # use ember_micro::{Dtype, InvokeFault, Io, Kernel, OpCode, Prepare, Refused};
    /// # struct Own;
    /// # impl Kernel for Own {
    /// #     const CODE: OpCode<'static> = OpCode::Custom("OWN");
    /// #     const DTYPE: Option<Dtype> = None;
    /// #     type Prepared = ();
    /// #     fn prepare(_: &Prepare<'_>, _: &mut ()) -> Result<(), Refused> { Ok(()) }
    /// #     fn run(_: &(), _: Io<'_>) -> Result<(), InvokeFault> { Ok(()) }
    /// # }
    /// # fn open(path: &std::path::Path) -> Result<MappedModel, LiteError> {
    /// use ember_micro::Registration;
    ///
    /// let model = MappedModel::open(path)?.with_kernels(&[Registration::of::<Own>()]);
    /// # Ok(model)
    /// # }
    /// ```
    #[must_use]
    pub fn with_kernels(mut self, kernels: &[Registration]) -> MappedModel {
        self.registry = Cow::Owned([kernels, &self.registry].concat());
        self
    }

    /// The bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped(mapping) => mapping,
            Bytes::Copied(copy) => copy.as_slice(),
        }
    }

    /// The path, or the name given to [`from_bytes`](Self::from_bytes).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is in the file. Each call checks the bytes anew, which takes microseconds.
    ///
    /// # Errors
    ///
    /// [`LiteError::Read`], which cannot happen unless the file was changed since it was opened.
    pub fn model(&self) -> Result<Model<'_>, LiteError> {
        Model::parse(self.bytes()).map_err(|source| LiteError::Read {
            model: self.name.clone(),
            source,
        })
    }

    /// Size of the constant tensors, each counted once however many tensors share it, in bytes.
    ///
    /// # Errors
    ///
    /// As [`model`](Self::model).
    pub fn weight_bytes(&self) -> Result<usize, LiteError> {
        let model = self.model()?;
        let mut used: Vec<usize> = Vec::new();
        for graph in model.subgraphs() {
            used.extend(graph.tensors().map(|tensor| tensor.buffer_index()));
        }
        used.sort_unstable();
        used.dedup();
        Ok(used
            .into_iter()
            .map(|buffer| model.buffer(buffer).len())
            .sum())
    }

    /// Which delegates run what; `None` for a model that [`delegated`](Self::delegated) did not make.
    #[must_use]
    pub fn delegation(&self) -> Option<&Delegation> {
        self.delegation.as_ref()
    }

    /// Makes it the model with partitions of another one, whose kernels it has, too.
    pub(crate) fn set_delegation(&mut self, delegation: Delegation, whole: &MappedModel) {
        self.delegation = Some(delegation);
        let rows = [delegate::PARTITION].into_iter();
        self.registry = rows.chain(whole.registry.iter().copied()).collect();
    }

    /// The kernels that sessions of the model run.
    pub(crate) fn registry(&self) -> &[Registration] {
        &self.registry
    }

    /// Bytes of arena that a session of the model needs. Operators are done together where that can be.
    ///
    /// # Errors
    ///
    /// [`LiteError::Prepare`] when the runtime cannot run the model.
    pub fn arena_bytes(&self) -> Result<usize, LiteError> {
        let needed = arena_bytes_needed(&self.model()?, self.registry());
        needed.map_err(|source| self.refused(source))
    }

    /// The error of a preparation that was refused: a custom operator that is missing has its name in the file.
    pub(crate) fn refused(&self, source: PrepareError) -> LiteError {
        let model = self.name.clone();
        if let PrepareError::MissingRegistration {
            index,
            op: BuiltinOp::Custom,
            dtype,
            ..
        } = source
            && let Ok(parsed) = self.model()
            && let Some(operator) = parsed.main().operator(index as usize)
        {
            return LiteError::CustomOperator {
                model,
                index,
                name: String::from_utf8_lossy(operator.custom_name()).into_owned(),
                dtype,
            };
        }
        LiteError::Prepare { model, source }
    }

    /// Bytes of arena that a firmware needs which prepares the model on the chip, such as one with slots: there, operators are
    /// done together wherever that can be.
    ///
    /// # Errors
    ///
    /// As [`MappedModel::arena_bytes`].
    pub fn slot_arena_bytes(&self) -> Result<usize, LiteError> {
        let needed = arena_bytes_needed(&self.model()?, registry::FUSING);
        needed.map_err(|source| self.refused(source))
    }

    /// Bytes of arena that a firmware needs which the model is linked into: what was prepared is in its flash.
    ///
    /// # Errors
    ///
    /// As [`MappedModel::arena_bytes`].
    pub fn linked_arena_bytes(&self) -> Result<usize, LiteError> {
        let preparation = Preparation::of(&self.model()?);
        let preparation = preparation.map_err(|source| LiteError::Prepare {
            model: self.name.clone(),
            source,
        })?;
        Ok(preparation.arena_bytes)
    }

    /// An arena of exactly the size that a session of the model needs.
    ///
    /// # Errors
    ///
    /// [`LiteError::Prepare`] when the runtime cannot run the model.
    pub fn arena(&self) -> Result<Arena, LiteError> {
        Ok(Arena::with_bytes(self.arena_bytes()?))
    }

    /// The model's inputs for images: for each, the bytes that [`Session::run_image`] would put into the input. This is
    /// what a chip is sent, so that host and chip see the same bytes.
    ///
    /// `pixels` are bytes 0..=255, image after image.
    ///
    /// # Errors
    ///
    /// [`LiteError::NotOneToOne`], [`LiteError::NotForImages`]; [`LiteError::InputLength`] when the pixels are not a whole
    /// number of images.
    pub fn quantize_images(&self, pixels: &[u8]) -> Result<Vec<u8>, LiteError> {
        let mut arena = self.arena()?;
        let session = self.session(&mut arena)?;
        let encoder = session.image_encoder()?;
        let input = session.input_tensor(0)?;
        if !pixels.len().is_multiple_of(input.elements()) {
            return Err(LiteError::InputLength {
                model: self.name.clone(),
                index: 0,
                shape: input.shape().iter().collect(),
                expected: input.elements(),
                given: pixels
                    .len()
                    .checked_rem(input.elements())
                    .unwrap_or(pixels.len()),
            });
        }
        let mut inputs = vec![0; encoder.encoded_len(pixels.len())];
        encoder.encode(pixels, &mut inputs);
        Ok(inputs)
    }

    /// Prepares the model in an arena: after that it can be run as often as one likes.
    ///
    /// # Errors
    ///
    /// [`LiteError::Prepare`] when the runtime cannot run the model or the arena is too small.
    pub fn session<'s>(&'s self, arena: &'s mut Arena) -> Result<Session<'s>, LiteError> {
        Session::new(self, arena)
    }
}

impl fmt::Debug for MappedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MappedModel")
            .field("name", &self.name)
            .field("bytes", &self.bytes().len())
            .finish()
    }
}
