//! How long one inference takes, and each operator of it.

use std::{
    collections::BTreeMap,
    fmt,
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use ember_micro::{OpCode, Profiler};
use serde::Serialize;

use crate::{LiteError, MappedModel, Session, names};

/// Times of single inferences, or of single operators, on one thread, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    /// Inferences that were timed.
    pub runs: usize,
    /// The fastest.
    pub min_us: f64,
    /// The mean.
    pub mean_us: f64,
    /// The median: half of the inferences were no slower.
    pub p50_us: f64,
    /// Nine in ten were no slower.
    pub p90_us: f64,
    /// 99 in a hundred were no slower.
    pub p99_us: f64,
}

/// Times of a model and of its operators.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// The file's path or name.
    pub model: String,
    /// The whole model, timed without a look at its operators.
    pub latency: Latency,
    /// Its operators in the order of execution, timed in runs of their own: each has the two readings of the clock in it.
    pub operators: Vec<OperatorLatency>,
}

/// Times of one operator.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OperatorLatency {
    /// Its number in the order of execution.
    pub index: u32,
    /// Its name in the schema, or that of a custom operator; for a partition, its delegate and its operators.
    pub name: String,
    /// Whether the operator before does its work, too: then there is nothing left to time.
    pub done_with_previous: bool,
    /// Its part of the sum of all operators' medians, 0..=1.
    pub share: f64,
    /// Its times.
    pub latency: Latency,
}

impl fmt::Display for Profile {
    /// A line for the model and one for each operator, in microseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const TITLE: &str = "operator";
        let names = self.operators.iter().map(|operator| operator.name.len());
        let width = names.max().unwrap_or(0).max(TITLE.len());
        writeln!(
            f,
            "{}: {} runs on one thread, in µs",
            self.model, self.latency.runs
        )?;
        writeln!(
            f,
            "    {TITLE:<width$}  {:>10} {:>10} {:>10} {:>10} {:>10}  share",
            "min", "median", "mean", "p90", "p99"
        )?;
        let figures = |latency: &Latency| {
            let Latency {
                runs: _,
                min_us,
                mean_us,
                p50_us,
                p90_us,
                p99_us,
            } = latency;
            format!("{min_us:>10.2} {p50_us:>10.2} {mean_us:>10.2} {p90_us:>10.2} {p99_us:>10.2}")
        };
        for operator in &self.operators {
            let OperatorLatency { index, name, .. } = operator;
            if operator.done_with_previous {
                writeln!(f, "{index:>3} {name:<width$}  done by the operator before")?;
            } else {
                writeln!(
                    f,
                    "{index:>3} {name:<width$}  {}  {:>4.1} %",
                    figures(&operator.latency),
                    100.0 * operator.share
                )?;
            }
        }
        writeln!(f, "    {:<width$}  {}", "model", figures(&self.latency))
    }
}

/// Times `runs` inferences one by one on this thread, after a tenth as many that are not counted. What is timed is
/// filling the inputs (a run may overwrite them) and running; the inputs are the same pattern every time.
///
/// # Errors
///
/// [`LiteError::Prepare`] and [`LiteError::Invoke`] from the runtime.
pub fn bench(model: &MappedModel, runs: NonZeroUsize) -> Result<Latency, LiteError> {
    let mut arena = model.arena()?;
    let mut session = model.session(&mut arena)?;
    let inputs = patterns(&session)?;
    let mut once = || -> Result<Duration, LiteError> {
        let start = Instant::now();
        fill(&mut session, &inputs)?;
        session.invoke()?;
        Ok(start.elapsed())
    };
    for _ in 0..runs.get() / 10 {
        once()?;
    }
    let mut times = (0..runs.get())
        .map(|_| once())
        .collect::<Result<Vec<_>, _>>()?;
    Ok(summary(&mut times))
}

/// [`bench`], and the same number of runs again in which each operator is timed. `serde_json` makes JSON of it.
///
/// # Errors
///
/// [`LiteError::Prepare`] and [`LiteError::Invoke`] from the runtime.
pub fn profile(model: &MappedModel, runs: NonZeroUsize) -> Result<Profile, LiteError> {
    let latency = bench(model, runs)?;
    let mut arena = model.arena()?;
    let mut session = model.session(&mut arena)?;
    let inputs = patterns(&session)?;
    let mut stopwatch = Stopwatch {
        begun: Instant::now(),
        operators: BTreeMap::new(),
    };
    for _ in 0..runs.get() {
        fill(&mut session, &inputs)?;
        session.invoke_profiled(&mut stopwatch)?;
    }
    let operators = stopwatch
        .operators
        .into_iter()
        .zip(session.done_with_previous());
    let operators = operators.map(|((index, (name, mut times)), done_with_previous)| {
        let title = model.delegation().and_then(|it| it.title(index as usize));
        OperatorLatency {
            index,
            name: title.unwrap_or(name),
            done_with_previous,
            share: 0.0,
            latency: summary(&mut times),
        }
    });
    let mut operators: Vec<OperatorLatency> = operators.collect();
    let total: f64 = operators
        .iter()
        .map(|operator| operator.latency.p50_us)
        .sum();
    for operator in &mut operators {
        // A clock that did not move gives equal parts of nothing.
        operator.share = if total > 0.0 {
            operator.latency.p50_us / total
        } else {
            0.0
        };
    }
    Ok(Profile {
        model: model.name().to_owned(),
        latency,
        operators,
    })
}

/// Takes the time of each operator.
struct Stopwatch {
    begun: Instant,
    /// By number.
    operators: BTreeMap<u32, (String, Vec<Duration>)>,
}

impl Profiler for Stopwatch {
    fn begin(&mut self, index: u32, code: OpCode<'static>) {
        self.operators
            .entry(index)
            .or_insert_with(|| (names::code(code), Vec::new()));
        self.begun = Instant::now();
    }

    fn end(&mut self, index: u32, _code: OpCode<'static>) {
        let time = self.begun.elapsed();
        if let Some((_, times)) = self.operators.get_mut(&index) {
            times.push(time);
        }
    }
}

/// What the inputs are filled with.
fn patterns(session: &Session<'_>) -> Result<Vec<Vec<u8>>, LiteError> {
    (0..session.input_count())
        .map(|index| Ok(pattern(session.input_tensor(index)?.byte_len())))
        .collect()
}

fn fill(session: &mut Session<'_>, inputs: &[Vec<u8>]) -> Result<(), LiteError> {
    for (index, bytes) in inputs.iter().enumerate() {
        session.input(index)?.copy_from_slice(bytes);
    }
    Ok(())
}

/// Bytes that are a plausible input of every type: as float32, small positive numbers.
fn pattern(bytes: usize) -> Vec<u8> {
    const HALF: [u8; 4] = 0.5_f32.to_le_bytes();
    (0..bytes).map(|index| HALF[index % 4]).collect()
}

/// The figures of times, of which there is one at least.
fn summary(times: &mut [Duration]) -> Latency {
    times.sort_unstable();
    let us = |time: Duration| time.as_nanos() as f64 / 1_000.0;
    // The nearest rank: the smallest time that no fewer than `percent` of a hundred are no slower than.
    let rank = |percent: usize| us(times[(times.len() * percent).div_ceil(100).max(1) - 1]);
    let total: Duration = times.iter().sum();
    Latency {
        runs: times.len(),
        min_us: us(times[0]),
        mean_us: us(total) / times.len() as f64,
        p50_us: rank(50),
        p90_us: rank(90),
        p99_us: rank(99),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_nearest_ranks() {
        let mut times: Vec<Duration> = (1..=200).rev().map(Duration::from_micros).collect();
        let latency = summary(&mut times);
        assert_eq!(latency.runs, 200);
        assert_eq!(
            [
                latency.min_us,
                latency.p50_us,
                latency.p90_us,
                latency.p99_us
            ],
            [1.0, 100.0, 180.0, 198.0]
        );
        assert!((latency.mean_us - 100.5).abs() < 1e-9);
    }

    #[test]
    fn one_time_is_every_percentile() {
        let latency = summary(&mut [Duration::from_micros(7)]);
        assert_eq!([latency.min_us, latency.p50_us, latency.p99_us], [7.0; 3]);
    }
}
