//! The table of the variants: in the terminal, as Markdown and JSON, and the plot of size and accuracy.

use std::path::Path;

use anyhow::Result;
use ember_deploy::machine::Machine;
use ember_report::{Entry, Heading, Report, Sheet, TerminalStyle};

use super::Row;
use crate::app::App;
use crate::stages::data::Data;
use crate::{atomic, json, workspace};

/// Shows the table and writes it as Markdown and JSON, with the report's plots and page beside it.
///
/// # Errors
/// A file that cannot be written.
pub fn write(
    app: &App,
    folder: &Path,
    title: &str,
    machines: &[&Machine],
    data: &Data,
    rows: &[Row],
) -> Result<()> {
    let seeds = rows.first().map_or(1, |row| row.accuracies.len());
    let sheet = sheet(title, machines, data, rows, seeds);
    app.console
        .result(sheet.to_terminal(TerminalStyle::detect()).trim_end());
    let report = Report {
        run: format!("compare {title}"),
        dataset: data.dataset.name.clone(),
        variants: rows.iter().map(|row| row.variant.clone()).collect(),
        ..Report::default()
    };
    atomic::write(&folder.join("compare.md"), sheet.to_markdown().as_bytes())?;
    json::write(&folder.join("compare.json"), &rows)?;
    report.write_all(folder)?;
    app.console.step("Wrote", workspace::shown(folder));
    Ok(())
}

fn sheet(title: &str, machines: &[&Machine], data: &Data, rows: &[Row], seeds: usize) -> Sheet {
    let instructions: Vec<String> = machines
        .iter()
        .map(|machine| format!("instr. {}", machine.name))
        .collect();
    let mut headings = vec![
        Heading::Words("variant"),
        Heading::Figures("file"),
        Heading::Figures("gzip"),
        Heading::Figures("weights"),
        Heading::Figures("flash"),
        Heading::Figures("RAM"),
        Heading::Figures("accuracy"),
    ];
    if seeds > 1 {
        headings.push(Heading::Figures("±"));
    }
    headings.extend([Heading::Figures("loss"), Heading::Figures("host µs")]);
    headings.extend(instructions.iter().map(|name| Heading::Figures(name)));
    let first = machines.first().map_or("", |machine| machine.core);
    let mut sheet = Sheet::new(&format!("{title} on {}", data.dataset.name), &headings);
    for row in rows {
        let variant = &row.variant;
        let text = |number: Option<String>| number.map_or(Entry::None, Entry::Text);
        let mark = if row.fine_tuned { " *" } else { "" };
        let mut entries = vec![
            Entry::Text(format!("{}{mark}", variant.name)),
            Entry::Count(variant.file_bytes),
            Entry::count(variant.gzip_bytes),
            Entry::Count(variant.weight_bytes),
            Entry::count(row.devices.first().map(|device| device.flash_bytes)),
            Entry::count(row.devices.first().map(|device| device.ram_bytes)),
            Entry::percent(variant.test_accuracy),
        ];
        if seeds > 1 {
            entries.push(Entry::Text(format!(
                "{:.2}",
                100.0 * deviation(&row.accuracies)
            )));
        }
        entries.extend([
            text(variant.test_loss.map(|loss| format!("{loss:.4}"))),
            text(
                variant
                    .latency
                    .as_ref()
                    .map(|time| format!("{:.1}", time.p50_us)),
            ),
        ]);
        for device in &row.devices {
            entries.push(Entry::Count(device.instructions_per_inference));
        }
        sheet.row(entries);
    }
    sheet.note(format!(
        "Bytes; flash and RAM are those of the whole firmware on {first}, with arena and stack. Pruned and clustered weights are \
         stored compressed and decoded in the kernels."
    ));
    if rows.iter().any(|row| row.fine_tuned) {
        sheet.note("* trained again after it was made smaller.");
    } else {
        sheet.note("Nothing was trained again: --fine-tune does.");
    }
    if seeds > 1 {
        sheet.note(format!(
            "Accuracy and loss are means over {seeds} seeds, ± the standard deviation in points; all else is of the first."
        ));
    }
    sheet
}

/// The standard deviation of a sample.
fn deviation(numbers: &[f64]) -> f64 {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares = numbers.iter().map(|number| (number - mean).powi(2));
    (squares.sum::<f64>() / (count - 1.0).max(1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::deviation;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        assert!((deviation(&[1.0, 2.0, 3.0]) - 1.0).abs() < 1e-12);
        assert_eq!(deviation(&[0.97]), 0.0);
    }
}
