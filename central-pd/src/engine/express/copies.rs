//! The loop of the express lanes for flows with guards: one message after the other is copied to where its
//! receiver wants it.
//!
//! Each lane checks its messages first, and then copies them. Two short loops keep what they need in
//! registers. One long loop could not.

use ferry_layout::config::Mapping;
use ferry_layout::{Post, Slot, Span};

use crate::buffer::{Buffer, Home, Reach};
use crate::engine::client::Client;
use crate::engine::transfer::MINIMUM_COST;
use crate::machine::Machine;
use crate::offers::buffer_for_anyone;

/// Where messages come from and go to, and what their sender can pay.
pub(super) struct Copies {
    from: Home,
    to: Home,
    /// The bytes of the buffer that they come from whose frames are mapped.
    reach: Reach,
    /// Bytes that the sender may still have copied.
    pub(super) deficit: u32,
}

impl Copies {
    /// Copies from this buffer to the receive buffer of `receiver`, in a flow with this mapping. The sender
    /// can pay `deficit` bytes.
    #[inline(always)]
    pub(super) fn new(from: &Buffer, receiver: &Client, mapping: Mapping, deficit: u32) -> Self {
        Self { from: from.home(), to: receiver.receive_buffer.home(), reach: from.reach(mapping), deficit }
    }

    /// Copies messages up to the first whose bytes are not known to be mapped, that the sender cannot afford,
    /// or that gets no place. `place` returns a place of this length, which is mapped, and `file` files the
    /// message. Returns how many they are.
    #[inline(always)]
    pub(super) fn copy_each<I, R>(
        &mut self,
        machine: &mut impl Machine,
        messages: impl Iterator<Item = ((I, Span), R)>,
        mut place: impl FnMut(R, u32) -> Option<Span>,
        mut file: impl FnMut(I, Span),
    ) -> u32 {
        let Self { from, to, reach, mut deficit } = *self;
        let mut count = 0;
        for ((message, piece), request) in messages {
            let length = piece.length();
            let Some(rest) = deficit.checked_sub(length.max(MINIMUM_COST)) else { break };
            if !reach.covers(piece) {
                break;
            }
            let Some(place) = place(request, length) else { break };
            machine.copy(from.address(piece), to.address(place), length);
            file(message, place);
            (deficit, count) = (rest, count + 1);
        }
        self.deficit = deficit;
        count
    }
}

/// The first `length` bytes of the buffer that a request offers to anyone, if they are within `reach`. The
/// whole buffer has `bytes` bytes. The request is read once.
#[inline(always)]
pub(super) fn place_for_anyone(request: &Slot<2>, length: u32, reach: Reach, bytes: u64) -> Option<Span> {
    let post: Post = request.load();
    // Mostly, the whole buffer is within reach. Then this is the only comparison with a size.
    match reach.span(post.place, post.length) {
        Some(buffer) if post.is_for_anyone() => buffer.part(0, length),
        _ => buffer_for_anyone(&post, bytes)?.part(0, length).filter(|place| reach.covers(*place)),
    }
}
