//! A bar: a label, how much is done of how much, the time left and a message.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

use crate::console::Console;
use crate::pace::Pace;

/// What a bar counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Pictures of a data set.
    Images,
    /// Bytes, shown as KiB and MiB.
    Bytes,
    /// Optimizer steps.
    Steps,
    /// Files.
    Files,
    /// Models.
    Models,
}

impl Unit {
    /// `3,200/60,000 images`, or `3,200 images` where the total is not known.
    fn amount(self, position: u64, total: Option<u64>) -> String {
        let name = match self {
            Self::Images => "images",
            Self::Steps => "steps",
            Self::Files => "files",
            Self::Models => "models",
            Self::Bytes => {
                return match total {
                    Some(total) => format!("{}/{}", HumanBytes(position), HumanBytes(total)),
                    None => HumanBytes(position).to_string(),
                };
            }
        };
        match total {
            Some(total) => format!("{}/{} {name}", HumanCount(position), HumanCount(total)),
            None => format!("{} {name}", HumanCount(position)),
        }
    }
}

/// Progress of one piece of work, made by [`Console::bar`]. Threads may share it by reference.
///
/// A bar that is dropped unfinished, because the work failed, disappears and leaves the screen to the error.
pub struct Bar {
    console: Console,
    label: String,
    unit: Unit,
    start: Instant,
    position: AtomicU64,
    /// `u64::MAX` where the total is not known.
    total: AtomicU64,
    plain: Mutex<Plain>,
    /// Only in interactive mode.
    drawn: Option<ProgressBar>,
    done: AtomicBool,
}

#[derive(Default)]
struct Plain {
    pace: Pace,
    message: String,
}

const UNKNOWN: u64 = u64::MAX;

impl Bar {
    pub(crate) fn new(console: &Console, label: String, total: Option<u64>, unit: Unit) -> Self {
        let drawn = console.bars().map(|bars| {
            let bar = bars.add(match total {
                Some(total) => ProgressBar::new(total),
                None => ProgressBar::no_length(),
            });
            bar.set_style(style(total.is_some(), unit));
            bar.set_prefix(console.verb(&label));
            if total.is_none() {
                bar.enable_steady_tick(Duration::from_millis(120));
            }
            bar
        });
        Self {
            console: console.clone(),
            label,
            unit,
            start: Instant::now(),
            position: AtomicU64::new(0),
            total: AtomicU64::new(total.unwrap_or(UNKNOWN)),
            plain: Mutex::default(),
            drawn,
            done: AtomicBool::new(false),
        }
    }

    /// `position` of the total is done.
    pub fn set(&self, position: u64) {
        self.position.store(position, Ordering::Relaxed);
        self.show(position);
    }

    /// `amount` more is done.
    pub fn inc(&self, amount: u64) {
        let before = self.position.fetch_add(amount, Ordering::Relaxed);
        self.show(before.saturating_add(amount));
    }

    /// Gives the total, for work that learns it after the start (a download's length).
    pub fn set_total(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        if let Some(bar) = &self.drawn {
            bar.disable_steady_tick();
            bar.set_style(style(true, self.unit));
            bar.set_length(total);
        }
    }

    /// What stands behind the figures, such as `loss 0.21, accuracy 0.94`.
    pub fn message(&self, message: impl Into<String>) {
        let message = message.into();
        match &self.drawn {
            Some(bar) => bar.set_message(message),
            None => self.plain().message = message,
        }
    }

    /// The work is done: the bar gives way to one line with the amount, the time and the last message.
    pub fn finish(&self) {
        if self.done.swap(true, Ordering::Relaxed) {
            return;
        }
        let message = match &self.drawn {
            Some(bar) => bar.message(),
            None => self.plain().message.clone(),
        };
        let amount = self
            .unit
            .amount(self.position.load(Ordering::Relaxed), None);
        let mut text = format!("{amount} in {}", duration(self.start.elapsed()));
        if !message.is_empty() {
            text.push_str(", ");
            text.push_str(&message);
        }
        self.remove();
        self.console.step(&self.label, &text);
    }

    /// The work is done and the caller writes the line about it: the bar disappears.
    pub fn clear(&self) {
        if !self.done.swap(true, Ordering::Relaxed) {
            self.remove();
        }
    }

    fn remove(&self) {
        if let Some(bar) = &self.drawn {
            bar.finish_and_clear();
        }
    }

    fn plain(&self) -> std::sync::MutexGuard<'_, Plain> {
        self.plain
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn known_total(&self) -> Option<u64> {
        Some(self.total.load(Ordering::Relaxed)).filter(|total| *total != UNKNOWN)
    }

    fn show(&self, position: u64) {
        if let Some(bar) = &self.drawn {
            bar.set_position(position);
            return;
        }
        if self.console.mode().quiet {
            return;
        }
        let (total, elapsed) = (self.known_total(), self.start.elapsed());
        let mut plain = self.plain();
        if plain.pace.is_due(position, total, elapsed) {
            let line = line(self.unit, position, total, elapsed, &plain.message);
            drop(plain);
            self.console.step(&self.label, &line);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.clear();
    }
}

/// `30 % 18,000/60,000 images, 7 s left, loss 0.21`.
fn line(unit: Unit, position: u64, total: Option<u64>, elapsed: Duration, message: &str) -> String {
    let mut line = String::new();
    if let Some(total) = total.filter(|total| *total > 0) {
        line = format!("{:3} % ", u128::from(position) * 100 / u128::from(total));
    }
    line.push_str(&unit.amount(position, total));
    if let Some(total) = total.filter(|_| position > 0) {
        let left = elapsed.as_secs_f64() / position as f64 * total.saturating_sub(position) as f64;
        line.push_str(&format!(
            ", {} left",
            duration(Duration::from_secs_f64(left.min(1e9)))
        ));
    }
    if !message.is_empty() {
        line.push_str(", ");
        line.push_str(message);
    }
    line
}

/// `1.2 s`, `43 s`, `2 min 05 s`, `1 h 02 min`.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

fn template(total_known: bool, unit: Unit) -> &'static str {
    match (total_known, unit) {
        (true, Unit::Bytes) => {
            "{prefix} [{bar:24}] {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left  {wide_msg}"
        }
        (true, _) => "{prefix} [{bar:24}] {human_pos}/{human_len}, {eta} left  {wide_msg}",
        (false, Unit::Bytes) => "{prefix} {spinner} {bytes}, {bytes_per_sec}  {wide_msg}",
        (false, _) => "{prefix} {spinner} {human_pos}  {wide_msg}",
    }
}

fn style(total_known: bool, unit: Unit) -> ProgressStyle {
    ProgressStyle::with_template(template(total_known, unit))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::{Unit, duration, line, template};
    use indicatif::ProgressStyle;
    use std::time::Duration;

    #[test]
    fn a_line_says_how_much_and_how_long() {
        let elapsed = Duration::from_secs(30);
        assert_eq!(
            line(Unit::Images, 18_000, Some(60_000), elapsed, "loss 0.21"),
            " 30 % 18,000/60,000 images, 1 min 10 s left, loss 0.21"
        );
        assert_eq!(line(Unit::Bytes, 2048, None, elapsed, ""), "2.00 KiB");
        assert_eq!(line(Unit::Steps, 0, Some(0), elapsed, ""), "0/0 steps");
    }

    #[test]
    fn more_than_the_total_is_no_reason_to_stop() {
        let elapsed = Duration::from_secs(1);
        assert_eq!(
            line(Unit::Files, 3, Some(2), elapsed, ""),
            "150 % 3/2 files, 0.0 s left"
        );
    }

    #[test]
    fn durations_have_the_unit_that_fits() {
        let texts = [0.04, 9.96, 61.0, 3720.0].map(|s| duration(Duration::from_secs_f64(s)));
        assert_eq!(texts, ["0.0 s", "10.0 s", "1 min 01 s", "1 h 02 min"]);
    }

    #[test]
    fn every_template_is_understood() {
        for unit in [Unit::Images, Unit::Bytes] {
            for known in [true, false] {
                assert!(ProgressStyle::with_template(template(known, unit)).is_ok());
            }
        }
    }
}
