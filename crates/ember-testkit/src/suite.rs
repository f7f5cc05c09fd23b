//! Runs cases on runtimes: the rules of conformance.

use ember_tflite::{Model, Subgraph, TensorIds};

use crate::agreement::difference;
use crate::case::{Case, Port};
use crate::runtime::{Runtime, Session};

/// A case that no runtime supports yet, and how its refusal must read.
#[derive(Clone, Copy, Debug)]
pub struct NotYet {
    /// The name of the case.
    pub case: &'static str,
    /// Words that the error must contain, so that its reader learns what is missing.
    pub mentions: &'static [&'static str],
}

/// Checks that a runtime gives the case's outputs, on every record, and again on the first one afterwards: a run must
/// not leave anything behind that changes the next, but for variables, which are reset before that last one.
///
/// # Errors
/// One line per record that differs, or the runtime's refusal.
pub fn check(runtime: &dyn Runtime, case: &Case) -> Result<(), String> {
    check_ports(case)?;
    let mut faults = Vec::new();
    let stateful = has_variables(case)?;
    let records = case.records.iter().chain(case.records.first());
    let mut run_all = |session: &mut dyn Session| {
        for (run, record) in records.clone().enumerate() {
            if stateful && run == case.records.len() {
                session.reset();
            }
            let found = session.invoke(&record.inputs)?;
            if found.len() != record.outputs.len() {
                faults.push(format!("run {run}: {} output tensors", found.len()));
            }
            let pairs = found.iter().zip(&record.outputs);
            for (port, (found, expected)) in case.outputs.iter().zip(pairs) {
                if let Some(text) = difference(port, found, expected) {
                    faults.push(format!("run {run}: {text}"));
                }
            }
        }
        Ok(())
    };
    runtime
        .open(&case.model, &mut run_all)
        .map_err(|refusal| format!("{}: refused: {refusal}", case.name))?;
    if faults.is_empty() {
        return Ok(());
    }
    Err(format!("{}: {}", case.name, faults.join("; ")))
}

/// Checks that a runtime refuses a case that is not supported yet, and says why.
///
/// # Errors
/// When the case runs (then its entry is stale: remove it), or the refusal does not name what is missing.
pub fn check_refused(runtime: &dyn Runtime, case: &Case, entry: &NotYet) -> Result<(), String> {
    let mut run_first = |session: &mut dyn Session| {
        let inputs = case.records.first().map(|record| &record.inputs);
        inputs.map_or(Ok(()), |inputs| session.invoke(inputs).map(drop))
    };
    match runtime.open(&case.model, &mut run_first) {
        Ok(()) => Err(format!(
            "{} runs on {} now: remove it from the list of cases that are not supported yet",
            case.name,
            runtime.name()
        )),
        Err(refusal) => {
            let text = refusal.to_string();
            let missing = entry.mentions.iter().filter(|word| !text.contains(**word));
            let missing: Vec<&str> = missing.copied().collect();
            if missing.is_empty() {
                return Ok(());
            }
            Err(format!(
                "{}: the error should mention {}, but it is: {text}",
                case.name,
                missing.join(" and ")
            ))
        }
    }
}

/// Custom operators that keep something from run to run without a tensor.
const KEEPING: &[&str] = &[
    "SignalDelay",
    "SignalFilterBankSpectralSubtraction",
    "SignalFramer",
    "SignalOverlapAdd",
    "SignalStacker",
];

fn has_variables(case: &Case) -> Result<bool, String> {
    let model =
        Model::parse(case.model.as_slice()).map_err(|error| format!("{}: {error}", case.name))?;
    let mut graphs = model.subgraphs();
    let mut operators = model.main().operators();
    let keeps = |name: &[u8]| KEEPING.iter().any(|own| own.as_bytes() == name);
    Ok(
        graphs.any(|graph| graph.tensors().any(|tensor| tensor.is_variable()))
            || operators.any(|operator| keeps(operator.custom_name())),
    )
}

/// The case describes the model's inputs and outputs on its own; the file must say the same.
fn check_ports(case: &Case) -> Result<(), String> {
    let model =
        Model::parse(case.model.as_slice()).map_err(|error| format!("{}: {error}", case.name))?;
    let main = model.main();
    for (side, ids, expected) in [
        ("inputs", main.inputs(), &case.inputs),
        ("outputs", main.outputs(), &case.outputs),
    ] {
        let found = ports(&main, ids);
        if found != *expected {
            return Err(format!(
                "{}: the file's {side} are {found:?}, the case says {expected:?}",
                case.name
            ));
        }
    }
    Ok(())
}

fn ports(graph: &Subgraph<'_>, ids: TensorIds<'_>) -> Vec<Port> {
    ids.iter()
        .flatten()
        .filter_map(|id| graph.tensor(id))
        .map(|tensor| Port {
            dtype: tensor.dtype(),
            shape: tensor.shape().iter().collect(),
        })
        .collect()
}
