//! `cargo xtask doctor`: what is installed, and the command for what is not.

use anyhow::{Result, bail};
use ember_data::LoadOptions;
use ember_deploy::firmware::target_installed;
use ember_deploy::machine::MACHINES;

use crate::app::App;
use crate::toolchain;
use crate::workspace;

/// One line of the answer.
struct Finding {
    /// What was looked for.
    what: String,
    /// What was found, or what to do.
    state: Result<String, String>,
    /// Whether the pipeline cannot end without it.
    needed: bool,
}

/// Shows what is there.
///
/// # Errors
/// When something is missing without which the pipeline cannot end.
pub fn run(app: &App) -> Result<()> {
    let findings = findings();
    for Finding {
        what,
        state,
        needed,
    } in &findings
    {
        let (mark, text) = match (state, needed) {
            (Ok(text), _) => ("ok", text),
            (Err(text), true) => ("MISSING", text),
            (Err(text), false) => ("optional", text),
        };
        app.console.result(format!("{mark:>8}  {what:<34} {text}"));
    }
    let missing = findings
        .iter()
        .filter(|finding| finding.needed && finding.state.is_err())
        .count();
    if missing > 0 {
        bail!("{missing} thing(s) that the pipeline needs are missing; the commands are above");
    }
    Ok(())
}

fn findings() -> Vec<Finding> {
    let mut findings = vec![Finding {
        what: "Rust".to_owned(),
        state: toolchain::rustc_version().map_err(|error| error.to_string()),
        needed: true,
    }];
    if cfg!(unix) {
        findings.push(Finding {
            what: "C compiler and linker (cc)".to_owned(),
            state: toolchain::find("cc")
                .map(|path| path.display().to_string())
                .ok_or_else(|| "sudo apt-get install gcc".to_owned()),
            needed: true,
        });
    }
    for target in targets() {
        let installed = target_installed(&workspace::root(), target).unwrap_or(false);
        let state = if installed {
            Ok("installed".to_owned())
        } else {
            Err(format!(
                "rustup target add {target} (the pipeline does it when it needs it)"
            ))
        };
        findings.push(Finding {
            what: format!("target {target}"),
            state,
            needed: false,
        });
    }
    let mut programs: Vec<_> = MACHINES
        .iter()
        .map(|machine| (machine.qemu.program, machine.qemu.package))
        .collect();
    programs.sort_unstable();
    programs.dedup();
    for (program, package) in programs {
        let state = toolchain::find(program).map(|path| path.display().to_string()).ok_or_else(|| {
            format!("sudo apt-get install {package}; without it the embedded Cortex-M3 emulator runs")
        });
        findings.push(Finding {
            what: program.to_owned(),
            state,
            needed: false,
        });
    }
    findings.push(mnist());
    findings.push(committed_model());
    findings
}

/// Each Rust target that a machine needs, once.
fn targets() -> Vec<&'static str> {
    let mut targets: Vec<_> = MACHINES.iter().map(|machine| machine.target).collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}

fn committed_model() -> Finding {
    let file = "artifacts/zoo/seed-cnn/manifest.json";
    let state = if workspace::root().join(file).is_file() {
        Ok(file.to_owned())
    } else {
        Err(format!("{file} is not in this checkout: git restore it"))
    };
    Finding {
        what: "committed model".to_owned(),
        state,
        needed: false,
    }
}

fn mnist() -> Finding {
    let options = LoadOptions::for_workspace(&workspace::root());
    let state = match ember_data::find_mnist(&options) {
        Ok(Some(folder)) => Ok(workspace::shown(&folder)),
        Err(error) => Err(error.to_string()),
        Ok(None) => Err(
            "not on this machine: it will be downloaded, or drawn digits take its place".to_owned(),
        ),
    };
    Finding {
        what: "MNIST".to_owned(),
        state,
        needed: false,
    }
}
