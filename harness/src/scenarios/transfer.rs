//! What a transfer does: two buffers are mapped by frame number, and bytes are copied from one to the other.

use ferry_layout::{DeliveryKind, Status};

use crate::actor::Actor;
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Ending, Fault, Scenario, Trace, WitnessAct};

/// Bytes of the message that most scenarios send, from frame 0 into frame 0.
const BYTES: u32 = 100;

pub(super) const R01: Scenario = Scenario {
    name: "r01_maps_both_and_moves_data_between_them",
    alpha: Some(|alpha: &mut Actor<'_>| {
        alpha.tx.fill(0, BYTES as usize, 1);
        let send = alpha.send(Actor::message(Role::Beta, 0, BYTES));
        ensure!(alpha.end_of(send)? == Status::Done, "the send is done");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 4096, None);
        beta.receive()?;
        ensure!(beta.rx.holds(0, BYTES as usize, 1), "the bytes have arrived");
        Ok(())
    }),
    trace: Trace::Contains(&["map alpha tx 0 holds alpha tx 0", "map beta rx 0 holds beta rx 0", "copy 100"]),
    ..Scenario::IDLE
};

pub(super) const R02: Scenario = Scenario {
    name: "r02_maps_the_frame_of_the_source_that_the_request_names",
    alpha: Some(|alpha: &mut Actor<'_>| {
        for frame in [11, 3] {
            let send = alpha.send(Actor::message(Role::Beta, frame * 4096 + 16, BYTES));
            ensure!(alpha.end_of(send)? == Status::Done, "the send is done");
        }
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        for _ in 0..2 {
            beta.post(0, 4096, None);
            beta.receive()?;
        }
        Ok(())
    }),
    // Alpha wrote the stamp into its own memory. So the frame number has led to exactly this physical page.
    trace: Trace::Contains(&[
        "map alpha tx 11 holds alpha tx 11",
        "unmap alpha tx 11",
        "map alpha tx 3 holds alpha tx 3",
    ]),
    ..Scenario::IDLE
};

pub(super) const R02_READ_ONLY: Scenario = Scenario {
    name: "r02_the_frame_of_the_source_is_mapped_read_only",
    alpha: Some(|alpha: &mut Actor<'_>| {
        alpha.send(Actor::message(Role::Beta, 0, BYTES));
        // Central is stopped by this. Alpha ends the scenario, because it runs after central.
        alpha.rest();
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 4096, None);
        Ok(())
    }),
    witness: WitnessAct::WriteToSource,
    fault: Some(Fault { domain: "central", kind: "write" }),
    ending: Ending::By(Role::Alpha),
    ..Scenario::IDLE
};

pub(super) const R03: Scenario = Scenario {
    name: "r03_maps_the_frame_of_the_target_that_the_request_names",
    alpha: Some(|alpha: &mut Actor<'_>| {
        alpha.send(Actor::message(Role::Beta, 0, BYTES));
        alpha.send(Actor::message(Role::Beta, 0, BYTES));
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        for frame in [13, 5] {
            beta.post(frame * 4096 + 8, 256, None);
            let delivery = beta.receive()?;
            ensure!(u64::from(delivery.place().frame) == frame, "the delivery names the frame");
        }
        Ok(())
    }),
    trace: Trace::Contains(&[
        "map beta rx 13 holds beta rx 13",
        "unmap beta rx 13",
        "map beta rx 5 holds beta rx 5",
    ]),
    ..Scenario::IDLE
};

pub(super) const R04: Scenario = Scenario {
    name: "r04_copies_exactly_the_bytes_of_the_message",
    alpha: Some(|alpha: &mut Actor<'_>| {
        alpha.tx.fill(0, 3 * 4096, 7);
        // The message crosses two frame boundaries on this side and three on the other.
        let send = alpha.send(Actor::message(Role::Beta, 5, 12_000));
        ensure!(alpha.end_of(send)? == Status::Done, "the send is done");
        ensure!(alpha.tx.holds(0, 3 * 4096, 7), "the source is as it was");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.rx.fill(0, 5 * 4096, 0xee);
        beta.post(4095, 12_001, None);
        let delivery = beta.receive()?;
        ensure!(delivery.length == 12_000, "the length is the message's");
        let (mut got, mut sent) = ([0; 64], [0; 64]);
        for step in 0..12_000 / 64 {
            beta.rx.read(4095 + step * 64, &mut got);
            for (place, byte) in sent.iter_mut().enumerate() {
                #[expect(clippy::cast_possible_truncation, reason = "a remainder below 251")]
                let pattern = ((5 + step * 64 + place) % 251) as u8;
                *byte = pattern ^ 7;
            }
            ensure!(got == sent, "every byte is the sender's");
        }
        ensure!(beta.rx.holds(0, 4095, 0xee), "nothing before the buffer was touched");
        let mut after = [0; 2];
        beta.rx.read(4095 + 12_000, &mut after);
        let pattern = |place: usize| u8::try_from(place % 251).unwrap_or(0) ^ 0xee;
        ensure!(after == [pattern(16_095), pattern(16_096)], "nothing after the message was touched");
        Ok(())
    }),
    ..Scenario::IDLE
};

pub(super) const R10: Scenario = Scenario {
    name: "r10_carries_out_a_task_from_request_to_delivery",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let send = alpha.send(Actor::message(Role::Beta, 0, BYTES));
        ensure!(alpha.end_of(send)? == Status::Done, "the send is done");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.from_client.wake.arm();
        beta.post(0, 4096, None);
        beta.receive()?;
        Ok(())
    }),
    trace: Trace::Contains(&[
        "map alpha tx 0 holds alpha tx 0",
        "map beta rx 0 holds beta rx 0",
        "copy 100",
        "unmap alpha tx 0",
        "unmap beta rx 0",
        "signal beta",
    ]),
    ..Scenario::IDLE
};

pub(super) const R11: Scenario = Scenario {
    name: "r11_the_region_of_the_source_is_its_transmit_buffer",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let end = alpha.tx.bytes() as u64;
        let last = alpha.send(Actor::message(Role::Beta, end - 1, 1));
        ensure!(alpha.end_of(last)? == Status::Done, "the last byte is inside");
        for (position, length) in [(end, 1), (end - 1, 2), (0, u32::MAX), (u64::from(u32::MAX) * 4096, 1)] {
            let send = alpha.send(Actor::message(Role::Beta, position, length));
            let status = alpha.end_of(send)?;
            ensure!(matches!(status, Status::BadSource | Status::BadLength), "what lies outside is refused");
        }
        let empty = alpha.send(Actor::message(Role::Beta, end, 0));
        ensure!(alpha.end_of(empty)? == Status::Done, "an empty range at the end is inside");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 4096, Some(Role::Alpha));
        beta.post(0, 4096, Some(Role::Alpha));
        ensure!(beta.receive()?.length == 1, "the last byte arrives");
        ensure!(beta.receive()?.length == 0, "an empty message arrives");
        Ok(())
    }),
    trace: Trace::Begins(&[
        "map alpha tx 15 holds alpha tx 15",
        "map beta rx 0 holds beta rx 0",
        "copy 1",
        "unmap alpha tx 15",
        "unmap beta rx 0",
    ]),
    ..Scenario::IDLE
};

pub(super) const R12: Scenario = Scenario {
    name: "r12_the_region_of_the_target_is_its_receive_buffer",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let send = alpha.send(Actor::message(Role::Beta, 0, 1));
        ensure!(alpha.end_of(send)? == Status::Done, "the one good buffer is used");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        let end = beta.rx.bytes() as u64;
        let mut refused = [0; 3];
        for (request, (position, length)) in refused.iter_mut().zip([(end, 1), (end - 1, 2), (0, u32::MAX)]) {
            *request = beta.post(position, length, None);
        }
        beta.post(end - 1, 1, None);
        for request in refused {
            let answer = beta.receive()?;
            ensure!(answer.kind == DeliveryKind::Refused as u8, "what lies outside is refused");
            ensure!(answer.request == request, "the answer names the request");
        }
        let delivery = beta.receive()?;
        let place = delivery.place();
        ensure!(delivery.kind == DeliveryKind::Message as u8, "the last byte can be posted");
        ensure!((place.frame, place.offset) == (31, 4095), "and is where the message went");
        Ok(())
    }),
    ..Scenario::IDLE
};

pub(super) const R20: Scenario = Scenario {
    name: "r20_a_message_carries_a_source_and_a_destination_address",
    alpha: Some(|alpha: &mut Actor<'_>| {
        alpha.tx.fill(2 * 4096 + 10, BYTES as usize, 3);
        let message = Actor::message_to(Role::Beta, 6 * 4096 + 500, 2 * 4096 + 10, BYTES);
        // The window may not be open yet. Outside an open window every destination is bad.
        let mut status = Status::BadDestination;
        for _ in 0..1000 {
            let send = alpha.send(message);
            status = alpha.end_of(send)?;
            if status == Status::Done {
                break;
            }
            ensure!(status == Status::BadDestination, "an address outside a window is a bad destination");
            alpha.rest();
        }
        ensure!(status == Status::Done, "the address in the window is a good one");
        let outside = alpha.send(Actor::message_to(Role::Beta, 8 * 4096 - 1, 0, 2));
        ensure!(alpha.end_of(outside)? == Status::BadDestination, "one byte past the window is outside");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.open_window(6 * 4096, 2 * 4096, Role::Alpha);
        let delivery = beta.receive()?;
        ensure!(
            (delivery.place().frame, delivery.place().offset) == (6, 500),
            "it went where it was addressed to"
        );
        ensure!(beta.rx.holds(6 * 4096 + 500, BYTES as usize, 3), "the bytes are there");
        Ok(())
    }),
    trace: Trace::Contains(&["map alpha tx 2 holds alpha tx 2", "map beta rx 6 holds beta rx 6", "copy 100"]),
    ..Scenario::IDLE
};
