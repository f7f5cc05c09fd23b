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
    if shape.is_pointwise() {
        let pixel = patches.geometry.pixel;
        let twos = rows::of(input, pixel.wrapping_mul(2));
        for (values, out) in twos.zip(rows::of_mut(output, channels.wrapping_mul(2))) {
            patches.widen_both(values);
            if let Some((first, second)) = out.split_at_mut_checked(channels) {
                patches.meet(first, Some(second));
            }
        }
        let pixels = input.len().checked_div(pixel).unwrap_or(0);
        if !pixels.is_multiple_of(2)
            && let (Some(values), Some(out)) = (
                input.get(input.len().wrapping_sub(pixel)..),
                output.get_mut(output.len().wrapping_sub(channels)..),
            )
        {
            patches.widen(values, false, 0);
            patches.meet(out, None);
        }
    } else {
        walk(shape, &mut patches, input, rows::of_mut(output, channels));
    }
    narrow(arithmetic.range, output);
    patches.fill_constants(output);
    true
}

/// Two windows after the other.
fn walk<'o>(
    shape: &Conv2d,
    patches: &mut Patches<'_>,
    input: &[i8],
    mut outputs: impl Iterator<Item = &'o mut [i8]>,
) {
    let columns = &shape.columns;
    let step = patches.geometry.pixel.wrapping_mul(columns.stride as usize);
    for image in rows::of(input, patches.geometry.image) {
        // The pixel that waits for its neighbour.
        let mut waiting: Option<&mut [i8]> = None;
        for y in 0..shape.rows.output {
            let y = shape.rows.span(y);
            let mut x = 0;
            while x < columns.output {
                let span = columns.span(x);
                let count = if span.taps == columns.filter {
                    columns.whole_from(x, span)
                } else {
                    1
                };
                x = x.wrapping_add(count);
                let mut window = patches.geometry.window(y, span, 0);
                let in_fours = window.is_in_fours();
                for _ in 0..count {
                    let Some(out) = outputs.next() else {
                        return;
                    };
                    patches.gather(image, waiting.is_some(), &window, in_fours);
                    match waiting.take() {
                        Some(first) => patches.meet(first, Some(out)),
                        None => waiting = Some(out),
                    }
                    window.advance(step);
                }
            }
        }
        if let Some(out) = waiting {
            patches.meet(out, None);
        }
    }
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
                // Alone a pixel counts twice, which changes nothing.
                let mut meet = |patches: &mut Patches<'_>, alone: bool| {
                    if alone {
                        patches.double();
                    }
                    patches.meet(first, Some(second));
                    for ((out, first), second) in out.iter_mut().zip(&*first).zip(&*second) {
                        *out = (*out).max(*first).max(*second);
                    }
                };
                for y in 0..window_y.taps {
                    let y = shape.rows.span(window_y.position.wrapping_add(y));
                    for x in 0..window_x.taps {
                        let x = shape.columns.span(window_x.position.wrapping_add(x));
                        let window = patches.geometry.window(y, x, 0);
                        patches.gather(image, waits, &window, window.is_in_fours());
                        if waits {
                            meet(&mut patches, false);
                        }
                        waits = !waits;
                    }
                }
                if waits {
                    meet(&mut patches, true);
                }
            }
        }
    }
    narrow(arithmetic.range, output);
    patches.fill_constants(output);
    narrow(pool.range, output);
    true
}
