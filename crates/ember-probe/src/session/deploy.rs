//! From a probe to what was found out, in one session: attach, write flash, restart, talk.

use super::attach::{Attached, Wish, attach};
use super::flash::{self, Purpose};
use super::interrupt::Interrupt;
use super::rtt::{Place, RttLink};
use super::talk::{self, Questions};
use super::update;
use crate::error::ProbeError;
use ember_deploy::DeployError;
use ember_deploy::chip::Plan;
use ember_deploy::converse::Patience;
use ember_deploy::findings::{Findings, Flashed};
use ember_deploy::image::Segment;
use ember_deploy::update::{NewModel, Update};
use ember_link::Slots;
use ember_progress::Console;
use probe_rs::config::Target;
use probe_rs::probe::list::Lister;
use std::time::Instant;

/// What is written into flash.
#[derive(Clone, Copy, Debug)]
pub enum Writing<'a> {
    /// Firmware and model: these bytes.
    Image(&'a [Segment]),
    /// A model for the firmware that is there.
    Model(&'a NewModel<'a>),
}

/// What the firmware is asked once it runs.
#[derive(Clone, Copy, Debug)]
pub struct Talking<'a> {
    /// Where its control block is.
    pub rtt: Place,
    /// The images and what should come back.
    pub questions: Questions<'a>,
    /// Send the images over and over until ctrl-C.
    pub live: bool,
}

/// What is done in one session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Job<'a> {
    /// What is written into flash first, if anything.
    pub writing: Option<Writing<'a>>,
    /// What is asked then, if anything; the chip is left running in any case.
    pub talking: Option<Talking<'a>>,
}

/// Does the job on a chip that a probe of `lister` reaches.
///
/// # Errors
/// See [`ProbeError`]; after ctrl-C, [`DeployError::Stopped`].
pub fn deploy(
    lister: &Lister,
    wish: &Wish,
    target: Target,
    plan: &Plan,
    job: &Job<'_>,
    interrupt: &Interrupt,
    console: &Console,
) -> Result<Findings, ProbeError> {
    let mut attached = attach(lister, wish, target)?;
    let Attached { probe, session } = &mut attached;
    console.step(
        "Attached",
        format!("to {} through {probe}", session.target().name),
    );
    let mut findings = Findings {
        chip: session.target().name.clone(),
        probe: probe.selector.clone(),
        probe_name: probe.name.clone(),
        flashed: None,
        run: None,
    };
    let stopped = || ProbeError::from(DeployError::Stopped { done: 0, total: 0 });
    if interrupt.is_pressed() {
        return Err(stopped());
    }
    let mut updated = None;
    if let Some(writing) = job.writing {
        let start = Instant::now();
        let written = interrupt.while_writing(|| match writing {
            Writing::Image(segments) => flash::write(session, segments, Purpose::Firmware, console),
            Writing::Model(model) => {
                let (update, written) = update::update(session, plan, model, console)?;
                updated = Some(update);
                Ok(written)
            }
        })?;
        findings.flashed = Some(Flashed {
            erased_bytes: written.erased_bytes,
            written_bytes: written.written_bytes,
            seconds: start.elapsed().as_secs_f64(),
        });
    }
    if interrupt.is_pressed() {
        // What was written is whole, so it may run.
        flash::restart(session)?;
        return Err(stopped());
    }
    if let Some(update) = &updated {
        let mut link = RttLink::restart(session, Place::In(plan.ram))?;
        let slots = talk::running_slot(&mut link, Patience::default().hello, interrupt.flag())?;
        confirm(update, &slots, console)?;
    }
    match &job.talking {
        Some(talking) => {
            let mut link = RttLink::restart(session, talking.rtt)?;
            let ask = if talking.live { talk::live } else { talk::run };
            let patience = Patience::default();
            let run = ask(
                &mut link,
                &talking.questions,
                patience,
                interrupt.flag(),
                console,
            )?;
            findings.run = Some(run);
        }
        None if updated.is_some() => {}
        None => flash::restart(session)?,
    }
    Ok(findings)
}

/// Whether the firmware runs what was written; says which slot it is.
fn confirm(update: &Update, slots: &Slots, console: &Console) -> Result<(), ProbeError> {
    if slots.running as usize != update.slot || slots.sequence != update.header.sequence {
        return Err(ProbeError::NotTaken {
            slot: update.slot,
            running: slots.running,
            refusal: slots.refusals.get(update.slot).copied().unwrap_or(0),
        });
    }
    console.step(
        "Running",
        format!(
            "slot {} with model version {}, sequence {}",
            slots.running, slots.model_version, slots.sequence
        ),
    );
    Ok(())
}
