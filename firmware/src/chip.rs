//! What the firmware asks of the chip around it.

use crate::clock::Clock;
use ember_link::TimerKind;

/// A processor with a timer, and a stack whose use can be seen.
pub trait Chip: Clock {
    /// What the ticks are.
    fn timer(&self) -> TimerKind;

    /// Ticks of [`ember_link::CALIBRATION_INSTRUCTIONS`] instructions.
    fn calibration_ticks(&mut self) -> u64;

    /// Bytes below the top of the stack that are watched.
    fn stack_limit_bytes(&self) -> u32;

    /// The most bytes of stack that were ever in use; equal to the limit when it may have been more.
    fn stack_used_bytes(&self) -> u32;
}
