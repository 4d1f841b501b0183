//! The console: a UART. The image builder gives it to the supervisor and fills in the symbol. Firmware or the
//! kernel has set it up.

use core::fmt;

#[cfg(target_arch = "aarch64")]
use aarch64 as device;
#[cfg(target_arch = "riscv64")]
use riscv64 as device;
#[cfg(target_arch = "x86_64")]
use x86_64 as device;

#[cfg(target_arch = "x86_64")]
pub use x86_64::FIRST_PORTS;

/// The console itself, for the supervisor's own lines.
#[derive(Clone, Copy, Debug)]
pub struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        put(text.as_bytes());
        Ok(())
    }
}

/// Makes the device ready.
pub(crate) fn prepare() {
    device::prepare();
}

/// Prints text. If there is no device, the text is dropped.
pub fn put(text: &[u8]) {
    device::put(text);
}

/// A UART in memory, which firmware has set up.
#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
mod in_memory {
    pub(crate) fn prepare() {}

    /// Prints text, a byte at a time when the status register says `is_ready`; drops it if there is no UART.
    /// `status` and `data` are offsets of registers of the type `R`.
    pub(super) fn put<R: From<u8>>(text: &[u8], status: usize, data: usize, is_ready: impl Fn(R) -> bool) {
        let Some(base) = ferry_platform::patched_symbol!("ferry_uart") else { return };
        let status = core::ptr::with_exposed_provenance::<R>(base + status);
        let data = core::ptr::with_exposed_provenance_mut::<R>(base + data);
        for byte in text {
            // SAFETY: the image builder maps the UART's registers there, uncached. This register can be read
            // at any time. On a 16550 that clears the bits of errors, which nobody asks for.
            while !is_ready(unsafe { status.read_volatile() }) {}
            // SAFETY: as above. There is room for a byte.
            unsafe { data.write_volatile(R::from(*byte)) };
        }
    }
}

/// A PL011.
#[cfg(target_arch = "aarch64")]
mod aarch64 {
    pub(crate) use super::in_memory::prepare;

    /// Offsets of the data and flag registers, and the flag that says that the transmit queue is full.
    const DATA: usize = 0x00;
    const FLAGS: usize = 0x18;
    const TRANSMIT_FULL: u32 = 1 << 5;

    /// Prints text; drops it if there is no UART.
    pub(crate) fn put(text: &[u8]) {
        super::in_memory::put(text, FLAGS, DATA, |flags: u32| flags & TRANSMIT_FULL == 0);
    }
}

/// A 16550, whose registers are bytes one after the other.
#[cfg(target_arch = "riscv64")]
mod riscv64 {
    pub(crate) use super::in_memory::prepare;

    /// Offsets of the data and line status registers, and the status bit that says that the transmitter is
    /// empty.
    const DATA: usize = 0;
    const LINE_STATUS: usize = 5;
    const TRANSMITTER_EMPTY: u8 = 1 << 5;

    /// Prints text; drops it if there is no UART.
    pub(crate) fn put(text: &[u8]) {
        super::in_memory::put(text, LINE_STATUS, DATA, |status: u8| status & TRANSMITTER_EMPTY != 0);
    }
}

/// The first serial port of a PC.
#[cfg(target_arch = "x86_64")]
mod x86_64 {
    /// Slot of the capability to the I/O ports with number 0. Microkit puts those of number `n` `n` slots
    /// further on.
    pub const FIRST_PORTS: u64 = 10 + 64 * 6;
    /// Data, queue control and line status registers, and the status bit that says that the transmitter is
    /// empty.
    const DATA: u64 = 0x3f8;
    const QUEUE_CONTROL: u64 = 0x3fa;
    const LINE_STATUS: u16 = 0x3fd;
    const TRANSMITTER_EMPTY: u8 = 1 << 5;
    const QUEUE_ON: u64 = 1;
    /// Bytes that the transmit queue of a 16550 takes.
    const QUEUE: usize = 16;

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
}
