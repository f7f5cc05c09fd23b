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
    println!("cargo::rustc-check-cfg=cfg(rp2040, compiled_model)");
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
    let source = fs::read_to_string(&model)
        .map_err(|error| format!("EMBER_MODEL_RS: cannot read {model}: {error}"))?;
    let compiled = source.lines().any(|line| line == COMPILED);
    if compiled {
        println!("cargo::rustc-cfg=compiled_model");
    }
    // A copy, so that the name of the place where the model happened to lie is not in the image.
    fs::copy(&model, out.join("model_data.rs"))
        .map_err(|error| format!("EMBER_MODEL_RS: cannot copy {model}: {error}"))?;

    write(&out.join("memory.x"), &memory(&triple)?)?;
    // cortex-m-rt's `device` feature includes it for names of interrupt handlers; there are none.
    write(&out.join("device.x"), "")?;
    write(&out.join("target.rs"), &constants(compiled)?)?;
    write(&out.join("start.rs"), &start(&triple)?)?;
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-env=EMBER_TARGET={triple}");
    Ok(())
}

/// The linker's part of the chip.
fn memory(triple: &str) -> Result<String, String> {
    let flash_origin = number("EMBER_FLASH_ORIGIN")?;
    let mut script = format!(
        "MEMORY\n{{\n  FLASH (rx) : ORIGIN = {:#x}, LENGTH = {:#x}\n  RAM (rwx) : ORIGIN = {:#x}, LENGTH = {:#x}\n}}\n",
        flash_origin,
        number("EMBER_FLASH_LENGTH")?,
        number("EMBER_RAM_ORIGIN")?,
        number("EMBER_RAM_LENGTH")?,
    );
    let text_origin = optional("EMBER_TEXT_ORIGIN")?;
    if let Some(origin) = text_origin {
        script += &format!("_stext = {origin:#x};\n");
    }
    let is_riscv = triple.starts_with("riscv32");
    match env::var("EMBER_BOOT").as_deref() {
        Err(_) => {}
        Ok("rp2040") => {
            println!("cargo::rustc-cfg=rp2040");
            script += &format!(
                "SECTIONS {{ .boot {:#x} : {{ KEEP(*(.boot)) }} }}\n",
                flash_origin - RP2040_BOOT_BYTES
            );
        }
        Ok("rp2350") => {
            let words = |block: &[&str]| -> String {
                block.iter().map(|word| format!(" LONG({word})")).collect()
            };
            script += &if is_riscv {
                let words = words(&RP2350_RISCV);
                format!("SECTIONS {{ .boot {flash_origin:#x} : {{{words} }} }}\n")
            } else {
                let words = words(&RP2350_ARM);
                format!("SECTIONS {{ .boot : {{{words} }} > FLASH }} INSERT AFTER .vector_table;\n")
            };
            if text_origin.is_none() {
                script += "_stext = ALIGN(ADDR(.boot) + SIZEOF(.boot), 16);\n";
            }
        }
        Ok(other) => {
            return Err(format!(
                "EMBER_BOOT is `{other}`: there are `rp2040` and `rp2350`"
            ));
        }
    }
    if has_feature("SLOTS") {
        script += "EXTERN(EMBER_LAYOUT);\n";
    }
    if is_riscv {
        script += RISCV_SCRIPT;
    }
    Ok(script)
}

/// Bytes of the boot loader, which is in front of the flash that the linker fills.
const RP2040_BOOT_BYTES: u64 = 256;

/// The smallest image definition: an executable, for Arm, in the secure state (RP2350 datasheet, 5.9.5.1).
const RP2350_ARM: [&str; 5] = [
    "0xffffded3",
    "0x10210142",
    "0x000001ff",
    "0x00000000",
    "0xab123579",
];

/// The same for RISC-V, with the entry and the stack pointer, as the block is where code would begin (5.9.3.4, 5.9.5.2).
const RP2350_RISCV: [&str; 8] = [
    "0xffffded3",
    "0x11010142",
    "0x00000344",
    "_start",
    "_stack_start",
    "0x000004ff",
    "0x00000000",
    "0xab123579",
];

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

/// The function that the runtime crates call before they touch RAM: assembly, as there are no variables yet. Empty where the
/// chip needs no stores.
fn start(triple: &str) -> Result<String, String> {
    let Ok(text) = env::var("EMBER_START") else {
        return Ok(String::new());
    };
    let is_riscv = triple.starts_with("riscv32");
    let mut lines = Vec::new();
    for store in text.split(',') {
        let parts: Vec<_> = store.split(':').collect();
        let [address, bytes, value] = parts[..] else {
            return Err(format!(
                "EMBER_START: `{store}` is no address, width and value"
            ));
        };
        let width = match (bytes, is_riscv) {
            ("1", false) => "strb",
            ("2", false) => "strh",
            ("4", false) => "str",
            ("1", true) => "sb",
            ("2", true) => "sh",
            ("4", true) => "sw",
            _ => {
                return Err(format!(
                    "EMBER_START: `{store}` stores {bytes} bytes, not 1, 2 or 4"
                ));
            }
        };
        if is_riscv {
            lines.push(format!("li t0, {address}"));
            lines.push(format!("li t1, {value}"));
            lines.push(format!("{width} t1, 0(t0)"));
        } else {
            lines.push(format!("ldr r0, ={address}"));
            lines.push(format!("ldr r1, ={value}"));
            lines.push(format!("{width} r1, [r0]"));
        }
    }
    lines.push(if is_riscv { "ret" } else { "bx lr\n.pool" }.to_owned());
    let (kind, mode) = if is_riscv {
        ("@function", "")
    } else {
        ("%function", ".thumb_func\n")
    };
    Ok(format!(
        "core::arch::global_asm!(r#\"\n\
         .section .text.__pre_init, \"ax\"\n\
         .balign 4\n\
         .global __pre_init\n\
         .type __pre_init, {kind}\n\
         {mode}__pre_init:\n\
         {}\n\
         .size __pre_init, . - __pre_init\n\
         \"#);\n",
        lines.join("\n")
    ))
}

/// The line of a model's source that says that it is code and no file (`ember_codegen::compiled`).
const COMPILED: &str = "pub const ENGINE: &str = \"compiled\";";

/// The memory that a compiled model is.
fn compiled_memory() -> Result<String, String> {
    if has_feature("SLOTS") {
        return Err(
            "EMBER_MODEL_RS is a compiled model, which is a part of the firmware: a model in a slot is interpreted"
                .to_owned(),
        );
    }
    for variable in ["EMBER_KERNELS", "EMBER_ARENA_BYTES"] {
        if env::var_os(variable).is_some() {
            return Err(format!(
                "{variable} is set, but EMBER_MODEL_RS is a compiled model, which has no room for others: build with an interpreter"
            ));
        }
    }
    Ok("/// The model with its arena.\n\
        pub(crate) type Memory = crate::model::Model;\n\n\
        /// As it is at the start.\n\
        pub(crate) const MEMORY: Memory = crate::model::Model::new();\n"
        .to_owned())
}

/// The kernels and the arena of the interpreter.
fn interpreter() -> Result<String, String> {
    // A model of the image is prepared, and what was prepared is in flash.
    let model_needs = if has_feature("SLOTS") {
        "crate::model::ARENA_BYTES"
    } else {
        "crate::model::LINKED.arena_bytes()"
    };
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
    Ok(format!(
        "/// Bytes of the arena.\n\
         pub(crate) const ARENA_BYTES: usize = {arena_bytes};\n\n\
         /// The kernels.\n\
         pub(crate) const REGISTRY: &[::ember_micro::Registration] = {registry};\n\n\
         /// The arena.\n\
         pub(crate) type Memory = [u8; ARENA_BYTES];\n\n\
         /// As it is at the start.\n\
         pub(crate) const MEMORY: Memory = [0; ARENA_BYTES];\n"
    ))
}

/// The source of `src/target.rs`.
fn constants(compiled: bool) -> Result<String, String> {
    let mut source = if compiled {
        compiled_memory()?
    } else {
        interpreter()?
    };
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
