//! The functions of `ferry.h`. Their comments are those of the header. They check pointers, and do nothing
//! else.
//!
//! Every pointer that C passes is null, or valid for the access that the header describes: that is the part
//! of the contract that cannot be checked. Nothing here keeps a pointer after the call.

pub mod calls;
pub mod console;
pub mod guarding;
pub mod one_way;
pub mod receiving;
pub mod runs;
pub mod sending;
pub mod start;

use core::ffi::c_char;

use ferry_client::{Directory, Port};

use crate::global::{CLIENT, DIRECTORY};
use crate::platform::Bell;
use crate::types::{NAME_BYTES, Peer, Request, Result};

/// Uses the port. `None` if the client was not let in.
fn with_port<R>(use_it: impl FnOnce(&mut Port<Bell>) -> R) -> Option<R> {
    CLIENT.with(|client| client.port().map(use_it)).flatten()
}

/// What central has written about the client. `None` if the client was not let in.
fn directory() -> Option<Directory> {
    DIRECTORY.with(|directory| *directory).flatten()
}

/// Writes the peer that `find` finds.
///
/// # Safety
/// `into` is null or points to room for a peer.
unsafe fn write_peer(into: *mut Peer, find: impl FnOnce(Directory) -> Option<ferry_client::Peer>) -> Result {
    if into.is_null() {
        return Result::FerryNull;
    }
    let Some(directory) = directory() else { return Result::FerryNotOpen };
    let Some(found) = find(directory) else { return Result::FerryNoPeer };
    let mut name = [0; NAME_BYTES];
    for (place, byte) in name.iter_mut().zip(found.name.as_str().bytes()) {
        *place = c_char::from_ne_bytes([byte]);
    }
    let peer = Peer {
        max_message: found.max_message,
        number: found.domain,
        may_send: found.may_send != 0,
        may_receive: found.may_receive != 0,
        name,
    };
    // SAFETY: not null, so the caller's promise holds.
    unsafe { into.write(peer) };
    Result::FerryOk
}

/// Writes the buffer that `take` takes out of the pool. Nothing is taken if there is no room for it.
///
/// # Safety
/// `into` is null or points to room for a buffer.
unsafe fn write_taken<B>(into: *mut B, take: impl FnOnce() -> Option<Option<B>>) -> Result {
    if into.is_null() {
        return Result::FerryNull;
    }
    match take() {
        None => Result::FerryBusy,
        Some(None) => Result::FerryNoBuffer,
        Some(Some(buffer)) => {
            // SAFETY: not null, so the caller's promise holds.
            unsafe { into.write(buffer) };
            Result::FerryOk
        }
    }
}

/// Writes the request that was made, if the caller wants to have it.
///
/// # Safety
/// `into` is null or points to room for a request.
unsafe fn write_request(into: *mut Request, made: Option<core::result::Result<Request, Result>>) -> Result {
    match made {
        None => Result::FerryBusy,
        Some(Err(why)) => why,
        Some(Ok(request)) => {
            if !into.is_null() {
                // SAFETY: not null, so the caller's promise holds.
                unsafe { into.write(request) };
            }
            Result::FerryOk
        }
    }
}

/// Writes what `next` gives, at most `count` times. Returns how often. Nothing is taken if `into` is null.
///
/// # Safety
/// `into` is null or points to room for `count`.
#[inline]
unsafe fn write_each<T>(into: *mut T, count: u32, mut next: impl FnMut() -> Option<T>) -> u32 {
    if into.is_null() {
        return 0;
    }
    for number in 0..count {
        let Some(value) = next() else { return number };
        // SAFETY: `number` is below `count`, so the place lies in the caller's room.
        let place = unsafe { into.add(number as usize) };
        // SAFETY: as above.
        unsafe { place.write(value) };
    }
    count
}
