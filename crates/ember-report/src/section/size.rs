//! Table (a) of the field: model size with compression ratio.

use crate::{
    Report, ReportError, Variant, anchors,
    number::{count, factor, percent},
    plot,
    section::{self, Section},
    table::{Cell, Table, figures, figures_if_any, words},
};

pub(super) fn section(report: &Report) -> Result<Section, ReportError> {
    Ok(Section {
        id: "size",
        heading: "Model size",
        tables: vec![table(report)],
        plots: plot::size_accuracy(report)?.into_iter().collect(),
    })
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(
        "Model size and compression",
        &report.dataset,
        vec![
            words("Model"),
            words("Written by"),
            figures("File bytes"),
            figures("Compression"),
            figures("Saved"),
            figures_if_any("Gzip bytes"),
            figures("Weight bytes"),
            figures_if_any("Size / TFLite's"),
        ],
    );
    checkpoint_rows(report, &mut table);
    let float_bytes = report.variant("float32").map(|float| float.file_bytes);
    let reference_float = reference("float32").map(|float| float.file_bytes);
    for (name, variant) in section::variants(report) {
        let anchor = reference(name).filter(|_| section::has_references(report));
        match variant {
            Some(variant) => table.row(ours(variant, float_bytes, anchor)),
            None => table.not_run(&[name, "Ember"]),
        }
        if let Some(anchor) = anchor {
            table.row(vec![
                name.into(),
                Cell::Cited(anchor.framework.to_owned(), anchor.source),
                count(anchor.file_bytes).into(),
                Cell::known(compression(reference_float, anchor.file_bytes)),
                Cell::known(saved(reference_float, anchor.file_bytes)),
                Cell::known(anchor.gzip_bytes.map(count)),
                Cell::Blank,
                Cell::Blank,
            ]);
        }
    }
    table.notes.push(
        "Compression and the share saved are against the float32 file of the same writer."
            .to_owned(),
    );
    table.notes.extend(section::missing_references(report));
    table.without_empty_columns()
}

fn reference(variant: &str) -> Option<&'static anchors::SizeAnchor> {
    anchors::SIZES
        .iter()
        .find(|anchor| anchor.variant == variant)
}

fn checkpoint_rows(report: &Report, table: &mut Table) {
    let Some(training) = &report.training else {
        table.not_run(&["checkpoint", "ember-train"]);
        return;
    };
    let mut file = |what: &str, bytes: Option<u64>| {
        table.row(vec![
            what.into(),
            "ember-train".into(),
            Cell::measured(bytes.map(count)),
            Cell::Blank,
            Cell::Blank,
            Cell::Blank,
            Cell::Blank,
            Cell::Blank,
        ]);
    };
    file("checkpoint", training.checkpoint_bytes);
    if training.resume_bytes.is_some() {
        file("checkpoint with optimizer", training.resume_bytes);
    }
    if let Some(anchor) = reference(anchors::CHECKPOINT).filter(|_| section::has_references(report))
    {
        table.row(vec![
            "checkpoint with optimizer".into(),
            Cell::Cited(anchor.framework.to_owned(), anchor.source),
            count(anchor.file_bytes).into(),
            Cell::Blank,
            Cell::Blank,
            Cell::Blank,
            Cell::Blank,
            Cell::Blank,
        ]);
    }
}

fn ours(
    variant: &Variant,
    float_bytes: Option<u64>,
    anchor: Option<&anchors::SizeAnchor>,
) -> Vec<Cell> {
    let of_reference =
        anchor.and_then(|anchor| factor(variant.file_bytes as f64, anchor.file_bytes as f64));
    vec![
        variant.name.as_str().into(),
        "Ember".into(),
        count(variant.file_bytes).into(),
        Cell::known(compression(float_bytes, variant.file_bytes)),
        Cell::known(saved(float_bytes, variant.file_bytes)),
        Cell::measured(variant.gzip_bytes.map(count)),
        count(variant.weight_bytes).into(),
        Cell::known(of_reference),
    ]
}

fn compression(float_bytes: Option<u64>, bytes: u64) -> Option<String> {
    factor(float_bytes? as f64, bytes as f64)
}

fn saved(float_bytes: Option<u64>, bytes: u64) -> Option<String> {
    let float_bytes = float_bytes.filter(|bytes| *bytes > 0)? as f64;
    Some(percent(1.0 - bytes as f64 / float_bytes))
}
