//! The calls that this program makes and serves. Each method is the function of `ferry.h` with the same name,
//! without the pointers. All rules of calls are those of [`Calls`]; what is added here are handles.

use ferry_client::{
    Call, CallError, CallRefused, Calls, Completion, DomainId, Event as Arrived, Incoming as Means, Reaped,
    Status, Stray, Ticket as Name,
};

use crate::buffers::place_of;
use crate::callers::Callers;
use crate::client::{Client, why};
use crate::global::Global;
use crate::types::{
    CallEnd, CallEndKind, CallOptions, Caller, Incoming, IncomingKind, MAX_BUFFERS, MAX_CALLS, Result,
    RxBuffer, Ticket, TxBuffer, URGENT,
};

/// The calls. They are apart from the client, so a program that makes and serves none does not have them.
pub(crate) static CALLING: Global<Calling> = Global::new(Calling::new());

/// The calls of this program, and the callers that it has not answered.
pub(crate) struct Calling {
    calls: Calls<MAX_CALLS>,
    callers: Callers,
    /// For each receive buffer, its handle when the program asked what the message in it means for the calls.
    /// A message is asked about once: otherwise a call could be answered as often as it is asked about.
    asked: [u64; MAX_BUFFERS],
}

/// What the program says of a message that has arrived.
#[derive(Clone, Copy)]
pub(crate) struct Message {
    pub(crate) source: u16,
    pub(crate) tag: u64,
    pub(crate) sequence: u64,
    pub(crate) buffer: RxBuffer,
    pub(crate) length: u32,
}

impl Incoming {
    /// An event that has nothing to do with calls.
    pub(crate) const ORDINARY: Self = Self::of(IncomingKind::FerryOrdinary);

    const fn of(kind: IncomingKind) -> Self {
        Self { ticket: Ticket { number: 0 }, caller: Caller { handle: 0 }, kind }
    }
}

impl Calling {
    const fn new() -> Self {
        Self { calls: Calls::new(), callers: Callers::new(), asked: [0; MAX_BUFFERS] }
    }

    pub(crate) fn call(
        &mut self,
        client: &mut Client,
        server: u16,
        buffer: TxBuffer,
        length: u32,
        options: CallOptions,
    ) -> core::result::Result<Ticket, Result> {
        let CallOptions { deadline, time_to_live, flags } = options;
        let deadline = (deadline != 0).then_some(deadline);
        let call = Call { urgent: flags & URGENT != 0, time_to_live, deadline };
        let mut made = None;
        client.call(server, buffer, |port, server, token| {
            match self.calls.call(port, server, token, length, call) {
                Ok(ticket) => {
                    made = Some(ticket);
                    Ok(())
                }
                Err(CallRefused { reason: CallError::TooMany, buffer }) => Err((Result::FerryFull, buffer)),
                Err(CallRefused { reason: CallError::Send(reason), buffer }) => Err((why(reason), buffer)),
            }
        })?;
        made.map(|ticket| Ticket { number: ticket.number() }).ok_or(Result::FerryStale)
    }

    pub(crate) fn reaped(
        &mut self,
        client: &mut Client,
        status: Status,
        tag: u64,
        buffer: TxBuffer,
    ) -> core::result::Result<CallEnd, Result> {
        let calls = &mut self.calls;
        let end = client.tx().lend(buffer.handle, |buffer| {
            match calls.reaped(Completion { status, tag, buffer }) {
                Reaped::Returned(buffer) => ((CallEndKind::FerryCallGoesOn, tag), Some(buffer)),
                Reaped::Failed { ticket, buffer, .. } => {
                    ((CallEndKind::FerryCallFailed, ticket.number()), Some(buffer))
                }
                Reaped::Other(Completion { buffer, .. }) => ((CallEndKind::FerryNoCall, 0), Some(buffer)),
            }
        });
        let (kind, number) = end.ok_or(Result::FerryStale)?;
        Ok(CallEnd { ticket: Ticket { number }, kind })
    }

    pub(crate) fn received(
        &mut self,
        client: &mut Client,
        message: Message,
    ) -> core::result::Result<Incoming, Result> {
        let Message { source, tag, sequence, buffer, length } = message;
        let source = DomainId::new(source).ok_or(Result::FerryNoPeer)?;
        let asked = self.asked.get_mut(place_of(buffer.handle)).ok_or(Result::FerryStale)?;
        if *asked == buffer.handle {
            return Err(Result::FerryStale);
        }
        let (calls, callers) = (&mut self.calls, &mut self.callers);
        let incoming = client.rx().lend(buffer.handle, |buffer| {
            match calls.received(Arrived::Message { source, tag, sequence, buffer, length }) {
                Means::Reply { ticket, buffer, .. } => {
                    let ticket = Ticket { number: ticket.number() };
                    (Ok(Incoming { ticket, ..Incoming::of(IncomingKind::FerryReply) }), Some(buffer))
                }
                Means::Stray { reason, buffer, .. } => (Ok(Incoming::of(stray(reason))), Some(buffer)),
                Means::Request(request) => {
                    let caller = callers.keep(request.caller).ok_or(Result::FerryFull);
                    let called = |handle| Incoming {
                        caller: Caller { handle },
                        ..Incoming::of(IncomingKind::FerryCalled)
                    };
                    (caller.map(called), Some(request.buffer))
                }
                Means::Other(Arrived::Message { buffer, .. } | Arrived::Returned(buffer)) => {
                    (Ok(Incoming::ORDINARY), Some(buffer))
                }
                // Cannot be: the event comes back as it was.
                Means::Other(Arrived::Placed { .. }) => (Err(Result::FerryStale), None),
            }
        });
        let incoming = incoming.ok_or(Result::FerryStale)??;
        if incoming.kind != IncomingKind::FerryOrdinary {
            *asked = buffer.handle;
        }
        Ok(incoming)
    }

    pub(crate) fn reply(
        &mut self,
        client: &mut Client,
        caller: Caller,
        buffer: TxBuffer,
        length: u32,
        time_to_live: u32,
    ) -> Result {
        self.callers.answer(caller.handle, |caller| client.reply(caller, buffer, length, time_to_live))
    }

    pub(crate) fn drop_caller(&mut self, caller: Caller) -> Result {
        self.callers.answer(caller.handle, |_| Ok(()))
    }

    pub(crate) fn expire(&mut self, now: u64) -> Option<Ticket> {
        self.calls.expire(now).map(|ticket| Ticket { number: ticket.number() })
    }

    pub(crate) fn cancel(&mut self, ticket: Ticket) -> bool {
        self.calls.cancel(Name::from_number(ticket.number))
    }

    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.calls.next_deadline()
    }

    pub(crate) fn count(&self) -> usize {
        self.calls.len()
    }
}

const fn stray(reason: Stray) -> IncomingKind {
    match reason {
        Stray::Ended => IncomingKind::FerryStrayEnded,
        Stray::Elsewhere => IncomingKind::FerryStrayElsewhere,
        Stray::Never => IncomingKind::FerryStrayNever,
    }
}
