//! Tells the code which processor it is for where stable Rust cannot: `target_feature = "dsp"` is not stable.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(dsp, scalar, armv8m)");
    let target = std::env::var("TARGET").unwrap_or_default();
    // Rust's targets of Armv7E-M and of Armv8-M Mainline have the DSP extension, as Arm's Cortex-M4, M7, M33, M55 and M85 do.
    if target.starts_with("thumbv7em") || target.starts_with("thumbv8m.main") {
        println!("cargo::rustc-cfg=dsp");
        if target.starts_with("thumbv8m") {
            println!("cargo::rustc-cfg=armv8m");
        }
    } else if target.starts_with("thumb") || target.starts_with("riscv32") {
        println!("cargo::rustc-cfg=scalar");
    }
}
