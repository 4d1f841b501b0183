//! Withdrawals: a request that is taken back is answered once, and its place belongs to the client from then
//! on.

use ferry_layout::{Delivery, DeliveryKind, InRegion, OutRegion, Post};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// Both pages of a client, and the bytes of the one buffer that it posts.
struct Pages {
    from_client: Box<OutRegion>,
    to_client: Box<InRegion>,
    place: UnsafeCell<()>,
}

impl Pages {
    fn new() -> Arc<Self> {
        Arc::new(Self { from_client: crate::page(), to_client: crate::page(), place: UnsafeCell::new(()) })
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
        let tail = pages.from_client.post_tail.observe();
        let withdrawals = pages.from_client.withdrawals.observe();
        if tail == 1 && !self.is_taken {
            let post: Post = pages.from_client.posts.load(0);
            assert_eq!(post.length, 7, "not yet published");
            (self.is_taken, self.is_open) = (true, true);
            self.look_for_withdrawn |= post.marks & Post::WITHDRAWN != 0;
        }
        if withdrawals == self.withdrawals && !self.look_for_withdrawn {
            return;
        }
        (self.withdrawals, self.look_for_withdrawn) = (pages.from_client.withdrawals.observe(), false);
        let post: Post = pages.from_client.posts.load(0);
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
        pages.to_client.deliveries.store(0, Delivery { kind: kind as u8, length: 3, ..Delivery::default() });
        pages.to_client.delivery_tail.publish(self.answers);
    }
}

/// The client posts a buffer, withdraws it, and looks for the answer.
fn post_and_withdraw(pages: &Pages) {
    pages.from_client.posts.store(0, Post { length: 7, from: Post::ANYONE, ..Post::default() });
    pages.from_client.post_tail.publish(1);
    pages.from_client.withdraw(0);
    pages.from_client.withdrawals.publish(1);
    look_for_answer(pages);
}

fn look_for_answer(pages: &Pages) -> bool {
    let is_there = pages.to_client.delivery_tail.observe() == 1;
    if is_there {
        let answer: Delivery = pages.to_client.deliveries.load(0);
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
