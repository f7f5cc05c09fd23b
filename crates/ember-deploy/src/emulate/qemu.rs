//! QEMU: the firmware reads the images from a file and writes its frames to another, by semihosting.
//!
//! With `-icount shift=0` one instruction takes one nanosecond of the machine's time, so that the firmware's timer counts
//! instructions and two runs are the same.

use super::hear::Hearing;
use super::process::{self, Process};
use super::{Job, Outcome, Progress};
use crate::error::DeployError;
use crate::machine::Machine;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

/// How often the output file is looked at.
const POLL: Duration = Duration::from_millis(10);

/// Names in the emulator's directory; the firmware has them too.
const INPUT: &str = "ember-in";
const OUTPUT: &str = "ember-out";

/// The path of the QEMU that emulates `machine`, if it is installed.
#[must_use]
pub fn installed(machine: &Machine) -> Option<PathBuf> {
    process::find(machine.qemu)
}

/// Runs the job.
pub(super) fn run(job: &Job<'_>, progress: &mut Progress<'_>) -> Result<Outcome, DeployError> {
    let mut hearing = Hearing::new(job)?;
    let directory = process::directory()?;
    let (input, output) = (directory.path().join(INPUT), directory.path().join(OUTPUT));
    write_requests(job, &input)?;
    // Made here, so that it is there to be read before the firmware opens it.
    File::create(&output).map_err(|source| DeployError::file("write", &output, source))?;
    let mut reader =
        File::open(&output).map_err(|source| DeployError::file("read", &output, source))?;

    let elf = std::path::absolute(job.elf)
        .map_err(|source| DeployError::file("find", job.elf, source))?;
    if !elf.is_file() {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        return Err(DeployError::file("read", elf, missing));
    }
    let semihosting = |command: &mut std::process::Command| {
        command
            .args(["-semihosting-config", "enable=on,target=native"])
            .arg("-kernel")
            .arg(elf);
    };
    let mut emulator = Process::start(job.machine.qemu, semihosting, directory, Stdio::null)?;
    let mut last_sign = Instant::now();
    let status = loop {
        // Asked before the last look at the file: what the firmware wrote before it ended is then there.
        let status = emulator.status()?;
        let taken = take_new(&mut reader, &output, &mut hearing, progress)?;
        if let Some(status) = status {
            break status;
        }
        let recorder = hearing.recorder();
        if taken > 0 {
            last_sign = Instant::now();
        } else if last_sign.elapsed() > job.patience {
            return Err(DeployError::Hang {
                waited: job.patience,
                done: recorder.answered(),
                total: recorder.total(),
            });
        }
        if progress(None).is_break() {
            return Err(recorder.stopped());
        }
        thread::sleep(POLL);
    };
    let recorder = hearing.recorder();
    if !status.success() || !recorder.is_done() {
        // Whoever asked us to stop may have stopped the emulator too.
        if progress(None).is_break() {
            return Err(recorder.stopped());
        }
        return Err(emulator.ended(&status.to_string()));
    }
    let sent = recorder.total();
    hearing.finish(process::version(job.machine.qemu), sent)
}

/// All requests, as one file.
fn write_requests(job: &Job<'_>, path: &Path) -> Result<(), DeployError> {
    let images = job.images()?;
    let mut frames = Vec::new();
    for number in 0..images.requests() {
        images.request(number, &mut frames);
    }
    fs::write(path, &frames).map_err(|source| DeployError::file("write", path, source))
}

/// Takes what the firmware has written since the last look, and says how many bytes.
fn take_new(
    reader: &mut File,
    path: &Path,
    hearing: &mut Hearing,
    progress: &mut Progress<'_>,
) -> Result<usize, DeployError> {
    let mut piece = [0; 1 << 14];
    let mut sum = 0;
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok(sum),
            Ok(count) => {
                hearing.take(&piece[..count], progress)?;
                sum += count;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(DeployError::file("read", path, source)),
        }
    }
}
