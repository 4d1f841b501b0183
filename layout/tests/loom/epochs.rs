//! Epochs: central does not take a restart of a client for a breach of the protocol, and neither side sees a
//! mixture of two epochs.

use core::iter;

use ferry_layout::{Consumer, DomainName, InRegion, OutRegion, Peer, Standing, Status};
use loom::sync::Arc;
use loom::thread;

/// The client had published two sends, which central has taken, and now restarts. Central looks as
/// `Engine::look` does.
#[test]
fn a_restart_is_no_breach() {
    crate::check(None, || {
        let from_client = Arc::new(OutRegion::default());
        from_client.ask_for_epoch(1);
        from_client.transmit_tail.publish(2);
        from_client.withdrawals.publish(3);
        let mut ring = Consumer::<2>::new(0);
        ring.refresh(2).unwrap();
        ring.take();

        let client = thread::spawn({
            let from_client = Arc::clone(&from_client);
            move || {
                from_client.clear_magic();
                from_client.transmit_tail.publish(0);
                from_client.withdrawals.publish(0);
                from_client.ask_for_epoch(2);
            }
        });
        look(&from_client, &mut ring);
        client.join().unwrap();
        assert_eq!(from_client.wanted_epoch(), Some(2), "the client is let in again");
    });
}

fn look(from_client: &OutRegion, ring: &mut Consumer<2>) {
    match from_client.wanted_epoch() {
        None => {}
        Some(1) => {
            let known = ring.refresh(from_client.transmit_tail.observe());
            if known.is_err() {
                assert_ne!(from_client.wanted_epoch(), Some(1), "a restart was taken for a breach");
            }
        }
        Some(epoch) => {
            assert_eq!(epoch, 2);
            let begins = (from_client.transmit_tail.observe(), from_client.withdrawals.observe());
            assert_eq!(begins, (0, 0), "the new epoch has old indices");
        }
    }
}

/// Central begins an epoch as `Engine::begin_epoch` does. The client polls as `Opening::poll` does.
#[test]
fn a_visible_epoch_is_complete() {
    crate::check(None, || {
        let to_client = Arc::new(InRegion::default());
        to_client.epoch.publish(1);
        to_client.status(0).set(0, Status::Done);
        to_client.transmit_head.publish(1);
        to_client.delivery_tail.publish(1);
        to_client.ended_late.publish(1);
        to_client.journal.set_open([1, 1], [0, 0]);
        to_client.set_standing(Standing::Quarantined);

        let central = thread::spawn({
            let to_client = Arc::clone(&to_client);
            move || {
                to_client.clear_statuses();
                to_client.journal.forget_requests();
                to_client.transmit_head.publish(0);
                to_client.ended_late.publish(0);
                to_client.delivery_tail.publish(0);
                to_client.set_standing(Standing::Open);
                to_client.epoch.publish(2);
            }
        });
        if to_client.epoch.observe() == 2 {
            assert_eq!(to_client.status(0).get(0), None, "a status of the last epoch");
            assert_eq!((to_client.transmit_head.observe(), to_client.delivery_tail.observe()), (0, 0));
            assert_eq!(to_client.ended_late.observe(), 0);
            assert_eq!(to_client.standing(), Standing::Open);
            assert_eq!(to_client.journal.open(), [0, 0], "requests of the last epoch");
        }
        central.join().unwrap();
    });
}

/// Central introduces itself; a client that was started earlier waits for that.
#[test]
fn a_visible_introduction_is_complete() {
    crate::check(None, || {
        let to_client = Arc::new(InRegion::default());
        let peer = Peer { name: DomainName::new("peer").unwrap(), domain: 5, ..Peer::default() };
        let central = thread::spawn({
            let to_client = Arc::clone(&to_client);
            move || to_client.introduce(3, 4096, 8192, iter::once(peer))
        });
        if to_client.is_introduced() {
            assert_eq!(to_client.domain(), 3);
            assert_eq!((to_client.transmit_bytes(), to_client.receive_bytes()), (4096, 8192));
            assert_eq!(to_client.peer_count(), 1);
            assert_eq!(to_client.directory.load::<Peer>(0), peer);
        }
        central.join().unwrap();
    });
}
