//! How fast a device's timer runs, against the host's clock.

use super::images::Bytes;
use super::{Channel, Conversation, Heard, Progress};
use crate::error::DeployError;
use ember_link::write_clock;
use std::time::{Duration, Instant};

/// Questions at each end of the measurement; the one that was answered soonest counts.
const QUESTIONS: usize = 8;

/// How fast a device's timer runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockRate {
    /// Ticks per second.
    pub hertz: f64,
    /// How far the true value may be from it, in ticks per second: the time that the answers took to come.
    pub uncertainty: f64,
}

/// What the device's timer showed, and when.
#[derive(Clone, Copy)]
struct Reading {
    ticks: u64,
    asked: Instant,
    took: Duration,
}

impl Reading {
    fn middle(self) -> Instant {
        self.asked + self.took / 2
    }
}

impl<C: Channel> Conversation<'_, C> {
    /// Measures how fast the device's timer runs, by asking for the time at the beginning and at the end of `span`. `None`
    /// when the timer does not move.
    ///
    /// # Errors
    /// As [`Conversation::run`].
    pub fn clock_rate(
        &mut self,
        span: Duration,
        progress: &mut Progress<'_>,
    ) -> Result<Option<ClockRate>, DeployError> {
        self.greeting = self.line.greet(self.hello, &mut || progress(None))?;
        let first = self.best_reading(progress)?;
        while first.middle().elapsed() < span {
            if progress(None).is_break() {
                return Err(DeployError::Stopped { done: 0, total: 0 });
            }
            self.line.wait(0, 0)?;
        }
        let last = self.best_reading(progress)?;
        let ticks = last.ticks.saturating_sub(first.ticks);
        if ticks == 0 {
            return Ok(None);
        }
        let seconds = (last.middle() - first.middle()).as_secs_f64();
        let hertz = ticks as f64 / seconds;
        // Each reading was taken at some moment between question and answer.
        let blur = (first.took + last.took).as_secs_f64() / 2.0;
        Ok(Some(ClockRate {
            hertz,
            uncertainty: hertz * blur / seconds,
        }))
    }

    fn best_reading(&mut self, progress: &mut Progress<'_>) -> Result<Reading, DeployError> {
        let mut best = self.reading(progress)?;
        for _ in 1..QUESTIONS {
            let reading = self.reading(progress)?;
            if reading.took < best.took {
                best = reading;
            }
        }
        Ok(best)
    }

    fn reading(&mut self, progress: &mut Progress<'_>) -> Result<Reading, DeployError> {
        self.line.begin_frame();
        let Ok(()) = write_clock(&mut Bytes(&mut self.line.outgoing));
        let asked = Instant::now();
        let mut heard = Vec::new();
        loop {
            let moved = self.line.exchange(0, &mut heard)?;
            match heard.pop() {
                Some(Heard::Time(ticks)) => {
                    let took = asked.elapsed();
                    return Ok(Reading { ticks, asked, took });
                }
                Some(_) => {
                    let problem = "an answer that is not the time".to_owned();
                    return Err(DeployError::Protocol { done: 0, problem });
                }
                None => {}
            }
            if !moved {
                if progress(None).is_break() {
                    return Err(DeployError::Stopped { done: 0, total: 0 });
                }
                self.line.wait(0, 0)?;
            }
        }
    }
}
