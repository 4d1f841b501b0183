//! The server's side of calls: the request that a message brings, and the right to answer it once. How a
//! request and its reply find each other is in [`calls`](crate::calls).

use ferry_layout::DomainId;

use crate::calls::{CALL, REPLY};
use crate::memory::{ReceiveBuffer, TransmitBuffer};
use crate::message::{Event, Message, SendError, SendRefused};
use crate::port::{Doorbell, Port};

/// A call by a peer, as the server sees it.
#[derive(Debug)]
pub struct Request {
    /// Who called: answer with [`Caller::reply`].
    pub caller: Caller,
    /// Holds the request in its first `length` bytes. Post it again when it was read; the answer may come
    /// later.
    pub buffer: ReceiveBuffer,
    /// Bytes that arrived.
    pub length: u32,
}

/// The right to answer one call. It cannot be copied, so no call is answered twice. A call is refused by
/// dropping it; the caller's time-out ends the call then.
#[derive(PartialEq, Eq, Debug)]
pub struct Caller {
    source: DomainId,
    tag: u64,
}

/// A reply was not enqueued. Buffer and caller come back.
#[derive(Debug)]
pub struct ReplyRefused {
    /// Why.
    pub reason: SendError,
    /// The buffer as it was given.
    pub buffer: TransmitBuffer,
    /// Whom to answer.
    pub caller: Caller,
}

impl Request {
    /// The request that an event brings. An event that brings none comes back. A client that serves calls and
    /// makes none needs no [`Calls`](crate::Calls).
    ///
    /// ```
    /// use ferry_client::Request;
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # let ticket = there.call(b"ping");
    /// # let mut answer = here.transmit.pop().unwrap();
    /// # let mut port = here.port;
    /// while let Some(event) = port.receive() {
    ///     let Ok(request) = Request::of(event) else { continue };
    ///     assert_eq!(&request.buffer.bytes()[..request.length as usize], b"ping");
    ///     answer.bytes_mut()[..4].copy_from_slice(b"pong");
    ///     request.caller.reply(&mut port, answer, 4, 100).unwrap();
    ///     port.post(request.buffer, None).unwrap();
    ///     # break;
    /// }
    /// port.flush();
    /// # assert_eq!(there.answer_to(ticket), b"pong");
    /// ```
    pub fn of(event: Event) -> Result<Self, Event> {
        match event {
            Event::Message { source, tag, buffer, length, .. } if tag & (CALL | REPLY) == CALL => {
                Ok(Self { caller: Caller { source, tag }, buffer, length })
            }
            event => Err(event),
        }
    }
}

impl Caller {
    /// The client that called. Central has stamped it, so it cannot be forged.
    ///
    /// ```
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.call(b"ping");
    /// # let request = ferry_client::Request::of(here.port.receive().unwrap()).unwrap();
    /// # let port = here.port;
    /// let caller = port.peer_of(request.caller.source()).unwrap();
    /// assert_eq!(caller.name.as_str(), "client1");
    /// ```
    #[must_use]
    pub const fn source(&self) -> DomainId {
        self.source
    }

    /// Enqueues the first `length` bytes of `buffer` as the answer. The caller sees it after the next
    /// [`Port::flush`]. The buffer comes back by [`Port::reap`], as that of every send.
    ///
    /// `time_to_live` is the number of ticks that the answer may wait for a buffer of the caller; 0 means for
    /// ever. A caller that posts none would otherwise keep the buffer of the answer as long as it likes.
    ///
    /// ```
    /// use ferry_client::{Doorbell, Port, ReplyRefused, Request, TransmitBuffer};
    ///
    /// fn answer(port: &mut Port<impl Doorbell>, request: Request, mut buffer: TransmitBuffer) {
    ///     buffer.bytes_mut()[0] = request.buffer.bytes()[0].wrapping_add(1);
    ///     if let Err(ReplyRefused { buffer, caller, .. }) = request.caller.reply(port, buffer, 1, 100) {
    ///         // All slots for this caller are in use. Keep both and try again after the next `reap`.
    ///         drop((buffer, caller));
    ///     }
    ///     port.post(request.buffer, None).unwrap();
    /// }
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # let ticket = there.call(b"a");
    /// # let request = Request::of(here.port.receive().unwrap()).unwrap();
    /// # answer(&mut here.port, request, here.transmit.pop().unwrap());
    /// # here.port.flush();
    /// # assert_eq!(there.answer_to(ticket), b"b");
    /// ```
    pub fn reply(
        self,
        port: &mut Port<impl Doorbell>,
        buffer: TransmitBuffer,
        length: u32,
        time_to_live: u32,
    ) -> Result<(), ReplyRefused> {
        let message = Message { time_to_live, ..Message::tagged(self.tag | REPLY) };
        port.send_to_domain(self.source, buffer, length, message)
            .map_err(|SendRefused { reason, buffer }| ReplyRefused { reason, buffer, caller: self })
    }
}
