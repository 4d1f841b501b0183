//! Central's notes for its own restart: wherever the one that writes is stopped, no note is there without what it is about.
//!
//! A second thread plays the central that is started later. What orders its reading after the other's end is the kernel;
//! here that is a fence between reading the note and reading what it is about.

use ferry_layout::{
    Address, Delivery, DomainId, InRegion, Journal, OpenWindow, SEQUENCE_RANGE, Standing, Status,
};
use loom::sync::Arc;
use loom::sync::atomic::{Ordering, fence};
use loom::thread;

/// Runs `writer` on a fresh page, or part of one, prepared by `before`, and `reader` beside it.
///
/// Both ways round: loom leaves out executions that differ by what a thread of the first way does not depend on, and one
/// of the mutations is found only in the second.
fn beside<P: Default + Send + Sync + 'static>(before: fn(&P), writer: fn(&P), reader: fn(&P)) {
    for (here, there) in [(reader, writer), (writer, reader)] {
        // Three preemptions reach every place between two stores and every place between two looks.
        crate::check(Some(3), move || {
            let page = Arc::new(P::default());
            before(&page);
            let other = thread::spawn({
                let page = Arc::clone(&page);
                move || there(&page)
            });
            here(&page);
            other.join().unwrap();
        });
    }
}

fn peer() -> DomainId {
    DomainId::new(1).unwrap()
}

#[test]
fn what_is_acknowledged_has_its_status() {
    beside(
        |_: &InRegion| (),
        |into| {
            into.status(0).set_delivered(0, peer(), SEQUENCE_RANGE);
            into.journal.acknowledge(peer(), 1);
        },
        |into| {
            if into.journal.acknowledged(peer()) == 1 {
                fence(Ordering::Acquire);
                assert_eq!(into.status(0).get(0), Some(Status::Done), "the status would never be written");
            }
        },
    );
}

#[test]
fn what_is_consumed_was_delivered() {
    beside(
        |_: &InRegion| (),
        |into| {
            into.deliveries.store(0, Delivery { tag: 5, length: 7, ..Delivery::default() });
            into.delivery_tail.publish(1);
            into.journal.consume(0);
        },
        |into| {
            if into.journal.is_consumed(0) {
                fence(Ordering::Acquire);
                assert_eq!(into.delivery_tail.observe(), 1, "the buffer would never come back");
                let delivery: Delivery = into.deliveries.load(0);
                assert_eq!((delivery.tag, delivery.length), (5, 7));
            }
        },
    );
}

const OLD: OpenWindow = OpenWindow { request: 1, place: Address { frame: 1, offset: 1 }, length: 1, from: 1 };
const NEW: OpenWindow = OpenWindow { request: 2, place: Address { frame: 2, offset: 2 }, length: 2, from: 2 };

#[test]
fn a_closed_window_has_its_answer() {
    beside(
        |into: &InRegion| into.journal.set_window(0, Some(OLD)),
        |into| {
            into.delivery_tail.publish(1);
            into.journal.set_window(0, None);
        },
        |into| {
            if into.journal.window(0).is_none() {
                fence(Ordering::Acquire);
                assert_eq!(into.delivery_tail.observe(), 1, "the window is gone and nobody was told");
            }
        },
    );
}

#[test]
fn a_window_is_the_old_one_or_none_or_the_new_one() {
    beside(
        |journal: &Journal| journal.set_window(0, Some(OLD)),
        |journal| journal.set_window(0, Some(NEW)),
        |journal| {
            // The first look may fall between two stores. Of what it saw, everything older is there at the second.
            let first = journal.window(0);
            fence(Ordering::Acquire);
            let second = journal.window(0);
            if first.is_some_and(|window| window.request == NEW.request) {
                assert_eq!(second, Some(NEW), "valid before it was whole");
            } else if first != Some(OLD) {
                let is_old = second.is_some_and(|window| window.request == OLD.request);
                assert!(!is_old, "valid after it was overwritten: {first:?}, {second:?}");
            }
        },
    );
}

#[test]
fn a_standing_is_not_ahead_of_what_it_begins_with() {
    beside(
        |into: &InRegion| {
            into.delivery_tail.publish(1);
            into.set_standing(Standing::Quarantined);
        },
        |into| {
            into.delivery_tail.publish(0);
            into.set_standing(Standing::Open);
        },
        |into| {
            if into.standing() == Standing::Open {
                fence(Ordering::Acquire);
                assert_eq!(into.delivery_tail.observe(), 0);
            }
        },
    );
}
