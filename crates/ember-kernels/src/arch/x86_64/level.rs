//! Which vector instructions the processor has.

use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use core::sync::atomic::{AtomicU8, Ordering};

use super::avx2::Avx2;
use super::vnni::Vnni;

/// Instructions that there is code for, and that the processor has.
#[derive(Clone, Copy)]
pub(in crate::arch) enum Level {
    /// None of them.
    None,
    /// AVX2.
    Avx2(Avx2),
    /// AVX-512's VNNI on 256 bits.
    Vnni(Vnni),
}

const UNKNOWN: u8 = 0;
const NONE: u8 = 1;
const AVX2: u8 = 2;
const VNNI: u8 = 3;

impl Level {
    /// The best that the processor has.
    #[inline(always)]
    pub(in crate::arch) fn best() -> Self {
        let known = known();
        // SAFETY: it has them.
        match known {
            VNNI => Self::Vnni(unsafe { Vnni::new() }),
            AVX2 => Self::Avx2(unsafe { Avx2::new() }),
            _ => Self::None,
        }
    }

    /// What its instructions are called.
    #[cfg(feature = "observe")]
    pub(in crate::arch) const fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Avx2(_) => Some("AVX2"),
            Self::Vnni(_) => Some("AVX-512 VNNI"),
        }
    }

    /// AVX2, also where there is better.
    #[cfg(test)]
    pub(in crate::arch) fn avx2() -> Self {
        if known() < AVX2 {
            return Self::None;
        }
        // SAFETY: the processor has it.
        Self::Avx2(unsafe { Avx2::new() })
    }
}

/// What [`detect`] says, asked once.
#[inline(always)]
fn known() -> u8 {
    // Whichever thread asks first writes what every other would.
    static KNOWN: AtomicU8 = AtomicU8::new(UNKNOWN);
    let mut known = KNOWN.load(Ordering::Relaxed);
    if known == UNKNOWN {
        known = detect();
        KNOWN.store(known, Ordering::Relaxed);
    }
    known
}

/// Asks the processor, and whether the operating system keeps the registers (Intel's manual, volume 1, 14.3 and 15.2).
#[cold]
fn detect() -> u8 {
    const OSXSAVE: u32 = 1 << 27;
    const AVX: u32 = 1 << 28;
    // Bits of XCR0: SSE and AVX, and for AVX-512 also masks, upper halves and upper registers.
    const YMM: u64 = 0b110;
    const ZMM: u64 = 0b1110_0110;
    // Leaf 7: EBX, ECX.
    const AVX2_BIT: u32 = 1 << 5;
    const AVX512_F_BW_VL: u32 = 1 << 16 | 1 << 30 | 1 << 31;
    const AVX512_VNNI: u32 = 1 << 11;

    if __cpuid(0).eax < 7 || __cpuid(1).ecx & (OSXSAVE | AVX) != OSXSAVE | AVX {
        return NONE;
    }
    #[target_feature(enable = "xsave")]
    fn kept_registers() -> u64 {
        // SAFETY: register 0 is there wherever the instruction is.
        unsafe { _xgetbv(0) }
    }
    // SAFETY: OSXSAVE says that there is the instruction.
    let kept = unsafe { kept_registers() };
    let leaf = __cpuid_count(7, 0);
    if kept & YMM != YMM || leaf.ebx & AVX2_BIT == 0 {
        NONE
    } else if kept & ZMM == ZMM
        && leaf.ebx & AVX512_F_BW_VL == AVX512_F_BW_VL
        && leaf.ecx & AVX512_VNNI != 0
    {
        VNNI
    } else {
        AVX2
    }
}

#[cfg(test)]
mod tests {
    use super::{AVX2, VNNI, detect};

    #[test]
    fn the_processor_has_what_the_standard_library_says() {
        let avx2 = std::is_x86_feature_detected!("avx2");
        let vnni = std::is_x86_feature_detected!("avx512f")
            && std::is_x86_feature_detected!("avx512bw")
            && std::is_x86_feature_detected!("avx512vl")
            && std::is_x86_feature_detected!("avx512vnni");
        assert_eq!(detect() >= AVX2, avx2);
        assert_eq!(detect() == VNNI, avx2 && vnni);
    }
}
