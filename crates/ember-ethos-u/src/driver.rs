//! What a chip's driver gets to do.

use crate::commands::Commands;
use crate::payload::Target;

/// Regions of memory that commands address: 0 the constants, 1 the arena, 2 the fast memory.
pub const REGIONS: usize = 3;

/// What the NPU has to do: one operator of the model.
///
/// The addresses are the processor's. Where the NPU sees memory at others, or caches lie between, the driver takes care of it:
/// the arena must be written back before the NPU starts and read anew after it. Everything begins at a multiple of 16 bytes.
#[derive(Debug)]
pub struct Job<'j> {
    /// The NPU that the commands are for.
    pub target: Target,
    /// The commands: their address and length in bytes are what the NPU wants.
    pub commands: Commands<'j>,
    /// Region 0: weights and scales, read only.
    pub constants: &'j [u8],
    /// Region 1: the arena. The inputs of the operator are in it, and its outputs afterwards.
    pub arena: &'j mut [u8],
    /// Bytes of region 2, a fast memory that holds nothing before and nothing after, where the model was compiled for one
    /// (`vela`'s memory mode `Dedicated_Sram`): the driver has it, not the interpreter. None where region 2 is region 1.
    pub fast_bytes: Option<usize>,
}

impl Job<'_> {
    /// Where the regions are, as addresses of the processor, if the fast memory, where the job needs one, is at `fast`.
    #[must_use]
    pub fn addresses(&self, fast: *const u8) -> [u64; REGIONS] {
        let arena = self.arena.as_ptr() as u64;
        let fast = self.fast_bytes.map_or(arena, |_| fast as u64);
        [self.constants.as_ptr() as u64, arena, fast]
    }
}

/// The NPU of a chip. There is no value of it: a registry holds functions.
pub trait Driver {
    /// Lets the NPU run the commands, and comes back when it is done.
    ///
    /// # Errors
    /// It did not finish; the number is the driver's own, and is in the interpreter's error.
    fn run(job: Job<'_>) -> Result<(), Stopped>;
}

/// Why the NPU did not finish, as the driver counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped(pub u32);
