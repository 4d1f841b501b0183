//! The requests of one client, without an engine around them.

extern crate std;
use std::boxed::Box;
use std::vec::Vec;

use ferry_layout::Address;

use super::*;

/// Bytes of the receive buffer.
const BYTES: u64 = 1 << 20;

/// What a client that is no guard has to inspect.
fn nothing() -> Inspections {
    Inspections::new()
}

/// The pages of a client, and what central knows about its requests.
struct Pages {
    from_client: Box<OutRegion>,
    to_client: Box<InRegion>,
    requests: Requests,
}

fn peer(number: u16) -> DomainId {
    DomainId::new(number).unwrap()
}

impl Pages {
    fn new() -> Self {
        Self { from_client: Box::default(), to_client: Box::default(), requests: Requests::new() }
    }

    fn tail(&self) -> u32 {
        self.from_client.post_tail.observe()
    }

    fn post(&self, from: u16, kind: PostKind) -> u32 {
        let index = self.tail();
        let place = Address { frame: index % 128, offset: 0 };
        let post = Post { place, length: 4096, from, kind: kind as u8, marks: 0 };
        self.from_client.posts.store(index, post);
        self.from_client.post_tail.publish(index.wrapping_add(1));
        index
    }

    fn post_for_anyone(&self) -> u32 {
        self.post(Post::ANYONE, PostKind::Buffer)
    }

    fn post_many(&self, count: u32) {
        for _ in 0..count {
            self.post_for_anyone();
        }
    }

    /// Passes over the slot of the next index.
    fn pass_over(&self) {
        self.from_client.pass_over_post(self.tail());
        self.from_client.post_tail.publish(self.tail().wrapping_add(1));
    }

    fn withdraw(&self, index: u32) {
        self.from_client.withdraw(index);
        self.from_client.withdrawals.publish(self.from_client.withdrawals.observe().wrapping_add(1));
    }

    /// Central takes what is new. Returns the indices of the requests that it refuses.
    fn take(&mut self) -> Vec<u32> {
        self.requests.refresh(self.tail()).unwrap();
        let mut refused = Vec::new();
        while let Some(index) = self.requests.take(&self.from_client, BYTES, &mut nothing(), true, &mut false)
        {
            refused.push(index);
        }
        self.requests.publish(&self.to_client);
        refused
    }

    /// A new central takes the place of the old one, and finds deliveries for the requests `unsettled`,
    /// newest first.
    fn restart(&mut self, unsettled: &[u32]) {
        self.requests = Requests::new();
        self.requests.resume(&self.from_client, &self.to_client, BYTES, &mut nothing());
        for index in unsettled {
            self.requests.settle(*index, &mut nothing());
        }
        self.requests.catch_up(&self.from_client, BYTES, &mut nothing());
        self.requests.publish(&self.to_client);
    }

    /// A message of `source` arrives. Returns the request that it uses up.
    fn fill(&mut self, source: u16) -> Option<u32> {
        let (index, _) = self.requests.find(peer(source))?;
        self.requests.claim(index);
        self.requests.consume(index);
        Some(index)
    }
}

#[test]
fn a_request_keeps_its_slot_and_the_ring_goes_on() {
    let mut client = Pages::new();
    let silent = client.post(1, PostKind::Buffer);
    for lap in 0..3_u32 {
        for number in 1..128 {
            let index = client.post_for_anyone();
            assert_eq!(index, lap * 128 + number);
            assert!(client.take().is_empty());
            assert_eq!(client.fill(2), Some(index));
        }
        client.pass_over();
        assert!(client.take().is_empty());
    }
    assert_eq!(client.to_client.post_head.observe(), 3 * 128 + 1);
    assert_eq!(client.fill(1), Some(silent), "by the index that it was posted with");
    assert_eq!(client.fill(1), None);
}

#[test]
fn a_marked_entry_is_passed_over_though_central_holds_it_no_more() {
    let mut client = Pages::new();
    client.post_many(128);
    client.take();
    // The delivery is under way. The client has not seen it and passes over the slot.
    assert_eq!(client.fill(1), Some(0));
    client.pass_over();
    assert!(client.take().is_empty(), "neither taken for a new request nor refused");
    assert_eq!(client.requests.open_to_anyone(), 127);
    assert_eq!(client.to_client.post_head.observe(), 129);
}

#[test]
fn new_requests_can_be_used_at_once_up_to_a_slot_that_is_held() {
    let mut client = Pages::new();
    client.post_for_anyone();
    client.post(1, PostKind::Buffer);
    client.take();
    assert_eq!(client.fill(2), Some(0));
    client.post_many(127);
    client.requests.refresh(client.tail()).unwrap();
    assert_eq!(client.requests.fresh_run(), (2, 127), "slot 1 is in use");
    client.requests.use_fresh(127);
    client.pass_over();
    assert!(client.take().is_empty());
    assert_eq!(client.fill(2), None);
}

#[test]
fn requests_that_ask_for_nothing_possible_are_refused() {
    let mut client = Pages::new();
    client.post(40, PostKind::Buffer);
    client.post(Post::ANYONE, PostKind::Window);
    let index = client.tail();
    let outside = Address { frame: 256, offset: 0 };
    client.from_client.posts.store(index, Post { place: outside, length: 1, from: 1, kind: 0, marks: 0 });
    let empty = Post { length: 0, from: 1, ..Post::default() };
    client.from_client.posts.store(index + 1, empty);
    client.from_client.posts.store(index + 2, Post { length: 1, from: 1, kind: 2, ..Post::default() });
    client.from_client.posts.store(index + 3, Post { length: 1, from: 1, marks: 4, ..Post::default() });
    client.from_client.post_tail.publish(index + 4);
    assert_eq!(client.take(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(client.requests.held, SlotSet::EMPTY);
}

#[test]
fn what_cannot_be_answered_yet_stays_in_the_ring() {
    let mut client = Pages::new();
    client.post_for_anyone();
    client.post(40, PostKind::Buffer);
    client.post_for_anyone();
    client.requests.refresh(client.tail()).unwrap();
    let mut offered = false;
    assert_eq!(client.requests.take(&client.from_client, BYTES, &mut nothing(), false, &mut offered), None);
    assert!(offered && client.requests.unanswered && client.requests.has_new());
    assert_eq!(client.requests.open_to_anyone(), 1);
    assert_eq!(client.take(), [1]);
    assert_eq!(client.requests.open_to_anyone(), 2);
}

#[test]
fn each_peer_has_its_own_windows() {
    let mut client = Pages::new();
    for source in [1, 2] {
        for _ in 0..MAX_WINDOWS {
            client.post(source, PostKind::Window);
        }
    }
    assert!(client.take().is_empty());
    let ninth = client.post(1, PostKind::Window);
    assert_eq!(client.take(), [ninth]);
    client.withdraw(3);
    assert_eq!(client.requests.take_withdrawn(&client.from_client, &mut nothing()), Some(3));
    client.post(1, PostKind::Window);
    assert!(client.take().is_empty(), "one was given back");
}

#[test]
fn a_withdrawn_request_is_closed_once_and_only_while_it_is_open() {
    let mut client = Pages::new();
    client.post_many(4);
    client.take();
    assert!(!client.requests.may_have_withdrawn(&client.from_client));
    client.requests.claim(0);
    for index in [0, 2] {
        client.withdraw(index);
    }
    assert!(client.requests.may_have_withdrawn(&client.from_client));
    assert_eq!(client.requests.take_withdrawn(&client.from_client, &mut nothing()), Some(2));
    assert_eq!(
        client.requests.take_withdrawn(&client.from_client, &mut nothing()),
        None,
        "a message is on its way into 0"
    );
    assert!(!client.requests.may_have_withdrawn(&client.from_client));
    client.requests.give_back(0);
    assert!(client.requests.may_have_withdrawn(&client.from_client));
    assert_eq!(
        client.requests.take_withdrawn(&client.from_client, &mut nothing()),
        Some(0),
        "it will not arrive"
    );
    assert_eq!(client.requests.take_withdrawn(&client.from_client, &mut nothing()), None);
    assert_eq!((client.fill(1), client.fill(1), client.fill(1)), (Some(1), Some(3), None));
}

#[test]
fn a_restarted_central_finds_what_the_last_one_held() {
    let mut client = Pages::new();
    let silent = client.post(1, PostKind::Buffer);
    let window = client.post(2, PostKind::Window);
    client.post_many(126);
    client.take();
    for _ in 2..128 {
        client.fill(3);
    }
    client.pass_over();
    client.pass_over();
    let again = client.post_for_anyone();
    client.take();
    client.withdraw(window);

    client.restart(&[]);
    assert!(client.take().is_empty());
    assert_eq!(client.requests.held.count(), 3);
    let slot = |index: Option<u32>| index.map(|index| index % 128);
    assert_eq!(slot(client.requests.take_withdrawn(&client.from_client, &mut nothing())), Some(window));
    assert_eq!((slot(client.fill(1)), client.fill(3)), (Some(silent), Some(again)));
    assert_eq!((client.fill(1), client.fill(3)), (None, None));
}

#[test]
fn a_request_in_the_slot_of_one_that_is_just_over_is_not_lost() {
    let mut client = Pages::new();
    client.post_many(128);
    client.take();
    // Central is stopped after the delivery and before the journal. The client takes the delivery and posts
    // again.
    let over = client.fill(1).unwrap();
    assert_eq!(client.post_for_anyone(), over + 128);

    client.restart(&[over]);
    assert!(client.take().is_empty());
    assert_eq!(client.requests.open_to_anyone(), 128, "127 old ones and the new one");
}

#[test]
fn a_request_that_was_used_at_once_is_not_used_again_by_the_third_central() {
    let mut client = Pages::new();
    client.post_many(3);
    client.requests.refresh(client.tail()).unwrap();
    // Two are used without being taken first; central is stopped after the deliveries and before the post
    // head.
    client.requests.use_fresh(2);

    client.restart(&[1, 0]);
    // The second central has settled the deliveries, and is stopped before it looks at any client.
    client.restart(&[]);
    assert!(client.take().is_empty());
    assert_eq!((client.fill(1), client.fill(1)), (Some(2), None));
}

#[test]
fn a_whole_ring_that_was_used_at_once_is_over_after_a_restart() {
    let mut client = Pages::new();
    client.post_many(128);
    client.requests.refresh(client.tail()).unwrap();
    client.requests.use_fresh(128);
    let newest_first: Vec<u32> = (0..128).rev().collect();
    client.restart(&newest_first);
    assert_eq!((client.fill(1), client.to_client.post_head.observe()), (None, 128));
}

#[test]
fn what_is_over_is_not_fresh() {
    let mut client = Pages::new();
    client.post_many(3);
    client.requests.refresh(client.tail()).unwrap();
    client.requests.use_fresh(2);
    // A new central has settled the deliveries and has not caught up: it may not read a client's page that is
    // at its beginning.
    client.requests = Requests::new();
    client.requests.resume(&client.from_client, &client.to_client, BYTES, &mut nothing());
    for index in [1, 0] {
        client.requests.settle(index, &mut nothing());
    }
    client.requests.refresh(client.tail()).unwrap();
    assert_eq!(client.requests.fresh_run(), (0, 0));
    client.requests.publish(&client.to_client);
    assert_eq!(client.requests.fresh_run(), (0, 0), "nor after the journal says that nothing is held");
}

#[test]
fn a_request_that_is_withdrawn_before_it_is_taken_is_answered() {
    let mut client = Pages::new();
    client.requests.refresh(client.tail()).unwrap();
    let index = client.post_for_anyone();
    client.withdraw(index);
    // Central has seen the old tail and the new count of withdrawals.
    assert!(client.requests.may_have_withdrawn(&client.from_client));
    assert_eq!(client.requests.take_withdrawn(&client.from_client, &mut nothing()), None);
    assert!(client.take().is_empty());
    assert!(client.requests.may_have_withdrawn(&client.from_client));
    assert_eq!(client.requests.take_withdrawn(&client.from_client, &mut nothing()), Some(index));
}

#[test]
fn a_look_for_withdrawn_requests_is_due_after_one_was_taken_and_not_after_others() {
    let mut client = Pages::new();
    client.post_for_anyone();
    client.post(1, PostKind::Window);
    assert!(client.take().is_empty());
    assert!(!client.requests.has_to_look_for_withdrawn());
    let index = client.post(1, PostKind::Buffer);
    client.withdraw(index);
    assert!(client.take().is_empty());
    assert!(client.requests.has_to_look_for_withdrawn());
}

/// Its slot comes again before its message. The client has not marked the entry, which is still the request.
#[test]
fn a_request_that_is_held_is_not_taken_again() {
    let mut client = Pages::new();
    let silent = client.post(1, PostKind::Buffer);
    client.post_many(126);
    assert!(client.take().is_empty());
    (1..127).for_each(|index| assert_eq!(client.fill(2), Some(index)));
    let last = client.post_for_anyone();
    client.from_client.post_tail.publish(129);
    client.requests.refresh(client.tail()).unwrap();
    let mut offered = false;
    assert_eq!(client.requests.take(&client.from_client, BYTES, &mut nothing(), true, &mut offered), None);
    assert!(offered, "the buffer before it");
    assert_eq!((client.fill(2), client.fill(2)), (Some(last), None));
    assert_eq!((client.fill(1), client.fill(1)), (Some(silent), None));
}

/// A request that the last central held has its message from this one. Then its slot is free, unless the
/// client has published the entry before.
#[test]
fn the_slot_of_a_request_that_was_held_is_free_after_its_message() {
    for is_published in [false, true] {
        let mut client = Pages::new();
        let silent = client.post(1, PostKind::Buffer);
        client.post_many(127);
        assert!(client.take().is_empty());
        (1..128).for_each(|index| assert_eq!(client.fill(2), Some(index)));
        client.requests.publish(&client.to_client);
        if is_published {
            client.from_client.post_tail.publish(129);
        }
        client.requests = Requests::new();
        client.requests.resume(&client.from_client, &client.to_client, BYTES, &mut nothing());
        assert_eq!(client.fill(1).map(|index| index % 128), Some(silent));
        if !is_published {
            client.post(1, PostKind::Buffer);
        }
        assert!(client.take().is_empty());
        assert_eq!(client.fill(1), if is_published { None } else { Some(128) });
    }
}
