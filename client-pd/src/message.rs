//! What goes into a port and what comes out of it.

use ferry_layout::{Address, DomainId, Kind, Peer, Status, flags};

use crate::memory::{ReceiveBuffer, TransmitBuffer};

/// How a message is to be sent. [`Message::default`] is an ordinary message with tag 0.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Message {
    /// Carried to the receiver unchanged.
    pub tag: u64,
    /// Put the message in the urgent class. The flow must grant it.
    pub urgent: bool,
    /// Do not signal the receiver for this message.
    pub no_signal: bool,
    /// Ticks that the message may wait before it expires; 0 means that it may wait for ever.
    pub time_to_live: u32,
}

impl Message {
    /// An ordinary message with this tag.
    ///
    /// ```
    /// use ferry_client::Message;
    ///
    /// let short_lived = Message { time_to_live: 10, ..Message::tagged(7) };
    /// assert_eq!(short_lived.tag, 7);
    /// ```
    #[must_use]
    pub const fn tagged(tag: u64) -> Self {
        Self { tag, urgent: false, no_signal: false, time_to_live: 0 }
    }
}

/// A send was not enqueued. The buffer comes back.
#[derive(Debug)]
pub struct SendRefused {
    /// Why.
    pub reason: SendError,
    /// The buffer as it was given.
    pub buffer: TransmitBuffer,
}

/// Why a send was not enqueued.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendError {
    /// All slots for this peer are in use, see [`Port::room_for`](crate::Port::room_for). Call
    /// [`Port::reap`](crate::Port::reap), or wait for central.
    Full,
    /// The length is larger than the buffer.
    BeyondBuffer,
    /// A chain has 1 to [`MAX_CHAIN`](ferry_layout::geometry::MAX_CHAIN) parts.
    ChainLength,
}

/// A send that has ended.
#[derive(Debug)]
pub struct Completion {
    /// What became of it.
    pub status: Status,
    /// The tag that it was sent with.
    pub tag: u64,
    /// Its buffer, to be filled again.
    pub buffer: TransmitBuffer,
}

/// A message to be sent, as [`Port::reap_each`](crate::Port::reap_each) takes it.
#[derive(Debug)]
pub struct Outgoing {
    /// The client that shall receive it.
    pub peer: Peer,
    /// The buffer that holds it.
    pub buffer: TransmitBuffer,
    /// Bytes from the beginning of the buffer.
    pub length: u32,
    /// How it is to be sent.
    pub message: Message,
}

/// Where a message goes, and how, as one number: what stays the same from one message to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route(u32);

impl Route {
    /// To the client of this number, which a [`Peer`] has as its `domain`: urgent or not, with a signal for
    /// the receiver or without.
    ///
    /// ```
    /// use ferry_client::Route;
    ///
    /// assert_ne!(Route::new(1, false, false), Route::new(1, true, false));
    /// ```
    #[must_use]
    #[inline]
    pub const fn new(domain: u16, urgent: bool, no_signal: bool) -> Self {
        let flags = if urgent { flags::URGENT } else { 0 } | if no_signal { flags::NO_SIGNAL } else { 0 };
        Self(domain as u32 | (flags as u32) << 24)
    }

    #[inline]
    pub(crate) const fn of(domain: u16, message: &Message) -> Self {
        Self::new(domain, message.urgent, message.no_signal)
    }

    /// Target, kind and flags, as a descriptor has them. The kind is [`Kind::NextBuffer`].
    #[inline]
    pub(crate) const fn parts(self) -> (u16, u8, u8) {
        #[expect(clippy::cast_possible_truncation, reason = "parts of the number")]
        (self.0 as u16, (self.0 >> 16) as u8, (self.0 >> 24) as u8)
    }
}

const _: () = assert!(Kind::NextBuffer as u8 == 0);

/// As [`Outgoing`], by a route. Its time to live has no end.
#[derive(Debug)]
pub struct OutgoingByRoute {
    /// The client that shall receive it.
    pub route: Route,
    /// The buffer that holds it.
    pub buffer: TransmitBuffer,
    /// Bytes from the beginning of the buffer.
    pub length: u32,
    /// Carried to the receiver unchanged.
    pub tag: u64,
}

/// Names a receive request, for example to withdraw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Posted {
    pub(crate) index: u32,
}

/// A receive request was not enqueued, because all slots that it could have are in use. The buffer comes
/// back.
#[derive(Debug)]
pub struct PostError {
    /// The buffer as it was given.
    pub buffer: ReceiveBuffer,
}

/// What [`Port::receive`](crate::Port::receive) found.
#[derive(Debug)]
pub enum Event {
    /// A message has arrived in a posted buffer. The buffer is the client's again.
    Message {
        /// The sender. Central has stamped it, so it cannot be forged.
        source: DomainId,
        /// The sender's tag.
        tag: u64,
        /// Number of the message in its flow, from 0.
        sequence: u64,
        /// Holds the message in its first `length` bytes.
        buffer: ReceiveBuffer,
        /// Bytes that arrived.
        length: u32,
    },
    /// A message has arrived in an open window, at a place that the sender chose.
    Placed {
        /// The sender. Central has stamped it, so it cannot be forged.
        source: DomainId,
        /// The sender's tag.
        tag: u64,
        /// Number of the message in its flow, from 0.
        sequence: u64,
        /// Where the message lies in `_rx`.
        place: Address,
        /// Bytes that arrived.
        length: u32,
    },
    /// A receive request was withdrawn, or central did not accept it. Its buffer is the client's again.
    Returned(ReceiveBuffer),
}

impl Event {
    /// The sender of the message that has arrived, or `None` if a buffer has come back without one.
    ///
    /// ```
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.send(7, b"hello");
    /// # let mut port = here.port;
    /// let event = port.receive().unwrap();
    /// assert_eq!(event.source().map(|source| source.number()), Some(1));
    /// ```
    #[must_use]
    pub const fn source(&self) -> Option<DomainId> {
        match self {
            Self::Message { source, .. } | Self::Placed { source, .. } => Some(*source),
            Self::Returned(_) => None,
        }
    }
}
