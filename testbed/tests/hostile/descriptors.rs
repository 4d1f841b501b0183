//! Descriptors with false places, lengths, targets, kinds and chains. Each ends in the documented status and
//! is consumed.

use ferry_layout::geometry::MAX_CHAIN;
use ferry_layout::{Address, Descriptor, Kind, Standing, Status, Verdict, flags};

use crate::arena::{ALICE, Arena, BOB, MALLORY, REGION, buffer, message};

/// Mallory sends `descriptor` while Bob has a buffer for anyone. The send ends with `status`, nothing is
/// copied, and Mallory is not quarantined for it.
#[track_caller]
fn ends_with(status: Status, descriptor: Descriptor) {
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    arena.bob_posts();
    mallory.write(0, descriptor);
    mallory.tail(1);
    arena.bed.run();
    assert_eq!(mallory.status(0), Some(status), "{descriptor:?}");
    assert_eq!((mallory.standing(), mallory.transmit_head()), (Standing::Open, 1));
    assert_eq!(arena.bob_receives(), []);
    assert!(
        arena.bed.machine.actions.iter().all(|action| matches!(action, ferry_testbed::Action::Signal(_)))
    );
    arena.judge();
}

fn from(frame: u32, offset: u32, length: u32) -> Descriptor {
    Descriptor { source: Address { frame, offset }, ..message(BOB, length) }
}

#[test]
fn t10_a_source_one_byte_past_the_region() {
    ends_with(Status::BadSource, from(15, 4095, 2));
    ends_with(Status::BadSource, from(0, 1, REGION));
    ends_with(Status::BadSource, from(16, 0, 1));
    ends_with(Status::BadSource, from(15, 4096, 0));
}

#[test]
fn t11_sums_that_wrap() {
    ends_with(Status::BadSource, from(u32::MAX, u32::MAX, u32::MAX));
    ends_with(Status::BadSource, from(1, u32::MAX, 1));
    ends_with(Status::BadSource, from(u32::MAX, 4095, 1));
    ends_with(Status::BadSource, from(1 << 20, 0, 4096));
    ends_with(Status::BadSource, from(0, 0, u32::MAX));
}

#[test]
fn t12_frames_of_nobody_of_central_and_of_others() {
    // A frame number counts within the sender's own region, so no number names another's frame: such a number
    // lies past the end. The numbers here are those that the window addresses and capabilities of others
    // would have.
    for frame in [16, 17, 1 << 11, 1 << 12, 1 << 19, (1 << 20) + 1, 0x10_0000, 0x8000_0000, u32::MAX] {
        ends_with(Status::BadSource, from(frame, 0, 64));
    }
}

#[test]
fn t13_targets_that_are_nobody_or_not_allowed() {
    for target in [4, 31, 32, 255, u16::MAX] {
        ends_with(Status::NoTarget, message(target, 5));
    }
    ends_with(Status::Denied, message(MALLORY, 5));
    ends_with(Status::Denied, Descriptor { flags: flags::URGENT, ..message(BOB, 5) });
    let mut arena =
        Arena::with(|topology| topology.flows.retain(|flow| (flow.source, flow.target) != (0, 2)));
    let mallory = arena.hostile(MALLORY);
    mallory.write(0, message(ALICE, 5));
    mallory.tail(1);
    arena.bed.run();
    assert_eq!(mallory.status(0), Some(Status::Denied));
    arena.judge();
}

#[test]
fn t14_kinds_and_flags_that_mean_nothing() {
    // A verdict, from a client that has nothing to judge.
    ends_with(Status::NoInspection, Descriptor { kind: Verdict::KIND, ..message(BOB, 5) });
    for kind in 3..=u8::MAX {
        ends_with(Status::Malformed, Descriptor { kind, ..message(BOB, 5) });
    }
    for bit in 3..7 {
        ends_with(Status::Malformed, Descriptor { flags: 1 << bit, ..message(BOB, 5) });
    }
}

#[test]
fn t15_a_destination_that_nobody_opened() {
    let placed = |frame, offset, length| Descriptor {
        kind: Kind::Placed as u8,
        destination: Address { frame, offset },
        ..message(BOB, length)
    };
    for (frame, offset, length) in [
        (0, 0, 1),
        (15, 4095, 2),
        (16, 0, 0),
        (u32::MAX, 4095, 1),
        (0, u32::MAX, 1),
        (0, 4096, 0),
        (0, 0, u32::MAX / 2),
    ] {
        ends_with(
            if length > REGION { Status::BadSource } else { Status::BadDestination },
            placed(frame, offset, length),
        );
    }
    // Inside the window, up to its last byte, and one byte past it on either side.
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    let (place, _) = arena.bob_opens_a_window();
    let at = place.frame * 4096 + place.offset;
    for (index, (start, length)) in
        (0..).zip([(at, 2048), (at, 2049), (at - 1, 2), (at + 2047, 1), (at + 2047, 2)])
    {
        mallory.write(index, placed(start / 4096, start % 4096, length));
    }
    mallory.tail(5);
    arena.bed.run();
    let statuses: Vec<_> = (0..5).map(|index| mallory.status(index).unwrap()).collect();
    let bad = Status::BadDestination;
    assert_eq!(statuses, [Status::Done, bad, bad, Status::Done, bad]);
    assert_eq!(arena.changed(BOB), Some((at as usize, at as usize + 2048)));
    arena.judge();
    // A chain is placed as a whole: up to the last byte of the window, and one byte past it.
    for (rest, status) in [(1948, Status::Done), (1949, bad)] {
        let mut arena = Arena::new();
        let mallory = arena.hostile(MALLORY);
        let (place, _) = arena.bob_opens_a_window();
        assert_eq!(at, place.frame * 4096 + place.offset);
        mallory.write(0, Descriptor { flags: flags::CHAINED, ..placed(place.frame, place.offset, 100) });
        mallory.write(1, placed(place.frame, place.offset, rest));
        mallory.tail(2);
        arena.bed.run();
        assert_eq!([0, 1].map(|index| mallory.status(index)), [Some(status); 2]);
        let changed = (status == Status::Done).then_some((at as usize, at as usize + 2048));
        assert_eq!(arena.changed(BOB), changed);
        arena.judge();
    }
}

#[test]
fn t16_lengths_beyond_the_flow_and_the_buffer() {
    let mut arena = Arena::with(|topology| {
        for flow in &mut topology.flows {
            flow.max_message = 4096;
        }
    });
    let mallory = arena.hostile(MALLORY);
    arena.bob_posts();
    mallory.write(0, message(BOB, 4097));
    mallory.write(1, message(BOB, 4096));
    mallory.write(2, message(BOB, 2049));
    mallory.tail(3);
    arena.bed.run();
    assert_eq!(
        [0, 1, 2].map(|index| mallory.status(index).unwrap()),
        [Status::BadLength, Status::TooLong, Status::TooLong]
    );
    arena.judge();
}

#[test]
fn t17_a_chain_without_end_is_consumed_and_refused() {
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    arena.bob_posts();
    for index in 0..128 {
        mallory.write(index, Descriptor { flags: flags::CHAINED, ..message(BOB, 1) });
    }
    // Three laps of a ring whose chain never ends.
    for lap in 1..=3 {
        mallory.tail(lap * 128);
        let loads = arena.run_counted();
        assert!(loads < 4000, "{loads} reads");
        assert_eq!(mallory.transmit_head(), lap * 128);
        assert_eq!(mallory.status(lap * 128 - 1), Some(Status::BadLength));
    }
    // The chain ends at last, and what follows is a message again.
    mallory.write(0, message(BOB, 1));
    mallory.write(1, message(BOB, 3));
    mallory.tail(386);
    arena.bed.run();
    assert_eq!((mallory.status(384), mallory.status(385)), (Some(Status::BadLength), Some(Status::Done)));
    assert_eq!(arena.bob_receives(), [(MALLORY, 3)]);
    arena.judge();
}

#[test]
fn t18_a_chain_whose_sum_wraps_or_that_changes_its_target() {
    let chained = |descriptor: Descriptor| Descriptor { flags: flags::CHAINED, ..descriptor };
    let refused = |parts: &[Descriptor]| {
        let mut arena = Arena::new();
        let mallory = arena.hostile(MALLORY);
        arena.bob_posts();
        for (index, part) in (0..).zip(parts) {
            mallory.write(index, *part);
        }
        mallory.tail(u32::try_from(parts.len()).unwrap());
        arena.bed.run();
        let statuses: Vec<_> = (0..).zip(parts).map(|(index, _)| mallory.status(index).unwrap()).collect();
        assert_eq!(arena.bob_receives(), []);
        arena.judge();
        assert!(statuses.windows(2).all(|pair| pair[0] == pair[1]), "one message, one status: {statuses:?}");
        statuses[0]
    };
    let half = Descriptor { length: REGION, ..message(BOB, 0) };
    assert_eq!(refused(&[chained(half); 15].into_iter().chain([half]).collect::<Vec<_>>()), Status::TooLong);
    assert_eq!(refused(&[chained(message(BOB, 1)), from(0, 0, u32::MAX)]), Status::BadSource);
    assert_eq!(refused(&[chained(message(BOB, 1)), message(ALICE, 1)]), Status::BadLength);
    assert_eq!(refused(&[chained(message(BOB, 1)), from(15, 4095, 2)]), Status::BadSource);
    assert_eq!(
        refused(&[chained(message(BOB, 1)), Descriptor { flags: 0x40, ..message(BOB, 1) }]),
        Status::Malformed
    );
    let later = [chained(message(BOB, 1)), chained(from(15, 4095, 2)), message(ALICE, 1)];
    assert_eq!(refused(&later), Status::BadSource, "the first mistake decides");
    let endless = vec![chained(message(BOB, 1)); MAX_CHAIN];
    assert_eq!(refused(&endless), Status::BadLength);
}

#[test]
fn t19_a_chain_whose_end_never_comes_waits_alone() {
    let mut arena = Arena::new();
    let mallory = arena.hostile(MALLORY);
    mallory.write(0, Descriptor { flags: flags::CHAINED, ..message(BOB, 1) });
    mallory.tail(1);
    for _ in 0..5 {
        let loads = arena.run_counted();
        assert!(loads < 200, "{loads} reads");
    }
    assert_eq!((mallory.status(0), mallory.transmit_head()), (None, 0));
    arena.judge();
}

#[test]
fn t20_replayed_entries_are_new_messages_and_old_statuses_are_not() {
    let mut arena = Arena::new();
    let (mallory, trudy) = (arena.hostile(MALLORY), arena.hostile(1));
    for index in 0..128 {
        trudy.post(index, buffer(index % 16, 64));
        mallory.write(index, message(1, 8));
    }
    mallory.tail(100);
    arena.bed.run();
    trudy.0.from_client.delivery_head.publish(100);
    // The same words are published again, a lap later. 28 buffers are left, and each send is a new message.
    mallory.tail(228);
    arena.bed.run();
    assert_eq!(
        (trudy.delivery_tail(), mallory.status(127), mallory.status(128)),
        (128, Some(Status::Done), Some(Status::Queued))
    );
    assert_eq!(mallory.status(0), None, "the status is for the new index only");
    let numbers: Vec<u64> = (28..128).map(|index| trudy.delivery(index).sequence).collect();
    assert_eq!(numbers, (28..128).collect::<Vec<u64>>(), "each once, in order");
    arena.judge();
}
