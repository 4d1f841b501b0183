//! Status words: a final status gives the slot and the buffer back, and is for one use of the slot only.

use ferry_layout::{Index, Status, StatusWord};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// Central reads a buffer and then sets `Done`. The client sees that and fills the buffer anew. For the next
/// use of the same slot the old status must not count.
#[test]
fn done_gives_the_buffer_back() {
    crate::check(None, || {
        let shared = Arc::new((StatusWord::default(), UnsafeCell::new(0_u32)));
        let central = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let (status, buffer) = &*shared;
                status.set(0, Status::Queued);
                buffer.with(|_| ());
                status.set(0, Status::Done);
            }
        });
        let (status, buffer) = &*shared;
        if status.get(0) == Some(Status::Done) {
            buffer.with_mut(|_| ());
            assert_eq!(status.get(2), None, "a status of the slot's last use was taken for one of the next");
        }
        central.join().unwrap();
    });
}

/// The same for a client that learns by the head that many sends have ended. The statuses before the head are
/// then those of this use of their slots, so the client need not look at their indices.
#[test]
fn the_head_gives_the_buffers_before_it_back() {
    crate::check(None, || {
        let shared = Arc::new((Index::default(), StatusWord::default(), UnsafeCell::new(0_u32)));
        shared.1.set(0, Status::Expired);
        let central = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let (head, status, buffer) = &*shared;
                buffer.with(|_| ());
                status.set(2, Status::Done);
                head.publish(3);
            }
        });
        let (head, status, buffer) = &*shared;
        if head.observe() == 3 {
            assert_eq!(status.ended(), Some(Status::Done), "a status of the slot's last use");
            buffer.with_mut(|_| ());
        }
        central.join().unwrap();
    });
}

/// The head passes a send that waits. So the head does not tell when that send ends; only its status does.
#[test]
fn the_end_of_a_held_send_gives_its_buffer_back() {
    crate::check(None, || {
        let shared = Arc::new((Index::default(), StatusWord::default(), UnsafeCell::new(0_u32)));
        shared.1.set(0, Status::Expired);
        let central = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let (head, status, buffer) = &*shared;
                status.set(2, Status::Queued);
                head.publish(3);
                buffer.with(|_| ());
                status.set(2, Status::Done);
            }
        });
        let (head, status, buffer) = &*shared;
        if head.observe() == 3 && status.ended() == Some(Status::Done) {
            buffer.with_mut(|_| ());
        }
        central.join().unwrap();
    });
}

/// The status of a chain's first part comes last and is the status of the whole chain.
#[test]
fn the_first_part_is_done_after_all_others() {
    crate::check(None, || {
        let shared = Arc::new((StatusWord::default(), StatusWord::default(), UnsafeCell::new(0_u32)));
        let central = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let (first, rest, buffer) = &*shared;
                buffer.with(|_| ());
                rest.set(1, Status::Done);
                first.set(0, Status::Done);
            }
        });
        let (first, rest, buffer) = &*shared;
        if first.get(0) == Some(Status::Done) {
            assert_eq!(rest.get(1), Some(Status::Done));
            buffer.with_mut(|_| ());
        }
        central.join().unwrap();
    });
}

/// A send that was queued and has ended never shows as queued again.
#[test]
fn a_status_never_goes_back() {
    crate::check(None, || {
        let status = Arc::new(StatusWord::default());
        let central = thread::spawn({
            let status = Arc::clone(&status);
            move || {
                status.set(7, Status::Queued);
                status.set(7, Status::Expired);
            }
        });
        let rank = |status: Option<Status>| match status {
            None => 0,
            Some(Status::Queued) => 1,
            Some(Status::Expired) => 2,
            Some(other) => panic!("{other:?} was never set"),
        };
        let first = rank(status.get(7));
        let second = rank(status.get(7));
        assert!(first <= second);
        central.join().unwrap();
        assert_eq!(status.get(7), Some(Status::Expired));
    });
}
