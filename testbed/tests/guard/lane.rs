//! The express lane for flows with guards. What it serves goes the same way as what the ordinary path serves:
//! the tests of random traffic hold with it and without it (`--no-default-features --features observe`). The
//! others show which of the two has served a message.

use std::collections::VecDeque;

use ferry_layout::config::Mapping;
use ferry_layout::geometry::MAX_CHAIN;
use ferry_layout::{Delivery, Descriptor, Status};
use ferry_testbed::Topology;

use crate::stage::{GUARD, RECEIVER, SENDER, STRIDE, Stage, chained};

/// Slots of a ring.
const RING: u32 = 128;
/// Messages that are under way at a time, at most: as many as a guard has room for.
const UNDER_WAY: u32 = 64;

/// A small generator of numbers, so that a failure can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 >> 33).unwrap() % end
    }
}

/// A message of the flow, and which guards do not pass it: the first byte has a bit for each of them.
fn bytes_of(number: u32, dice: &mut Dice) -> Vec<u8> {
    let refused_by = match dice.below(12) {
        0 => 1,
        1 => 2,
        2 => u8::try_from(dice.below(8)).unwrap(),
        _ => 0,
    };
    let length = if dice.below(8) == 0 { 8 + dice.below(400) } else { 64 };
    let mut bytes = vec![u8::try_from(number % 251).unwrap(); length as usize];
    bytes[0] = refused_by;
    bytes
}

/// Whether this guard refuses a message with these bytes.
fn refuses(guard: u16, bytes: &[u8]) -> bool {
    bytes[0] >> (guard - GUARD) & 1 != 0
}

/// Whether enough members of a stage pass a message with these bytes.
fn passes((members, quorum): &(&[u16], u32), bytes: &[u8]) -> bool {
    members.iter().filter(|guard| !refuses(**guard, bytes)).count() >= *quorum as usize
}

/// A guard that answers by the first byte, when it likes.
struct Inspector {
    number: u16,
    free: VecDeque<u32>,
    open: VecDeque<Delivery>,
    /// The verdicts, each with the buffer that it gives back.
    answered: VecDeque<(u32, u32)>,
    seen: Vec<Vec<u8>>,
}

impl Inspector {
    fn act(&mut self, stage: &mut Stage, dice: &mut Dice, at_once: bool, others_may_decide: bool) {
        let actor = stage.actor(self.number);
        while let Some((verdict, buffer)) = self.answered.front().copied() {
            match actor.status(verdict) {
                Some(status)
                    if status == Status::Done || (others_may_decide && status == Status::NoInspection) =>
                {
                    self.free.push_back(buffer);
                    self.answered.pop_front();
                }
                Some(Status::Queued) | None => break,
                other => panic!("a verdict ended with {other:?}"),
            }
        }
        for inspection in actor.inspections() {
            self.seen.push(actor.bytes(&inspection));
            self.open.push_back(inspection);
        }
        let most = u32::try_from(self.open.len()).unwrap();
        for _ in 0..if at_once { most } else { dice.below(most + 1) } {
            let inspection = self.open.pop_front().unwrap();
            let passes = !refuses(self.number, &actor.bytes(&inspection));
            let verdict = actor.answer(&inspection, passes);
            self.answered.push_back((verdict, inspection.position / STRIDE));
        }
        let most = u32::try_from(self.free.len()).unwrap();
        for _ in 0..if at_once { most } else { dice.below(most + 1) } {
            actor.post(self.free.pop_front().unwrap());
        }
    }
}

/// Random traffic through these stages. Every message is inspected once by each guard before it, in order,
/// and ends as the guards have said; the target gets the bytes that were passed, in order. A member of a
/// quorum need not get what is decided without it.
fn traffic(seed: u64, stages: &[(&[u16], u32)], mapping: Mapping) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1);
    let mut stage = Stage::of(&Topology::guarded(stages, mapping, 50));
    let is_passed = |bytes: &[u8]| stages.iter().all(|stage| passes(stage, bytes));
    let others_may_decide = stages.iter().any(|(members, _)| members.len() > 1);
    let mut inspectors: Vec<Inspector> = stages
        .iter()
        .flat_map(|(members, _)| *members)
        .map(|number| Inspector {
            number: *number,
            free: (0..=dice.below(UNDER_WAY)).collect(),
            open: VecDeque::new(),
            answered: VecDeque::new(),
            seen: Vec::new(),
        })
        .collect();
    let (mut sent, mut ended, mut received) = (Vec::new(), 0_u32, Vec::new());
    let mut to_post: VecDeque<u32> = (0..RING).collect();
    let total = 300 + dice.below(200);
    for step in 0.. {
        let is_last = sent.len() == total as usize;
        let room = RING - (u32::try_from(sent.len()).unwrap() - ended);
        let wanted = room.min(total - u32::try_from(sent.len()).unwrap());
        for _ in 0..if dice.below(3) == 0 { wanted } else { dice.below(wanted + 1) } {
            let number = u32::try_from(sent.len()).unwrap();
            let bytes = bytes_of(number, &mut dice);
            assert_eq!(stage.sender().send(RECEIVER, number % RING, &bytes), number);
            sent.push(bytes);
        }
        stage.bed.run();
        for inspector in &mut inspectors {
            inspector.act(&mut stage, &mut dice, is_last, others_may_decide);
            stage.bed.run();
        }
        let receiver = stage.receiver();
        for delivery in receiver.take() {
            assert_eq!(usize::from(delivery.detail), stages.len());
            received.push((delivery.sequence, receiver.bytes(&delivery)));
            to_post.push_back(delivery.position / STRIDE);
        }
        let most = u32::try_from(to_post.len()).unwrap();
        for _ in 0..if is_last { most } else { dice.below(most + 1) } {
            receiver.post(to_post.pop_front().unwrap());
        }
        stage.bed.run();
        while ended < u32::try_from(sent.len()).unwrap() {
            let expected = if is_passed(&sent[ended as usize]) { Status::Done } else { Status::Refused };
            match stage.sender().status(ended) {
                Some(status) if status.is_final() => assert_eq!(status, expected, "message {ended}"),
                _ => break,
            }
            ended += 1;
        }
        if ended == total {
            break;
        }
        assert!(step < 3000, "seed {seed}, {stages:?}: {ended} of {} have ended", sent.len());
    }
    let mut passed: Vec<&Vec<u8>> = sent.iter().collect();
    for stage in stages {
        for inspector in inspectors.iter().filter(|inspector| stage.0.contains(&inspector.number)) {
            if stage.0.len() == 1 {
                assert_eq!(inspector.seen.iter().collect::<Vec<_>>(), passed, "guard {}", inspector.number);
            }
            let mut all = passed.iter();
            let are_in_order = inspector.seen.iter().all(|seen| all.any(|bytes| *bytes == seen));
            assert!(are_in_order, "seed {seed}, guard {}", inspector.number);
        }
        passed.retain(|bytes| passes(stage, bytes));
    }
    let expected: Vec<(u64, Vec<u8>)> = (0..).zip(passed.into_iter().cloned()).collect();
    assert_eq!(received, expected);
}

#[test]
fn random_traffic_ends_as_its_guards_say() {
    const MEMBERS: &[u16] = &[GUARD, GUARD + 1, GUARD + 2];
    let ways: [&[(&[u16], u32)]; 6] = [
        &[(&[GUARD], 1)],
        &[(&[GUARD], 1), (&[GUARD + 1], 1)],
        &[(MEMBERS, 2)],
        &[(MEMBERS, 1)],
        &[(MEMBERS, 3)],
        &[(&[GUARD, GUARD + 1], 2), (&[GUARD + 2], 1)],
    ];
    // Miri takes minutes for all of them.
    for seed in 0..if cfg!(miri) { 1 } else { 40 } {
        for stages in ways {
            traffic(seed, stages, if seed % 2 == 0 { Mapping::Keep } else { Mapping::Each });
        }
    }
}

/// The client that is neither a guard nor of the first flow.
const OTHER: u16 = GUARD + 3;

/// The flow from the sender to the receiver, and another one, with the same guards.
fn with_another_flow(ends: (u16, u16), stages: &[(&[u16], u32)]) -> Stage {
    let mut topology = Topology::mesh(OTHER + 1, 16, Mapping::Keep);
    topology.flows.clear();
    for (source, target) in [(SENDER, RECEIVER), ends] {
        topology.add_guarded(source, target, stages, Mapping::Keep, 50);
    }
    let mut stage = Stage::of(&topology);
    stage.post_everywhere(12);
    stage
}

/// Messages to two targets lie in turn in one ring, and so do the inspections of the guard that both flows
/// share. Each goes on in its own flow, and neither flow may go on beyond its own messages.
#[test]
fn messages_of_two_flows_in_turn_go_to_their_own_targets() {
    let ways: [&[(&[u16], u32)]; 3] =
        [&[(&[GUARD], 1)], &[(&[GUARD], 1), (&[GUARD + 1], 1)], &[(&[GUARD, GUARD + 1, GUARD + 2], 2)]];
    for stages in ways {
        let mut stage = with_another_flow((SENDER, OTHER), stages);
        // One message of each flow, and then two and so on.
        let targets = [0, 1, 0, 0, 1, 1, 0, 1, 1, 1].map(|number| [RECEIVER, OTHER][number]);
        for (buffer, target) in (0..).zip(targets) {
            stage.sender().send(target, buffer, &[u8::try_from(buffer).unwrap(); 64]);
        }
        stage.bed.run();
        for guard in stages.iter().flat_map(|(members, _)| *members) {
            assert_eq!(stage.actor(*guard).pass_all(), targets.len(), "guard {guard} of {stages:?}");
            stage.bed.run();
        }
        for target in [RECEIVER, OTHER] {
            let actor = stage.actor(target);
            let received: Vec<Vec<u8>> = actor.take().iter().map(|it| actor.bytes(it)).collect();
            let expected =
                (0..).zip(targets).filter(|(_, it)| *it == target).map(|(number, _)| vec![number; 64]);
            assert_eq!(received, expected.collect::<Vec<_>>(), "{target}, {stages:?}");
        }
        let all = u32::try_from(targets.len()).unwrap();
        assert!((0..all).all(|index| stage.sender().status(index) == Some(Status::Done)), "{stages:?}");
    }
}

/// Messages of two senders come to a guard in turn, and it answers all at once. A verdict is about the
/// message that it names, even if the next message of the same sender stands where this one would.
#[test]
fn a_verdict_about_one_sender_passes_no_message_of_another() {
    let ways: [&[(&[u16], u32)]; 3] =
        [&[(&[GUARD], 1)], &[(&[GUARD], 1), (&[GUARD + 1], 1)], &[(&[GUARD, GUARD + 1, GUARD + 2], 3)]];
    for stages in ways {
        let mut stage = with_another_flow((OTHER, RECEIVER), stages);
        for (source, buffer) in [(SENDER, 0), (OTHER, 0), (SENDER, 1), (OTHER, 1)] {
            stage.actor(source).send(RECEIVER, buffer, &[u8::try_from(buffer).unwrap(); 64]);
            stage.bed.run();
        }
        // The first guard refuses the second message of either sender.
        let guard = stage.actor(GUARD);
        for inspection in guard.inspections() {
            let passes = guard.bytes(&inspection)[0] == 0;
            guard.answer(&inspection, passes);
        }
        stage.bed.run();
        for other in stages.iter().flat_map(|(members, _)| *members).filter(|guard| **guard != GUARD) {
            stage.actor(*other).pass_all();
            stage.bed.run();
        }
        let ends = [SENDER, OTHER].map(|source| [0, 1].map(|index| stage.actor(source).status(index)));
        assert_eq!(ends, [[Some(Status::Done), Some(Status::Refused)]; 2], "{stages:?}");
        let receiver = stage.receiver();
        let received: Vec<u8> = receiver.take().iter().map(|it| receiver.bytes(it)[0]).collect();
        assert_eq!(received, [0, 0], "{stages:?}");
    }
}

/// Verdicts of a member that lie one after the other are about messages that other members have judged apart.
/// Only those that enough members have passed go on, and they go on at once.
#[test]
fn each_message_of_a_run_has_its_own_quorum() {
    const MEMBERS: [u16; 3] = [GUARD, GUARD + 1, GUARD + 2];
    // Which messages the first member has passed, of those that the second one passes all at once.
    for passed in 0..16_u32 {
        let mut stage = Stage::of(&Topology::guarded(&[(&MEMBERS, 2)], Mapping::Keep, 50));
        stage.post_everywhere(8);
        for buffer in 0..4 {
            stage.sender().send(RECEIVER, buffer, &[u8::try_from(buffer).unwrap(); 64]);
        }
        stage.bed.run();
        for (number, inspection) in stage.guard().inspections().iter().enumerate() {
            if passed >> number & 1 != 0 {
                stage.guard().answer(inspection, true);
            }
        }
        stage.bed.run();
        assert_eq!(stage.actor(GUARD + 1).pass_all(), 4);
        stage.bed.run();
        // The flow keeps its order, so a message waits for those before it.
        let first = passed.trailing_ones().min(4);
        let mut before = first;
        let receiver = stage.receiver();
        let received: Vec<u8> = receiver.take().iter().map(|it| receiver.bytes(it)[0]).collect();
        assert_eq!(received, (0..4).take(first as usize).collect::<Vec<u8>>(), "{passed:04b}");
        // The third member passes the first message, and those that are decided go on behind it.
        let inspections = stage.actor(GUARD + 2).inspections();
        let mut arrived = first;
        for (index, inspection) in inspections.iter().enumerate() {
            stage.actor(GUARD + 2).answer(inspection, true);
            stage.bed.run();
            arrived = arrived.max((passed | ((2 << index) - 1)).trailing_ones().min(4));
            let count = u32::try_from(stage.receiver().take().len()).unwrap();
            assert_eq!(before + count, arrived, "{passed:04b}, {index}");
            before = arrived;
        }
    }
}

/// Verdicts about messages that have ended without them come before those about messages that have not, and
/// before some about nothing. Each is about the message that it names.
#[test]
fn late_verdicts_take_no_others_with_them() {
    const MEMBERS: [u16; 3] = [GUARD, GUARD + 1, GUARD + 2];
    for extra in [0, 1, 2, 3] {
        let mut stage = Stage::of(&Topology::guarded(&[(&MEMBERS, 2)], Mapping::Keep, 50));
        stage.post_everywhere(8);
        for buffer in 0..6 {
            stage.sender().send(RECEIVER, buffer, b"payload");
        }
        stage.bed.run();
        // The first three messages end without the third member, and the first member passes the rest.
        for (member, count) in [(GUARD, 6), (GUARD + 1, 3)] {
            for inspection in stage.actor(member).inspections().iter().take(count) {
                stage.actor(member).answer(inspection, true);
            }
            stage.bed.run();
        }
        assert_eq!(stage.receiver().take().len(), 3);
        let third = stage.actor(GUARD + 2);
        let mut tickets: Vec<u64> = third.inspections().iter().map(|it| it.sequence).collect();
        // One that was answered already, or one that was never given, where the next one is expected.
        match extra {
            1 => tickets.insert(2, tickets[1]),
            2 => tickets.insert(2, tickets[2] ^ 1 << 40),
            _ => {}
        }
        let mut others = Vec::new();
        let mut verdicts = Vec::new();
        for (number, ticket) in tickets.iter().enumerate() {
            verdicts.push(third.answer_ticket(*ticket, true));
            if extra == 3 && number < 2 {
                // A message, for which a guard has no flow.
                others.push(third.publish(Descriptor { target: RECEIVER, ..Descriptor::default() }));
            }
        }
        stage.bed.run();
        assert_eq!(stage.receiver().take().len(), 3, "{extra}");
        let third = stage.actor(GUARD + 2);
        assert!(others.iter().all(|index| third.status(*index) == Some(Status::Denied)));
        let late = verdicts.len() - 3;
        for (number, verdict) in verdicts.into_iter().enumerate() {
            let expected = if number < late { Status::NoInspection } else { Status::Done };
            assert_eq!(stage.actor(GUARD + 2).status(verdict), Some(expected), "{extra}, {number}");
        }
    }
}

/// When the ring comes round, a message lies in the slot of an earlier one, which has ended. The members get
/// the new message, and nothing of the earlier one.
#[test]
fn no_message_of_an_earlier_lap_is_handed_out() {
    const MEMBERS: [u16; 3] = [GUARD, GUARD + 1, GUARD + 2];
    let mut stage = Stage::of(&Topology::guarded(&[(&MEMBERS, 2)], Mapping::Keep, 50));
    for lap in 0..3 {
        // All of a lap in two parts, and one message alone in between.
        for (count, at) in [(64, 0), (1, 64), (63, 65)] {
            stage.post_everywhere(count);
            for number in 0..count {
                stage.sender().send(RECEIVER, at + number, b"payload");
            }
            stage.bed.run();
            for member in MEMBERS {
                assert_eq!(stage.actor(member).pass_all(), count as usize, "lap {lap}, {member}");
                stage.bed.run();
            }
            assert_eq!(stage.receiver().take().len(), count as usize, "lap {lap}");
        }
    }
}

/// A verdict that lies where the rest of a refused chain is expected is refused with it.
#[test]
fn a_verdict_in_a_refused_chain_passes_nothing() {
    let mut stage = Stage::of(&Topology::guarded(&[(&[GUARD], 1)], Mapping::Keep, 50));
    stage.post_everywhere(2);
    let sent = stage.sender().send(RECEIVER, 0, b"payload");
    stage.bed.run();
    let inspection = stage.guard().inspections()[0];
    for _ in 0..MAX_CHAIN {
        stage.guard().publish(Descriptor {
            target: RECEIVER,
            flags: chained(false),
            ..Descriptor::default()
        });
    }
    stage.bed.run();
    let verdict = stage.guard().answer(&inspection, true);
    stage.bed.run();
    assert_eq!(stage.guard().status(verdict), Some(Status::BadLength));
    assert_eq!(stage.sender().status(sent), Some(Status::Queued));
    // The chain has ended with it.
    stage.guard().answer(&inspection, true);
    stage.bed.run();
    assert_eq!(stage.sender().status(sent), Some(Status::Done));
}

#[cfg(feature = "express")]
mod which;
