//! Convolutions of any shape: every window is gathered once and then meets four filters at a time.

use ember_core::view;

use crate::arithmetic::{Arithmetic, Int8, assign, dense};
use crate::conv_2d::{Conv2d, Geometry};
use crate::rows;

/// False where there is no scratch.
pub(crate) fn conv_2d_i8(
    shape: &Conv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    let geometry = Geometry::new(shape);
    let bytes = view::from_bytes_mut::<i8>(view::as_bytes_mut(scratch));
    let Some(patch) = bytes.and_then(|bytes| bytes.get_mut(..geometry.filter)) else {
        return false;
    };
    let mut outputs = rows::of_mut(output, shape.output_channels as usize);
    for image in rows::of(input, geometry.image) {
        for y in 0..shape.rows.output {
            let y = shape.rows.span(y);
            for x in 0..shape.columns.output {
                let Some(out) = outputs.next() else {
                    return true;
                };
                let window = geometry.window(y, shape.columns.span(x), 0);
                let values = match window.whole(image) {
                    Some(values) => values,
                    None => {
                        window.gather(image, arithmetic.zero(), patch);
                        &*patch
                    }
                };
                dense(arithmetic, values, filter, 0, 0, out, assign);
            }
        }
    }
    true
}
