//! The work of a turn becomes visible in one place and in one order: frames are unmapped first (guarantee 5),
//! and everything shows once (guarantee 3). That holds even when the receiver asks for an answer in the
//! middle of the turn.
//!
//! The receiver is mallory, because it runs in the middle of central's work, but here it is honest. While the
//! first of gamma's messages is copied, mallory posts more buffers, withdraws a window, and makes a request
//! that is to be refused. Central finds all of this in the same turn. An answer goes into the receive queue
//! behind the deliveries of the turn, so publishing it at once would publish them too. The witness checks
//! that no client sees anything before the frames are unmapped.

use ferry_layout::{Address, DeliveryKind, Descriptor, Post, Status, flags};

use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Fault, Feature, Moment, Scenario, Trace, WitnessAct};

/// Number of batches, and of messages in each.
const BATCHES: u32 = 5;
const BATCH: u32 = 6;
/// Bytes of a message and of a buffer.
const LENGTH: u32 = 900;
/// Buffers that are open before the batch is sent.
const EARLY: u32 = 2;
/// Number of answers: one request refused, one window withdrawn.
const ANSWERS: u32 = 2;

/// Sends each batch when mallory asks for it.
fn send_batches(gamma: &mut Actor<'_>) -> Result<(), Clue> {
    gamma.tx.flood(1);
    for batch in 0..BATCHES {
        gamma.post(0, 1, Some(Role::Mallory));
        gamma.receive()?;
        let mut last = 0;
        for number in 0..BATCH {
            let tag = u64::from(batch * BATCH + number);
            // Every other message has two parts, because such messages take another path through central. On
            // that path central looks for buffers that were posted meanwhile.
            let parts = 2 - number % 2;
            for part in 1..=parts {
                let chained = if part < parts { flags::CHAINED } else { 0 };
                let message = Actor::message(Role::Mallory, 0, LENGTH / parts);
                last = gamma.store(Descriptor { tag, flags: chained, ..message });
            }
        }
        gamma.publish_sends();
        for age in 0..BATCH / 2 * 3 {
            ensure!(gamma.end_of(last.wrapping_sub(age))? == Status::Done, "each of the batch is done");
        }
    }
    Ok(())
}

/// The place of one of mallory's buffers.
fn place(number: u32) -> u64 {
    u64::from(number + 1) * 4096
}

/// Asks for a batch, makes the requests while the batch is on its way, and takes all that arrives.
fn ask_in_the_middle(mallory: &mut Actor<'_>, _: u32) -> Result<bool, Clue> {
    if !mallory.is_in() {
        return Ok(false);
    }
    // Notes: the window's request plus one; batches; messages of this batch; the answers plus one, or 0
    // before the requests are made.
    let [window, batch, _, asked] = mallory.notes;
    let Some(window) = window.checked_sub(1) else {
        mallory.rx.flood(0);
        let window = mallory.open_window(0, 4096, Role::Gamma);
        for number in 0..EARLY {
            mallory.post(place(number), LENGTH, None);
        }
        mallory.send(Actor::message(Role::Gamma, 0, 0));
        mallory.notes = [window + 1, batch, 0, 0];
        return Ok(false);
    };
    if asked == 0 && mallory.rx.each(4096, 1, |_, byte| byte != 0) {
        for number in EARLY..BATCH {
            let place = Address::at(place(number)).unwrap_or_default();
            mallory.store_request(Post { place, length: LENGTH, from: Post::ANYONE, ..Post::default() });
        }
        mallory.store_request(Post { kind: 0xff, ..Post::default() });
        mallory.publish_requests();
        mallory.withdraw(window);
        mallory.notes[3] = 1;
    }
    while let Some(delivery) = mallory.poll() {
        let [_, _, messages, asked] = &mut mallory.notes;
        if delivery.kind == DeliveryKind::Message as u8 {
            let number = u64::from(batch * BATCH + *messages);
            ensure!(
                (delivery.tag, delivery.sequence, delivery.length) == (number, number, LENGTH),
                "nothing is lost and nothing comes twice"
            );
            *messages += 1;
        } else {
            let is_windows = delivery.request == window;
            let answer = if is_windows { DeliveryKind::Withdrawn } else { DeliveryKind::Refused };
            ensure!(delivery.kind == answer as u8, "a request is answered as it asks for");
            *asked += 1;
        }
    }
    let [_, _, messages, asked] = mallory.notes;
    ensure!(messages <= BATCH && asked <= 1 + ANSWERS, "each once");
    if messages == BATCH && asked == 1 + ANSWERS {
        mallory.notes = [0, batch + 1, 0, 0];
    }
    Ok(mallory.notes == [0, BATCHES, 0, 0])
}

pub(super) const T130: Scenario = Scenario {
    name: "t130_answers_in_the_middle_of_a_turn_show_nothing_that_is_mapped",
    gamma: Some(send_batches),
    mallory: Some(ask_in_the_middle),
    witness: WitnessAct::Census,
    trace: Trace::Contains(&["copy 900", "unmap gamma tx 0", "unmap mallory rx 1"]),
    ..Scenario::IDLE
};

/// Central is stopped in the first batch.
const STOPPED: Scenario = Scenario {
    fault: Some(Fault { domain: "central", kind: "read" }),
    restarts: &[("central", 1)],
    needs: &[Feature::Restarts],
    console: &["ferry: restart domain=central number=1"],
    ..T130
};

pub(super) const T131: Scenario = Scenario {
    name: "t131_central_restarts_when_answers_are_due_and_messages_are_copied",
    witness: WitnessAct::Crash(Moment::Copied(4)),
    ..STOPPED
};

pub(super) const T131_UNMAPPED: Scenario = Scenario {
    name: "t131_central_restarts_when_answers_are_due_and_frames_are_unmapped",
    witness: WitnessAct::Crash(Moment::Unmapped(2)),
    ..STOPPED
};

pub(super) const T131_DELIVERED: Scenario = Scenario {
    name: "t131_central_restarts_when_answers_are_due_and_messages_are_delivered",
    witness: WitnessAct::Crash(Moment::Delivered(1)),
    ..STOPPED
};
