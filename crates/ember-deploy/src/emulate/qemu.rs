//! QEMU: the firmware reads the images from a file and writes its frames to another, by semihosting.
//!
//! With `-icount shift=0` one instruction takes one nanosecond of the machine's time, so that the firmware's timer counts
//! instructions and two runs are the same.

use super::hear::Hearing;
use super::{Job, Outcome, Progress};
use crate::error::DeployError;
use crate::machine::{Machine, QemuMachine};
use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often the output file is looked at.
const POLL: Duration = Duration::from_millis(10);

/// Names in the emulator's directory; the firmware has them too.
const INPUT: &str = "ember-in";
const OUTPUT: &str = "ember-out";
const ERRORS: &str = "qemu-errors";

/// The path of the QEMU that emulates `machine`, if it is installed.
#[must_use]
pub fn installed(machine: &Machine) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join(machine.qemu.program))
        .find(|path| path.is_file())
}

/// Runs the job.
pub(super) fn run(job: &Job<'_>, progress: &mut Progress<'_>) -> Result<Outcome, DeployError> {
    let qemu = job.machine.qemu;
    let program = installed(job.machine).unwrap_or_else(|| qemu.program.into());
    let mut hearing = Hearing::new(job)?;
    let directory = tempfile::Builder::new()
        .prefix("ember-qemu-")
        .tempdir()
        .map_err(|source| DeployError::file("make a directory in", env::temp_dir(), source))?;
    let (input, output, errors) = (
        directory.path().join(INPUT),
        directory.path().join(OUTPUT),
        directory.path().join(ERRORS),
    );
    write_requests(job, &input)?;
    // Made here, so that it is there to be read before the firmware opens it.
    File::create(&output).map_err(|source| DeployError::file("write", &output, source))?;
    let mut reader =
        File::open(&output).map_err(|source| DeployError::file("read", &output, source))?;

    let mut emulator = Running::start(job, &program, directory.path(), &errors)?;
    let mut last_sign = Instant::now();
    let status = loop {
        // Asked before the last look at the file: what the firmware wrote before it ended is then there.
        let status = emulator.status()?;
        let taken = take_new(&mut reader, &output, &mut hearing, progress)?;
        if let Some(status) = status {
            break status;
        }
        if taken > 0 {
            last_sign = Instant::now();
        } else if last_sign.elapsed() > job.patience {
            return Err(DeployError::Hang {
                waited: job.patience,
                done: hearing.recorder().answered(),
                total: hearing.recorder().total(),
            });
        }
        if progress(None).is_break() {
            return Err(hearing.recorder().stopped());
        }
        thread::sleep(POLL);
    };
    if !status.success() || !hearing.recorder().is_done() {
        // Whoever asked us to stop may have stopped the emulator too.
        if progress(None).is_break() {
            return Err(hearing.recorder().stopped());
        }
        return Err(DeployError::EmulatorEnded {
            emulator: qemu.program.to_owned(),
            status: status.to_string(),
            output: fs::read_to_string(&errors).unwrap_or_default(),
        });
    }
    let sent = hearing.recorder().total();
    hearing.finish(version(&program, qemu), sent)
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

/// A QEMU that is stopped when this is dropped, whatever the reason.
struct Running {
    child: Child,
    program: &'static str,
}

impl Running {
    fn start(
        job: &Job<'_>,
        program: &Path,
        directory: &Path,
        errors: &Path,
    ) -> Result<Self, DeployError> {
        let QemuMachine {
            program: name,
            machine,
            arguments,
            ..
        } = job.machine.qemu;
        let elf = std::path::absolute(job.elf)
            .map_err(|source| DeployError::file("find", job.elf, source))?;
        if !elf.is_file() {
            return Err(DeployError::file(
                "read",
                elf,
                io::Error::from(io::ErrorKind::NotFound),
            ));
        }
        let errors_file =
            File::create(errors).map_err(|source| DeployError::file("write", errors, source))?;
        let mut command = Command::new(program);
        // In a group of its own, ctrl-C reaches us alone, and we end it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command
            .args(["-machine", machine])
            .args(arguments)
            .args(["-icount", "shift=0"])
            .args(["-display", "none", "-serial", "none", "-monitor", "none"])
            .args(["-semihosting-config", "enable=on,target=native"])
            .arg("-kernel")
            .arg(elf)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors_file)
            .spawn()
            .map_err(|source| DeployError::Start {
                program: name.to_owned(),
                source,
            })?;
        Ok(Self {
            child,
            program: name,
        })
    }

    fn status(&mut self) -> Result<Option<ExitStatus>, DeployError> {
        self.child.try_wait().map_err(|source| DeployError::Start {
            program: self.program.to_owned(),
            source,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Name and version, from the first line of `--version`.
fn version(program: &Path, qemu: QemuMachine) -> String {
    let number = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()
        .and_then(|output| {
            let text = String::from_utf8(output.stdout).ok()?;
            let word = text.split_whitespace().nth(3)?;
            Some(word.to_owned())
        });
    match number {
        Some(number) => format!("QEMU {number} ({})", qemu.machine),
        None => format!("QEMU ({})", qemu.machine),
    }
}
