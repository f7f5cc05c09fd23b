//! Convolutions of any shape: the windows of two pixels are gathered and widened once, and then meet two filters at a time.

use ember_core::view;

use super::patches::Patches;
use super::{narrow, pooled};
use crate::arithmetic::Int8;
use crate::conv_2d::{Conv2d, is_special};
use crate::max_pool_2d::MaxPool;
use crate::rows;

/// False where there is no scratch, or filters are too few or too small.
pub(crate) fn conv_2d_i8(
    shape: &Conv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    let Some(mut patches) = Patches::new(shape, arithmetic, filter, scratch) else {
        return false;
    };
    let channels = shape.output_channels as usize;
    let mut outputs = rows::of_mut(output, channels);
    let pointwise = shape.is_pointwise();
    for image in rows::of(input, patches.geometry.image) {
        let mut pixels = rows::of(image, patches.geometry.pixel);
        // The pixel that waits for its neighbour.
        let mut waiting: Option<&mut [i8]> = None;
        for y in 0..shape.rows.output {
            let y = shape.rows.span(y);
            for x in 0..shape.columns.output {
                let Some(out) = outputs.next() else {
                    break;
                };
                let second = waiting.is_some();
                if pointwise {
                    patches.widen(pixels.next().unwrap_or(&[]), second, 0);
                } else {
                    patches.gather(image, second, y, shape.columns.span(x));
                }
                match waiting.take() {
                    Some(first) => patches.meet(first, Some(out)),
                    None => waiting = Some(out),
                }
            }
        }
        if let Some(out) = waiting {
            patches.double();
            patches.meet(out, None);
        }
    }
    narrow(arithmetic.range, output);
    patches.fill_constants(output);
    true
}

/// [`conv_2d_i8`] with the largest of each of a pooling's windows.
pub(crate) fn conv_2d_pooled_i8(
    shape: &Conv2d,
    pool: &MaxPool<i32>,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    if is_special(shape, pool, arithmetic)
        && pooled::conv_2d_3x3(shape, pool, arithmetic, input, filter, scratch, output)
    {
        return true;
    }
    let channels = shape.output_channels as usize;
    let Some((pixels, scratch)) = scratch.split_at_mut_checked(channels.div_ceil(2)) else {
        return false;
    };
    let Some(mut patches) = Patches::new(shape, arithmetic, filter, scratch) else {
        return false;
    };
    // Two pixels of outputs, of which the larger ones go to the pooling's.
    let Some((first, second)) = view::from_bytes_mut::<i8>(view::as_bytes_mut(pixels))
        .and_then(|bytes| bytes.split_at_mut_checked(channels))
    else {
        return false;
    };
    let second = second.get_mut(..channels).unwrap_or(&mut []);
    let pooling = &pool.shape;
    let mut outputs = rows::of_mut(output, channels);
    for image in rows::of(input, patches.geometry.image) {
        for pool_y in 0..pooling.rows.output {
            let window_y = pooling.rows.span(pool_y);
            for pool_x in 0..pooling.columns.output {
                let window_x = pooling.columns.span(pool_x);
                let Some(out) = outputs.next() else {
                    break;
                };
                rows::fill(out, i8::MIN);
                let mut waits = false;
                let mut meet = |patches: &mut Patches<'_>| {
                    patches.meet(first, Some(second));
                    for ((out, first), second) in out.iter_mut().zip(&*first).zip(&*second) {
                        *out = (*out).max(*first).max(*second);
                    }
                };
                for y in 0..window_y.taps {
                    let y = shape.rows.span(window_y.position.wrapping_add(y));
                    for x in 0..window_x.taps {
                        let x = shape.columns.span(window_x.position.wrapping_add(x));
                        patches.gather(image, waits, y, x);
                        if waits {
                            meet(&mut patches);
                        }
                        waits = !waits;
                    }
                }
                if waits {
                    // Alone it counts twice, which changes nothing.
                    patches.double();
                    meet(&mut patches);
                }
            }
        }
    }
    narrow(arithmetic.range, output);
    patches.fill_constants(output);
    narrow(pool.range, output);
    true
}
