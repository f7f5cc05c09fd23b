//! What an Arm Ethos-U will do of a model that `vela` compiled: its commands, region by region.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result};
use ember_ethos_u::{Command, Payload};
use ember_tflite::{ETHOS_U, Model, OpCode};

/// What each operator of the NPU consists of; empty for a model without such. All commands, one a line, where `all` is set.
///
/// # Errors
/// Commands that are not as `vela` writes them.
pub fn said(model: &Model<'_>, all: bool) -> Result<String> {
    let mut text = String::new();
    for (index, operator) in model.main().operators().enumerate() {
        if operator.opcode() != OpCode::Custom(ETHOS_U) {
            continue;
        }
        let commands = operator.inputs().get(0);
        let tensor = commands.and_then(|id| model.main().tensor(id));
        let tensor =
            tensor.with_context(|| format!("operator {index}, ethos-u, has no commands"))?;
        let payload =
            Payload::parse(tensor.data()).with_context(|| format!("operator {index}, ethos-u"))?;
        let target = payload.target;
        let operations = operations(payload.commands.iter());
        let listed: Vec<_> = operations
            .iter()
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        writeln!(
            text,
            "operator {index} runs on an Ethos-{:?} with {} multiply-accumulates in a cycle: {} commands, of them {}",
            target.product,
            target.macs_per_cycle,
            payload.commands.iter().count(),
            listed.join(", ")
        )?;
        let [constants, arena, fast] = payload.commands.needs().bytes;
        writeln!(
            text,
            "  it touches {constants} bytes of constants, {arena} of the arena and {fast} of fast memory"
        )?;
        if all {
            for command in payload.commands.iter() {
                writeln!(text, "  {command}")?;
            }
        }
    }
    Ok(text)
}

/// How often each operation is started.
fn operations(commands: impl Iterator<Item = Command>) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for command in commands.filter(Command::is_operation) {
        *counts
            .entry(command.name().unwrap_or("unknown"))
            .or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use ember_tflite::Model;

    use super::said;

    const COMPILED: &[u8] =
        include_bytes!("../../crates/ember-ethos-u/tests/data/nano-cnn.ethos-u55-128.tflite");

    #[test]
    fn a_compiled_model_shows_its_operations_and_on_demand_all_commands() {
        let model = Model::parse(COMPILED).unwrap();
        let short = said(&model, false).unwrap();
        assert!(short.contains("Ethos-U55 with 128"), "{short}");
        assert!(short.contains("OP_CONV"), "{short}");
        assert_eq!(short.lines().count(), 2);
        let long = said(&model, true).unwrap();
        assert!(long.ends_with("OP_STOP 65535\n"), "{long}");
        assert!(long.starts_with(&short));
    }

    #[test]
    fn another_model_has_nothing_to_show() {
        let bytes = include_bytes!("../../artifacts/zoo/nano-cnn/model.int8.tflite");
        assert_eq!(said(&Model::parse(bytes).unwrap(), true).unwrap(), "");
    }
}
