//! Wake-ups: a side that sleeps is signalled about everything published, in both directions.

use ferry_layout::{Consumer, InRegion, Index, Producer, Status, WakeHint, announce};
use loom::sync::{Arc, Notify};
use loom::thread;

/// Central sleeps in the way of `Engine::arm`: it arms the hint and looks once more. The client announces one
/// entry.
#[test]
fn a_client_that_publishes_is_seen_or_signals() {
    crate::check(None, || {
        let shared = Arc::new((Index::default(), WakeHint::default()));
        let client = thread::spawn({
            let shared = Arc::clone(&shared);
            move || announce(&shared.0, 1, &shared.1)
        });
        let (tail, hint) = &*shared;
        hint.disarm();
        hint.arm();
        let seen = tail.observe() == 1;
        let signalled = client.join().unwrap();
        assert!(seen || signalled, "no signal for an entry that central has not seen");
    });
}

/// The client sleeps in the way of `Port::arm`: it arms the hint, then looks at the head, at ended late, and
/// at its deliveries. It knows that central holds send 0. Central publishes a whole turn in the order of
/// `settle.rs`, and then asks for the hint once, as `Engine::signal` does.
#[test]
fn ends_and_deliveries_are_seen_or_signalled() {
    crate::check(None, || {
        let shared = Arc::new((crate::page::<InRegion>(), WakeHint::default()));
        shared.0.status(0).set(0, Status::Queued);
        shared.0.transmit_head.publish(1);
        let central = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let (to_client, hint) = &*shared;
                to_client.delivery_tail.publish(1);
                to_client.status(0).set(0, Status::Done);
                to_client.status(1).set(1, Status::Done);
                to_client.ended_late.publish(1);
                to_client.transmit_head.publish(2);
                hint.asks_for_signal()
            }
        });
        let (to_client, hint) = &*shared;
        hint.arm();
        let taken = to_client.transmit_head.observe() == 2;
        if taken {
            assert_eq!(
                to_client.status(1).ended(),
                Some(Status::Done),
                "the head has passed it, and it is not held"
            );
        }
        let late = to_client.ended_late.observe() == 1;
        if late {
            assert_eq!(
                to_client.status(0).get(0),
                Some(Status::Done),
                "ended late was counted before the status was visible"
            );
        }
        let delivered = to_client.delivery_tail.observe() == 1;
        let signalled = central.join().unwrap();
        assert!(taken || signalled, "no signal for a send that ended");
        assert!(late || signalled, "no signal for a held send that ended");
        assert!(delivered || signalled, "no signal for a delivery");
    });
}

/// Both directions over several sleeps. The client sleeps while its ring of one slot is full, and central
/// sleeps while the ring is empty. A lost wake-up leaves both asleep, and loom reports that as a deadlock.
#[test]
fn two_that_sleep_and_wake_each_other_come_to_an_end() {
    const ENTRIES: u32 = 2;
    // Without a bound this takes minutes and finds no more.
    crate::check(Some(3), || {
        struct Shared {
            tail: Index,
            head: Index,
            central_sleeps: WakeHint,
            client_sleeps: WakeHint,
            central: Notify,
            client: Notify,
        }
        let shared = Arc::new(Shared {
            tail: Index::default(),
            head: Index::default(),
            central_sleeps: WakeHint::default(),
            client_sleeps: WakeHint::default(),
            central: Notify::new(),
            client: Notify::new(),
        });
        shared.central_sleeps.arm();
        let client = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let mut ring = Producer::<1>::new(0);
                while ring.next() < ENTRIES {
                    ring.refresh(shared.head.observe()).unwrap();
                    if ring.push().is_some() {
                        if announce(&shared.tail, ring.next(), &shared.central_sleeps) {
                            shared.central.notify();
                        }
                        continue;
                    }
                    shared.client_sleeps.arm();
                    if shared.head.observe() == ring.head() {
                        shared.client.wait();
                    }
                    shared.client_sleeps.disarm();
                }
            }
        });
        let mut ring = Consumer::<1>::new(0);
        while ring.next() < ENTRIES {
            ring.refresh(shared.tail.observe()).unwrap();
            if ring.take().is_some() {
                shared.central_sleeps.disarm();
                shared.head.publish(ring.next());
                if shared.client_sleeps.asks_for_signal() {
                    shared.client.notify();
                }
                continue;
            }
            shared.central_sleeps.arm();
            if shared.tail.observe() == ring.tail() {
                shared.central.wait();
            }
        }
        client.join().unwrap();
    });
}
