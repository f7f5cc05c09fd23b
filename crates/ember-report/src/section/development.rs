//! Development complexity: what a person writes, installs, types and waits for.

use crate::{
    Development, Report,
    anchors::{self, DevelopmentMeasure},
    number::{count, seconds},
    section::Section,
    table::{Cell, Table, words},
};

pub(super) fn section(report: &Report) -> Section {
    Section {
        id: "development",
        heading: "Development complexity",
        tables: vec![table(report)],
        plots: Vec::new(),
    }
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(
        "Development complexity",
        &report.dataset,
        vec![words("Measure"), words("Ember"), words("TensorFlow + TFLM")],
    );
    let development = report.development.clone().unwrap_or_default();
    for (measure, figure, reference) in rows(&development) {
        let anchor = reference.and_then(|wanted| {
            anchors::DEVELOPMENT
                .iter()
                .find(|anchor| anchor.measure == wanted)
        });
        table.row(vec![
            measure.into(),
            Cell::measured(figure),
            anchor.map_or(Cell::Blank, |anchor| {
                Cell::Cited(anchor.value.to_owned(), anchor.source)
            }),
        ]);
    }
    table
}

type MeasureRow = (&'static str, Option<String>, Option<DevelopmentMeasure>);

fn rows(development: &Development) -> Vec<MeasureRow> {
    let list = |items: &[String]| (!items.is_empty()).then(|| items.join(", "));
    vec![
        (
            "Languages that a user writes",
            list(&development.languages),
            Some(DevelopmentMeasure::Languages),
        ),
        (
            "Lines for a model of one's own",
            development.model_lines.map(count),
            Some(DevelopmentMeasure::ModelLines),
        ),
        (
            "Lines for a firmware of one's own",
            development.firmware_lines.map(count),
            Some(DevelopmentMeasure::FirmwareLines),
        ),
        (
            "Dependencies on the host",
            development
                .host_dependencies
                .map(|crates| format!("{} crates", count(crates))),
            Some(DevelopmentMeasure::HostDependencies),
        ),
        (
            "Dependencies in the firmware",
            development
                .device_dependencies
                .map(|crates| format!("{} crates", count(crates))),
            Some(DevelopmentMeasure::DeviceDependencies),
        ),
        (
            "Commands from clone to firmware",
            list(&development.commands),
            None,
        ),
        (
            "Seconds of a firmware build for a new model",
            development.firmware_build_seconds.map(seconds),
            None,
        ),
        (
            "Seconds of the whole pipeline",
            development.pipeline_seconds.map(seconds),
            None,
        ),
    ]
}
