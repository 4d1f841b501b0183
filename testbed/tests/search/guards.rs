//! Guards in the search: what each can do next, and what must hold for what they inspect.
//!
//! * A guard sees a message as the sender wrote it first, once, and only after the stages before it have
//!   passed it.
//! * What is delivered was passed by enough members of every stage: with the ticket of this central, in time,
//!   and by a guard that has not restarted since. Nothing else that a guard says counts.
//! * A message is refused only if a stage can no longer pass it.
//! * Nothing is written to a place under inspection, and its verdict does not end, before the message has
//!   ended. If the guard itself has posted the place again, it may be written in the turn in which the
//!   message ends, and its next delivery comes after that end.
//! * Central rests only if no guard could be handed anything, and nothing that is decided waits.

use ferry_layout::{Delivery, DeliveryKind, Status, Verdict, announce};

use crate::scene::{FIRST_GUARD, GUARDS, RECEIVER, Scene, Step, VERDICT_WITHIN};
use crate::watch::{Sent, Watch};

/// What a guard knows.
#[derive(Clone, Copy, Hash, Default)]
pub(crate) struct Guard {
    /// Deliveries that it has taken in this life.
    taken: u32,
    /// The place that it posts next. It goes round, so it also posts what is not its own at the moment.
    next: u32,
    /// The last ticket that it has seen, in any life.
    ticket: Option<u64>,
}

impl Guard {
    /// Another life begins.
    pub(crate) const fn begin(&mut self) {
        self.taken = 0;
    }
}

/// What a guard does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum GuardStep {
    /// It posts a place, whether or not that is under inspection.
    Offer,
    /// It answers the oldest inspection that it has not answered.
    Answer { passes: bool },
    /// It passes the last ticket that it has seen once more, or that of the other guard.
    Lie { own: bool },
}

/// An inspection, as the guard has seen it.
#[derive(Clone, Hash, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each of these can happen without the others")]
pub(crate) struct Inspected {
    guard: u16,
    stage: usize,
    ticket: u64,
    /// The value of the message's bytes.
    value: u8,
    pub(crate) begin: u32,
    /// Ticks since the stage was asked.
    age: u32,
    /// What the guard has said. A tick before that may have come too late for it.
    said: Option<bool>,
    /// Central has seen that.
    is_taken: bool,
    /// Another message was copied to its place.
    is_overwritten: bool,
    is_late: bool,
    /// The guard has restarted since; before that it may have helped to pass its stage.
    is_lost: bool,
    has_decided: bool,
    /// Central has restarted since.
    is_void: bool,
}

/// A verdict of a guard.
#[derive(Clone, Hash, Debug)]
pub(crate) struct Told {
    guard: u16,
    epoch: u32,
    index: u32,
    ticket: u64,
    passes: bool,
    /// It is the first about an inspection of this guard, in the life that got it.
    counts: bool,
    end: Option<u32>,
}

impl Inspected {
    /// Whether it speaks for the message.
    fn passes(&self) -> bool {
        !self.is_void && self.said == Some(true) && !self.is_late && (!self.is_lost || self.has_decided)
    }

    /// Whether it speaks against the message.
    fn is_against(&self) -> bool {
        !self.is_void && (self.said == Some(false) || self.is_late || self.is_lost)
    }
}

impl Watch {
    /// Central is stopped. The next one asks all guards again.
    pub(crate) fn forget_inspections(&mut self) {
        for inspected in &mut self.inspected {
            inspected.is_void = true;
        }
    }

    /// A tick passes.
    pub(crate) fn inspections_age(&mut self) {
        for inspected in &mut self.inspected {
            inspected.age += 1;
            inspected.is_late |= inspected.said.is_none() && inspected.age >= VERDICT_WITHIN;
        }
    }

    fn sent_as(&self, value: u8) -> Option<&Sent> {
        self.sent.iter().find(|sent| sent.value == value)
    }

    /// Whether a message has not ended.
    fn is_live(&self, value: u8) -> bool {
        self.sent_as(value).is_some_and(|sent| !sent.delivered && sent.end().is_none())
    }

    /// Whether guards inspect all messages of a sender that have not ended.
    pub(crate) fn are_inspected(&self, source: u16) -> bool {
        let live = || self.sent.iter().filter(|sent| sent.source == source && self.is_live(sent.value));
        let is_inspected = |value| self.inspected.iter().any(|it| it.value == value && !it.is_void);
        live().next().is_some() && live().all(|sent| is_inspected(sent.value))
    }

    /// The inspections of a guard whose places nobody may write.
    pub(crate) fn pinned(&self, guard: u16) -> impl Iterator<Item = &Inspected> {
        let is_held = |inspected: &&Inspected| !inspected.is_void && !inspected.is_lost;
        let own = self.inspected.iter().filter(move |inspected| inspected.guard == guard);
        own.filter(is_held).filter(|inspected| self.is_live(inspected.value))
    }

    /// A message is copied to a place of a guard.
    pub(crate) fn overwrite(&mut self, guard: u16, begin: u32) {
        let tickets: Vec<u64> =
            self.pinned(guard).filter(|it| it.begin == begin).map(|it| it.ticket).collect();
        for inspected in self.inspected.iter_mut().filter(|it| it.guard == guard) {
            inspected.is_overwritten |= tickets.contains(&inspected.ticket);
        }
    }

    /// What a guard has at a place is overwritten only if its message has ended, or ends in the same turn.
    pub(crate) fn all_pinned_are_whole(&self, guard: u16) {
        let lost = self.pinned(guard).find(|inspected| inspected.is_overwritten);
        assert!(lost.is_none(), "{lost:?} is overwritten");
    }

    /// What was inspected of a message, by the members of a stage, for this central.
    fn of_stage(&self, value: u8, stage: usize) -> impl Iterator<Item = &Inspected> {
        let all = self.inspected.iter().filter(|inspected| !inspected.is_void);
        all.filter(move |inspected| inspected.value == value && inspected.stage == stage)
    }

    fn has_passed(&self, value: u8, stage: usize, quorum: u32) -> bool {
        self.of_stage(value, stage).filter(|inspected| inspected.passes()).count() >= quorum as usize
    }
}

impl Scene {
    /// The guards of this scope.
    fn guards(&self) -> core::ops::Range<u16> {
        FIRST_GUARD..self.scope.clients().max(FIRST_GUARD)
    }

    fn guard(&mut self, guard: u16) -> &mut Guard {
        &mut self.state.guards[usize::from(guard - FIRST_GUARD)]
    }

    fn stage_of(&self, guard: u16) -> usize {
        let stage = self.scope.stages.iter().position(|(members, _)| members.contains(&guard));
        stage.expect("every guard is in a stage")
    }

    pub(crate) fn add_guard_steps(&self, steps: &mut Vec<Step>) {
        let (state, most) = (&self.state, &self.scope.most);
        for guard in self.guards().filter(|guard| self.is_in(*guard)) {
            let number = usize::from(guard - FIRST_GUARD);
            let mut add = |step| steps.push(Step::Guard(guard, step));
            if state.done.offers < most.offers {
                add(GuardStep::Offer);
            }
            if self.in_page(guard).delivery_tail.observe() != state.guards[number].taken {
                add(GuardStep::Answer { passes: true });
                add(GuardStep::Answer { passes: false });
            }
            if state.done.lies < most.lies {
                for own in [true, false] {
                    if state.guards[if own { number } else { GUARDS - 1 - number }].ticket.is_some() {
                        add(GuardStep::Lie { own });
                    }
                }
            }
        }
    }

    pub(crate) fn guard_step(&mut self, guard: u16, step: GuardStep) {
        match step {
            GuardStep::Offer => {
                self.state.done.offers += 1;
                let places = self.scope.places;
                let next = &mut self.guard(guard).next;
                let place = *next;
                *next = (place + 1) % places;
                self.post_place(guard, place, None);
            }
            GuardStep::Answer { passes } => {
                self.answer(guard, passes);
            }
            GuardStep::Lie { own } => {
                self.state.done.lies += 1;
                let of = if own { guard } else { FIRST_GUARD + FIRST_GUARD + 1 - guard };
                if let Some(ticket) = self.guard(of).ticket {
                    self.tell(guard, ticket, true);
                }
            }
        }
    }

    /// Answers the next inspection. Returns false if there is none.
    fn answer(&mut self, guard: u16, passes: bool) -> bool {
        let page = self.in_page(guard);
        let tail = page.delivery_tail.observe();
        let next = (self.guard(guard).taken..tail)
            .find(|index| page.deliveries.load::<Delivery>(*index).kind == DeliveryKind::Inspection as u8);
        self.guard(guard).taken = next.map_or(tail, |index| index + 1);
        self.state.watch.take_closed(guard);
        let taken = self.guard(guard).taken;
        let memory = self.memory[usize::from(guard)];
        memory.from_client.delivery_head.publish(taken);
        self.signal(guard, &memory.to_client.wake_for_requests);
        let Some(index) = next else { return false };
        let Delivery { sequence: ticket, .. } = page.deliveries.load(index);
        self.guard(guard).ticket = Some(ticket);
        self.tell(guard, ticket, passes);
        true
    }

    /// Publishes a verdict.
    fn tell(&mut self, guard: u16, ticket: u64, passes: bool) {
        let number = usize::from(guard);
        let (memory, life) = (self.memory[number], &mut self.state.lives[number]);
        let verdict = Verdict { ticket, passes, reason: 0 };
        memory.from_client.descriptors.store(life.published, verdict.descriptor());
        let (epoch, index) = (life.epoch, life.published);
        life.published += 1;
        let published = life.published;
        let watch = &mut self.state.watch;
        let mut own = watch.inspected.iter_mut().filter(|inspected| inspected.guard == guard);
        let about = own.find(|inspected| inspected.ticket == ticket && !inspected.is_lost);
        let about = about.filter(|inspected| inspected.said.is_none());
        let counts = about.map(|inspected| inspected.said = Some(passes)).is_some();
        watch.told.push(Told { guard, epoch, index, ticket, passes, counts, end: None });
        let signals = announce(&memory.from_client.transmit_tail, published, &memory.to_client.wake);
        self.state.pending[number] |= signals;
    }

    /// All guards pass what they have, and post what is their own.
    pub(crate) fn guards_go_on(&mut self) {
        for guard in self.guards() {
            if self.epoch(guard).is_none() {
                continue;
            }
            while self.answer(guard, true) {}
            for place in 0..self.scope.places {
                let begin = place * self.scope.buffer.div_ceil(crate::scene::FRAME) * crate::scene::FRAME;
                let watch = &self.state.watch;
                let is_open = self.open_offers(guard).any(|offer| offer.begin == begin);
                if !is_open && watch.pinned(guard).all(|inspected| inspected.begin != begin) {
                    self.post_place(guard, place, None);
                }
            }
        }
    }

    /// A life of a guard begins. It has passed nothing but what has gone on from it.
    pub(crate) fn guard_began(&mut self, guard: u16) {
        let stage = self.stage_of(guard);
        let quorum = self.scope.stages[stage].1;
        let watch = &mut self.state.watch;
        let decided: Vec<u8> = (watch.sent.iter().map(|sent| sent.value))
            .filter(|value| watch.has_passed(*value, stage, quorum))
            .collect();
        for inspected in watch.inspected.iter_mut().filter(|inspected| inspected.guard == guard) {
            if !inspected.is_lost {
                inspected.is_lost = true;
                inspected.has_decided = decided.contains(&inspected.value);
            }
        }
        watch.told.retain(|told| told.guard != guard);
    }

    /// A guard sees a delivery.
    pub(crate) fn handed(&mut self, guard: u16, delivery: Delivery) {
        let (stage, served) = (self.stage_of(guard), [self.served(0), self.served(1)]);
        let slot = |request| Delivery::slot_of(request);
        let watch = &mut self.state.watch;
        let mut own = watch.offers.iter_mut().filter(|offer| offer.client == guard && offer.open);
        let offer = own.find(|offer| slot(offer.request) == slot(delivery.request));
        let Some(offer) = offer else { panic!("no request of guard {guard} for {delivery:?}") };
        offer.open = false;
        let begin = offer.begin;
        if delivery.kind == DeliveryKind::Refused as u8 {
            let mut inspected = watch.inspected.iter().filter(|inspected| inspected.guard == guard);
            let is_taken = inspected.any(|inspected| inspected.begin == begin)
                || watch.offers.iter().any(|offer| {
                    offer.client == guard && offer.begin == begin && offer.request != delivery.request
                });
            assert!(is_taken, "{begin:#x} of guard {guard} is refused, and is free");
            return;
        }
        assert_eq!(delivery.kind, DeliveryKind::Inspection as u8, "{delivery:?} for guard {guard}");
        assert_eq!((delivery.position, u16::from(delivery.detail)), (begin, RECEIVER), "{delivery:?}");
        let value = u8::try_from(delivery.tag).expect("tags are values");
        let sent = watch.sent_as(value).unwrap_or_else(|| panic!("nobody has sent {delivery:?}"));
        assert_eq!((sent.source, sent.bytes), (delivery.source, delivery.length), "{sent:?}");
        assert!(watch.is_live(value), "inspected after its end: {sent:?}");
        assert_eq!(sent.epoch, served[usize::from(sent.source)], "from a life that is over: {delivery:?}");
        let watch = &self.state.watch;
        for (earlier, (_, quorum)) in self.scope.stages[..stage].iter().enumerate() {
            let is_passed = watch.has_passed(value, earlier, *quorum);
            assert!(is_passed, "stage {stage} sees {delivery:?} before stage {earlier} has passed it");
        }
        let has_it = watch.of_stage(value, stage).any(|inspected| inspected.guard == guard);
        assert!(!has_it, "guard {guard} sees {delivery:?} twice");
        let ticket = delivery.sequence;
        assert!(watch.inspected.iter().all(|it| it.ticket != ticket || it.guard != guard), "{delivery:?}");
        let bytes = &self.shadows[usize::from(guard)][begin as usize..][..delivery.length as usize];
        assert!(bytes.iter().all(|byte| *byte == value), "the bytes of {delivery:?} for guard {guard}");
        // A guard can name its next ticket before it sees it. It passes what it has not looked at, and that
        // is its own concern.
        let watch = &mut self.state.watch;
        let mut own = watch.told.iter_mut().filter(|told| told.guard == guard && told.end.is_none());
        let guessed = own.find(|told| told.ticket == ticket);
        let said = guessed.map(|told| {
            told.counts = true;
            told.passes
        });
        let age = watch.of_stage(value, stage).map(|inspected| inspected.age).max().unwrap_or(0);
        self.state.watch.inspected.push(Inspected {
            guard,
            stage,
            ticket,
            value,
            begin,
            age,
            said,
            is_taken: false,
            is_overwritten: false,
            is_late: false,
            is_lost: false,
            has_decided: false,
            is_void: false,
        });
    }

    /// A message is delivered, so enough members of each stage have passed it.
    pub(crate) fn passed_by_all(&self, value: u8) {
        let watch = &self.state.watch;
        for (stage, (_, quorum)) in self.scope.stages.iter().enumerate() {
            let inspected: Vec<_> = watch.of_stage(value, stage).collect();
            assert!(watch.has_passed(value, stage, *quorum), "{value} is delivered, after {inspected:?}");
        }
    }

    /// Whether a message may be refused: a stage can no longer pass it, or what goes on from it is lost.
    pub(crate) fn may_be_refused(&self, source: u16, index: u32) -> bool {
        let watch = &self.state.watch;
        let epoch = self.served(source);
        let mut sent = watch.sent.iter().filter(|sent| sent.source == source && sent.epoch == epoch);
        let Some(value) = sent.find(|sent| sent.index == index).map(|sent| sent.value) else { return false };
        self.scope.stages.iter().enumerate().any(|(stage, (members, quorum))| {
            let against = watch.of_stage(value, stage).filter(|inspected| inspected.is_against()).count();
            let is_lost = watch.of_stage(value, stage).any(|inspected| inspected.is_lost);
            // Members that were not asked in time are late too.
            let is_late = watch.of_stage(value, stage).any(|inspected| inspected.age >= VERDICT_WITHIN);
            is_lost || is_late || members.len() - against < *quorum as usize
        })
    }

    /// Central writes the status of a verdict.
    pub(crate) fn verdict_status(&mut self, guard: u16, index: u32, status: Status) {
        let epoch = self.served(guard);
        let watch = &mut self.state.watch;
        let mut all = (0..watch.told.len()).filter(|number| {
            let told = &watch.told[*number];
            told.guard == guard && told.epoch == epoch && told.index == index
        });
        let Some(number) = all.next() else { panic!("guard {guard} has not said {index}: {status:?}") };
        let told = watch.told[number].clone();
        let about = watch.inspected.iter_mut().find(|it| it.guard == guard && it.ticket == told.ticket);
        let about = about.map(|about| {
            about.is_taken = true;
            about.clone()
        });
        let is_live = about.as_ref().is_some_and(|it| !it.is_void && !it.is_lost && watch.is_live(it.value));
        match status {
            Status::Queued => assert!(told.counts, "taken: {told:?} about {about:?}"),
            Status::Done => assert!(told.counts && !is_live, "ends: {told:?} about {about:?}"),
            Status::NoInspection => assert!(!told.counts || !is_live, "no inspection: {told:?}, {about:?}"),
            _ => panic!("{told:?} ends as {status:?}"),
        }
        if status.is_final() {
            assert!(told.end.is_none_or(|end| end == status as u32), "{told:?} ends again as {status:?}");
            watch.told[number].end = Some(status as u32);
            watch.news[usize::from(guard)] = true;
        }
    }

    /// Central rests. `first` is the oldest message of a flow that has not ended, and `later` are the others.
    pub(crate) fn guards_have_all(&self, first: u8, later: &[u8]) {
        let watch = &self.state.watch;
        for value in [first].iter().chain(later) {
            // What a guard has said just before it left, nobody has read.
            let is_unread = |it: &Inspected| it.said.is_some() && !it.is_taken && !self.is_in(it.guard);
            let mut inspected = watch.inspected.iter().filter(|it| it.value == *value && !it.is_void);
            let is_uncertain = inspected.any(|it| it.is_lost || is_unread(it));
            if is_uncertain || watch.sent_as(*value).is_none_or(|sent| sent.statuses[0].is_none()) {
                continue;
            }
            let mut stages = self.scope.stages.iter().enumerate();
            let present = stages.find(|(stage, (_, quorum))| !watch.has_passed(*value, *stage, *quorum));
            let Some((stage, (members, quorum))) = present else {
                let source = watch.sent_as(*value).map(|sent| sent.source);
                let mut open = self.open_offers(RECEIVER).filter(|offer| offer.is_for(source));
                assert!(
                    *value != first || open.next().is_none(),
                    "central rests; {value} could be delivered"
                );
                continue;
            };
            let of_stage = || watch.of_stage(*value, stage);
            if members.len() - of_stage().filter(|it| it.is_against()).count() < *quorum as usize {
                assert_ne!(*value, first, "central rests; {value} is refused, and has not ended");
                continue;
            }
            let rest: Vec<u16> = members
                .iter()
                .filter(|guard| of_stage().all(|it| it.guard != **guard))
                .filter(|guard| self.open_offers(**guard).next().is_some())
                .copied()
                .collect();
            // A message begins only when it can be passed, and a flow has as many under way as guards have
            // room for: here one.
            let begins = rest.len() >= *quorum as usize && *value == first;
            let has_begun = watch.of_stage(*value, 0).next().is_some();
            assert!(rest.is_empty() || !(begins || has_begun), "{value} could go to guards {rest:?}");
        }
    }

    /// Every message has ended, so every guard has all its places back.
    pub(crate) fn nothing_is_pinned(&self) {
        for told in &self.state.watch.told {
            let unserved = Some(told.epoch) != self.epoch(told.guard);
            assert!(unserved || told.end.is_some(), "never ends: {told:?}");
        }
    }
}
