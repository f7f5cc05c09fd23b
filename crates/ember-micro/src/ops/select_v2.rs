//! SELECT_V2: `micro/kernels/select.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::select_v2::{self, MAX_AXES, SelectAxis};
use ember_tflite::OpCode;

use super::moves::{Layout, same_scale};
use super::pack::element_bytes;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

ember_core::plain! {
    /// What [`Any`] prepares.
    #[derive(Clone, Copy, Debug)]
    pub struct Prepared {
        /// The axes of the output, and the steps of the inputs along them.
        pub axes: [SelectAxis; MAX_AXES],
        /// Bytes of an element.
        pub element: u32,
    }
}

/// SELECT_V2 of elements of any type.
pub struct Any;

impl Kernel for Any {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::SelectV2);
    const DTYPE: Option<Dtype> = Some(Dtype::Bool);
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        cx.arity(3..=3, 1)?;
        let condition = cx.input(0, Dtype::Bool)?;
        let when_true = cx.any(Slot::input(1))?;
        let when_false = cx.input(2, when_true.dtype())?;
        let output = cx.output(0, when_true.dtype())?;
        same_scale(cx, [when_true.slot(), output.slot()])?;
        same_scale(cx, [when_false.slot(), output.slot()])?;
        prepared.element = element_bytes(cx, &output)?;
        let to = Layout::of(cx, &output)?;
        let inputs = [condition, when_true, when_false];
        if to.rank > MAX_AXES {
            return Err(cx.refuse(Fault::Broadcast));
        }
        prepared.axes = [SelectAxis::ONE; MAX_AXES];
        // Both end at the innermost dimension.
        for (axis, size) in prepared.axes.iter_mut().rev().zip(to.sizes.iter().rev()) {
            axis.size = *size;
        }
        let mut greatest = [1u32; MAX_AXES];
        for (input, at) in inputs.iter().zip(0..) {
            let from = Layout::of(cx, input)?;
            if from.rank > to.rank {
                return Err(cx.refuse(Fault::Broadcast));
            }
            let own = from.sizes.iter().zip(&from.steps).rev();
            let axes = prepared.axes.iter_mut().zip(&mut greatest).rev();
            for ((axis, greatest), (size, step)) in axes.zip(own) {
                if *size != axis.size && *size != 1 {
                    return Err(cx.refuse(Fault::Broadcast));
                }
                *greatest = if *size == 1 { *greatest } else { *size };
                if let (Some(to), true) = (axis.steps.get_mut(at as usize), *size != 1) {
                    *to = *step;
                }
            }
        }
        let sizes = prepared.axes.iter().map(|axis| axis.size);
        cx.expect(sizes.eq(greatest).then_some(()), Fault::Broadcast)
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let values = [inputs.get(1)?, inputs.get(2)?];
        let Prepared { axes, element } = prepared;
        Ok(select_v2::bytes(
            axes,
            *element,
            inputs.get(0)?,
            values,
            output,
        )?)
    }
}
