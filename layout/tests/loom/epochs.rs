//! Epochs: central does not take a restart of a client for a breach of the protocol, and neither side sees a
//! mixture of two epochs.

use core::iter;

use ferry_layout::{Consumer, DomainName, InRegion, OutRegion, Peer, Standing, Status};
use loom::sync::Arc;
use loom::thread;

/// The client had published two sends, which central has taken, and now restarts. Central looks as
/// `Engine::look` does.
#[test]
fn a_restart_is_no_offence() {
    crate::check(None, || {
        let out = Arc::new(OutRegion::default());
        out.ask_for_epoch(1);
        out.transmit_tail.publish(2);
        out.withdrawals.publish(3);
        let mut ring = Consumer::<2>::new(0);
        ring.refresh(2).unwrap();
        ring.take();

        let client = thread::spawn({
            let out = Arc::clone(&out);
            move || {
                out.take_leave();
                out.transmit_tail.publish(0);
                out.withdrawals.publish(0);
                out.ask_for_epoch(2);
            }
        });
        look(&out, &mut ring);
        client.join().unwrap();
        assert_eq!(out.wanted_epoch(), Some(2), "the client is let in again");
    });
}

fn look(out: &OutRegion, ring: &mut Consumer<2>) {
    match out.wanted_epoch() {
        None => {}
        Some(1) => {
            let known = ring.refresh(out.transmit_tail.observe());
            if known.is_err() {
                assert_ne!(out.wanted_epoch(), Some(1), "the client left, and is shut out for it");
            }
        }
        Some(epoch) => {
            assert_eq!(epoch, 2);
            let begins = (out.transmit_tail.observe(), out.withdrawals.observe());
            assert_eq!(begins, (0, 0), "the new life begins with the indices of the old one");
        }
    }
}

/// Central begins an epoch as `Engine::begin_epoch` does. The client polls as `Opening::poll` does.
#[test]
fn who_sees_the_epoch_sees_its_beginning() {
    crate::check(None, || {
        let into = Arc::new(InRegion::default());
        into.epoch.publish(1);
        into.status(0).set(0, Status::Done);
        into.transmit_head.publish(1);
        into.delivery_tail.publish(1);
        into.ended_late.publish(1);
        into.journal.set_open([1, 1], [0, 0]);
        into.set_standing(Standing::Quarantined);

        let central = thread::spawn({
            let into = Arc::clone(&into);
            move || {
                into.clear_statuses();
                into.journal.forget_requests();
                into.transmit_head.publish(0);
                into.ended_late.publish(0);
                into.delivery_tail.publish(0);
                into.set_standing(Standing::Open);
                into.epoch.publish(2);
            }
        });
        if into.epoch.observe() == 2 {
            assert_eq!(into.status(0).get(0), None, "a status of the last epoch");
            assert_eq!((into.transmit_head.observe(), into.delivery_tail.observe()), (0, 0));
            assert_eq!(into.ended_late.observe(), 0);
            assert_eq!(into.standing(), Standing::Open);
            assert_eq!(into.journal.open(), [0, 0], "requests of the last epoch");
        }
        central.join().unwrap();
    });
}

/// Central introduces itself; a client that was started earlier waits for that.
#[test]
fn who_sees_the_introduction_sees_all_of_it() {
    crate::check(None, || {
        let into = Arc::new(InRegion::default());
        let peer = Peer { name: DomainName::new("peer").unwrap(), domain: 5, ..Peer::default() };
        let central = thread::spawn({
            let into = Arc::clone(&into);
            move || into.introduce(3, 4096, 8192, iter::once(peer))
        });
        if into.is_introduced() {
            assert_eq!(into.domain(), 3);
            assert_eq!((into.transmit_bytes(), into.receive_bytes()), (4096, 8192));
            assert_eq!(into.peer_count(), 1);
            assert_eq!(into.directory.load::<Peer>(0), peer);
        }
        central.join().unwrap();
    });
}
