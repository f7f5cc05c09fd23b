//! A table as data: the one form that the Markdown, HTML and terminal renderers read.
//!
//! A figure that this run did not measure is a [`Cell::Cited`] and carries its source, so no renderer can show it
//! unmarked; a stage that did not run is [`Cell::NotRun`], so no renderer can show it as zero.

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A column's heading and alignment.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) heading: String,
    pub(crate) align: Align,
    /// Whether the column is left out when no row says anything in it.
    optional: bool,
}

/// A column of words.
pub(crate) fn words(heading: &str) -> Column {
    Column {
        heading: heading.to_owned(),
        align: Align::Left,
        optional: false,
    }
}

/// A column of figures.
pub(crate) fn figures(heading: &str) -> Column {
    Column {
        align: Align::Right,
        ..words(heading)
    }
}

/// A column of figures that is left out of the table when it has none.
pub(crate) fn figures_if_any(heading: &str) -> Column {
    Column {
        optional: true,
        ..figures(heading)
    }
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Measured in this run, or a plain label.
    Text(String),
    /// A reference figure or the name of a row of them, with its source.
    Cited(String, &'static str),
    /// The stage that would have measured it did not run.
    NotRun,
    /// Has no meaning here, or is not known of a reference.
    Blank,
}

impl Cell {
    /// A measured figure, or [`Cell::NotRun`].
    pub(crate) fn measured(figure: Option<String>) -> Cell {
        figure.map_or(Cell::NotRun, Cell::Text)
    }

    /// A figure inside a row of reference figures, or [`Cell::Blank`]: the name of the row carries the source.
    pub(crate) fn known(figure: Option<String>) -> Cell {
        figure.map_or(Cell::Blank, Cell::Text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

/// A table with its notes. Every row has as many cells as there are columns.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// What a reader must know to read it, one sentence each.
    pub(crate) notes: Vec<String>,
}

/// A cell as a renderer shows it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(crate) struct Shown {
    /// The text, without the mark.
    pub(crate) text: String,
    /// Number of the source in [`Table::sources`], from 1, of a cited cell.
    pub(crate) source: Option<usize>,
    /// "not run" and the empty cell are set more quietly.
    pub(crate) quiet: bool,
}

impl Shown {
    /// The text with its mark: `TFLite †2`.
    pub(crate) fn marked(&self) -> String {
        match self.source {
            Some(number) => format!("{} †{number}", self.text),
            None => self.text.clone(),
        }
    }
}

impl Table {
    /// An empty table whose title names the data set.
    pub(crate) fn new(title: &str, dataset: &str, columns: Vec<Column>) -> Table {
        Table {
            title: format!("{title} (dataset: {dataset})"),
            columns,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "{}", self.title);
        self.rows.push(cells);
    }

    /// Adds a row of a stage that did not run: its labels and "not run" in every other column.
    pub(crate) fn not_run(&mut self, labels: &[&str]) {
        let mut cells: Vec<Cell> = labels.iter().map(|label| Cell::from(*label)).collect();
        cells.resize(self.columns.len(), Cell::NotRun);
        self.row(cells);
    }

    /// Leaves out the optional columns in which no row has a figure.
    pub(crate) fn without_empty_columns(mut self) -> Table {
        for c in (0..self.columns.len()).rev() {
            let empty = |row: &Vec<Cell>| matches!(row[c], Cell::Blank | Cell::NotRun);
            if self.columns[c].optional && self.rows.iter().all(empty) {
                self.columns.remove(c);
                for row in &mut self.rows {
                    row.remove(c);
                }
            }
        }
        self
    }

    /// The sources of the cited cells, in the order in which they first appear.
    pub(crate) fn sources(&self) -> Vec<&'static str> {
        let mut sources = Vec::new();
        for cell in self.rows.iter().flatten() {
            if let Cell::Cited(_, source) = cell
                && !sources.contains(source)
            {
                sources.push(*source);
            }
        }
        sources
    }

    /// Whether the row holds reference figures only: the program that it names in one of its first two cells is cited.
    pub(crate) fn is_reference(row: &[Cell]) -> bool {
        row.iter()
            .take(2)
            .any(|cell| matches!(cell, Cell::Cited(..)))
    }

    /// The cell as it is shown.
    pub(crate) fn shown(&self, cell: &Cell) -> Shown {
        let (text, source, quiet) = match cell {
            Cell::Text(text) => (text.clone(), None, false),
            Cell::Cited(text, source) => {
                let number = self.sources().iter().position(|s| s == source);
                (text.clone(), number.map(|n| n + 1), false)
            }
            Cell::NotRun => ("not run".to_owned(), None, true),
            Cell::Blank => ("–".to_owned(), None, true),
        };
        Shown {
            text,
            source,
            quiet,
        }
    }
}
