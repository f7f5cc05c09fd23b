//! Tells the code which processor it is for where stable Rust cannot: `target_feature = "dsp"` and `"mve"` are not stable.

/// Processors with the M-profile Vector Extension, as rustc's `target-cpu` calls them. A Cortex-M52 and M85 run what is made for
/// an M55 as well.
const VECTORS: [&str; 1] = ["cortex-m55"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(dsp, mve, scalar, armv6m, armv7m, armv8m, rv32im)");
    let target = std::env::var("TARGET").unwrap_or_default();
    // Rust's targets of Armv7E-M and of Armv8-M Mainline have the DSP extension, as Arm's Cortex-M4, M7 and M33 do.
    if target.starts_with("thumbv8m.main") && VECTORS.contains(&&*target_cpu()) {
        println!("cargo::rustc-cfg=mve");
    } else if target.starts_with("thumbv7em") || target.starts_with("thumbv8m.main") {
        println!("cargo::rustc-cfg=dsp");
        if target.starts_with("thumbv8m") {
            println!("cargo::rustc-cfg=armv8m");
        }
    } else if target.starts_with("thumb") || target.starts_with("riscv32") {
        println!("cargo::rustc-cfg=scalar");
        // RV32I has no products, RV32E half the registers.
        let own = [
            ("thumbv6m", "armv6m"),
            ("thumbv7m", "armv7m"),
            ("riscv32im", "rv32im"),
        ];
        for (_, cfg) in own.iter().filter(|(start, _)| target.starts_with(start)) {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
}

/// What rustc is told by `-C target-cpu`, the last of them; empty where it is not told.
fn target_cpu() -> String {
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let mut cpu = "";
    for flag in flags.split('\x1f') {
        let option = flag.strip_prefix("-C").unwrap_or(flag).trim();
        if let Some(name) = option.strip_prefix("target-cpu=") {
            cpu = name;
        }
    }
    cpu.to_owned()
}
