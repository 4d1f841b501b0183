//! Messages of one-way flows that are with guards. Their senders have no part in them any more, so they have
//! a table of their own. `engine/relay.rs` says how they go on.

use ferry_layout::DomainId;
use ferry_layout::geometry::INSPECTION_SLOTS;

use crate::guards::Course;
use crate::send::Queue;
use crate::slots::SlotSet;
use crate::table::Table;

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
    /// The next message of the same flow.
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

/// All of them.
pub(crate) struct Relays {
    used: SlotSet,
    /// Those for which something has changed.
    stirred: SlotSet,
    table: Table<Relay, INSPECTION_SLOTS>,
}

/// Slots of the table.
#[expect(clippy::cast_possible_truncation, reason = "far fewer than 2^32")]
const SLOTS: u32 = INSPECTION_SLOTS as u32;

impl Relays {
    pub(crate) const fn new() -> Self {
        Self {
            used: SlotSet::EMPTY,
            stirred: SlotSet::EMPTY,
            table: Table::new([Relay::NONE; INSPECTION_SLOTS]),
        }
    }

    /// A slot for another message, which is put there.
    pub(crate) fn put(&mut self, relay: Relay) -> Option<u32> {
        let slot = Some(self.used.run_from(0)).filter(|slot| *slot < SLOTS)?;
        self.table[slot] = relay;
        Some(slot)
    }

    pub(crate) fn get(&self, slot: u32) -> &Relay {
        &self.table[slot]
    }

    pub(crate) fn course_mut(&mut self, slot: u32) -> &mut Course {
        &mut self.table[slot].course
    }

    /// The slots that are in use.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u32> + use<> {
        self.used.from(0)
    }

    /// Puts the message in `slot` at the end of its flow's queue. From now on the slot is in use.
    pub(crate) fn enqueue(&mut self, slot: u32, queue: &mut Queue) {
        self.used.insert(slot);
        *queue = match *queue {
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
    pub(crate) fn dequeue(&mut self, queue: &mut Queue) -> Option<Relay> {
        let (first, last) = (*queue)?;
        *queue = self.rest_of_queue(first, last);
        self.used.remove(first);
        self.stirred.remove(first);
        Some(self.table[first])
    }

    /// Notes that something has changed for the message in `slot`.
    pub(crate) const fn stir(&mut self, slot: u32) {
        self.stirred.insert(slot);
    }

    /// Notes that the message in `slot` is looked at.
    pub(crate) const fn calm(&mut self, slot: u32) {
        self.stirred.remove(slot);
    }

    /// A message for which something has changed.
    pub(crate) fn first_stirred(&self) -> Option<u32> {
        self.stirred.from(0).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_leave_in_the_order_in_which_they_came() {
        let first = DomainId::new(0).unwrap();
        let (mut relays, mut queue) = (Relays::new(), None);
        for number in 0..u64::from(SLOTS) {
            let slot = relays.put(Relay::new(first, first, number, 0, 0, number)).unwrap();
            relays.enqueue(slot, &mut queue);
            relays.stir(slot);
        }
        assert!(relays.put(Relay::NONE).is_none(), "all slots are in use");
        for number in 0..u64::from(SLOTS) {
            assert_eq!(relays.dequeue(&mut queue).map(|relay| relay.sequence), Some(number));
        }
        assert!(queue.is_none() && relays.first_stirred().is_none() && relays.slots().next().is_none());
    }
}
