//! What the firmware asks of a timer.

/// Counts upwards from some moment, in ticks whose length the host knows.
pub trait Clock {
    /// Ticks so far; wraps of the hardware's counter are included.
    fn ticks(&mut self) -> u64;
}
