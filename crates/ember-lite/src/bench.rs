//! How long one inference takes.

use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use crate::{LiteError, MappedModel};

/// Times of single inferences on one thread, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
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

/// Times `runs` inferences one by one on this thread, after a tenth as many that are not counted. What is timed is
/// filling the inputs (a run may overwrite them) and running; the inputs are the same pattern every time.
///
/// # Errors
///
/// [`LiteError::Prepare`] and [`LiteError::Invoke`] from the runtime.
pub fn bench(model: &MappedModel, runs: NonZeroUsize) -> Result<Latency, LiteError> {
    let mut arena = model.arena()?;
    let mut session = model.session(&mut arena)?;
    let inputs: Vec<Vec<u8>> = (0..session.input_count())
        .map(|index| Ok(pattern(session.input_tensor(index)?.byte_len())))
        .collect::<Result<_, LiteError>>()?;
    let mut once = || -> Result<Duration, LiteError> {
        let start = Instant::now();
        for (index, bytes) in inputs.iter().enumerate() {
            session.input(index)?.copy_from_slice(bytes);
        }
        session.invoke()?;
        Ok(start.elapsed())
    };
    for _ in 0..runs.get() / 10 {
        once()?;
    }
    let mut times = (0..runs.get())
        .map(|_| once())
        .collect::<Result<Vec<_>, _>>()?;
    times.sort_unstable();
    Ok(summary(&times))
}

/// Bytes that are a plausible input of every type: as float32, small positive numbers.
fn pattern(bytes: usize) -> Vec<u8> {
    const HALF: [u8; 4] = 0.5_f32.to_le_bytes();
    (0..bytes).map(|index| HALF[index % 4]).collect()
}

/// The figures of sorted, non-empty times.
fn summary(times: &[Duration]) -> Latency {
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
        let times: Vec<Duration> = (1..=200).map(Duration::from_micros).collect();
        let latency = summary(&times);
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
        let latency = summary(&[Duration::from_micros(7)]);
        assert_eq!([latency.min_us, latency.p50_us, latency.p99_us], [7.0; 3]);
    }
}
