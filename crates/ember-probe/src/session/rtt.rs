//! The chip's RTT buffers as a stream of bytes in each direction.
//!
//! RTT is a pair of rings in the chip's RAM that the debugger reads and writes while the program runs. The control block
//! is looked for only where the firmware's `_SEGGER_RTT` is, so nothing else in RAM can be taken for it.

use super::attach::causes;
use super::flash::CORE;
use crate::error::ProbeError;
use ember_deploy::DeployError;
use ember_deploy::converse::Channel;
use probe_rs::rtt::{Error, Rtt, ScanRegion};
use probe_rs::{Core, Session};
use std::thread;
use std::time::{Duration, Instant};

/// How long a firmware may take from reset until its control block is there.
const START: Duration = Duration::from_secs(3);
/// How long a core may take to stop at its first instruction.
const HALT: Duration = Duration::from_millis(500);
/// Between two looks at an empty ring.
const PAUSE: Duration = Duration::from_millis(1);

/// The rings 0 of a running firmware.
pub struct RttLink<'s> {
    core: Core<'s>,
    rtt: Rtt,
}

impl<'s> RttLink<'s> {
    /// Restarts the chip and waits until its firmware has set up RTT at `address`. What an earlier run left there is
    /// wiped while the chip is stopped.
    ///
    /// # Errors
    /// [`ProbeError::Restart`], [`ProbeError::NoRtt`].
    pub fn restart(session: &'s mut Session, address: u32) -> Result<Self, ProbeError> {
        let chip = session.target().name.clone();
        let stopped = |error: &dyn std::error::Error| ProbeError::Restart {
            chip: chip.clone(),
            problem: causes(error),
        };
        let mut core = session.core(CORE).map_err(|error| stopped(&error))?;
        core.reset_and_halt(HALT).map_err(|error| stopped(&error))?;
        let exact = ScanRegion::Exact(u64::from(address));
        Rtt::clear_control_block(&mut core, &exact).map_err(|error| stopped(&error))?;
        core.run().map_err(|error| stopped(&error))?;
        let start = Instant::now();
        loop {
            match Rtt::attach_at(&mut core, u64::from(address)) {
                Ok(rtt) if !rtt.up_channels.is_empty() && !rtt.down_channels.is_empty() => {
                    return Ok(Self { core, rtt });
                }
                // Not there yet, or only half of it.
                Ok(_) | Err(Error::ControlBlockNotFound | Error::ControlBlockCorrupted(_))
                    if start.elapsed() < START =>
                {
                    thread::sleep(PAUSE);
                }
                Ok(_) => {
                    return Err(ProbeError::NoRtt {
                        chip,
                        address,
                        problem: "it has no buffer in both directions".to_owned(),
                    });
                }
                Err(error) => {
                    return Err(ProbeError::NoRtt {
                        chip,
                        address,
                        problem: causes(&error),
                    });
                }
            }
        }
    }
}

impl Channel for RttLink<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeployError> {
        let up = self.rtt.up_channels.first_mut().ok_or_else(no_ring);
        up.and_then(|up| {
            up.read(&mut self.core, buffer)
                .map_err(|error| lost(&error))
        })
        .map_err(|error| broken("read from", error))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, DeployError> {
        let down = self.rtt.down_channels.first_mut().ok_or_else(no_ring);
        down.and_then(|down| {
            down.write(&mut self.core, bytes)
                .map_err(|error| lost(&error))
        })
        .map_err(|error| broken("write to", error))
    }
}

fn broken(action: &'static str, error: ProbeError) -> DeployError {
    DeployError::Channel {
        action,
        source: error.into(),
    }
}

fn no_ring() -> ProbeError {
    ProbeError::Link {
        problem: "the control block has no buffers".to_owned(),
    }
}

fn lost(error: &Error) -> ProbeError {
    let problem = match error {
        Error::ControlBlockCorrupted(_) | Error::ReadPointerChanged => {
            format!(
                "its buffers changed by themselves, so it has restarted ({})",
                causes(error)
            )
        }
        _ => causes(error),
    };
    ProbeError::Link { problem }
}
