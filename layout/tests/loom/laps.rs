//! Laps: a ring comes round to a slot that is in use. An old entry is never taken for a new one, and no new
//! entry is passed over.
//!
//! Rings have two slots here. Both are in use at the beginning: index 0 waits in one, index 1 is in the
//! other. The tests play `next_entry` and `Requests::take` of the engine, and `free_slot` and `next_request`
//! of the client library.

use ferry_layout::{Delivery, Descriptor, InRegion, OutRegion, Plain, Post, Route, Status};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// Both pages of a client, and the buffer of its send 0.
struct Pages {
    from_client: Box<OutRegion>,
    to_client: Box<InRegion>,
    buffer: UnsafeCell<()>,
}

impl Pages {
    fn new() -> Arc<Self> {
        Arc::new(Self { from_client: crate::page(), to_client: crate::page(), buffer: UnsafeCell::new(()) })
    }
}

/// The tag of the send at `index`, so that no send can be taken for another.
fn tag(index: u32) -> u64 {
    100 + u64::from(index)
}

fn describe(pages: &Pages, index: u32) {
    pages
        .from_client
        .descriptors
        .store(index, Descriptor { tag: tag(index), length: 1, ..Descriptor::default() });
}

/// Central's view of the ring of sends.
struct Sends {
    next: u32,
    /// Whether send 0 waits.
    holds_first: bool,
    /// Indices of messages that were taken.
    taken: Vec<u32>,
}

impl Sends {
    /// Takes everything published, as one turn does. New sends are done at once, and the head is published at
    /// the end.
    fn turn(&mut self, pages: &Pages) {
        let tail = pages.from_client.transmit_tail.observe();
        while self.next != tail {
            let index = self.next;
            self.next += 1;
            let slot = pages.from_client.descriptors.slot(index);
            if (self.holds_first && index % 2 == 0) || Route::of(slot).is_passed_over() {
                continue;
            }
            assert!(Plain::load(slot, Route::of(slot)).is_some(), "the entry is not a plain message");
            assert_eq!(Plain::tag(slot), tag(index), "an old entry was taken for a new one");
            pages.to_client.status(index).set(index, Status::Done);
            self.taken.push(index);
        }
        pages.to_client.transmit_head.publish(self.next);
    }

    /// Send 0 ends.
    fn end_first(&mut self, pages: &Pages) {
        pages.buffer.with(|_| ());
        self.holds_first = false;
        pages.to_client.status(0).set(0, Status::Done);
        pages.to_client.ended_late.publish(1);
    }
}

/// Looks twice how far central has taken the sends, and sends as many messages as it has slots for. Returns
/// the indices of the sends.
fn send_all(pages: &Pages) -> Vec<u32> {
    let mut sent = Vec::new();
    // The send that each slot was last used for.
    let (mut owners, mut index) = ([0, 1], 2);
    for _ in 0..2 {
        let taken = pages.to_client.transmit_head.observe();
        while index < taken + 2 {
            let owner = &mut owners[index as usize % 2];
            if pages.to_client.status(*owner).ended().is_some() {
                if *owner == 0 {
                    pages.buffer.with_mut(|_| ());
                }
                *owner = index;
                describe(pages, index);
                sent.push(index);
            } else {
                pages.from_client.pass_over_send(index);
            }
            index += 1;
            pages.from_client.transmit_tail.publish(index);
        }
    }
    sent
}

#[test]
fn a_send_that_waits_keeps_its_slot_and_the_ring_goes_on() {
    crate::check(None, || {
        let pages = Pages::new();
        describe(&pages, 0);
        describe(&pages, 1);
        pages.from_client.transmit_tail.publish(2);
        pages.to_client.status(0).set(0, Status::Queued);
        pages.to_client.status(1).set(1, Status::Done);
        pages.to_client.transmit_head.publish(2);

        let client = thread::spawn({
            let pages = Arc::clone(&pages);
            move || send_all(&pages)
        });
        let mut central = Sends { next: 2, holds_first: true, taken: Vec::new() };
        central.turn(&pages);
        central.end_first(&pages);
        central.turn(&pages);
        let sent = client.join().unwrap();
        central.turn(&pages);
        assert_eq!(central.taken, sent, "each message once, and none passed over");
        assert!(sent.contains(&3), "slot 1 is free, whatever becomes of slot 0");
    });
}

fn post(pages: &Pages, index: u32) {
    pages.from_client.posts.store(index, Post { length: index + 1, from: Post::ANYONE, ..Post::default() });
}

/// Central's view of the ring of requests.
struct Requests {
    next: u32,
    held: [bool; 2],
    taken: Vec<u32>,
}

impl Requests {
    fn take(&mut self, pages: &Pages) {
        let tail = pages.from_client.post_tail.observe();
        while self.next != tail {
            let index = self.next;
            self.next += 1;
            if self.held[index as usize % 2] {
                continue;
            }
            let post: Post = pages.from_client.posts.load(index);
            if post.marks & Post::PASSED_OVER == 0 {
                assert_eq!(post.length, index + 1, "an old entry was taken for a new one");
                self.held[index as usize % 2] = true;
                self.taken.push(index);
            }
        }
    }
}

/// A message fills the buffer of request 0. Before that is visible, central looks for requests once more.
#[test]
fn a_request_keeps_its_slot_until_its_delivery_is_seen() {
    crate::check(None, || {
        let pages = Pages::new();
        post(&pages, 0);
        post(&pages, 1);
        pages.from_client.post_tail.publish(2);
        pages.to_client.post_head.publish(2);

        let client = thread::spawn({
            let pages = Arc::clone(&pages);
            move || {
                let is_back = pages.to_client.delivery_tail.observe() == 1;
                if is_back {
                    pages.buffer.with_mut(|_| ());
                    let delivery: Delivery = pages.to_client.deliveries.load(0);
                    assert_eq!(delivery.length, 9);
                    post(&pages, 2);
                } else {
                    pages.from_client.pass_over_post(2);
                }
                pages.from_client.post_tail.publish(3);
                is_back
            }
        });
        let mut central = Requests { next: 2, held: [true; 2], taken: Vec::new() };
        pages.buffer.with_mut(|_| ());
        pages.to_client.deliveries.store(0, Delivery { length: 9, ..Delivery::default() });
        central.held[0] = false;
        central.take(&pages);
        pages.to_client.delivery_tail.publish(1);
        pages.to_client.post_head.publish(central.next);
        central.take(&pages);
        let is_posted = client.join().unwrap();
        central.take(&pages);
        assert_eq!(central.taken, if is_posted { vec![2] } else { vec![] });
    });
}
