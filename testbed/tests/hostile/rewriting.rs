//! Memory that changes between any two reads of central, and during map, copy, unmap and signal.
//!
//! Each event of a run gets one more run, in which the attack happens at exactly that event.

use std::collections::HashSet;

use ferry_central::Side;
use ferry_layout::observe::{Access, AccessKind, set_hook};
use ferry_layout::{Address, Descriptor, Kind, Post, PostKind, Status, flags};

use ferry_testbed::Action;

use crate::arena::{ALICE, Arena, BOB, Hostile, MALLORY, TRUDY, buffer, message};

/// A little of everything: a message, a chain and a placed message from Mallory, buffers that Mallory offers
/// and Trudy fills, and an honest message from Alice. Alice offers a buffer, but nobody has a flow to Alice.
fn scene() -> Arena {
    let mut arena = Arena::with(|topology| topology.flows.retain(|flow| flow.target != ALICE));
    arena.alice_posts();
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    let (place, _) = arena.bob_opens_a_window();
    for _ in 0..3 {
        arena.bob_posts();
    }
    mallory.write(0, message(BOB, 700));
    mallory.write(1, Descriptor { flags: flags::CHAINED, ..message(BOB, 100) });
    mallory.write(2, message(BOB, 5));
    mallory.write(3, Descriptor { kind: Kind::Placed as u8, destination: place, ..message(BOB, 2048) });
    mallory.tail(4);
    mallory.post(0, buffer(2, 4096));
    mallory.post(1, Post { from: TRUDY, kind: PostKind::Window as u8, ..buffer(4, 4096) });
    trudy.write(0, message(MALLORY, 600));
    trudy.tail(1);
    arena.alice_sends(1000);
    arena
}

/// Plays the scene once for each of its events, with `attack` at that event, and judges each run.
fn strikes_everywhere(attack: fn(Hostile)) {
    let mut arena = scene();
    let events = arena.run_under(|_| {});
    arena.judge();
    arena.end();
    assert!(events > 100, "the scene is worth attacking: {events} events");
    for strike in 0..events {
        let mut arena = scene();
        let mallory = arena.hostile(MALLORY);
        arena.run_under(move |event| {
            if event == strike {
                attack(mallory);
            }
        });
        assert_eq!(
            arena.alice_reaps(),
            Some(Status::Done),
            "Alice is served in the same run, strike at {strike}"
        );
        arena.judge();
        arena.end();
    }
}

fn rewrite_all(mallory: Hostile, change: impl Fn(Descriptor) -> Descriptor) {
    for index in 0..4 {
        let was: Descriptor = mallory.0.from_client.descriptors.load(index);
        mallory.write(index, change(was));
    }
}

#[test]
fn t30_descriptor_gets_another_source() {
    strikes_everywhere(|mallory| {
        rewrite_all(mallory, |was| Descriptor { source: Address { frame: 15, offset: 4095 }, ..was });
    });
    strikes_everywhere(|mallory| {
        rewrite_all(mallory, |was| Descriptor {
            source: Address { frame: u32::MAX, offset: u32::MAX },
            ..was
        });
    });
}

/// A descriptor that becomes another one, all of it at once, before any look at all of it. What is delivered
/// is one of both, and no mixture.
#[test]
fn t30_descriptor_becomes_another() {
    let one = Descriptor { flags: flags::NO_SIGNAL, tag: 1, ..message(BOB, 700) };
    let other = Descriptor { source: Address { frame: 5, offset: 8 }, tag: 2, length: 900, ..one };
    let mut delivered = HashSet::new();
    for strike in 1..4 {
        let mut arena = Arena::new();
        let (mallory, bob) = (arena.hostile(MALLORY), arena.hostile(BOB));
        mallory.0.transmit.write(5 * 4096, &[2; 4096]);
        arena.bob_posts();
        mallory.write(0, one);
        mallory.tail(1);
        let slot = core::ptr::from_ref(mallory.0.from_client.descriptors.slot(0)).addr();
        let mut looks = 0;
        set_hook(Some(Box::new(move |access: Access| {
            if access.kind == AccessKind::Load && access.address == slot {
                looks += 1;
                if looks == strike {
                    mallory.write(0, other);
                }
            }
        })));
        arena.bed.run();
        set_hook(None);
        let delivery = bob.delivery(0);
        let start = delivery.position as usize;
        let bytes = bob.0.receive.read(start, delivery.length as usize);
        let is_other = bytes.iter().all(|byte| *byte == 2);
        assert!(is_other || bytes.iter().all(|byte| *byte != 2));
        let (found, expected) = ((delivery.tag, delivery.length), if is_other { other } else { one });
        assert_eq!(found, (expected.tag, expected.length), "changed before look {strike}");
        delivered.insert(found);
    }
    assert_eq!(delivered.len(), 2, "the change comes before the looks, and after them");
}

#[test]
fn t31_descriptor_gets_another_length() {
    strikes_everywhere(|mallory| rewrite_all(mallory, |was| Descriptor { length: u32::MAX, ..was }));
    strikes_everywhere(|mallory| rewrite_all(mallory, |was| Descriptor { length: 2049, ..was }));
    strikes_everywhere(|mallory| rewrite_all(mallory, |was| Descriptor { length: 2048, ..was }));
    strikes_everywhere(|mallory| rewrite_all(mallory, |was| Descriptor { length: 0, ..was }));
}

#[test]
fn t32_descriptor_gets_another_target() {
    strikes_everywhere(|mallory| rewrite_all(mallory, |was| Descriptor { target: ALICE, ..was }));
    strikes_everywhere(|mallory| rewrite_all(mallory, |was| Descriptor { target: u16::MAX, ..was }));
}

#[test]
fn t33_descriptor_gets_another_destination_or_kind() {
    strikes_everywhere(|mallory| {
        let destination = Address { frame: 15, offset: 0 };
        rewrite_all(mallory, |was| Descriptor { kind: Kind::Placed as u8, destination, ..was });
    });
    strikes_everywhere(|mallory| rewrite_all(mallory, |was| Descriptor { kind: 0xff, flags: 0xff, ..was }));
}

#[test]
fn t34_chains_get_longer_and_shorter() {
    strikes_everywhere(|mallory| rewrite_all(mallory, |was| Descriptor { flags: flags::CHAINED, ..was }));
    strikes_everywhere(|mallory| rewrite_all(mallory, |was| Descriptor { flags: 0, ..was }));
}

#[test]
fn t35_indices_change_between_reads() {
    strikes_everywhere(|mallory| mallory.tail(0));
    strikes_everywhere(|mallory| mallory.tail(128));
    strikes_everywhere(|mallory| mallory.tail(5 + 128));
    strikes_everywhere(|mallory| mallory.0.from_client.post_tail.publish(u32::MAX));
    strikes_everywhere(|mallory| mallory.0.from_client.delivery_head.publish(77));
}

#[test]
fn t36_requests_change_between_reads() {
    strikes_everywhere(|mallory| {
        for index in 0..2 {
            mallory.0.from_client.posts.store(index, buffer(u32::MAX, u32::MAX));
        }
    });
    strikes_everywhere(|mallory| {
        mallory.withdraw(0);
        mallory.post(1, Post { marks: Post::WITHDRAWN, ..buffer(0, 1) });
    });
    strikes_everywhere(|mallory| {
        mallory.0.from_client.pass_over_post(0);
        mallory.0.from_client.pass_over_send(0);
        mallory.0.from_client.pass_over_send(3);
    });
}

#[test]
fn t37_the_magic_is_cleared_or_the_epoch_changed_between_reads() {
    strikes_everywhere(|mallory| mallory.0.from_client.clear_magic());
    strikes_everywhere(|mallory| mallory.enter(2));
    strikes_everywhere(|mallory| mallory.0.from_client.epoch_wanted.publish(u32::MAX));
    strikes_everywhere(|mallory| {
        mallory.0.from_client.clear_magic();
        mallory.tail(99);
    });
}

/// A small and quick source of pseudo-random numbers, which are the same in each run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Writes random words over the whole page, the magic and the rings included.
fn scribble(mallory: Hostile, noise: &mut Noise) {
    let page = ferry_testbed::Memory::of(mallory.0.from_client);
    for _ in 0..8 {
        let place = match noise.next() % 4 {
            // The most sensitive places: magic and indices, the first requests, the first descriptors.
            0 => [0, 4, 8, 0x40, 0x44, 0x48, 0x80][usize::try_from(noise.next() % 7).unwrap()],
            1 => 0x800 + usize::try_from(noise.next() % 32).unwrap() * 4,
            _ => 0x1000 + usize::try_from(noise.next() % 128).unwrap() * 4,
        };
        let word = match noise.next() % 4 {
            0 => 0,
            1 => u32::MAX,
            2 => u32::try_from(noise.next() % 300).unwrap(),
            _ => u32::try_from(noise.next() >> 32).unwrap(),
        };
        page.write(place, &word.to_le_bytes());
    }
}

#[test]
fn t38_noise_at_arbitrary_moments() {
    for seed in 1..400_u64 {
        let mut arena = scene();
        let mallory = arena.hostile(MALLORY);
        let mut noise = Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        arena.run_under(move |event| {
            // Not for ever: central works as long as it has work, and this test has to end.
            if event < 3000 && noise.next().is_multiple_of(8) {
                scribble(mallory, &mut noise);
            }
        });
        arena.judge();
        // Mallory can come back from all of that.
        let epoch = mallory.0.to_client.epoch.observe().wrapping_add(1);
        mallory.enter(epoch);
        arena.bed.run();
        assert_eq!(mallory.0.to_client.epoch.observe(), epoch);
        arena.judge();
        arena.end();
    }
}

#[test]
fn t39_payload_rewritten_during_the_copy_is_the_senders_own() {
    // Bob then gets some bytes that Mallory wrote. Nothing else is promised.
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    arena.bob_posts();
    mallory.write(0, message(BOB, 2048));
    mallory.tail(1);
    let memory = mallory.0.transmit;
    let events = arena.run_under(move |event| {
        memory.write(0, &[if event % 2 == 0 { 0x10 } else { 0xaa }; 64]);
    });
    assert!(events > 0);
    memory.write(0, &[0x10; 64]);
    let (first, last) = arena.changed(BOB).expect("it arrived");
    assert_eq!(last - first, 2048);
    let bytes = arena.bed.clients[usize::from(BOB)].receive.read(first, 2048);
    assert!(bytes.iter().all(|byte| [0x10, 0xaa].contains(byte)));
    // The arena's check of Bob's messages expects one fill byte.
    arena.bed.clients[usize::from(BOB)].receive.write(first, &[0x10; 2048]);
    arena.judge();
}

#[test]
fn t21_a_source_that_moves_at_every_read_costs_no_more_maps_than_a_constant() {
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    arena.bob_posts();
    mallory.write(0, message(BOB, 1));
    mallory.tail(1);
    arena.bed.machine.actions.clear();
    arena.run_under(move |event| {
        let source = Address { frame: event % 16, offset: 0 };
        mallory.write(0, Descriptor { source, ..message(BOB, 1) });
    });
    let maps = arena.bed.machine.actions.iter();
    let maps = maps.filter(|action| matches!(action, Action::Map(MALLORY, Side::Transmit, _))).count();
    assert!((1..=2).contains(&maps), "one for the express lane and one for the ordinary path: {maps}");
    assert_eq!(mallory.status(0), Some(Status::Done));
    arena.judge();
}

/// Central maps the frames of messages that lie side by side before it carries the first of them. A sender
/// that then moves all others, again and again, has frames mapped for nothing only once in a turn.
#[test]
fn t21_messages_that_move_when_they_are_mapped_are_mapped_one_at_a_time() {
    const MESSAGES: u32 = 40;
    let mut arena = Arena::with(|topology| topology.clients[usize::from(MALLORY)] = 512 << 12);
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    let place = move |index: u32, frame: u32| {
        let source = Address { frame, offset: 0 };
        mallory.write(index, Descriptor { source, ..message(TRUDY, 64) });
    };
    (0..MESSAGES).for_each(|index| trudy.post(index, buffer(0, 64)));
    (0..MESSAGES).for_each(|index| place(index, index));
    mallory.tail(MESSAGES);
    arena.bed.machine.actions.clear();
    let maps = move || mallory.0.to_client.counters.maps.get();
    let (mut next, mut maps_before) = (0, maps());
    arena.run_under(move |_| {
        let is_carried = |index: u32| trudy.delivery(index).length != 0;
        if next != MESSAGES && is_carried(next) {
            (next, maps_before) = (next + 1, maps());
        }
        let frame = mallory.0.from_client.descriptors.load::<Descriptor>(next).source.frame;
        for index in next + 1..MESSAGES {
            // Beside the next message until it is mapped, and far away after that.
            let first = if maps() == maps_before { frame - next } else { (next % 7 + 1) * 64 };
            place(index, first + index);
        }
    });
    let maps = arena.bed.machine.actions.iter();
    let maps = maps.filter(|action| matches!(action, Action::Map(MALLORY, Side::Transmit, _))).count();
    let most = 3 * MESSAGES as usize;
    assert!((1..=most).contains(&maps), "one batch, and at most two for each message: {maps}");
    assert!((0..MESSAGES).all(|index| mallory.status(index) == Some(Status::Done)));
    assert_eq!(arena.bed.machine.mapped(), 0);
}

/// The descriptor names another target when central reads it for the second time, which is to see what to
/// map. Nothing of the first target is mapped for a message that goes to the second one (r07).
#[test]
#[cfg(feature = "express")]
fn t32_a_target_that_changes_before_its_frames_are_mapped_is_left_alone() {
    let mut arena = Arena::new();
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
    arena.bob_posts();
    trudy.post(0, buffer(2, 64));
    mallory.write(0, message(BOB, 64));
    mallory.tail(1);
    arena.bed.machine.actions.clear();
    let descriptor = std::ptr::from_ref(mallory.0.from_client.descriptors.slot(0));
    let words = descriptor.addr()..descriptor.wrapping_add(1).addr();
    let mut reads = 0;
    set_hook(Some(Box::new(move |access: Access| {
        if access.kind == AccessKind::Load && words.contains(&access.address) {
            reads += 1;
            if reads == 2 {
                mallory.write(0, message(TRUDY, 64));
            }
        }
    })));
    arena.bed.run();
    set_hook(None);
    let receivers = arena.bed.machine.actions.iter().filter_map(|action| match action {
        Action::Map(client, Side::Receive, _) => Some(*client),
        _ => None,
    });
    assert_eq!(receivers.collect::<Vec<_>>(), [TRUDY]);
    assert_eq!(mallory.status(0), Some(Status::Done));
    arena.judge();
}

/// A receiver that moves its buffer while central maps it. What its sender sends to others in the same turn
/// is still mapped a batch at a time.
#[test]
#[cfg(feature = "express")]
fn t21_a_receiver_that_moves_its_buffer_does_not_slow_its_sender() {
    for start in 0..60 {
        let mut arena = Arena::new();
        let (sender, trudy) = (arena.hostile(MALLORY), arena.hostile(TRUDY));
        (0..8).for_each(|_| arena.bob_posts());
        sender.write(0, message(TRUDY, 64));
        for index in 1..9 {
            let source = Address { frame: index, offset: 0 };
            sender.write(index, Descriptor { source, ..message(BOB, 64) });
        }
        sender.tail(9);
        arena.bed.machine.actions.clear();
        arena.run_under(move |event| {
            // Central looks at the buffer in the sender's turn, and not before.
            if event == start {
                trudy.post(0, buffer(2 + event % 7, 64));
            } else if event > start {
                trudy.0.from_client.posts.store(0, buffer(2 + event % 7, 64));
            }
        });
        let is_copy = |action: &Action| match action {
            Action::Map(MALLORY, Side::Transmit, _) => Some(false),
            Action::Copy(_) => Some(true),
            _ => None,
        };
        let steps: Vec<bool> = arena.bed.machine.actions.iter().filter_map(is_copy).collect();
        let steps: Vec<usize> = steps.chunk_by(|one, next| one == next).map(<[bool]>::len).collect();
        let batches = steps.iter().filter(|length| **length == 8).count();
        assert_eq!(batches, 2, "mapped at once and carried at once, buffer from {start} on: {steps:?}");
    }
}

/// A run of messages ends before one for another target. The target changes again before central reads it.
#[test]
fn t32_targets_that_move_at_every_read_do_not_keep_central() {
    const MOST: u32 = 20_000;
    for period in 1..8 {
        let mut arena = Arena::with(|topology| topology.bytes_per_round = 4096);
        let mallory = arena.hostile(MALLORY);
        (0..4).for_each(|_| arena.bob_posts());
        arena.hostile(TRUDY).post(0, buffer(2, 4096));
        (0..4).for_each(|index| mallory.write(index, message(BOB, 64)));
        mallory.tail(4);
        arena.run_under(move |event| {
            assert!(event < MOST, "central does not rest, period {period}");
            let target = if event / period % 2 == 0 { BOB } else { TRUDY };
            (0..4).for_each(|index| mallory.write(index, message(target, 64)));
        });
        arena.judge();
    }
}
