//! Sends that central holds while the ring goes on without them, and the limits that keep slots for each
//! peer.
//!
//! A send keeps its slot until it ends. When the ring comes round to a slot that is still in use, the client
//! marks it as [passed over](ferry_layout::flags::PASSED_OVER) and goes on. So no peer's silence stops a send
//! to another peer, as long as a slot is free. The limits make sure that one is: half of the slots are shared
//! out among the peers, at most [`MOST_RESERVED`] to each, and the slots of one peer are used for no other.
//!
//! A send is *unresolved* until it is reaped or has an entry here. While sends come back in the order of the
//! ring, none has, and nothing of this costs anything (`ends.rs`).

use ferry_layout::DomainId;
use ferry_layout::geometry::{MAX_CHAIN, MAX_CLIENTS, TRANSMIT_SLOTS};
use heapless::Vec;

/// Slots of the ring.
#[expect(clippy::cast_possible_truncation, reason = "a ring has far fewer slots than 2^32")]
pub(crate) const RING: u32 = TRANSMIT_SLOTS as u32;

/// Slots that are kept for one peer, at most. The longest message takes this many.
#[expect(clippy::cast_possible_truncation, reason = "a chain has far fewer parts than 2^32")]
const MOST_RESERVED: u32 = MAX_CHAIN as u32;

/// A set of slots of the ring.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct SlotBits(u128);

impl SlotBits {
    const fn bit(index: u32) -> u128 {
        1 << (index % 128)
    }

    /// Inserts the slot. Returns whether it was not in the set.
    pub(crate) const fn insert(&mut self, index: u32) -> bool {
        let is_new = !self.contains(index);
        self.0 |= Self::bit(index);
        is_new
    }

    /// Removes the slot. Returns whether it was in the set.
    pub(crate) const fn remove(&mut self, index: u32) -> bool {
        let was_in = self.contains(index);
        self.0 &= !Self::bit(index);
        was_in
    }

    pub(crate) const fn contains(self, index: u32) -> bool {
        self.0 & Self::bit(index) != 0
    }
}

/// A send that central holds.
#[derive(Clone, Copy)]
struct Held {
    index: u32,
    target: u16,
    /// It is part of a chain, and not the first one.
    is_rest: bool,
}

/// The sends that central holds, and the marks of the unresolved ones.
pub(crate) struct HeldSends {
    /// Held sends and marks, together. While it is 0, sends come back in the order of the ring.
    entries: u32,
    /// Oldest first.
    held: Vec<Held, TRANSMIT_SLOTS>,
    /// Slots that were passed over, of the indices between the oldest unresolved send and the next send.
    passed_over: SlotBits,
    /// Of the same indices: slots of parts of a chain that are not its first part.
    rest: SlotBits,
    /// Whether the first part of the newest resolved message is held. Then its other parts are held too.
    holds_first: bool,
    /// The value of ended late when all held sends were last looked at.
    ended_late: u32,
    /// Peers that this client may send to, and slots kept for each.
    peers: u32,
    reserved: u32,
}

impl HeldSends {
    /// No held sends, for a client that may send to `peers` peers.
    pub(crate) fn new(peers: u32) -> Self {
        let reserved = (RING / 2 / peers.max(1)).min(MOST_RESERVED);
        Self {
            entries: 0,
            held: Vec::new(),
            passed_over: SlotBits::default(),
            rest: SlotBits::default(),
            holds_first: false,
            ended_late: 0,
            peers,
            reserved,
        }
    }

    /// Slots that are kept for each peer. This is also the longest chain, in parts, that other peers can
    /// never block.
    pub(crate) const fn reserved(&self) -> u32 {
        self.reserved
    }

    /// Whether no send is held and no slot is marked. Then the unresolved sends are exactly those between two
    /// indices.
    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// How many sends, to any peers, may be unresolved while none is held or passed over.
    pub(crate) fn plain_limit(&self) -> u32 {
        RING - self.reserved * self.peers.saturating_sub(1)
    }

    /// How many sends may be unresolved so that one of them can be for `target` and all other peers still
    /// have the slots that are kept for them. Held sends are not unresolved, but their slots are subtracted.
    /// So are those of sends that central holds without an entry here, whose targets are `waiting`.
    pub(crate) fn limit(&self, target: u16, waiting: impl Iterator<Item = u16>) -> u32 {
        let mut by_peer = [0_u32; MAX_CLIENTS];
        for peer in self.held.iter().map(|held| held.target).chain(waiting) {
            if let Some(count) = DomainId::new(peer).and_then(|id| by_peer.get_mut(id.index())) {
                *count += 1;
            }
        }
        let own = DomainId::new(target).and_then(|id| by_peer.get(id.index())).copied().unwrap_or(0);
        // For each other peer: the number of its held sends, or the slots that are kept for it if that is
        // more.
        let mut idle = self.peers.saturating_sub(1);
        let mut others = 0;
        for (peer, count) in by_peer.iter().enumerate() {
            if *count != 0 && peer != usize::from(target) {
                idle = idle.saturating_sub(1);
                others += (*count).max(self.reserved);
            }
        }
        RING.saturating_sub(others + idle * self.reserved + own)
    }

    /// Notes that the slot of `index` was passed over.
    pub(crate) fn pass_over(&mut self, index: u32) {
        self.entries += u32::from(self.passed_over.insert(index));
    }

    /// Notes that `index` is part of a chain and not the first one.
    pub(crate) fn note_rest(&mut self, index: u32) {
        self.entries += u32::from(self.rest.insert(index));
    }

    /// Number of slots that were passed over among the unresolved indices.
    pub(crate) const fn passed_over(&self) -> u32 {
        self.passed_over.0.count_ones()
    }

    /// Whether the unresolved index `index` has no send because it was passed over.
    pub(crate) const fn is_passed_over(&self, index: u32) -> bool {
        self.passed_over.contains(index)
    }

    /// As [`is_passed_over`](Self::is_passed_over), and clears the mark. Call it once, when the index is the
    /// oldest unresolved one.
    pub(crate) fn was_passed_over(&mut self, index: u32) -> bool {
        let was_in = self.passed_over.remove(index);
        self.entries -= u32::from(was_in);
        was_in
    }

    /// Whether the oldest unresolved send, `index`, has to be held although its own status is final. The
    /// status of a chain's first part is the status of the message and comes last. Until then no slot of the
    /// chain may be used again.
    pub(crate) const fn waits_for_first(&self, index: u32) -> bool {
        self.holds_first && self.rest.contains(index)
    }

    /// Clears the marks of `index`, which was the oldest unresolved send and has ended.
    pub(crate) const fn resolve(&mut self, index: u32) {
        if self.rest.remove(index) {
            self.entries -= 1;
        } else {
            self.holds_first = false;
        }
    }

    /// Notes that central holds `index`, the oldest unresolved send, which is for `target`.
    pub(crate) fn hold(&mut self, index: u32, target: u16) {
        let is_rest = self.rest.remove(index);
        self.holds_first |= !is_rest;
        // There is room, because each held send has a slot.
        let _ = self.held.push(Held { index, target, is_rest });
        // A mark has become a held send, or a held send has come.
        self.entries += u32::from(!is_rest);
    }

    /// Notes that the sends that are moved here next were looked at when central's count of ends had this
    /// value.
    pub(crate) const fn look_again_after(&mut self, ended_late: u32) {
        self.ended_late = ended_late;
    }

    /// Removes the oldest held send that has ended and returns its index; `has_ended` tells whether the send
    /// at an index has. It looks only if `ended_late`, central's count, has changed since it last found none.
    /// The other parts of a chain end after its first part.
    pub(crate) fn take_ended(&mut self, ended_late: u32, has_ended: impl Fn(u32) -> bool) -> Option<u32> {
        if self.ended_late == ended_late {
            return None;
        }
        let ended = self.take_oldest(|held| has_ended(held.index));
        if ended.is_none() {
            self.ended_late = ended_late;
        }
        ended
    }

    /// As [`take_ended`](Self::take_ended), of the sends for `target` only, and whatever central has counted:
    /// it counts an end a moment after it has stored the status.
    pub(crate) fn take_ended_for(&mut self, target: u16, has_ended: impl Fn(u32) -> bool) -> Option<u32> {
        self.take_oldest(|held| held.target == target && has_ended(held.index))
    }

    /// Removes the oldest held send for which `is_wanted` holds, and returns its index.
    fn take_oldest(&mut self, is_wanted: impl Fn(&Held) -> bool) -> Option<u32> {
        let mut oldest = None;
        let mut end = self.held.len();
        // Central ends the sends of a flow in their order, and it may do so while they are looked at. So one
        // that has ended does not come first until all older ones have been looked at after it.
        while let Some(place) = self.held.iter().take(end).position(|held| !held.is_rest && is_wanted(held)) {
            (oldest, end) = (Some(place), place);
        }
        let place = oldest?;
        let ended = self.held.remove(place);
        self.entries -= 1;
        // The other parts need not wait for the first part any more.
        for held in self.held.iter_mut().skip(place).take_while(|held| held.is_rest) {
            held.is_rest = false;
        }
        Some(ended.index)
    }

    /// Whether central has counted an end of a held send that was not looked for yet.
    pub(crate) fn has_new_ends(&self, ended_late: u32) -> bool {
        !self.held.is_empty() && self.ended_late != ended_late
    }

    /// How many sends are held.
    pub(crate) fn held(&self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "no more than slots")]
        {
            self.held.len() as u32
        }
    }

    /// The index of the `age`-th oldest held send.
    pub(crate) fn nth(&self, age: u32) -> Option<u32> {
        self.held.get(age as usize).map(|held| held.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_keeps_its_slots_whatever_the_others_hold() {
        // Miri takes minutes for all of them.
        for peers in (1..=31_u32).step_by(if cfg!(miri) { 15 } else { 1 }) {
            let mut held_sends = HeldSends::new(peers);
            assert!(held_sends.reserved() >= 2, "{peers}");
            assert!(held_sends.plain_limit() >= RING / 2, "{peers}");
            // One after the other, each silent peer takes all the slots that it can get.
            let mut index = 0;
            for silent in 1..peers {
                while held_sends.limit(u16::try_from(silent).unwrap(), core::iter::empty()) > 0 {
                    held_sends.hold(index, u16::try_from(silent).unwrap());
                    index += 1;
                }
            }
            assert!(held_sends.limit(0, core::iter::empty()) >= held_sends.reserved(), "{peers}");
            assert!(held_sends.held() <= RING);
        }
        assert_eq!(HeldSends::new(1).plain_limit(), RING, "a single peer may use every slot");
    }

    /// The reference page gives these numbers to whoever writes another client library.
    #[test]
    fn the_page_says_what_is_kept_for_each_peer() {
        assert_eq!([1, 4, 16, 31].map(|peers| HeldSends::new(peers).reserved()), [16, 16, 4, 2]);
        let page: std::vec::Vec<_> = include_str!("../../docs/abi.md").split_whitespace().collect();
        assert!(page.join(" ").contains("at most 16 to each: 16 for up to 4 peers, 4 for 16, 2 for 31"));
    }

    #[test]
    fn the_rest_of_a_chain_does_not_come_before_its_first_part() {
        let mut held_sends = HeldSends::new(1);
        held_sends.note_rest(6);
        held_sends.note_rest(7);
        for index in 5..9 {
            held_sends.hold(index, 0);
        }
        assert_eq!(held_sends.take_ended(1, |index| index > 5), Some(8));
        assert_eq!(held_sends.take_ended(1, |index| index > 5), None);
        let order: std::vec::Vec<_> = core::iter::from_fn(|| held_sends.take_ended(2, |_| true)).collect();
        assert_eq!(order, [5, 6, 7]);
    }

    #[test]
    fn sends_that_end_while_they_are_looked_at_come_back_in_order() {
        let looks = core::cell::Cell::new(0);
        let mut held_sends = HeldSends::new(2);
        for index in 0..4 {
            held_sends.hold(index, 0);
        }
        // All end after the first two were looked at.
        let has_ended = |_| looks.replace(looks.get() + 1) >= 2;
        let order: std::vec::Vec<_> = core::iter::from_fn(|| held_sends.take_ended(1, has_ended)).collect();
        assert_eq!(order, [0, 1, 2, 3]);
    }

    #[test]
    fn a_chain_comes_back_whole_behind_a_send_that_waits_for_ever() {
        let mut held_sends = HeldSends::new(2);
        held_sends.hold(0, 1);
        held_sends.note_rest(2);
        held_sends.note_rest(3);
        for index in 1..4 {
            held_sends.hold(index, 0);
        }
        let order: std::vec::Vec<_> =
            core::iter::from_fn(|| held_sends.take_ended(1, |index| index != 0)).collect();
        assert_eq!(order, [1, 2, 3]);
    }

    #[test]
    fn a_part_that_has_ended_is_held_as_long_as_its_first_one_is() {
        let mut held_sends = HeldSends::new(1);
        for index in [6, 7, 9] {
            held_sends.note_rest(index);
        }
        held_sends.hold(5, 0);
        assert!(held_sends.waits_for_first(6) && held_sends.waits_for_first(7));
        held_sends.hold(6, 0);
        held_sends.hold(7, 0);
        // The first part of the next message has ended, so the whole message has.
        held_sends.resolve(8);
        assert!(!held_sends.waits_for_first(9));
        held_sends.resolve(9);
        assert_eq!(held_sends.held(), 3);
    }
    /// Then sends come back in the order of the ring again.
    #[test]
    fn nothing_is_left_when_everything_has_come_back() {
        let mut held_sends = HeldSends::new(2);
        held_sends.pass_over(4);
        held_sends.note_rest(6);
        assert!(!held_sends.is_empty() && held_sends.is_passed_over(4) && !held_sends.is_passed_over(5));
        assert!(held_sends.was_passed_over(4) && !held_sends.was_passed_over(4));
        held_sends.resolve(5);
        assert!(!held_sends.is_empty());
        held_sends.resolve(6);
        assert!(held_sends.is_empty());
        held_sends.hold(7, 0);
        held_sends.hold(8, 1);
        assert_eq!([0, 1, 2].map(|age| held_sends.nth(age)), [Some(7), Some(8), None]);
        held_sends.look_again_after(3);
        assert_eq!(held_sends.take_ended(3, |_| true), None, "central has counted no end since");
        assert_eq!(held_sends.take_ended(4, |_| true), Some(7));
        assert!(!held_sends.is_empty());
        assert_eq!(held_sends.take_ended_for(1, |_| true), Some(8));
        assert!(held_sends.is_empty());
    }
}
