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

/// A message of the flow, and whether a guard passes it: the first byte says which guard does not.
fn bytes_of(number: u32, dice: &mut Dice) -> Vec<u8> {
    let refused_by = match dice.below(12) {
        0 => u8::try_from(GUARD).unwrap(),
        1 => u8::try_from(GUARD).unwrap() + 1,
        _ => 0,
    };
    let length = if dice.below(8) == 0 { 8 + dice.below(400) } else { 64 };
    let mut bytes = vec![u8::try_from(number % 251).unwrap(); length as usize];
    bytes[0] = refused_by;
    bytes
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
    fn act(&mut self, stage: &mut Stage, dice: &mut Dice, at_once: bool) {
        let actor = stage.actor(self.number);
        while let Some((verdict, buffer)) = self.answered.front().copied() {
            match actor.status(verdict) {
                Some(Status::Done) => {
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
            let passes = u16::from(actor.bytes(&inspection)[0]) != self.number;
            let verdict = actor.answer(&inspection, passes);
            self.answered.push_back((verdict, inspection.position / STRIDE));
        }
        let most = u32::try_from(self.free.len()).unwrap();
        for _ in 0..if at_once { most } else { dice.below(most + 1) } {
            actor.post(self.free.pop_front().unwrap());
        }
    }
}

/// Random traffic through one guard or two. Every message is inspected once by each guard before it, in
/// order, and ends as the guards have said; the target gets the bytes that were passed, in order.
fn traffic(seed: u64, guards: u16, mapping: Mapping) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1);
    let members: Vec<[u16; 1]> = (GUARD..GUARD + guards).map(|guard| [guard]).collect();
    let stages: Vec<(&[u16], u32)> = members.iter().map(|guard| (&guard[..], 1)).collect();
    let mut stage = Stage::of(&Topology::guarded(&stages, mapping, 50));
    let mut inspectors: Vec<Inspector> = (GUARD..GUARD + guards)
        .map(|number| Inspector {
            number,
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
            inspector.act(&mut stage, &mut dice, is_last);
            stage.bed.run();
        }
        let receiver = stage.receiver();
        for delivery in receiver.take() {
            assert_eq!(delivery.detail, u8::try_from(guards).unwrap());
            received.push((delivery.sequence, receiver.bytes(&delivery)));
            to_post.push_back(delivery.position / STRIDE);
        }
        let most = u32::try_from(to_post.len()).unwrap();
        for _ in 0..if is_last { most } else { dice.below(most + 1) } {
            receiver.post(to_post.pop_front().unwrap());
        }
        stage.bed.run();
        while ended < u32::try_from(sent.len()).unwrap() {
            let refused_by = u16::from(sent[ended as usize][0]);
            let is_refused = (GUARD..GUARD + guards).contains(&refused_by);
            let expected = if is_refused { Status::Refused } else { Status::Done };
            match stage.sender().status(ended) {
                Some(status) if status.is_final() => assert_eq!(status, expected, "message {ended}"),
                _ => break,
            }
            ended += 1;
        }
        if ended == total {
            break;
        }
        assert!(step < 3000, "seed {seed}, {guards} guards: {ended} of {} have ended", sent.len());
    }
    let mut passed: Vec<&Vec<u8>> = sent.iter().collect();
    for inspector in &inspectors {
        assert_eq!(inspector.seen.iter().collect::<Vec<_>>(), passed, "guard {}", inspector.number);
        passed.retain(|bytes| u16::from(bytes[0]) != inspector.number);
    }
    let expected: Vec<(u64, Vec<u8>)> = (0..).zip(passed.into_iter().cloned()).collect();
    assert_eq!(received, expected);
}

#[test]
fn random_traffic_ends_as_its_guards_say() {
    // Miri takes minutes for all of them.
    for seed in 0..if cfg!(miri) { 1 } else { 40 } {
        for guards in [1, 2] {
            traffic(seed, guards, if seed % 2 == 0 { Mapping::Keep } else { Mapping::Each });
        }
    }
}

#[cfg(feature = "express")]
mod which {
    use std::cell::RefCell;
    use std::rc::Rc;

    use ferry_layout::observe::{AccessKind, set_hook};
    use ferry_testbed::Action;

    use super::{GUARD, Mapping, RECEIVER, SENDER, Stage, Status, Topology, UNDER_WAY};

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
