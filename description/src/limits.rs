//! The names and numbers that the description shares with the programs. Sizes of regions and the numbers of
//! clients and channels come from `ferry_layout::geometry`; what is here is about the description alone.

use ferry_layout::geometry::CHANNELS;

/// Name of the protection domain that transfers.
pub const CENTRAL: &str = "central";

/// Name of the protection domain that wakes central once per period.
pub const TICKER: &str = "ticker";

/// Name of the region with central's configuration.
pub const CONFIG_REGION: &str = "ferry_config";

/// First address of central's window. Above it nothing is mapped from the start.
pub const WINDOW_ADDRESS: u64 = 0x10_0000_0000;

/// Bytes of a small page.
pub const PAGE_BYTES: u64 = 0x1000;

/// Bytes of a large page, and alignment of every region's home in the window.
pub const LARGE_PAGE_BYTES: u64 = 0x20_0000;

/// Highest number of a channel.
pub const MAX_CHANNEL: u8 = CHANNELS - 1;

/// Highest priority that Microkit accepts.
pub(crate) const MAX_PRIORITY: u64 = 254;

/// Stack of a protection domain that states none, in bytes: Microkit's default.
pub(crate) const DEFAULT_STACK_BYTES: u64 = 0x2000;

/// Budget of a protection domain that states none, in microseconds: Microkit's default.
pub(crate) const DEFAULT_BUDGET_US: u64 = 1_000;
