//! Tells the code which processor it is for where stable Rust cannot: `target_feature = "dsp"` is not stable.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(dsp, scalar, armv6m, armv7m, armv8m, rv32im)");
    let target = std::env::var("TARGET").unwrap_or_default();
    // Rust's targets of Armv7E-M and of Armv8-M Mainline have the DSP extension, as Arm's Cortex-M4, M7, M33, M55 and M85 do.
    if target.starts_with("thumbv7em") || target.starts_with("thumbv8m.main") {
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
