//! Convolutions of any shape: each window is gathered once and then meets four filters at a time.

use core::arch::naked_asm;

use ember_core::view;

use super::quads::Quads;
use super::{conv_2d_3x3, suits};
use crate::arithmetic::{Arithmetic, Int8};
use crate::conv_2d::geometry::{Column, Window};
use crate::conv_2d::{Conv2d, Geometry, is_special};
use crate::element::Element;
use crate::max_pool_2d::MaxPool;
use crate::rows;

/// False where there is no scratch, or there are fewer than four filters.
pub(crate) fn conv_2d_i8(
    shape: &Conv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    let Some(room) = Room::new(shape, arithmetic, scratch) else {
        return false;
    };
    let channels = shape.output_channels as usize;
    let geometry = Geometry::new(shape);
    let mut channel = 0;
    while channel < channels {
        let Some(mut quads) = Quads::new(
            arithmetic,
            filter,
            (geometry.filter, channels),
            channel,
            room.starts,
        ) else {
            return false;
        };
        channel = quads.channels().end;
        if shape.is_pointwise() {
            let pixels = input.len().checked_div(geometry.pixel).unwrap_or(0);
            quads.run(input, pixels, output);
        } else {
            let zero = arithmetic.zero();
            walk(
                shape,
                &geometry,
                input,
                (zero, room.patch),
                &mut quads,
                output,
            );
        }
    }
    true
}

/// One window after the other.
fn walk(
    shape: &Conv2d,
    geometry: &Geometry<'_>,
    input: &[i8],
    (zero, patch): (i8, &mut [i8]),
    quads: &mut Quads<'_>,
    output: &mut [i8],
) {
    let columns = &shape.columns;
    let step = geometry.pixel.wrapping_mul(columns.stride as usize);
    let mut outputs = rows::of_mut(output, shape.output_channels as usize);
    for image in rows::of(input, geometry.image) {
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
                let mut window = geometry.window(y, span, 0);
                for _ in 0..count {
                    let Some(out) = outputs.next() else {
                        return;
                    };
                    quads.run(gather(&window, image, zero, patch), 1, out);
                    window.advance(step);
                }
            }
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
        && conv_2d_3x3(shape, pool, arithmetic, input, filter, scratch, output)
    {
        return true;
    }
    let channels = shape.output_channels as usize;
    let Some((pixel, scratch)) = scratch.split_at_mut_checked(channels.div_ceil(2)) else {
        return false;
    };
    let Some(pixel) = view::from_bytes_mut::<i8>(view::as_bytes_mut(pixel)) else {
        return false;
    };
    let Some(room) = Room::new(shape, arithmetic, scratch) else {
        return false;
    };
    let geometry = Geometry::new(shape);
    let pooling = &pool.shape;
    let mut channel = 0;
    while channel < channels {
        let Some(mut quads) = Quads::new(
            arithmetic,
            filter,
            (geometry.filter, channels),
            channel,
            room.starts,
        ) else {
            return false;
        };
        let range = quads.channels();
        channel = range.end;
        let mut outputs = rows::of_mut(output, channels);
        for image in rows::of(input, geometry.image) {
            for pool_y in 0..pooling.rows.output {
                let window_y = pooling.rows.span(pool_y);
                for pool_x in 0..pooling.columns.output {
                    let window_x = pooling.columns.span(pool_x);
                    let Some(out) = outputs.next().and_then(|out| out.get_mut(range.clone()))
                    else {
                        break;
                    };
                    rows::fill(out, i8::MIN);
                    for y in 0..window_y.taps {
                        let y = shape.rows.span(window_y.position.wrapping_add(y));
                        for x in 0..window_x.taps {
                            let x = shape.columns.span(window_x.position.wrapping_add(x));
                            let window = geometry.window(y, x, 0);
                            let values = gather(&window, image, arithmetic.zero(), room.patch);
                            quads.run(values, 1, pixel);
                            let found = pixel.get(range.clone()).unwrap_or(&[]);
                            for (out, new) in out.iter_mut().zip(found) {
                                *out = (*out).max(*new);
                            }
                        }
                    }
                    for out in out {
                        *out = i8::within(i32::from(*out), pool.range);
                    }
                }
            }
        }
    }
    true
}

/// Where a convolution works.
struct Room<'s> {
    /// For one window.
    patch: &'s mut [i8],
    /// For what sums start with.
    starts: &'s mut [i32],
}

impl<'s> Room<'s> {
    /// `None` where there is not enough, or the vectors cannot scale the sums.
    fn new(shape: &Conv2d, arithmetic: &Int8<'_>, scratch: &'s mut [u32]) -> Option<Self> {
        let size = Geometry::new(shape).filter;
        let words = if shape.is_pointwise() {
            0
        } else {
            size.div_ceil(4)
        };
        let (patch, starts) = scratch.split_at_mut_checked(words)?;
        let starts: &mut [i32] = view::from_bytes_mut(view::as_bytes_mut(starts))?;
        let patch: &mut [i8] = view::from_bytes_mut(view::as_bytes_mut(patch))?;
        let patch = if words == 0 {
            patch
        } else {
            patch.get_mut(..size)?
        };
        if shape.output_channels < 4 || starts.len() < 4 || !suits(arithmetic) {
            return None;
        }
        Some(Self { patch, starts })
    }
}

/// The window, where it lies or gathered into `patch`.
#[inline(always)]
fn gather<'w>(window: &Window, image: &'w [i8], zero: i8, patch: &'w mut [i8]) -> &'w [i8] {
    if let Some(values) = window.whole(image) {
        return values;
    }
    if window.is_partial() {
        rows::fill(patch, zero);
    }
    window.for_each_column(|column| copy_column(image, patch, &column));
    patch
}

/// Copies what this column has of the image.
#[inline(always)]
fn copy_column(image: &[i8], patch: &mut [i8], column: &Column) {
    let Column {
        from,
        to,
        rows,
        len,
        row_from,
        row_to,
    } = *column;
    if rows == 0 || len == 0 {
        return;
    }
    let (reach, reach_to) = (column.reach(row_from), column.reach(row_to));
    if let (Some(run), Some(place)) = (
        image.get(from..from.wrapping_add(reach)),
        patch.get_mut(to..to.wrapping_add(reach_to)),
    ) {
        let steps = Steps {
            rows,
            from: row_from,
            to: row_to,
        };
        // SAFETY: both have a run of `len` bytes in each of the rows, of which there is one at least.
        unsafe { copy(run.as_ptr(), place.as_mut_ptr(), len, &steps) };
    }
}

/// Rows, and bytes from one to the next.
#[repr(C)]
struct Steps {
    rows: usize,
    from: usize,
    to: usize,
}

/// Copies rows of bytes: 3 instructions for 16, and 7 for a row.
///
/// # Safety
/// There are `len` bytes at both in each row; neither is 0.
#[unsafe(naked)]
unsafe extern "C" fn copy(from: *const i8, to: *mut i8, len: usize, steps: &Steps) {
    naked_asm!(
        assembler!(),
        "push {{r4-r7, lr}}",
        "ldm r3, {{r3, r4, r5}}",
        "2:",
        "mov r6, r0",
        "mov r7, r1",
        "dlstp.8 lr, r2",
        "3:",
        "vldrb.u8 q0, [r6], #16",
        "vstrb.8 q0, [r7], #16",
        "letp lr, 3b",
        "add r0, r0, r4",
        "add r1, r1, r5",
        "subs r3, r3, #1",
        "bne 2b",
        "pop {{r4-r7, pc}}",
    )
}
