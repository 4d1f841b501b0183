//! Names and numbers that the description shares with the programs. Sizes of regions and the largest numbers
//! of clients and channels come from `ferry_layout::geometry`. This file holds only what concerns the
//! description.

use ferry_layout::geometry::CHANNELS;

/// Name of the protection domain that transfers messages.
pub const CENTRAL: &str = "central";

/// Name of the protection domain that wakes central once per period.
pub const TICKER: &str = "ticker";

/// Name of the region with central's configuration.
pub const CONFIG_REGION: &str = "ferry_config";

/// Suffixes of the names of a client's regions, after the client's name and `_`.
pub(crate) const SUFFIXES: [&str; 4] = ["out", "in", "tx", "rx"];

/// The client whose region has this name, and the suffix, if it is the name of a client's region.
pub(crate) fn client_and_suffix(region: &str) -> Option<(&str, &str)> {
    region.rsplit_once('_').filter(|(_, suffix)| SUFFIXES.contains(suffix))
}

/// The symbol that gets the address of the audit log in its reader.
pub const AUDIT_SYMBOL: &str = "ferry_audit";

/// First address of central's window. From here on central maps nothing from the start.
pub const WINDOW_ADDRESS: u64 = 0x10_0000_0000;

/// Bytes of a small page.
pub const PAGE_BYTES: u64 = 0x1000;

/// Bytes of a large page. Every region's home in the window is aligned to it.
pub const LARGE_PAGE_BYTES: u64 = 0x20_0000;

/// Highest number of a channel.
pub const MAX_CHANNEL: u8 = CHANNELS - 1;

/// Highest priority that Microkit accepts.
pub(crate) const MAX_PRIORITY: u64 = 254;

/// Stack in bytes of a protection domain that states none: Microkit's default.
pub(crate) const DEFAULT_STACK_BYTES: u64 = 0x2000;

/// Budget in microseconds of a protection domain that states none: Microkit's default.
pub(crate) const DEFAULT_BUDGET_US: u64 = 1_000;

/// Slots for capabilities of other domains; slot 0 is Microkit's own.
pub(crate) const HELD_SLOTS: u64 = 128;

/// Highest interrupt vector on x86.
pub(crate) const MAX_VECTOR: u64 = 107;

/// Number of I/O ports on x86.
pub(crate) const IO_PORTS: u64 = 0x1_0000;

/// Highest number of a device's address space.
pub(crate) const MAX_IO_DOMAIN: u64 = 0xffff;

/// Bytes that a device behind an IOMMU can address.
pub(crate) const IO_SPACE_BYTES: u64 = 1 << 39;

/// Least budget in microseconds: twice the time that the kernel may take, which is what it demands.
pub(crate) const MIN_BUDGET_US: u64 = 20;

/// Longest period in microseconds, some four months. A kernel of Microkit's refuses ten times as much.
pub(crate) const MAX_PERIOD_US: u64 = 10_000_000_000_000;

/// Most protection domains: Microkit's 63, less Ferry's supervisor.
pub const MAX_DOMAINS: usize = 62;

/// Longest name in bytes of a protection domain or a virtual machine. Microkit's monitor has 64 bytes for it,
/// and its tool cuts what is longer without a word.
pub(crate) const MAX_SHOWN_NAME: usize = 63;

/// Deepest nesting of elements. No system that can be built comes near it.
pub(crate) const MAX_DEPTH: usize = 128;

/// Number of scheduling domains that Microkit's kernels are built for.
pub(crate) const SCHEDULE_DOMAINS: u64 = 16;

/// Number of entries, and of end markers, that a schedule of Microkit's kernels has room for.
pub(crate) const SCHEDULE_ENTRIES: usize = 100;

/// Where the highest stack of all platforms ends: that of Microkit on x86-64.
pub(crate) const HIGHEST_STACK: u64 = 0x7fff_ffff_e000;

/// The symbol by which Ferry's supervisor tells a program the number of their channel.
pub(crate) const SUPERVISOR_SYMBOL: &str = "ferry_supervisor";
