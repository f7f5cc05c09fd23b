//! A partition as an operator of the interpreter: a custom operator with the partition's number in its options.
//!
//! A kernel is a function that knows nothing but its tensors and prepared words. What the partitions of the model that is
//! being run are is therefore a matter of the thread: [`running`] says it for the time of a run.

use std::cell::RefCell;
use std::sync::Arc;

use ember_core::Dtype;
use ember_micro::{
    Fault, Inputs, InvokeFault, Io, Kernel, OpCode, Prepare, Refused, Registration, Slot,
};

use super::{Compiled, Delegation};

/// The name of the custom operator.
pub(crate) const CODE: &str = "EMBER_DELEGATE";

/// Inputs, and outputs, that a partition has at most: the interpreter counts an operator's in seven bits.
pub(super) const MAX_OPERANDS: usize = 127;

/// What a session of a model with partitions has beside the kernels of any model.
pub(crate) const PARTITION: Registration = Registration::of::<InPartition>();

/// A run on this thread.
struct Running {
    partitions: Arc<[Box<dyn Compiled>]>,
    /// What a partition said that stopped the run.
    failure: Option<String>,
}

thread_local! {
    /// The innermost last: a partition may itself run a model with partitions.
    static RUNNING: RefCell<Vec<Running>> = const { RefCell::new(Vec::new()) };
}

/// Runs `invoke` on a model with these partitions; gives what a partition said that stopped it, too.
pub(crate) fn running<T>(
    delegation: &Delegation,
    invoke: impl FnOnce() -> T,
) -> (T, Option<String>) {
    /// Takes the entry away, also where a delegate panics.
    struct Entry;
    impl Drop for Entry {
        fn drop(&mut self) {
            RUNNING.with_borrow_mut(Vec::pop);
        }
    }
    RUNNING.with_borrow_mut(|running| {
        running.push(Running {
            partitions: Arc::clone(&delegation.compiled),
            failure: None,
        });
    });
    let _entry = Entry;
    let result = invoke();
    let failure = RUNNING.with_borrow_mut(|running| running.last_mut()?.failure.take());
    (result, failure)
}

/// Runs a partition of the model that this thread is running.
fn run_partition(
    number: u32,
    inputs: &[&[u8]],
    outputs: &mut [&mut [u8]],
) -> Result<(), InvokeFault> {
    let partitions =
        RUNNING.with_borrow(|running| running.last().map(|run| Arc::clone(&run.partitions)));
    let partitions = partitions.ok_or(InvokeFault::Prepared)?;
    let partition = partitions.get(number as usize);
    let partition = partition.ok_or(InvokeFault::Prepared)?;
    partition.run(inputs, outputs).map_err(|failure| {
        RUNNING.with_borrow_mut(|running| {
            if let Some(run) = running.last_mut() {
                run.failure = Some(failure);
            }
        });
        InvokeFault::Custom(number)
    })
}

/// The kernel of the custom operator.
struct InPartition;

ember_core::plain! {
    #[derive(Clone, Copy, Debug)]
    struct Prepared {
        /// The partition's number.
        number: u32,
        /// How many outputs it has.
        outputs: u32,
    }
}

impl Kernel for InPartition {
    const CODE: OpCode<'static> = OpCode::Custom(CODE);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        let options = cx.operator().custom_options().try_into().ok();
        prepared.number = u32::from_le_bytes(cx.expect(options, Fault::Options)?);
        prepared.outputs = cx.operator().outputs().len() as u32;
        for index in 0..prepared.outputs {
            cx.any(Slot::output(index as u8))?;
        }
        Ok(())
    }

    fn run(prepared: &Prepared, mut io: Io<'_>) -> Result<(), InvokeFault> {
        if prepared.outputs == 1 {
            let (inputs, output) = io.split_at::<u8>(0)?;
            let inputs = all(&inputs)?;
            return run_partition(prepared.number, &inputs, &mut [output]);
        }
        // The interpreter hands out one output at a time.
        let mut computed: Vec<Vec<u8>> = Vec::new();
        for index in 0..prepared.outputs {
            computed.push(vec![0; io.split_at::<u8>(index as u8)?.1.len()]);
        }
        let (inputs, _) = io.split_at::<u8>(0)?;
        let mut outputs: Vec<&mut [u8]> = computed.iter_mut().map(Vec::as_mut_slice).collect();
        run_partition(prepared.number, &all(&inputs)?, &mut outputs)?;
        for (index, bytes) in computed.iter().enumerate() {
            io.split_at::<u8>(index as u8)?.1.copy_from_slice(bytes);
        }
        Ok(())
    }
}

/// The bytes of each input.
fn all<'i>(inputs: &Inputs<'i>) -> Result<Vec<&'i [u8]>, InvokeFault> {
    (0..inputs.len()).map(|index| inputs.get(index)).collect()
}
