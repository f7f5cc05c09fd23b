//! The kernels on the processors that have code of their own, in QEMU: `examples/on_cores` runs there.
//!
//! Where a target of Rust or QEMU is not installed, that is said and nothing is tested.

use std::path::Path;
use std::process::{Command, Stdio};

/// Builds the example for the target, and for a processor of more than its least where one is named, and runs it on the machine.
fn run(target: &str, cpu: Option<&str>, script: &str, emulator: &str, machine: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if let Err(error) = Command::new(emulator)
        .arg("--version")
        .stdout(Stdio::null())
        .status()
    {
        eprintln!("skipped: {emulator}: {error}");
        return;
    }
    // Kept, so that a second run compiles nothing.
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cores");
    let mut build = Command::new(env!("CARGO"));
    if let Some(cpu) = cpu {
        build.env("RUSTFLAGS", format!("-Ctarget-cpu={cpu}"));
    }
    let built = build
        .args([
            "rustc",
            "--quiet",
            "--profile",
            "firmware",
            "--example",
            "on_cores",
            "--target",
            target,
        ])
        .arg("--target-dir")
        .arg(&directory)
        .arg("--")
        .arg(format!(
            "-Clink-arg=-T{}",
            root.join("tests/cores").join(script).display()
        ))
        .current_dir(root)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&built.stderr);
    if errors.contains("target may not be installed") {
        eprintln!("skipped: `rustup target add {target}` first");
        return;
    }
    assert!(built.status.success(), "{errors}");
    let image = directory.join(target).join("firmware/examples/on_cores");
    let ran = Command::new(emulator)
        .args(machine)
        .args([
            "-display",
            "none",
            "-semihosting-config",
            "enable=on,target=native",
            "-kernel",
        ])
        .arg(image)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(
        ran.status.success(),
        "{target}, kind and number of the case: {said}"
    );
}

#[test]
fn cortex_m0() {
    run(
        "thumbv6m-none-eabi",
        None,
        "cortex_m.ld",
        "qemu-system-arm",
        &["-machine", "microbit"],
    );
}

#[test]
fn cortex_m3() {
    run(
        "thumbv7m-none-eabi",
        None,
        "cortex_m.ld",
        "qemu-system-arm",
        &["-machine", "mps2-an385"],
    );
}

#[test]
fn cortex_m4f() {
    run(
        "thumbv7em-none-eabihf",
        None,
        "cortex_m.ld",
        "qemu-system-arm",
        &["-machine", "mps2-an386"],
    );
}

#[test]
fn cortex_m55() {
    run(
        "thumbv8m.main-none-eabihf",
        Some("cortex-m55"),
        "cortex_m.ld",
        "qemu-system-arm",
        &["-machine", "mps3-an547"],
    );
}

#[test]
fn riscv32() {
    run(
        "riscv32imac-unknown-none-elf",
        None,
        "riscv.ld",
        "qemu-system-riscv32",
        &["-machine", "virt", "-bios", "none"],
    );
}
