//! The express lane for flows with guards. What it serves goes the same way as what the ordinary path serves:
//! the tests of random traffic hold with it and without it (`--no-default-features --features observe`). The
//! others show which of the two has served a message.

use std::collections::VecDeque;

use ferry_layout::config::Mapping;
use ferry_layout::{Delivery, Status};
use ferry_testbed::Topology;

use crate::stage::{GUARD, RECEIVER, SENDER, STRIDE, Stage};

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

/// Messages to two targets lie in turn in one ring, and so do the inspections of the guard that both flows
/// share. Each goes on in its own flow, and neither flow may go on beyond its own messages.
#[test]
fn messages_of_two_flows_in_turn_go_to_their_own_targets() {
    const OTHER: u16 = GUARD + 3;
    let ways: [&[(&[u16], u32)]; 3] =
        [&[(&[GUARD], 1)], &[(&[GUARD], 1), (&[GUARD + 1], 1)], &[(&[GUARD, GUARD + 1, GUARD + 2], 2)]];
    for stages in ways {
        let mut topology = Topology::mesh(OTHER + 1, 16, Mapping::Keep);
        topology.flows.clear();
        topology.add_guarded(SENDER, RECEIVER, stages, Mapping::Keep, 50);
        topology.add_guarded(SENDER, OTHER, stages, Mapping::Keep, 50);
        let mut stage = Stage::of(&topology);
        stage.post_everywhere(12);
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
    const OTHER: u16 = GUARD + 3;
    let ways: [&[(&[u16], u32)]; 3] =
        [&[(&[GUARD], 1)], &[(&[GUARD], 1), (&[GUARD + 1], 1)], &[(&[GUARD, GUARD + 1, GUARD + 2], 3)]];
    for stages in ways {
        let mut topology = Topology::mesh(OTHER + 1, 16, Mapping::Keep);
        topology.flows.clear();
        topology.add_guarded(SENDER, RECEIVER, stages, Mapping::Keep, 50);
        topology.add_guarded(OTHER, RECEIVER, stages, Mapping::Keep, 50);
        let mut stage = Stage::of(&topology);
        stage.post_everywhere(12);
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

#[cfg(feature = "express")]
mod which {
    use std::cell::RefCell;
    use std::rc::Rc;

    use ferry_layout::observe::{AccessKind, set_hook};
    use ferry_testbed::Action;

    use super::{GUARD, Mapping, RECEIVER, Stage, Status, Topology, UNDER_WAY};
    use crate::stage::SENDER;

    /// What the status of send `index` of `client` is when central copies for the `index`-th time.
    fn at_each_copy(stage: &mut Stage, client: u16) -> Rc<RefCell<Vec<Option<Status>>>> {
        let (seen, to_client) = (Rc::default(), stage.bed.clients[usize::from(client)].to_client);
        let all = Rc::<RefCell<Vec<_>>>::clone(&seen);
        stage.bed.machine.interposer = Some(Box::new(move |action| {
            if matches!(action, Action::Copy(_)) {
                let index = u32::try_from(all.borrow().len()).unwrap();
                all.borrow_mut().push(to_client.status(index).get(index));
            }
        }));
        seen
    }

    /// The ordinary path writes `Queued` before it copies anything: first for the message, then for the
    /// verdict.
    #[test]
    fn plain_messages_and_their_verdicts_take_the_lane() {
        let (one, two): (&[(&[u16], u32)], _) =
            (&[(&[GUARD], 1)], [(&[GUARD][..], 1), (&[GUARD + 1][..], 1)]);
        for (guards, log_pages) in [(one, 0), (&two[..], 0), (one, 8), (&two[..], 8)] {
            let topology = Topology::guarded(guards, Mapping::Keep, 50);
            let mut stage = match log_pages {
                0 => Stage::of(&topology),
                pages => Stage::of(&topology.audited(pages, |_| false)),
            };
            stage.post_everywhere(8);
            for buffer in 0..8 {
                stage.sender().send(RECEIVER, buffer, b"payload");
            }
            let seen = at_each_copy(&mut stage, SENDER);
            stage.bed.run();
            assert_eq!(*seen.borrow(), [None; 8], "of the messages, at their copies");
            for guard in (GUARD..).take(guards.len()) {
                assert_eq!(stage.actor(guard).pass_all(), 8);
                let seen = at_each_copy(&mut stage, guard);
                stage.bed.run();
                assert_eq!(
                    *seen.borrow(),
                    [None; 8],
                    "of the verdicts of {guard}, at the copies that follow"
                );
            }
            stage.bed.machine.interposer = None;
            assert_eq!(stage.receiver().take().len(), 8);
        }
    }

    /// Of a message that has to wait before it begins, the lane reads the four words that it needs, once. The
    /// ordinary path reads all five.
    #[test]
    fn messages_beyond_what_guards_have_room_for_wait_in_the_lane() {
        const PART: u32 = UNDER_WAY / 2;
        // Two flows share the guard. It has buffers for more messages than the part of one flow.
        let guard = GUARD + 1;
        let mut topology = Topology::guarded(&[(&[guard], 1)], Mapping::Keep, 50);
        topology.add_guarded(GUARD, RECEIVER, &[(&[guard], 1)], Mapping::Keep, 50);
        let mut stage = Stage::of(&topology);
        stage.post_everywhere(120);
        let sends: Vec<u32> =
            (0..100).map(|buffer| stage.sender().send(RECEIVER, buffer, b"payload")).collect();
        let descriptors = &stage.sender().memory.from_client.descriptors;
        let place = |index: u32| std::ptr::from_ref(descriptors.slot(index)).addr();
        let (first, bytes) = (place(PART + 1), 64);
        let loads = Rc::new(RefCell::new([0; 19]));
        let count = Rc::clone(&loads);
        set_hook(Some(Box::new(move |access| {
            let number = access.address.wrapping_sub(first) / bytes;
            if access.kind == AccessKind::Load
                && let Some(loads) = count.borrow_mut().get_mut(number)
            {
                *loads += 1;
            }
        })));
        stage.bed.run();
        set_hook(None);
        assert_eq!(*loads.borrow(), [4; 19]);
        let is_queued = |stage: &mut Stage| {
            sends.iter().filter(|index| stage.sender().status(**index) == Some(Status::Queued)).count()
        };
        for (waiting, handed) in [(100, PART), (68, PART), (36, PART), (4, 4)] {
            assert_eq!(is_queued(&mut stage), waiting);
            assert_eq!(stage.actor(guard).pass_all(), handed as usize);
            stage.bed.run();
            assert_eq!(stage.receiver().take().len(), handed as usize);
        }
        assert_eq!(is_queued(&mut stage), 0);
    }

    /// Two of three guards pass eight messages at once. The first verdicts decide nothing, the second ones
    /// carry the messages on, and the third ones come too late; all of them take the lane. On the ordinary
    /// path each message and each verdict would be `Queued` at its own copy.
    #[test]
    fn a_quorum_takes_the_lane() {
        let mut stage =
            Stage::of(&Topology::guarded(&[(&[GUARD, GUARD + 1, GUARD + 2], 2)], Mapping::Keep, 50));
        stage.post_everywhere(8);
        for buffer in 0..8 {
            stage.sender().send(RECEIVER, buffer, b"payload");
        }
        let seen = at_each_copy(&mut stage, SENDER);
        stage.bed.run();
        assert_eq!(seen.borrow()[..8], [None; 8], "of the messages, at the copies for the first member");
        assert_eq!(seen.borrow().len(), 24);
        assert_eq!(stage.actor(GUARD).pass_all(), 8);
        let seen = at_each_copy(&mut stage, GUARD);
        let walks = Rc::new(RefCell::new(0));
        let count = Rc::clone(&walks);
        stage.bed.machine.between_rounds = Some(Box::new(move || {
            *count.borrow_mut() += 1;
            false
        }));
        stage.bed.run();
        assert_eq!((seen.borrow().len(), *walks.borrow()), (0, 0), "no turn of the sender is needed");
        stage.bed.machine.between_rounds = None;
        assert_eq!(stage.receiver().take().len(), 0);
        assert_eq!(stage.actor(GUARD + 1).pass_all(), 8);
        let seen = at_each_copy(&mut stage, GUARD + 1);
        stage.bed.run();
        assert_eq!(*seen.borrow(), [None; 8], "of the verdicts that decide");
        stage.bed.machine.interposer = None;
        assert_eq!(stage.receiver().take().len(), 8);
        assert_eq!(stage.actor(GUARD + 2).pass_all(), 8);
        stage.bed.run();
        for (guard, status) in [(0, Status::Done), (1, Status::Done), (2, Status::NoInspection)] {
            let verdicts = (0..8).map(|index| stage.actor(GUARD + guard).status(index));
            assert_eq!(verdicts.collect::<Vec<_>>(), [Some(status); 8]);
        }
    }

    /// A guard passes sixteen messages at once. They cost their sender's share, as in a turn of the sender:
    /// four messages in each round, and up to four that were left of its last share.
    #[test]
    fn a_sender_pays_for_its_verdicts_with_its_share() {
        let mut topology = Topology::guarded(&[(&[GUARD], 1)], Mapping::Keep, 50);
        topology.bytes_per_round = 4 * 64;
        let mut stage = Stage::of(&topology);
        stage.post_everywhere(16);
        for buffer in 0..16 {
            stage.sender().send(RECEIVER, buffer, b"payload");
        }
        stage.bed.run();
        assert_eq!(stage.guard().pass_all(), 16);
        let copies = Rc::new(RefCell::new(vec![0]));
        let (count, rounds) = (Rc::clone(&copies), Rc::clone(&copies));
        stage.bed.machine.interposer = Some(Box::new(move |action| {
            if matches!(action, Action::Copy(_)) {
                *count.borrow_mut().last_mut().unwrap() += 1;
            }
        }));
        stage.bed.machine.between_rounds = Some(Box::new(move || {
            rounds.borrow_mut().push(0);
            false
        }));
        stage.bed.run();
        assert_eq!(copies.borrow().iter().sum::<u32>(), 16);
        assert!(copies.borrow().iter().all(|copies| *copies <= 8), "{copies:?}");
        assert_eq!(stage.receiver().take().len(), 16);
    }
}
