//! Both directions of a channel.

use super::{Channel, Expect, Greeting, Heard, Listener, Start};
use crate::error::DeployError;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Bytes that are read at once.
const PIECE: usize = 4096;

/// Both directions of a channel, with what is under way in each.
pub(super) struct Line<'a, C> {
    channel: &'a mut C,
    listener: Listener<'a>,
    /// What is to be sent, and how much of it has been.
    pub(super) outgoing: Vec<u8>,
    sent: usize,
    /// How long the device may be silent, and since when it is.
    silence: Duration,
    last_sign: Instant,
}

impl<'a, C: Channel> Line<'a, C> {
    pub(super) fn new(channel: &'a mut C, expect: Expect<'a>, silence: Duration) -> Self {
        Self {
            channel,
            listener: Listener::new(expect, Start::Anywhere),
            outgoing: Vec::new(),
            sent: 0,
            silence,
            last_sign: Instant::now(),
        }
    }

    /// Waits for the hello, unless it has been heard.
    pub(super) fn greet(
        &mut self,
        patience: Duration,
        go_on: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Greeting, DeployError> {
        let begin = Instant::now();
        loop {
            if let Some(greeting) = self.listener.greeting().cloned() {
                self.last_sign = Instant::now();
                return Ok(greeting);
            }
            if begin.elapsed() > patience {
                return Err(DeployError::NoHello {
                    waited: patience,
                    skipped: self.listener.skipped_bytes(),
                });
            }
            if !self.exchange(0, &mut Vec::new())? {
                if go_on().is_break() {
                    return Err(DeployError::Stopped { done: 0, total: 0 });
                }
                self.channel.idle()?;
            }
        }
    }

    pub(super) const fn is_sent(&self) -> bool {
        self.sent == self.outgoing.len()
    }

    pub(super) fn begin_frame(&mut self) {
        self.outgoing.clear();
        self.sent = 0;
    }

    /// Moves what can be moved now, in both directions, and says whether that was anything.
    pub(super) fn exchange(
        &mut self,
        done: usize,
        heard: &mut Vec<Heard>,
    ) -> Result<bool, DeployError> {
        let mut piece = [0; PIECE];
        let read = self.channel.read(&mut piece)?;
        if read > 0 {
            self.last_sign = Instant::now();
            let bytes = piece.get(..read).unwrap_or(&piece);
            self.listener.take(bytes, done, heard)?;
        }
        let rest = self.outgoing.get(self.sent..).unwrap_or_default();
        let written = if rest.is_empty() {
            0
        } else {
            self.channel.write(rest)?.min(rest.len())
        };
        self.sent += written;
        Ok(read > 0 || written > 0)
    }

    /// Lets the device have some time, unless it was silent for too long.
    pub(super) fn wait(&mut self, done: usize, total: usize) -> Result<(), DeployError> {
        if self.last_sign.elapsed() > self.silence {
            return Err(DeployError::Hang {
                waited: self.silence,
                done,
                total,
            });
        }
        self.channel.idle()
    }
}
