//! The functions of `ferry.h` by which a client receives.

#![expect(
    clippy::missing_safety_doc,
    reason = "the comments are those of the header; `exports` has the contract"
)]

use core::ffi::c_void;
use core::ptr;
use core::slice;

use super::{write_each, write_request, write_taken};
use crate::global::CLIENT;
use crate::types::{Event, Place, Request, Result, RxBuffer};

/// Takes a receive buffer out of the pool. `FERRY_NO_BUFFER`: all are in use.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_rx_take(buffer: *mut RxBuffer) -> Result {
    let take = || CLIENT.with(|client| client.rx().take().map(|handle| RxBuffer { handle }));
    // SAFETY: the caller's pointer, handed on.
    unsafe { write_taken(buffer, take) }
}

/// Puts a receive buffer of the program's back into the pool. Its handle ends.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_rx_give(buffer: RxBuffer) -> Result {
    CLIENT.with(|client| client.rx().give(buffer.handle)).unwrap_or(Result::FerryBusy)
}

/// The bytes of a receive buffer. Null if the buffer is not the program's. Do not use the address after the
/// buffer was posted: central may be writing there.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_rx_bytes(buffer: RxBuffer) -> *const u8 {
    let bytes = CLIENT.with(|client| client.rx().held(buffer.handle).map(|token| token.bytes().as_ptr()));
    bytes.flatten().unwrap_or(ptr::null())
}

/// Bytes of each receive buffer.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_rx_capacity() -> u32 {
    CLIENT.with(|client| client.rx().bytes()).unwrap_or(0)
}

/// Where a receive buffer of the program's lies in `_rx`, to be told to a sender. `FERRY_STALE` if it is not
/// the program's.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_rx_place(buffer: RxBuffer, place: *mut Place) -> Result {
    if place.is_null() {
        return Result::FerryNull;
    }
    let found = CLIENT.with(|client| client.rx().held(buffer.handle).map(|token| token.place()));
    match found {
        None => Result::FerryBusy,
        Some(None) => Result::FerryStale,
        Some(Some(found)) => {
            // SAFETY: the caller passes a pointer to room for a place.
            unsafe { place.write(Place { frame: found.frame, offset: found.offset }) };
            Result::FerryOk
        }
    }
}

/// Offers a buffer for one message, from the client of the number `from` or from `FERRY_ANYONE`. If it is
/// `FERRY_OK`, the buffer is central's, and comes back by `ferry_receive`. Otherwise it stays the program's.
/// `request` may be null. Central sees it after the next `ferry_rest` or `ferry_flush`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_post(buffer: RxBuffer, from: u16, request: *mut Request) -> Result {
    let posted = CLIENT.with(|client| client.post(buffer, from));
    // SAFETY: the caller's pointer, handed on.
    unsafe { write_request(request, posted) }
}

/// Opens a buffer as a window for the client of the number `from`, which may then send to any place in it, as
/// often as it likes. The buffer is central's until the window is withdrawn. `request` may be null.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_open_window(buffer: RxBuffer, from: u16, request: *mut Request) -> Result {
    let posted = CLIENT.with(|client| client.open_window(buffer, from));
    // SAFETY: the caller's pointer, handed on.
    unsafe { write_request(request, posted) }
}

/// Withdraws a posted buffer or a window. The buffer comes back by `ferry_receive`, as `FERRY_RETURNED`, or
/// as `FERRY_MESSAGE` if one has arrived meanwhile. `FERRY_STALE`: it was withdrawn or has come back before.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_withdraw(request: Request) -> Result {
    CLIENT.with(|client| client.withdraw(request)).unwrap_or(Result::FerryBusy)
}

/// Copies `bytes` bytes out of an open window, from byte `skip` on. A sender may write there meanwhile, so
/// copy first, then check, then use. `FERRY_BEYOND_BUFFER`: they do not lie inside the window, and nothing
/// was copied.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_copy_out(
    request: Request,
    skip: u32,
    into: *mut c_void,
    bytes: u32,
) -> Result {
    if into.is_null() {
        return Result::FerryNull;
    }
    // SAFETY: the caller passes a pointer to room for that many bytes, which nothing else uses during the
    // call. `u8` has no invalid values.
    let into = unsafe { slice::from_raw_parts_mut(into.cast::<u8>(), bytes as usize) };
    CLIENT.with(|client| client.copy_out(request, skip, into)).unwrap_or(Result::FerryBusy)
}

/// What has arrived next: true, and `event` says what. Its buffer is the program's again: read it, then post
/// it again or give it back. False: nothing.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_receive(event: *mut Event) -> bool {
    // SAFETY: the caller's pointer, handed on.
    unsafe { ferry_receive_many(event, 1) == 1 }
}

/// As `ferry_receive`, for up to `count` events. Returns how many. It costs less than to receive one by one.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_receive_many(events: *mut Event, count: u32) -> u32 {
    CLIENT
        .with(|client| {
            // SAFETY: the caller passes a pointer to room for `count`, or null.
            unsafe { write_each(events, count, || client.receive()) }
        })
        .unwrap_or(0)
}
