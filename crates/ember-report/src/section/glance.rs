//! The figures that most readers want first, each beside its nearest reference.

use crate::{
    DeviceRun, Report, anchors,
    number::{count, factor, microseconds, percent, percent_range, seconds},
    section::{self, Section, memory},
    table::{Cell, Table, figures, words},
};

pub(super) fn section(report: &Report) -> Section {
    Section {
        id: "glance",
        heading: "At a glance",
        tables: vec![table(report)],
        plots: Vec::new(),
    }
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(
        "Key figures",
        &report.dataset,
        vec![
            words("Figure"),
            figures("This run"),
            figures("Reference"),
            figures("This / reference"),
        ],
    );
    accuracy(report, &mut table);
    training(report, &mut table);
    file(report, &mut table);
    latency(report, &mut table);
    device(report, &mut table);
    table.notes.extend(section::missing_references(report));
    table
}

/// A row; the ratio is shown where both figures are there.
fn row(
    table: &mut Table,
    label: &str,
    ours: Option<f64>,
    reference: Option<(f64, &'static str, &'static str)>,
    write: impl Fn(f64) -> String,
) {
    let ratio = ours
        .zip(reference)
        .and_then(|(ours, (figure, ..))| factor(ours, figure));
    table.row(vec![
        label.into(),
        Cell::measured(ours.map(&write)),
        reference.map_or(Cell::Blank, |(figure, framework, source)| {
            Cell::Cited(format!("{framework}: {}", write(figure)), source)
        }),
        Cell::known(ratio),
    ]);
}

fn accuracy(report: &Report, table: &mut Table) {
    for name in ["float32", "int8"] {
        let measured = report
            .variant(name)
            .and_then(|variant| variant.test_accuracy);
        let anchor = anchors::ACCURACIES
            .iter()
            .find(|anchor| anchor.variant == name && section::has_reference_accuracies(report));
        table.row(vec![
            format!("Test accuracy, {name}").into(),
            Cell::measured(measured.map(percent)),
            anchor.map_or(Cell::Blank, |anchor| {
                Cell::Cited(
                    format!("{}: {}", anchor.framework, percent_range(anchor.accuracy)),
                    anchor.source,
                )
            }),
            Cell::Blank,
        ]);
    }
}

fn training(report: &Report, table: &mut Table) {
    let training = report.training.as_ref();
    let anchor = &anchors::TRAINING;
    let comparable = training.is_none_or(|training| {
        training.epochs == anchor.epochs && training.batch_size == anchor.batch_size
    });
    let shown = section::has_references(report) && comparable;
    row(
        table,
        "Training, seconds of the fit",
        training.map(|training| training.seconds),
        shown.then_some((anchor.seconds, "Keras", anchor.source)),
        seconds,
    );
}

fn file(report: &Report, table: &mut Table) {
    for name in ["float32", "int8"] {
        let anchor = anchors::SIZES
            .iter()
            .find(|anchor| anchor.variant == name && section::has_references(report));
        row(
            table,
            &format!("Model file, {name}, bytes"),
            report
                .variant(name)
                .map(|variant| variant.file_bytes as f64),
            anchor.map(|anchor| (anchor.file_bytes as f64, anchor.framework, anchor.source)),
            whole,
        );
    }
}

fn latency(report: &Report, table: &mut Table) {
    let measured = report
        .variant("int8")
        .and_then(|variant| variant.latency.as_ref())
        .map(|latency| latency.p50_us);
    let anchor = anchors::LATENCIES.iter().find(|anchor| {
        anchor.variant == "int8"
            && anchor.framework.ends_with("builtin kernels")
            && section::has_references(report)
    });
    row(
        table,
        "Host, int8, median microseconds for one image",
        measured,
        anchor.map(|anchor| (anchor.median_us, anchor.framework, anchor.source)),
        microseconds,
    );
}

/// The run that has a reference for its core and variant, else the first.
fn main_run(report: &Report) -> Option<&DeviceRun> {
    let known = |run: &&DeviceRun| fastest_reference(report, run).is_some();
    report.device.iter().find(known).or(report.device.first())
}

/// The reference firmware with the fewest instructions for the run's core and variant.
fn fastest_reference(report: &Report, run: &DeviceRun) -> Option<&'static anchors::DeviceAnchor> {
    memory::references(report)
        .into_iter()
        .filter(|anchor| anchor.target == run.target && anchor.variant == run.variant)
        .min_by_key(|anchor| anchor.instructions_per_inference)
}

fn device(report: &Report, table: &mut Table) {
    let Some(run) = main_run(report) else {
        table.not_run(&["Device"]);
        return;
    };
    let on = format!("{}, {}", run.target, run.variant);
    let anchor = fastest_reference(report, run);
    let against = |figure: fn(&anchors::DeviceAnchor) -> u64| {
        anchor.map(|anchor| (figure(anchor) as f64, anchor.framework, anchor.source))
    };
    row(
        table,
        &format!("{on}: instructions for one image"),
        run.instructions_per_inference.map(|count| count as f64),
        against(|anchor| anchor.instructions_per_inference),
        whole,
    );
    row(
        table,
        &format!("{on}: code bytes"),
        Some(run.code_bytes as f64),
        against(|anchor| anchor.code_bytes),
        whole,
    );
    row(
        table,
        &format!("{on}: arena bytes"),
        Some(run.arena_bytes as f64),
        against(|anchor| anchor.arena_bytes),
        whole,
    );
    row(
        table,
        &format!("{on}: stack bytes"),
        run.stack_bytes.map(|bytes| bytes as f64),
        against(|anchor| anchor.stack_bytes),
        whole,
    );
    table.row(vec![
        format!("{on}: outputs unlike the host's").into(),
        format!(
            "{} of {}",
            count(run.mismatches_with_host),
            count(run.images)
        )
        .into(),
        Cell::Blank,
        Cell::Blank,
    ]);
}

/// Bytes and instructions are whole and far below 2^53, where every integer is a double.
fn whole(value: f64) -> String {
    count(value as u64)
}
