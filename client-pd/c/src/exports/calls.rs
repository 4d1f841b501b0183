//! The functions of `ferry.h` by which a client makes and serves calls.

#![expect(
    clippy::missing_safety_doc,
    reason = "the comments are those of the header; `exports` has the contract"
)]

use core::mem::offset_of;

use ferry_layout::Status;

use crate::calling::{CALLING, Calling, Message};
use crate::client::Client;
use crate::global::CLIENT;
use crate::types::{
    CallEnd, CallOptions, Caller, Done, Event, EventKind, Incoming, MAX_CALLS, Place, Result, RxBuffer,
    Ticket, TxBuffer,
};

/// A `Done` as C can write it: with any number for a status.
#[repr(C)]
struct AnyDone {
    tag: u64,
    buffer: TxBuffer,
    status: u32,
}

/// An `Event` as C can write it: with any number for a kind.
#[repr(C)]
struct AnyEvent {
    tag: u64,
    sequence: u64,
    buffer: RxBuffer,
    _place: Place,
    length: u32,
    kind: u32,
    source: u16,
}

const _: () = assert!(
    size_of::<AnyDone>() == size_of::<Done>()
        && offset_of!(AnyDone, status) == offset_of!(Done, status)
        && size_of::<AnyEvent>() == size_of::<Event>()
        && offset_of!(AnyEvent, buffer) == offset_of!(Event, buffer)
        && offset_of!(AnyEvent, kind) == offset_of!(Event, kind)
        && offset_of!(AnyEvent, source) == offset_of!(Event, source)
);

/// Uses the client and its calls. `None` if one of them is in use.
fn with<R>(use_them: impl FnOnce(&mut Calling, &mut Client) -> R) -> Option<R> {
    CLIENT.with(|client| CALLING.with(|calling| use_them(calling, client))).flatten()
}

/// Writes what was made of a call, or says why nothing was.
///
/// # Safety
/// `into` points to room for it.
unsafe fn write<T>(into: *mut T, made: Option<core::result::Result<T, Result>>) -> Result {
    match made {
        None => Result::FerryBusy,
        Some(Err(why)) => why,
        Some(Ok(made)) => {
            // SAFETY: as the caller promises.
            unsafe { into.write(made) };
            Result::FerryOk
        }
    }
}

/// Enqueues the first `length` bytes of a buffer as a request to the client `server`, and writes the ticket
/// of the call. If it is `FERRY_OK`, the buffer is central's, and comes back by `ferry_reap`. Otherwise it
/// stays the program's. `FERRY_FULL`: also if `FERRY_MAX_CALLS` calls are under way. Post a buffer for the
/// reply before. Central sees the request after the next `ferry_rest` or `ferry_flush`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_call(
    server: u16,
    buffer: TxBuffer,
    length: u32,
    options: CallOptions,
    ticket: *mut Ticket,
) -> Result {
    if ticket.is_null() {
        return Result::FerryNull;
    }
    let made = with(|calling, client| calling.call(client, server, buffer, length, options));
    // SAFETY: not null, so the caller's promise holds.
    unsafe { write(ticket, made) }
}

/// What a send that `ferry_reap` has brought back means for the calls. A client that makes calls asks this of
/// each, before it uses the buffer. The buffer stays the program's. `FERRY_STALE`: it is not.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_call_reaped(done: *const Done, end: *mut CallEnd) -> Result {
    if done.is_null() || end.is_null() {
        return Result::FerryNull;
    }
    // SAFETY: the caller passes a pointer to a `Done`, which lies as this does.
    let AnyDone { tag, buffer, status } = unsafe { done.cast::<AnyDone>().read() };
    // One that there is not is none that says that the request has failed.
    let status = Status::ALL.get(status as usize).copied().unwrap_or(Status::Done);
    let ended = with(|calling, client| calling.reaped(client, status, tag, buffer));
    // SAFETY: not null, so the caller's promise holds.
    unsafe { write(end, ended) }
}

/// What an event that `ferry_receive` has brought means for the calls. A client that makes or serves calls
/// asks this of each, once, before it uses the buffer. The buffer stays the program's. `FERRY_STALE`: it is
/// not, or was asked about before. `FERRY_FULL`: `FERRY_MAX_CALLERS` calls wait for an answer; answer or
/// refuse one and ask again, or refuse this one by posting the buffer.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_call_received(event: *const Event, incoming: *mut Incoming) -> Result {
    if event.is_null() || incoming.is_null() {
        return Result::FerryNull;
    }
    // SAFETY: the caller passes a pointer to an `Event`, which lies as this does.
    let AnyEvent { tag, sequence, buffer, length, kind, source, .. } =
        unsafe { event.cast::<AnyEvent>().read() };
    let message = Message { source, tag, sequence, buffer, length };
    let means = if kind == EventKind::FerryMessage as u32 {
        with(|calling, client| calling.received(client, message))
    } else {
        Some(Ok(Incoming::ORDINARY))
    };
    // SAFETY: not null, so the caller's promise holds.
    unsafe { write(incoming, means) }
}

/// Enqueues the first `length` bytes of a buffer as the answer to a call. If it is `FERRY_OK`, the buffer
/// is central's, and comes back by `ferry_reap`, and the caller's handle ends. Otherwise both stay the
/// program's. `FERRY_STALE`: the call was answered or refused before, or the buffer is not the program's.
/// `time_to_live` is in ticks, and 0 is for ever: a caller that posts no buffer would keep this one as long
/// as it likes.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_reply(caller: Caller, buffer: TxBuffer, length: u32, time_to_live: u32) -> Result {
    with(|calling, client| calling.reply(client, caller, buffer, length, time_to_live))
        .unwrap_or(Result::FerryBusy)
}

/// Refuses a call: nobody will answer it, and its handle ends. The caller is told nothing; its deadline ends
/// the call.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_caller_drop(caller: Caller) -> Result {
    CALLING.with(|calling| calling.drop_caller(caller)).unwrap_or(Result::FerryBusy)
}

/// Ends a call whose deadline is not after `now`: true, and `ticket` says which. False: there is none. Its
/// reply, if one comes, is a stray. The server may carry the request out all the same.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_call_expire(now: u64, ticket: *mut Ticket) -> bool {
    if ticket.is_null() {
        return false;
    }
    let Some(late) = CALLING.with(|calling| calling.expire(now)).flatten() else { return false };
    // SAFETY: not null, so the caller's promise holds.
    unsafe { ticket.write(late) };
    true
}

/// The earliest deadline of all calls: true, and `deadline` says when. Set a timer for it. False: no call has
/// one.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_call_deadline(deadline: *mut u64) -> bool {
    let next = CALLING.with(|calling| calling.next_deadline()).flatten();
    let Some(next) = next.filter(|_| !deadline.is_null()) else { return false };
    // SAFETY: not null, so the caller's promise holds.
    unsafe { deadline.write(next) };
    true
}

/// Gives a call up. True if it was under way.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_call_cancel(ticket: Ticket) -> bool {
    CALLING.with(|calling| calling.cancel(ticket)).unwrap_or(false)
}

/// Number of calls under way.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_calls() -> u32 {
    CALLING.with(|calling| u32::try_from(calling.count()).unwrap_or(u32::MAX)).unwrap_or(0)
}

/// A number below `FERRY_MAX_CALLS` that no other call under way has: the place of the call in an array of
/// the program's own.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_ticket_slot(ticket: Ticket) -> u32 {
    // Always fits.
    u32::try_from(ticket.number % MAX_CALLS as u64).unwrap_or(0)
}
