//! Frames, as the window of a platform maps them for central.

/// One frame of a client's buffer and its home in central's window. All fields come from the configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Capability pointer of the frame in central's `CSpace`.
    pub capability: u64,
    /// Address in the window, aligned to the frame's size.
    pub address: u64,
    /// Binary logarithm of the frame's size in bytes: 12 or 21.
    pub bits: u32,
    /// Whether to map it read-write. The capability needs the write right for that; the one of a `_tx` frame
    /// does not have it.
    pub writable: bool,
}

/// The kernel refused to map a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MapError {
    /// The kernel's error number (`seL4_Error`), or the platform's equivalent.
    pub code: u64,
}
