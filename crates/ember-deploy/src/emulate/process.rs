//! QEMU as a process that ends with us.

use crate::error::DeployError;
use crate::machine::QemuMachine;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const ERRORS: &str = "qemu-errors";

/// From the end of its output to the end of the process.
const LAST_MOMENTS: Duration = Duration::from_secs(1);

/// The path of a QEMU, if it is installed.
pub(super) fn find(qemu: QemuMachine) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join(qemu.program))
        .find(|path| path.is_file())
}

/// A QEMU, stopped when this is dropped, and when this program ends without dropping anything; and a directory of its own.
pub(super) struct Process {
    child: Child,
    guard: Option<Guard>,
    qemu: QemuMachine,
    directory: TempDir,
}

/// A directory for a QEMU to run in.
pub(super) fn directory() -> Result<TempDir, DeployError> {
    tempfile::Builder::new()
        .prefix("ember-qemu-")
        .tempdir()
        .map_err(|source| DeployError::file("make a directory in", env::temp_dir(), source))
}

impl Process {
    /// Starts it in `directory` with these arguments besides those that make it the machine. One instruction takes one
    /// nanosecond of the machine's time. `stdio` is for its standard input and output.
    pub(super) fn start(
        qemu: QemuMachine,
        arguments: impl FnOnce(&mut Command),
        directory: TempDir,
        stdio: fn() -> Stdio,
    ) -> Result<Self, DeployError> {
        let program = find(qemu).unwrap_or_else(|| qemu.program.into());
        let errors = directory.path().join(ERRORS);
        let errors =
            File::create(&errors).map_err(|source| DeployError::file("write", &errors, source))?;
        let mut command = Command::new(program);
        // In a group of its own, ctrl-C reaches us alone, and we end it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
            .args(["-machine", qemu.machine])
            .args(qemu.arguments)
            .args(["-icount", "shift=0"])
            .args(["-display", "none", "-serial", "none", "-monitor", "none"])
            .current_dir(directory.path())
            .stdin(stdio())
            .stdout(stdio())
            .stderr(errors);
        arguments(&mut command);
        let child = command.spawn().map_err(|source| DeployError::Start {
            program: qemu.program.to_owned(),
            source,
        })?;
        Ok(Self {
            guard: Guard::over(child.id()),
            child,
            qemu,
            directory,
        })
    }

    pub(super) const fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Its directory.
    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// How it ended, if it has.
    pub(super) fn status(&mut self) -> Result<Option<ExitStatus>, DeployError> {
        self.child.try_wait().map_err(|source| DeployError::Start {
            program: self.qemu.program.to_owned(),
            source,
        })
    }

    /// How it ends within a second; `None` when it does not.
    pub(super) fn end(&mut self) -> Result<Option<ExitStatus>, DeployError> {
        let begin = Instant::now();
        loop {
            let status = self.status()?;
            if status.is_some() || begin.elapsed() > LAST_MOMENTS {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// What to say about an end that nobody asked for.
    pub(super) fn ended(&self, status: &str) -> DeployError {
        let errors = self.directory().join(ERRORS);
        DeployError::EmulatorEnded {
            emulator: self.qemu.program.to_owned(),
            status: status.to_owned(),
            output: fs::read_to_string(errors).unwrap_or_default(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // First, as the number of a process that has ended may be given to another one.
        drop(self.guard.take());
        // It may have ended by itself; then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that ends another one when this program is gone, and so lets go of the pipe between them, however it ended: by a
/// signal or by leaving at once.
struct Guard(Child);

impl Guard {
    /// Without a shell, or where there are no signals, there is none.
    fn over(process: u32) -> Option<Self> {
        if !cfg!(unix) {
            return None;
        }
        let mut command = Command::new("sh");
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
            .args(["-c", "read line; kill -9 \"$0\"", &process.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()
            .map(Self)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // A guard that has ended by itself has nothing left to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Name and version, from the first line of `--version`.
pub(super) fn version(qemu: QemuMachine) -> String {
    let number = Command::new(qemu.program)
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

#[cfg(all(test, unix))]
mod tests {
    use super::Guard;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    #[test]
    fn a_process_ends_when_the_pipe_to_its_guard_is_gone() {
        let mut sleeper = Command::new("sleep").arg("100").spawn().expect("a process");
        let mut guard = Guard::over(sleeper.id()).expect("there is a shell");
        // What the system does when this program ends.
        drop(guard.0.stdin.take());
        assert_eq!(sleeper.wait().expect("it ends").signal(), Some(9));
    }

    #[test]
    fn a_guard_that_is_not_needed_any_more_ends_nothing() {
        let mut sleeper = Command::new("sleep").arg("0.3").spawn().expect("a process");
        drop(Guard::over(sleeper.id()));
        assert!(sleeper.wait().expect("it ends").success());
    }
}
