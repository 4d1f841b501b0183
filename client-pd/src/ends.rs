//! How sends end: in the order of the ring, or in another order.
//!
//! Central holds a send while it waits. Sends for one peer end in the order of the ring, unless one of them
//! expires or is refused. So as long as none has ended before an older one, all stay where they are, and the
//! port only counts those at which it has looked ([`Waiting`]). A send that waits costs one look more than
//! one that does not. When one has ended before an older one, all that wait go to `held_sends`, where each
//! has an entry.

use ferry_layout::geometry::TRANSMIT_SLOTS;
use ferry_layout::{Route, Status};

use crate::message::Completion;
use crate::port::{Doorbell, InFlight, Port};

/// Sends that central holds and that may end in the order of the ring. Each is one part. There are none while
/// any send has an entry in `held_sends`, or that has any mark.
#[derive(Default)]
pub(crate) struct Waiting {
    /// How many they are, from the oldest unresolved send on.
    pub(crate) count: u32,
    /// The value of ended late before they were looked at.
    ended_late: u32,
}

impl Waiting {
    /// Notes that the `count` oldest unresolved sends were taken back.
    #[inline]
    pub(crate) fn pass(&mut self, count: u32) {
        self.count = self.count.saturating_sub(count);
    }
}

/// What has ended of the sends that central has taken, while `held_sends` has none.
enum Found {
    /// Nothing.
    None,
    /// The oldest send.
    Oldest,
    /// Another send, before the oldest one.
    Another,
}

impl<D: Doorbell> Port<D> {
    /// Whether a send has ended. Sends that central holds are moved to `held_sends` on the way, if they may
    /// end in another order than that of the ring.
    pub(crate) fn has_completion(&mut self) -> bool {
        if self.oldest != self.next_send {
            self.look_for_taken();
        }
        if self.held_sends.is_empty() {
            match self.find_ended() {
                Found::None => return false,
                Found::Oldest => return true,
                Found::Another => {}
            }
        }
        self.has_completion_out_of_order()
    }

    /// Notes that the oldest unresolved send is resolved.
    #[inline]
    pub(crate) fn pass_oldest(&mut self) {
        self.oldest = self.oldest.wrapping_add(1);
        self.waiting.pass(1);
    }

    /// Finds out whether a send has ended that central has taken. Must be called only while `held_sends` is
    /// empty.
    #[inline]
    fn find_ended(&mut self) -> Found {
        if self.oldest == self.taken {
            return Found::None;
        }
        if self.has_ended(self.oldest) { Found::Oldest } else { self.look_behind_oldest() }
    }

    /// Looks at the sends behind the oldest one, which central holds.
    #[cold]
    #[inline(never)]
    fn look_behind_oldest(&mut self) -> Found {
        // Central counts an end after it has stored the status. So an end that is not seen below is not
        // counted here.
        let ended_late = self.to_client.ended_late.observe();
        let oldest = self.oldest;
        if self.has_ended(oldest) {
            return Found::Oldest;
        }
        if self.waiting.count == 0 {
            self.waiting = Waiting { count: 1, ended_late };
        }
        // Those at which it has looked are only looked at again if central has counted an end since.
        let known = self.waiting.count;
        let first = if ended_late == self.waiting.ended_late { known } else { 1 };
        let taken = self.taken.wrapping_sub(oldest);
        let unknown = taken.saturating_sub(first);
        let quiet = self.to_client.not_ended(oldest.wrapping_add(first), unknown);
        if quiet != unknown {
            self.waiting.count = known.max(first + quiet);
            // Central ends the sends of a flow in their order, and it may do so while they are looked at.
            return if self.has_ended(oldest) { Found::Oldest } else { Found::Another };
        }
        self.waiting = Waiting { count: taken, ended_late };
        Found::None
    }

    fn has_ended(&self, index: u32) -> bool {
        self.to_client.status(index).ended().is_some()
    }

    /// Moves the sends that central holds to `held_sends`, because they may end in another order than that of
    /// the ring.
    pub(crate) fn hold_waiting(&mut self) {
        let Waiting { count, ended_late } = core::mem::take(&mut self.waiting);
        if count != 0 {
            self.held_sends.look_again_after(ended_late);
        }
        for _ in 0..count {
            self.hold_oldest();
        }
    }

    /// Moves the oldest unresolved send to `held_sends`.
    fn hold_oldest(&mut self) {
        let index = self.oldest;
        self.oldest = index.wrapping_add(1);
        self.held_sends.hold(index, self.target_of(index));
    }

    /// The peer that the unresolved send `index` is for.
    fn target_of(&self, index: u32) -> u16 {
        Route::of(self.from_client.descriptors.slot(index)).target()
    }

    /// Number of slots for further sends to `target`, as [`room_for`](Self::room_for) says.
    pub(crate) fn room_to(&self, target: u16) -> u32 {
        let count = self.waiting.count;
        let waiting = (0..count).map(|age| self.target_of(self.oldest.wrapping_add(age)));
        // Neither reaped nor known to be held by central.
        let unresolved = self.next_send.wrapping_sub(self.oldest) - self.held_sends.passed_over() - count;
        self.held_sends.limit(target, waiting).saturating_sub(unresolved)
    }

    /// As [`has_completion`](Self::has_completion), if sends may end in another order than that of the ring.
    #[cold]
    fn has_completion_out_of_order(&mut self) -> bool {
        self.hold_waiting();
        while self.oldest != self.taken {
            let index = self.oldest;
            let is_held = !self.held_sends.is_passed_over(index)
                && (!self.has_ended(index) || self.held_sends.waits_for_first(index));
            if !is_held {
                return true;
            }
            self.hold_oldest();
        }
        !self.held_sends.is_empty() && self.held_sends.has_new_ends(self.to_client.ended_late.observe())
    }

    /// As [`reap`](Self::reap), when central holds sends. It looks first for held sends that have ended, then
    /// at the sends that central has taken since.
    #[cold]
    pub(crate) fn reap_out_of_order(&mut self) -> Option<Completion> {
        let to_client = self.to_client;
        self.look_for_taken();
        if self.held_sends.is_empty() {
            match self.find_ended() {
                Found::None => return None,
                Found::Oldest => {
                    let index = self.oldest;
                    let status = to_client.status(index).ended()?;
                    self.pass_oldest();
                    return self.give_back(index, status);
                }
                Found::Another => {}
            }
        }
        self.hold_waiting();
        let has_ended = |index: u32| to_client.status(index).get(index).is_some_and(Status::is_final);
        if let Some(index) = self.held_sends.take_ended(to_client.ended_late.observe(), has_ended) {
            let status = to_client.status(index).get(index)?;
            return self.give_back(index, status);
        }
        while self.oldest != self.taken {
            let index = self.oldest;
            if self.held_sends.was_passed_over(index) {
                self.oldest = index.wrapping_add(1);
                continue;
            }
            let target = self.target_of(index);
            if let Some(status) = to_client.status(index).ended()
                && !self.held_sends.waits_for_first(index)
            {
                // An older one may have ended since it was looked at. It comes first.
                if let Some(older) = self.held_sends.take_ended_for(target, has_ended) {
                    let status = to_client.status(older).get(older)?;
                    return self.give_back(older, status);
                }
                self.oldest = index.wrapping_add(1);
                self.held_sends.resolve(index);
                return self.give_back(index, status);
            }
            self.hold_oldest();
        }
        None
    }

    pub(crate) fn give_back(&mut self, index: u32, status: Status) -> Option<Completion> {
        let InFlight { buffer, tag } = self.in_flight[index as usize % TRANSMIT_SLOTS].take()?;
        Some(Completion { status, tag, buffer })
    }
}
