//! Flows with guards, round by round: who gets what a target has, how many verdicts a round takes, who is
//! signalled, and what stays mapped. The lane and the ordinary path do the same.

use std::cell::RefCell;
use std::rc::Rc;

use ferry_layout::Status;
use ferry_layout::config::Mapping;
use ferry_testbed::{Topology, set_of};

use crate::stage::{GUARD, RECEIVER, SENDER, Stage};

/// The members of a stage.
const MEMBERS: [u16; 3] = [GUARD, GUARD + 1, GUARD + 2];

/// A flow with a guard and one without compete for the buffers of a target. Each gets its part, whoever
/// signals, and whichever of the senders comes first. The first buffers may all go to one of them, which then
/// lets the other one go first. After that they share each lot of buffers.
#[test]
fn guarded_messages_and_others_share_out_a_target() {
    const OTHER: u16 = GUARD + 1;
    let wakes: [&[u16]; 3] = [&[GUARD], &[GUARD, RECEIVER], &[SENDER, RECEIVER, GUARD, OTHER]];
    for (guarded, plain) in [(SENDER, OTHER), (OTHER, SENDER)] {
        for (mapping, woken) in wakes.iter().flat_map(|it| [(Mapping::Keep, it), (Mapping::Each, it)]) {
            let mut topology = Topology::mesh(OTHER + 1, 16, mapping);
            topology.flows = vec![Topology::flow(plain, RECEIVER, mapping)];
            topology.add_guarded(guarded, RECEIVER, &[(&[GUARD], 1)], mapping, 50);
            let mut stage = Stage::of(&topology);
            for buffer in 0..64 {
                stage.guard().post(buffer);
                stage.actor(plain).send(RECEIVER, buffer, b"payload");
                stage.actor(guarded).send(RECEIVER, buffer, b"payload");
            }
            stage.bed.run();
            let mut got = Vec::new();
            for _ in 0..8 {
                stage.guard().pass_all();
                (0..8).for_each(|buffer| _ = stage.receiver().post(buffer));
                stage.bed.engine.run(&mut stage.bed.machine, set_of(woken), false);
                let all = stage.receiver().take();
                got.push([guarded, plain].map(|it| all.iter().filter(|one| one.source == it).count()));
            }
            let of = format!("{guarded} has a guard, {plain} has none, {woken:?} signal: {got:?}");
            let sum = |number: usize| got.iter().map(|both| both[number]).sum::<usize>();
            // At least 90 % of half of them.
            assert!(sum(0) + sum(1) == 64 && sum(0) >= 29 && sum(1) >= 29, "{of}");
            assert!(got.iter().skip(2).flatten().all(|count| *count >= 3), "{of}");
        }
    }
}

/// The lane carries no more of what a guard passes at once than its flow's part of a contested target.
#[cfg(feature = "express")]
#[test]
fn what_a_guard_passes_leaves_others_their_part() {
    const OTHER: u16 = GUARD + 1;
    let mut topology = Topology::mesh(OTHER + 1, 16, Mapping::Keep);
    topology.flows = vec![Topology::flow(OTHER, RECEIVER, Mapping::Keep)];
    topology.add_guarded(SENDER, RECEIVER, &[(&[GUARD], 1)], Mapping::Keep, 50);
    let mut stage = Stage::of(&topology);
    for buffer in 0..8 {
        stage.guard().post(buffer);
        stage.actor(OTHER).send(RECEIVER, buffer, b"payload");
        stage.sender().send(RECEIVER, buffer, b"payload");
    }
    stage.bed.run();
    assert_eq!(stage.guard().pass_all(), 8);
    (0..8).for_each(|buffer| _ = stage.receiver().post(buffer));
    stage.bed.run();
    let sources: Vec<u16> = stage.receiver().take().iter().map(|delivery| delivery.source).collect();
    let guarded = sources.iter().filter(|source| **source == SENDER).count();
    assert!(sources.len() == 8 && (3..=5).contains(&guarded), "{sources:?}");
}

/// Three members of a quorum of two pass sixteen messages, one member after the other. The verdicts of the
/// first decide nothing, those of the second decide, and those of the third are late. A round takes as many
/// as the member's share has, and no more.
#[test]
fn a_round_takes_no_more_verdicts_than_the_share_of_their_guard() {
    const SHARE: u32 = 4;
    let mut topology = Topology::guarded(&[(&MEMBERS, 2)], Mapping::Keep, 50);
    topology.messages_per_round = SHARE;
    let mut stage = Stage::of(&topology);
    stage.post_everywhere(16);
    for buffer in 0..16 {
        stage.sender().send(RECEIVER, buffer, b"payload");
    }
    stage.bed.run();
    for (member, status) in MEMBERS.into_iter().zip([Status::Done, Status::Done, Status::NoInspection]) {
        assert_eq!(stage.actor(member).pass_all(), 16);
        let to_client = stage.bed.clients[usize::from(member)].to_client;
        let have_status = move || (0..16).filter(|index| to_client.status(*index).get(*index).is_some());
        let taken = Rc::new(RefCell::new(vec![0]));
        let rounds = Rc::clone(&taken);
        stage.bed.machine.between_rounds = Some(Box::new(move || {
            rounds.borrow_mut().push(have_status().count());
            false
        }));
        stage.bed.run();
        stage.bed.machine.between_rounds = None;
        taken.borrow_mut().push(have_status().count());
        let each: Vec<usize> = taken.borrow().windows(2).map(|two| two[1] - two[0]).collect();
        assert_eq!(each.iter().sum::<usize>(), 16, "of {member}: {each:?}");
        assert!(each.iter().all(|count| *count <= SHARE as usize), "of {member}: {each:?}");
        if member != GUARD {
            let verdicts = (0..16).map(|index| stage.actor(member).status(index));
            assert_eq!(verdicts.collect::<Vec<_>>(), [Some(status); 16], "of {member}");
        }
    }
    assert_eq!(stage.receiver().take().len(), 16);
}

/// A guard is signalled when its verdicts end, and not before: neither when they hand their messages on to
/// the next stage, nor when others have to decide. Late ones end at once.
#[test]
fn a_guard_is_signalled_when_its_verdicts_end() {
    let ways: [&[(&[u16], u32)]; 3] =
        [&[(&[GUARD], 1)], &[(&[GUARD], 1), (&[GUARD + 1], 1)], &[(&MEMBERS, 2)]];
    for stages in ways {
        let guards: Vec<u16> = stages.iter().flat_map(|(members, _)| *members).copied().collect();
        let mut stage = Stage::of(&Topology::guarded(stages, Mapping::Keep, 50));
        stage.post_everywhere(2);
        for buffer in 0..2 {
            stage.sender().send(RECEIVER, buffer, b"payload");
        }
        stage.bed.run();
        // How many verdicts have ended, and how many inspections it has been handed.
        let news = |stage: &Stage, guard: u16| {
            let to_client = stage.bed.clients[usize::from(guard)].to_client;
            let has_ended = |at: &u32| to_client.status(*at).get(*at).is_some_and(Status::is_final);
            ((0..2).filter(has_ended).count(), to_client.delivery_tail.observe())
        };
        for guard in &guards {
            assert_eq!(stage.actor(*guard).pass_all(), 2);
            let before: Vec<_> = guards.iter().map(|guard| news(&stage, *guard)).collect();
            stage.bed.machine.actions.clear();
            stage.bed.run_for(*guard);
            for (other, before) in guards.iter().zip(before) {
                let is_signalled = stage.bed.machine.signals(*other) != 0;
                let has_news = news(&stage, *other) != before;
                assert_eq!(is_signalled, has_news, "{other}, after verdicts of {guard}, {stages:?}");
            }
        }
        assert!(guards.iter().all(|guard| news(&stage, *guard).0 == 2), "all verdicts have ended");
        assert_eq!(stage.receiver().take().len(), 2);
    }
}

/// A sender whose messages were handed to guards is not idle, even if its frames were mapped before, and
/// nothing comes back to it. They stay mapped at the next tick, and not at the one after that.
#[test]
fn frames_of_a_sender_whose_messages_are_with_guards_stay_mapped_for_a_tick() {
    for members in [&MEMBERS[..1], &MEMBERS] {
        let mut stage = Stage::of(&Topology::guarded(&[(members, 1)], Mapping::Keep, 50));
        stage.post_everywhere(2);
        for buffer in 0..2 {
            stage.sender().send(RECEIVER, buffer, b"payload");
            stage.bed.run();
            assert_eq!(stage.bed.machine.mapped_of(SENDER), 1, "{members:?}");
            stage.bed.tick();
        }
        for expected in [1, 0] {
            assert_eq!(stage.bed.machine.mapped_of(SENDER), expected, "{members:?}");
            stage.bed.tick();
        }
    }
}
