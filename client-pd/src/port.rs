//! The port: one client's end of its connection to central. This file opens it and sends; `receiving.rs` receives, and
//! `runs.rs` does either with all that there is.

use ferry_layout::geometry::{DELIVERY_SLOTS, FRAME_BYTES, MAX_CHAIN, POST_SLOTS, TRANSMIT_SLOTS};
use ferry_layout::{
    Address, Consumer, Descriptor, DomainId, InRegion, Kind, OutRegion, Peer, Producer, Standing, Status,
    flags,
};
use ferry_platform::{Region, RegionError};

use crate::memory::{ReceiveBuffer, ReceiveMemory, TransmitBuffer, TransmitMemory};
use crate::message::{Completion, Message, SendError, SendRefused};

/// Signals central. Any closure that does so is one.
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
    out: &'static OutRegion,
    into: &'static InRegion,
    transmit: TransmitMemory,
    receive: ReceiveMemory,
}

/// The regions are not as a client needs them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// The system description does not map this region, or does not set its symbols.
    Missing(&'static str),
    /// This region cannot hold what it is for.
    Unfit(&'static str, RegionError),
}

impl Regions {
    /// The regions behind `ferry_out`, `ferry_in`, `ferry_tx` and `ferry_rx`.
    ///
    /// # Safety
    /// They are this client's regions, mapped as the system description says, and nothing else in the program
    /// touches them. Called once.
    pub unsafe fn new(
        out: Option<Region>,
        into: Option<Region>,
        transmit: Option<Region>,
        receive: Option<Region>,
    ) -> Result<Self, OpenError> {
        let out = out.ok_or(OpenError::Missing("ferry_out"))?;
        let into = into.ok_or(OpenError::Missing("ferry_in"))?;
        let transmit = transmit.ok_or(OpenError::Missing("ferry_tx"))?;
        let receive = receive.ok_or(OpenError::Missing("ferry_rx"))?;
        for (name, region) in [("ferry_tx", transmit), ("ferry_rx", receive)] {
            let alignment = FRAME_BYTES as usize;
            if !region.base().addr().get().is_multiple_of(alignment) {
                return Err(OpenError::Unfit(name, RegionError::Misaligned { alignment }));
            }
        }
        Ok(Self {
            out: out.shared().map_err(|error| OpenError::Unfit("ferry_out", error))?,
            into: into.shared().map_err(|error| OpenError::Unfit("ferry_in", error))?,
            // SAFETY: the caller's promise, handed on.
            transmit: unsafe { TransmitMemory::new(transmit) },
            // SAFETY: the caller's promise, handed on.
            receive: unsafe { ReceiveMemory::new(receive) },
        })
    }
}

/// A port that central has not let in yet.
pub struct Opening<D: Doorbell> {
    out: &'static OutRegion,
    into: &'static InRegion,
    epoch: u32,
    doorbell: D,
}

impl<D: Doorbell> Opening<D> {
    /// The port, if central has begun the epoch; else try again when notified.
    pub fn poll(self) -> Result<Port<D>, Self> {
        if self.into.epoch.observe() != self.epoch {
            return Err(self);
        }
        Ok(Port {
            out: self.out,
            into: self.into,
            doorbell: self.doorbell,
            sends: Producer::new(0),
            ended: 0,
            in_flight: [const { None }; TRANSMIT_SLOTS],
            posts: Producer::new(0),
            posted: [const { None }; POST_SLOTS],
            deliveries: Consumer::new(0),
            unflushed: Unflushed::default(),
        })
    }
}

/// A buffer on its way, by the slot of its descriptor.
pub(crate) struct InFlight {
    pub(crate) buffer: TransmitBuffer,
    pub(crate) tag: u64,
}

/// One client's end of its connection to central.
pub struct Port<D: Doorbell> {
    pub(crate) out: &'static OutRegion,
    pub(crate) into: &'static InRegion,
    doorbell: D,
    /// Sends that were enqueued, from the oldest that was not reaped on.
    pub(crate) sends: Producer<TRANSMIT_SLOTS>,
    /// One past the newest send that has come to its end with all before it, as far as this side knows.
    ended: u32,
    pub(crate) in_flight: [Option<InFlight>; TRANSMIT_SLOTS],
    pub(crate) posts: Producer<POST_SLOTS>,
    pub(crate) posted: [Option<ReceiveBuffer>; POST_SLOTS],
    pub(crate) deliveries: Consumer<DELIVERY_SLOTS>,
    pub(crate) unflushed: Unflushed,
}

/// What central does not know of yet.
#[derive(Clone, Copy, Default)]
pub(crate) struct Unflushed {
    /// Something to send, or a window or a withdrawal: central has to look, or it is not heard of.
    pub(crate) news: bool,
    /// A posted buffer or a taken delivery: central looks when it needs it, and has a hint of its own to say so.
    pub(crate) room: bool,
}

/// The descriptor of a message to the next buffer that its target posts.
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
    /// Asks central to let this client in, as at a first start or a restart, and signals it. Gives the memory to be
    /// split into buffers.
    #[must_use]
    pub fn open(regions: Regions, mut doorbell: D) -> (Opening<D>, TransmitMemory, ReceiveMemory) {
        let Regions { out, into, transmit, receive } = regions;
        out.take_leave();
        out.transmit_tail.publish(0);
        out.post_tail.publish(0);
        out.delivery_head.publish(0);
        out.wake.arm();
        let epoch = into.epoch.observe().wrapping_add(1);
        out.ask_for_epoch(epoch);
        doorbell.ring();
        (Opening { out, into, epoch, doorbell }, transmit, receive)
    }

    /// This client's own number.
    #[must_use]
    pub fn domain(&self) -> u16 {
        self.into.domain()
    }

    /// How central regards this client. Anything but [`Standing::Open`]: open anew.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.into.standing()
    }

    /// The running totals that central keeps of this client.
    #[must_use]
    pub const fn counters(&self) -> &'static ferry_layout::Counters {
        &self.into.counters
    }

    /// The peers that this client shares a flow with.
    pub fn peers(&self) -> impl Iterator<Item = Peer> {
        let into = self.into;
        (0..into.peer_count()).map(move |number| into.directory.load(number))
    }

    /// The peer of this name, or `None` if there is no flow between it and this client.
    #[must_use]
    pub fn peer(&self, name: &str) -> Option<Peer> {
        self.peers().find(|peer| peer.name.as_str() == name)
    }

    /// Enqueues the first `length` bytes of `buffer` for the next buffer that `peer` posts. Central learns of it by the
    /// next [`flush`](Self::flush).
    #[inline]
    pub fn send(
        &mut self,
        peer: Peer,
        buffer: TransmitBuffer,
        length: u32,
        message: Message,
    ) -> Result<(), SendRefused> {
        self.enqueue(peer.domain, buffer, length, message, Kind::NextBuffer, Address::default(), 0)
    }

    /// Enqueues the first `length` bytes of `buffer` for an explicit place in the `_rx` of `peer`, inside a window
    /// that it holds open for this client (r20).
    pub fn send_to(
        &mut self,
        peer: Peer,
        place: Address,
        buffer: TransmitBuffer,
        length: u32,
        message: Message,
    ) -> Result<(), SendRefused> {
        self.enqueue(peer.domain, buffer, length, message, Kind::Placed, place, 0)
    }

    /// Enqueues several buffers as one message: it arrives in one piece, in one buffer of `peer`. All or none are
    /// enqueued; `parts` is empty afterwards, or as it was.
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
        if (self.room() as usize) < parts.len() {
            return Err(SendError::Full);
        }
        let last = parts.len() - 1;
        for (number, (buffer, length)) in core::mem::take(parts).into_iter().enumerate() {
            let chained = if number == last { 0 } else { flags::CHAINED };
            // Cannot be refused: room and lengths were checked for all parts.
            let _ = self.enqueue(
                peer.domain,
                buffer,
                length,
                message,
                Kind::NextBuffer,
                Address::default(),
                chained,
            );
        }
        Ok(())
    }

    #[inline]
    #[expect(clippy::too_many_arguments, reason = "the fields of a descriptor")]
    fn enqueue(
        &mut self,
        target: u16,
        buffer: TransmitBuffer,
        length: u32,
        message: Message,
        kind: Kind,
        destination: Address,
        chained: u8,
    ) -> Result<(), SendRefused> {
        if length > buffer.capacity() {
            return Err(SendRefused { reason: SendError::BeyondBuffer, buffer });
        }
        let Some(index) = self.sends.push() else {
            return Err(SendRefused { reason: SendError::Full, buffer });
        };
        let descriptor =
            Descriptor { destination, kind: kind as u8, ..plain(target, &buffer, length, message) };
        let descriptor = Descriptor { flags: descriptor.flags | chained, ..descriptor };
        self.out.descriptors.store(index, descriptor);
        self.in_flight[index as usize % TRANSMIT_SLOTS] = Some(InFlight { buffer, tag: message.tag });
        self.unflushed.news = true;
        Ok(())
    }

    /// The oldest send, if it has come to its end (r16). Sends come back in the order in which they were enqueued;
    /// their slots can be used again from here on (r26).
    #[inline]
    pub fn reap(&mut self) -> Option<Completion> {
        let index = self.sends.head();
        if self.known_end() == index {
            return None;
        }
        let status = self.into.status(index).ended()?;
        // Cannot fail: `index` was pushed.
        let _ = self.sends.refresh(index.wrapping_add(1));
        let InFlight { buffer, tag } = self.in_flight[index as usize % TRANSMIT_SLOTS].take()?;
        Some(Completion { status, tag, buffer })
    }

    /// One past the newest send that is known to have come to its end with all before it; looks for more if there are none.
    #[inline]
    pub(crate) fn known_end(&mut self) -> u32 {
        let head = self.sends.head();
        if self.ended == head {
            let ended = self.into.transmit_head.observe();
            // Central is trusted; an index that makes no sense means that the epoch has ended, and nothing more comes.
            if ended != head && ended.wrapping_sub(head) <= self.outstanding() {
                self.ended = ended;
            } else if self.oldest_has_ended() {
                self.ended = head.wrapping_add(1);
            }
        }
        self.ended
    }

    /// Whether the oldest send has its final status, which it has a moment before the head says so.
    #[cold]
    fn oldest_has_ended(&self) -> bool {
        self.status(0).is_some_and(Status::is_final)
    }

    /// How the `age`-th oldest send that was not reaped stands: `None` if there is none or central has not spoken of it.
    #[must_use]
    pub fn status(&self, age: u32) -> Option<Status> {
        let index = self.sends.head().wrapping_add(age);
        if age < self.outstanding() { self.into.status(index).get(index) } else { None }
    }

    /// Sends that were enqueued and not reaped.
    #[must_use]
    pub const fn outstanding(&self) -> u32 {
        self.sends.next().wrapping_sub(self.sends.head())
    }

    /// Slots for further sends.
    #[must_use]
    pub const fn room(&self) -> u32 {
        self.sends.free()
    }

    /// Lets central know of everything since the last flush: at most one signal, and none if central is awake anyway, or
    /// does not wait for what there is.
    pub fn flush(&mut self) {
        let Unflushed { news, room } = self.unflushed;
        self.publish();
        let into = self.into;
        if (news && into.wake.asks_for_signal()) || (room && into.wake_for_requests.asks_for_signal()) {
            self.doorbell.ring();
        }
    }

    /// Makes everything visible to central without a signal: it will be found at the next tick (r14). Whether there
    /// was anything.
    pub fn publish(&mut self) -> bool {
        let Unflushed { news, room } = core::mem::take(&mut self.unflushed);
        if room {
            self.out.delivery_head.publish(self.deliveries.next());
        }
        if news || room {
            self.out.post_tail.publish(self.posts.next());
        }
        if news {
            self.out.transmit_tail.publish(self.sends.next());
        }
        news || room
    }

    /// Asks to be signalled and looks once more: `true` if there is news already, so that the caller must not sleep.
    #[must_use = "with news at hand a signal need not come"]
    pub fn arm(&mut self) -> bool {
        self.out.wake.arm();
        let has_completion = self.status(0).is_some_and(Status::is_final);
        let has_delivery = self.into.delivery_tail.observe() != self.deliveries.next();
        has_completion || has_delivery
    }

    /// Says that this client looks at its queues by itself and needs no signals, until it calls [`arm`](Self::arm).
    pub fn disarm(&mut self) {
        self.out.wake.disarm();
    }

    /// The number of `peer` as deliveries name it.
    #[must_use]
    pub const fn domain_of(peer: &Peer) -> Option<DomainId> {
        DomainId::new(peer.domain)
    }
}
