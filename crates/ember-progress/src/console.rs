//! The console that a program writes its progress, notices and results to.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use console::{Style, measure_text_width};
use indicatif::{MultiProgress, ProgressDrawTarget};

use crate::bar::{Bar, Unit};
use crate::mode::Mode;

/// The verbs of [`Console::step`] end in this column, as cargo's do.
const VERB_WIDTH: usize = 12;
/// Text inside the box of a notice is wrapped to this many columns.
const NOTICE_WIDTH: usize = 76;

/// Where a program's progress, warnings and results go. Cloning it gives another handle to the same console.
#[derive(Clone)]
pub struct Console {
    shared: Arc<Shared>,
}

struct Shared {
    mode: Mode,
    /// Only in interactive mode.
    bars: Option<MultiProgress>,
    progress: Mutex<Box<dyn Write + Send>>,
    results: Mutex<Box<dyn Write + Send>>,
}

impl Console {
    /// The console of this process: stderr for progress, stdout for results, `quiet` as the user's `--quiet` says.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        Self::with(
            Mode::of_process(quiet),
            Box::new(std::io::stderr()),
            Box::new(std::io::stdout()),
        )
    }

    /// A console with a mode and two sinks of the caller's choice. In interactive mode bars are still drawn on stderr.
    #[must_use]
    pub fn with(
        mode: Mode,
        progress: Box<dyn Write + Send>,
        results: Box<dyn Write + Send>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                mode,
                bars: mode
                    .interactive
                    .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr())),
                progress: Mutex::new(progress),
                results: Mutex::new(results),
            }),
        }
    }

    /// How this console writes.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.shared.mode
    }

    /// A bar for `total` units of work, or for an amount that is not known (`None`).
    #[must_use]
    pub fn bar(&self, label: impl Into<String>, total: impl Into<Option<u64>>, unit: Unit) -> Bar {
        Bar::new(self, label.into(), total.into(), unit)
    }

    /// A line as it is; not in quiet mode.
    pub fn line(&self, text: impl AsRef<str>) {
        if !self.mode().quiet {
            self.write_progress(text.as_ref());
        }
    }

    /// What begins or has just happened: a verb in green and what it is about; not in quiet mode.
    ///
    /// ```text
    ///     Training seed-cnn on MNIST
    /// ```
    pub fn step(&self, verb: impl AsRef<str>, text: impl AsRef<str>) {
        if !self.mode().quiet {
            self.write_progress(&format!("{} {}", self.verb(verb.as_ref()), text.as_ref()));
        }
    }

    /// Something that nobody may miss because it changes what the results mean: boxed, in yellow, and shown in quiet
    /// mode too.
    pub fn notice(&self, text: impl AsRef<str>) {
        let yellow = self.style(Style::new().yellow().bold());
        let text = text.as_ref();
        let lines: Vec<String> = text
            .lines()
            .flat_map(|line| wrap(line, NOTICE_WIDTH))
            .collect();
        let width = lines
            .iter()
            .map(|line| measure_text_width(line))
            .max()
            .unwrap_or(0);
        let edge = format!("+{}+", "-".repeat(width + 2));
        let mut notice = vec![yellow.apply_to(edge.clone()).to_string()];
        for line in lines {
            let gap = " ".repeat(width - measure_text_width(&line));
            notice.push(yellow.apply_to(format!("| {line}{gap} |")).to_string());
        }
        notice.push(yellow.apply_to(edge).to_string());
        self.write_progress(&notice.join("\n"));
    }

    /// Something that may be wrong; not in quiet mode.
    pub fn warn(&self, text: impl AsRef<str>) {
        if !self.mode().quiet {
            let label = self
                .style(Style::new().yellow().bold())
                .apply_to("warning:");
            self.write_progress(&format!("{label} {}", text.as_ref()));
        }
    }

    /// Why the program stops; in quiet mode too.
    pub fn error(&self, text: impl AsRef<str>) {
        let label = self.style(Style::new().red().bold()).apply_to("error:");
        self.write_progress(&format!("{label} {}", text.as_ref()));
    }

    /// What the user asked for, such as a table of results: to stdout, in quiet mode too.
    pub fn result(&self, text: impl AsRef<str>) {
        self.write(&self.shared.results, text.as_ref());
    }

    pub(crate) fn bars(&self) -> Option<&MultiProgress> {
        self.shared.bars.as_ref()
    }

    /// The verb right-aligned and, where colour is on, in bold green.
    pub(crate) fn verb(&self, verb: &str) -> String {
        let gap = " ".repeat(VERB_WIDTH.saturating_sub(measure_text_width(verb)));
        format!(
            "{gap}{}",
            self.style(Style::new().green().bold()).apply_to(verb)
        )
    }

    fn style(&self, style: Style) -> Style {
        style.force_styling(self.mode().color)
    }

    fn write_progress(&self, text: &str) {
        self.write(&self.shared.progress, text);
    }

    /// Writes between two drawings of the bars. A sink that is closed (`| head`) is no reason to stop the work.
    fn write(&self, sink: &Mutex<Box<dyn Write + Send>>, text: &str) {
        let write = || {
            let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = writeln!(sink, "{text}").and_then(|()| sink.flush());
        };
        match self.bars() {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

/// `line` broken at spaces into lines of at most `width` columns; a longer word stays whole. Indentation is kept on the
/// first of them.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let mut lines = vec![indent];
    let mut is_empty = true;
    for word in line.split_whitespace() {
        let last = lines.last().map_or(0, |last| measure_text_width(last));
        if !is_empty && last + 1 + measure_text_width(word) > width {
            lines.push(String::new());
            is_empty = true;
        }
        if let Some(last) = lines.last_mut() {
            if !is_empty {
                last.push(' ');
            }
            last.push_str(word);
        }
        is_empty = false;
    }
    lines
}
