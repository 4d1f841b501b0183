//! Whole batches: each send that has ended is replaced by a new one, and each buffer that has arrived is
//! posted again. The loops are those of the Rust library, with a function of the program's in them. The
//! tokens stay in the loops, so a buffer that is sent or posted again costs no handle, and the program never
//! has one.
//!
//! Both methods are functions of their own, which get the client by its address. Where they are part of
//! another function, the compiler knows the address of each field, and computes every one of them anew.

use ferry_client::{Completion, OutgoingByRoute, PostError, ReceiveBuffer, Route, SendRefused};
use ferry_layout::Status;

use super::{Client, why};
use crate::buffers::{Buffers, Token};
use crate::inspections::Inspections;
#[cfg(doc)]
use crate::types::Next;
use crate::types::{Arrival, NO_SIGNAL, NOBODY, Result, URGENT};

impl Client {
    /// `fill` gets the address of a buffer, and how its send has ended. It says what to send next: the tag,
    /// and what else a [`Next`] has, as one word. It is called for `most` sends at most.
    #[inline(never)]
    pub(crate) fn reap_most(
        &mut self,
        most: u32,
        mut fill: impl FnMut(*mut u8, u64, Status) -> [u64; 2],
    ) -> Result {
        // Before central has let the client in, there is nothing to take.
        let Some(port) = &mut self.port else { return Result::FerryOk };
        let (tx, rx, inspections) = (&mut self.tx, &mut self.rx, &mut self.inspections);
        let sent = port.reap_most_by_route(most, |Completion { status, tag, mut buffer }| {
            if buffer.capacity() == 0 {
                end_answer(inspections, rx, tag);
                return None;
            }
            let [tag, rest] = fill(buffer.bytes_mut().as_mut_ptr(), tag, status);
            #[expect(clippy::cast_possible_truncation, reason = "parts of the word")]
            let (length, target, flags) = (rest as u32, (rest >> 32) as u16, (rest >> 48) as u16);
            // An ordinary message to a client of a number below 32, in one comparison.
            let route = if rest >> 37 == 0 {
                Route::new(target, false, false)
            } else if target == NOBODY {
                keep(tx, buffer);
                return None;
            } else {
                special_route(target, flags)
            };
            Some(OutgoingByRoute { route, buffer, length, tag })
        });
        match sent {
            Ok(()) => Result::FerryOk,
            Err(SendRefused { reason, buffer }) => {
                keep(tx, buffer);
                why(reason)
            }
        }
    }

    /// `take` gets the address of a message, and where central has written what it is. It says whether to
    /// post the buffer again.
    #[inline(never)]
    pub(crate) fn receive_each(&mut self, mut take: impl FnMut(*const u8, *const Arrival) -> bool) -> Result {
        // Before central has let the client in, there is nothing to take.
        let Some(port) = &mut self.port else { return Result::FerryOk };
        let rx = &mut self.rx;
        let taken = port.receive_messages(|arrival, buffer| {
            let written = core::ptr::from_ref(arrival.slot()).cast();
            if take(buffer.bytes().as_ptr(), written) {
                return Some(buffer);
            }
            keep(rx, buffer);
            None
        });
        match taken {
            Ok(false) => Result::FerryOk,
            Ok(true) => Result::FerryOtherEvent,
            Err(PostError { buffer }) => {
                keep(rx, buffer);
                Result::FerryFull
            }
        }
    }
}

/// The end of an answer, as in `Client::reap`.
#[cold]
#[inline(never)]
fn end_answer(inspections: &mut Inspections, rx: &mut Buffers<ReceiveBuffer>, tag: u64) {
    if let Some(buffer) = inspections.end(tag) {
        keep(rx, buffer);
    }
}

#[cold]
#[inline(never)]
fn special_route(target: u16, flags: u16) -> Route {
    let flags = u32::from(flags);
    Route::new(target, flags & URGENT != 0, flags & NO_SIGNAL != 0)
}

/// Puts a buffer that was central's into the pool.
#[cold]
#[inline(never)]
fn keep<T: Token>(buffers: &mut Buffers<T>, buffer: T) {
    let handle = buffers.take_back(buffer);
    let _ = buffers.give(handle);
}
