//! Dense layers: some filters after the other with every row of input.

use super::quads::Quads;
use super::suits;
use crate::arithmetic::Int8;
use crate::fully_connected::FullyConnected;

/// Filters whose sums are known at once.
const BLOCK: usize = 16;

/// False where there are fewer than four units, or weights are not symmetric.
pub(crate) fn fully_connected_i8(
    shape: &FullyConnected,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    output: &mut [i8],
) -> bool {
    let (depth, units) = (shape.depth as usize, shape.units as usize);
    if units < 4 || arithmetic.filter_zero_point != 0 || !suits(arithmetic) {
        return false;
    }
    let mut starts = [0; BLOCK];
    let mut unit = 0;
    while unit < units {
        let Some(mut quads) = Quads::new(arithmetic, filter, (depth, units), unit, &mut starts)
        else {
            return false;
        };
        quads.run(input, shape.batches as usize, output);
        unit = quads.channels().end;
    }
    true
}
