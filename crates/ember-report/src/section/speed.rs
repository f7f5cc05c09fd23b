//! Inference speed: microseconds on the host, instructions on the device, per inference and per operator.

use crate::{
    DeviceRun, Report, ReportError, anchors,
    number::{count, factor, microseconds, percent, seconds},
    plot,
    section::{self, Section, memory},
    table::{Cell, Table, figures, figures_if_any, words},
};

pub(super) fn section(report: &Report) -> Result<Section, ReportError> {
    let mut tables = vec![host(report), device(report)];
    tables.extend(operators(report));
    Ok(Section {
        id: "speed",
        heading: "Inference speed",
        tables,
        plots: plot::operators(report)?.into_iter().collect(),
    })
}

fn host(report: &Report) -> Table {
    let mut table = Table::new(
        "Host: microseconds for one image",
        &report.dataset,
        vec![
            words("Model"),
            words("Run by"),
            figures("Threads"),
            figures("Median"),
            figures("Mean"),
            figures("90 %"),
            figures("99 %"),
            figures("Fastest"),
        ],
    );
    for (name, variant) in section::variants(report) {
        match variant.and_then(|variant| variant.latency.as_ref()) {
            Some(latency) => table.row(vec![
                name.into(),
                "ember-lite".into(),
                count(latency.threads).into(),
                microseconds(latency.p50_us).into(),
                microseconds(latency.mean_us).into(),
                microseconds(latency.p90_us).into(),
                microseconds(latency.p99_us).into(),
                microseconds(latency.min_us).into(),
            ]),
            None => table.not_run(&[name, "ember-lite"]),
        }
        let anchors = anchors::LATENCIES
            .iter()
            .filter(|anchor| anchor.variant == name && section::has_references(report));
        for anchor in anchors {
            table.row(vec![
                name.into(),
                Cell::Cited(anchor.framework.to_owned(), anchor.source),
                count(1).into(),
                microseconds(anchor.median_us).into(),
                Cell::Blank,
                Cell::Blank,
                Cell::Blank,
                Cell::Blank,
            ]);
        }
    }
    table
        .notes
        .push("Microseconds depend on the machine: the references were timed on another day, maybe another machine.".to_owned());
    table
}

fn per_mac(instructions: u64, macs: Option<u64>) -> Option<String> {
    let macs = macs.filter(|macs| *macs > 0)?;
    Some(format!("{:.2}", instructions as f64 / macs as f64))
}

fn device(report: &Report) -> Table {
    let mut table = Table::new(
        "Device: instructions for one image",
        &report.dataset,
        vec![
            words("Core"),
            words("Firmware"),
            words("On"),
            figures("Images"),
            figures("Instructions"),
            figures("Per MAC"),
            figures_if_any("Run seconds"),
        ],
    );
    let macs = report.model.as_ref().map(|model| model.macs);
    if report.device.is_empty() {
        table.not_run(&["–", "ember-micro"]);
    }
    for run in &report.device {
        table.row(vec![
            run.target.as_str().into(),
            format!("ember-micro {}, {}", run.engine, run.variant).into(),
            run.emulator.as_deref().unwrap_or("chip").into(),
            count(run.images).into(),
            Cell::measured(run.instructions_per_inference.map(count)),
            Cell::known(
                run.instructions_per_inference
                    .and_then(|instructions| per_mac(instructions, macs)),
            ),
            Cell::measured(run.seconds.map(seconds)),
        ]);
    }
    for anchor in memory::references(report) {
        table.row(vec![
            anchor.target.into(),
            Cell::Cited(
                format!("{}, {}", anchor.framework, anchor.variant),
                anchor.source,
            ),
            Cell::Blank,
            Cell::Blank,
            count(anchor.instructions_per_inference).into(),
            Cell::known(per_mac(anchor.instructions_per_inference, macs)),
            Cell::Blank,
        ]);
    }
    table.notes.push(
        "An emulator counts instructions, which repeat exactly; they are not cycles.".to_owned(),
    );
    table.without_empty_columns()
}

/// One table for each set of firmwares that execute the same operators.
fn operators(report: &Report) -> Vec<Table> {
    let mut groups: Vec<Vec<&DeviceRun>> = Vec::new();
    for run in report.device.iter().filter(|run| !run.ops.is_empty()) {
        match groups
            .iter_mut()
            .find(|group| same_operators(group[0], run))
        {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    groups
        .iter()
        .map(|group| operator_table(report, group))
        .collect()
}

fn same_operators(a: &DeviceRun, b: &DeviceRun) -> bool {
    a.variant == b.variant
        && a.engine == b.engine
        && a.ops
            .iter()
            .map(|op| &op.op)
            .eq(b.ops.iter().map(|op| &op.op))
}

fn operator_table(report: &Report, group: &[&DeviceRun]) -> Table {
    let first = group[0];
    let reference = reference_operators(report, first);
    let mut columns = vec![words("Operator"), figures_if_any("MACs")];
    for run in group {
        columns.push(figures(&run.target));
        columns.push(figures("Share"));
    }
    columns.push(figures_if_any("TFLM + CMSIS-NN, cortex-m4"));
    columns.push(figures_if_any("This / TFLM"));
    let mut table = Table::new(
        &format!(
            "Instructions per operator, {} {}",
            first.variant, first.engine
        ),
        &report.dataset,
        columns,
    );
    for (i, op) in first.ops.iter().enumerate() {
        let mut cells = vec![op.op.as_str().into(), Cell::known(op.macs.map(count))];
        for run in group {
            let total: u64 = run
                .ops
                .iter()
                .fold(0, |sum, op| op.instructions.saturating_add(sum));
            let instructions = run.ops[i].instructions;
            cells.push(count(instructions).into());
            let share = (total > 0).then(|| percent(instructions as f64 / total as f64));
            cells.push(Cell::known(share));
        }
        let cited = nth_of_its_kind(first, i)
            .and_then(|nth| {
                reference?
                    .ops
                    .iter()
                    .filter(|(name, _)| *name == op.op)
                    .nth(nth)
            })
            .map(|(_, instructions)| *instructions);
        cells.push(match (cited, reference) {
            (Some(instructions), Some(anchor)) => Cell::Cited(count(instructions), anchor.source),
            _ => Cell::Blank,
        });
        let same_core = group
            .iter()
            .find(|run| reference.is_some_and(|anchor| anchor.target == run.target));
        let compared = same_core
            .zip(cited)
            .and_then(|(run, cited)| factor(run.ops[i].instructions as f64, cited as f64));
        cells.push(Cell::known(compared));
        table.row(cells);
    }
    table.without_empty_columns()
}

/// The reference with figures per operator for this variant; plots use it, too.
pub(crate) fn reference_operators(
    report: &Report,
    run: &DeviceRun,
) -> Option<&'static anchors::DeviceAnchor> {
    memory::references(report)
        .into_iter()
        .find(|anchor| anchor.variant == run.variant && !anchor.ops.is_empty())
}

/// How many operators of the same name come before the operator: the references have no reshapes, so positions differ.
pub(crate) fn nth_of_its_kind(run: &DeviceRun, index: usize) -> Option<usize> {
    let name = &run.ops.get(index)?.op;
    Some(run.ops[..index].iter().filter(|op| op.op == *name).count())
}
