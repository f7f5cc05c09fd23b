//! Progress on the console: data, epochs, tests.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Mutex;

use ember_data::Event;
use ember_progress::{Bar, Console, Unit};
use ember_train::{EpochRecord, Observer, Score};

/// Shows what happens while a dataset is loaded.
pub(crate) struct DataDisplay<'a> {
    console: &'a Console,
    bar: Mutex<Option<(String, Bar)>>,
}

impl<'a> DataDisplay<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        Self {
            console,
            bar: Mutex::new(None),
        }
    }

    pub(crate) fn show(&self, event: Event<'_>) {
        match event {
            Event::Downloading {
                file,
                received,
                total,
            } => self.bar(&format!("Downloading {file}"), received, total, Unit::Bytes),
            Event::Drawing { done, total } => {
                self.bar(
                    "Drawing digits",
                    done as u64,
                    Some(total as u64),
                    Unit::Images,
                );
            }
            Event::MirrorFailed { url, why } => self.console.warn(format!("{url}: {why}")),
            Event::Reading { folder } => self.console.step("Reading", folder.display().to_string()),
            Event::Stored { path } => self.console.step("Stored", path.display().to_string()),
            _ => {}
        }
    }

    fn bar(&self, label: &str, done: u64, total: Option<u64>, unit: Unit) {
        let Ok(mut shown) = self.bar.lock() else {
            return;
        };
        if shown.as_ref().is_none_or(|(name, _)| name != label) {
            *shown = Some((label.to_owned(), self.console.bar(label, total, unit)));
        }
        if let Some((_, bar)) = shown.as_ref() {
            bar.set(done);
        }
        if Some(done) == total {
            *shown = None;
        }
    }
}

/// Shows a bar for each epoch and then its line.
pub(crate) struct EpochDisplay<'a> {
    console: &'a Console,
    epochs: usize,
    bar: Option<Bar>,
}

impl<'a> EpochDisplay<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        Self {
            console,
            epochs: 0,
            bar: None,
        }
    }
}

impl Observer for EpochDisplay<'_> {
    fn epoch_started(&mut self, epoch: usize, epochs: usize, step: usize, steps: usize) {
        self.epochs = epochs;
        let label = format!("Epoch {epoch}/{epochs}");
        let bar = self.console.bar(label, steps as u64, Unit::Steps);
        bar.set(step as u64);
        self.bar = Some(bar);
    }

    fn step_done(&mut self, step: usize, score: &Score) {
        if let Some(bar) = &self.bar {
            bar.message(format!(
                "loss: {:.4}  accuracy: {:.4}",
                score.loss(),
                score.accuracy()
            ));
            bar.set(step as u64);
        }
    }

    fn epoch_done(&mut self, record: &EpochRecord) {
        self.bar = None;
        self.console.line(record.line(self.epochs));
    }
}

/// Shows a bar for each test.
pub(crate) struct TestDisplay<'a> {
    console: &'a Console,
    totals: HashMap<String, u64>,
    bar: RefCell<Option<(String, Bar)>>,
}

impl<'a> TestDisplay<'a> {
    /// `totals` are the numbers of test images by dataset.
    pub(crate) fn new(console: &'a Console, totals: HashMap<String, u64>) -> Self {
        Self {
            console,
            totals,
            bar: RefCell::new(None),
        }
    }

    pub(crate) fn show(&self, dataset: &str, done: u64) {
        let mut shown = self.bar.borrow_mut();
        if shown.as_ref().is_none_or(|(name, _)| name != dataset) {
            let total = self.totals.get(dataset).copied();
            let label = format!("Testing on {dataset}");
            *shown = Some((
                dataset.to_owned(),
                self.console.bar(label, total, Unit::Images),
            ));
        }
        if let Some((_, bar)) = shown.as_ref() {
            bar.set(done);
        }
    }
}
