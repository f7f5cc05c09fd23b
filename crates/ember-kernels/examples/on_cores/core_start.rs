//! From reset to the cases and back to the emulator, by semihosting ("Semihosting for AArch32 and AArch64", Arm, 2.0).

use core::arch::{asm, naked_asm};

const SYS_WRITE0: usize = 0x04;
const SYS_EXIT_EXTENDED: usize = 0x20;
const APPLICATION_EXIT: usize = 0x2_0026;

/// The linker script sets the stack.
#[cfg(target_arch = "arm")]
#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    #[cfg(target_abi = "eabihf")]
    // SAFETY: the coprocessor access register of Armv7-M; this gives access to the floating-point unit.
    unsafe {
        (0xe000_ed88 as *mut u32).write_volatile(0xf << 20);
        asm!("dsb", "isb");
    }
    finish()
}

/// The linker script places the stack.
#[cfg(target_arch = "riscv32")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.reset")]
unsafe extern "C" fn reset() -> ! {
    naked_asm!("la sp, stack_top", "j {finish}", finish = sym finish)
}

#[cfg(target_arch = "arm")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn fault() -> ! {
    naked_asm!("b {failed}", failed = sym failed)
}

#[cfg(target_arch = "arm")]
extern "C" fn failed() -> ! {
    say(c"fault");
    exit(1)
}

extern "C" fn finish() -> ! {
    match crate::cases::run() {
        Ok(()) => exit(0),
        Err(case) => {
            say(case.what);
            let mut digits = *b"        0\n\0";
            let (mut at, mut rest) = (8, case.seed);
            loop {
                digits[at] = b'0' + (rest % 10) as u8;
                rest /= 10;
                if rest == 0 {
                    break;
                }
                at -= 1;
            }
            if let Ok(number) = core::ffi::CStr::from_bytes_with_nul(&digits) {
                say(number);
            }
            exit(1)
        }
    }
}

fn say(text: &core::ffi::CStr) {
    call(SYS_WRITE0, text.as_ptr() as usize);
}

fn exit(status: usize) -> ! {
    loop {
        let block = [APPLICATION_EXIT, status];
        call(SYS_EXIT_EXTENDED, block.as_ptr() as usize);
    }
}

fn call(number: usize, argument: usize) -> usize {
    let result;
    #[cfg(target_arch = "arm")]
    // SAFETY: a breakpoint that the emulator takes as a call; it writes nothing but the result.
    unsafe {
        asm!("bkpt 0xab", inout("r0") number => result, in("r1") argument);
    }
    #[cfg(target_arch = "riscv32")]
    // SAFETY: three instructions that the emulator takes as a call; it writes nothing but the result.
    unsafe {
        asm!(
            ".option push", ".option norvc", ".balign 16", "slli zero, zero, 0x1f", "ebreak", "srai zero, zero, 7", ".option pop",
            inout("a0") number => result, in("a1") argument,
        );
    }
    result
}

#[panic_handler]
fn panicked(_info: &core::panic::PanicInfo<'_>) -> ! {
    say(c"panic\n");
    exit(1)
}
