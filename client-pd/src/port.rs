//! The port: one client's end of its connection to central. This file opens it and sends. `receiving.rs`
//! receives, `runs.rs` sends and receives whole batches, and `held_sends.rs` keeps the sends that central
//! holds.

use ferry_layout::geometry::{
    DELIVERY_SLOTS, FRAME_BYTES, MAX_CHAIN, MAX_CLIENTS, POST_SLOTS, TRANSMIT_SLOTS,
};
use ferry_layout::{
    Address, Consumer, Descriptor, DomainId, InRegion, Kind, OutRegion, Peer, Standing, Status, flags,
};
use ferry_platform::{Region, RegionError};

use crate::held_sends::{HeldSends, RING};
use crate::memory::{ReceiveBuffer, ReceiveMemory, TransmitBuffer, TransmitMemory};
use crate::message::{Completion, Message, SendError, SendRefused};

/// Signals central. Any closure that signals central implements it.
pub trait Doorbell {
    /// Signals central once.
    fn ring(&mut self);
}

impl<F: FnMut()> Doorbell for F {
    fn ring(&mut self) {
        self();
    }
}

/// The four regions of a client.
pub struct Regions {
    from_client: &'static OutRegion,
    to_client: &'static InRegion,
    transmit: TransmitMemory,
    receive: ReceiveMemory,
}

/// The regions do not fit a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// The system description does not map this region, or does not set its symbols.
    Missing(&'static str),
    /// This region is too small or misaligned for its use.
    Unfit(&'static str, RegionError),
}

impl Regions {
    /// The regions behind `ferry_out`, `ferry_in`, `ferry_tx` and `ferry_rx`.
    ///
    /// # Safety
    /// They are this client's regions, mapped as the system description says, and nothing else in the program
    /// accesses them. Called once.
    pub unsafe fn new(
        from_client: Option<Region>,
        to_client: Option<Region>,
        transmit: Option<Region>,
        receive: Option<Region>,
    ) -> Result<Self, OpenError> {
        let from_client = from_client.ok_or(OpenError::Missing("ferry_out"))?;
        let to_client = to_client.ok_or(OpenError::Missing("ferry_in"))?;
        let transmit = transmit.ok_or(OpenError::Missing("ferry_tx"))?;
        let receive = receive.ok_or(OpenError::Missing("ferry_rx"))?;
        for (name, region) in [("ferry_tx", transmit), ("ferry_rx", receive)] {
            let alignment = FRAME_BYTES as usize;
            if !region.base().addr().get().is_multiple_of(alignment) {
                return Err(OpenError::Unfit(name, RegionError::Misaligned { alignment }));
            }
        }
        Ok(Self {
            from_client: from_client.shared().map_err(|error| OpenError::Unfit("ferry_out", error))?,
            to_client: to_client.shared().map_err(|error| OpenError::Unfit("ferry_in", error))?,
            // SAFETY: the caller's promise, handed on.
            transmit: unsafe { TransmitMemory::new(transmit) },
            // SAFETY: the caller's promise, handed on.
            receive: unsafe { ReceiveMemory::new(receive) },
        })
    }
}

/// A port that central has not let in yet: its epoch has not begun.
pub struct Opening<D: Doorbell> {
    from_client: &'static OutRegion,
    to_client: &'static InRegion,
    epoch: u32,
    doorbell: D,
}

impl<D: Doorbell> Opening<D> {
    /// The port, if central has begun the epoch. Otherwise `self` comes back; try again when notified.
    pub fn poll(self) -> Result<Port<D>, Self> {
        if self.to_client.epoch.observe() != self.epoch {
            return Err(self);
        }
        let to_client = self.to_client;
        let peers = (0..to_client.peer_count())
            .filter(|number| to_client.directory.load::<Peer>(*number).may_send != 0);
        #[expect(clippy::cast_possible_truncation, reason = "no more than clients")]
        let held_sends = HeldSends::new(peers.count() as u32);
        Ok(Port {
            from_client: self.from_client,
            to_client: self.to_client,
            doorbell: self.doorbell,
            next_send: 0,
            oldest: 0,
            taken: 0,
            limit: held_sends.plain_limit(),
            in_flight: [const { None }; TRANSMIT_SLOTS],
            held_sends,
            next_post: 0,
            posts_taken: 0,
            posted: [const { None }; POST_SLOTS],
            posted_for: [0; MAX_CLIENTS],
            withdrawals: 0,
            deliveries: Consumer::new(0),
            unflushed: Unflushed::default(),
        })
    }
}

/// The buffer of a send that has not ended. The port keeps it by the slot of its descriptor.
pub(crate) struct InFlight {
    pub(crate) buffer: TransmitBuffer,
    pub(crate) tag: u64,
}

/// One client's end of its connection to central.
pub struct Port<D: Doorbell> {
    pub(crate) from_client: &'static OutRegion,
    pub(crate) to_client: &'static InRegion,
    doorbell: D,
    /// Index of the next send.
    pub(crate) next_send: u32,
    /// Index of the oldest unresolved send: it is neither reaped nor known to be held by central.
    pub(crate) oldest: u32,
    /// One past the newest send that central has taken, as far as this side knows.
    pub(crate) taken: u32,
    /// How many sends may be unresolved while none is held.
    limit: u32,
    pub(crate) in_flight: [Option<InFlight>; TRANSMIT_SLOTS],
    pub(crate) held_sends: HeldSends,
    /// Index of the next receive request.
    pub(crate) next_post: u32,
    /// One past the newest request that central has taken, as far as this side knows.
    pub(crate) posts_taken: u32,
    pub(crate) posted: [Option<ReceiveBuffer>; POST_SLOTS],
    /// For each client, an upper bound of the outstanding requests that only it may use.
    pub(crate) posted_for: [u8; MAX_CLIENTS],
    pub(crate) withdrawals: u32,
    pub(crate) deliveries: Consumer<DELIVERY_SLOTS>,
    pub(crate) unflushed: Unflushed,
}

/// What was written since the last flush. Central does not know of it yet.
#[derive(Clone, Copy, Default)]
pub(crate) struct Unflushed {
    /// A send, a window or a withdrawal. Central has to be signalled if its wake hint asks for it, because it
    /// would not look by itself before the next tick.
    pub(crate) work: bool,
    /// A posted buffer or a taken delivery. Central looks for these when it needs them. If it cannot go on
    /// without them, it asks for a signal by another hint, `wake_for_requests`.
    pub(crate) room: bool,
}

/// The descriptor of a message for the next buffer that its target posts.
#[inline]
pub(crate) fn plain(target: u16, buffer: &TransmitBuffer, length: u32, message: Message) -> Descriptor {
    Descriptor {
        source: buffer.place(),
        destination: Address::default(),
        length,
        target,
        kind: Kind::NextBuffer as u8,
        flags: if message.urgent { flags::URGENT } else { 0 }
            | if message.no_signal { flags::NO_SIGNAL } else { 0 },
        tag: message.tag,
        time_to_live: message.time_to_live,
        reserved: 0,
    }
}

/// A part of a chain: a buffer and how many of its bytes to send.
type Part = (TransmitBuffer, u32);

impl<D: Doorbell> Port<D> {
    /// Asks central to let this client in, at a first start or at a restart, and signals it. Returns the
    /// memory that is to be split into buffers.
    #[must_use]
    pub fn open(regions: Regions, mut doorbell: D) -> (Opening<D>, TransmitMemory, ReceiveMemory) {
        let Regions { from_client, to_client, transmit, receive } = regions;
        from_client.clear_magic();
        from_client.transmit_tail.publish(0);
        from_client.post_tail.publish(0);
        from_client.delivery_head.publish(0);
        from_client.withdrawals.publish(0);
        from_client.wake.arm();
        let epoch = to_client.epoch.observe().wrapping_add(1);
        from_client.ask_for_epoch(epoch);
        doorbell.ring();
        (Opening { from_client, to_client, epoch, doorbell }, transmit, receive)
    }

    /// This client's own number.
    #[must_use]
    pub fn domain(&self) -> u16 {
        self.to_client.domain()
    }

    /// How central regards this client. If it is anything but [`Standing::Open`], open the port anew.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.to_client.standing()
    }

    /// The running totals that central keeps about this client.
    #[must_use]
    pub const fn counters(&self) -> &'static ferry_layout::Counters {
        &self.to_client.counters
    }

    /// The peers that this client shares a flow with.
    pub fn peers(&self) -> impl Iterator<Item = Peer> {
        let to_client = self.to_client;
        (0..to_client.peer_count()).map(move |number| to_client.directory.load(number))
    }

    /// The peer of this name, or `None` if there is no flow between it and this client.
    #[must_use]
    pub fn peer(&self, name: &str) -> Option<Peer> {
        self.peers().find(|peer| peer.name.as_str() == name)
    }

    /// Enqueues the first `length` bytes of `buffer` for the next buffer that `peer` posts. Central sees the
    /// send after the next [`flush`](Self::flush).
    #[inline]
    pub fn send(
        &mut self,
        peer: Peer,
        buffer: TransmitBuffer,
        length: u32,
        message: Message,
    ) -> Result<(), SendRefused> {
        self.enqueue(peer.domain, buffer, length, message, Kind::NextBuffer, Address::default())
    }

    /// Enqueues the first `length` bytes of `buffer` for an explicit place in the `_rx` of `peer`, inside a
    /// window that it holds open for this client (r20).
    pub fn send_to(
        &mut self,
        peer: Peer,
        place: Address,
        buffer: TransmitBuffer,
        length: u32,
        message: Message,
    ) -> Result<(), SendRefused> {
        self.enqueue(peer.domain, buffer, length, message, Kind::Placed, place)
    }

    /// Enqueues several buffers as one message. It arrives in one piece, in one buffer of `peer`. Either all
    /// parts are enqueued, and `parts` is empty afterwards, or none is, and `parts` stays as it was.
    pub fn send_chain(
        &mut self,
        peer: Peer,
        parts: &mut heapless::Vec<Part, MAX_CHAIN>,
        message: Message,
    ) -> Result<(), SendError> {
        if parts.is_empty() {
            return Err(SendError::ChainLength);
        }
        if parts.iter().any(|(buffer, length)| *length > buffer.capacity()) {
            return Err(SendError::BeyondBuffer);
        }
        if (self.room_for(peer) as usize) < parts.len() {
            return Err(SendError::Full);
        }
        let last = parts.len() - 1;
        for (number, (buffer, length)) in core::mem::take(parts).into_iter().enumerate() {
            let chained = if number == last { 0 } else { flags::CHAINED };
            let target = peer.domain;
            let descriptor = plain(target, &buffer, length, message);
            let descriptor = Descriptor { flags: descriptor.flags | chained, ..descriptor };
            // There is a slot, because room was counted for all parts.
            let Some(index) = self.free_slot(target) else { break };
            if number != 0 {
                self.held_sends.note_rest(index);
            }
            self.store(index, descriptor, buffer);
        }
        Ok(())
    }

    #[inline]
    fn enqueue(
        &mut self,
        target: u16,
        buffer: TransmitBuffer,
        length: u32,
        message: Message,
        kind: Kind,
        destination: Address,
    ) -> Result<(), SendRefused> {
        if length > buffer.capacity() {
            return Err(SendRefused { reason: SendError::BeyondBuffer, buffer });
        }
        let Some(index) = self.free_slot(target) else {
            return Err(SendRefused { reason: SendError::Full, buffer });
        };
        let descriptor =
            Descriptor { destination, kind: kind as u8, ..plain(target, &buffer, length, message) };
        self.store(index, descriptor, buffer);
        Ok(())
    }

    #[inline]
    fn store(&mut self, index: u32, descriptor: Descriptor, buffer: TransmitBuffer) {
        self.from_client.descriptors.store(index, descriptor);
        self.in_flight[index as usize % TRANSMIT_SLOTS] = Some(InFlight { buffer, tag: descriptor.tag });
        self.next_send = index.wrapping_add(1);
        self.unflushed.work = true;
    }

    /// The next index whose slot is free for a send to `target`, or `None`. Indices before it whose slots are
    /// in use are passed over.
    #[inline]
    fn free_slot(&mut self, target: u16) -> Option<u32> {
        if !self.held_sends.is_empty() {
            return self.free_slot_between(target);
        }
        let unresolved = self.next_send.wrapping_sub(self.oldest);
        (unresolved < self.limit).then_some(self.next_send)
    }

    /// As [`free_slot`](Self::free_slot), when slots between may be in use.
    #[cold]
    fn free_slot_between(&mut self, target: u16) -> Option<u32> {
        if self.unresolved() >= self.held_sends.limit(target) {
            self.look_for_taken();
            if self.unresolved() >= self.held_sends.limit(target) {
                return None;
            }
        }
        let mut index = self.next_send;
        // The loop goes at most one lap past what central has taken.
        loop {
            if index.wrapping_sub(self.taken) >= RING {
                self.look_for_taken();
            }
            if index.wrapping_sub(self.taken) >= RING {
                return None;
            }
            if self.in_flight[index as usize % TRANSMIT_SLOTS].is_none() {
                return Some(index);
            }
            if index.wrapping_sub(self.oldest) >= RING {
                return None;
            }
            self.from_client.pass_over_send(index);
            self.held_sends.pass_over(index);
            index = index.wrapping_add(1);
            self.next_send = index;
            self.unflushed.work = true;
        }
    }

    /// Number of sends that are neither reaped nor known to be held by central.
    fn unresolved(&self) -> u32 {
        self.next_send.wrapping_sub(self.oldest) - self.held_sends.passed_over()
    }

    /// The next send that has ended (r16). Sends to one peer come back in the order in which they were
    /// enqueued, unless one of them expires. A send that waits for its peer does not delay sends to other
    /// peers. After this call the slot of the send can be used again (r26).
    #[inline]
    pub fn reap(&mut self) -> Option<Completion> {
        if self.oldest == self.taken {
            self.look_for_taken();
        }
        if self.held_sends.is_empty() && self.oldest != self.taken {
            let index = self.oldest;
            if let Some(status) = self.to_client.status(index).ended() {
                self.oldest = index.wrapping_add(1);
                return self.give_back(index, status);
            }
        }
        self.reap_out_of_order()
    }

    /// As [`reap`](Self::reap), when central holds sends. It looks first for held sends that have ended, then
    /// at the sends that central has taken since.
    #[cold]
    fn reap_out_of_order(&mut self) -> Option<Completion> {
        let to_client = self.to_client;
        self.look_for_taken();
        let has_ended = |index: u32| to_client.status(index).get(index).is_some_and(Status::is_final);
        if let Some(index) = self.held_sends.take_ended(to_client.ended_late.observe(), has_ended) {
            let status = to_client.status(index).get(index)?;
            return self.give_back(index, status);
        }
        while self.oldest != self.taken {
            let index = self.oldest;
            self.oldest = index.wrapping_add(1);
            if self.held_sends.was_passed_over(index) {
                continue;
            }
            if let Some(status) = to_client.status(index).ended()
                && !self.held_sends.waits_for_first(index)
            {
                self.held_sends.resolve(index);
                return self.give_back(index, status);
            }
            let descriptor: Descriptor = self.from_client.descriptors.load(index);
            self.held_sends.hold(index, descriptor.target);
        }
        None
    }

    fn give_back(&mut self, index: u32, status: Status) -> Option<Completion> {
        let InFlight { buffer, tag } = self.in_flight[index as usize % TRANSMIT_SLOTS].take()?;
        Some(Completion { status, tag, buffer })
    }

    /// Learns up to which send central has taken them.
    #[inline]
    pub(crate) fn look_for_taken(&mut self) {
        let taken = self.to_client.transmit_head.observe();
        // Central is trusted. An index that makes no sense means that the epoch has ended, and then nothing
        // more arrives.
        if taken.wrapping_sub(self.oldest) <= self.next_send.wrapping_sub(self.oldest) {
            self.taken = taken;
        }
    }

    /// The status of the `age`-th oldest send that was not reaped, counted from 0. Sends that central is
    /// known to hold come first. `None` if there is no such send or central has not written its status yet.
    #[must_use]
    pub fn status(&self, age: u32) -> Option<Status> {
        let held = self.held_sends.held();
        let index = match age.checked_sub(held) {
            None => self.held_sends.nth(age)?,
            Some(age) => {
                let mut unresolved = (0..self.next_send.wrapping_sub(self.oldest))
                    .map(|age| self.oldest.wrapping_add(age))
                    .filter(|index| !self.held_sends.is_passed_over(*index));
                unresolved.nth(age as usize)?
            }
        };
        self.to_client.status(index).get(index)
    }

    /// Number of sends that were enqueued and not reaped.
    #[must_use]
    pub fn outstanding(&self) -> u32 {
        self.unresolved() + self.held_sends.held()
    }

    /// Number of slots for further sends, to all peers together. [`room_for`](Self::room_for) tells how many
    /// of them one peer may have.
    #[must_use]
    pub fn room(&self) -> u32 {
        RING - self.outstanding()
    }

    /// Number of slots for further sends to `peer`. The slots that are kept for other peers do not count, so
    /// that no peer can stop this client's exchange with another. Half of all slots is shared out among the
    /// peers for that, at most 16 to each.
    #[must_use]
    pub fn room_for(&self, peer: Peer) -> u32 {
        self.held_sends.limit(peer.domain).saturating_sub(self.unresolved())
    }

    /// The slots that are kept for each peer. A chain of up to this many parts can be sent to one peer,
    /// however long another peer is silent.
    #[must_use]
    pub const fn reserved(&self) -> u32 {
        self.held_sends.reserved()
    }

    /// Publishes everything since the last flush and signals central at most once. There is no signal if
    /// central is awake anyway, or does not wait for what was published.
    pub fn flush(&mut self) {
        let Unflushed { work, room } = self.unflushed;
        self.publish();
        let to_client = self.to_client;
        if (work && to_client.wake.asks_for_signal())
            || (room && to_client.wake_for_requests.asks_for_signal())
        {
            self.doorbell.ring();
        }
    }

    /// Publishes everything since the last flush without a signal. Central finds it at the next tick (r14).
    /// Returns whether there was anything to publish.
    pub fn publish(&mut self) -> bool {
        let Unflushed { work, room } = core::mem::take(&mut self.unflushed);
        if room {
            self.from_client.delivery_head.publish(self.deliveries.next());
        }
        if work || room {
            self.from_client.post_tail.publish(self.next_post);
        }
        if work {
            self.from_client.transmit_tail.publish(self.next_send);
            self.from_client.withdrawals.publish(self.withdrawals);
        }
        work || room
    }

    /// Asks central for signals and looks once more. Returns `true` if there is something to reap or receive
    /// already; then the caller must not sleep, because a signal need not come.
    #[must_use = "if this is true, no signal may follow: do not sleep"]
    pub fn arm(&mut self) -> bool {
        self.from_client.wake.arm();
        self.has_completion() || self.to_client.delivery_tail.observe() != self.deliveries.next()
    }

    /// Whether a send has ended. Sends that central holds are moved to `held_sends` on the way.
    fn has_completion(&mut self) -> bool {
        self.look_for_taken();
        while self.oldest != self.taken {
            let index = self.oldest;
            let is_held = !self.held_sends.is_passed_over(index)
                && (self.to_client.status(index).ended().is_none() || self.held_sends.waits_for_first(index));
            if !is_held {
                return true;
            }
            self.oldest = index.wrapping_add(1);
            let descriptor: Descriptor = self.from_client.descriptors.load(index);
            self.held_sends.hold(index, descriptor.target);
        }
        self.held_sends.has_new_ends(self.to_client.ended_late.observe())
    }

    /// Tells central that this client looks at its queues by itself and needs no signals until it calls
    /// [`arm`](Self::arm).
    pub fn disarm(&mut self) {
        self.from_client.wake.disarm();
    }

    /// The number of `peer`, in the form in which deliveries name it.
    #[must_use]
    pub const fn domain_of(peer: &Peer) -> Option<DomainId> {
        DomainId::new(peer.domain)
    }
}
