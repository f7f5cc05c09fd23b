//! What the results of a training may depend on besides its settings: versions and the machine.

/// The version of Burn that this binary was linked with.
#[must_use]
pub fn burn_version() -> &'static str {
    let lock = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock"));
    lock.split("[[package]]")
        .filter_map(|package| package.trim_start().strip_prefix("name = \"burn\""))
        .filter_map(|rest| rest.split('"').nth(1))
        .next()
        .unwrap_or("unknown")
}

/// The instruction set and those of its extensions that pick Burn's kernels at run time, such as `x86_64+avx2+fma`. The
/// same seed gives the same bits on machines that have the same of them.
#[must_use]
pub fn cpu() -> String {
    let mut text = std::env::consts::ARCH.to_owned();
    for feature in features() {
        text.push('+');
        text.push_str(feature);
    }
    text
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    macro_rules! detected {
        ($($name:tt),*) => {
            [$(($name, std::arch::is_x86_feature_detected!($name))),*]
        };
    }
    let known = detected!("sse4.1", "avx", "avx2", "fma", "avx512f", "avx512fp16");
    let found = known.into_iter().filter(|(_, found)| *found);
    found.map(|(name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn features() -> Vec<&'static str> {
    Vec::new()
}

/// The greatest resident memory of this process so far, in bytes, where the system tells (Linux).
#[must_use]
pub fn peak_ram_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Makes the allocator keep the memory of freed tensors instead of giving it back after every step, which saves a fifth
/// of the time of a training. glibc raises both of its thresholds when it frees a block that it had mapped, here one just
/// below its limit of 32 MiB (mallopt(3), "dynamic mmap threshold"); other allocators do not mind.
pub fn keep_freed_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(31 << 20)));
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_of_burn_is_the_locked_one() {
        let version = super::burn_version();
        assert!(version.starts_with("0.22."), "{version}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_peak_covers_this_test() {
        let ballast = vec![1u8; 1 << 20];
        assert!(super::peak_ram_bytes().unwrap() > ballast.len() as u64);
    }
}
