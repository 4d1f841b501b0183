//! What the engine asks of the machine it runs on.

use ferry_layout::DomainId;

use crate::table::ClientSet;

/// Which of a client's buffers, and with which rights.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// `<client>_tx`, which central may only read.
    Transmit,
    /// `<client>_rx`, which central may write.
    Receive,
    /// `<client>_rx` of a guard once more, which central may only read: an inspected message goes on from
    /// there. Its frames have capabilities and addresses of their own.
    Snapshot,
}

/// One frame of a client's buffer: which one, and how to reach it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameRef {
    /// The client whose memory it is.
    pub client: DomainId,
    /// Which of its buffers.
    pub side: Side,
    /// Number of the frame in the buffer, in units of the buffer's own frame size.
    pub number: u32,
    /// Capability pointer of the frame.
    pub capability: u64,
    /// Its window address.
    pub address: u64,
    /// Binary logarithm of its size in bytes.
    pub bits: u32,
}

/// The kernel refused to map a frame. No client is at fault. The sender gets the status `Failed`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MapFailed;

/// What the engine can do to the machine. Implementations make no decisions; the engine does.
pub trait Machine {
    /// Maps `frame` at its window address: read-write for [`Side::Receive`], read-only for the others (r02,
    /// r03). The engine never maps a frame that is mapped.
    fn map(&mut self, frame: FrameRef) -> Result<(), MapFailed>;

    /// Removes the mapping of `frame` (r19, r28). The engine never unmaps a frame that is not mapped.
    fn unmap(&mut self, frame: FrameRef);

    /// Copies `length` bytes, at least 1, from one window address to another (r04). All frames of both ranges
    /// are mapped. The source may change during the copy.
    fn copy(&mut self, from: u64, to: u64, length: u32);

    /// Signals `client`.
    fn signal(&mut self, client: DomainId);

    /// Signals `client` as the last thing that the engine does in this run. A platform whose kernel can
    /// signal and wait in one call may leave the signal to that call.
    fn signal_and_sleep(&mut self, client: DomainId) {
        self.signal(client);
    }

    /// Signals the reader of the audit log, if it has a channel: there are new records. Called once in a tick
    /// at most, so that no client can wake the reader more often.
    fn signal_audit_reader(&mut self) {}

    /// Looks at central's own notification without waiting. Returns whether a tick has come since central
    /// last looked. It is called between two rounds. If a tick has come, or all clients are one component,
    /// the engine looks at every client after this call. Otherwise it asks for those that have signalled by
    /// [`woken`](Self::woken).
    fn poll_tick(&mut self) -> bool;

    /// The clients whose signals the last [`poll_tick`](Self::poll_tick) has found. Called after each that
    /// found no tick, if the clients are not one component. A client that is left out is looked at when it
    /// signals again, or at the next tick.
    fn woken(&mut self) -> ClientSet {
        ClientSet::EMPTY
    }

    /// The clients of the partitions that were announced, as the last [`poll_tick`](Self::poll_tick)
    /// has found. Called after each, if there are partitions.
    fn announced(&mut self) -> ClientSet {
        ClientSet::EMPTY
    }

    /// Test hook: called when the deliveries of a turn are published and their statuses are not yet written.
    /// A test stops central there.
    #[cfg(feature = "hooks")]
    fn delivered(&mut self) {}
}
