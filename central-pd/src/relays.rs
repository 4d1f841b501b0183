//! Messages of one-way flows that are with guards. Their senders have no part in them any more, so they have
//! a table of their own. `engine/relay.rs` says how they go on.
//!
//! Each flow has slots of its own, as many as it can have messages under way. So no flow takes another one's
//! slots, and it takes its own in an order that no other flow has a part in.

use ferry_layout::DomainId;
use ferry_layout::geometry::{MAX_CLIENTS, MAX_STAGES};

use crate::course::Course;
use crate::send::Queue;
use crate::table::{ClientSet, Table};

/// One message.
#[derive(Clone, Copy)]
pub(crate) struct Relay {
    pub(crate) source: DomainId,
    pub(crate) target: DomainId,
    pub(crate) tag: u64,
    /// Bytes.
    pub(crate) total: u32,
    pub(crate) flags: u8,
    /// Number of the message in its flow.
    pub(crate) sequence: u64,
    pub(crate) course: Course,
    /// The next message of the same flow, or the next free slot of the flow.
    next: Option<u32>,
}

impl Relay {
    const NONE: Self = {
        let first = DomainId::new(0).unwrap();
        Self::new(first, first, 0, 0, 0, 0)
    };

    pub(crate) const fn new(
        source: DomainId,
        target: DomainId,
        tag: u64,
        total: u32,
        flags: u8,
        sequence: u64,
    ) -> Self {
        Self { source, target, tag, total, flags, sequence, course: Course::BEGIN, next: None }
    }
}

/// What one flow has of the table.
#[derive(Clone, Copy)]
pub(crate) struct Relayed {
    /// Messages that are with guards, in the order of the flow.
    queue: Queue,
    /// The first of its free slots.
    free: Option<u32>,
}

impl Relayed {
    pub(crate) const NONE: Self = Self { queue: None, free: None };

    /// The messages that are with guards, in the order of the flow.
    pub(crate) const fn queue(&self) -> Queue {
        self.queue
    }
}

/// All of them.
pub(crate) struct Relays {
    /// Sources of flows for which something has changed, and the targets of these flows.
    stirred: ClientSet,
    stirred_targets: Table<ClientSet, MAX_CLIENTS>,
    /// Slots that belong to flows.
    shared_out: u32,
    table: Table<Relay, MAX_STAGES>,
}

/// Slots of the table. A flow with guards has at least one stage, so there is at least one slot for each.
#[expect(clippy::cast_possible_truncation, reason = "far fewer than 2^32")]
const SLOTS: u32 = MAX_STAGES as u32;

impl Relays {
    #[expect(clippy::large_stack_arrays, reason = "evaluated by the compiler into a static")]
    pub(crate) const fn new() -> Self {
        Self {
            stirred: ClientSet::EMPTY,
            stirred_targets: Table::new([ClientSet::EMPTY; MAX_CLIENTS]),
            shared_out: 0,
            table: Table::new([Relay::NONE; MAX_STAGES]),
        }
    }

    /// Whether any one-way flow has guards.
    pub(crate) const fn exist(&self) -> bool {
        self.shared_out != 0
    }

    /// Gives slots to one of `flows` flows, which can have `most` messages under way, and has none yet: at
    /// most its part of the table.
    pub(crate) fn share_out(&mut self, relayed: &mut Relayed, most: u32, flows: u32) {
        let count = most.min(SLOTS / flows.max(1)).min(SLOTS - self.shared_out);
        for slot in (self.shared_out..self.shared_out + count).rev() {
            self.table[slot].next = relayed.free.replace(slot);
        }
        self.shared_out += count;
    }

    /// Puts another message into a free slot of its flow. If it is not enqueued, the slot stays free.
    pub(crate) fn put(&mut self, relayed: &Relayed, relay: Relay) -> Option<u32> {
        let slot = relayed.free?;
        let next = self.table[slot].next;
        self.table[slot] = Relay { next, ..relay };
        Some(slot)
    }

    pub(crate) fn get(&self, slot: u32) -> &Relay {
        &self.table[slot]
    }

    pub(crate) fn course_mut(&mut self, slot: u32) -> &mut Course {
        &mut self.table[slot].course
    }

    /// Puts the message that was just put into `slot` at the end of its flow's queue.
    pub(crate) fn enqueue(&mut self, slot: u32, relayed: &mut Relayed) {
        relayed.free = self.table[slot].next.take();
        relayed.queue = match relayed.queue {
            None => Some((slot, slot)),
            Some((first, last)) => {
                self.table[last].next = Some(slot);
                Some((first, slot))
            }
        };
    }

    /// What follows the oldest message of a queue that begins with `first` and ends with `last`.
    pub(crate) fn rest_of_queue(&self, first: u32, last: u32) -> Queue {
        self.table[first].next.filter(|_| first != last).map(|next| (next, last))
    }

    /// Takes the oldest message out of its flow's queue. Its slot is free.
    pub(crate) fn dequeue(&mut self, relayed: &mut Relayed) -> Option<Relay> {
        let (first, last) = relayed.queue?;
        relayed.queue = self.rest_of_queue(first, last);
        let relay = self.table[first];
        self.table[first].next = relayed.free.replace(first);
        Some(relay)
    }

    /// Notes that something has changed for a message of this flow.
    pub(crate) fn stir(&mut self, source: DomainId, target: DomainId) {
        self.stirred.insert(source);
        self.stirred_targets[source].insert(target);
    }

    /// Whether something has changed for a message.
    pub(crate) const fn are_stirred(&self) -> bool {
        !self.stirred.is_empty()
    }

    /// A flow for which something has changed: its source and its target. It counts as looked at.
    pub(crate) fn take_stirred(&mut self) -> Option<(DomainId, DomainId)> {
        let source = self.stirred.iter().next()?;
        let targets = &mut self.stirred_targets[source];
        let target = targets.iter().next()?;
        targets.remove(target);
        if targets.is_empty() {
            self.stirred.remove(source);
        }
        Some((source, target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    const FIRST: DomainId = DomainId::new(0).unwrap();

    fn message(number: u64) -> Relay {
        Relay::new(FIRST, FIRST, number, 0, 0, number)
    }

    #[test]
    fn messages_leave_in_the_order_in_which_they_came() {
        let (mut relays, mut relayed) = (Relays::new(), Relayed::NONE);
        relays.share_out(&mut relayed, 5, 1);
        for lap in 0..3 {
            for number in 0..5 {
                let slot = relays.put(&relayed, message(5 * lap + number)).unwrap();
                relays.enqueue(slot, &mut relayed);
            }
            assert!(relays.put(&relayed, Relay::NONE).is_none(), "all slots are in use");
            for number in 0..5 {
                let relay = relays.dequeue(&mut relayed);
                assert_eq!(relay.map(|relay| relay.sequence), Some(5 * lap + number));
            }
            assert!(relayed.queue().is_none() && relays.dequeue(&mut relayed).is_none());
        }
    }

    #[test]
    fn a_message_that_is_not_enqueued_takes_no_slot() {
        let (mut relays, mut relayed) = (Relays::new(), Relayed::NONE);
        relays.share_out(&mut relayed, 2, 1);
        let slot = relays.put(&relayed, message(0)).unwrap();
        assert_eq!(relays.put(&relayed, message(1)), Some(slot));
        relays.enqueue(slot, &mut relayed);
        assert!(relays.put(&relayed, message(2)).is_some_and(|other| other != slot));
    }

    #[test]
    fn each_flow_has_slots_of_its_own() {
        for (flows, most, expected) in [(1, 64, 64), (4, 64, 64), (8, 64, 32), (256, 64, 1), (3, 1, 1)] {
            let mut relays = Relays::new();
            let mut all = BTreeSet::new();
            for _ in 0..flows {
                let mut relayed = Relayed::NONE;
                relays.share_out(&mut relayed, most, flows);
                let before = all.len();
                while let Some(slot) = relays.put(&relayed, Relay::NONE) {
                    relays.enqueue(slot, &mut relayed);
                    assert!(all.insert(slot), "{slot} is another flow's");
                }
                assert_eq!(all.len() - before, expected, "{flows} flows");
            }
        }
    }

    /// Even if there are more flows than were told: one without a slot drops its messages.
    #[test]
    fn no_flow_gets_a_slot_that_another_has() {
        for told in [0, 1] {
            let mut relays = Relays::new();
            let mut all = BTreeSet::new();
            for expected in [SLOTS as usize, 0, 0] {
                let mut relayed = Relayed::NONE;
                relays.share_out(&mut relayed, u32::MAX, told);
                let before = all.len();
                while let Some(slot) = relays.put(&relayed, Relay::NONE) {
                    relays.enqueue(slot, &mut relayed);
                    assert!(all.insert(slot), "{slot} is another flow's");
                }
                assert_eq!(all.len() - before, expected, "{told} flows were told");
            }
        }
    }

    #[test]
    fn each_flow_that_has_changed_is_taken_once() {
        let client = |number| DomainId::new(number).unwrap();
        let mut relays = Relays::new();
        for (source, target) in [(3, 1), (2, 7), (3, 1), (3, 0)] {
            relays.stir(client(source), client(target));
        }
        let taken =
            core::iter::from_fn(|| relays.take_stirred()).map(|(from, to)| (from.number(), to.number()));
        assert_eq!(taken.collect::<Vec<_>>(), [(2, 7), (3, 0), (3, 1)]);
        assert!(!relays.are_stirred());
    }
}
