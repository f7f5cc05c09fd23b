//! `deploy` and `run`: reads the files that are named, does the job and writes down what was found out.

use crate::cli::{self, Deploy, Reach, Run, Talk};
use ember_deploy::image::Segment;
use ember_probe::session::deploy::{self, Job, Talking, Writing};
use ember_probe::session::flash::Purpose;
use ember_probe::session::interrupt::{Interrupt, Reaction};
use ember_probe::session::talk::Questions;
use ember_probe::{ProbeError, hex};
use ember_progress::Console;
use probe_rs::config::Registry;
use probe_rs::probe::list::Lister;
use std::fs;
use std::path::Path;

static INTERRUPT: Interrupt = Interrupt::new();

/// The status of a program that ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// `deploy`.
pub fn deploy(settings: &Deploy, console: &Console) -> Result<(), ProbeError> {
    let segments = hex::read(&settings.image)?;
    let done = work(&settings.reach, Some(&segments), &settings.talk, console);
    done.inspect_err(|error| {
        if error.exit_code() == 2 {
            console.line(format!(
                "The image is left in {}. A board that shows itself as a drive takes that file, or the UF2 or BIN file, \
                 without a probe.",
                settings.image.display()
            ));
        }
    })
}

/// `run`.
pub fn run(settings: &Run, console: &Console) -> Result<(), ProbeError> {
    work(&settings.reach, None, &settings.talk, console)
}

fn work(
    reach: &Reach,
    segments: Option<&[Segment]>,
    talk: &Talk,
    console: &Console,
) -> Result<(), ProbeError> {
    let files = Files::read(talk)?;
    let target = Registry::from_builtin_families()
        .get_target_by_name(&reach.chip)
        .unwrap();
    let job = Job {
        writing: segments.map(|segments| Writing {
            segments,
            purpose: Purpose::Firmware,
        }),
        talking: files.talking(talk),
    };
    listen(console);
    let lister = Lister::new();
    let findings = deploy::deploy(&lister, &reach.wish(), target, &job, &INTERRUPT, console)?;
    match &talk.out {
        Some(path) => write(path, cli::json(&findings).as_bytes()),
        None => Ok(()),
    }
}

/// What the command line names, read.
struct Files {
    images: Option<Vec<u8>>,
    expected: Option<Vec<u8>>,
    labels: Option<Vec<u8>>,
}

impl Files {
    fn read(talk: &Talk) -> Result<Self, ProbeError> {
        let file = |path: &Option<_>| path.as_deref().map(read).transpose();
        Ok(Self {
            images: file(&talk.images)?,
            expected: file(&talk.expected)?,
            labels: file(&talk.labels)?,
        })
    }

    fn talking<'a>(&'a self, talk: &'a Talk) -> Option<Talking<'a>> {
        Some(Talking {
            rtt: talk.rtt?,
            questions: Questions {
                target: talk.target.as_deref()?,
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

fn read(path: &Path) -> Result<Vec<u8>, ProbeError> {
    fs::read(path).map_err(|error| file_error("read", path, &error))
}

/// Writes a file whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ProbeError> {
    let beside = path.with_extension("partial");
    fs::write(&beside, bytes)
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|error| {
            let _ = fs::remove_file(&beside);
            file_error("write", path, &error)
        })
}

fn file_error(action: &'static str, path: &Path, error: &std::io::Error) -> ProbeError {
    ProbeError::File {
        action,
        path: path.to_owned(),
        problem: error.to_string(),
    }
}
