//! RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR: `micro/kernels/resize_nearest_neighbor.cc` and `resize_bilinear.cc`.

use ember_core::view::Pair;
use ember_core::{BuiltinOp, Dtype};
use ember_kernels::resize::{self, Resize};
use ember_tflite::{OpCode, ResizeBilinearOptions, ResizeNearestNeighborOptions};

use super::moves::{constants, same_scale};
use super::pack::element_bytes;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// Sides are at most this long: then positions in 1/1024 fit 32 bits.
const MAX_SIDE: u32 = 1 << 20;

#[inline(never)]
fn shapes(cx: &Prepare<'_>, align_corners: bool, half_pixel: bool) -> Result<Resize, Refused> {
    cx.arity(2..=2, 1)?;
    let input = cx.any(Slot::input(0))?;
    let output = cx.output(0, input.dtype())?;
    same_scale(cx, [input.slot(), output.slot()])?;
    let [batches, height, width, depth] = input.dims()?;
    let size = match constants(cx, 1)? {
        [rows, columns] => u32::try_from(*rows).ok().zip(u32::try_from(*columns).ok()),
        _ => None,
    };
    let (rows, columns) = cx.expect(size, Fault::Options)?;
    output.dims_are(&[batches, rows, columns, depth])?;
    let sides = [height, width, rows, columns];
    if sides.iter().any(|side| *side == 0 || *side > MAX_SIDE) {
        return Err(cx.refuse(Fault::Options));
    }
    Ok(Resize {
        batches,
        input: [height, width],
        output: [rows, columns],
        depth,
        align_corners: u32::from(align_corners),
        half_pixel_centers: u32::from(half_pixel),
    })
}

/// RESIZE_NEAREST_NEIGHBOR of elements of any type.
pub struct Nearest;

impl Kernel for Nearest {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::ResizeNearestNeighbor);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Pair<Resize, u32>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let options = cx.options::<ResizeNearestNeighborOptions>()?;
        prepared.first = shapes(cx, options.align_corners, options.half_pixel_centers)?;
        prepared.second = element_bytes(cx, &cx.any(Slot::input(0))?)?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let Pair { first, second } = prepared;
        Ok(resize::nearest(first, *second, inputs.get(0)?, output)?)
    }
}

fn bilinear(cx: &Prepare<'_>) -> Result<Resize, Refused> {
    let options = cx.options::<ResizeBilinearOptions>()?;
    // They contradict each other.
    if options.align_corners && options.half_pixel_centers {
        return Err(cx.refuse(Fault::Options));
    }
    shapes(cx, options.align_corners, options.half_pixel_centers)
}

/// RESIZE_BILINEAR of float32.
pub struct BilinearFloat32;

impl Kernel for BilinearFloat32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::ResizeBilinear);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = Resize;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Resize) -> Result<(), Refused> {
        *prepared = bilinear(cx)?;
        Ok(())
    }

    fn run(prepared: &Resize, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(resize::bilinear_float32(prepared, inputs.get(0)?, output)?)
    }
}

/// RESIZE_BILINEAR of int8.
pub struct BilinearInt8;

impl Kernel for BilinearInt8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::ResizeBilinear);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = Resize;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Resize) -> Result<(), Refused> {
        *prepared = bilinear(cx)?;
        Ok(())
    }

    fn run(prepared: &Resize, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(resize::bilinear_int8(prepared, inputs.get(0)?, output)?)
    }
}
