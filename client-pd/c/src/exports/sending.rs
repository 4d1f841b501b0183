//! The functions of `ferry.h` by which a client sends.

#![expect(
    clippy::missing_safety_doc,
    reason = "the comments are those of the header; `exports` has the contract"
)]

use core::ptr;

use ferry_layout::Status;

use super::{with_port, write_each, write_taken};
use crate::global::CLIENT;
use crate::types::{Done, MAX_PARTS, Message, Part, Place, Result, TxBuffer};

/// Takes a transmit buffer out of the pool. `FERRY_NO_BUFFER`: all are in use, reap some.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_tx_take(buffer: *mut TxBuffer) -> Result {
    let take = || CLIENT.with(|client| client.tx().take().map(|handle| TxBuffer { handle }));
    // SAFETY: the caller's pointer, handed on.
    unsafe { write_taken(buffer, take) }
}

/// Puts a transmit buffer of the program's back into the pool. Its handle ends.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_tx_give(buffer: TxBuffer) -> Result {
    CLIENT.with(|client| client.tx().give(buffer.handle)).unwrap_or(Result::FerryBusy)
}

/// The bytes of a transmit buffer, to be filled. Null if the buffer is not the program's. Do not use the
/// address after the buffer was sent: central may be reading, and the receiver gets what it finds there.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_tx_bytes(buffer: TxBuffer) -> *mut u8 {
    let bytes =
        CLIENT.with(|client| client.tx().held(buffer.handle).map(|token| token.bytes_mut().as_mut_ptr()));
    bytes.flatten().unwrap_or(ptr::null_mut())
}

/// Bytes of each transmit buffer.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_tx_capacity() -> u32 {
    CLIENT.with(|client| client.tx().bytes()).unwrap_or(0)
}

/// Enqueues the first `length` bytes of a buffer for the next buffer that the client `target` posts. If it is
/// `FERRY_OK`, the buffer is central's, and comes back by `ferry_reap`. Otherwise it stays the program's.
/// Central sees the message after the next `ferry_rest` or `ferry_flush`.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_send(target: u16, buffer: TxBuffer, length: u32, message: Message) -> Result {
    CLIENT.with(|client| client.send(target, buffer, length, message)).unwrap_or(Result::FerryBusy)
}

/// As `ferry_send`, to a place inside a window that the client `target` holds open for this one.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_send_to(
    target: u16,
    place: Place,
    buffer: TxBuffer,
    length: u32,
    message: Message,
) -> Result {
    CLIENT.with(|client| client.send_to(target, place, buffer, length, message)).unwrap_or(Result::FerryBusy)
}

/// Enqueues `count` buffers as one message, 1 to `FERRY_MAX_PARTS`. It arrives in one piece. Either all parts
/// are enqueued and their handles end, or none. Each part comes back by `ferry_reap`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_send_parts(
    target: u16,
    parts: *const Part,
    count: u32,
    message: Message,
) -> Result {
    if parts.is_null() {
        return Result::FerryNull;
    }
    if count > MAX_PARTS {
        return Result::FerryBadParts;
    }
    let part = |number: u32| {
        // SAFETY: the caller passes a pointer to `count` parts, and the client asks for one of these.
        let place = unsafe { parts.add(number as usize) };
        // SAFETY: as above.
        unsafe { place.read() }
    };
    CLIENT.with(|client| client.send_parts(target, count, part, message)).unwrap_or(Result::FerryBusy)
}

/// The next send that has ended: true, and `done` says which. Its buffer is the program's again. Sends to one
/// client come back in their order, unless one expires or is refused. False: none.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_reap(done: *mut Done) -> bool {
    // SAFETY: the caller's pointer, handed on.
    unsafe { ferry_reap_many(done, 1) == 1 }
}

/// As `ferry_reap`, for up to `count` sends. Returns how many. It costs less than to reap one by one.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_reap_many(done: *mut Done, count: u32) -> u32 {
    CLIENT
        .with(|client| {
            // SAFETY: the caller passes a pointer to room for `count`, or null.
            unsafe { write_each(done, count, || client.reap()) }
        })
        .unwrap_or(0)
}

/// The status of the `age`-th oldest send that was not reaped, counted from 0. `FERRY_STATUS_FREE` if there
/// is none, or if central has not said anything of it yet.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_status_of(age: u32) -> Status {
    CLIENT.with(|client| client.status(age)).unwrap_or(Status::Free)
}

/// Number of sends that were enqueued and not reaped.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_outstanding() -> u32 {
    with_port(|port| port.outstanding()).unwrap_or(0)
}

/// Number of further sends that are possible now, to all clients together.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_room() -> u32 {
    with_port(|port| port.room()).unwrap_or(0)
}

/// Number of further sends that are possible now to the client of this number. What is kept for other clients
/// does not count.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_room_for(number: u16) -> u32 {
    CLIENT.with(|client| client.room_for(number)).unwrap_or(0)
}
