//! From the operators of a subgraph to the steps that run them.

use core::cell::Cell;

use ember_core::BuiltinOp;
use ember_tflite::{Operator, Subgraph, TensorId};

use crate::error::{Fault, PrepareError};
use crate::fusion;
use crate::io::LEFT_OUT;
use crate::kernel::Registration;
use crate::plan::{self, Activations};
use crate::prepare::{Failure, Path, Prepare, Tape};
use crate::run::HEADER;

/// Inputs, and outputs, that an operator has at most.
const MAX_OPERANDS: usize = 127;

/// Why a subgraph was not prepared.
pub(crate) enum Unprepared {
    /// More words than [`Tape::most`] says would have been enough so far.
    Full,
    Refused(PrepareError),
}

/// What the preparation of a model has for all its subgraphs.
#[derive(Clone, Copy)]
pub(crate) struct Site<'p> {
    pub(crate) path: &'p Path<'p>,
    pub(crate) registry: &'p [Registration],
    pub(crate) tape: &'p Tape<'p>,
    /// Bytes that operators keep from run to run.
    pub(crate) state: &'p Cell<u32>,
}

/// Plans a subgraph into the cells of its table, two per tensor, writes the steps of its operators to the tape, and gives
/// the end of its activations, which begin at `floor`.
pub(crate) fn prepare(
    graph: &Subgraph<'_>,
    site: &Site<'_>,
    table: &[Cell<u32>],
    floor: u32,
) -> Result<u32, Unprepared> {
    let tensors = graph.tensor_count();
    // The lives of the tensors are kept until all is prepared.
    let lives = site.tape.lend(tensors).ok_or(Unprepared::Full)?;
    let table = table.as_chunks().0;
    let peak = plan::plan(
        graph,
        site.path.subgraph,
        site.registry,
        table,
        lives,
        floor,
    );
    let activations = Activations {
        table,
        lives,
        floor,
        peak: Cell::new(peak.map_err(Unprepared::Refused)?),
        state: site.state,
    };
    let mut index = 0;
    while let Some(operator) = graph.operator(index as usize) {
        index += prepare_step(graph, &operator, index, site, &activations)?;
    }
    site.tape.hand_back(tensors);
    Ok(activations.peak.get())
}

/// Finds the row of the registry for an operator by itself.
#[inline(always)]
fn find(
    graph: &Subgraph<'_>,
    operator: &Operator<'_>,
    index: u32,
    op: BuiltinOp,
    site: &Site<'_>,
) -> Result<usize, PrepareError> {
    let (registry, subgraph) = (site.registry, site.path.subgraph.0);
    let inputs = (0..operator.inputs().len()).find_map(|at| operator.inputs().get(at));
    let first = inputs.or_else(|| {
        let mut outputs = 0..operator.outputs().len();
        outputs.find_map(|at| operator.outputs().get(at))
    });
    let first = first.and_then(|id| graph.tensor(id));
    let dtype = first.map(|tensor| tensor.dtype());
    let refused = |fault| PrepareError::Operator {
        subgraph,
        index,
        op,
        fault,
    };
    let mut error = match dtype {
        Some(dtype) => PrepareError::MissingRegistration {
            subgraph,
            index,
            op,
            version: operator.version(),
            dtype,
        },
        None => refused(Fault::Arity {
            inputs: 0,
            outputs: 0,
        }),
    };
    let mut rows = registry.iter();
    let position = rows.position(|row| {
        if row.next.is_some() || !row.names(operator, dtype) {
            return false;
        }
        let suits = || row.suits.is_none_or(|suits| suits(graph, operator));
        let Some((slot, expected)) = row.other else {
            return suits();
        };
        let found = slot.dtype(graph, operator);
        if found != Some(expected) {
            // It is there, for other types.
            let fault = match found {
                None => Fault::Missing(slot),
                Some(found) => Fault::Dtype {
                    slot,
                    found,
                    expected,
                },
            };
            error = refused(fault);
        }
        found == Some(expected) && suits()
    });
    position.ok_or(error)
}

/// Writes the step of one operator, or those of two that are done together, and gives how many these are.
#[inline(never)]
fn prepare_step(
    graph: &Subgraph<'_>,
    operator: &Operator<'_>,
    index: u32,
    site: &Site<'_>,
    activations: &Activations<'_>,
) -> Result<u32, Unprepared> {
    let Site {
        path,
        registry,
        tape,
        ..
    } = *site;
    let op = operator.builtin().unwrap_or(BuiltinOp::Custom);
    let fused = fusion::row(graph, index as usize, registry);
    let at = match fused {
        Some(at) => at,
        None => find(graph, operator, index, op, site).map_err(Unprepared::Refused)?,
    };
    let behind = fused.and_then(|_| graph.operator(index as usize + 1));
    let (inputs, mut outputs) = (operator.inputs(), operator.outputs());
    if let Some(behind) = &behind {
        outputs = behind.outputs();
    }
    let (Some(registration), true, true, true) = (
        registry.get(at),
        at <= 0xffff,
        inputs.len() <= MAX_OPERANDS,
        outputs.len() <= MAX_OPERANDS,
    ) else {
        return Err(Unprepared::Refused(PrepareError::TooLarge));
    };

    let count = inputs.len() + outputs.len();
    let Some(header) = tape.take(HEADER + count.div_ceil(2)) else {
        return Err(Unprepared::Full);
    };
    let start = tape.used();
    // What a row says that is only for models that are prepared already.
    let failed = Cell::new(Failure::Operator(index, Fault::Options));
    let cx = Prepare {
        graph,
        path,
        registry,
        operator: *operator,
        tape,
        activations,
        index,
        failed: &failed,
        scratch: Cell::new(0),
    };
    if (registration.prepare)(&cx).is_err() {
        return match failed.get() {
            Failure::Operator(_, Fault::Arena) => Err(Unprepared::Full),
            Failure::Called(error) => Err(Unprepared::Refused(error)),
            Failure::Operator(failing, fault) => {
                let op = match (failing == index, registration.next) {
                    (false, Some(next)) => next,
                    _ => op,
                };
                Err(Unprepared::Refused(PrepareError::Operator {
                    subgraph: path.subgraph.0,
                    index: failing,
                    op,
                    fault,
                }))
            }
        };
    }
    let counts = at as u32 | (inputs.len() as u32) << 16 | (outputs.len() as u32) << 24;
    let prepared = tape.used().wrapping_sub(start) as u32;
    let mut places = header.iter();
    let mut put = |word| {
        if let Some(place) = places.next() {
            place.set(word);
        }
    };
    put(counts);
    put(prepared);
    let operand = |at: usize| {
        let id = match at.checked_sub(inputs.len()) {
            None => inputs.get(at),
            Some(at) => outputs.get(at),
        };
        id.map_or(LEFT_OUT, |TensorId(id)| id)
    };
    for at in (0..count).step_by(2) {
        put(operand(at) | operand(at + 1) << 16);
    }
    if behind.is_none() {
        return Ok(1);
    }
    let Some(done) = tape.take(HEADER) else {
        return Err(Unprepared::Full);
    };
    crate::prepare::write(done, &[at as u32, 0]);
    Ok(2)
}
