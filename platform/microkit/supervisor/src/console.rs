//! The console: a UART. The image builder gives it to the supervisor and fills in the symbols. Firmware or
//! the kernel has set it up. Without one, what is printed is dropped.

use core::fmt;

#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
use in_memory as device;
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

/// A UART in memory, which firmware has set up. Which one it is, the image builder says.
#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
mod in_memory {
    use core::ptr::{from_ref, with_exposed_provenance, with_exposed_provenance_mut};
    use ferry_boards::Registers;

    /// The words of [`Registers`], which the image builder fills in.
    #[unsafe(export_name = "ferry_uart_registers")]
    #[unsafe(link_section = ".data")]
    static REGISTERS: [u32; 5] = [0; 5];

    pub(crate) fn prepare() {}

    /// Prints text, a byte at a time when the status register says that there is room. Drops it if there is
    /// no UART.
    pub(crate) fn put(text: &[u8]) {
        let Some(base) = ferry_platform::patched_symbol!("ferry_uart") else { return };
        // SAFETY: a reference is valid for reads. The read is volatile, because the image builder has changed
        // the value.
        let registers = Registers::of_words(unsafe { from_ref(&REGISTERS).read_volatile() });
        let is_ready = |status: u32| status & registers.mask == registers.ready;
        let [status, data] = [registers.status, registers.data].map(|offset| base + offset as usize);
        for byte in text {
            while !is_ready(read(status, registers.width)) {}
            write(data, registers.width, *byte);
        }
    }

    /// Reads a register. Its address is in the page that the image builder maps, uncached, at `ferry_uart`.
    fn read(address: usize, width: u32) -> u32 {
        if width == 1 {
            // SAFETY: the status register can be read at any time. On a 16550 that clears the bits of errors,
            // which nobody asks for.
            u32::from(unsafe { with_exposed_provenance::<u8>(address).read_volatile() })
        } else {
            // SAFETY: as above.
            unsafe { with_exposed_provenance::<u32>(address).read_volatile() }
        }
    }

    /// Writes a byte to a register of the same page.
    fn write(address: usize, width: u32, byte: u8) {
        if width == 1 {
            // SAFETY: the data register takes any byte, and there is room for one.
            unsafe { with_exposed_provenance_mut::<u8>(address).write_volatile(byte) };
        } else {
            // SAFETY: as above.
            unsafe { with_exposed_provenance_mut::<u32>(address).write_volatile(u32::from(byte)) };
        }
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
