//! Opening a probe and the debug port of the chip behind it.

use super::probes::{self, Found};
use crate::error::ProbeError;
use probe_rs::architecture::arm::ArmError;
use probe_rs::config::{Registry, Target};
use probe_rs::probe::list::Lister;
use probe_rs::probe::{DebugProbeSelector, Probe, WireProtocol};
use probe_rs::{Permissions, Session};

/// How to reach the chip. The default is the only probe, its own speed and protocol, and no reset.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// `VID:PID[-INTERFACE][:SERIAL]`.
    pub probe: Option<String>,
    /// The speed of the debug clock in kHz.
    pub speed_khz: Option<u32>,
    /// SWD or JTAG.
    pub protocol: Option<WireProtocol>,
    /// Hold the chip in reset while connecting.
    pub under_reset: bool,
}

/// A chip that answers, and the probe that it answers through.
#[derive(Debug)]
pub struct Attached {
    /// The probe.
    pub probe: Found,
    /// The chip.
    pub session: Session,
}

/// Opens the probe that `wish` means and attaches to the chip. Nothing is written to the chip, and it may go on running.
///
/// # Errors
/// Those of [`probes::find`]; [`ProbeError::Open`], [`ProbeError::Setting`], [`ProbeError::Attach`],
/// [`ProbeError::Locked`].
pub fn attach(lister: &Lister, wish: &Wish, chip: Target) -> Result<Attached, ProbeError> {
    let found = probes::find(lister, wish.probe.as_deref())?;
    let mut probe = open(lister, &found)?;
    set(&mut probe, &found, wish)?;
    let name = chip.name.clone();
    // Without `allow_erase_all` no chip is ever erased to unlock it.
    let permissions = Permissions::new();
    // The target is whole, so nothing is looked up.
    let registry = Registry::new();
    let session = if wish.under_reset {
        probe.attach_under_reset_with_registry(chip, permissions, &registry)
    } else {
        probe.attach_with_registry(chip, permissions, &registry)
    };
    Ok(Attached {
        probe: found,
        session: session.map_err(|error| refused(name, wish, &error))?,
    })
}

fn open(lister: &Lister, found: &Found) -> Result<Probe, ProbeError> {
    let failed = |problem| ProbeError::Open {
        probe: found.to_string(),
        problem,
    };
    let selector: DebugProbeSelector =
        found.selector.parse().map_err(|_| ProbeError::Selector {
            text: found.selector.clone(),
        })?;
    lister
        .open(selector)
        .map_err(|error| failed(causes(&error)))
}

fn set(probe: &mut Probe, found: &Found, wish: &Wish) -> Result<(), ProbeError> {
    let failed = |what: String, problem| ProbeError::Setting {
        probe: found.to_string(),
        what,
        problem,
    };
    if let Some(protocol) = wish.protocol {
        probe
            .select_protocol(protocol)
            .map_err(|error| failed(protocol.to_string(), causes(&error)))?;
    }
    if let Some(speed) = wish.speed_khz {
        probe
            .set_speed(speed)
            .map_err(|error| failed(format!("{speed} kHz"), causes(&error)))?;
    }
    Ok(())
}

fn refused(chip: String, wish: &Wish, error: &probe_rs::Error) -> ProbeError {
    let mut problem = causes(error);
    let advice = if wish.under_reset {
        // What follows the first sentence is about the options of another program.
        if let Some((first, _)) = problem.split_once(". ") {
            problem = first.to_owned();
        }
        "to connect the probe's reset pin to the chip's, or to leave `--connect-under-reset` away,"
    } else {
        "`--connect-under-reset` (a program that turns the debug pins off)"
    };
    match error {
        probe_rs::Error::MissingPermissions(_)
        | probe_rs::Error::Arm(ArmError::MissingPermissions(_)) => {
            ProbeError::Locked { chip, problem }
        }
        _ => ProbeError::Attach {
            chip,
            problem,
            advice,
        },
    }
}

/// An error and what caused it, each said once and without a full stop at its end.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let cause = error.to_string();
        let cause = cause.trim().trim_end_matches('.');
        if !text.contains(cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(cause);
        }
        next = error.source();
    }
    text
}
