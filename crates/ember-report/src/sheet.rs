//! A table that is not part of a report: what a single command has to say.

use crate::table::{Cell, Column, Table, figures, words};
use crate::terminal::{self, TerminalStyle};
use crate::{markdown, number};

/// A column of a [`Sheet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heading<'a> {
    /// Words, set to the left.
    Words(&'a str),
    /// Figures, set to the right.
    Figures(&'a str),
}

/// What stands in a cell of a [`Sheet`].
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A text as it is.
    Text(String),
    /// A count of bytes, instructions, images: with separators.
    Count(u64),
    /// A fraction, shown in percent.
    Percent(f64),
    /// Has no meaning here, or was not measured.
    None,
}

impl Entry {
    /// A count, where there is one.
    #[must_use]
    pub fn count(count: Option<u64>) -> Self {
        count.map_or(Self::None, Self::Count)
    }

    /// A fraction in percent, where there is one.
    #[must_use]
    pub fn percent(fraction: Option<f64>) -> Self {
        fraction.map_or(Self::None, Self::Percent)
    }
}

impl From<&str> for Entry {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Entry {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A table with a title and notes below it.
#[derive(Debug, Clone)]
pub struct Sheet(Table);

impl Sheet {
    /// A table without rows.
    #[must_use]
    pub fn new(title: &str, headings: &[Heading<'_>]) -> Self {
        let column = |heading: &Heading<'_>| -> Column {
            match heading {
                Heading::Words(text) => words(text),
                Heading::Figures(text) => figures(text),
            }
        };
        Self(Table {
            title: title.to_owned(),
            columns: headings.iter().map(column).collect(),
            rows: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// Adds a row; cells that are missing at its end are empty, and there are never more than headings.
    pub fn row(&mut self, entries: impl IntoIterator<Item = Entry>) {
        let mut cells: Vec<_> = entries.into_iter().map(cell).collect();
        cells.resize(self.0.columns.len(), Cell::Blank);
        self.0.row(cells);
    }

    /// Adds a sentence below the table.
    pub fn note(&mut self, note: impl Into<String>) {
        self.0.notes.push(note.into());
    }

    /// The table for a terminal.
    #[must_use]
    pub fn to_terminal(&self, style: TerminalStyle) -> String {
        terminal::table(&self.0, style)
    }

    /// The table in Markdown, its title as a heading of the second level.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = format!("## {}\n\n{}", self.0.title, markdown::table(&self.0));
        for note in &self.0.notes {
            text.push_str(&format!("\n{note}\n"));
        }
        text
    }
}

fn cell(entry: Entry) -> Cell {
    match entry {
        Entry::Text(text) => Cell::Text(text),
        Entry::Count(count) => Cell::Text(number::count(count)),
        Entry::Percent(fraction) => Cell::Text(number::percent(fraction)),
        Entry::None => Cell::Blank,
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Heading, Sheet};
    use crate::TerminalStyle;

    #[test]
    fn a_sheet_shows_its_rows_and_notes() {
        let mut sheet = Sheet::new(
            "Models",
            &[Heading::Words("model"), Heading::Figures("bytes")],
        );
        sheet.row(["seed-cnn".into(), Entry::Count(24784)]);
        sheet.row(["none".into()]);
        sheet.note("Measured.");
        let style = TerminalStyle {
            width: None,
            colour: false,
        };
        let text = sheet.to_terminal(style);
        assert!(text.starts_with("Models\n"), "{text}");
        assert!(text.contains("24,784"), "{text}");
        assert!(text.ends_with("Measured.\n"), "{text}");
        let markdown = sheet.to_markdown();
        assert!(markdown.starts_with("## Models\n\n|"), "{markdown}");
        assert!(markdown.contains("24,784"), "{markdown}");
    }
}
