//! The tables for flows with guards, without an engine around them.

extern crate std;
use std::collections::BTreeSet;

use super::*;
use ferry_layout::PostKind;
use ferry_layout::config::Mapping;
use heapless::Vec;

/// A small generator of numbers. Each seed is a run that can be repeated.
struct Dice(u64);

impl Dice {
    const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, end: u16) -> u16 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u16::try_from((self.0 >> 33) % u64::from(end)).unwrap()
    }
}

fn guard(number: u16) -> DomainId {
    DomainId::new(number).unwrap()
}

fn span(start: u32, length: u32) -> Span {
    Address { frame: 0, offset: start }.span(length, 4096).unwrap()
}

fn inspection(ticket: u64, place: Span) -> Inspection {
    Inspection::new(ticket, Subject::message(guard(0), 7), place)
}

#[test]
fn a_verdict_is_taken_once_and_only_for_its_own_ticket() {
    let mut inspections = Inspections::new();
    let ticket = Inspections::ticket(0, u32::MAX, 3);
    inspections.begin(0, inspection(ticket, span(0, 16)));
    for wrong in [ticket + 1, ticket ^ 1 << 8, ticket ^ 1 << 40, ticket ^ 0x80, 0] {
        assert!(inspections.judge(wrong, 1).is_none(), "{wrong:#x}");
    }
    assert_eq!(inspections.judge(ticket, 5).map(|it| it.subject.index()), Some(7));
    assert!(inspections.judge(ticket, 6).is_none(), "it is judged already");
    assert_eq!(inspections.end(0), Some(5));
    assert!(inspections.judge(ticket, 6).is_none(), "it has ended");
}

#[test]
fn what_overlaps_a_pinned_place_is_no_buffer() {
    let mut inspections = Inspections::new();
    let offered = |inspections: &Inspections, offset, length| {
        inspections.buffer(Address { frame: 0, offset }, length, core::iter::empty()).is_some()
    };
    assert!(!offered(&inspections, 0, 16), "not a guard");
    inspections.configure(4096);
    inspections.offer(span(64, 64));
    inspections.begin(3, inspection(1, span(64, 64)));
    for (offset, length, is_free) in
        [(0, 64, true), (0, 65, false), (127, 1, false), (128, 1, true), (80, 8, false), (0, 4096, false)]
    {
        assert_eq!(offered(&inspections, offset, length), is_free, "{offset} {length}");
    }
    assert!(!offered(&inspections, 4090, 7) && !offered(&inspections, 0, 0));
    inspections.end(3);
    assert!(offered(&inspections, 80, 8));
}

#[test]
fn slots_are_used_until_there_is_none() {
    let mut inspections = Inspections::new();
    for number in 0..SLOTS {
        let slot = inspections.free_slot().unwrap();
        assert_eq!(slot, number);
        inspections.begin(slot, inspection(number.into(), Span::EMPTY));
    }
    assert_eq!(inspections.free_slot(), None);
    inspections.end(5);
    assert_eq!(inspections.free_slot(), Some(5));
}

#[test]
fn a_message_goes_on_while_anybody_has_a_snapshot_of_it() {
    let mut course = Course::BEGIN;
    course.hand(guard(4), 1);
    course.answer(guard(4), true);
    course.pass_stage(0);
    course.hand(guard(5), 2);
    course.lose(guard(4));
    assert_eq!((course.snapshot(), course.is_refused), (Some((guard(5), 2)), false));
    course.lose(guard(5));
    assert!(course.is_refused);
}

/// The express lane writes over the course of an earlier message.
#[test]
fn nothing_is_left_of_the_course_of_an_earlier_message() {
    let mut course = Course::BEGIN;
    course.hand(guard(4), 1);
    course.pass_stage(9);
    course.hand(guard(5), 2);
    course.answer(guard(4), true);
    course.answer(guard(5), false);
    course.is_refused = true;
    course.begin_stage(0, guard(3), 7, 11);
    let mut fresh = Course { deadline: 11, ..Course::BEGIN };
    fresh.hand(guard(3), 7);
    let all = |course: &Course| {
        let Course { stage, is_refused, asked, passed, refused, deadline, .. } = *course;
        let handed: Vec<_, 8> = course.handed().collect();
        (stage, is_refused, asked, passed, refused, deadline, handed)
    };
    assert_eq!(all(&course), all(&fresh));
}

#[test]
fn a_member_that_has_refused_cannot_pass() {
    let mut course = Course::BEGIN;
    course.hand(guard(3), 0);
    course.answer(guard(3), false);
    course.answer(guard(3), true);
    assert!(course.passed.is_empty() && course.refused.contains(guard(3)));
}

#[test]
fn a_flow_has_no_more_under_way_than_its_guards_have_room_for() {
    let record = |source, max_message| FlowRecord {
        max_message,
        verdict_within: 1,
        stages: 1,
        ..FlowRecord::plain(source, 9, false, Mapping::Each, 1)
    };
    let stage = StageRecord { members: 1 << 3, quorum: 1 };
    for (bytes, flows, expected) in
        [(1 << 20, 1, 64), (8192, 1, 8), (8192, 2, 4), (8192, 3, 2), (1024, 2, 1), (100, 1, 1)]
    {
        let mut guards = Guards::new();
        for source in 0..flows {
            let longest = if source == 0 { 1024 } else { 64 };
            guards.grant(guard(source), guard(9), &record(source, longest), &[stage]);
        }
        let mut members = ClientSet::EMPTY;
        members.insert(guard(3));
        guards.share_out(guard(0), guard(9), members, |_| bytes);
        let most = guards.flow(guard(0), guard(9)).most_under_way;
        assert_eq!(most, expected, "{bytes} bytes, {flows} flows");
    }
}

#[test]
fn a_member_that_is_lost_has_passed_nothing() {
    let mut course = Course::BEGIN;
    course.hand(guard(3), 0);
    course.hand(guard(4), 1);
    course.answer(guard(4), true);
    course.lose(guard(4));
    assert!(course.passed.is_empty() && course.refused.contains(guard(4)) && !course.is_refused);
    assert_eq!(course.handed().collect::<Vec<_, 2>>(), [(guard(3), 0)]);
}

/// What a course says, kept as its documentation has it.
#[derive(Default)]
struct Naive {
    stage: u16,
    is_refused: bool,
    asked: BTreeSet<u16>,
    passed: BTreeSet<u16>,
    refused: BTreeSet<u16>,
    handed: std::vec::Vec<(u16, u32)>,
    deadline: u32,
}

impl Naive {
    /// Whether `guard` can still say something that counts.
    fn awaits(&self, guard: u16) -> bool {
        !self.is_refused && self.asked.contains(&guard) && !self.refused.contains(&guard)
    }

    fn pass_stage(&mut self, deadline: u32) {
        let (stage, handed) = (self.stage + 1, core::mem::take(&mut self.handed));
        *self = Self { stage, handed, deadline, is_refused: self.is_refused, ..Self::default() };
    }

    fn lose(&mut self, guard: u16) {
        if self.asked.contains(&guard) {
            self.passed.remove(&guard);
            self.refused.insert(guard);
        }
        self.handed.retain(|(holder, _)| *holder != guard);
        self.is_refused |= self.handed.is_empty();
    }

    /// Compares everything that can be asked of a course, for every guard and stage.
    fn compare(&self, course: &Course) {
        let handed: std::vec::Vec<(u16, u32)> =
            course.handed().map(|(guard, slot)| (guard.number(), slot)).collect();
        assert_eq!(handed, self.handed);
        assert_eq!(course.snapshot().map(|(guard, slot)| (guard.number(), slot)), handed.first().copied());
        assert_eq!(course.has_begun(), !handed.is_empty());
        let silent = self.asked.iter().filter(|it| !self.passed.contains(it) && !self.refused.contains(it));
        let silent: std::vec::Vec<u16> = silent.copied().collect();
        for (now, is_late) in
            [(u32::MAX, false), (0, true), (1, true), (u32::MAX / 2 - 1, true), (u32::MAX / 2, false)]
        {
            let late: std::vec::Vec<u16> =
                course.late(self.deadline.wrapping_add(now)).iter().map(DomainId::number).collect();
            assert_eq!(late, if is_late { silent.clone() } else { std::vec::Vec::new() }, "{now}");
        }
        for stage in 0..STAGES {
            assert_eq!(course.is_decided(stage), self.is_refused || self.stage >= stage);
        }
        for number in 0..GUARDS {
            assert_eq!(course.awaits(guard(number)), self.awaits(number));
            for stage in 0..STAGES {
                let is_alone = self.asked.len() == 1 && handed.len() == usize::from(stage) + 1;
                let has_said = self.passed.contains(&number) || self.refused.contains(&number);
                let waits = self.stage == stage && self.awaits(number) && !has_said && is_alone;
                assert_eq!(course.waits_for_all_of(stage, guard(number)), waits);
                #[cfg(feature = "express")]
                assert_eq!(
                    course.awaits_of(stage, guard(number)),
                    self.stage == stage && self.awaits(number) && !self.passed.contains(&number)
                );
            }
            #[cfg(feature = "express")]
            {
                let first = handed.first().filter(|(holder, _)| *holder == number).map(|(_, slot)| *slot);
                assert_eq!(course.first_slot(guard(number)), first);
                let nth = course.nth_handed(u8::try_from(number).unwrap());
                let nth = nth.map(|(guard, slot)| (guard.number(), slot));
                assert_eq!(nth, handed.get(usize::from(number)).copied());
            }
        }
    }
}

/// Guards and stages that a course is asked about: more than it can have.
const GUARDS: u16 = 9;
const STAGES: u16 = 6;

/// Every course of a message is what its documentation says, and one that begins anew has nothing left of
/// the message before.
#[test]
fn a_course_says_what_was_noted() {
    for seed in 0..400 {
        let mut dice = Dice::new(seed);
        let (mut course, mut naive) = (Course::BEGIN, Naive::default());
        for _ in 0..24 {
            let number = dice.below(GUARDS);
            let (slot, deadline) = (u32::from(dice.below(128)), u32::from(dice.below(1000)));
            let is_new = naive.handed.iter().all(|(holder, _)| *holder != number);
            match dice.below(16) {
                0..=4 if is_new && naive.handed.len() < MAX_GUARDS => {
                    course.hand(guard(number), slot);
                    naive.asked.insert(number);
                    naive.handed.push((number, slot));
                }
                5..=8 if naive.asked.contains(&number) => {
                    let passes = dice.below(2) == 0;
                    course.answer(guard(number), passes);
                    if !naive.refused.contains(&number) {
                        let _ = if passes { &mut naive.passed } else { &mut naive.refused }.insert(number);
                    }
                }
                9..=10 if naive.stage + 1 < STAGES => {
                    course.pass_stage(deadline);
                    naive.pass_stage(deadline);
                }
                11 => {
                    course.lose(guard(number));
                    naive.lose(number);
                }
                12 if dice.below(4) == 0 => {
                    course.is_refused = true;
                    naive.is_refused = true;
                }
                13 => {
                    course.begin_stage(0, guard(number), slot, deadline);
                    naive = Naive { deadline, handed: [(number, slot)].to_vec(), ..Naive::default() };
                    naive.asked.insert(number);
                }
                // As after any stage that has one guard only.
                15 if is_new && !naive.is_refused && naive.handed.len() == usize::from(naive.stage) + 1 => {
                    naive.pass_stage(deadline);
                    course.begin_stage(naive.stage, guard(number), slot, deadline);
                    naive.asked.insert(number);
                    naive.handed.push((number, slot));
                }
                #[cfg(feature = "express")]
                14 => {
                    course.wait();
                    naive = Naive { deadline: naive.deadline, ..Naive::default() };
                }
                _ => {}
            }
            naive.compare(&course);
        }
    }
}

#[test]
fn a_ticket_says_slot_delivery_and_epoch() {
    for delivery in [0, 1, 127, 128, 0x0102_0304, u32::MAX] {
        for (slot, epoch) in [(0, 0), (5, 1), (127, 0xff_ffff), (66, 0x0a0b_0c0d)] {
            let ticket = Inspections::ticket(slot, delivery, epoch);
            assert_eq!((Inspections::slot(ticket), Inspections::delivery(ticket)), (slot, delivery));
            assert!(Inspections::is_of_epoch(ticket, epoch));
            assert!(!Inspections::is_of_epoch(ticket, epoch ^ 1));
        }
    }
}

/// The tickets of a run follow each other, over the end of the table too.
#[cfg(feature = "express")]
#[test]
fn the_next_ticket_is_that_of_the_next_delivery() {
    for delivery in 0..300 {
        let [ticket, next] = [delivery, delivery + 1].map(|it| Inspections::ticket_of_run(it, 3));
        assert_eq!(Inspections::next_ticket(ticket), next, "{delivery}");
        assert_eq!(Inspections::slot(ticket), delivery % SLOTS);
    }
}

#[cfg(feature = "express")]
#[test]
fn an_inspection_is_about_one_message_with_one_ticket() {
    let subject = Subject::message(guard(3), 9);
    let mut inspection = Inspection::new(5, Subject::relay(guard(3), 9), span(0, 16));
    assert!(!inspection.is_about(5, subject), "another kind of flow");
    inspection.begin(7, subject);
    assert!(inspection.is_about(7, subject));
    assert!(!inspection.is_about(8, subject) && !inspection.is_about(7, subject.next()));
    assert!(!inspection.is_about(7, Subject::message(guard(4), 9)));
    let mut inspections = Inspections::new();
    inspections.begin(2, inspection);
    inspections.note_verdicts(2, [0].into_iter());
    assert!(!inspections.table[2].is_about(7, subject), "it has a verdict");
}

/// A run of inspections ends together, with their snapshots, up to the first that is about another message,
/// alone has no verdict, or has one elsewhere in the ring.
#[cfg(feature = "express")]
#[test]
fn a_run_of_inspections_ends_up_to_the_first_that_is_not_next() {
    // Of six from slot 3 on: how many have verdicts, where in the ring the third one is, which inspection is
    // about another message, and which has ended already.
    for (judged, third, other, gone, most, ended) in [
        (6, 42, 9, 9, 128, 6),
        (6, 42, 9, 9, 4, 4),
        (4, 42, 9, 9, 128, 4),
        (6, 43, 9, 9, 128, 2),
        (6, 42, 5, 9, 128, 5),
        (6, 42, 1, 9, 128, 1),
        (6, 42, 0, 9, 128, 0),
        (6, 42, 9, 3, 128, 3),
        (6, 42, 9, 0, 128, 0),
        (0, 42, 9, 9, 128, 6),
        (0, 42, 2, 9, 128, 2),
    ] {
        let mut inspections = Inspections::new();
        inspections.configure(4096);
        // The second one is longer than a granule.
        let places = [(0, 64), (64, 100), (192, 1), (256, 8), (320, 8), (384, 8)];
        let places = places.map(|(at, bytes)| span(at, bytes));
        for (number, place) in (0..).zip(places) {
            let subject = Subject::message(guard(if number == other { 2 } else { 1 }), 70 + number);
            inspections.offer(place);
            inspections.begin(3 + number, Inspection::new(0, subject, place));
        }
        inspections.note_verdicts(3, [40, 41, third, 43, 44, 45].into_iter().take(judged));
        if gone < 6 {
            inspections.end(3 + gone);
        }
        let (count, verdict) = inspections.end_run_about(3, Subject::message(guard(1), 70), most);
        assert_eq!(count, ended);
        assert!(count == 0 || verdict == (judged != 0).then_some(40));
        for (number, place) in (0..).zip(places) {
            let is_over = number < ended || number == gone;
            assert_eq!(inspections.used.contains(3 + number), !is_over);
            assert_eq!(inspections.places.are_free(place), Some(is_over), "{place:?}");
        }
    }
}

/// Without granules inspections end one by one, each once: what is in its place afterwards is not given back.
#[cfg(feature = "express")]
#[test]
fn an_inspection_ends_once() {
    let (mut inspections, subject) = (Inspections::new(), Subject::message(guard(1), 70));
    inspections.configure(4096);
    inspections.offer(span(1, 8));
    inspections.begin(3, Inspection::new(3, subject, span(1, 8)));
    inspections.note_verdicts(3, [7].into_iter());
    assert_eq!(inspections.end_run_about(3, subject, 1).0, 0);
    assert_eq!(inspections.end(3), Some(7));
    inspections.clear();
    inspections.offer(span(0, 8));
    inspections.table[3].place = span(0, 8);
    assert_eq!(inspections.end(3), None);
    assert_eq!(inspections.places.are_free(span(0, 8)), Some(false), "it is offered still");
}

/// Runs of free and of used slots, as they are over the end of the table.
#[cfg(feature = "express")]
#[test]
fn runs_end_where_another_inspection_begins() {
    let mut inspections = Inspections::new();
    assert_eq!(inspections.free_run(77), 128);
    inspections.begin_run(250, 10);
    assert_eq!([0, 3, 4, 121, 122, 127].map(|at| inspections.free_run(at)), [0, 0, 118, 1, 0, 0]);
    let run_from =
        |inspections: &Inspections, delivery| inspections.run_from(Inspections::ticket_of_run(delivery, 1));
    assert_eq!([250, 255, 256, 259, 260].map(|at| run_from(&inspections, at)), [10, 5, 4, 1, 0]);
    inspections.end_run(Inspections::ticket_of_run(250, 1), 7);
    assert_eq!([250, 257, 258].map(|at| run_from(&inspections, at)), [0, 3, 2]);
    assert_eq!(inspections.free_run(4), 125);
}

/// How a guard's receive buffer is divided, which is told only while every offer begins a granule.
#[cfg(feature = "express")]
#[test]
fn the_granules_are_those_of_the_buffer() {
    for (bytes, bits) in [(4096, 6), (256 << 10, 6), ((256 << 10) + 1, 7), (1 << 20, 8)] {
        let mut inspections = Inspections::new();
        inspections.configure(bytes);
        inspections.offer(span(0, 8));
        assert_eq!(inspections.granule_bits(), Some(bits), "{bytes} bytes");
        inspections.offer(span(1, 8));
        assert_eq!(inspections.granule_bits(), None);
        inspections.clear();
        assert_eq!(inspections.granule_bits(), Some(bits));
    }
}

/// A buffer that a guard offers shares no byte with one that it offers already, or with a place that is
/// pinned. Some begin elsewhere than a granule, and then bytes are compared.
#[test]
fn nothing_is_offered_twice() {
    const BYTES: u16 = 4096;
    let post = |span: Span| Post {
        place: Address { frame: 0, offset: u32::try_from(span.start()).unwrap() },
        length: span.length(),
        from: Post::ANYONE,
        kind: PostKind::Buffer as u8,
        marks: 0,
    };
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let mut inspections = Inspections::new();
        inspections.configure(BYTES.into());
        let aligns = seed % 4 != 0;
        let (mut is_exact, mut offered) = (true, std::vec::Vec::<Span>::new());
        let mut pinned = std::vec::Vec::<(u32, Span)>::new();
        for _ in 0..60 {
            let start = if aligns { dice.below(BYTES / 64) * 64 } else { dice.below(BYTES - 1) };
            let length = (1 + dice.below(700)).min(BYTES - start);
            let wanted = span(start.into(), length.into());
            let in_use = offered.iter().chain(pinned.iter().map(|(_, place)| place));
            let is_free = !in_use.into_iter().any(|it| it.overlaps(wanted));
            let begins_granule = start % 64 == 0;
            match dice.below(8) {
                0..=2 => {
                    let at_once = inspections.offer_for_anyone(&post(wanted));
                    assert_eq!(at_once.is_some(), is_free && is_exact && begins_granule, "{wanted:?}");
                    let place = post(wanted).place;
                    let buffer = inspections.buffer(place, length.into(), offered.iter().copied());
                    if at_once.is_none() {
                        assert_eq!(buffer.is_some(), is_free, "{wanted:?}");
                    }
                    if is_free {
                        if at_once.is_none() {
                            inspections.offer(wanted);
                            is_exact &= begins_granule;
                        }
                        offered.push(wanted);
                    }
                }
                3 if !offered.is_empty() => {
                    let count = u16::try_from(offered.len()).unwrap();
                    inspections.withdraw(offered.swap_remove(dice.below(count).into()));
                }
                4..=5 if !offered.is_empty() => {
                    let count = u16::try_from(offered.len()).unwrap();
                    let buffer = offered.swap_remove(dice.below(count).into());
                    let most = u16::try_from(buffer.length()).unwrap();
                    let place = buffer.part(0, (1 + dice.below(most)).into()).unwrap();
                    let slot = inspections.free_slot().unwrap();
                    inspections.pin(buffer, place);
                    inspections.begin(slot, inspection(slot.into(), place));
                    pinned.push((slot, place));
                }
                6 if !pinned.is_empty() => {
                    let count = u16::try_from(pinned.len()).unwrap();
                    let (slot, _) = pinned.swap_remove(dice.below(count).into());
                    assert_eq!(inspections.end(slot), None);
                }
                7 if dice.below(8) == 0 => {
                    inspections.clear();
                    (is_exact, offered, pinned) = (true, std::vec::Vec::new(), std::vec::Vec::new());
                }
                _ => {}
            }
        }
    }
}
