//! BATCH_MATMUL: `micro/kernels/batch_matmul.cc`.

use ember_core::view::Pair;
use ember_core::{BuiltinOp, Dtype, QuantizedMultiplier};
use ember_kernels::batch_matmul::{self, BATCH_AXES, BatchMatmul, Quantization, Side};
use ember_kernels::strided::MAX_AXES;
use ember_tflite::{BatchMatMulOptions, OpCode};

use super::binary::ALL;
use super::moves::Layout;
use super::mul::affine;
use crate::error::{Fault, InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// The last two dimensions of a tensor, with their steps, and the others.
struct Parts {
    matrix: [(u32, u32); 2],
    batches: [(u32, u32); BATCH_AXES],
}

/// # Errors
/// [`Fault::Options`] for fewer than two dimensions or more than five.
fn parts(cx: &Prepare<'_>, layout: &Layout) -> Result<Parts, Refused> {
    const OTHERS: usize = MAX_AXES - BATCH_AXES - 2;
    if !(2..=BATCH_AXES + 2).contains(&layout.rank) {
        return Err(cx.refuse(Fault::Options));
    }
    let mut pairs = layout.sizes.into_iter().zip(layout.steps).skip(OTHERS);
    let batches = [(); BATCH_AXES].map(|()| pairs.next().unwrap_or((1, 0)));
    let matrix = [(); 2].map(|()| pairs.next().unwrap_or((1, 0)));
    Ok(Parts { matrix, batches })
}

#[inline(never)]
fn shapes(cx: &Prepare<'_>, dtype: Dtype, shape: &mut BatchMatmul) -> Result<(), Refused> {
    cx.arity(2..=2, 1)?;
    let options = cx.options::<BatchMatMulOptions>()?;
    let of = |operand| -> Result<Parts, Refused> { parts(cx, &Layout::of(cx, &operand)?) };
    let (left, right) = (of(cx.input(0, dtype)?)?, of(cx.input(1, dtype)?)?);
    let output = of(cx.output(0, dtype)?)?;
    let turned = |[rows, columns]: [(u32, u32); 2], turn: bool| {
        if turn {
            [columns, rows]
        } else {
            [rows, columns]
        }
    };
    let [rows, depth] = turned(left.matrix, options.adj_x);
    let [other_depth, columns] = turned(right.matrix, options.adj_y);
    let [found_rows, found_columns] = output.matrix;
    if depth.0 != other_depth.0 || (found_rows.0, found_columns.0) != (rows.0, columns.0) {
        return Err(cx.refuse(Fault::Options));
    }
    let side = |step: u32, depth_step: u32| Side {
        batch_steps: [0; BATCH_AXES],
        step,
        depth_step,
    };
    *shape = BatchMatmul {
        batches: [1; BATCH_AXES],
        rows: rows.0,
        columns: columns.0,
        depth: depth.0,
        sides: [side(rows.1, depth.1), side(columns.1, other_depth.1)],
    };
    let [one, other] = &mut shape.sides;
    let steps = one.batch_steps.iter_mut().zip(&mut other.batch_steps);
    let batches = shape.batches.iter_mut().zip(steps);
    let found = left.batches.iter().zip(&right.batches).zip(&output.batches);
    for ((batches, (step1, step2)), (((size1, own1), (size2, own2)), (size, _))) in
        batches.zip(found)
    {
        let fits = |own: u32| own == *size || own == 1;
        if !fits(*size1) || !fits(*size2) || *size1.max(size2) != *size {
            return Err(cx.refuse(Fault::Broadcast));
        }
        *batches = *size;
        *step1 = if *size1 == 1 { 0 } else { *own1 };
        *step2 = if *size2 == 1 { 0 } else { *own2 };
    }
    Ok(())
}

#[inline(never)]
fn quantization(cx: &Prepare<'_>, dtype: Dtype) -> Result<Quantization, Refused> {
    let [_, _, output] = ALL;
    let ([zero1, zero2, output_zero_point], [scale1, scale2, output_scale]) = affine(cx)?;
    // Sums of 64 bits are scaled with a shift of at most 7.
    let mut most = 30;
    if dtype == Dtype::Int16 {
        most = 7;
        for slot in ALL {
            cx.any(slot)?.scale_about(0)?;
        }
    }
    let multiplier = QuantizedMultiplier::from_ratio(scale1, scale2, output_scale);
    if multiplier.shift > most {
        return Err(cx.refuse(Fault::Scale(output)));
    }
    Ok(Quantization {
        input_zero_points: [zero1, zero2],
        multiplier,
        output_zero_point,
    })
}

macro_rules! integers {
    ($($(#[$doc:meta])* $kernel:ident = $dtype:ident by $run:ident;)*) => {
        $(
            $(#[$doc])*
            pub struct $kernel;

            impl Kernel for $kernel {
                const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::BatchMatmul);
                const DTYPE: Option<Dtype> = Some(Dtype::$dtype);
                type Prepared = Pair<BatchMatmul, Quantization>;

                fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
                    shapes(cx, Dtype::$dtype, &mut prepared.first)?;
                    prepared.second = quantization(cx, Dtype::$dtype)?;
                    Ok(())
                }

                fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
                    let (inputs, output) = io.split()?;
                    let Pair { first, second } = prepared;
                    let (left, right) = (inputs.get(0)?, inputs.get(1)?);
                    Ok(batch_matmul::$run(first, second, left, right, output)?)
                }
            }
        )*
    };
}

integers! {
    /// BATCH_MATMUL of int8.
    Int8 = Int8 by int8;
    /// BATCH_MATMUL of int16.
    Int16 = Int16 by int16;
}

/// BATCH_MATMUL of float32.
pub struct Float32;

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::BatchMatmul);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = BatchMatmul;

    fn prepare(cx: &Prepare<'_>, prepared: &mut BatchMatmul) -> Result<(), Refused> {
        shapes(cx, Dtype::Float32, prepared)
    }

    fn run(prepared: &BatchMatmul, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(batch_matmul::float32(
            prepared,
            inputs.get(0)?,
            inputs.get(1)?,
            output,
        )?)
    }
}
