//! Which of the two ways has served a message: the express lane, or the ordinary path.

use std::cell::RefCell;
use std::rc::Rc;

use ferry_central::Side;
use ferry_layout::observe::{AccessKind, set_hook};
use ferry_layout::{Descriptor, Post, PostKind};
use ferry_testbed::Action;

use super::{GUARD, Mapping, RECEIVER, STRIDE, Stage, Status, Topology, UNDER_WAY};
use crate::stage::{SENDER, at};
use crate::whole::read_whole;

/// Runs central as if `client` had signalled. Its descriptors take the lane.
fn run_in_the_lane(stage: &mut Stage, client: u16) {
    let from_client = stage.bed.clients[usize::from(client)].from_client;
    let read = read_whole(from_client, || stage.bed.run_for(client));
    assert!(read.is_empty(), "of client {client}, the ordinary path takes {read:?}");
}

/// Sends `count` messages of several lengths from the first frame of the sender, which has eight buffers.
fn send_some(stage: &mut Stage, count: u32) {
    for number in 0..count {
        let bytes = vec![u8::try_from(number % 8).unwrap(); [7, 7, 200, 7, 64, 65][number as usize % 6]];
        stage.sender().send(RECEIVER, number % 8, &bytes);
    }
}

/// Copies in each round of a run.
fn copies_of_rounds(stage: &mut Stage) -> Vec<u32> {
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
    (stage.bed.machine.interposer, stage.bed.machine.between_rounds) = (None, None);
    copies.take()
}

/// What the status of send `index` of `client` is when central copies for the `index`-th time, where it
/// copies eight messages to one guard after the other.
fn at_each_copy(stage: &mut Stage, client: u16) -> Rc<RefCell<Vec<Option<Status>>>> {
    let (seen, to_client) = (Rc::default(), stage.bed.clients[usize::from(client)].to_client);
    let all = Rc::<RefCell<Vec<_>>>::clone(&seen);
    stage.bed.machine.interposer = Some(Box::new(move |action| {
        if matches!(action, Action::Copy(_)) {
            let index = u32::try_from(all.borrow().len() % 8).unwrap();
            all.borrow_mut().push(to_client.status(index).get(index));
        }
    }));
    seen
}

/// The ordinary path writes `Queued` before it copies anything: first for the message, then for the
/// verdict.
#[test]
fn plain_messages_and_their_verdicts_take_the_lane() {
    let (one, two): (&[(&[u16], u32)], _) = (&[(&[GUARD], 1)], [(&[GUARD][..], 1), (&[GUARD + 1][..], 1)]);
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
            assert_eq!(*seen.borrow(), [None; 8], "of the verdicts of {guard}, at the copies that follow");
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
    let sends: Vec<u32> = (0..100).map(|buffer| stage.sender().send(RECEIVER, buffer, b"payload")).collect();
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
    let mut stage = Stage::of(&Topology::guarded(&[(&[GUARD, GUARD + 1, GUARD + 2], 2)], Mapping::Keep, 50));
    stage.post_everywhere(8);
    for buffer in 0..8 {
        stage.sender().send(RECEIVER, buffer, b"payload");
    }
    let seen = at_each_copy(&mut stage, SENDER);
    stage.bed.run();
    assert_eq!(*seen.borrow(), [None; 24], "of the messages, at the copies for the three members");
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
    run_in_the_lane(&mut stage, GUARD + 2);
    for (guard, status) in [(0, Status::Done), (1, Status::Done), (2, Status::NoInspection)] {
        let verdicts = (0..8).map(|index| stage.actor(GUARD + guard).status(index));
        assert_eq!(verdicts.collect::<Vec<_>>(), [Some(status); 8]);
    }
}

/// A guard passes sixteen messages at once. They cost their sender's share, as in a turn of the sender:
/// four messages in each round, and up to four that were left of its last share.
#[test]
fn a_sender_pays_for_its_verdicts_with_its_share() {
    let (one, two): (&[(&[u16], u32)], _) = (&[(&[GUARD], 1)], [(&[GUARD][..], 1), (&[GUARD + 1][..], 1)]);
    for guards in [one, &two[..]] {
        let mut topology = Topology::guarded(guards, Mapping::Keep, 50);
        topology.bytes_per_round = 4 * 64;
        let mut stage = Stage::of(&topology);
        stage.post_everywhere(16);
        for buffer in 0..16 {
            stage.sender().send(RECEIVER, buffer, b"payload");
        }
        stage.bed.run();
        for guard in (GUARD..).take(guards.len()) {
            assert_eq!(stage.actor(guard).pass_all(), 16);
            let copies = copies_of_rounds(&mut stage);
            assert_eq!(copies.iter().sum::<u32>(), 16);
            assert!(copies.iter().all(|copies| *copies <= 8), "{copies:?}");
        }
        assert_eq!(stage.receiver().take().len(), 16);
    }
}

/// A message for three members costs its sender three copies, and no member gets messages before the others
/// while the share lasts.
#[test]
fn a_sender_pays_for_every_member() {
    const MEMBERS: [u16; 3] = [GUARD, GUARD + 1, GUARD + 2];
    let mut topology = Topology::guarded(&[(&MEMBERS, 2)], Mapping::Keep, 50);
    topology.bytes_per_round = 6 * 64;
    let mut stage = Stage::of(&topology);
    stage.post_everywhere(12);
    for buffer in 0..12 {
        stage.sender().send(RECEIVER, buffer, b"payload");
    }
    let tails = MEMBERS.map(|member| stage.bed.clients[usize::from(member)].to_client);
    let seen = Rc::new(RefCell::new(Vec::new()));
    let all = Rc::clone(&seen);
    stage.bed.machine.between_rounds = Some(Box::new(move || {
        all.borrow_mut().push(tails.map(|to_client| to_client.delivery_tail.observe()));
        false
    }));
    stage.bed.run();
    stage.bed.machine.between_rounds = None;
    for (round, tails) in (1..).zip(seen.borrow().iter().take(5)) {
        assert_eq!(*tails, [2 * round; 3], "after round {round}");
    }
    assert_eq!(MEMBERS.map(|member| stage.actor(member).inspections().len()), [12; 3]);
}

/// Buffers that a guard or a target has posted while nobody looked are filled where they are, in the ring. It
/// does not matter whose frames are mapped already.
#[test]
fn buffers_that_were_just_posted_take_the_lane() {
    let (one, two): (&[(&[u16], u32)], _) = (&[(&[GUARD], 1)], [(&[GUARD][..], 1), (&[GUARD + 1][..], 1)]);
    let quorum: &[(&[u16], u32)] = &[(&[GUARD, GUARD + 1], 2)];
    for (guards, mapping) in
        [one, &two[..], quorum].into_iter().flat_map(|it| [(it, Mapping::Keep), (it, Mapping::Each)])
    {
        let mut stage = Stage::of(&Topology::guarded(guards, mapping, 50));
        stage.post_everywhere(20);
        send_some(&mut stage, 20);
        run_in_the_lane(&mut stage, SENDER);
        for guard in guards.iter().flat_map(|(members, _)| *members) {
            assert_eq!(stage.actor(*guard).pass_all(), 20);
            run_in_the_lane(&mut stage, *guard);
        }
        let receiver = stage.receiver();
        for (number, delivery) in (0..20).zip(receiver.take()) {
            assert_eq!(receiver.bytes(&delivery), vec![number % 8; delivery.length as usize], "{guards:?}");
            assert_eq!(delivery.position, u32::from(number) * STRIDE);
        }
        let done = (0..20).filter(|index| stage.sender().status(*index) == Some(Status::Done));
        assert_eq!(done.count(), 20);
        for side in [
            &stage.bed.clients[usize::from(SENDER)].to_client.counters.sent_bytes,
            &stage.bed.clients[usize::from(RECEIVER)].to_client.counters.received_bytes,
        ] {
            assert_eq!(side.get(), 3 * (7 + 7 + 200 + 7 + 64 + 65) + 14, "bytes of all messages");
        }
    }
}

/// A buffer that is offered to another client is left alone, at a guard and at the target, although its frame
/// is mapped already.
#[test]
fn a_buffer_that_was_just_posted_for_somebody_else_is_not_filled() {
    for (picky, length) in [(GUARD, 7), (GUARD, 200), (RECEIVER, 7), (RECEIVER, 200)] {
        let mut stage = Stage::of(&Topology::guarded(&[(&[GUARD], 1)], Mapping::Keep, 50));
        stage.post_everywhere(1);
        for number in 0..2 {
            stage.sender().send(RECEIVER, number, &vec![1; length]);
            if number == 1 {
                let (picky, other) = (picky, if picky == GUARD { RECEIVER } else { GUARD });
                stage.actor(other).post(1);
                let posts = stage.actor(picky).memory.from_client;
                let kind = PostKind::Buffer as u8;
                let post = Post { place: at(2 * STRIDE), length: STRIDE, from: GUARD, kind, marks: 0 };
                posts.posts.store(1, post);
                posts.posts.store(2, Post { place: at(STRIDE), from: Post::ANYONE, ..post });
                posts.post_tail.publish(3);
            }
            stage.bed.run_for(SENDER);
            assert_eq!(stage.guard().pass_all(), 1);
            stage.bed.run_for(GUARD);
            let [delivery] = stage.receiver().take()[..] else { panic!("one message") };
            assert_eq!(delivery.position, number * STRIDE, "{picky}, {length} bytes");
        }
        let untouched = stage.actor(picky).memory.receive.read(2 * STRIDE as usize, length);
        assert_eq!(untouched, vec![0; length], "{picky}, {length} bytes");
    }
}

/// A guard, or the target, moves its next buffer to another frame whenever one is mapped for it. Central does
/// not follow it from frame to frame.
#[test]
fn a_buffer_that_moves_is_not_followed() {
    for mover in [GUARD, RECEIVER] {
        let mut stage = Stage::new(&[(&[GUARD], 1)]);
        if mover == RECEIVER {
            stage.guard().post(0);
        } else {
            stage.receiver().post(0);
        }
        stage.actor(mover).post_at(0, STRIDE);
        stage.sender().send(RECEIVER, 0, b"payload");
        let posts = stage.actor(mover).memory.from_client;
        let (maps, count) = (Rc::new(RefCell::new(0)), 16);
        let seen = Rc::clone(&maps);
        let follow = move |action| {
            if let Action::Map(client, Side::Receive, _) = action
                && client == mover
            {
                *seen.borrow_mut() += 1;
                let frame = *seen.borrow() % count;
                let place = at(frame * 4096);
                let post = Post {
                    place,
                    length: STRIDE,
                    from: Post::ANYONE,
                    kind: PostKind::Buffer as u8,
                    marks: 0,
                };
                posts.posts.store(0, post);
            }
        };
        if mover == RECEIVER {
            stage.bed.run_for(SENDER);
            stage.guard().pass_all();
        }
        stage.bed.machine.interposer = Some(Box::new(follow));
        stage.bed.run_for(if mover == RECEIVER { GUARD } else { SENDER });
        stage.bed.machine.interposer = None;
        assert!(*maps.borrow() <= 4, "{} frames of {mover} were mapped for one message", maps.borrow());
    }
}

/// Messages wait for a guard that has no buffers, in two runs that a message of another flow divides. When
/// there are buffers, the lane hands them out in their order, and leaves the one that may expire, which comes
/// last, to the ordinary path. In the lane, an inspection has the slot of its delivery, and on the ordinary
/// path the first free one. The ticket ends with the slot.
#[test]
fn what_waits_for_buffers_takes_the_lane_when_there_are_some() {
    const OTHER: u16 = GUARD + 1;
    for expires in [false, true] {
        let mut topology = Topology::guarded(&[(&[GUARD], 1)], Mapping::Keep, 50);
        topology.clients.push(topology.clients[0]);
        topology.add_guarded(SENDER, OTHER, &[(&[GUARD], 1)], Mapping::Keep, 50);
        let mut stage = Stage::of(&topology);
        stage.receiver().post(0);
        stage.guard().post(0);
        stage.sender().send(RECEIVER, 0, b"first");
        stage.bed.run();
        assert_eq!(stage.guard().pass_all(), 1);
        stage.bed.run();
        for (buffer, target) in (1..).zip([RECEIVER, RECEIVER, OTHER, RECEIVER, RECEIVER]) {
            stage.sender().send(target, buffer, b"payload");
        }
        if expires {
            let last = Descriptor {
                tag: 106,
                target: RECEIVER,
                length: 7,
                time_to_live: 9,
                ..Descriptor::default()
            };
            stage.sender().publish(last);
        }
        stage.bed.run();
        assert!(stage.guard().inspections().is_empty());
        for buffer in 1..9 {
            stage.guard().post(buffer);
        }
        stage.bed.run_for(GUARD);
        let inspections = stage.guard().inspections();
        let of = |target: u16| inspections.iter().filter(move |it| u16::from(it.detail) == target);
        let tags: Vec<u64> = of(RECEIVER).map(|it| it.tag).collect();
        assert_eq!(tags, [101, 102, 104, 105, 106][..if expires { 5 } else { 4 }]);
        assert_eq!(of(OTHER).map(|it| it.tag).collect::<Vec<_>>(), [103]);
        for (delivery, inspection) in (1..).zip(&inspections) {
            let slot = if inspection.tag == 106 { 0 } else { delivery };
            assert_eq!(inspection.sequence & 0xff, slot, "message {}", inspection.tag);
        }
    }
}

/// What was carried in the middle of a turn shows only when its frames are no longer mapped.
#[test]
fn nothing_shows_while_frames_are_mapped_for_it() {
    let mut stage = Stage::new(&[(&[GUARD], 1)]);
    stage.post_everywhere(8);
    send_some(&mut stage, 8);
    for client in [SENDER, GUARD] {
        let [to_guard, to_receiver] =
            [GUARD, RECEIVER].map(|it| stage.bed.clients[usize::from(it)].to_client);
        let before = [to_guard, to_receiver].map(|it| it.delivery_tail.observe());
        stage.bed.machine.interposer = Some(Box::new(move |action| {
            if matches!(action, Action::Unmap(..)) {
                assert_eq!([to_guard, to_receiver].map(|it| it.delivery_tail.observe()), before);
            }
        }));
        stage.bed.machine.actions.clear();
        stage.bed.run_for(client);
        assert!(stage.bed.machine.actions.iter().any(|it| matches!(it, Action::Unmap(..))));
        if client == SENDER {
            assert_eq!(stage.guard().pass_all(), 8);
        }
    }
    stage.bed.machine.interposer = None;
    assert_eq!(stage.receiver().take().len(), 8);
}
