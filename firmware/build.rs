//! Brings in what the image is built around: the model's source and the chip's memory map, both named by the caller.
//!
//! | variable | what |
//! |---|---|
//! | `EMBER_MODEL_RS` | path of the generated `model_data.rs` |
//! | `EMBER_FLASH_ORIGIN`, `EMBER_FLASH_LENGTH` | where code and constants go, in bytes, decimal or `0x…` |
//! | `EMBER_TEXT_ORIGIN` | the first address for code behind the vector table; right behind it when not set |
//! | `EMBER_RAM_ORIGIN`, `EMBER_RAM_LENGTH` | where variables and the stack go |
//! | `EMBER_RTT_UP_BYTES`, `EMBER_RTT_DOWN_BYTES` | the buffers to and from the host; feature `rtt` |
//! | `EMBER_SLOTS` | where models are: `0xADDRESS+0xLENGTH`, two with a comma between; feature `slots` |
//! | `EMBER_PUBLIC_KEY` | who must have signed them: 64 hexadecimal digits; feature `signed` |
//! | `EMBER_BOOT` | what the chip starts: `rp2040` or `rp2350`; not set: the vector table or first instruction |
//! | `EMBER_START` | stores before anything else: `0xADDRESS:BYTES:0xVALUE`, with commas between |
//! | `EMBER_ARENA_BYTES` | bytes of the arena; never fewer than the model needs, which is the default |
//! | `EMBER_KERNELS` | `int8`: all of them, not only the model's |
//!
//! `ember-deploy` sets them. On a host there is no image, and nothing is needed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

const VARIABLES: [&str; 14] = [
    "EMBER_MODEL_RS",
    "EMBER_FLASH_ORIGIN",
    "EMBER_FLASH_LENGTH",
    "EMBER_TEXT_ORIGIN",
    "EMBER_RAM_ORIGIN",
    "EMBER_RAM_LENGTH",
    "EMBER_RTT_UP_BYTES",
    "EMBER_RTT_DOWN_BYTES",
    "EMBER_SLOTS",
    "EMBER_PUBLIC_KEY",
    "EMBER_BOOT",
    "EMBER_START",
    "EMBER_ARENA_BYTES",
    "EMBER_KERNELS",
];

fn main() {
    for variable in VARIABLES {
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

    write(&out.join("memory.x"), &memory(&triple)?)?;
    // cortex-m-rt's `device` feature includes it for names of interrupt handlers; there are none.
    write(&out.join("device.x"), "")?;
    write(&out.join("target.rs"), &constants()?)?;
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-env=EMBER_TARGET={triple}");
    Ok(())
}

/// The linker's part of the chip.
fn memory(triple: &str) -> Result<String, String> {
    let mut script = format!(
        "MEMORY\n{{\n  FLASH (rx) : ORIGIN = {:#x}, LENGTH = {:#x}\n  RAM (rwx) : ORIGIN = {:#x}, LENGTH = {:#x}\n}}\n",
        number("EMBER_FLASH_ORIGIN")?,
        number("EMBER_FLASH_LENGTH")?,
        number("EMBER_RAM_ORIGIN")?,
        number("EMBER_RAM_LENGTH")?,
    );
    if let Some(origin) = optional("EMBER_TEXT_ORIGIN")? {
        script += &format!("_stext = {origin:#x};\n");
    }
    if has_feature("SLOTS") {
        script += "EXTERN(EMBER_LAYOUT);\n";
    }
    if triple.starts_with("riscv32") {
        script += RISCV_SCRIPT;
    }
    Ok(script)
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

/// The source of `src/target.rs`.
fn constants() -> Result<String, String> {
    let model_needs = "crate::model::ARENA_BYTES";
    let arena_bytes = match optional("EMBER_ARENA_BYTES")? {
        None => model_needs.to_owned(),
        Some(bytes) => format!("if {model_needs} > {bytes} {{ {model_needs} }} else {{ {bytes} }}"),
    };
    let registry = match env::var("EMBER_KERNELS").as_deref() {
        Err(_) => "&crate::model::REGISTRY",
        Ok("int8") => "::ember_micro::registry::INT8",
        Ok(other) => {
            return Err(format!(
                "EMBER_KERNELS is `{other}`; the only value is `int8`"
            ));
        }
    };
    let mut source = format!(
        "/// Bytes of the arena.\n\
         pub(crate) const ARENA_BYTES: usize = {arena_bytes};\n\n\
         /// The kernels.\n\
         pub(crate) const REGISTRY: &[::ember_micro::Registration] = {registry};\n"
    );
    if has_feature("RTT") {
        let up_bytes = number("EMBER_RTT_UP_BYTES")?;
        let down_bytes = number("EMBER_RTT_DOWN_BYTES")?;
        source += &format!(
            "\n/// Bytes of the buffer to the host.\n\
             pub(crate) const RTT_UP_BYTES: usize = {up_bytes};\n\n\
             /// Bytes of the buffer from the host.\n\
             pub(crate) const RTT_DOWN_BYTES: usize = {down_bytes};\n"
        );
    }
    if has_feature("SLOTS") {
        let slots = slots(&text("EMBER_SLOTS")?)?;
        let (key, public_key) = if has_feature("SIGNED") {
            let key = key(&text("EMBER_PUBLIC_KEY")?)?;
            (
                format!("Some({key:?})"),
                format!("Some(::ember_slot::PublicKey::new({key:?}))"),
            )
        } else {
            ("None".to_owned(), "None".to_owned())
        };
        source += &format!(
            "\n/// Where models are.\n\
             pub(crate) const SLOTS: [::ember_slot::SlotRange; {}] = [{}];\n\n\
             /// Who must have signed them.\n\
             pub(crate) const KEY: Option<[u8; 32]> = {key};\n\n\
             /// The same.\n\
             pub(crate) const PUBLIC_KEY: Option<::ember_slot::PublicKey> = {public_key};\n",
            slots.len(),
            slots.join(", "),
        );
    }
    Ok(source)
}

/// The slots, as Rust.
fn slots(text: &str) -> Result<Vec<String>, String> {
    text.split(',')
        .map(|slot| {
            let (address, length) = slot
                .split_once('+')
                .ok_or_else(|| format!("EMBER_SLOTS: `{slot}` is no address and length"))?;
            Ok(format!(
                "::ember_slot::SlotRange {{ address: {address}, length: {length} }}"
            ))
        })
        .collect()
}

/// The key's bytes.
fn key(text: &str) -> Result<[u8; 32], String> {
    let wrong = || format!("EMBER_PUBLIC_KEY is `{text}` instead of 64 hexadecimal digits");
    let mut key = [0; 32];
    if text.len() != 2 * key.len() || !text.is_ascii() {
        return Err(wrong());
    }
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).map_err(|_| wrong())?;
    }
    Ok(key)
}

/// What a variable says that must be set.
fn text(variable: &str) -> Result<String, String> {
    env::var(variable).map_err(|_| {
        format!("{variable} is not set: the chip must be known; use `cargo xtask deploy`")
    })
}

fn has_feature(name: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
}

/// The number in a variable that must be set.
fn number(variable: &str) -> Result<u64, String> {
    optional(variable)?.ok_or_else(|| {
        format!("{variable} is not set: the chip must be known; use `cargo xtask firmware`")
    })
}

/// The number in a variable, if it is set.
fn optional(variable: &str) -> Result<Option<u64>, String> {
    let Ok(text) = env::var(variable) else {
        return Ok(None);
    };
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed
        .map(Some)
        .map_err(|error| format!("{variable} is `{text}`: {error}"))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
