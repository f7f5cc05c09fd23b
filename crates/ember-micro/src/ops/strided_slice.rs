//! STRIDED_SLICE: `micro/kernels/strided_slice_common.cc`.

use ember_core::{BuiltinOp, Dtype, view};
use ember_kernels::strided_slice::{self, MAX_AXES, SliceAxis};
use ember_tflite::{OpCode, StridedSliceOptions};

use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// STRIDED_SLICE of whole-byte elements of any type.
pub struct Any;

ember_core::plain! {
    /// What [`Any`] prepares.
    #[derive(Clone, Copy)]
    pub struct Prepared {
        /// From the outermost to the innermost.
        pub axes: [SliceAxis; MAX_AXES],
        /// Bytes of an element.
        pub element: u32,
    }
}

impl Kernel for Any {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::StridedSlice);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        cx.arity(4..=4, 1)?;
        let options = cx.options::<StridedSliceOptions>()?;
        // Not in TFLM either.
        if options.ellipsis_mask != 0 || options.new_axis_mask != 0 || options.offset {
            return Err(cx.refuse(Fault::Options));
        }
        let input = cx.any(Slot::input(0))?;
        let output = cx.output(0, input.dtype())?;
        let out_shape = output.shape()?;
        let shape = input.shape()?;
        if shape.len() > MAX_AXES {
            return Err(cx.refuse(Fault::Rank {
                slot: input.slot(),
                found: shape.len() as u32,
                expected: MAX_AXES as u32,
            }));
        }
        let bounds = |index| -> Result<&[i32], Refused> {
            let bounds = cx.input(index, Dtype::Int32)?;
            bounds.elements_are(shape.len() as u32)?;
            let slot = bounds.slot();
            cx.expect(
                view::from_bytes(bounds.constant()?),
                Fault::Misaligned(slot),
            )
        };
        let (begin, end, strides) = (bounds(1)?, bounds(2)?, bounds(3)?);

        prepared.axes = [SliceAxis::ONE; MAX_AXES];
        // Missing dimensions are outermost, with one position.
        let own = prepared
            .axes
            .iter_mut()
            .skip(MAX_AXES.wrapping_sub(shape.len()));
        let bounds = begin.iter().zip(end).zip(strides);
        let mut out_dims = out_shape.iter();
        for (((axis, size), ((begin, end), stride)), bit) in
            own.zip(shape.iter()).zip(bounds).zip(0..)
        {
            let set = |mask: i32| mask >> bit & 1 != 0;
            let begin = (!set(options.begin_mask)).then_some(*begin);
            let end = (!set(options.end_mask)).then_some(*end);
            let shrink = set(options.shrink_axis_mask);
            *axis = cx.expect(
                SliceAxis::new(size as u32, begin, end, *stride, shrink),
                Fault::Options,
            )?;
            if !shrink {
                let found = out_dims.next().unwrap_or(0) as u32;
                if found != axis.count {
                    return Err(cx.refuse(Fault::Size {
                        slot: output.slot(),
                        dimension: bit,
                        found,
                        expected: axis.count,
                    }));
                }
            }
        }
        if out_dims.next().is_some() {
            return Err(cx.refuse(Fault::Rank {
                slot: output.slot(),
                found: out_shape.len() as u32,
                expected: (out_shape.len() - 1 - out_dims.len()) as u32,
            }));
        }
        prepared.element = super::pack::element_bytes(cx, &input)?;
        Ok(())
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(strided_slice::bytes(
            &prepared.axes,
            prepared.element,
            inputs.get(0)?,
            output,
        )?)
    }
}
