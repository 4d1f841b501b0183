//! What the engine asks of the machine it runs on.

use ferry_layout::DomainId;

/// Which of a client's two buffers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// `<client>_tx`, which central may only read.
    Transmit,
    /// `<client>_rx`, which central may write.
    Receive,
}

/// One frame of a client's buffer: which one, and how to reach it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameRef {
    /// The client whose memory it is.
    pub client: DomainId,
    /// Its transmit or its receive buffer.
    pub side: Side,
    /// Number of the frame in the buffer, in units of the buffer's own frame size.
    pub number: u32,
    /// Capability pointer of the frame.
    pub capability: u64,
    /// Its home in the window.
    pub address: u64,
    /// Binary logarithm of its size in bytes.
    pub bits: u32,
}

/// The kernel refused to map a frame. Nobody's fault but ours: the sender gets `Failed`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MapFailed;

/// The hands of the engine. Implementations hold no policy.
pub trait Machine {
    /// Maps `frame` at its home in the window: read-only for [`Side::Transmit`], read-write for
    /// [`Side::Receive`] (r02, r03). The engine never maps a frame that is mapped.
    fn map(&mut self, frame: FrameRef) -> Result<(), MapFailed>;

    /// Removes the mapping of `frame` (r19, r28). The engine never unmaps a frame that is not mapped.
    fn unmap(&mut self, frame: FrameRef);

    /// Copies `length` bytes, at least 1, between two places of the window (r04). All frames of both ranges
    /// are mapped. The source may change meanwhile.
    fn copy(&mut self, from: u64, to: u64, length: u32);

    /// Signals `client`.
    fn signal(&mut self, client: DomainId);

    /// Signals `client` as the last thing that the engine does in this run: a platform whose kernel can
    /// signal and wait in one call may leave it to that.
    fn signal_and_sleep(&mut self, client: DomainId) {
        self.signal(client);
    }

    /// Looks at central's own notification without waiting: whether a period has passed since central last
    /// looked. Who else has signalled need not be told, because every client is looked at after this. Called
    /// between two rounds.
    fn poll_tick(&mut self) -> bool {
        false
    }

    /// Called when deliveries of a turn have become visible whose statuses have not. A test stops central
    /// there.
    #[cfg(feature = "hooks")]
    fn delivered(&mut self) {}
}
