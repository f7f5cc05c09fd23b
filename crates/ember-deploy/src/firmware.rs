//! Builds the firmware for an emulated machine or a chip.

mod target;

pub use target::{Kernels, ModelPlace, Target, Transport};

use crate::error::DeployError;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The cargo profile that firmware is built with.
const PROFILE: &str = "firmware";

/// The undefined symbol that the firmware's panic handler refers to.
const PANIC_SYMBOL: &str = "a_path_that_panics_is_left_in_the_firmware";

/// What to build.
#[derive(Clone, Copy, Debug)]
pub struct Build<'a> {
    /// The root of the workspace.
    pub workspace: &'a Path,
    /// What to build for.
    pub target: &'a Target,
    /// The generated `model_data.rs`: the model, or where the model is in a slot its kernels and its need of arena.
    pub model_source: &'a Path,
    /// Never touch the network: a missing target is an error, and cargo gets `--offline`.
    pub offline: bool,
    /// Let cargo write to the terminal.
    pub verbose: bool,
}

impl Build<'_> {
    /// Builds the firmware and returns the path of the ELF file.
    ///
    /// # Errors
    /// [`DeployError::TargetMissing`], [`DeployError::PanicPath`] and [`DeployError::Build`].
    pub fn run(&self) -> Result<PathBuf, DeployError> {
        ensure_target(self.workspace, self.target.triple, self.offline)?;
        let model_source = std::path::absolute(self.model_source)
            .ok()
            .filter(|path| path.is_file())
            .ok_or_else(|| {
                DeployError::file(
                    "read",
                    self.model_source,
                    std::io::Error::from(std::io::ErrorKind::NotFound),
                )
            })?;
        let arguments = [
            "build",
            "--package",
            "firmware",
            "--bin",
            "firmware",
            "--profile",
            PROFILE,
            "--target",
            self.target.triple,
        ];
        let features = self.target.features();
        let mut command = Command::new(cargo());
        command
            .args(arguments)
            .args((!features.is_empty()).then(|| format!("--features={}", features.join(","))))
            .args(self.offline.then_some("--offline"))
            .arg("--target-dir")
            .arg(self.target_directory())
            .current_dir(self.workspace)
            .env("EMBER_MODEL_RS", model_source)
            // Flags of the user's environment are for the host, and would make another image.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .stdin(Stdio::null());
        match self.target.cpu {
            Some(cpu) => command.env(self.flags_variable(), format!("-Ctarget-cpu={cpu}")),
            None => command.env_remove(self.flags_variable()),
        };
        for (name, value) in self.target.variables() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let start = |source| DeployError::Start {
            program: "cargo".to_owned(),
            source,
        };
        let (success, output) = if self.verbose {
            (command.status().map_err(start)?.success(), String::new())
        } else {
            let output = command.output().map_err(start)?;
            (
                output.status.success(),
                String::from_utf8_lossy(&output.stderr).into_owned(),
            )
        };
        if success {
            return Ok(self.elf_path());
        }
        if let Some(bytes) = flash_overflow(&output) {
            return Err(DeployError::Overflow {
                target: self.target.name.clone(),
                bytes,
            });
        }
        if output.contains(PANIC_SYMBOL) {
            let lines: Vec<_> = output
                .lines()
                .filter(|line| line.contains("rust-lld") || line.trim_start().starts_with(">>>"))
                .collect();
            return Err(DeployError::PanicPath {
                target: self.target.triple,
                output: lines.join("\n"),
            });
        }
        Err(DeployError::Build {
            command: format!("cargo {}", arguments.join(" ")),
            output,
        })
    }

    /// The variable by which cargo is told of compiler flags for the target.
    fn flags_variable(&self) -> String {
        let triple = self.target.triple.replace(['-', '.'], "_").to_uppercase();
        format!("CARGO_TARGET_{triple}_RUSTFLAGS")
    }

    /// Where cargo puts the ELF file.
    #[must_use]
    pub fn elf_path(&self) -> PathBuf {
        self.target_directory()
            .join(self.target.triple)
            .join(PROFILE)
            .join("firmware")
    }

    /// The folder that cargo is told to build in, so that settings elsewhere cannot move the ELF file.
    fn target_directory(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR").map_or_else(
            || self.workspace.join("target"),
            |directory| self.workspace.join(directory),
        )
    }
}

/// Bytes by which the linker found the firmware larger than its part of the flash.
fn flash_overflow(output: &str) -> Option<u32> {
    let sections = output.lines().filter_map(|line| {
        let (_, rest) = line.split_once("will not fit in region 'FLASH': overflowed by ")?;
        rest.split_once(' ')?.0.parse::<u32>().ok()
    });
    // The linker counts up to the end of each section that is outside.
    sections.max()
}

/// Sees to it that the compiler that `workspace` uses has a `core` for `target`: has rustup install it where it is missing,
/// unless `offline`.
///
/// # Errors
/// [`DeployError::TargetMissing`] with the command to run by hand, and [`DeployError::Start`] when there is no compiler.
pub fn ensure_target(
    workspace: &Path,
    target: &'static str,
    offline: bool,
) -> Result<(), DeployError> {
    let missing = |output| DeployError::TargetMissing { target, output };
    if target_installed(workspace, target)? {
        return Ok(());
    }
    if offline {
        return Err(missing("(offline: it was not tried)".to_owned()));
    }
    let output = Command::new("rustup")
        .args(["target", "add", target])
        .current_dir(workspace)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| missing(format!("rustup: {error}")))?;
    if output.status.success() && target_installed(workspace, target)? {
        Ok(())
    } else {
        Err(missing(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ))
    }
}

/// Whether the compiler that `workspace` uses has a `core` for `target`.
///
/// # Errors
/// [`DeployError::Start`] when there is no compiler.
pub fn target_installed(workspace: &Path, target: &str) -> Result<bool, DeployError> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(workspace)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| DeployError::Start {
            program: "rustc".to_owned(),
            source,
        })?;
    let directory = String::from_utf8_lossy(&output.stdout);
    let has_core = fs::read_dir(directory.trim()).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
    });
    Ok(output.status.success() && has_core)
}

fn cargo() -> std::ffi::OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use super::flash_overflow;

    #[test]
    fn the_linker_says_by_how_much_a_firmware_is_too_large() {
        let output = "rust-lld: error: section '.text' will not fit in region 'FLASH': overflowed by 120 bytes\n\
                      rust-lld: error: section '.rodata' will not fit in region 'FLASH': overflowed by 4044 bytes\n\
                      rust-lld: error: section '.bss' will not fit in region 'RAM': overflowed by 9 bytes";
        assert_eq!(flash_overflow(output), Some(4044));
        assert_eq!(flash_overflow("error: linking failed"), None);
    }
}
