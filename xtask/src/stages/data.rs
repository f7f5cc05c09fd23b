//! Finds, downloads or draws the data set.

use std::sync::Mutex;

use anyhow::Result;
use ember_data::{Dataset, DatasetSource, Event, LoadOptions, Loaded};
use ember_progress::{Bar, Console, Unit};

use crate::app::App;
use crate::cli::DataSettings;
use crate::workspace::{self, shown};

/// A data set that was found.
pub struct Data {
    /// The images.
    pub dataset: Dataset,
    /// What `--dataset` must say to get these very images again: `auto` is resolved.
    pub argument: String,
}

/// Loads the data set that the user asked for and says what it is.
///
/// # Errors
/// A data set that cannot be had, or is damaged.
pub fn resolve(app: &App, settings: &DataSettings) -> Result<Data> {
    let source: DatasetSource = settings.dataset.parse()?;
    let display = Display {
        console: app.console.clone(),
        bar: Mutex::new(None),
    };
    let progress = |event: Event<'_>| display.show(event);
    let Loaded {
        dataset,
        origin,
        fallback,
    } = ember_data::load(
        &source,
        &LoadOptions::for_workspace(&workspace::root()),
        &progress,
    )?;
    display.end();
    app.go_on()?;
    if let Some(why) = &fallback {
        app.console.notice(format!(
            "These are SYNTHETIC digits, not MNIST.\n\
             MNIST could not be had: {why}\n\
             Every figure below is of drawn digits. With MNIST's four files in a folder, set EMBER_DATA_DIR to it."
        ));
    }
    let argument = match (&source, &fallback) {
        (_, Some(_)) => "synthetic".to_owned(),
        (DatasetSource::Auto, None) => "mnist".to_owned(),
        _ => settings.dataset.clone(),
    };
    app.console.step(
        "Data",
        format!(
            "{}: {} training and {} test images, {origin}",
            dataset.name,
            dataset.train.len(),
            dataset.test.len()
        ),
    );
    Ok(Data { dataset, argument })
}

/// `cargo xtask data`.
///
/// # Errors
/// As [`resolve`].
pub fn run(app: &App, settings: &DataSettings) -> Result<()> {
    let data = resolve(app, settings)?;
    let Dataset {
        name,
        train,
        test,
        fingerprint,
    } = &data.dataset;
    app.console.result(format!(
        "{name}: {} training images, {} test images, {}x{} pixels, SHA-256 {fingerprint}",
        train.len(),
        test.len(),
        train.rows(),
        train.cols()
    ));
    Ok(())
}

/// Shows loading on the console.
struct Display {
    console: Console,
    bar: Mutex<Option<(String, Bar)>>,
}

impl Display {
    fn show(&self, event: Event<'_>) {
        match event {
            Event::Reading { folder } => self.console.step("Reading", shown(folder)),
            Event::Skipped { place, why } => self.console.line(format!("{}: {why}", shown(place))),
            Event::MirrorFailed { url, why } => {
                self.end();
                self.console.warn(format!("{url}: {why}"));
            }
            Event::Downloading {
                file,
                received,
                total,
            } => self.advance(file, received, total, Unit::Bytes),
            Event::Stored { path } => {
                self.end();
                self.console.step("Stored", shown(path));
            }
            Event::Drawing { done, total } => {
                self.advance(
                    "Drawing digits",
                    done as u64,
                    Some(total as u64),
                    Unit::Images,
                );
            }
            _ => {}
        }
    }

    fn advance(&self, label: &str, position: u64, total: Option<u64>, unit: Unit) {
        let Ok(mut bar) = self.bar.lock() else { return };
        if bar.as_ref().is_none_or(|(shown, _)| shown != label) {
            *bar = Some((label.to_owned(), self.console.bar(label, total, unit)));
        }
        if let Some((_, bar)) = bar.as_ref() {
            bar.set(position);
        }
    }

    fn end(&self) {
        if let Ok(mut bar) = self.bar.lock()
            && let Some((_, bar)) = bar.take()
        {
            bar.clear();
        }
    }
}
