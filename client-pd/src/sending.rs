//! The sending half of a port: it enqueues sends, and takes back those that have ended. `ends.rs` finds out
//! which have.

use ferry_layout::geometry::{MAX_CHAIN, TRANSMIT_SLOTS};
use ferry_layout::{Address, Descriptor, DomainId, Kind, Peer, Status, flags};

use crate::held_sends::RING;
use crate::memory::TransmitBuffer;
use crate::message::{Completion, Message, Route, SendError, SendRefused};
use crate::port::{Doorbell, InFlight, Port};

/// The descriptor of a message for the next buffer that its target posts.
#[inline]
pub(crate) fn plain(target: u16, buffer: &TransmitBuffer, length: u32, message: Message) -> Descriptor {
    by_route(Route::of(target, &message), buffer, length, message.tag, message.time_to_live)
}

/// The same, of a message whose route is known.
#[inline]
pub(crate) fn by_route(
    route: Route,
    buffer: &TransmitBuffer,
    length: u32,
    tag: u64,
    time_to_live: u32,
) -> Descriptor {
    let (target, kind, flags) = route.parts();
    let (source, destination) = (buffer.place(), Address::default());
    Descriptor { source, destination, length, target, kind, flags, tag, time_to_live, reserved: 0 }
}

/// A part of a chain: a buffer and how many of its bytes to send.
type Part = (TransmitBuffer, u32);

impl<D: Doorbell> Port<D> {
    /// Enqueues the first `length` bytes of `buffer` for the next buffer that `peer` posts. Central sees the
    /// send after the next [`flush`](Self::flush).
    ///
    /// ```
    /// # use ferry_client::Message;
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # there.post();
    /// # let mut buffer = here.transmit.pop().unwrap();
    /// # let mut port = here.port;
    /// let peer = port.peer("client1").unwrap();
    /// buffer.bytes_mut()[..5].copy_from_slice(b"hello");
    /// if let Err(refused) = port.send(peer, buffer, 5, Message::tagged(7)) {
    ///     panic!("{:?}", refused.reason) // `refused.buffer` is the buffer
    /// }
    /// port.flush();
    /// # assert_eq!(there.take().unwrap(), b"hello");
    /// ```
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

    /// As [`send`](Self::send), to the client of this number. Central refuses it if there is no flow.
    ///
    /// ```
    /// use ferry_client::{DomainId, Message};
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # there.post();
    /// # let buffer = here.transmit.pop().unwrap();
    /// # let mut port = here.port;
    /// let number = DomainId::new(1).unwrap();
    /// port.send_to_domain(number, buffer, 5, Message::tagged(7)).unwrap();
    /// port.flush();
    /// # assert_eq!(there.take().unwrap().len(), 5);
    /// ```
    #[inline]
    pub fn send_to_domain(
        &mut self,
        target: DomainId,
        buffer: TransmitBuffer,
        length: u32,
        message: Message,
    ) -> Result<(), SendRefused> {
        self.enqueue(target.number(), buffer, length, message, Kind::NextBuffer, Address::default())
    }

    /// Enqueues the first `length` bytes of `buffer` for an explicit place in the `_rx` of `peer`, inside a
    /// window that it holds open for this client (r20).
    ///
    /// ```
    /// # use ferry_client::{Event, Message};
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # let (peer, from) = (here.peer, there.peer);
    /// # let (mut sender, mut receiver) = (here.port, there.port);
    /// # let mut buffer = here.transmit.pop().unwrap();
    /// let window = there.receive.pop().unwrap();
    /// let place = window.place(); // the receiver tells the sender
    /// let window = receiver.open_window(window, from).unwrap();
    /// receiver.flush();
    ///
    /// buffer.bytes_mut()[..5].copy_from_slice(b"hello");
    /// sender.send_to(peer, place, buffer, 5, Message::tagged(7)).unwrap();
    /// sender.flush();
    ///
    /// assert!(matches!(receiver.receive(), Some(Event::Placed { tag: 7, length: 5, .. })));
    /// let mut bytes = [0; 5];
    /// assert!(receiver.posted_buffer(window).unwrap().copy_out(0, &mut bytes));
    /// assert_eq!(&bytes, b"hello");
    /// ```
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
    ///
    /// ```
    /// # use ferry_client::Message;
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # there.post();
    /// # let peer = here.peer;
    /// # let [mut head, mut body] = [(); 2].map(|()| here.transmit.pop().unwrap());
    /// # let mut port = here.port;
    /// head.bytes_mut()[..6].copy_from_slice(b"hello ");
    /// body.bytes_mut()[..5].copy_from_slice(b"world");
    /// let mut parts = [(head, 6), (body, 5)].into_iter().collect();
    /// port.send_chain(peer, &mut parts, Message::default()).unwrap();
    /// port.flush();
    /// # assert_eq!(there.take().unwrap(), b"hello world");
    /// ```
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
        let plain = plain(target, &buffer, length, message);
        self.enqueue_descriptor(Descriptor { destination, kind: kind as u8, ..plain }, buffer)
    }

    #[inline]
    pub(crate) fn enqueue_descriptor(
        &mut self,
        descriptor: Descriptor,
        buffer: TransmitBuffer,
    ) -> Result<(), SendRefused> {
        if descriptor.length > buffer.capacity() {
            return Err(SendRefused { reason: SendError::BeyondBuffer, buffer });
        }
        let Some(index) = self.free_slot(descriptor.target) else {
            return Err(SendRefused { reason: SendError::Full, buffer });
        };
        self.store(index, descriptor, buffer);
        Ok(())
    }

    #[inline]
    pub(crate) fn store(&mut self, index: u32, descriptor: Descriptor, buffer: TransmitBuffer) {
        self.from_client.descriptors.store(index, descriptor);
        self.in_flight[index as usize % TRANSMIT_SLOTS] = Some(InFlight { buffer, tag: descriptor.tag });
        self.next_send = index.wrapping_add(1);
        self.unflushed.work = true;
    }

    /// The next index whose slot is free for a send to `target`, or `None`. Indices before it whose slots are
    /// in use are passed over.
    #[inline]
    pub(crate) fn free_slot(&mut self, target: u16) -> Option<u32> {
        if self.held_sends.is_empty() && self.next_send.wrapping_sub(self.oldest) < self.limit {
            return Some(self.next_send);
        }
        self.free_slot_between(target)
    }

    /// As [`free_slot`](Self::free_slot), when slots between may be in use.
    #[cold]
    fn free_slot_between(&mut self, target: u16) -> Option<u32> {
        if self.room_to(target) == 0 {
            return None;
        }
        self.hold_waiting();
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

    /// The next send that has ended (r16). Sends to one peer come back in the order in which they were
    /// enqueued, unless one of them expires or is refused. A send that waits for its peer does not delay
    /// sends to other peers. After this call the slot of the send can be used again (r26).
    ///
    /// ```
    /// use ferry_client::Status;
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # there.post();
    /// # here.send(7, b"hello");
    /// # let (mut port, mut free) = (here.port, here.transmit);
    /// while let Some(done) = port.reap() {
    ///     assert_eq!((done.status, done.tag), (Status::Done, 7));
    ///     free.push(done.buffer);
    /// }
    /// ```
    #[inline]
    pub fn reap(&mut self) -> Option<Completion> {
        if self.oldest == self.taken {
            self.look_for_taken();
        }
        if self.held_sends.is_empty() && self.oldest != self.taken {
            let index = self.oldest;
            if let Some(status) = self.to_client.status(index).ended() {
                self.pass_oldest();
                return self.give_back(index, status);
            }
        }
        self.reap_out_of_order()
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
    ///
    /// ```
    /// use ferry_client::Status;
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.send(7, b"hello");
    /// # let port = here.port;
    /// assert_eq!(port.status(0), Some(Status::Queued)); // the peer has posted no buffer yet
    /// ```
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
    ///
    /// ```
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.send(7, b"hello");
    /// # let port = here.port;
    /// assert_eq!(port.outstanding(), 1);
    /// ```
    #[must_use]
    pub fn outstanding(&self) -> u32 {
        self.next_send.wrapping_sub(self.oldest) - self.held_sends.passed_over() + self.held_sends.held()
    }

    /// Number of slots for further sends, to all peers together. [`room_for`](Self::room_for) tells how many
    /// of them one peer may have.
    ///
    /// ```
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.send(7, b"hello");
    /// # let port = here.port;
    /// assert_eq!(port.room(), 127);
    /// ```
    #[must_use]
    pub fn room(&self) -> u32 {
        RING - self.outstanding()
    }

    /// Number of slots for further sends to `peer`. The slots that are kept for other peers do not count, so
    /// that no peer can stop this client's exchange with another. Half of all slots is shared out among the
    /// peers for that, at most 16 to each.
    ///
    /// ```
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// # let (port, peer) = (here.port, here.peer);
    /// assert_eq!(port.room_for(peer), 128); // there is no other peer
    /// ```
    #[must_use]
    pub fn room_for(&self, peer: Peer) -> u32 {
        self.room_to(peer.domain)
    }

    /// The slots that are kept for each peer. A chain of up to this many parts can be sent to one peer,
    /// however long another peer is silent.
    ///
    /// ```
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// # let port = here.port;
    /// assert_eq!(port.reserved(), 16);
    /// ```
    #[must_use]
    pub const fn reserved(&self) -> u32 {
        self.held_sends.reserved()
    }
}
