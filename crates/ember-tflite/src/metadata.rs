//! What Ember reads in the metadata: the arena plan and the oldest runtime that runs the model.

use crate::flat::{List, attempt};
use crate::model::{Model, SubgraphId};

/// The name of the metadata that holds the arena plan, as TFLM's `micro_allocation_info.cc` looks for it.
pub const PLAN: &str = "OfflineMemoryAllocation";

/// The name of the metadata that holds the oldest TensorFlow release that runs the model.
pub const RUNTIME_VERSION: &str = "min_runtime_version";

/// The custom operator that stands before whoever reads weights in another form: TFLM's, which its own compressor writes
/// (`micro/compression/decode_insert.py`). Inputs and outputs come in pairs: the encoded bytes, how they are encoded, and
/// for both the tensor that they are decoded to.
pub const DECODE: &str = "TFLM_DECODE";

/// The custom operator that stands for what Arm's compiler `vela` took out of a model for an Ethos-U. Its inputs are the
/// commands, the constants, two memories ([`ETHOS_U_ARENA`], [`ETHOS_U_FAST`]), and the tensors that the NPU reads. TFLM's
/// `kernels/ethos_u/ethosu.cc` has the table.
pub const ETHOS_U: &str = "ethos-u";

/// The input of [`ETHOS_U`] that is no value, but memory: the arena as the compiler laid it out, the operator's other inputs
/// and its outputs included.
pub const ETHOS_U_ARENA: usize = 2;

/// The input of [`ETHOS_U`] that says how much fast memory the NPU needs. It is not in the arena, unless it is the tensor of
/// [`ETHOS_U_ARENA`] once more.
pub const ETHOS_U_FAST: usize = 3;

/// Where the arena plan leaves a tensor to the runtime.
pub const UNPLANNED: i32 = -1;

/// Words before the offsets: version, subgraph, number of offsets.
const HEADER: usize = 3;

/// Where in the arena each tensor lies, decided when the model was written. The words are 32-bit, little-endian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArenaPlan<'a> {
    words: List<'a, i32>,
    subgraph: SubgraphId,
}

impl<'a> ArenaPlan<'a> {
    pub(crate) const fn of(model: &Model<'a>) -> Option<Self> {
        let words = List::over(attempt!(model.metadata(PLAN)));
        let subgraph = match words.word(1) {
            Some(word) => SubgraphId(word),
            None => SubgraphId::MAIN,
        };
        // TFLM's description has the subgraph here. Its code does not look, and `vela` writes how many subgraphs there are.
        let subgraph = match model.subgraph(subgraph) {
            Some(_) => subgraph,
            None => SubgraphId::MAIN,
        };
        Some(Self { words, subgraph })
    }

    /// The version of the plan's format.
    #[must_use]
    pub fn version(&self) -> i32 {
        self.words.get(0).unwrap_or_default()
    }

    /// The subgraph whose tensors the plan places: the main one where the plan names one that the model does not have.
    #[must_use]
    pub const fn subgraph(&self) -> SubgraphId {
        self.subgraph
    }

    /// For every tensor of the subgraph, in order: bytes from the start of the arena, or [`UNPLANNED`]. Whether the
    /// offsets keep apart what lives at the same time is for the runtime to check.
    pub fn offsets(&self) -> impl ExactSizeIterator<Item = i32> + Clone + 'a {
        self.words.from(HEADER).iter()
    }

    /// The number of offsets that the plan says it has.
    pub(crate) const fn count(&self) -> usize {
        match self.words.word(2) {
            Some(count) => count as usize,
            None => 0,
        }
    }

    /// The offset of the tensor with this index.
    #[must_use]
    pub const fn offset(&self, tensor: usize) -> Option<i32> {
        let word = attempt!(tensor.checked_add(HEADER));
        Some(attempt!(self.words.word(word)) as i32)
    }
}

impl<'a> Model<'a> {
    /// The arena plan that came with the model.
    #[must_use]
    pub const fn arena_plan(&self) -> Option<ArenaPlan<'a>> {
        ArenaPlan::of(self)
    }

    /// The oldest TensorFlow release that runs the model, such as `1.14.0`.
    #[must_use]
    pub fn min_runtime_version(&self) -> Option<&'a str> {
        let bytes = self.metadata(RUNTIME_VERSION)?;
        Some(core::str::from_utf8(bytes).ok()?.trim_end_matches('\0'))
    }
}
