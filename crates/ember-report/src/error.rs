//! What can go wrong while a report is read, checked or written.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A figure cannot be true: the stage that measured it has a fault.
    #[error("report: {field} is {value}, but {rule}; the stage that filled it in measured wrongly")]
    Implausible {
        /// The field, as a path in `report.json`.
        field: String,
        /// What it holds.
        value: String,
        /// What it should hold.
        rule: &'static str,
    },
    /// A file could not be read or written.
    #[error("{}: cannot {action} the report: {source}; check that the folder exists, is writable and has room", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `"read"` or `"write"`.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a report.
    #[error("{}: not a report that this version reads: {reason}; run `cargo xtask report` again to write it anew", path.display())]
    NotAReport {
        /// The file.
        path: PathBuf,
        /// What is wrong in it, with line and column.
        reason: String,
    },
    /// The report could not be put into JSON.
    #[error("report: cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A plot could not be drawn.
    #[error("report: the plot {plot} could not be drawn: {reason}")]
    Plot {
        /// Its id.
        plot: &'static str,
        /// What the drawing library said.
        reason: String,
    },
    /// A template did not render.
    #[error("report: the template {template} does not render: {reason}")]
    Template {
        /// Its file name in `templates/`.
        template: &'static str,
        /// What the template engine said, with the line.
        reason: String,
    },
}
