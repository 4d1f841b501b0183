//! What the sender and the receiver see: statuses, and entries of the receive queue.

use ferry_client::{Event, Message, Outgoing};
use ferry_layout::{DeliveryKind, Descriptor, Post, Standing, Status};

use super::requests::{await_sign, relay};
use crate::actor::Actor;
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::Scenario;

pub(super) const R15: Scenario = Scenario {
    name: "r15_the_status_field_says_when_the_transfer_is_complete",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let send = alpha.send(Actor::message(Role::Beta, 0, 100));
        alpha.until_queued(send)?;
        alpha.rest();
        ensure!(alpha.status(send) == Some(Status::Queued), "as long as it waits the status says so");
        alpha.send(Actor::message(Role::Gamma, 0, 0));
        ensure!(alpha.end_of(send)? == Status::Done, "when it is complete the status says so");
        ensure!(alpha.status(send.wrapping_add(128)).is_none(), "and says nothing of the slot's next use");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        await_sign(beta)?;
        beta.post(0, 4096, Some(Role::Alpha));
        beta.receive()?;
        Ok(())
    }),
    gamma: Some(relay),
    ..Scenario::IDLE
};

pub(super) const R16: Scenario = Scenario {
    name: "r16_the_sender_removes_the_entry_when_it_sees_the_status",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let (mut port, transmit, _) = alpha.port()?;
        let (Some(buffer), Some(beta)) = (transmit.split::<1>(4096).pop(), port.peer("beta")) else {
            ensure!(false, "alpha has a buffer and a flow to beta");
            return Ok(());
        };
        ensure!(port.send(beta, buffer, 10, Message::tagged(1)).is_ok(), "there is room");
        ensure!((port.outstanding(), port.room()) == (1, 127), "the entry is in the queue");
        port.flush();
        alpha.wait(|_| port.status(0).is_some_and(Status::is_final))?;
        let done = port.reap();
        ensure!(done.is_some_and(|done| (done.status, done.tag) == (Status::Done, 1)), "it comes back, done");
        ensure!((port.outstanding(), port.room()) == (0, 128), "and has left the queue");
        ensure!(port.reap().is_none(), "once");
        alpha.restart()
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 4096, None);
        beta.receive()?;
        Ok(())
    }),
    ..Scenario::IDLE
};

/// Messages that are under way at a time, and how often each buffer is sent.
const UNDER_WAY: usize = 8;
const TIMES: usize = 4;
const ALL: u64 = (UNDER_WAY * TIMES) as u64;

pub(super) const R16_EACH: Scenario = Scenario {
    name: "r16_entries_are_removed_all_at_once_and_their_buffers_used_again",
    alpha: Some(|alpha: &mut Actor<'_>| {
        alpha.post(0, 1, Some(Role::Beta));
        alpha.receive()?;
        let (mut port, transmit, _) = alpha.port()?;
        let Some(peer) = port.peer("beta") else {
            ensure!(false, "alpha has a flow to beta");
            return Ok(());
        };
        for (tag, buffer) in (0..).zip(transmit.split::<UNDER_WAY>(4096)) {
            ensure!(port.send(peer, buffer, 10, Message::tagged(tag)).is_ok(), "there is room");
        }
        let (mut next, mut in_order) = (0, true);
        alpha.wait(|_| {
            port.flush();
            let sent = port.reap_each(|done| {
                in_order &= (done.status, done.tag) == (Status::Done, next);
                next += 1;
                let message = Message::tagged(done.tag + UNDER_WAY as u64);
                let again = Outgoing { peer, buffer: done.buffer, length: 10, message };
                Some(again).filter(|again| again.message.tag < ALL)
            });
            in_order &= sent.is_ok();
            next == ALL
        })?;
        ensure!(in_order, "all come back, done and in order");
        ensure!((port.outstanding(), port.room()) == (0, 128), "and have left the queue");
        alpha.restart()
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        let (mut port, transmit, receive) = beta.port()?;
        for buffer in receive.split::<UNDER_WAY>(4096) {
            ensure!(port.post(buffer, None).is_ok(), "there is room");
        }
        let (Some(sign), Some(alpha)) = (transmit.split::<1>(1).pop(), port.peer("alpha")) else {
            ensure!(false, "beta has a buffer and a flow to alpha");
            return Ok(());
        };
        ensure!(port.send(alpha, sign, 0, Message::default()).is_ok(), "there is room");
        let (mut next, mut in_order) = (0, true);
        beta.wait(|_| {
            port.flush();
            let taken = port.receive_each(|event| {
                let Event::Message { buffer, length, tag, .. } = event else {
                    in_order = false;
                    return None;
                };
                in_order &= (length, tag) == (10, next);
                next += 1;
                Some(buffer)
            });
            in_order &= taken.is_ok();
            next == ALL
        })?;
        ensure!(in_order, "all arrive, in order");
        beta.restart()
    }),
    ..Scenario::IDLE
};

pub(super) const R17: Scenario = Scenario {
    name: "r17_an_entry_in_the_receive_queue_says_what_has_arrived",
    alpha: Some(|alpha: &mut Actor<'_>| {
        alpha.send(Descriptor { tag: 0xfeed, ..Actor::message(Role::Beta, 0, 33) });
        alpha.send(Descriptor { tag: 0xbeef, ..Actor::message(Role::Beta, 0, 44) });
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(64, 100, Some(Role::Alpha));
        beta.post(5000, 100, Some(Role::Alpha));
        for (number, (tag, place, length)) in (0..).zip([(0xfeed, (0, 64), 33), (0xbeef, (1, 904), 44)]) {
            let entry = beta.receive()?;
            ensure!(entry.kind == DeliveryKind::Message as u8, "it is a message");
            ensure!(entry.source == Role::Alpha.number(), "central names the sender");
            ensure!((entry.tag, entry.sequence) == (tag, number), "tag and number are right");
            ensure!((entry.place().frame, entry.place().offset) == place, "place is right");
            ensure!(entry.length == length, "length is right");
        }
        Ok(())
    }),
    ..Scenario::IDLE
};

pub(super) const R25_SENDER: Scenario = Scenario {
    name: "r25_each_fault_of_the_sender_has_its_status",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let end = alpha.tx.bytes() as u64;
        let good = Actor::message(Role::Beta, 0, 1);
        for (descriptor, status) in [
            (Descriptor { target: 7, ..good }, Status::NoTarget),
            (Descriptor { target: u16::MAX, ..good }, Status::NoTarget),
            (Descriptor { target: Role::Alpha.number(), ..good }, Status::Denied),
            (Actor::message(Role::Beta, end, 1), Status::BadSource),
            (Actor::message_to(Role::Beta, 0, 0, 1), Status::BadDestination),
            (Descriptor { kind: 9, ..good }, Status::Malformed),
            (Descriptor { flags: 0x40, ..good }, Status::Malformed),
            (Descriptor { time_to_live: 2, ..good }, Status::Expired),
        ] {
            let send = alpha.send(descriptor);
            ensure!(alpha.end_of(send)? == status, "the status is the one for this fault");
        }
        // Gamma has buffers open by now. The frames are mapped for the first message, but the second is
        // longer than the flow allows.
        let first = alpha.store(Actor::message(Role::Gamma, 100, 8192));
        let second = alpha.send(Actor::message(Role::Gamma, 0, 8193));
        ensure!(alpha.end_of(second)? == Status::BadLength, "the flow's length counts, not the buffer's");
        ensure!(alpha.end_of(first)? == Status::Done, "what it allows arrives");
        Ok(())
    }),
    gamma: Some(|gamma: &mut Actor<'_>| {
        gamma.post(8192 + 100, 8192, Some(Role::Alpha));
        gamma.post(8192, 3 * 4096, Some(Role::Alpha));
        let send = gamma.send(Actor::message(Role::Alpha, 0, 1));
        ensure!(gamma.end_of(send)? == Status::Denied, "there is no flow from gamma to alpha");
        Ok(())
    }),
    ..Scenario::IDLE
};

pub(super) const R25_TOO_LONG: Scenario = Scenario {
    name: "r25_too_long_for_the_posted_buffer",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let long = alpha.send(Actor::message(Role::Beta, 0, 17));
        let fits = alpha.send(Actor::message(Role::Beta, 0, 16));
        ensure!(alpha.end_of(long)? == Status::TooLong, "one byte too many");
        ensure!(alpha.end_of(fits)? == Status::Done, "the buffer was still there");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 16, Some(Role::Alpha));
        ensure!(beta.receive()?.length == 16, "only what fits arrives");
        Ok(())
    }),
    ..Scenario::IDLE
};

pub(super) const R25_PEER_RESET: Scenario = Scenario {
    name: "r25_a_target_that_restarts_resets_what_waits_for_it",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let send = alpha.send(Actor::message(Role::Beta, 0, 100));
        alpha.until_queued(send)?;
        alpha.send(Actor::message(Role::Gamma, 0, 0));
        ensure!(alpha.end_of(send)? == Status::PeerReset, "the waiting send is ended");
        let send = alpha.send(Actor::message(Role::Beta, 0, 100));
        ensure!(alpha.end_of(send)? == Status::Done, "the restarted client receives");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        await_sign(beta)?;
        beta.restart()?;
        beta.post(0, 4096, Some(Role::Alpha));
        beta.receive()?;
        Ok(())
    }),
    gamma: Some(relay),
    ..Scenario::IDLE
};

pub(super) const R25_QUARANTINED: Scenario = Scenario {
    name: "r25_a_target_in_quarantine_ends_what_waits_for_it",
    alpha: Some(|alpha: &mut Actor<'_>| {
        let send = alpha.send(Actor::message(Role::Beta, 0, 100));
        alpha.until_queued(send)?;
        alpha.send(Actor::message(Role::Gamma, 0, 0));
        ensure!(alpha.end_of(send)? == Status::Quarantined, "the waiting send is ended");
        let send = alpha.send(Actor::message(Role::Beta, 0, 100));
        ensure!(alpha.end_of(send)? == Status::Quarantined, "a later one as well, whatever lies open");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        await_sign(beta)?;
        // A tail that claims more entries than the ring has room for.
        beta.from_client.transmit_tail.publish(1000);
        // The request is published without a signal, because a signal would make central serve what waits.
        let request = beta.store_request(Post { length: 100, from: Post::ANYONE, ..Post::default() });
        beta.from_client.post_tail.publish(request.wrapping_add(1));
        beta.ring();
        beta.until(Standing::Quarantined)?;
        for _ in 0..10 {
            beta.rest();
        }
        // A new epoch lets beta in again, so that it can tell the umpire.
        beta.restart()?;
        ensure!(beta.to_client.standing() == Standing::Open, "it is let in again");
        Ok(())
    }),
    gamma: Some(relay),
    ..Scenario::IDLE
};

pub(super) const R26: Scenario = Scenario {
    name: "r26_a_finished_message_leaves_the_queue_and_its_slot_is_reusable",
    alpha: Some(|alpha: &mut Actor<'_>| {
        // Four laps of the ring, in batches that fill it.
        for batch in 0..4_u32 {
            for slot in 0..128_u32 {
                alpha.store(Descriptor {
                    tag: u64::from(batch * 128 + slot),
                    ..Actor::message(Role::Beta, u64::from(slot) * 8, 8)
                });
            }
            let tail = (batch + 1) * 128;
            alpha.from_client.transmit_tail.publish(tail);
            alpha.flush();
            alpha.wait(|alpha| alpha.to_client.transmit_head.observe() == tail)?;
            ensure!(alpha.end_of(tail - 1)? == Status::Done, "the last of the batch is done");
        }
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        for tag in 0..512 {
            beta.post(0, 64, Some(Role::Alpha));
            ensure!(beta.receive()?.tag == tag, "all arrive, once, in order");
        }
        Ok(())
    }),
    ..Scenario::IDLE
};

pub(super) const R27: Scenario = Scenario {
    name: "r27_stores_a_message_in_the_receivers_queue",
    alpha: Some(|alpha: &mut Actor<'_>| {
        for tag in 0..300 {
            let send = alpha.send(Descriptor { tag, ..Actor::message(Role::Beta, 0, 4) });
            ensure!(alpha.end_of(send)? == Status::Done, "each is done");
        }
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        // More than two laps of the receive queue. Central writes it through its own mapping, and stops while
        // it is full.
        for place in 0..100 {
            beta.post(place * 8, 8, Some(Role::Alpha));
        }
        for tag in 0..300 {
            let entry = beta.receive()?;
            ensure!((entry.tag, entry.sequence) == (tag, tag), "every entry is there, in order");
            beta.post(u64::from(entry.place().offset), 8, Some(Role::Alpha));
        }
        Ok(())
    }),
    ..Scenario::IDLE
};
