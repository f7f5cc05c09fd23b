//! Numbers that look random and are the same on every core.

use ember_core::Padding;
use ember_kernels::Axis;

/// Xorshift32 (Marsaglia, 2003).
pub(crate) struct Random(pub(crate) u32);

impl Random {
    pub(crate) const fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// In `low..=high`.
    pub(crate) fn within(&mut self, low: u32, high: u32) -> u32 {
        low + (self.next() >> 8) % (high - low + 1)
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.next() & 0x1000 != 0
    }

    pub(crate) fn int8(&mut self, tensor: &mut [i8]) {
        for x in tensor {
            *x = (self.next() >> 5) as i8;
        }
    }

    pub(crate) fn float32(&mut self, tensor: &mut [f32]) {
        for x in tensor {
            *x = (self.next() >> 5) as i16 as f32 / 4096.0;
        }
    }

    pub(crate) fn axis(&mut self, input: u32, filter: u32) -> Option<Axis> {
        let filter = self.within(1, filter);
        let (stride, dilation) = (self.within(1, 2), self.within(1, 8) / 7 + 1);
        let padding = if self.flag() {
            Padding::Same
        } else {
            Padding::Valid
        };
        Axis::new(self.within(1, input), filter, stride, dilation, padding)
    }
}
