//! Calls: requests that a peer answers, several at a time, each with its own time-out. They are ordinary
//! messages whose tags say what belongs together, so central knows nothing of them.
//!
//! What holds always: a call ends once, whatever the server does. A reply ends a call only if it comes from
//! the peer that was called, and names a call of this life of the client that has not ended. Every buffer
//! comes back: that of a request by [`Calls::reaped`], that of a reply by [`Calls::received`], also when the
//! call has ended before.
//!
//! ```text
//!  63 62 61       46 45        8 7    0
//!  │1│reply│ epoch │  serial   │ slot │     tag of a request, and of its reply
//! ```
//!
//! Tags with the highest bit set belong to calls. A client that makes or serves calls uses smaller ones for
//! its other messages.

use ferry_layout::{DomainId, Peer, Status};

use crate::answers::Request;
use crate::memory::{ReceiveBuffer, TransmitBuffer};
use crate::message::{Completion, Event, Message, SendError, SendRefused};
use crate::port::{Doorbell, Port};

/// Set in the tags of requests and replies.
pub(crate) const CALL: u64 = 1 << 63;
/// Set in the tags of replies alone.
pub(crate) const REPLY: u64 = 1 << 62;
/// Place and width of the fields of a tag.
const EPOCH_SHIFT: u32 = 46;
const EPOCH: u64 = (1 << 16) - 1;
const SERIAL_SHIFT: u32 = 8;
const SERIAL: u64 = (1 << 38) - 1;
const SLOT: u64 = (1 << SERIAL_SHIFT) - 1;

/// Names a call. No other call of this client has the same ticket, not even before a restart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ticket(u64);

impl Ticket {
    /// A number below the `N` of [`Calls`] that no other call in flight has. Use it to find what the call is
    /// about in an array of your own.
    ///
    /// ```
    /// # use ferry_client::{Call, Calls};
    /// # let (mut here, _) = ferry_testbed::stage::pair();
    /// # let (port, server, request) = (&mut here.port, here.peer, here.transmit.pop().unwrap());
    /// let mut calls = Calls::<8>::new();
    /// let mut questions = [""; 8];
    /// let ticket = calls.call(port, server, request, 4, Call::default()).unwrap();
    /// questions[ticket.slot()] = "ping";
    /// ```
    #[must_use]
    pub const fn slot(self) -> usize {
        (self.0 & SLOT) as usize
    }

    /// The ticket as a number, for a program that cannot keep it as it is. It is never 0.
    ///
    /// ```
    /// # use ferry_client::{Call, Calls, Ticket};
    /// # let (mut here, _) = ferry_testbed::stage::pair();
    /// # let (server, request) = (here.peer, here.transmit.pop().unwrap());
    /// # let (mut port, mut calls) = (here.port, Calls::<4>::new());
    /// let ticket = calls.call(&mut port, server, request, 4, Call::default()).unwrap();
    /// assert_eq!(Ticket::from_number(ticket.number()), ticket);
    /// ```
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The ticket that has this number. One that was never given out names no call.
    ///
    /// ```
    /// # use ferry_client::{Calls, Ticket};
    /// let mut calls = Calls::<4>::new();
    /// assert!(!calls.cancel(Ticket::from_number(u64::MAX)));
    /// ```
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    const fn serial(self) -> u64 {
        self.0 >> SERIAL_SHIFT & SERIAL
    }

    const fn epoch(self) -> u64 {
        self.0 >> EPOCH_SHIFT & EPOCH
    }
}

/// How a call is to be made. [`Call::default`] waits for ever.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Call {
    /// Put the request in the urgent class. The flow must grant it.
    pub urgent: bool,
    /// Ticks that the request may wait for a buffer of the server; 0 means that it may wait for ever. If they
    /// run out, the call fails with [`Status::Expired`], and the server never sees the request.
    pub time_to_live: u32,
    /// The instant at which the caller gives up. It is on the clock by which the caller tells
    /// [`Calls::expire`] the time.
    pub deadline: Option<u64>,
}

/// A call was not made. The buffer comes back.
#[derive(Debug)]
pub struct CallRefused {
    /// Why.
    pub reason: CallError,
    /// The buffer as it was given.
    pub buffer: TransmitBuffer,
}

/// Why a call was not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallError {
    /// As many calls are in flight as [`Calls`] has room for. Wait until one ends, or give one up by
    /// [`Calls::cancel`].
    TooMany,
    /// The request could not be enqueued.
    Send(SendError),
}

/// A call that has not ended.
#[derive(Clone, Copy)]
struct Waiting {
    ticket: Ticket,
    server: u16,
    deadline: Option<u64>,
}

/// The calls of one client that have not ended, at most `N`, which is at most 256.
///
/// Pass everything that the port gives to [`reaped`](Self::reaped) and [`received`](Self::received). What
/// does not belong to a call comes back as it was.
///
/// A protection domain has no clock, so the caller says what time it is. Any number that grows will do, such
/// as the signals of a timer, counted. Whoever gives the time must also wake the client: a server that has
/// taken the request and stays silent causes no signal.
///
/// ```
/// use ferry_client::{Call, Calls, Incoming, Reaped};
/// # let (mut here, mut there) = ferry_testbed::stage::pair();
/// # let (server, mut request) = (here.peer, here.transmit.pop().unwrap());
/// # let for_reply = here.receive.pop().unwrap();
/// # let mut port = here.port;
/// # there.post();
///
/// let mut calls = Calls::<16>::new();
/// port.post(for_reply, Some(server)).unwrap();
/// request.bytes_mut()[..4].copy_from_slice(b"ping");
/// let until = Call { deadline: Some(100), ..Call::default() };
/// let ticket = calls.call(&mut port, server, request, 4, until).unwrap();
/// port.flush();
/// # there.serve(|request| request.to_ascii_uppercase());
///
/// // When woken:
/// while let Some(done) = port.reap() {
///     match calls.reaped(done) {
///         Reaped::Returned(_buffer) => { /* fill it again */ }
///         Reaped::Failed { status, .. } => panic!("the request ended with {status:?}"),
///         Reaped::Other(done) => panic!("{done:?} belongs to no call"),
///     }
/// }
/// while let Some(event) = port.receive() {
///     match calls.received(event) {
///         Incoming::Reply { ticket: of, buffer, length } => {
///             assert_eq!(of, ticket);
///             assert_eq!(&buffer.bytes()[..length as usize], b"PING");
///         }
///         other => panic!("{other:?} was not expected"),
///     }
/// }
/// assert!(calls.is_empty());
/// ```
pub struct Calls<const N: usize> {
    slots: [Option<Waiting>; N],
    /// Serial number of the next call.
    next: u64,
    /// The epoch, as far as a tag holds it, of the newest call.
    epoch: Option<u64>,
}

/// What became of a send, for a client that makes calls. [`Calls::reaped`] returns it.
#[derive(Debug)]
pub enum Reaped {
    /// The buffer of a request is back. The call goes on, or has ended before.
    Returned(TransmitBuffer),
    /// The request did not reach the server, and the call has ended.
    Failed {
        /// The call.
        ticket: Ticket,
        /// Why.
        status: Status,
        /// The buffer of the request.
        buffer: TransmitBuffer,
    },
    /// The send was not a request of a call.
    Other(Completion),
}

/// What an event means, for a client that makes or serves calls. [`Calls::received`] returns it.
#[derive(Debug)]
pub enum Incoming {
    /// The reply to a call, which has ended with this.
    Reply {
        /// The call.
        ticket: Ticket,
        /// Holds the reply in its first `length` bytes.
        buffer: ReceiveBuffer,
        /// Bytes that arrived.
        length: u32,
    },
    /// A reply that no call waits for. Post its buffer again.
    Stray {
        /// Who sent it.
        source: DomainId,
        /// Why nobody waits for it.
        reason: Stray,
        /// The buffer in which it arrived.
        buffer: ReceiveBuffer,
    },
    /// A peer calls this client.
    Request(Request),
    /// The event has nothing to do with calls.
    Other(Event),
}

/// Why nobody waits for a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stray {
    /// Its call has ended: it was answered, has timed out, or was given up, or it was made before this client
    /// restarted. A server that is late does this, and so does one that answers twice.
    Ended,
    /// It comes from another peer than the one that was called. Only a peer that breaks the rules does this.
    Elsewhere,
    /// There never was such a call. Only a peer that breaks the rules does this.
    Never,
}

impl<const N: usize> Default for Calls<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Calls<N> {
    /// No calls.
    ///
    /// ```
    /// let calls = ferry_client::Calls::<16>::new();
    /// assert!(calls.is_empty());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(N as u64 <= SLOT + 1, "at most 256 calls can be in flight") };
        Self { slots: [None; N], next: 0, epoch: None }
    }

    /// Enqueues the first `length` bytes of `buffer` as a request to `server`. The server sees it after the
    /// next [`Port::flush`]. Post a buffer for the reply before, best one that only `server` may fill.
    ///
    /// ```
    /// # use ferry_client::{Call, Calls};
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # let (server, request) = (here.peer, here.transmit.pop().unwrap());
    /// # let (mut port, mut calls) = (here.port, Calls::<4>::new());
    /// # let now = 1000;
    /// let call = Call { time_to_live: 5, deadline: Some(now + 50), ..Call::default() };
    /// match calls.call(&mut port, server, request, 16, call) {
    ///     Ok(_ticket) => port.flush(),
    ///     Err(refused) => panic!("{:?}", refused.reason), // and `refused.buffer` is the request's
    /// }
    /// ```
    pub fn call(
        &mut self,
        port: &mut Port<impl Doorbell>,
        server: Peer,
        buffer: TransmitBuffer,
        length: u32,
        call: Call,
    ) -> Result<Ticket, CallRefused> {
        let Some(slot) = self.slots.iter().position(Option::is_none) else {
            return Err(CallRefused { reason: CallError::TooMany, buffer });
        };
        let epoch = u64::from(port.epoch()) & EPOCH;
        let ticket = Ticket(CALL | epoch << EPOCH_SHIFT | self.next << SERIAL_SHIFT | slot as u64);
        let Call { urgent, time_to_live, deadline } = call;
        let message = Message { urgent, time_to_live, ..Message::tagged(ticket.0) };
        match port.send(server, buffer, length, message) {
            Ok(()) => {
                self.next = (self.next + 1) & SERIAL;
                self.epoch = Some(epoch);
                self.slots[slot] = Some(Waiting { ticket, server: server.domain, deadline });
                Ok(ticket)
            }
            Err(SendRefused { reason, buffer }) => {
                Err(CallRefused { reason: CallError::Send(reason), buffer })
            }
        }
    }

    /// Says what a send that [`Port::reap`] has brought back means for the calls.
    ///
    /// ```
    /// # use ferry_client::{Call, Calls, Reaped, Status};
    /// # let (mut here, there) = ferry_testbed::stage::pair();
    /// # let (server, request) = (here.peer, here.transmit.pop().unwrap());
    /// # let (mut port, mut calls) = (here.port, Calls::<4>::new());
    /// let call = Call { time_to_live: 1, ..Call::default() };
    /// let ticket = calls.call(&mut port, server, request, 16, call).unwrap();
    /// port.flush();
    /// # there.ticks(2);
    /// // The server has posted no buffer, and the ticks have run out:
    /// let Some(Reaped::Failed { ticket: of, status, .. }) = port.reap().map(|done| calls.reaped(done)) else {
    ///     panic!("the call has not failed")
    /// };
    /// assert_eq!((of, status), (ticket, Status::Expired));
    /// ```
    pub fn reaped(&mut self, done: Completion) -> Reaped {
        let Completion { status, tag, buffer } = done;
        if tag & (CALL | REPLY) != CALL {
            return Reaped::Other(Completion { status, tag, buffer });
        }
        let ticket = Ticket(tag);
        if status != Status::Done && self.cancel(ticket) {
            return Reaped::Failed { ticket, status, buffer };
        }
        Reaped::Returned(buffer)
    }

    /// Says what an event that [`Port::receive`] has brought means for the calls.
    ///
    /// ```
    /// # use ferry_client::{Call, Calls, Event, Incoming};
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.send(7, b"hello");
    /// # let (mut port, mut calls) = (here.port, Calls::<4>::new());
    /// while let Some(event) = port.receive() {
    ///     let free = match calls.received(event) {
    ///         Incoming::Reply { buffer, .. } => buffer,   // use it
    ///         Incoming::Stray { buffer, .. } => buffer,   // nobody waits for it
    ///         Incoming::Request(request) => request.buffer, // answer `request.caller`
    ///         Incoming::Other(Event::Message { buffer, .. }) => buffer, // an ordinary message
    ///         Incoming::Other(_) => continue,
    ///     };
    ///     port.post(free, None).unwrap();
    /// }
    /// ```
    pub fn received(&mut self, event: Event) -> Incoming {
        let (source, tag, buffer, length) = match Request::of(event) {
            Ok(request) => return Incoming::Request(request),
            Err(Event::Message { source, tag, buffer, length, .. }) if tag & CALL != 0 => {
                (source, tag, buffer, length)
            }
            Err(event) => return Incoming::Other(event),
        };
        let ticket = Ticket(tag & !REPLY);
        let reason = match self.waiting(ticket) {
            Some(waiting) if waiting.server == source.number() => {
                self.cancel(ticket);
                return Incoming::Reply { ticket, buffer, length };
            }
            Some(_) => Stray::Elsewhere,
            None if self.was_made(ticket) => Stray::Ended,
            None => Stray::Never,
        };
        Incoming::Stray { source, reason, buffer }
    }

    /// Ends a call whose deadline is not after `now`, and returns it; `None` if there is none. Its reply, if
    /// one comes, is a [`Stray`]. The server may carry out a request all the same.
    ///
    /// ```
    /// # use ferry_client::{Call, Calls};
    /// # let (mut here, _) = ferry_testbed::stage::pair();
    /// # let (server, request) = (here.peer, here.transmit.pop().unwrap());
    /// # let (mut port, mut calls) = (here.port, Calls::<4>::new());
    /// let call = Call { deadline: Some(20), ..Call::default() };
    /// let ticket = calls.call(&mut port, server, request, 16, call).unwrap();
    /// port.flush();
    /// assert_eq!(calls.expire(19), None);
    /// while let Some(late) = calls.expire(20) {
    ///     assert_eq!(late, ticket);
    /// }
    /// ```
    pub fn expire(&mut self, now: u64) -> Option<Ticket> {
        let is_late = |waiting: &&Waiting| waiting.deadline.is_some_and(|deadline| deadline <= now);
        let ticket = self.slots.iter().flatten().find(is_late)?.ticket;
        self.cancel(ticket);
        Some(ticket)
    }

    /// The earliest deadline of all calls. Set a timer for it.
    ///
    /// ```
    /// assert_eq!(ferry_client::Calls::<16>::new().next_deadline(), None);
    /// ```
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.slots.iter().flatten().filter_map(|waiting| waiting.deadline).min()
    }

    /// Gives a call up. Returns whether it was in flight.
    ///
    /// ```
    /// # use ferry_client::{Call, Calls};
    /// # let (mut here, _) = ferry_testbed::stage::pair();
    /// # let (server, request) = (here.peer, here.transmit.pop().unwrap());
    /// # let (mut port, mut calls) = (here.port, Calls::<4>::new());
    /// let ticket = calls.call(&mut port, server, request, 16, Call::default()).unwrap();
    /// assert!(calls.cancel(ticket));
    /// assert!(!calls.cancel(ticket));
    /// ```
    pub fn cancel(&mut self, ticket: Ticket) -> bool {
        let was_in_flight = self.waiting(ticket).is_some();
        if was_in_flight {
            self.slots[ticket.slot()] = None;
        }
        was_in_flight
    }

    /// Number of calls in flight.
    ///
    /// ```
    /// # use ferry_client::{Call, Calls};
    /// # let (mut here, _) = ferry_testbed::stage::pair();
    /// # let (server, request) = (here.peer, here.transmit.pop().unwrap());
    /// # let (mut port, mut calls) = (here.port, Calls::<4>::new());
    /// calls.call(&mut port, server, request, 16, Call::default()).unwrap();
    /// assert_eq!(calls.len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// Whether no call is in flight.
    ///
    /// ```
    /// assert!(ferry_client::Calls::<16>::new().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }

    fn waiting(&self, ticket: Ticket) -> Option<&Waiting> {
        self.slots.get(ticket.slot())?.as_ref().filter(|waiting| waiting.ticket == ticket)
    }

    /// Whether the ticket can be that of a call which has ended. Of earlier lives of the client nothing is
    /// known, so all of their tickets can be.
    fn was_made(&self, ticket: Ticket) -> bool {
        ticket.serial() < self.next || self.epoch != Some(ticket.epoch())
    }
}
