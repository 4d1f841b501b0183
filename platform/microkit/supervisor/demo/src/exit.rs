//! QEMU's ways to end the machine. The image builder fills in the symbol where the board has one. On RISC-V
//! and x86-64 it also gives the device to the supervisor.

#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::exit;
#[cfg(target_arch = "riscv64")]
pub(crate) use riscv64::exit;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::exit;

/// Semihosting.
#[cfg(target_arch = "aarch64")]
mod aarch64 {
    /// Semihosting operation `SYS_EXIT_EXTENDED` and the reason `ADP_Stopped_ApplicationExit`.
    const SYS_EXIT_EXTENDED: u64 = 0x20;
    const APPLICATION_EXIT: u64 = 0x2_0026;

    /// Ends the machine, if it is QEMU with semihosting for user programs. On another machine the instruction
    /// would raise an exception, so it is executed only where the image builder says that it may be.
    pub(crate) fn exit(code: u8) {
        if ferry_platform::patched_symbol!("ferry_exit").is_none() {
            return;
        }
        let reason = [APPLICATION_EXIT, u64::from(code)];
        // SAFETY: the operation reads the two words at the address in `x1`, which stay until it ends, and
        // does not return. A machine that does not know the operation stops this thread.
        unsafe {
            core::arch::asm!("hlt #0xf000", in("x0") SYS_EXIT_EXTENDED, in("x1") reason.as_ptr(), lateout("x0") _);
        }
    }
}

/// `sifive_test`.
#[cfg(target_arch = "riscv64")]
mod riscv64 {
    /// What the register takes: an end that is a success, and one with a code in the upper half.
    const PASS: u32 = 0x5555;
    const FAIL: u32 = 0x3333;

    /// Ends the machine, if it is QEMU with `sifive_test`: its exit status is `code`.
    pub(crate) fn exit(code: u8) {
        let Some(address) = ferry_platform::patched_symbol!("ferry_exit") else { return };
        let register = core::ptr::with_exposed_provenance_mut::<u32>(address);
        let word = if code == 0 { PASS } else { u32::from(code) << 16 | FAIL };
        // SAFETY: the image builder maps the page of the register there. Other words than these do nothing.
        unsafe { register.write_volatile(word) };
    }
}

/// `isa-debug-exit`.
#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use ferry_boards::Exit;
    use supervisor::console::FIRST_PORTS;

    /// Ends the machine, if it is QEMU with `isa-debug-exit`: its exit status is `code * 2 + 1`, and codes
    /// above [`Exit::DEBUG_EXIT_MOST`] count as that.
    pub(crate) fn exit(code: u8) {
        let Some(number) = ferry_platform::patched_symbol!("ferry_exit") else { return };
        sel4::with_ipc_buffer_mut(|buffer| {
            let (port, code) = (Exit::DEBUG_EXIT_PORT.into(), code.min(Exit::DEBUG_EXIT_MOST).into());
            buffer.inner_mut().seL4_X86_IOPort_Out8(FIRST_PORTS + number as u64, port, code);
        });
    }
}
