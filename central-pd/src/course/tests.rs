//! The course of a message, without an engine around it.

extern crate std;
use std::collections::BTreeSet;

use heapless::Vec;

use super::*;
use crate::dice::Dice;

fn guard(number: u16) -> DomainId {
    DomainId::new(number).unwrap()
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
