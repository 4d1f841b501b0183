//! Central's notes for its own restart: wherever the central that writes is stopped, a note is never there
//! without what it is about.
//!
//! A second thread plays the central that is started later. On a real system the kernel orders its reads
//! after the end of the first central. Here a fence between reading a note and reading what it is about does
//! that.

use ferry_layout::{Delivery, DomainId, InRegion, SEQUENCE_RANGE, Standing, Status};
use loom::sync::Arc;
use loom::sync::atomic::{Ordering, fence};
use loom::thread;

/// Prepares a fresh page, or part of one, with `before`, and runs `writer` and `reader` on it beside each
/// other.
///
/// Each of the two is once the spawned thread. Loom leaves out executions that differ only in what the
/// spawned thread does not depend on, and one of the mutations is found only in the second way.
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
        |to_client| {
            to_client.status(0).set_delivered(0, peer(), SEQUENCE_RANGE);
            to_client.journal.acknowledge(peer(), 1);
        },
        |to_client| {
            if to_client.journal.acknowledged(peer()) == 1 {
                fence(Ordering::Acquire);
                assert_eq!(
                    to_client.status(0).get(0),
                    Some(Status::Done),
                    "the status would never be written"
                );
            }
        },
    );
}

/// Central has used up the request in slot 0. It writes that down in the order of `settle.rs`: delivery,
/// journal, post head.
#[test]
fn what_is_held_no_more_was_delivered() {
    beside(
        |to_client: &InRegion| to_client.journal.set_open([1, 0], [0, 0]),
        |to_client| {
            to_client.deliveries.store(0, Delivery { tag: 5, length: 7, ..Delivery::default() });
            to_client.delivery_tail.publish(1);
            to_client.journal.set_open([0, 0], [1, 0]);
        },
        |to_client| {
            if to_client.journal.open() == [0, 0] {
                fence(Ordering::Acquire);
                assert_eq!(to_client.delivery_tail.observe(), 1, "the buffer would never come back");
                let delivery: Delivery = to_client.deliveries.load(0);
                assert_eq!((delivery.tag, delivery.length), (5, 7));
            }
        },
    );
}

/// The slots lie in both words of the journal, and one of them was in use before.
#[test]
fn what_the_post_head_has_passed_is_noted() {
    beside(
        |to_client: &InRegion| to_client.journal.set_open([1, 0], [0, 0]),
        |to_client| {
            to_client.delivery_tail.publish(1);
            to_client.journal.set_open([2, 1], [1, 0]);
            to_client.post_head.publish(2);
        },
        |to_client| {
            if to_client.post_head.observe() == 2 {
                assert_eq!(to_client.journal.open(), [2, 1], "a request would be lost, or used up twice");
            }
        },
    );
}

/// When the deliveries are settled, only the post head says which requests are used up.
#[test]
fn what_is_settled_is_behind_the_post_head_and_acknowledged() {
    beside(
        |_: &InRegion| (),
        |to_client| {
            to_client.delivery_tail.publish(1);
            to_client.post_head.publish(1);
            to_client.journal.acknowledge(peer(), 1);
            to_client.settled.publish(1);
        },
        |to_client| {
            if to_client.settled.observe() == 1 {
                assert_eq!(to_client.post_head.observe(), 1, "the buffer would be filled again");
                assert_eq!(to_client.journal.acknowledged(peer()), 1, "a status would be written twice");
            }
        },
    );
}

/// One send is queued and one has expired: central stores their statuses, then the head.
#[test]
fn what_the_head_has_passed_has_a_status() {
    beside(
        |_: &InRegion| (),
        |to_client| {
            to_client.status(0).set(0, Status::Queued);
            to_client.status(1).set(1, Status::Expired);
            to_client.transmit_head.publish(2);
        },
        |to_client| {
            if to_client.transmit_head.observe() == 2 {
                let stands = [to_client.status(0).latest(), to_client.status(1).latest()];
                assert_eq!(stands, [(0, Status::Queued), (1, Status::Expired)], "a send would be forgotten");
            }
        },
    );
}

#[test]
fn a_standing_is_not_ahead_of_what_it_begins_with() {
    beside(
        |to_client: &InRegion| {
            to_client.delivery_tail.publish(1);
            to_client.set_standing(Standing::Quarantined);
        },
        |to_client| {
            to_client.delivery_tail.publish(0);
            to_client.set_standing(Standing::Open);
        },
        |to_client| {
            if to_client.standing() == Standing::Open {
                fence(Ordering::Acquire);
                assert_eq!(to_client.delivery_tail.observe(), 0);
            }
        },
    );
}
