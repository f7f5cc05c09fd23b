//! Reading `report.json` and writing the files of a report, each beside its place first and then renamed into it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Report, ReportError, page, plot, section};

impl Report {
    /// The report as JSON with a final newline; the keys are in the order of the structs' fields.
    ///
    /// # Errors
    ///
    /// [`ReportError::Implausible`] when a figure cannot be true.
    pub fn to_json(&self) -> Result<String, ReportError> {
        self.check()?;
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        Ok(json)
    }

    /// The report as Markdown, with links to the plots' files beside it.
    ///
    /// # Errors
    ///
    /// [`ReportError::Implausible`] when a figure cannot be true.
    pub fn to_markdown(&self) -> Result<String, ReportError> {
        self.check()?;
        page::markdown(self, &section::all(self)?)
    }

    /// The report as one HTML file that needs no other, light or dark as the reader's system is.
    ///
    /// # Errors
    ///
    /// [`ReportError::Implausible`] when a figure cannot be true.
    pub fn to_html(&self) -> Result<String, ReportError> {
        self.check()?;
        page::html(self, &section::all(self)?)
    }

    /// Writes `report.json`, `report.md`, `report.html` and the plots (`*.svg`) into `dir`, which is made if it is not
    /// there, and gives back their paths. A plot that this report does not have is removed.
    ///
    /// Everything is rendered before the first file is touched, and each file is complete or untouched at any moment.
    ///
    /// # Errors
    ///
    /// [`ReportError::Implausible`] when a figure cannot be true; [`ReportError::Io`] with the path of the file that could
    /// not be written.
    pub fn write_all(&self, dir: &Path) -> Result<Vec<PathBuf>, ReportError> {
        let sections = {
            self.check()?;
            section::all(self)?
        };
        let mut files = vec![
            ("report.json".to_owned(), self.to_json()?),
            ("report.md".to_owned(), page::markdown(self, &sections)?),
            ("report.html".to_owned(), page::html(self, &sections)?),
        ];
        let plots = sections.iter().flat_map(|section| &section.plots);
        files.extend(plots.map(|plot| (plot.file_name(), plot.to_file())));

        fs::create_dir_all(dir).map_err(|source| failed("write", dir, source))?;
        for name in plot::FILE_NAMES {
            if !files.iter().any(|(file, _)| file == name) {
                remove_if_there(&dir.join(name))?;
            }
        }
        files
            .iter()
            .map(|(name, text)| {
                let path = dir.join(name);
                replace(&path, text)?;
                Ok(path)
            })
            .collect()
    }

    /// Reads a `report.json`.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`] when the file cannot be read, [`ReportError::NotAReport`] when it is not JSON, lacks a field, or
    /// was written by a later version, [`ReportError::Implausible`] when a figure cannot be true.
    pub fn read(path: &Path) -> Result<Report, ReportError> {
        let text = fs::read_to_string(path).map_err(|source| failed("read", path, source))?;
        let not_a_report = |reason: String| ReportError::NotAReport {
            path: path.to_owned(),
            reason,
        };
        let report: Report =
            serde_json::from_str(&text).map_err(|error| not_a_report(error.to_string()))?;
        if report.format != crate::FORMAT {
            return Err(not_a_report(format!(
                "format {}, expected {}",
                report.format,
                crate::FORMAT
            )));
        }
        report.check()?;
        Ok(report)
    }
}

pub(crate) fn failed(action: &'static str, path: &Path, source: io::Error) -> ReportError {
    ReportError::Io {
        path: path.to_owned(),
        action,
        source,
    }
}

fn remove_if_there(path: &Path) -> Result<(), ReportError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(failed("write", path, source))
        }
        _ => Ok(()),
    }
}

/// Writes beside `path` and renames: a reader sees the old file or the new one, never half of one.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), ReportError> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(name);
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    written.map_err(|source| {
        // Nothing more can be done about a leftover that cannot be removed either.
        let _ = fs::remove_file(&beside);
        failed("write", path, source)
    })
}
