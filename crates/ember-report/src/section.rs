//! What the report says, in order: each file here turns a part of [`Report`] into tables and plots.

mod accuracy;
mod development;
mod glance;
mod memory;
mod size;
mod speed;
mod training;

use crate::{Report, ReportError, Variant, anchors, plot::Plot, table::Table};

pub(crate) use speed::{nth_of_its_kind, reference_operators};

/// A part of the report with its heading.
pub(crate) struct Section {
    /// Anchor inside the page.
    pub(crate) id: &'static str,
    pub(crate) heading: &'static str,
    pub(crate) tables: Vec<Table>,
    pub(crate) plots: Vec<Plot>,
}

/// The whole report.
pub(crate) fn all(report: &Report) -> Result<Vec<Section>, ReportError> {
    Ok(vec![
        glance::section(report),
        size::section(report)?,
        accuracy::section(report),
        memory::section(report),
        speed::section(report)?,
        training::section(report)?,
        development::section(report),
    ])
}

/// The variants of this run; where there are none, the two that every run aims at, to be shown as not run.
pub(crate) fn variants(report: &Report) -> Vec<(&str, Option<&Variant>)> {
    if report.variants.is_empty() {
        return vec![("float32", None), ("int8", None)];
    }
    report
        .variants
        .iter()
        .map(|variant| (variant.name.as_str(), Some(variant)))
        .collect()
}

/// Whether the reference figures are about the model of this run. A run that did not get as far as a model shows them.
pub(crate) fn has_references(report: &Report) -> bool {
    report
        .model
        .as_ref()
        .is_none_or(|model| model.name == anchors::MODEL)
}

/// Whether the reference accuracies are about the data set of this run, too.
pub(crate) fn has_reference_accuracies(report: &Report) -> bool {
    has_references(report) && report.dataset == anchors::DATASET
}

/// Why there are no reference figures beside this run's, if there are none.
pub(crate) fn missing_references(report: &Report) -> Option<String> {
    let model = report.model.as_ref()?;
    (model.name != anchors::MODEL).then(|| {
        format!(
            "There are reference figures for {} only; this run's model is {}.",
            anchors::MODEL,
            model.name
        )
    })
}
