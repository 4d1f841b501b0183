//! `<client>_in`: everything that central tells the client. Central writes it, the client can only read it.

use crate::directory::Peer;
use crate::entry::Slots;
use crate::geometry::{ABI_VERSION, DELIVERY_SLOTS, DomainId, MAGIC, MAX_CLIENTS, TRANSMIT_SLOTS};
use crate::index::Index;
use crate::journal::Journal;
use crate::status::{Status, StatusWord};
use crate::sync::{AtomicU32, AtomicU64, Ordering, Unused32, Unused64};
use crate::wake::WakeHint;

/// Central's pages for one client.
#[derive(Default)]
#[repr(C, align(4096))]
pub struct InRegion {
    magic: AtomicU32,
    version: AtomicU32,
    /// The epoch that central serves. Published last when an epoch begins.
    pub epoch: Index,
    standing: AtomicU32,
    domain: AtomicU32,
    peers: AtomicU32,
    /// Bytes of the client's `_tx` region that central has capabilities for.
    transmit_bytes: AtomicU64,
    /// Bytes of the client's `_rx` region that central has capabilities for.
    receive_bytes: AtomicU64,
    _introduction: [Unused32; 6],

    /// One past the newest transmit descriptor that central has taken. Each send before it has its final
    /// status, or is [`Queued`](crate::Status::Queued).
    pub transmit_head: Index,
    /// One past the newest receive request that central has taken.
    pub post_head: Index,
    /// One past the newest delivery.
    pub delivery_tail: Index,
    /// The delivery tail up to which everything that follows from these deliveries is written (post head,
    /// statuses, journal). Only a restarting central reads it.
    pub settled: Index,
    /// How many sends have ended after the transmit head had passed them.
    pub ended_late: Index,
    _indices: [Unused32; 11],

    /// Central sleeps and asks to be signalled about anything that the client publishes in `_out`.
    pub wake: WakeHint,
    /// Central cannot go on until this client posts a receive request or takes a delivery, and asks to be
    /// signalled about that. While this hint is not armed, no such signal is needed: central looks for new
    /// requests when a message for the client arrives.
    pub wake_for_requests: WakeHint,
    _wake: [Unused32; 14],

    /// What central has done for this client.
    pub counters: Counters,

    /// Central's notes for its own restart.
    pub journal: Journal,

    /// Messages of one-way flows to this client that were dropped, since central started, modulo 2^64. There
    /// was no buffer for them, or no place in the receive queue, or the client was not open.
    pub dropped: Counter,
    _dropped: [Unused64; 7],
    _unused: [[Unused64; 8]; 3],

    /// Status of each transmit slot.
    statuses: Statuses,
    /// The peers of this client, [`InRegion::peer_count`] of them.
    pub directory: Slots<MAX_CLIENTS, 8>,
    /// The receive queue.
    pub deliveries: Slots<DELIVERY_SLOTS, 4>,
}

/// How central regards a client. The numbers are ABI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Standing {
    /// No epoch has begun yet.
    Closed = 0,
    /// Served.
    Open = 1,
    /// The client broke the protocol. Central reads nothing of it but a request for a new epoch.
    Quarantined = 2,
}

/// Running totals since central started, each modulo 2^64. One writer: central.
#[derive(Default)]
#[repr(C)]
pub struct Counters {
    /// Messages of this client that ended with `Done`.
    pub sent_messages: Counter,
    /// Bytes of these messages.
    pub sent_bytes: Counter,
    /// Messages delivered to this client.
    pub received_messages: Counter,
    /// Bytes of these messages.
    pub received_bytes: Counter,
    /// Sends of this client that ended with anything but `Done`, and receive requests refused.
    pub refused: Counter,
    /// Times central mapped a frame of this client.
    pub maps: Counter,
    /// Times central unmapped a frame of this client.
    pub unmaps: Counter,
    /// Signals that central sent this client.
    pub signals: Counter,
}

/// One word for each transmit slot.
#[repr(transparent)]
struct Statuses([StatusWord; TRANSMIT_SLOTS]);

impl Default for Statuses {
    fn default() -> Self {
        const { assert!(TRANSMIT_SLOTS.is_power_of_two()) };
        Self(core::array::from_fn(|_| StatusWord::default()))
    }
}

/// One running total.
#[derive(Default)]
#[repr(transparent)]
pub struct Counter(AtomicU64);

impl Counter {
    /// The total now. Counters are not synchronised with anything else.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Adds to the total. For central, the one writer. It is a load and a store, so it needs no locked
    /// instruction.
    #[inline]
    pub fn add(&self, amount: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
    }
}

impl core::fmt::Display for Counters {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "sent_messages={} sent_bytes={} ", self.sent_messages.get(), self.sent_bytes.get())?;
        write!(
            f,
            "received_messages={} received_bytes={} ",
            self.received_messages.get(),
            self.received_bytes.get()
        )?;
        write!(f, "refused={} maps={} unmaps={} ", self.refused.get(), self.maps.get(), self.unmaps.get())?;
        write!(f, "signals={}", self.signals.get())
    }
}

impl InRegion {
    /// Writes what stays the same over all epochs: the client's number, the sizes of its buffers, and its
    /// peers (at most [`MAX_CLIENTS`]; more are left out). Central calls it once, before any epoch begins.
    pub fn introduce(
        &self,
        domain: u16,
        transmit_bytes: u64,
        receive_bytes: u64,
        peers: impl Iterator<Item = Peer>,
    ) {
        let mut count = 0;
        for peer in peers.take(MAX_CLIENTS) {
            self.directory.store(count, peer);
            count += 1;
        }
        self.domain.store(u32::from(domain), Ordering::Relaxed);
        self.transmit_bytes.store(transmit_bytes, Ordering::Relaxed);
        self.receive_bytes.store(receive_bytes, Ordering::Relaxed);
        self.peers.store(count, Ordering::Relaxed);
        self.version.store(ABI_VERSION, Ordering::Relaxed);
        self.magic.store(MAGIC, Ordering::Release);
    }

    /// Whether a central of this ABI version has written the introduction. Pairs with
    /// [`introduce`](Self::introduce).
    #[must_use]
    pub fn is_introduced(&self) -> bool {
        self.magic.load(Ordering::Acquire) == MAGIC && self.version.load(Ordering::Relaxed) == ABI_VERSION
    }

    /// The client's own number.
    #[must_use]
    pub fn domain(&self) -> u16 {
        #[expect(clippy::cast_possible_truncation, reason = "introduce stores a u16")]
        {
            self.domain.load(Ordering::Relaxed) as u16
        }
    }

    /// Number of directory entries in use, at most [`MAX_CLIENTS`].
    #[must_use]
    pub fn peer_count(&self) -> u32 {
        self.peers.load(Ordering::Relaxed)
    }

    /// Bytes of the client's `_tx` region that central can map.
    #[must_use]
    pub fn transmit_bytes(&self) -> u64 {
        self.transmit_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of the client's `_rx` region that central can map.
    #[must_use]
    pub fn receive_bytes(&self) -> u64 {
        self.receive_bytes.load(Ordering::Relaxed)
    }

    /// Sets how central regards the client. The store releases everything before it, for the case that
    /// central is stopped here and started anew. No other reader learns of anything else by the standing.
    pub fn set_standing(&self, standing: Standing) {
        self.standing.store(standing as u32, Ordering::Release);
    }

    /// How central regards the client.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.standing.load(Ordering::Relaxed) {
            1 => Standing::Open,
            2 => Standing::Quarantined,
            _ => Standing::Closed,
        }
    }

    /// Clears every status word, at the beginning of an epoch. For central.
    pub fn clear_statuses(&self) {
        for status in &self.statuses.0 {
            status.clear();
        }
    }

    /// Sets [`Done`](crate::Status::Done) for `count` messages of one slot each, from free-running index
    /// `first` on. The first is number `sequence` of the flow to `target`; see [`StatusWord::set_delivered`].
    /// For central.
    #[inline]
    pub fn set_delivered(&self, first: u32, count: u32, target: DomainId, sequence: u64) {
        self.set_run(first, count, sequence, |index, sequence| {
            StatusWord::delivered_word(index, target, sequence)
        });
    }

    /// Sets [`Queued`](crate::Status::Queued) for `count` messages of a one-way flow, from free-running index
    /// `first` on, and notes that they are carried: nothing but `Done` is outstanding. The first is number
    /// `sequence` of the flow to `target`. For central.
    #[inline]
    pub fn set_carried(&self, first: u32, count: u32, target: DomainId, sequence: u64) {
        self.set_run(first, count, sequence, |index, sequence| {
            StatusWord::carried_word(index, target, sequence)
        });
    }

    /// Stores `word` of each index and number, for `count` messages from these first ones on.
    #[inline]
    fn set_run(&self, first: u32, count: u32, sequence: u64, word: impl Fn(u32, u64) -> u64) {
        if count == 1 {
            // This count is the most frequent one, and to begin the loop below takes many instructions.
            self.status(first).store(word(first, sequence));
            return;
        }
        match self.statuses_from(first).get(..count as usize) {
            Some(slots) if count <= StatusWord::numbers_from(sequence) => {
                StatusWord::set_all(slots, word(first, sequence));
            }
            _ => self.set_in_pieces(first, count, sequence, word),
        }
    }

    /// As [`set_run`](Self::set_run), for slots that go past the end of the ring, or numbers that wrap in the
    /// note.
    #[cold]
    fn set_in_pieces(&self, first: u32, count: u32, sequence: u64, word: impl Fn(u32, u64) -> u64) {
        let (mut index, mut sequence, mut left) = (first, sequence, count);
        while left != 0 {
            let slots = self.statuses_from(index);
            let piece = left.min(StatusWord::numbers_from(sequence));
            let slots = slots.get(..piece as usize).unwrap_or(slots);
            StatusWord::set_all(slots, word(index, sequence));
            #[expect(clippy::cast_possible_truncation, reason = "a ring has far fewer slots than 2^32")]
            let piece = slots.len() as u32;
            index = index.wrapping_add(piece);
            sequence = sequence.wrapping_add(piece.into());
            left -= piece.min(left);
        }
    }

    /// Sets [`Done`](crate::Status::Done) for `count` messages of consecutive slots, from free-running index
    /// `first` on, after [`set_carried`](Self::set_carried). For central.
    pub fn finish(&self, first: u32, count: u32) {
        self.each_piece(first, count, |slots, _| StatusWord::finish_all(slots));
    }

    /// Sets `status` for `count` sends of consecutive slots, from free-running index `first` on. For central.
    pub fn set_statuses(&self, first: u32, count: u32, status: Status) {
        self.each_piece(first, count, |slots, index| StatusWord::set_all_to(slots, index, status));
    }

    /// How many of `count` sends of consecutive slots, from free-running index `first` on, have not ended, up
    /// to the first that has. Call it as [`StatusWord::ended`].
    #[must_use]
    pub fn not_ended(&self, first: u32, count: u32) -> u32 {
        let (mut index, mut left) = (first, count);
        while left != 0 {
            let slots = self.statuses_from(index);
            let slots = slots.get(..left as usize).unwrap_or(slots);
            #[expect(clippy::cast_possible_truncation, reason = "a ring has far fewer slots than 2^32")]
            let (run, piece) = (StatusWord::not_ended(slots) as u32, slots.len() as u32);
            index = index.wrapping_add(run);
            left -= run;
            if run != piece {
                break;
            }
        }
        count - left
    }

    /// Calls `set` with the status words of `count` sends, from free-running index `first` on, and the index
    /// of the first: once, or twice if they go past the end of the ring.
    #[inline]
    fn each_piece(&self, first: u32, count: u32, set: impl Fn(&[StatusWord], u32)) {
        let (mut index, mut left) = (first, count);
        while left != 0 {
            let slots = self.statuses_from(index);
            let slots = slots.get(..left as usize).unwrap_or(slots);
            set(slots, index);
            #[expect(clippy::cast_possible_truncation, reason = "a ring has far fewer slots than 2^32")]
            let piece = slots.len() as u32;
            index = index.wrapping_add(piece);
            left -= piece;
        }
    }

    /// The status words from the one of this free-running index up to the end of the ring.
    #[inline]
    fn statuses_from(&self, index: u32) -> &[StatusWord] {
        self.statuses.0.get(index as usize & (TRANSMIT_SLOTS - 1)..).unwrap_or_default()
    }

    /// The status word of the send with this free-running index.
    #[must_use]
    #[inline]
    pub fn status(&self, index: u32) -> &StatusWord {
        // The mask keeps it below the number of slots, so the bounds check folds away.
        &self.statuses.0[index as usize & (TRANSMIT_SLOTS - 1)]
    }
}

#[cfg(not(loom))]
const _: () = {
    use core::mem::{align_of, offset_of, size_of};
    assert!(size_of::<InRegion>() == crate::geometry::IN_BYTES);
    assert!(align_of::<InRegion>() == 4096);
    assert!(offset_of!(InRegion, magic) == 0x00);
    assert!(offset_of!(InRegion, version) == 0x04);
    assert!(offset_of!(InRegion, epoch) == 0x08);
    assert!(offset_of!(InRegion, standing) == 0x0c);
    assert!(offset_of!(InRegion, domain) == 0x10);
    assert!(offset_of!(InRegion, peers) == 0x14);
    assert!(offset_of!(InRegion, transmit_bytes) == 0x18);
    assert!(offset_of!(InRegion, receive_bytes) == 0x20);
    assert!(offset_of!(InRegion, transmit_head) == 0x40);
    assert!(offset_of!(InRegion, post_head) == 0x44);
    assert!(offset_of!(InRegion, delivery_tail) == 0x48);
    assert!(offset_of!(InRegion, settled) == 0x4c);
    assert!(offset_of!(InRegion, ended_late) == 0x50);
    assert!(offset_of!(InRegion, wake) == 0x80);
    assert!(offset_of!(InRegion, wake_for_requests) == 0x84);
    assert!(offset_of!(InRegion, counters) == 0xc0);
    assert!(size_of::<Counters>() == 64);
    assert!(offset_of!(InRegion, journal) == 0x100);
    assert!(size_of::<Journal>() == 0x200);
    assert!(offset_of!(InRegion, dropped) == 0x300);
    assert!(offset_of!(InRegion, statuses) == 0x400);
    assert!(offset_of!(InRegion, directory) == 0x800);
    assert!(offset_of!(InRegion, deliveries) == 0x1000);
};
