//! Withdrawals: a request that is taken back is answered once, and its place belongs to the client from then
//! on.

use ferry_layout::{Delivery, DeliveryKind, InRegion, OutRegion, Post};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// Both pages of a client, and the bytes of the one buffer that it posts.
struct Pages {
    out: Box<OutRegion>,
    into: Box<InRegion>,
    place: UnsafeCell<()>,
}

impl Pages {
    fn new() -> Arc<Self> {
        Arc::new(Self { out: crate::page(), into: crate::page(), place: UnsafeCell::new(()) })
    }
}

/// What central knows about the request, as in `requests.rs`.
#[derive(Default)]
struct Central {
    is_taken: bool,
    is_open: bool,
    withdrawals: u32,
    look_for_withdrawn: bool,
    answers: u32,
}

impl Central {
    /// As `Engine::look` does: new requests first, then withdrawals.
    fn look(&mut self, pages: &Pages) {
        let tail = pages.out.post_tail.observe();
        let withdrawals = pages.out.withdrawals.observe();
        if tail == 1 && !self.is_taken {
            let post: Post = pages.out.posts.load(0);
            assert_eq!(post.length, 7, "not yet published");
            (self.is_taken, self.is_open) = (true, true);
            self.look_for_withdrawn |= post.marks & Post::WITHDRAWN != 0;
        }
        if withdrawals == self.withdrawals && !self.look_for_withdrawn {
            return;
        }
        (self.withdrawals, self.look_for_withdrawn) = (pages.out.withdrawals.observe(), false);
        let post: Post = pages.out.posts.load(0);
        if self.is_open && post.marks & Post::WITHDRAWN != 0 {
            self.answer(pages, DeliveryKind::Withdrawn);
        }
    }

    /// A message for the buffer arrives.
    fn fill(&mut self, pages: &Pages) {
        if self.is_open {
            pages.place.with_mut(|_| ());
            self.answer(pages, DeliveryKind::Message);
        }
    }

    fn answer(&mut self, pages: &Pages, kind: DeliveryKind) {
        self.is_open = false;
        self.answers += 1;
        pages.into.deliveries.store(0, Delivery { kind: kind as u8, length: 3, ..Delivery::default() });
        pages.into.delivery_tail.publish(self.answers);
    }
}

/// The client posts a buffer, withdraws it, and looks for the answer.
fn post_and_withdraw(pages: &Pages) {
    pages.out.posts.store(0, Post { length: 7, from: Post::ANYONE, ..Post::default() });
    pages.out.post_tail.publish(1);
    pages.out.withdraw(0);
    pages.out.withdrawals.publish(1);
    look_for_answer(pages);
}

fn look_for_answer(pages: &Pages) -> bool {
    let is_there = pages.into.delivery_tail.observe() == 1;
    if is_there {
        let answer: Delivery = pages.into.deliveries.load(0);
        assert_eq!(answer.length, 3, "not yet published");
        pages.place.with_mut(|_| ());
    }
    is_there
}

/// Central looks twice while the client runs, and once more because the client signals.
#[test]
fn a_withdrawn_request_is_answered_once() {
    crate::check(None, || {
        let pages = Pages::new();
        let client = thread::spawn({
            let pages = Arc::clone(&pages);
            move || post_and_withdraw(&pages)
        });
        let mut central = Central::default();
        central.look(&pages);
        central.look(&pages);
        client.join().unwrap();
        central.look(&pages);
        assert_eq!(central.answers, 1, "the request would never come back, or twice");
    });
}

/// A message arrives between the two looks. Either the message or the withdrawal is the answer, and nothing
/// is written to the place after it.
#[test]
fn a_withdrawn_request_is_answered_by_a_message_or_by_itself() {
    crate::check(None, || {
        let pages = Pages::new();
        let client = thread::spawn({
            let pages = Arc::clone(&pages);
            move || post_and_withdraw(&pages)
        });
        let mut central = Central::default();
        central.look(&pages);
        central.fill(&pages);
        client.join().unwrap();
        central.look(&pages);
        assert_eq!(central.answers, 1, "the request would never come back, or twice");
        assert!(look_for_answer(&pages));
    });
}
