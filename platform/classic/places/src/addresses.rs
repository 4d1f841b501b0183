//! The fixed addresses in every classic PD's VSpace. Segments, maps and windows must stay below
//! [`PRIVATE_START`]; the initialiser refuses a system in which one does not.

/// First address of the range that the initialiser uses itself: stack, guard pages and IPC buffer.
pub const PRIVATE_START: u64 = 0x7fff_0000_0000;

/// End of the stack, exclusive. The stack grows down from here for `stack_bytes`; the page below the stack
/// and the page from here on are never mapped.
pub const STACK_TOP: u64 = 0x7fff_801f_0000;

/// Address of the IPC buffer's page. The page before and the page after it are never mapped.
pub const IPC_BUFFER: u64 = STACK_TOP + 0x2000;

/// Largest stack, in bytes, that fits between [`PRIVATE_START`] and [`STACK_TOP`] with its guard page.
pub const MAXIMUM_STACK_BYTES: u64 = STACK_TOP - PRIVATE_START - 0x1000;
