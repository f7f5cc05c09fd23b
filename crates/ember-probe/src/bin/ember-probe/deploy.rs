//! `deploy`, `update` and `run`: reads the files that are named, does the job in one session and writes down what was found
//! out.

use crate::chip;
use crate::cli::{self, Deploy, Reach, Run, Talk, Update};
use anyhow::{Context, Result, bail};
use ember_deploy::chip::Plan;
use ember_deploy::update::{Needs, NewModel};
use ember_probe::session::attach::attach;
use ember_probe::session::deploy::{self, Job, Talking, Writing};
use ember_probe::session::interrupt::{Interrupt, Reaction};
use ember_probe::session::rtt::Place;
use ember_probe::session::talk::Questions;
use ember_probe::session::update;
use ember_probe::{ProbeError, chips, hex};
use ember_progress::Console;
use ember_slot::Operators;
use ember_slot::write::SigningKey;
use probe_rs::probe::list::Lister;
use std::fs;
use std::path::Path;

static INTERRUPT: Interrupt = Interrupt::new();

/// The status of a program that ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// `deploy`.
pub fn deploy(settings: &Deploy, console: &Console) -> Result<()> {
    let segments = hex::read(&settings.image)?;
    let done = work(
        &settings.reach,
        Some(Writing::Image(&segments)),
        &settings.talk,
        console,
    );
    done.map_err(|error| match error.downcast_ref::<ProbeError>() {
        Some(probe) if probe.exit_code() == 2 => {
            let left = format!(
                "- the image is left in {}; a board that shows itself as a drive takes that file, or the UF2 or BIN \
                 file beside it, without a probe.",
                settings.image.display()
            );
            ProbeError::WithoutProbe {
                problem: probe.to_string(),
                left,
            }
            .into()
        }
        _ => error,
    })
}

/// `update`.
pub fn update(settings: &Update, console: &Console) -> Result<()> {
    let bytes = read(&settings.model)?;
    let key = settings
        .sign
        .as_deref()
        .map(|path| {
            let text = read(path)?;
            let text = String::from_utf8_lossy(&text);
            SigningKey::from_pem(&text).with_context(|| path.display().to_string())
        })
        .transpose()?;
    let model = NewModel {
        bytes: &bytes,
        version: settings.model_version,
        needs: Needs {
            arena_bytes: settings.arena_bytes,
            operators: operators(&settings.operators)?,
        },
        key: key.as_ref(),
    };
    if settings.dry_run {
        return dry_run(&settings.reach, &model, console);
    }
    work(
        &settings.reach,
        Some(Writing::Model(&model)),
        &settings.talk,
        console,
    )
}

/// Says what an update would write. It has to look at the chip for that, and writes nothing.
fn dry_run(reach: &Reach, model: &NewModel<'_>, console: &Console) -> Result<()> {
    let found = chips::find(&reach.chip)?;
    let plan = chips::plan(&found)?;
    let mut attached = attach(&Lister::new(), &reach.wish(), found.target()?)?;
    let installed = update::installed(&mut attached.session, &plan, console)?;
    let update = installed.update(model)?;
    console.result(update::describe(&installed, &update));
    let flash = chips::flash_plan(&plan, std::slice::from_ref(&update.segment))?;
    chip::show(&flash, console);
    Ok(())
}

/// `run`.
pub fn run(settings: &Run, console: &Console) -> Result<()> {
    work(&settings.reach, None, &settings.talk, console)
}

/// The operators with these builtin codes of the schema.
fn operators(codes: &[i32]) -> Result<Operators> {
    let mut found = Operators::NONE;
    for code in codes {
        let operator = Operators::ALL
            .without(&Operators::NONE)
            .find(|operator| operator.code() == *code);
        let Some(operator) = operator else {
            bail!("the schema has no builtin operator with code {code}");
        };
        found = found.with(operator);
    }
    Ok(found)
}

fn work(reach: &Reach, writing: Option<Writing<'_>>, talk: &Talk, console: &Console) -> Result<()> {
    let files = Files::read(talk)?;
    let chip = chips::find(&reach.chip)?;
    let plan = chips::plan(&chip)?;
    if let Some(Writing::Image(segments)) = writing {
        // Refuses what would lock the chip or not start.
        chips::flash_plan(&plan, segments)?;
    }
    let job = Job {
        writing,
        talking: files.talking(talk, &plan),
    };
    listen(console);
    let findings = deploy::deploy(
        &Lister::new(),
        &reach.wish(),
        chip.target()?,
        &plan,
        &job,
        &INTERRUPT,
        console,
    )?;
    if let Some(path) = &talk.out {
        write(path, cli::json(&findings)?.as_bytes())?;
    }
    Ok(())
}

/// What the command line names, read.
struct Files {
    images: Option<Vec<u8>>,
    expected: Option<Vec<u8>>,
    labels: Option<Vec<u8>>,
}

impl Files {
    fn read(talk: &Talk) -> Result<Self> {
        let file = |path: &Option<_>| path.as_deref().map(read).transpose();
        Ok(Self {
            images: file(&talk.images)?,
            expected: file(&talk.expected)?,
            labels: file(&talk.labels)?,
        })
    }

    fn talking<'a>(&'a self, talk: &'a Talk, plan: &'a Plan) -> Option<Talking<'a>> {
        Some(Talking {
            rtt: talk.rtt.map_or(Place::In(plan.ram), Place::At),
            questions: Questions {
                target: talk.target.as_deref().unwrap_or(plan.core.target()),
                images: self.images.as_deref()?,
                input_bytes: talk.input_bytes? as usize,
                expected: self.expected.as_deref(),
                labels: self.labels.as_deref(),
                element: talk.output.into(),
            },
            live: talk.live,
        })
    }
}

/// From now on ctrl-C is listened to.
fn listen(console: &Console) {
    let console = console.clone();
    // Without a handler ctrl-C ends the program at once: worse, but no reason to do nothing.
    let _ = ctrlc::set_handler(move || {
        match INTERRUPT.press() {
        Reaction::Ending => {}
        Reaction::AfterWriting => console.warn(
            "the flash is being written; stopping when that is done. Press ctrl-C again to stop now, and the chip will \
             have to be flashed again",
        ),
        Reaction::Exit => std::process::exit(INTERRUPTED),
    }
    });
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension("partial");
    fs::write(&beside, bytes)
        .and_then(|()| fs::rename(&beside, path))
        .inspect_err(|_| drop(fs::remove_file(&beside)))
        .with_context(|| format!("cannot write {}", path.display()))
}
