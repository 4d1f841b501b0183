//! Wake-ups: whoever sleeps is signalled about what was published, in both directions.

use ferry_layout::{Consumer, Index, Producer, Status, StatusWord, WakeHint, announce};
use loom::sync::{Arc, Notify};
use loom::thread;

/// Central sleeps as `Engine::arm` lets it: arm the hint, look once more. The client announces one entry.
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
        assert!(seen || signalled, "central sleeps, and the entry waits");
    });
}

/// The client sleeps as `Port::arm` lets it: arm the hint, then look at its oldest send and at its deliveries. Central
/// publishes all of a round and then asks once, as `Engine::signal` does.
#[test]
fn a_completion_and_a_delivery_are_seen_or_signalled() {
    crate::check(None, || {
        let shared = Arc::new((StatusWord::default(), Index::default(), WakeHint::default()));
        let central = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.1.publish(1);
                shared.0.set(0, Status::Done);
                shared.2.asks_for_signal()
            }
        });
        let (status, deliveries, hint) = &*shared;
        hint.arm();
        let completed = status.get(0).is_some_and(Status::is_final);
        let delivered = deliveries.observe() == 1;
        let signalled = central.join().unwrap();
        assert!(completed || signalled, "the client sleeps, and its completion waits");
        assert!(delivered || signalled, "the client sleeps, and its delivery waits");
    });
}

/// Both directions over several sleeps: a client that sleeps while its ring of one slot is full, and a central that
/// sleeps while it is empty. A wake-up that is lost leaves both asleep, which loom reports as a deadlock.
#[test]
fn two_that_sleep_and_wake_each_other_come_to_an_end() {
    const ENTRIES: u32 = 2;
    // Without a bound it takes minutes and finds no more.
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
        while ring.released() < ENTRIES {
            ring.refresh(shared.tail.observe()).unwrap();
            if ring.take().is_some() {
                shared.central_sleeps.disarm();
                ring.release(1);
                shared.head.publish(ring.released());
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
