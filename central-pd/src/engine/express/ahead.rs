//! Which frames a lane maps when it comes to a message whose frames are not: those of that message, and of
//! the messages behind it whose frames lie beside them. So a batch in frames of 4 KiB enters the lane once,
//! and not once for each frame.
//!
//! What is read here says only what to map. The lane reads each message again and checks it, and carries none
//! whose frames are not mapped. A client that changes its messages meanwhile has frames of its own buffers
//! mapped for nothing, once in a turn: after that, frames are mapped for one message at a time.

use core::ops::Range;

use ferry_layout::{DomainId, Plain, Route};

use super::offer::Offer;
use crate::buffer::joined;
use crate::engine::Engine;
use crate::engine::client::Ports;
use crate::engine::transfer::MINIMUM_COST;
use crate::machine::{Machine, Side};

/// For how many messages a turn maps frames before it carries one of them.
pub(in crate::engine) struct Ahead {
    most: u32,
    /// Messages for which frames are mapped, and of which none is carried yet.
    mapped_for: u32,
}

/// Where a lane has come to: the next message, and the request for it.
pub(super) struct Next {
    pub(super) source: DomainId,
    pub(super) target: DomainId,
    /// What the target offers from here on.
    pub(super) offer: Offer,
}

/// The frames of some messages, one after the other.
struct Frames {
    messages: u32,
    transmit: Range<u32>,
    receive: Range<u32>,
}

/// So many messages in a row that need no further frame end the look ahead: there may be room for many more
/// in the last one.
const PATIENCE: u32 = 3;

impl Ahead {
    /// At the beginning of a turn.
    pub(in crate::engine) const NEW: Self = Self { most: u32::MAX, mapped_for: 0 };

    /// Whether frames may be mapped: not again before a message is carried, however often a client changes
    /// it.
    pub(super) const fn may_map(&self) -> bool {
        self.mapped_for == 0
    }

    /// Notes that messages were carried, at least one, or that the ordinary path has taken one.
    #[inline(always)]
    pub(in crate::engine) const fn note_carried(&mut self, messages: u32) {
        if self.mapped_for != 0 {
            self.note_used(messages);
        }
    }

    #[cold]
    const fn note_used(&mut self, messages: u32) {
        if messages < self.mapped_for {
            self.most = 1;
        }
        self.mapped_for = 0;
    }
}

impl Engine {
    /// Maps the frames for the next messages. `None` if the next one is not a plain message for the same
    /// target, if it is beyond the share, or if mapping fails. Then the ordinary path sees to it.
    #[cold]
    #[inline(never)]
    pub(super) fn map_next(
        &mut self,
        machine: &mut impl Machine,
        ports: Ports,
        next: &Next,
        ahead: &mut Ahead,
    ) -> Option<()> {
        let Next { source, target, .. } = *next;
        let Frames { messages, transmit, receive } = self.next_frames(ports, next, ahead.most)?;
        ahead.mapped_for = messages;
        let mapping = self.flows.get(source, target).mapping;
        self.make_room_for_runs(machine, 2);
        self.map_frames(machine, source, Side::Transmit, transmit, mapping).ok()?;
        self.map_frames(machine, target, Side::Receive, receive, mapping).ok()
    }

    /// The frames of the next messages, at most `most`.
    #[inline]
    fn next_frames(&self, ports: Ports, next: &Next, most: u32) -> Option<Frames> {
        let Next { source, target, offer } = *next;
        let (client, receiver) = (&self.clients[source], &self.clients[target]);
        let flow = self.flows.get(source, target);
        let descriptors = ports.from_client.descriptors.run(client.transmit.next());
        let route = Route::of(descriptors.first()?);
        if route.plain_target() != Some(target) {
            return None;
        }
        let frames = |number: u32| {
            let Plain { source, length } = Plain::load(descriptors.get(number as usize)?, route)?;
            if length.wrapping_sub(1) >= flow.in_one_step {
                return None;
            }
            let piece = source.span(length, client.transmit_buffer.bytes())?;
            let place = receiver.buffer_of(&offer, number)?.part(0, length)?;
            let frames = (client.transmit_buffer.frames(piece), receiver.receive_buffer.frames(place));
            Some((frames, length.max(MINIMUM_COST)))
        };
        let ((mut transmit, mut receive), cost) = frames(0)?;
        let mut deficit = client.budget.deficit().checked_sub(cost)?;
        // One large frame has room for what follows.
        let is_large =
            client.transmit_buffer.has_large_frames() && receiver.receive_buffer.has_large_frames();
        let most = if is_large { 1 } else { most.min(receiver.in_one_piece(&offer)) };
        let (mut messages, mut without) = (1, 0);
        while messages < most && without < PATIENCE {
            let Some(((piece, place), cost)) = frames(messages) else { break };
            let Some(rest) = deficit.checked_sub(cost) else { break };
            let Some(pieces) = joined(&transmit, &piece) else { break };
            let Some(places) = joined(&receive, &place) else { break };
            without = if pieces == transmit && places == receive { without + 1 } else { 0 };
            (transmit, receive, deficit, messages) = (pieces, places, rest, messages + 1);
        }
        Some(Frames { messages, transmit, receive })
    }
}
