//! The devices of the two boards: a UART to print on, and QEMU's way to end the machine. The image builder
//! gives them to the supervisor and fills in the symbols. Firmware or the kernel has set up the UART.

#[cfg(all(target_arch = "aarch64", feature = "requests"))]
pub(crate) use aarch64::exit;
#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::{prepare, put};
#[cfg(all(target_arch = "x86_64", feature = "requests"))]
pub(crate) use x86_64::exit;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{prepare, put};

/// `qemu_virt_aarch64`: a PL011 in memory, and semihosting.
#[cfg(target_arch = "aarch64")]
mod aarch64 {
    /// Offsets of the data and flag registers, and the flag that says that the transmit queue is full.
    const DATA: usize = 0x00;
    const FLAGS: usize = 0x18;
    const TRANSMIT_FULL: u32 = 1 << 5;
    /// Semihosting operation `SYS_EXIT_EXTENDED` and the reason `ADP_Stopped_ApplicationExit`.
    #[cfg(feature = "requests")]
    const SYS_EXIT_EXTENDED: u64 = 0x20;
    #[cfg(feature = "requests")]
    const APPLICATION_EXIT: u64 = 0x2_0026;

    /// Firmware has set up the UART.
    pub(crate) fn prepare() {}

    /// Prints text; drops it if there is no UART.
    pub(crate) fn put(text: &[u8]) {
        let Some(base) = ferry_platform::patched_symbol!("ferry_uart") else { return };
        let flags = core::ptr::with_exposed_provenance::<u32>(base + FLAGS);
        let data = core::ptr::with_exposed_provenance_mut::<u32>(base + DATA);
        for byte in text {
            // SAFETY: the image builder maps the UART's registers there, uncached. This register can be read
            // at any time.
            while unsafe { flags.read_volatile() } & TRANSMIT_FULL != 0 {}
            // SAFETY: as above. The queue has room for a byte.
            unsafe { data.write_volatile(u32::from(*byte)) };
        }
    }

    /// Ends the machine, if it is QEMU with semihosting for user programs. On another machine this raises an
    /// exception.
    #[cfg(feature = "requests")]
    pub(crate) fn exit(code: u8) {
        let reason = [APPLICATION_EXIT, u64::from(code)];
        // SAFETY: the operation reads the two words at the address in `x1`, which stay until it ends, and
        // does not return. A machine that does not know the operation stops this thread.
        unsafe {
            core::arch::asm!("hlt #0xf000", in("x0") SYS_EXIT_EXTENDED, in("x1") reason.as_ptr(), lateout("x0") _);
        }
    }
}

/// `x86_64_generic`: the first serial port, and QEMU's `isa-debug-exit`.
#[cfg(target_arch = "x86_64")]
mod x86_64 {
    /// Slot of the capability to the I/O ports with number 0. Microkit puts those of number `n` `n` slots
    /// further on.
    const FIRST_PORTS: u64 = 10 + 64 * 6;
    /// Data, queue control and line status registers, and the status bit that says that the transmitter is
    /// empty.
    const DATA: u64 = 0x3f8;
    const QUEUE_CONTROL: u64 = 0x3fa;
    const LINE_STATUS: u16 = 0x3fd;
    const TRANSMITTER_EMPTY: u8 = 1 << 5;
    const QUEUE_ON: u64 = 1;
    /// Bytes that the transmit queue of a 16550 takes.
    const QUEUE: usize = 16;
    /// Port of `isa-debug-exit`, as the QEMU command line places it.
    #[cfg(feature = "requests")]
    const EXIT: u64 = 0xf4;

    /// Number of the port range of the serial port, if the supervisor has it.
    fn serial_ports() -> Option<u64> {
        ferry_platform::patched_symbol!("ferry_uart").map(|number| FIRST_PORTS + number as u64)
    }

    /// Turns the transmit queue on: every access is a system call, so bytes go out in batches.
    pub(crate) fn prepare() {
        let Some(ports) = serial_ports() else { return };
        sel4::with_ipc_buffer_mut(|buffer| {
            buffer.inner_mut().seL4_X86_IOPort_Out8(ports, QUEUE_CONTROL, QUEUE_ON)
        });
    }

    /// Prints text; drops it if there is no serial port.
    pub(crate) fn put(text: &[u8]) {
        let Some(ports) = serial_ports() else { return };
        sel4::with_ipc_buffer_mut(|buffer| {
            let buffer = buffer.inner_mut();
            for batch in text.chunks(QUEUE) {
                // A read that is refused gives 0, so it must end the loop. There is nowhere to report it
                // either.
                while {
                    let status = buffer.seL4_X86_IOPort_In8(ports, LINE_STATUS);
                    status.error == 0 && status.result & TRANSMITTER_EMPTY == 0
                } {}
                for byte in batch {
                    buffer.seL4_X86_IOPort_Out8(ports, DATA, u64::from(*byte));
                }
            }
        });
    }

    /// Ends the machine, if it is QEMU with `isa-debug-exit`: its exit status is `code * 2 + 1`, and codes
    /// above 127 count as 127.
    #[cfg(feature = "requests")]
    pub(crate) fn exit(code: u8) {
        let Some(number) = ferry_platform::patched_symbol!("ferry_exit") else { return };
        sel4::with_ipc_buffer_mut(|buffer| {
            let code = u64::from(code.min(127));
            buffer.inner_mut().seL4_X86_IOPort_Out8(FIRST_PORTS + number as u64, EXIT, code);
        });
    }
}
