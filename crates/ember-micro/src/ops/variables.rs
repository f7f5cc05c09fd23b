//! VAR_HANDLE, READ_VARIABLE and ASSIGN_VARIABLE: `micro/kernels/var_handle.cc`, `read_variable.cc` and `assign_variable.cc`.
//!
//! A variable belongs to the interpreter, not to a subgraph: all VAR_HANDLEs of one container and name give handles of the
//! same one. Before it is assigned it holds zeros; int8 and int16 with a zero point hold that in every byte, as in
//! `micro/micro_resource_variable.cc`.
//!
//! A handle is the number of bytes from the variable to the end of the activations. In front of its content a variable
//! carries its length plus one; 0 there says that nobody has asked for it yet.

use ember_core::{BuiltinOp, Dtype};
use ember_tflite::OpCode;

use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::plan::Row;
use crate::prepare::Prepare;
use crate::state::{self, HEADER};

const HANDLE: Slot = Slot::input(0);

/// Checks that a tensor can hold a handle.
fn is_handle(cx: &Prepare<'_>, slot: Slot) -> Result<(), Refused> {
    let handle = cx.any(slot)?;
    let fits = matches!(handle.dtype(), Dtype::Resource | Dtype::Int32) && handle.elements() == 1;
    cx.expect(fits.then_some(()), Fault::Handle(slot))
}

/// Checks that a tensor has a size, so that a variable can hold what it holds.
fn is_value(cx: &Prepare<'_>, slot: Slot) -> Result<(), Refused> {
    let value = cx.any(slot)?;
    let sized = value.dtype().bits().is_some();
    cx.expect(sized.then_some(()), Fault::VariableType)
}

/// The variable with this handle: where its content lies among the activations.
fn variable(io: &Io<'_>, slot: Slot) -> Result<Row, InvokeFault> {
    let row = io.frame.row(slot.index() as u8);
    let find = || {
        let handle = io.frame.program.bytes(io.activations, row?)?;
        let handle = u32::from_le_bytes(*handle.first_chunk()?);
        let start = io.activations.len().checked_sub(handle as usize)?;
        let header = io.activations.get(start..)?.first_chunk()?;
        let len = u32::from_le_bytes(*header).checked_sub(1)?;
        Some([(start as u32).checked_add(HEADER)?, len])
    };
    find().ok_or(InvokeFault::Operand(slot))
}

ember_core::plain! {
    /// Which variable it is.
    #[derive(Clone, Copy, Debug)]
    pub struct Variable {
        /// The handle.
        pub from_end: u32,
        /// Bytes.
        pub len: u32,
        /// What each of them is in the beginning, 0 to 255.
        pub filler: u32,
    }
}

/// VAR_HANDLE.
pub struct Handle;

impl Kernel for Handle {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::VarHandle);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Variable;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Variable) -> Result<(), Refused> {
        cx.arity(0..=0, 1)?;
        is_handle(cx, Slot::output(0))?;
        cx.expect(cx.operator().variable(), Fault::Unnamed)?;
        let place = state::place(cx)?;
        *prepared = Variable {
            from_end: place.from_end,
            len: place.value.len,
            filler: u32::from(place.value.filler.unwrap_or_default()),
        };
        Ok(())
    }

    fn run(prepared: &Variable, mut io: Io<'_>) -> Result<(), InvokeFault> {
        let activations = &mut *io.activations;
        let start = activations.len().wrapping_sub(prepared.from_end as usize);
        let place = activations.get_mut(start..).ok_or(InvokeFault::Prepared)?;
        let split = place.split_first_chunk_mut();
        let (header, content) = split.ok_or(InvokeFault::Prepared)?;
        if *header == [0; HEADER as usize] {
            *header = prepared.len.wrapping_add(1).to_le_bytes();
            let content = content.get_mut(..prepared.len as usize);
            let content = content.ok_or(InvokeFault::Prepared)?;
            content.fill(prepared.filler as u8);
        }
        let (_, output) = io.split_at::<u32>(0)?;
        output.fill(prepared.from_end);
        Ok(())
    }
}

/// READ_VARIABLE of any type.
pub struct Read;

impl Kernel for Read {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::ReadVariable);
    const DTYPE: Option<Dtype> = None;
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        is_handle(cx, HANDLE)?;
        is_value(cx, Slot::output(0))
    }

    fn run(_prepared: &(), mut io: Io<'_>) -> Result<(), InvokeFault> {
        let from = variable(&io, HANDLE)?;
        io.copy(Some(from), io.frame.row(1))
    }
}

/// ASSIGN_VARIABLE of any type.
pub struct Assign;

impl Kernel for Assign {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::AssignVariable);
    const DTYPE: Option<Dtype> = None;
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        cx.arity(2..=2, 0)?;
        is_handle(cx, HANDLE)?;
        is_value(cx, Slot::input(1))
    }

    fn run(_prepared: &(), mut io: Io<'_>) -> Result<(), InvokeFault> {
        let to = variable(&io, HANDLE)?;
        io.copy(io.frame.row(1), Some(to))
    }
}
