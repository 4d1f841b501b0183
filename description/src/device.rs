//! What a system description says beside domains, regions and channels: virtual machines, the address spaces
//! of devices, interrupts, I/O ports, and capabilities that one domain holds of another. Ferry uses none of
//! them itself. They are kept because each is a way in which one domain can influence another.

use crate::map::Map;
use crate::source::Place;

/// A virtual machine. Its guest runs under the protection domain that contains it.
#[derive(Clone, Debug)]
pub struct VirtualMachine {
    /// Its name.
    pub name: String,
    /// Number of the domain that contains it.
    pub domain: usize,
    /// The numbers of its virtual processors.
    pub processors: Vec<u8>,
    /// For each of them, the number of the processor core that it runs on.
    pub cores: Vec<u8>,
    /// The regions that its guest can reach.
    pub maps: Vec<Map>,
    /// Where its element is.
    pub place: Place,
}

/// The address space of one device behind the IOMMU (`<io_address_space>`).
#[derive(Clone, Debug)]
pub struct IoSpace {
    /// Its name.
    pub name: String,
    /// The number by which the IOMMU tells address spaces apart.
    pub domain_id: u64,
    /// The device on the PCI bus.
    pub device: PciDevice,
    /// The regions that the device can reach, at addresses of its own.
    pub maps: Vec<Map>,
    /// Where its element is.
    pub place: Place,
}

/// A device on the PCI bus: bus, device and function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PciDevice(pub u8, pub u8, pub u8);

/// An interrupt that a domain receives.
#[derive(Clone, Debug)]
pub struct Interrupt {
    /// Its number in that domain, out of the numbers of channels.
    pub id: u8,
    /// Which interrupt it is.
    pub line: Line,
    /// Where its element is.
    pub place: Place,
}

/// Which interrupt of the hardware.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// By its number, on ARM and RISC-V.
    Number(u64),
    /// A pin of an I/O APIC, on x86.
    Pin {
        /// Number of the I/O APIC.
        ioapic: u64,
        /// Number of the pin.
        pin: u64,
        /// The vector that the kernel receives it as.
        vector: u64,
    },
    /// A message of a PCI device, on x86.
    Message {
        /// The device.
        device: PciDevice,
        /// Which of the device's messages.
        handle: u64,
        /// The vector that the kernel receives it as.
        vector: u64,
    },
}

impl Line {
    /// The number under which the kernel knows the interrupt. Each may be used once in a system.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::Number(number) => number,
            Self::Pin { vector, .. } | Self::Message { vector, .. } => vector,
        }
    }

    /// Whether two interrupts have the same source, although the kernel may know them under two numbers.
    #[must_use]
    pub fn is_shared_with(self, other: Self) -> bool {
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => one == two,
            (Self::Pin { ioapic: a, pin: b, .. }, Self::Pin { ioapic: c, pin: d, .. }) => (a, b) == (c, d),
            (Self::Message { device: a, handle: b, .. }, Self::Message { device: c, handle: d, .. }) => {
                (a, b) == (c, d)
            }
            _ => false,
        }
    }
}

/// I/O ports that a domain may use, on x86.
#[derive(Clone, Debug)]
pub struct Ports {
    /// Their number in that domain.
    pub id: u8,
    /// The first port.
    pub first: u64,
    /// How many ports.
    pub count: u64,
    /// Where their element is.
    pub place: Place,
}

/// A capability of another domain, which a domain gets by `<cspace>`.
#[derive(Clone, Debug)]
pub struct Held {
    /// Of what.
    pub kind: HeldKind,
    /// Name of the domain whose object it is.
    pub domain: String,
    /// The slot that it is put into.
    pub slot: u64,
    /// Where its element is.
    pub place: Place,
}

/// The object of a [`Held`] capability.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeldKind {
    /// The thread (`cap_tcb`): its registers, and whether it runs.
    Thread,
    /// The scheduling context (`cap_sc`): its processor time.
    SchedulingContext,
    /// The address space (`cap_vspace`): what is mapped in it.
    AddressSpace,
}

impl HeldKind {
    /// What it is called in a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Thread => "the thread",
            Self::SchedulingContext => "the scheduling context",
            Self::AddressSpace => "the address space",
        }
    }
}

/// That a domain is the child of another. The parent gets its faults, and can stop and restart it.
#[derive(Clone, Debug)]
pub struct Parent {
    /// Number of the parent.
    pub domain: usize,
    /// Number of the child in its parent.
    pub id: u8,
}
