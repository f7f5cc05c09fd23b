//! FULLY_CONNECTED: `reference_integer_ops::FullyConnected` and `FullyConnectedPerChannel`
//! (`kernels/internal/reference/integer_ops/fully_connected.h`) and `reference_ops::FullyConnected`
//! (`kernels/internal/reference/fully_connected.h`).

use crate::arithmetic::{Arithmetic, Int8, Linear, assign, dense};
use crate::error::{KernelError, Operand, check, check_shape};
use crate::rows;
use crate::weights::Decode;

ember_core::plain! {
    /// Shapes of a dense layer. Input `[batches, depth]`, filter `[units, depth]`, output `[batches, units]`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct FullyConnected {
        /// Rows of input.
        pub batches: u32,
        /// Elements of one row of input.
        pub depth: u32,
        /// Elements of one row of output.
        pub units: u32,
    }
}

impl FullyConnected {
    #[inline(always)]
    fn check<A: Arithmetic>(
        &self,
        arithmetic: &A,
        input: usize,
        output: usize,
    ) -> Result<(), KernelError> {
        check_shape(Operand::Input, &[self.batches, self.depth], input)?;
        check_shape(Operand::Output, &[self.batches, self.units], output)?;
        arithmetic.check(self.units as usize)?;
        if self.depth == 0 && output > 0 {
            return Err(KernelError::Parameters);
        }
        Ok(())
    }
}

/// Dense layer, for integers equal to TFLM's to the byte.
///
/// # Errors
/// A slice's length is not that of its shape.
#[inline(always)]
pub fn connect<L: Linear>(
    shape: &FullyConnected,
    arithmetic: &L,
    input: &[L::Value],
    filter: &[L::Weight],
    output: &mut [L::Output],
) -> Result<(), KernelError> {
    arithmetic.fully_connected(shape, input, filter, output)
}

#[inline(always)]
pub(crate) fn run<A: Arithmetic>(
    shape: &FullyConnected,
    arithmetic: &A,
    input: &[A::Value],
    filter: &[A::Weight],
    output: &mut [A::Output],
) -> Result<(), KernelError> {
    let FullyConnected { depth, units, .. } = *shape;
    check_shape(Operand::Filter, &[units, depth], filter.len())?;
    shape.check(arithmetic, input.len(), output.len())?;
    if arithmetic.fast_fully_connected(shape, input, filter, output) {
        return Ok(());
    }
    for (row, out) in rows::of(input, depth as usize).zip(rows::of_mut(output, units as usize)) {
        let extra = arithmetic.correction(row);
        dense(arithmetic, row, filter, extra, 0, out, assign);
    }
    Ok(())
}

/// [`connect`] on int8 with weights that are decoded a unit at a time, into `scratch` of `depth` elements.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn connect_stored(
    shape: &FullyConnected,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &mut dyn Decode,
    scratch: &mut [i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    let (depth, units) = (shape.depth as usize, shape.units as usize);
    check(Operand::Scratch, depth, scratch.len())?;
    shape.check(arithmetic, input.len(), output.len())?;
    for unit in 0..units {
        filter.decode(scratch);
        for (row, out) in rows::of(input, depth).zip(rows::of_mut(output, units)) {
            let out = out.get_mut(unit..unit + 1).unwrap_or(&mut []);
            dense(
                arithmetic,
                row,
                scratch,
                arithmetic.correction(row),
                unit,
                out,
                assign,
            );
        }
    }
    Ok(())
}
