//! The training run: what it cost, and its curve.

use crate::{
    Report, ReportError, anchors,
    number::{count, loss, percent, percent_range, seconds},
    plot,
    section::{self, Section},
    table::{Cell, Table, figures, figures_if_any, words},
};

pub(super) fn section(report: &Report) -> Result<Section, ReportError> {
    let mut tables = vec![cost(report)];
    tables.extend(epochs(report));
    Ok(Section {
        id: "training",
        heading: "Training",
        tables,
        plots: plot::training_curve(report)?.into_iter().collect(),
    })
}

fn cost(report: &Report) -> Table {
    let mut table = Table::new(
        "Cost of the training",
        &report.dataset,
        vec![
            words("Framework"),
            words("Optimizer"),
            figures("Epochs"),
            figures("Batch"),
            figures("Seconds per epoch"),
            figures("Fit seconds"),
            figures_if_any("Process seconds"),
            figures("Test accuracy"),
        ],
    );
    match &report.training {
        Some(training) => table.row(vec![
            format!("Burn {}", training.backend).into(),
            format!("{}, {}", training.optimizer, training.learning_rate).into(),
            count(training.epochs).into(),
            count(training.batch_size).into(),
            Cell::known(
                (training.epochs > 0).then(|| seconds(training.seconds / training.epochs as f64)),
            ),
            seconds(training.seconds).into(),
            Cell::measured(training.process_seconds.map(seconds)),
            percent(training.test_accuracy).into(),
        ]),
        None => table.not_run(&["Burn"]),
    }
    if section::has_references(report) {
        let anchor = &anchors::TRAINING;
        let accuracy =
            section::has_reference_accuracies(report).then(|| percent_range(anchor.accuracy));
        table.row(vec![
            Cell::Cited(anchor.framework.to_owned(), anchor.source),
            anchor.optimizer.into(),
            count(anchor.epochs).into(),
            count(anchor.batch_size).into(),
            seconds(anchor.seconds / anchor.epochs as f64).into(),
            seconds(anchor.seconds).into(),
            seconds(anchor.process_seconds).into(),
            Cell::known(accuracy),
        ]);
    }
    table.notes.extend(section::missing_references(report));
    table.without_empty_columns()
}

fn epochs(report: &Report) -> Option<Table> {
    let training = report.training.as_ref()?;
    if training.history.is_empty() {
        return None;
    }
    let mut table = Table::new(
        "Epochs",
        &report.dataset,
        vec![
            figures("Epoch"),
            figures("Loss"),
            figures("Accuracy"),
            figures_if_any("Validation loss"),
            figures_if_any("Validation accuracy"),
            figures("Seconds"),
        ],
    );
    for epoch in &training.history {
        table.row(vec![
            count(epoch.epoch).into(),
            loss(epoch.loss).into(),
            percent(epoch.accuracy).into(),
            Cell::known(epoch.val_loss.map(loss)),
            Cell::known(epoch.val_accuracy.map(percent)),
            seconds(epoch.seconds).into(),
        ]);
    }
    Some(table.without_empty_columns())
}
