//! `report.md` and `report.html`: the sections put into the templates.

use minijinja::{Environment, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

use crate::{
    Report, ReportError, markdown,
    number::count,
    plot,
    section::Section,
    table::{Align, Shown, Table},
};

const MARKDOWN: (&str, &str) = ("report.md", include_str!("../templates/report.md.j2"));
const HTML: (&str, &str) = ("report.html", include_str!("../templates/report.html.j2"));

/// What the templates read of the report.
#[derive(Serialize)]
struct Page {
    run: String,
    dataset: String,
    notices: Vec<String>,
    facts: Vec<Fact>,
    sections: Vec<SectionView>,
    plot_style: String,
}

#[derive(Serialize)]
struct Fact {
    name: &'static str,
    text: String,
}

#[derive(Serialize)]
struct SectionView {
    id: &'static str,
    heading: &'static str,
    tables: Vec<TableView>,
    plots: Vec<PlotView>,
}

#[derive(Serialize)]
struct TableView {
    title: String,
    columns: Vec<ColumnView>,
    rows: Vec<RowView>,
    notes: Vec<String>,
    sources: Vec<&'static str>,
    markdown: String,
}

#[derive(Serialize)]
struct ColumnView {
    heading: String,
    right: bool,
}

#[derive(Serialize)]
struct RowView {
    reference: bool,
    cells: Vec<CellView>,
}

#[derive(Serialize)]
struct CellView {
    shown: Shown,
    right: bool,
}

#[derive(Serialize)]
struct PlotView {
    title: String,
    file: String,
    svg: String,
}

/// The report as Markdown.
pub(crate) fn markdown(report: &Report, sections: &[Section]) -> Result<String, ReportError> {
    render(MARKDOWN, &page(report, sections))
}

/// The report as one HTML file that needs no other.
pub(crate) fn html(report: &Report, sections: &[Section]) -> Result<String, ReportError> {
    render(HTML, &page(report, sections))
}

/// The name ends in `.html` for the page, which makes the engine escape every value put into it.
fn render(
    (name, source): (&'static str, &'static str),
    page: &Page,
) -> Result<String, ReportError> {
    let failed = |error: minijinja::Error| ReportError::Template {
        template: name,
        reason: format!("{error:#}"),
    };
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .map_err(failed)?;
    let mut environment = Environment::new();
    environment.set_syntax(syntax);
    environment.add_template(name, source).map_err(failed)?;
    let template = environment.get_template(name).map_err(failed)?;
    template.render(Serde(page)).map_err(failed)
}

fn page(report: &Report, sections: &[Section]) -> Page {
    Page {
        run: report.run.clone(),
        dataset: report.dataset.clone(),
        notices: notices(report),
        facts: facts(report),
        sections: sections.iter().map(section_view).collect(),
        plot_style: plot::style(),
    }
}

/// The run's own notices, and first of all that the images were drawn.
pub(crate) fn notices(report: &Report) -> Vec<String> {
    let drawn = report.is_synthetic().then(|| {
        "dataset: synthetic. The images were drawn by Ember, not taken from MNIST: no accuracy here is an accuracy on MNIST."
            .to_owned()
    });
    drawn
        .into_iter()
        .chain(report.notices.iter().cloned())
        .collect()
}

fn facts(report: &Report) -> Vec<Fact> {
    let mut facts = vec![Fact {
        name: "Data set",
        text: report.dataset.clone(),
    }];
    if let Some(data) = &report.data {
        facts.push(Fact {
            name: "Images",
            text: format!(
                "{} training, {} validation, {} test, {} representative",
                count(data.training_images),
                count(data.validation_images),
                count(data.test_images),
                count(data.representative_images)
            ),
        });
    }
    if let Some(model) = &report.model {
        facts.push(Fact {
            name: "Model",
            text: format!(
                "{}: {} parameters, {} multiply-accumulates, input {:?}",
                model.name,
                count(model.parameters),
                count(model.macs),
                model.input_shape
            ),
        });
    }
    if let Some(training) = &report.training {
        facts.push(Fact {
            name: "Training",
            text: format!(
                "Burn {}, {} epochs, batch {}, seed {}",
                training.backend, training.epochs, training.batch_size, training.seed
            ),
        });
    }
    if !report.versions.is_empty() {
        let versions: Vec<String> = report
            .versions
            .iter()
            .map(|(tool, version)| format!("{tool} {version}"))
            .collect();
        facts.push(Fact {
            name: "Versions",
            text: versions.join(", "),
        });
    }
    facts
}

fn section_view(section: &Section) -> SectionView {
    SectionView {
        id: section.id,
        heading: section.heading,
        tables: section.tables.iter().map(table_view).collect(),
        plots: section
            .plots
            .iter()
            .map(|plot| PlotView {
                title: plot.title.clone(),
                file: plot.file_name(),
                svg: plot.svg.clone(),
            })
            .collect(),
    }
}

fn table_view(table: &Table) -> TableView {
    let right: Vec<bool> = table
        .columns
        .iter()
        .map(|column| column.align == Align::Right)
        .collect();
    TableView {
        title: table.title.clone(),
        columns: table
            .columns
            .iter()
            .zip(&right)
            .map(|(column, right)| ColumnView {
                heading: column.heading.clone(),
                right: *right,
            })
            .collect(),
        rows: table
            .rows
            .iter()
            .map(|row| RowView {
                reference: Table::is_reference(row),
                cells: row
                    .iter()
                    .zip(&right)
                    .map(|(cell, right)| CellView {
                        shown: table.shown(cell),
                        right: *right,
                    })
                    .collect(),
            })
            .collect(),
        notes: table.notes.clone(),
        sources: table.sources(),
        markdown: markdown::table(table),
    }
}
