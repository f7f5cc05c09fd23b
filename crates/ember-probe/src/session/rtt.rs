//! The chip's RTT buffers as a stream of bytes in each direction.
//!
//! RTT is a pair of rings in the chip's RAM that the debugger reads and writes while the program runs. What an earlier
//! firmware left there is wiped while the chip is stopped, so that it cannot be taken for the one that starts.

use super::attach::causes;
use super::flash::CORE;
use crate::error::ProbeError;
use ember_deploy::DeployError;
use ember_deploy::converse::Channel;
use ember_deploy::machine::Region;
use probe_rs::rtt::{Error, Rtt};
use probe_rs::{Core, MemoryInterface, Session};
use std::thread;
use std::time::{Duration, Instant};

/// How long a firmware may take from reset until its control block is there.
const START: Duration = Duration::from_secs(3);
/// How long a core may take to stop at its first instruction.
const HALT: Duration = Duration::from_millis(500);
/// Between two looks at an empty ring.
const PAUSE: Duration = Duration::from_millis(1);

/// Where a firmware's control block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the address of its `_SEGGER_RTT`.
    At(u32),
    /// Somewhere in this RAM: the firmware was built elsewhere. All of it is read, which takes a second for each few
    /// hundred kilobytes.
    In(Region),
}

/// The rings 0 of a running firmware.
pub struct RttLink<'s> {
    core: Core<'s>,
    rtt: Rtt,
}

impl<'s> RttLink<'s> {
    /// Restarts the chip and waits until its firmware has set up RTT.
    ///
    /// # Errors
    /// [`ProbeError::Restart`], [`ProbeError::NoRtt`].
    pub fn restart(session: &'s mut Session, place: Place) -> Result<Self, ProbeError> {
        let chip = session.target().name.clone();
        let mut core = session
            .core(CORE)
            .and_then(|mut core| {
                core.reset_and_halt(HALT)?;
                wipe(&mut core, place)?;
                core.run()?;
                Ok(core)
            })
            .map_err(|error| ProbeError::Restart {
                chip: chip.clone(),
                problem: causes(&error),
            })?;
        let start = Instant::now();
        loop {
            let problem = match attach(&mut core, place) {
                Ok(rtt) => return Ok(Self { core, rtt }),
                // Not there yet, or only half of it.
                Err(Error::ControlBlockNotFound | Error::ControlBlockCorrupted(_))
                    if start.elapsed() < START =>
                {
                    thread::sleep(PAUSE);
                    continue;
                }
                Err(error) => causes(&error),
            };
            let place = match place {
                Place::At(address) => format!("at {address:#010x}"),
                Place::In(region) => {
                    format!("from {:#010x} to {:#010x}", region.origin, region.end())
                }
            };
            return Err(ProbeError::NoRtt {
                chip,
                place,
                problem,
            });
        }
    }
}

/// Removes every control block from `place`.
fn wipe(core: &mut Core<'_>, place: Place) -> Result<(), probe_rs::Error> {
    let found = match place {
        Place::At(address) => vec![u64::from(address)],
        Place::In(region) => find(core, region)?,
    };
    for address in found {
        core.write(address, &[0; Rtt::RTT_ID.len()])?;
    }
    Ok(())
}

/// The addresses of all control blocks in `region`.
fn find(core: &mut Core<'_>, region: Region) -> Result<Vec<u64>, probe_rs::Error> {
    let mut bytes = vec![0; region.length as usize];
    core.read(u64::from(region.origin), &mut bytes)?;
    let found = bytes
        .windows(Rtt::RTT_ID.len())
        .enumerate()
        .filter(|(_, window)| **window == Rtt::RTT_ID)
        .map(|(offset, _)| u64::from(region.origin) + offset as u64);
    Ok(found.collect())
}

fn attach(core: &mut Core<'_>, place: Place) -> Result<Rtt, Error> {
    let address = match place {
        Place::At(address) => u64::from(address),
        Place::In(region) => match find(core, region)?[..] {
            [address] => address,
            [] => return Err(Error::ControlBlockNotFound),
            ref several => return Err(Error::MultipleControlBlocksFound(several.to_vec())),
        },
    };
    let rtt = Rtt::attach_at(core, address)?;
    if rtt.up_channels.is_empty() || rtt.down_channels.is_empty() {
        let problem = "it has no buffer in both directions".to_owned();
        return Err(Error::ControlBlockCorrupted(problem));
    }
    Ok(rtt)
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
