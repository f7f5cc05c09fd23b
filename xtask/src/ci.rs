//! `cargo xtask ci` and `cargo xtask test`: what continuous integration runs, runnable on a desk.

use anyhow::{Context, Result, bail};
use ember_deploy::firmware::ensure_target;

use crate::app::App;
use crate::cli::Ci;
use crate::stages::firmware;
use crate::toolchain::{self, Reported, cargo};
use crate::workspace;

/// A step of continuous integration.
struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&App) -> Result<()>,
}

/// The steps in the order in which they run: the cheap ones that fail most often first.
const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        what: "formatting",
        run: fmt,
    },
    Step {
        name: "tidy",
        what: "layers, paths and headers",
        run: |_| crate::tidy::run(),
    },
    Step {
        name: "clippy",
        what: "lints",
        run: clippy,
    },
    Step {
        name: "test",
        what: "all tests",
        run: test,
    },
    Step {
        name: "pipeline",
        what: "the pipeline on synthetic digits, two cores",
        run: synthetic_pipeline,
    },
    Step {
        name: "embedded",
        what: "the same without QEMU",
        run: embedded,
    },
    Step {
        name: "deploy",
        what: "chips in emulators, dry runs, and no probe",
        run: deploy,
    },
    Step {
        name: "compress",
        what: "prune, cluster, quantize and compare from the command line",
        run: compress,
    },
    Step {
        name: "examples",
        what: "projects of others that use the crates",
        run: examples,
    },
    Step {
        name: "miri",
        what: "what the device runs, in an interpreter that sees undefined behaviour",
        run: miri,
    },
    Step {
        name: "gpu",
        what: "the GPU delegate, on a software driver where there is no GPU",
        run: gpu,
    },
    Step {
        name: "verify",
        what: "reproducible files and training",
        run: verify,
    },
    Step {
        name: "bench",
        what: "size and instructions against the baseline",
        run: bench,
    },
];

/// Runs the steps.
///
/// # Errors
/// The first step that fails, or a step name that there is not.
pub fn run(app: &App, settings: &Ci) -> Result<()> {
    for name in &settings.only {
        if !STEPS.iter().any(|step| step.name == name) {
            let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
            bail!(
                "there is no step `{name}`: the steps are {}",
                names.join(", ")
            );
        }
    }
    let chosen = |step: &&Step| {
        settings.only.is_empty() || settings.only.iter().any(|name| name == step.name)
    };
    for step in STEPS.iter().filter(chosen) {
        app.go_on()?;
        app.console
            .step("CI", format!("{}: {}", step.name, step.what));
        (step.run)(app)?;
    }
    Ok(())
}

/// Runs all tests but those of the GPU delegate, which compiles for minutes: the light crates in the dev profile, where
/// arithmetic is checked for overflow, and the training crate with optimization, without which it is thirty times slower.
///
/// Property tests draw the same cases each time, so that a result can be had again; `PROPTEST_RNG_SEED` in the
/// environment draws others, and `cargo test` new ones each time.
///
/// # Errors
/// A failing test, or a missing Rust target that cannot be installed.
pub fn test(app: &App) -> Result<()> {
    for machine in firmware::machines(&[])? {
        ensure_target(&workspace::root(), machine.target, false)?;
    }
    let seed = std::env::var("PROPTEST_RNG_SEED").unwrap_or_else(|_| "1".to_owned());
    let test = |arguments: &[&str]| {
        let mut command = cargo();
        command.arg("test").args(arguments);
        toolchain::run(command.env("PROPTEST_RNG_SEED", &seed))
    };
    test(&[
        "--workspace",
        "--exclude",
        "ember-gpu",
        "--exclude",
        "ember-train",
    ])?;
    app.go_on()?;
    test(&["--release", "--package", "ember-train"])
}

fn fmt(_: &App) -> Result<()> {
    toolchain::run(cargo().args(["fmt", "--all", "--check"]))
}

fn clippy(_: &App) -> Result<()> {
    toolchain::run(cargo().args([
        "clippy",
        "--workspace",
        "--exclude",
        "ember-gpu",
        "--exclude",
        "ember-train",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    toolchain::run(cargo().args([
        "clippy",
        "--release",
        "--package",
        "ember-train",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

fn xtask(app: &App, arguments: &[&str]) -> Result<()> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.args(arguments);
    if app.quiet {
        command.arg("--quiet");
    }
    toolchain::run_ours(&mut command)
}

fn synthetic_pipeline(app: &App) -> Result<()> {
    xtask(
        app,
        &[
            "pipeline",
            "--name",
            "ci",
            "--dataset",
            "synthetic",
            "--epochs",
            "2",
            "--on",
            "cortex-m4,rv32imac",
        ],
    )
}

fn embedded(app: &App) -> Result<()> {
    xtask(
        app,
        &[
            "run",
            "--name",
            "ci",
            "--dataset",
            "synthetic",
            "--on",
            "cortex-m3",
            "--emulator",
            "embedded",
        ],
    )
}

/// Chips whose images an emulator runs: one per kind of core.
const EMULATED_CHIPS: [&str; 3] = ["STM32F405RGTx", "nRF51822_xxAA", "fe310-g002"];

fn deploy(app: &App) -> Result<()> {
    for chip in EMULATED_CHIPS {
        xtask(
            app,
            &[
                "deploy",
                "--chip",
                chip,
                "--emulate",
                "--dataset",
                "synthetic",
            ],
        )?;
    }
    // A model alone, into the image that the first of them left.
    let [chip, ..] = EMULATED_CHIPS;
    let update = [
        "--emulate",
        "--model-only",
        "seed-cnn",
        "--dataset",
        "synthetic",
    ];
    xtask(app, &[&["deploy", "--chip", chip][..], &update].concat())?;
    // The same chip with a model that is code.
    let compiled = [
        "--emulate",
        "--engine",
        "compiled",
        "--dataset",
        "synthetic",
    ];
    xtask(app, &[&["deploy", "--chip", chip][..], &compiled].concat())?;
    xtask(
        app,
        &["deploy", "--chip", "RP2040", "--dry-run", "--format", "uf2"],
    )?;
    xtask(app, &["fit", "--chip", "STM32F100RB"])?;
    match xtask(app, &["probes"]) {
        Err(error) if matches!(error.downcast_ref(), Some(Reported(NO_PROBE))) => Ok(()),
        Err(error) => Err(error),
        // A machine with a probe on it: nothing can be said about its absence.
        Ok(()) => Ok(()),
    }
}

/// A model that is pruned, clustered and trained for integers, one epoch each, and then put on a chip; and the table of all
/// variants of a small one.
fn compress(app: &App) -> Result<()> {
    let dataset = ["--dataset", "synthetic"];
    let steps: [&[&str]; 4] = [
        &["prune", "--model", "seed-cnn", "--fine-tune", "1"],
        &[
            "cluster",
            "--model",
            "artifacts/models/seed-cnn-pruned-80.tflite",
            "--keep-zeros",
            "--fine-tune",
            "1",
            "--out",
            "artifacts/models/ci-clustered.safetensors",
        ],
        &[
            "quantize",
            "--model",
            "artifacts/models/ci-clustered.safetensors",
            "--qat",
            "1",
            "--keep-zeros",
            "--keep-clusters",
            "--store",
            "ember",
            "--debug",
            "--out",
            "artifacts/models/ci.tflite",
        ],
        &[
            "deploy",
            "--chip",
            "STM32F405RGTx",
            "--emulate",
            "--model",
            "artifacts/models/ci.tflite",
        ],
    ];
    for step in steps {
        xtask(app, &[step, &dataset].concat())?;
    }
    let compare = ["compare", "--model", "nano-cnn", "--on", "cortex-m4"];
    xtask(app, &[&compare[..], &["--images", "3"], &dataset].concat())
}

/// What commands exit with when there is no debug probe.
const NO_PROBE: u8 = 2;

/// Projects outside the workspace, each in its folder as its author would build it.
fn examples(app: &App) -> Result<()> {
    let root = workspace::root();
    ensure_target(&root, "thumbv7em-none-eabihf", false)?;
    let target = root.join("target/examples");
    let folder = root.join("examples");
    let listed = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot list {}", workspace::shown(&folder)))?;
    for project in listed {
        let project = project?.path();
        let lines = [
            &["fmt", "--check"][..],
            &["clippy", "--release", "--locked", "--", "-D", "warnings"],
            &["build", "--release", "--locked"],
        ];
        for line in lines {
            app.go_on()?;
            let mut command = cargo();
            command.args(line).current_dir(&project);
            toolchain::run(command.env("CARGO_TARGET_DIR", &target))?;
        }
    }
    Ok(())
}

/// Unit tests of what the device runs, under Miri, which is in nightly toolchains only. Assembly it cannot run, and of
/// random cases it runs few.
fn miri(app: &App) -> Result<()> {
    let miri = || {
        let mut command = std::process::Command::new("rustup");
        command.args(["run", "nightly", "cargo", "miri"]);
        command
            .current_dir(workspace::root())
            .env("CARGO_TARGET_DIR", workspace::root().join("target/miri"))
            .env("PROPTEST_CASES", "2")
            .env("PROPTEST_RNG_SEED", "1")
            .env(
                "MIRIFLAGS",
                "-Zmiri-disable-isolation -Zmiri-deterministic-floats",
            );
        command
    };
    if toolchain::output(miri().arg("--version")).is_err() {
        app.console.notice(
            "no Miri here, so nothing ran in it: rustup toolchain install nightly --component miri,rust-src",
        );
        return Ok(());
    }
    for part in [
        &["ember-core", "--lib", "view"][..],
        &["ember-micro", "--lib"],
        &["ember-kernels", "--lib", "--", "--skip", "arch"],
    ] {
        app.go_on()?;
        toolchain::run(miri().args(["test", "--package"]).args(part))?;
    }
    Ok(())
}

/// Lints and tests of the GPU delegate. A software driver does; where there is none at all the tests say that nothing was tested,
/// and `EMBER_REQUIRE_GPU=1` makes that a failure.
fn gpu(app: &App) -> Result<()> {
    // The delegate's own work is done by the driver, so Burn is compiled without optimization, in a third of the time.
    let about_it = |what: &str| {
        let mut command = cargo();
        command.args([what, "--package", "ember-gpu"]);
        command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "0");
        command
    };
    toolchain::run(about_it("clippy").args(["--all-targets", "--", "-D", "warnings"]))?;
    app.go_on()?;
    // What the tests say of the driver must not be lost.
    let zoo = tempfile::tempdir()?;
    crate::gpu::write_float_zoo(zoo.path())?;
    let mut test = about_it("test");
    test.args(["--", "--nocapture"]);
    toolchain::run(test.env("EMBER_FLOAT_MODELS", zoo.path()))
}

fn verify(app: &App) -> Result<()> {
    xtask(app, &["verify", "--training"])
}

fn bench(app: &App) -> Result<()> {
    xtask(app, &["bench", "--check"])?;
    xtask(app, &["bench", "--chips", "--check"])
}
