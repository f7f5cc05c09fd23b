//! The tables for a terminal: as wide as it is, coloured only where that is wanted.

use std::io::IsTerminal;

use comfy_table::{
    Attribute, Cell as TextCell, CellAlignment, Color, ContentArrangement, LineStyle, TableStyle,
};

use crate::{
    Report, ReportError, page, section,
    table::{Align, Cell, Table},
};

/// How text for a terminal is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalStyle {
    /// Columns to fit into; `None` lets every table be as wide as its content.
    pub width: Option<u16>,
    /// Whether escape codes for colours and emphasis are used.
    pub colour: bool,
}

impl TerminalStyle {
    /// The style for standard output: its width and colours where it is a terminal, neither where it is not; no colours
    /// where `NO_COLOR` is set to anything but the empty string (<https://no-color.org>).
    #[must_use]
    pub fn detect() -> TerminalStyle {
        let terminal = std::io::stdout().is_terminal();
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        TerminalStyle {
            width: terminal
                .then(|| comfy_table::Table::new().width())
                .flatten(),
            colour: terminal && !refused,
        }
    }
}

impl Report {
    /// The tables for a terminal, each under its title and followed by its notes and sources.
    ///
    /// # Errors
    ///
    /// [`ReportError::Implausible`] when a figure cannot be true.
    pub fn to_terminal(&self, style: TerminalStyle) -> Result<String, ReportError> {
        self.check()?;
        let mut text = String::new();
        for notice in page::notices(self) {
            text.push_str(&paint(&notice, style, "1;33"));
            text.push_str("\n\n");
        }
        for section in section::all(self)? {
            for table in &section.tables {
                text.push_str(&self::table(table, style));
                text.push('\n');
            }
        }
        text.push_str("† A reference figure: not measured in this run.\n");
        Ok(text)
    }
}

/// A table under its title, followed by its notes and sources.
pub(crate) fn table(table: &Table, style: TerminalStyle) -> String {
    let mut text = paint(&table.title, style, "1");
    text.push('\n');
    text.push_str(&lay_out(table, style));
    text.push('\n');
    let sources = table.sources().into_iter().enumerate();
    let sources = sources.map(|(i, source)| format!("†{} {source}", i + 1));
    for line in table.notes.iter().cloned().chain(sources) {
        text.push_str(&paint(&wrapped(&line, style.width), style, "2"));
        text.push('\n');
    }
    text
}

/// A line under the headings and one under the last row.
const RULED: TableStyle = TableStyle::new()
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

fn lay_out(table: &Table, style: TerminalStyle) -> String {
    let mut laid_out = comfy_table::Table::new();
    laid_out.load_style(RULED);
    match style.width {
        Some(width) => {
            laid_out.set_content_arrangement(ContentArrangement::Dynamic);
            laid_out.set_width(width);
        }
        None => {
            laid_out.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    if style.colour {
        laid_out.enforce_styling();
    } else {
        laid_out.force_no_tty();
    }
    laid_out.set_header(table.columns.iter().map(|column| {
        let cell = TextCell::new(&column.heading).set_alignment(alignment(column.align));
        if style.colour {
            cell.add_attribute(Attribute::Bold)
        } else {
            cell
        }
    }));
    for row in &table.rows {
        let reference = Table::is_reference(row);
        laid_out.add_row(row.iter().zip(&table.columns).map(|(cell, column)| {
            let text =
                TextCell::new(table.shown(cell).marked()).set_alignment(alignment(column.align));
            let quiet = reference || matches!(cell, Cell::NotRun | Cell::Blank | Cell::Cited(..));
            if style.colour && quiet {
                text.fg(Color::DarkGrey)
            } else {
                text
            }
        }));
    }
    laid_out.to_string()
}

fn alignment(align: Align) -> CellAlignment {
    match align {
        Align::Left => CellAlignment::Left,
        Align::Right => CellAlignment::Right,
    }
}

/// The text between the escape code of the attributes and the reset, where colours are wanted.
fn paint(text: &str, style: TerminalStyle, attributes: &str) -> String {
    if style.colour {
        format!("\u{1b}[{attributes}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// Breaks lines between words; a line that goes on is indented.
fn wrapped(text: &str, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else {
        return text.to_owned();
    };
    let mut lines = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push_str("\n   ");
            used = 3;
        } else if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += length;
    }
    lines
}
