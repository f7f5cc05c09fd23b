//! Table (b) of the field: accuracy with loss, of the training graph, of each file on the host, and on the device.

use crate::{
    DeviceRun, Report, Training, Variant, anchors,
    number::{count, loss, percent, percent_range, points},
    section::{self, Section},
    table::{Cell, Table, figures, figures_if_any, words},
};

pub(super) fn section(report: &Report) -> Section {
    Section {
        id: "accuracy",
        heading: "Accuracy",
        tables: vec![table(report)],
        plots: Vec::new(),
    }
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(
        "Accuracy and loss on the test set",
        &report.dataset,
        vec![
            words("Model"),
            words("Run by"),
            figures("Images"),
            figures("Accuracy"),
            figures("Points from float32"),
            figures("Loss"),
            figures_if_any("Outputs unlike the host's"),
        ],
    );
    match &report.training {
        Some(training) => trained_rows(report, training, &mut table),
        None => table.not_run(&["trained", "Burn"]),
    }
    let float = report.variant("float32");
    let reference_float = reference("float32").map(|float| float.accuracy.0);
    for (name, variant) in section::variants(report) {
        match variant {
            Some(variant) => table.row(ours(variant, float)),
            None => table.not_run(&[name, "ember-lite"]),
        }
        let anchor = reference(name).filter(|_| section::has_reference_accuracies(report));
        if let Some(anchor) = anchor {
            let difference = reference_float.map(|float| points(anchor.accuracy.0 - float));
            table.row(vec![
                name.into(),
                Cell::Cited(anchor.framework.to_owned(), anchor.source),
                count(10_000).into(),
                percent_range(anchor.accuracy).into(),
                Cell::known(difference),
                Cell::known(anchor.loss.map(loss)),
                Cell::Blank,
            ]);
        }
    }
    if report.device.is_empty() {
        table.not_run(&["int8", "ember-micro"]);
    }
    for run in &report.device {
        table.row(on_device(run, float));
    }
    table.notes.extend(seeds(report));
    table.notes.extend(standard_error(report));
    if section::has_references(report) && !section::has_reference_accuracies(report) {
        table.notes.push(format!(
            "The reference accuracies are for {}; they are left out beside {} images.",
            anchors::DATASET,
            report.dataset
        ));
    }
    table.notes.extend(section::missing_references(report));
    table.without_empty_columns()
}

fn reference(variant: &str) -> Option<&'static anchors::AccuracyAnchor> {
    anchors::ACCURACIES
        .iter()
        .find(|anchor| anchor.variant == variant)
}

fn trained_rows(report: &Report, training: &Training, table: &mut Table) {
    let images = report.data.as_ref().map(|data| count(data.test_images));
    table.row(vec![
        "trained".into(),
        format!("Burn {}", training.backend).into(),
        Cell::known(images),
        percent(training.test_accuracy).into(),
        Cell::Blank,
        Cell::known(training.test_loss.map(loss)),
        Cell::Blank,
    ]);
    let anchor =
        reference(anchors::CHECKPOINT).filter(|_| section::has_reference_accuracies(report));
    if let Some(anchor) = anchor {
        table.row(vec![
            "trained".into(),
            Cell::Cited(anchor.framework.to_owned(), anchor.source),
            count(10_000).into(),
            percent_range(anchor.accuracy).into(),
            Cell::Blank,
            Cell::known(anchor.loss.map(loss)),
            Cell::Blank,
        ]);
    }
}

/// Accuracies over different images are not compared.
fn from_float(
    accuracy: Option<f64>,
    images: Option<u64>,
    float: Option<&Variant>,
) -> Option<String> {
    let float = float.filter(|float| float.test_images == images)?;
    Some(points(accuracy? - float.test_accuracy?))
}

fn ours(variant: &Variant, float: Option<&Variant>) -> Vec<Cell> {
    vec![
        variant.name.as_str().into(),
        "ember-lite".into(),
        Cell::measured(variant.test_images.map(count)),
        Cell::measured(variant.test_accuracy.map(percent)),
        Cell::known(from_float(
            variant.test_accuracy,
            variant.test_images,
            float,
        )),
        Cell::measured(variant.test_loss.map(loss)),
        Cell::Blank,
    ]
}

fn on_device(run: &DeviceRun, float: Option<&Variant>) -> Vec<Cell> {
    vec![
        run.variant.as_str().into(),
        format!("ember-micro {} on {}", run.engine, run.target).into(),
        count(run.images).into(),
        percent(run.accuracy).into(),
        Cell::known(from_float(Some(run.accuracy), Some(run.images), float)),
        Cell::Blank,
        count(run.mismatches_with_host).into(),
    ]
}

fn seeds(report: &Report) -> Option<String> {
    let seeds = &report.training.as_ref()?.seeds;
    if seeds.len() < 2 {
        return None;
    }
    let accuracies: Vec<f64> = seeds.iter().map(|seed| seed.test_accuracy).collect();
    let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
    let low = accuracies.iter().copied().fold(f64::INFINITY, f64::min);
    let high = accuracies.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(format!(
        "Trained from {} seeds: mean {}, spread {}.",
        seeds.len(),
        percent(mean),
        percent_range((low, high))
    ))
}

/// How far chance alone moves an accuracy: the standard error of a proportion.
fn standard_error(report: &Report) -> Option<String> {
    let variant = report
        .variants
        .iter()
        .find(|variant| variant.test_accuracy.is_some())?;
    let images = variant.test_images.filter(|images| *images > 0)?;
    let accuracy = variant.test_accuracy?;
    let error = (accuracy * (1.0 - accuracy) / images as f64).sqrt();
    Some(format!(
        "One standard error at {} on {} images is {:.2} points.",
        percent(accuracy),
        count(images),
        error * 100.0
    ))
}
