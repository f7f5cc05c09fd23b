//! Brings in what the image is built around: the model's source and the chip's memory map, both named by the caller.
//!
//! | variable | what |
//! |---|---|
//! | `EMBER_MODEL_RS` | path of the generated `model_data.rs` |
//! | `EMBER_FLASH_ORIGIN`, `EMBER_FLASH_LENGTH` | where code and constants go, in bytes, decimal or `0x…` |
//! | `EMBER_RAM_ORIGIN`, `EMBER_RAM_LENGTH` | where variables and the stack go |
//!
//! `cargo xtask firmware` sets them. On a host there is no image, and nothing is needed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    for variable in [
        "EMBER_MODEL_RS",
        "EMBER_FLASH_ORIGIN",
        "EMBER_FLASH_LENGTH",
        "EMBER_RAM_ORIGIN",
        "EMBER_RAM_LENGTH",
    ] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    if let Err(error) = prepare() {
        println!("cargo::error={error}");
    }
}

fn prepare() -> Result<(), String> {
    let out = PathBuf::from(env::var("OUT_DIR").map_err(|error| error.to_string())?);
    let triple = env::var("TARGET").map_err(|error| error.to_string())?;

    let model = env::var("EMBER_MODEL_RS").map_err(|_| {
        "EMBER_MODEL_RS is not set: a firmware is built around a model; use `cargo xtask firmware`"
    })?;
    println!("cargo::rerun-if-changed={model}");
    // A copy, so that the name of the place where the model happened to lie is not in the image.
    fs::copy(&model, out.join("model_data.rs"))
        .map_err(|error| format!("EMBER_MODEL_RS: cannot copy {model}: {error}"))?;

    let script = if triple.starts_with("riscv32") {
        RISCV_SCRIPT
    } else {
        ""
    };
    let memory = format!(
        "MEMORY\n{{\n  FLASH (rx) : ORIGIN = {:#x}, LENGTH = {:#x}\n  RAM (rwx) : ORIGIN = {:#x}, LENGTH = {:#x}\n}}\n{script}",
        number("EMBER_FLASH_ORIGIN")?,
        number("EMBER_FLASH_LENGTH")?,
        number("EMBER_RAM_ORIGIN")?,
        number("EMBER_RAM_LENGTH")?,
    );
    write(&out.join("memory.x"), &memory)?;
    // cortex-m-rt's `device` feature includes it for names of interrupt handlers; there are none.
    write(&out.join("device.x"), "")?;
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-env=EMBER_TARGET={triple}");
    Ok(())
}

/// What riscv-rt wants of `memory.x` besides the memory.
const RISCV_SCRIPT: &str = "REGION_ALIAS(\"REGION_TEXT\", FLASH);
REGION_ALIAS(\"REGION_RODATA\", FLASH);
REGION_ALIAS(\"REGION_DATA\", RAM);
REGION_ALIAS(\"REGION_BSS\", RAM);
REGION_ALIAS(\"REGION_HEAP\", RAM);
REGION_ALIAS(\"REGION_STACK\", RAM);
/* Tables for unwinding, which nothing here does. */
SECTIONS { /DISCARD/ : { *(.eh_frame .eh_frame.*) } }
";

fn number(variable: &str) -> Result<u64, String> {
    let text = env::var(variable).map_err(|_| {
        format!(
            "{variable} is not set: the chip's memory map is needed; use `cargo xtask firmware`"
        )
    })?;
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|error| format!("{variable} is `{text}`: {error}"))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
