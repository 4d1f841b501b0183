//! Consoles as data: where a UART is, and how a byte gets into it.

use core::ops::Range;

/// A board's console.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Console {
    /// A 16550 UART of a PC. The range holds its I/O ports.
    Ports(Range<u64>),
    /// A UART in memory. The range holds the physical addresses of its page of registers.
    Mapped(Range<u64>, Registers),
}

/// The registers that printing needs of a UART in memory. Firmware has set the UART up. A byte may be written
/// when the bits of `mask` in the status register are those of `ready`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registers {
    /// Offset of the register that takes a byte.
    pub data: u32,
    /// Offset of the status register.
    pub status: u32,
    /// Bytes of a register: 1 or 4.
    pub width: u32,
    /// Bits of the status register.
    pub mask: u32,
    /// What they are when there is room for a byte.
    pub ready: u32,
}

impl Registers {
    /// Arm's PL011: the flag says that the transmit queue is full.
    pub const PL011: Self = Self { data: 0x00, status: 0x18, width: 4, mask: 1 << 5, ready: 0 };
    /// A 16550 whose registers are bytes one after the other: the flag says that the transmitter is empty.
    pub const NS16550: Self = Self { data: 0, status: 5, width: 1, mask: 1 << 5, ready: 1 << 5 };
    /// A 16550 whose registers are words of 32 bits, as in Synopsys' `dw-apb-uart`.
    pub const NS16550_WORDS: Self = Self { data: 0x00, status: 0x14, width: 4, mask: 1 << 5, ready: 1 << 5 };
    /// Amlogic's UART: the flag says that the transmit queue is full.
    pub const MESON: Self = Self { data: 0x00, status: 0x0c, width: 4, mask: 1 << 21, ready: 0 };

    /// The numbers as the supervisor finds them in its symbol `ferry_uart_registers`.
    #[must_use]
    pub const fn words(self) -> [u32; 5] {
        [self.data, self.status, self.width, self.mask, self.ready]
    }

    /// The registers that these [`words`](Self::words) say.
    #[must_use]
    pub const fn of_words([data, status, width, mask, ready]: [u32; 5]) -> Self {
        Self { data, status, width, mask, ready }
    }
}
