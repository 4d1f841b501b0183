//! The functions of `ferry.h` by which a client sends and receives whole batches.

#![expect(
    clippy::missing_safety_doc,
    reason = "the comments are those of the header; `exports` has the contract"
)]

use core::ffi::c_void;
use core::mem::{self, offset_of};

use crate::global::CLIENT;
use crate::types::{Fill, Next, Result, Take};

// Length, target and flags are one word, from its lowest byte on.
const _: () = assert!(
    cfg!(target_endian = "little")
        && offset_of!(Next, length) == 8
        && offset_of!(Next, target) == 12
        && offset_of!(Next, flags) == 14
);

/// Takes back every send that has ended. `fill` gets the buffer of each, fills it with the next message, and
/// returns where that goes: the buffer is sent again, without a handle. With `FERRY_NOBODY` for a target the
/// buffer goes into the pool instead, for `ferry_tx_take`. It costs a third of `ferry_reap_many` with
/// `ferry_send`.
///
/// Central sees the new messages after the next `ferry_rest` or `ferry_flush`. Sends that end during the call
/// are left for the next one. `FERRY_BEYOND_BUFFER`, or `FERRY_FULL` if no more may be sent to that target
/// now: the last message was not sent, its buffer is in the pool, and no send after it was taken back.
///
/// `fill` is called during this call only. It may print and look up peers. Whatever else it calls of this
/// header does nothing, and says `FERRY_BUSY`, or false, null or 0.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_reap_each(fill: Fill, context: *mut c_void) -> Result {
    // SAFETY: as the caller promises.
    unsafe { ferry_reap_most(u32::MAX, fill, context) }
}

/// As `ferry_reap_each`, of at most `most` sends. So a program can flush some of its messages before it takes
/// back the next: in a one-way flow, all sends end at the same time.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_reap_most(most: u32, fill: Fill, context: *mut c_void) -> Result {
    let Some(fill) = fill else { return Result::FerryNull };
    let fill = move |bytes, tag, status| {
        // SAFETY: the caller passes a function of this type, and the context that it takes. The buffer is the
        // program's during that call.
        let next = unsafe { fill(context, bytes, tag, status) };
        // SAFETY: it has no padding, and every value of it is one of two words.
        unsafe { mem::transmute::<Next, [u64; 2]>(next) }
    };
    CLIENT.with(|client| client.reap_most(most, fill)).unwrap_or(Result::FerryBusy)
}

/// Takes every message that has arrived. `take` looks at each, and returns whether its buffer is to be posted
/// again at once, for anyone. Otherwise the buffer goes into the pool, for `ferry_rx_take`. Either way it has
/// no handle, and is not read after `take` has returned. It costs a third of `ferry_receive_many` with
/// `ferry_post`.
///
/// Central sees the posted buffers after the next `ferry_rest` or `ferry_flush`. Messages that arrive during
/// the call are left for the next one. `FERRY_OTHER_EVENT`: the next event is no message; `ferry_receive`
/// takes it. `FERRY_FULL`: there was no room to post the last buffer again, it is in the pool, and nothing
/// after it was taken.
///
/// `take` is called during this call only. It may print, look up peers, and ask what was missed. Whatever
/// else it calls of this header does nothing, and says `FERRY_BUSY`, or false, null or 0.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_receive_each(take: Take, context: *mut c_void) -> Result {
    let Some(take) = take else { return Result::FerryNull };
    // SAFETY: the caller passes a function of this type, and the context that it takes. What it reads is not
    // written before the next flush, which it cannot cause.
    let take = move |bytes, message| unsafe { take(context, bytes, message) };
    CLIENT.with(|client| client.receive_each(take)).unwrap_or(Result::FerryBusy)
}
