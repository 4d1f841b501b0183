//! The functions of `ferry.h` by which a guard inspects.

#![expect(
    clippy::missing_safety_doc,
    reason = "the comments are those of the header; `exports` has the contract"
)]

use core::ptr;

use super::write_each;
use crate::global::CLIENT;
use crate::types::{Inspection, InspectionTicket, Result};

/// The oldest message that this client, a guard, has to inspect and has not taken: true, and `inspection`
/// says what it is. False: none. A guard takes all of them before it calls `ferry_receive`, which passes
/// over them.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_inspect(inspection: *mut Inspection) -> bool {
    let next = |client: &mut crate::client::Client| {
        // SAFETY: the caller's pointer, handed on.
        unsafe { write_each(inspection, 1, || client.inspect()) == 1 }
    };
    CLIENT.with(next).unwrap_or(false)
}

/// The bytes of a message to inspect. Null if the ticket is not the program's. Nobody changes them: the
/// target gets these very bytes, if all guards pass them. Do not use the address after the answer.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_inspection_bytes(ticket: InspectionTicket) -> *const u8 {
    CLIENT.with(|client| client.inspected(ticket)).flatten().unwrap_or(ptr::null())
}

/// Enqueues the answer to an inspection: whether the message may go on, and why, in the guard's own numbers.
/// Nobody but an operator sees the reason. If it is `FERRY_OK`, the ticket ends, and `ferry_reap` returns the
/// end of the answer. Only then is the buffer in the pool again, for `ferry_rx_take`, whatever the status is:
/// until then central reads from it. `FERRY_STALE`: the ticket was answered before, or never was one.
/// `FERRY_FULL`: reap first, then answer again.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_answer(ticket: InspectionTicket, passes: bool, reason: u32) -> Result {
    CLIENT.with(|client| client.answer(ticket, passes, reason)).unwrap_or(Result::FerryBusy)
}
