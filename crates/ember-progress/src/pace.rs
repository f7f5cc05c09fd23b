//! When plain mode writes the next line of a bar: often enough to see life, seldom enough for a log.

use std::time::Duration;

/// No two lines of one bar are closer than this.
const SHORTEST: Duration = Duration::from_secs(2);
/// A line is due after this long, however little was done.
const LONGEST: Duration = Duration::from_secs(10);
/// Otherwise a line is due at each of these parts of the whole.
const PARTS: u64 = 10;

/// The memory of one bar: when its last line was written and how far it had come.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    last_line: Duration,
    last_part: u64,
}

impl Pace {
    /// Whether a line is due `elapsed` after the start, at `position` of `total`.
    pub(crate) fn is_due(&mut self, position: u64, total: Option<u64>, elapsed: Duration) -> bool {
        let since = elapsed.saturating_sub(self.last_line);
        let part = match total {
            Some(total) if total > 0 => {
                (u128::from(position) * u128::from(PARTS) / u128::from(total)) as u64
            }
            _ => 0,
        };
        let due = since >= LONGEST || (since >= SHORTEST && part > self.last_part);
        if due {
            self.last_line = elapsed;
            self.last_part = part;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use std::time::Duration;

    fn lines(total: Option<u64>, steps: u64, milliseconds: u64) -> usize {
        let mut pace = Pace::default();
        (1..=steps)
            .filter(|&step| {
                let elapsed = Duration::from_millis(milliseconds * step / steps);
                pace.is_due(step, total, elapsed)
            })
            .count()
    }

    #[test]
    fn a_short_job_writes_nothing_on_the_way() {
        assert_eq!(lines(Some(1000), 1000, 1_500), 0);
    }

    #[test]
    fn a_minute_is_ten_lines() {
        assert_eq!(lines(Some(1000), 1000, 60_000), 10);
    }

    #[test]
    fn a_slow_job_still_shows_life() {
        assert_eq!(lines(Some(1000), 1000, 600_000), 60);
    }

    #[test]
    fn an_unknown_total_goes_by_the_clock() {
        assert_eq!(lines(None, 600, 60_000), 6);
        assert_eq!(lines(Some(0), 600, 60_000), 6);
    }
}
