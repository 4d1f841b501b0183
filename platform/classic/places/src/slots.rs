//! The fixed slots of a classic PD's CSpace. The initialiser fills them, the runtime names them; nothing else
//! is in a PD's CSpace, and no PD holds a capability to its own CSpace, TCB or untyped memory.
//!
//! A slot number is also the capability pointer: the CSpace is a single CNode whose guard covers the other
//! bits.

/// The PD's own notification, read right only: the PD waits on it and cannot signal itself through it.
pub const NOTIFICATION: u64 = 1;
/// Endpoint to the initialiser that the kernel uses to report the PD's faults. The kernel demands the write
/// and the grant right of it. A PD that calls it itself only reports a fault of its own making.
pub const FAULT: u64 = 2;
/// Endpoint to the initialiser for [`PRINT_LABEL`], [`EXIT_LABEL`] and [`STOP_LABEL`], write right only.
pub const INITIALISER: u64 = 3;
/// The PD's own VSpace root. Only in PDs with a window; needed to map frames.
pub const VSPACE: u64 = 4;
/// The IRQ handler of the periodic timer. Only in the PD that has the tick.
pub const TICK_HANDLER: u64 = 5;
/// The notification that the periodic timer signals, read right only. Only in the PD that has the tick.
pub const TICK_NOTIFICATION: u64 = 6;

/// Slot of the capability that signals channel 0; channel `n` is at `FIRST_CHANNEL + n`. Write right only.
/// There are `ferry_layout::geometry::CHANNELS` at most; each is one bit of a notification word of 64 bits.
pub const FIRST_CHANNEL: u64 = 64;

/// Lowest slot of frame capabilities, the ones that a grant gives.
pub const FIRST_FRAME: u64 = 128;

/// Label of the message on [`INITIALISER`] that ends the machine. Message register 0 holds the exit code, 0
/// to 255. The initialiser does not reply.
pub const EXIT_LABEL: u64 = 1;

/// Label of the message on [`INITIALISER`] that prints. Message register 0 holds the number of bytes, at most
/// [`PRINT_BYTES`]; the bytes follow, eight to a register, the first one lowest. The initialiser does not
/// reply, but it has the highest priority: the text is on the console, in one piece, when the sender goes on.
pub const PRINT_LABEL: u64 = 2;

/// Bytes that one message of [`PRINT_LABEL`] prints at most. The registers of a message hold a few more.
pub const PRINT_BYTES: usize = 512;

/// Label of the message on [`INITIALISER`] with which a PD that has panicked stops itself. As after a fault,
/// it is started again if the system says so. The initialiser does not reply.
pub const STOP_LABEL: u64 = 3;
