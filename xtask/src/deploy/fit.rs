//! Whether a model fits a chip, before anything is compiled; and which of the zoo's models do.

use anyhow::{Result, bail};
use ember_core::Dtype;
use ember_deploy::chip::Plan;
use ember_deploy::firmware::Transport;
use ember_deploy::layout::{Fit, Need, SIGNED_STACK_BYTES};
use ember_report::{Entry, Heading, Sheet, TerminalStyle};
use serde::Serialize;

use super::cost::{self, Cost};
use super::model::{self, Chosen};
use super::program::Program;
use crate::app::App;
use crate::cli::Engine;
use crate::cli::deploy::{self, Deploy};
use crate::zoo;

/// What the user wants in the firmware besides the model's needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    /// Bytes of arena.
    pub arena_bytes: Option<u32>,
    /// Every int8 kernel.
    pub all_kernels: bool,
    /// Only signed models run.
    pub signed: bool,
    /// What runs the model.
    pub engine: Engine,
}

/// What `model` takes on `plan`'s chip.
///
/// # Errors
/// A model that the device's runtime cannot run, or an arena that is too small for it.
fn need(cost: Cost, plan: &Plan, model: &Chosen, wishes: Wishes) -> Result<Need> {
    let arena_needed = u32::try_from(model.mapped.slot_arena_bytes()?)?;
    let arena_bytes = wishes.arena_bytes.unwrap_or(arena_needed);
    if arena_bytes < arena_needed {
        bail!(
            "--arena {arena_bytes} is too small: {} needs {arena_needed} bytes",
            model.title
        );
    }
    let channel_bytes = Transport::rtt(plan.ram.length).buffer_bytes();
    if wishes.engine == Engine::Compiled {
        // The constants of a compiled model and its arena are no larger than the file and the interpreter's arena.
        return Ok(Need {
            code_bytes: cost.compiled_code_bytes,
            model_bytes: u32::try_from(model.mapped.bytes().len())?,
            arena_bytes,
            static_bytes: cost.static_ram_bytes + channel_bytes,
            stack_bytes: cost.stack_bytes,
        });
    }
    let code_bytes = if wishes.all_kernels || !has_only_usual_kernels(model)? {
        cost.code_bytes_all_kernels
    } else {
        cost.code_bytes
    };
    Ok(Need {
        code_bytes: code_bytes
            + if wishes.signed {
                cost.signature_bytes
            } else {
                0
            },
        model_bytes: u32::try_from(model.mapped.bytes().len())?,
        arena_bytes,
        static_bytes: cost.static_ram_bytes + channel_bytes,
        stack_bytes: if wishes.signed {
            cost.stack_bytes.max(SIGNED_STACK_BYTES)
        } else {
            cost.stack_bytes
        },
    })
}

/// Whether the model needs no kernels but those whose size is measured alone.
fn has_only_usual_kernels(model: &Chosen) -> Result<bool> {
    let usual = model::choose(Some(zoo::REFERENCE))?;
    let kernels = |chosen: &Chosen| -> Result<Vec<(String, Option<Dtype>)>> {
        let read = chosen.mapped.model()?;
        let graph = read.main();
        Ok(graph
            .operators()
            .map(|operator| {
                let first = operator.inputs().get(0).and_then(|id| graph.tensor(id));
                (
                    format!("{:?}", operator.opcode()),
                    first.map(|tensor| tensor.dtype()),
                )
            })
            .collect())
    };
    let usual = kernels(&usual)?;
    Ok(kernels(model)?.iter().all(|kernel| usual.contains(kernel)))
}

/// What `model` takes on the chip and whether that is there, said before anything is compiled.
///
/// # Errors
/// Too little flash or RAM: the numbers, and which model of the zoo would fit.
pub fn check(app: &App, plan: &Plan, model: &Chosen, settings: &Deploy) -> Result<Need> {
    let cost = cost::of(plan.core)?;
    let wishes = Wishes {
        arena_bytes: settings.arena,
        all_kernels: settings.all_kernels,
        signed: settings.public_key.is_some(),
        engine: settings.engine,
    };
    let need = need(cost, plan, model, wishes)?;
    let fit = match settings.engine {
        Engine::Interpreter => Fit::new(plan, &need),
        Engine::Compiled => Fit::linked(plan, &need),
    };
    let numbers = format!(
        "about {} of {} bytes of flash ({} code, {} model), {} of {} bytes of RAM ({} arena, {} stack, {} more)",
        fit.flash.needed,
        fit.flash.available,
        need.code_bytes,
        need.model_bytes,
        fit.ram.needed,
        fit.ram.available,
        need.arena_bytes,
        need.stack_bytes,
        need.static_bytes
    );
    if !fit.fits() {
        bail!(
            "{} does not fit {}: it needs {numbers}{}",
            model.title,
            plan.name,
            advice(plan, cost, &model.title)?
        );
    }
    app.console.step(
        "Fits",
        format!("{} on {}: {numbers}", model.title, plan.name),
    );
    Ok(need)
}

/// What to do instead.
fn advice(plan: &Plan, cost: Cost, refused: &str) -> Result<String> {
    let fitting = rows(plan, cost, &[])?
        .into_iter()
        .find(|row| row.fits && row.model != refused);
    Ok(match fitting {
        Some(Row {
            model,
            accuracy: Some(accuracy),
            ..
        }) => format!(
            ".\nOf the zoo, `{model}` fits ({:.2} % on its test set): --model {model}",
            100.0 * accuracy
        ),
        Some(Row { model, .. }) => format!(".\nOf the zoo, `{model}` fits: --model {model}"),
        None => ".\nNo model of the zoo fits: take a chip with more memory".to_owned(),
    })
}

/// A model on a chip.
#[derive(Clone, Debug, Serialize)]
struct Row {
    model: String,
    /// Fraction of its test set that it gets right; none for a file whose test set is not known.
    accuracy: Option<f64>,
    fits: bool,
    need: Need,
    fit: Fit,
}

/// Every model of `names`, or of the zoo: what fits first, and of that the most accurate first.
fn rows(plan: &Plan, cost: Cost, names: &[String]) -> Result<Vec<Row>> {
    let names = if names.is_empty() {
        zoo::entries()?
            .into_iter()
            .map(|entry| entry.name)
            .collect()
    } else {
        names.to_vec()
    };
    let mut rows = names
        .iter()
        .map(|name| {
            let model = model::choose(Some(name))?;
            let need = need(cost, plan, &model, Wishes::default())?;
            let fit = Fit::new(plan, &need);
            Ok(Row {
                accuracy: model.accuracy,
                model: model.title,
                fits: fit.fits(),
                need,
                fit,
            })
        })
        .collect::<Result<Vec<Row>>>()?;
    let accuracy = |row: &Row| row.accuracy.unwrap_or(0.0);
    rows.sort_by(|a, b| {
        b.fits
            .cmp(&a.fits)
            .then(accuracy(b).total_cmp(&accuracy(a)))
            .then(a.model.cmp(&b.model))
    });
    Ok(rows)
}

/// `cargo xtask fit`.
///
/// # Errors
/// An unknown chip or model.
pub fn run(app: &App, settings: &deploy::Fit) -> Result<()> {
    let plan = Program::build(app)?.plan(&settings.chip)?;
    let rows = rows(&plan, cost::of(plan.core)?, &settings.model)?;
    if settings.json {
        app.console.result(serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    let mut sheet = Sheet::new(
        &format!(
            "Models on {} ({}, {} bytes of flash, {} bytes of RAM)",
            plan.name,
            plan.core.title(),
            plan.flash.length,
            plan.ram.length
        ),
        &[
            Heading::Words("model"),
            Heading::Figures("accuracy"),
            Heading::Figures("flash"),
            Heading::Figures("code"),
            Heading::Figures("model"),
            Heading::Figures("RAM"),
            Heading::Figures("arena"),
            Heading::Figures("stack"),
            Heading::Words("fits"),
        ],
    );
    for row in &rows {
        let slots = row.fit.layout.as_ref().map(|layout| layout.slots.len());
        let fits = match (row.fits, slots) {
            (true, Some(1)) => "yes, with one slot",
            (true, _) => "yes",
            (false, None) => "no: flash",
            (false, Some(_)) => "no: RAM",
        };
        sheet.row([
            row.model.clone().into(),
            Entry::percent(row.accuracy),
            Entry::Count(row.fit.flash.needed),
            Entry::Count(row.need.code_bytes.into()),
            Entry::Count(row.need.model_bytes.into()),
            Entry::Count(row.fit.ram.needed),
            Entry::Count(row.need.arena_bytes.into()),
            Entry::Count(row.need.stack_bytes.into()),
            fits.into(),
        ]);
    }
    sheet.note(
        "Bytes. Code and stack are those of the firmware that `cargo xtask bench --chips` measured for this kind of core; `deploy` \
         checks the linked image again.",
    );
    app.console
        .result(sheet.to_terminal(TerminalStyle::detect()).trim_end());
    match rows.first().filter(|row| row.fits) {
        Some(best) => app
            .console
            .result(format!("{} is the most accurate that fits.", best.model)),
        None => bail!("no model fits {}", plan.name),
    }
    Ok(())
}
