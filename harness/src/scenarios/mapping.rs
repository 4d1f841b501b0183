//! What central maps, for how long, and that nothing stays mapped.

use ferry_layout::{Descriptor, Status, flags};

use crate::actor::Actor;
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Ending, Fault, Scenario, Trace, WitnessAct};

/// Number of frames of each transmit buffer of the test systems.
const FRAMES: u32 = 16;
/// Number of frames of beta's receive buffer.
const RECEIVE_FRAMES: u32 = 32;

pub(super) const R05: Scenario = Scenario {
    name: "r05_maps_exactly_the_frames_of_the_senders_bytes",
    alpha: Some(|alpha: &mut Actor<'_>| {
        // From the middle of frame 2 to the middle of frame 4.
        let send = alpha.send(Actor::message(Role::Beta, 2 * 4096 + 100, 8192));
        ensure!(alpha.end_of(send)? == Status::Done, "the send is done");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 8192, None);
        beta.receive()?;
        Ok(())
    }),
    trace: Trace::Begins(&[
        "map alpha tx 2 holds alpha tx 2",
        "map alpha tx 3 holds alpha tx 3",
        "map alpha tx 4 holds alpha tx 4",
        "map beta rx 0 holds beta rx 0",
        "map beta rx 1 holds beta rx 1",
        "copy 8192",
    ]),
    ..Scenario::IDLE
};

pub(super) const R06: Scenario = Scenario {
    name: "r06_maps_exactly_the_frames_of_the_receivers_bytes",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let send = alpha.send(Actor::message(Role::Beta, 0, 4097));
        ensure!(alpha.end_of(send)? == Status::Done, "the send is done");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        // The buffer spans five frames. The message fills bytes of two of them.
        beta.post(7 * 4096, 5 * 4096, None);
        beta.receive()?;
        Ok(())
    }),
    trace: Trace::Begins(&[
        "map alpha tx 0 holds alpha tx 0",
        "map alpha tx 1 holds alpha tx 1",
        "map beta rx 7 holds beta rx 7",
        "map beta rx 8 holds beta rx 8",
        "copy 4097",
    ]),
    ..Scenario::IDLE
};

pub(super) const R19: Scenario = Scenario {
    name: "r19_a_touch_of_the_window_after_the_transfer_faults",
    alpha: Some(|alpha: &mut Actor<'_>| {
        alpha.send(Actor::message(Role::Beta, 0, 100));
        alpha.wait(|alpha| alpha.status(0) == Some(Status::Done))?;
        alpha.rest();
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 4096, None);
        Ok(())
    }),
    witness: WitnessAct::AfterTransfer,
    trace: Trace::Contains(&["copy 100", "unmap alpha tx 0", "unmap beta rx 0"]),
    fault: Some(Fault { domain: "central", kind: "read" }),
    ending: Ending::By(Role::Alpha),
    ..Scenario::IDLE
};

pub(super) const R19_AGAIN: Scenario = Scenario {
    name: "r19_what_was_unmapped_can_be_mapped_again",
    alpha: Some(|alpha: &mut Actor<'_>| {
        for seed in 0..8 {
            alpha.tx.fill(0, 512, seed);
            let send = alpha.send(Actor::message(Role::Beta, 0, 512));
            ensure!(alpha.end_of(send)? == Status::Done, "each send is done");
        }
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        for seed in 0..8 {
            beta.post(0, 4096, None);
            beta.receive()?;
            ensure!(beta.rx.holds(0, 512, seed), "each mapping shows the bytes of its time");
        }
        Ok(())
    }),
    witness: WitnessAct::Census,
    ..Scenario::IDLE
};

pub(super) const R23: Scenario = Scenario {
    name: "r23_maps_all_of_the_senders_transmit_buffer",
    alpha: Some(|alpha: &mut Actor<'_>| {
        alpha.tx.fill(0, 15 * 4096, 9);
        let send = alpha.send(Actor::message(Role::Beta, 0, FRAMES * 4096));
        ensure!(alpha.end_of(send)? == Status::Done, "the whole buffer is sent");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, FRAMES * 4096, None);
        ensure!(beta.receive()?.length == FRAMES * 4096, "the whole buffer arrives");
        ensure!(beta.rx.holds(0, 15 * 4096, 9), "byte for byte");
        Ok(())
    }),
    trace: Trace::Contains(&[
        "map alpha tx 0 holds no stamp",
        "map alpha tx 14 holds no stamp",
        "map alpha tx 15 holds alpha tx 15",
        "copy 65536",
        "unmap alpha tx 0",
        "unmap alpha tx 15",
    ]),
    ..Scenario::IDLE
};

pub(super) const R24: Scenario = Scenario {
    name: "r24_maps_all_of_the_receivers_receive_buffer",
    alpha: Some(|alpha: &mut Actor<'_>| {
        for _ in 0..RECEIVE_FRAMES {
            let send = alpha.send(Actor::message(Role::Beta, 0, 8));
            ensure!(alpha.end_of(send)? == Status::Done, "each is done");
        }
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        ensure!(beta.rx.bytes() == RECEIVE_FRAMES as usize * 4096, "beta_rx has 32 frames");
        for frame in 0..u64::from(RECEIVE_FRAMES) {
            beta.post(frame * 4096, 4096, None);
            ensure!(u64::from(beta.receive()?.place().frame) == frame, "every frame can receive");
        }
        Ok(())
    }),
    trace: Trace::Contains(&[
        "map beta rx 0 holds beta rx 0",
        "map beta rx 15 holds beta rx 15",
        "map beta rx 31 holds beta rx 31",
    ]),
    ..Scenario::IDLE
};

pub(super) const R28: Scenario = Scenario {
    name: "r28_removes_the_mappings_for_every_number_of_frames",
    alpha: Some(|alpha: &mut Actor<'_>| {
        for frames in 0..=FRAMES {
            let send = alpha.send(Actor::message(Role::Beta, 0, frames * 4096));
            ensure!(alpha.end_of(send)? == Status::Done, "each is done");
        }
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        for frames in 0..=FRAMES {
            beta.post(0, FRAMES * 4096, None);
            ensure!(beta.receive()?.length == frames * 4096, "each arrives");
        }
        Ok(())
    }),
    // After each transfer the witness asks the kernel about every frame of every client.
    witness: WitnessAct::Census,
    trace: Trace::Contains(&[
        "copy 4096",
        "copy 65536",
        "unmap beta rx 15",
        "census of all frames found none mapped",
    ]),
    ..Scenario::IDLE
};

pub(super) const R28_CHAINS: Scenario = Scenario {
    name: "r28_removes_the_mappings_of_chained_messages",
    alpha: Some(|alpha: &mut Actor<'_>| {
        for parts in 2..=16 {
            let mut last = 0;
            for part in 0..parts {
                let chained = if part + 1 < parts { flags::CHAINED } else { 0 };
                let message = Actor::message(Role::Beta, u64::from(part) * 4096 + 4000, 90);
                last = alpha.store(Descriptor { flags: chained, ..message });
            }
            alpha.from_client.transmit_tail.publish(last.wrapping_add(1));
            alpha.flush();
            for part in 0..parts {
                let status = alpha.end_of(last.wrapping_sub(part))?;
                ensure!(status == Status::Done, "every part of the chain is done");
            }
        }
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        for parts in 2..=16_u32 {
            beta.post(4090, 2000, None);
            ensure!(beta.receive()?.length == parts * 90, "the parts arrive as one message");
        }
        Ok(())
    }),
    witness: WitnessAct::Census,
    trace: Trace::Contains(&["copy 90", "unmap alpha tx 1", "census of all frames found none mapped"]),
    ..Scenario::IDLE
};

pub(super) const R28_TOUCH: Scenario = Scenario {
    name: "r28_a_touch_after_a_chained_message_faults",
    alpha: Some(|alpha: &mut Actor<'_>| {
        alpha.store(Descriptor { flags: flags::CHAINED, ..Actor::message(Role::Beta, 0, 8192) });
        alpha.send(Actor::message(Role::Beta, 3 * 4096, 4096));
        alpha.wait(|alpha| alpha.status(1) == Some(Status::Done))?;
        alpha.rest();
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, FRAMES * 4096, None);
        Ok(())
    }),
    witness: WitnessAct::AfterTransfer,
    trace: Trace::Contains(&["copy 8192", "copy 4096", "unmap alpha tx 3"]),
    fault: Some(Fault { domain: "central", kind: "read" }),
    ending: Ending::By(Role::Alpha),
    ..Scenario::IDLE
};
