//! IF, WHILE and CALL_ONCE: `micro/kernels/if.cc`, `while.cc` and `call_once.cc`.
//!
//! A profiler sees them as one operator: what runs in their subgraphs counts as theirs.

use ember_core::{BuiltinOp, Dtype};
use ember_tflite::{CallOnceOptions, IfOptions, OpCode, WhileOptions};

use crate::call::{Called, Callee, Target};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;
use crate::state;

ember_core::plain! {
    /// The two subgraphs of IF and WHILE.
    #[derive(Clone, Copy, Debug)]
    pub struct Pair {
        pub(crate) first: Callee,
        pub(crate) second: Callee,
    }
}

/// IF on tensors of any type: the first input says which subgraph gets the others.
pub struct If;

impl Kernel for If {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::If);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Pair;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Pair) -> Result<(), Refused> {
        let options: IfOptions = cx.options()?;
        cx.input(0, Dtype::Bool)?.elements_are(1)?;
        let then = Target::find(cx, options.then_subgraph_index)?;
        let otherwise = Target::find(cx, options.else_subgraph_index)?;
        then.has_signature(cx, 1)?;
        otherwise.has_signature(cx, 1)?;
        *prepared = Pair {
            first: then.prepare(cx)?,
            second: otherwise.prepare(cx)?,
        };
        Ok(())
    }

    fn run(prepared: &Pair, mut io: Io<'_>) -> Result<(), InvokeFault> {
        let program = &io.frame.program;
        let mut words = io.words;
        let then = Called::take(&prepared.first, program, &mut words)?;
        let otherwise = Called::take(&prepared.second, program, &mut words)?;
        let row = io.frame.row(0);
        let condition = row.and_then(|row| program.bytes(io.activations, row));
        let condition = condition.and_then(|bytes| bytes.first());
        let holds = *condition.ok_or(InvokeFault::Operand(Slot::input(0)))? != 0;
        let called = if holds { then } else { otherwise };
        let outputs = io.frame.inputs;
        called.fill(&mut io, 1)?;
        called.run(io.activations)?;
        called.empty(&mut io, outputs)
    }
}

/// How often a [`While`] of [`registry::WHILE`](crate::registry::WHILE) goes round in one run before it is taken for one
/// without an end: more than a million times.
pub const ROUNDS: u32 = 1 << 20;

/// WHILE on tensors of any type: the outputs begin as the inputs, and while the first subgraph says so, the second makes the
/// next outputs of the last ones.
///
/// After `LIMIT` rounds in one run it stops with [`InvokeFault::Endless`]. A registry with another limit has the row
/// `Registration::of::<While<1000>>()` in front of the others.
pub struct While<const LIMIT: u32>;

impl<const LIMIT: u32> Kernel for While<LIMIT> {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::While);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Pair;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Pair) -> Result<(), Refused> {
        let options: WhileOptions = cx.options()?;
        let inputs = cx.operator().inputs().len();
        cx.arity(inputs..=inputs, inputs)?;
        let condition = Target::find(cx, options.cond_subgraph_index)?;
        let body = Target::find(cx, options.body_subgraph_index)?;
        condition.is_condition(cx)?;
        body.has_signature(cx, 0)?;
        // What goes in is what the first round gets, what comes out what the next one gets.
        for slot in 0..inputs as u8 {
            let (input, output) = (cx.any(Slot::input(slot))?, cx.any(Slot::output(slot))?);
            if input.dtype() != output.dtype() || input.shape()? != output.shape()? {
                let subgraph = options.body_subgraph_index.cast_unsigned();
                let slot = Slot::output(slot);
                return Err(cx.refuse(Fault::CalledTensor { slot, subgraph }));
            }
        }
        *prepared = Pair {
            first: condition.prepare(cx)?,
            second: body.prepare(cx)?,
        };
        Ok(())
    }

    fn run(prepared: &Pair, mut io: Io<'_>) -> Result<(), InvokeFault> {
        let program = &io.frame.program;
        let mut words = io.words;
        let condition = Called::take(&prepared.first, program, &mut words)?;
        let body = Called::take(&prepared.second, program, &mut words)?;
        let outputs = io.frame.inputs;
        for input in 0..outputs {
            let output = outputs.wrapping_add(input);
            io.copy(io.frame.row(input), io.frame.row(output))?;
        }
        let mut rounds = 0;
        loop {
            condition.fill(&mut io, outputs)?;
            condition.run(io.activations)?;
            if !condition.holds(io.activations)? {
                return Ok(());
            }
            if rounds == LIMIT {
                return Err(InvokeFault::Endless(LIMIT));
            }
            rounds += 1;
            body.fill(&mut io, outputs)?;
            body.run(io.activations)?;
            body.empty(&mut io, outputs)?;
        }
    }
}

ember_core::plain! {
    /// The subgraph of CALL_ONCE, and where it is noted that it ran.
    #[derive(Clone, Copy, Debug)]
    pub struct Once {
        pub(crate) callee: Callee,
        /// Where the note is: bytes before the end of the activations. No other operator keeps anything there.
        pub note: u32,
    }
}

/// CALL_ONCE: calls a subgraph in the first run, which assigns variables there. After
/// [`reset_variables`](crate::Interpreter::reset_variables) the next run is a first one again.
pub struct CallOnce;

impl Kernel for CallOnce {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::CallOnce);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Once;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Once) -> Result<(), Refused> {
        let options: CallOnceOptions = cx.options()?;
        cx.arity(0..=0, 0)?;
        let target = Target::find(cx, options.init_subgraph_index)?;
        target.has_no_tensors(cx)?;
        prepared.note = state::place(cx)?.from_end;
        prepared.callee = target.prepare(cx)?;
        Ok(())
    }

    fn run(prepared: &Once, io: Io<'_>) -> Result<(), InvokeFault> {
        let mut words = io.words;
        let called = Called::take(&prepared.callee, &io.frame.program, &mut words)?;
        let note = io.activations.len().wrapping_sub(prepared.note as usize);
        if *io.activations.get(note).ok_or(InvokeFault::Prepared)? != 0 {
            return Ok(());
        }
        called.run(io.activations)?;
        let note = io.activations.get_mut(note).ok_or(InvokeFault::Prepared)?;
        *note = 1;
        Ok(())
    }
}
