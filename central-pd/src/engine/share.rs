//! Fair shares of what a receiver gives: its posted buffers, and the places in its receive queue.
//!
//! While nobody waits for a receiver, each sender takes what there is. Once a sender waits, the receiver's
//! senders are served in the order of what they have already got (start-time fair queueing, Goyal et al.
//! 1996):
//!
//! * Each flow to the receiver has a position, counted in shares of a round. A message moves it forward by
//!   the part that the message is of its sender's `bytes_per_round` or `messages_per_round`, whichever part
//!   is larger. So senders get what a receiver gives in the proportion in which they get central's time.
//! * A flow that begins to wait starts at the position of the least served flow, if its own position is
//!   behind that. So nobody saves up by being idle.
//! * What a sender takes while nobody else waits is only noted. If the receiver becomes contested in the same
//!   round, it is counted: the first sender took it only because its turn came earlier in that round. A
//!   receiver is contested when a sender begins to wait, and when one takes something while another waits.
//!   Then all that its senders get in this round counts, for those that wait as for those that need not.
//!
//! Signals, wake-ups, classes and the order of turns in a round have no influence on this. A sender may get
//! ahead of another one that could go on by its part of what the receiver has to give at the moment. So many
//! buffers go in large pieces. A sender that is ahead by that much lets the other go first. The sender that
//! is furthest behind never waits for another, so somebody always goes on.

use core::num::NonZeroU32;

use ferry_layout::{DomainId, Kind};

use super::Engine;
use crate::send::Queue;
use crate::table::ClientSet;

impl Engine {
    /// Returns how many messages `source` may send to `target` before it is another sender's turn. That is
    /// `u32::MAX` if no other sender waits for `target` and could go on. It is 0 if it is another sender's
    /// turn now.
    #[inline]
    pub(super) fn fair_part(&mut self, source: DomainId, target: DomainId) -> u32 {
        let others = self.clients[target].waits.others_than(source);
        if others.is_empty() { u32::MAX } else { self.fair_part_beside(source, target, others) }
    }

    #[inline(never)]
    fn fair_part_beside(&mut self, source: DomainId, target: DomainId, others: ClientSet) -> u32 {
        let service = self.clients[target].service;
        let (mut rivals, mut count, mut least) = (ClientSet::EMPTY, NonZeroU32::MIN, u64::MAX);
        for other in others.iter().filter(|other| self.could_go_on(*other, target)) {
            rivals.insert(other);
            count = count.saturating_add(1);
            least = least.min(service.distance(self.flows.get(other, target).served));
        }
        if rivals.is_empty() {
            return u32::MAX;
        }
        let own = service.distance(self.flows.get(source, target).served);
        let receiver = &mut self.clients[target];
        receiver.service.move_on(own.min(least));
        let there = receiver.requests.open_to_anyone().min(receiver.room());
        let part = (there / count).max(1);
        let unit = self.clients[source].budget.part_of_share(1, 0);
        let ahead = u32::try_from(own.saturating_sub(least) / unit).unwrap_or(u32::MAX);
        let left = part.saturating_sub(ahead);
        if left == 0 {
            // The rivals may be noted as blocked, although there is something for them now.
            self.rouse(rivals, target);
        }
        left
    }

    /// Whether the oldest send of `source` that waits for `target` needs a buffer or a place, and `target`
    /// has it. False for a send that is under way: it has got what it needs.
    fn could_go_on(&self, source: DomainId, target: DomainId) -> bool {
        let waiting = self.flows.get(source, target).waiting;
        let Some((index, _)) = waiting.or_else(|| self.passed_by_guards(source, target)) else {
            return false;
        };
        let (send, receiver) = (self.clients[source].sends.get(index), &self.clients[target]);
        let needs_nothing = send.is_under_way();
        let has_all = send.header.kind == Kind::Placed || receiver.requests.find(source).is_some();
        !needs_nothing && receiver.has_room() && has_all
    }

    /// The messages of a flow with guards that wait for `target`, if the oldest one has passed all of them.
    fn passed_by_guards(&self, source: DomainId, target: DomainId) -> Queue {
        let flow = self.guards.flow(source, target);
        flow.waiting.filter(|(oldest, _)| self.clients[source].courses[*oldest].stage == flow.stages())
    }
}
