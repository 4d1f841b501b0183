//! The batch methods of the client library do the same as its methods for one message, called one by one.

use ferry_client::{
    Event, Message, Outgoing, Peer, Port, ReceiveBuffer, ReceiveMemory, SendError, Status, TransmitMemory,
};
use ferry_layout::config::Mapping;
use ferry_testbed::{Silent, Testbed, Topology, id};

/// Bytes of a buffer. Sixteen buffers fill one page, and a region of 16 pages holds more buffers than a ring
/// has slots.
const BYTES: u32 = 256;
/// Slots of each ring.
const SLOTS: usize = 128;

/// A sender, a receiver, and the memory that was not split yet.
struct Pair {
    bed: Testbed,
    sender: Port<Silent>,
    receiver: Port<Silent>,
    transmit: Option<TransmitMemory>,
    receive: Option<ReceiveMemory>,
}

impl Pair {
    fn new() -> Self {
        let mut bed = Testbed::new(&Topology::mesh(2, 16, Mapping::Keep));
        let (sender, transmit, _) = bed.open(0);
        let (receiver, _, receive) = bed.open(1);
        Self { bed, sender, receiver, transmit: Some(transmit), receive: Some(receive) }
    }

    /// A pair whose receiver has posted this many buffers.
    fn posted(buffers: usize) -> Self {
        let mut pair = Self::new();
        for buffer in pair.buffers().into_iter().take(buffers) {
            pair.receiver.post(buffer, None).unwrap();
        }
        pair.receiver.publish();
        pair
    }

    fn buffers(&mut self) -> heapless::Vec<ReceiveBuffer, SLOTS> {
        self.receive.take().unwrap().split(BYTES)
    }

    fn peer(&self) -> Peer {
        self.sender.peer("client1").unwrap()
    }

    /// Sends this many messages. Their tags count from 0, and their bytes are their tags.
    fn send(&mut self, messages: usize) {
        let peer = self.peer();
        let buffers: heapless::Vec<_, SLOTS> = self.transmit.take().unwrap().split(BYTES);
        for (mut buffer, tag) in buffers.into_iter().take(messages).zip(0_u64..) {
            buffer.bytes_mut()[..8].copy_from_slice(&tag.to_le_bytes());
            self.sender.send(peer, buffer, 8, Message::tagged(tag)).unwrap();
        }
        self.sender.publish();
    }
}

/// Several laps of both rings, in batches that do not divide a ring. Nothing is lost or comes twice,
/// everything is in order, and each buffer holds what was sent with its tag.
#[test]
fn what_is_sent_anew_and_posted_anew_arrives_once_and_in_order() {
    const MESSAGES: u64 = 48;
    let mut pair = Pair::posted(100);
    let peer = pair.peer();
    pair.send(usize::try_from(MESSAGES).unwrap());
    let (mut next, mut expected) = (MESSAGES, 0);
    for _ in 0..12 {
        pair.bed.run();
        let mut reaped = 0;
        pair.receiver
            .receive_each(|event| {
                let Event::Message { source, tag, sequence, buffer, length } = event else {
                    panic!("{event:?}")
                };
                assert_eq!((source.number(), tag, sequence, length), (0, expected, expected, 8));
                assert_eq!(buffer.bytes()[..8], tag.to_le_bytes());
                expected += 1;
                Some(buffer)
            })
            .unwrap();
        assert!(pair.receiver.publish());
        pair.sender
            .reap_each(|done| {
                assert_eq!((done.status, done.tag), (Status::Done, next - MESSAGES));
                let (tag, mut buffer) = (next, done.buffer);
                buffer.bytes_mut()[..8].copy_from_slice(&tag.to_le_bytes());
                (next, reaped) = (next + 1, reaped + 1);
                Some(Outgoing { peer, buffer, length: 8, message: Message::tagged(tag) })
            })
            .unwrap();
        assert!(pair.sender.publish());
        assert_eq!((reaped, pair.sender.outstanding()), (MESSAGES, 48));
        assert_eq!(expected, next - MESSAGES);
    }
}

#[test]
fn what_is_kept_is_neither_sent_nor_posted_anew() {
    let mut pair = Pair::posted(4);
    pair.send(4);
    pair.bed.run();
    let mut kept = Vec::new();
    let peer = pair.peer();
    pair.sender
        .reap_each(|done| {
            if done.tag % 2 == 0 {
                return Some(Outgoing { peer, buffer: done.buffer, length: 8, message: Message::tagged(9) });
            }
            kept.push(done.buffer);
            None
        })
        .unwrap();
    assert_eq!((kept.len(), pair.sender.outstanding()), (2, 2));
    let mut held = Vec::new();
    let keep = |event| match event {
        Event::Message { buffer, .. } => {
            held.push(buffer);
            None
        }
        other => panic!("{other:?}"),
    };
    pair.receiver.receive_each(keep).unwrap();
    assert_eq!(held.len(), 4);
    pair.sender.publish();
    pair.receiver.publish();
    pair.bed.run();
    assert_eq!(pair.sender.status(0), Some(Status::Queued), "nothing is posted");
    assert!(pair.sender.reap().is_none());
}

#[test]
fn a_message_longer_than_its_buffer_comes_back_and_the_rest_stays() {
    let mut pair = Pair::posted(4);
    pair.send(3);
    pair.bed.run();
    let peer = pair.peer();
    let length = |tag| if tag == 1 { BYTES + 1 } else { BYTES };
    let refused = pair.sender.reap_each(|done| {
        let message = Message::tagged(done.tag + 10);
        Some(Outgoing { peer, buffer: done.buffer, length: length(done.tag), message })
    });
    let refused = refused.unwrap_err();
    assert_eq!((refused.reason, refused.buffer.capacity()), (SendError::BeyondBuffer, BYTES));
    assert_eq!(pair.sender.outstanding(), 2, "one was sent again, and one was not taken back");
    assert_eq!(pair.sender.reap().map(|done| done.tag), Some(2));
    pair.sender.publish();
    pair.bed.run();
    assert_eq!(pair.sender.reap().map(|done| (done.status, done.tag)), Some((Status::Done, 10)));
}

/// Also those that central has taken since the last look, while ends that were seen then are left.
#[test]
fn every_send_that_has_ended_is_taken_back() {
    let mut pair = Pair::posted(4);
    let peer = pair.peer();
    pair.send(2);
    pair.bed.run();
    pair.sender
        .reap_most(1, |done| {
            Some(Outgoing { peer, buffer: done.buffer, length: 8, message: Message::tagged(2) })
        })
        .unwrap();
    pair.sender.publish();
    pair.bed.run();
    let mut tags = Vec::new();
    pair.sender
        .reap_each(|done| {
            tags.push((done.status, done.tag));
            None
        })
        .unwrap();
    assert_eq!(tags, [(Status::Done, 1), (Status::Done, 2)]);
}

#[test]
fn a_send_that_was_refused_comes_back_with_its_status() {
    let mut pair = Pair::posted(2);
    let buffers: heapless::Vec<_, 3> = pair.transmit.take().unwrap().split(BYTES);
    let (known, unknown) = (pair.peer(), Peer { domain: 31, ..pair.peer() });
    for (buffer, peer) in buffers.into_iter().zip([known, unknown, known]) {
        pair.sender.send(peer, buffer, 8, Message::default()).unwrap();
    }
    pair.sender.publish();
    pair.bed.run();
    let mut statuses = Vec::new();
    pair.sender
        .reap_each(|done| {
            statuses.push(done.status);
            None
        })
        .unwrap();
    assert_eq!(statuses, [Status::Done, Status::NoTarget, Status::Done]);
}

/// All slots of the request ring are in use, one of them by a window. One more buffer comes back to the
/// caller. While the window is open, the ring goes on past its slot.
#[test]
fn a_buffer_without_a_slot_comes_back() {
    let mut pair = Pair::new();
    let mut buffers = pair.receive.take().unwrap().split::<{ SLOTS + 1 }>(BYTES);
    let spare = buffers.pop().unwrap();
    let sender = pair.receiver.peer("client0").unwrap();
    let window = pair.receiver.open_window(buffers.pop().unwrap(), sender).unwrap();
    for buffer in buffers {
        pair.receiver.post(buffer, None).unwrap();
    }
    let place = spare.place();
    let spare = pair.receiver.post(spare, None).unwrap_err().buffer;
    assert_eq!(spare.place(), place);
    pair.receiver.publish();
    pair.send(3);
    pair.bed.run();
    let mut spare = Some(spare);
    let mut tags = Vec::new();
    let result = pair.receiver.receive_each(|event| match event {
        Event::Message { tag, buffer, .. } => {
            tags.push(tag);
            spare.replace(buffer)
        }
        other => panic!("{other:?}"),
    });
    result.unwrap();
    assert_eq!(tags, [0, 1, 2]);
    let spare = spare.unwrap();
    assert!(pair.receiver.posted_buffer(window).is_some_and(|window| window.place() != spare.place()));
    assert!(pair.receiver.post(spare, None).is_err());
}

/// A placed message and a withdrawn buffer come between plain messages. All come in order.
#[test]
fn what_is_no_message_comes_in_its_turn() {
    let mut pair = Pair::new();
    let mut buffers = pair.buffers().into_iter();
    let (sender, peer) = (pair.receiver.peer("client0").unwrap(), pair.peer());
    let window = buffers.next().unwrap();
    let place = window.place();
    pair.receiver.open_window(window, sender).unwrap();
    for buffer in buffers.by_ref().take(3) {
        pair.receiver.post(buffer, None).unwrap();
    }
    pair.receiver.publish();
    pair.bed.run();
    let mut transmit = pair.transmit.take().unwrap().split::<4>(BYTES);
    let mut next = || transmit.pop().unwrap();
    pair.sender.send(peer, next(), 8, Message::tagged(0)).unwrap();
    pair.sender.send_to(peer, place, next(), 8, Message::tagged(1)).unwrap();
    pair.sender.send(peer, next(), 8, Message::tagged(2)).unwrap();
    pair.sender.publish();
    pair.bed.run();
    let request = pair.receiver.post(buffers.next().unwrap(), None).unwrap();
    pair.receiver.publish();
    pair.bed.run();
    assert!(pair.receiver.withdraw(request));
    pair.receiver.publish();
    pair.bed.run();
    let mut seen = Vec::new();
    let note = |event| match event {
        Event::Message { tag, buffer, .. } => {
            seen.push(format!("message {tag}"));
            Some(buffer)
        }
        Event::Placed { tag, .. } => {
            seen.push(format!("placed {tag}"));
            None
        }
        Event::Returned(_) => {
            seen.push("returned".to_owned());
            None
        }
    };
    pair.receiver.receive_each(note).unwrap();
    assert_eq!(seen, ["message 0", "placed 1", "message 2", "returned"]);
}

/// The name of a request is used up when its buffer comes back, even if the same buffer is posted in the same
/// slot again.
#[test]
fn a_request_that_has_come_back_is_none_for_ever() {
    let mut pair = Pair::new();
    let peer = pair.peer();
    let buffer = pair.buffers().into_iter().next().unwrap();
    let mut free = pair.transmit.take().unwrap().split::<1>(BYTES).pop();
    let first = pair.receiver.post(buffer, None).unwrap();
    for message in 0..2 * SLOTS {
        pair.receiver.publish();
        pair.sender.send(peer, free.take().unwrap(), 8, Message::default()).unwrap();
        pair.sender.publish();
        pair.bed.run();
        free = pair.sender.reap().map(|done| done.buffer);
        // Both ways to post it again.
        if message % 2 == 0 {
            pair.receiver.receive_messages(|_, buffer| Some(buffer)).unwrap();
        } else {
            let Some(Event::Message { buffer, .. }) = pair.receiver.receive() else {
                panic!("none has come")
            };
            pair.receiver.post(buffer, None).unwrap();
        }
        assert!(pair.receiver.posted_buffer(first).is_none() && !pair.receiver.withdraw(first), "{message}");
    }
}

/// Central makes a delivery visible, and then that its request is taken. A client that looks in between must
/// not post in the slot of that request.
#[test]
fn a_slot_whose_request_is_not_taken_yet_is_not_posted_in() {
    let mut pair = Pair::posted(SLOTS);
    pair.send(SLOTS);
    pair.bed.run();
    let memory = pair.bed.clients[1];
    memory.to_client.post_head.publish(0);
    let mut arrived = 0;
    let result = pair.receiver.receive_each(|event| match event {
        Event::Message { buffer, .. } => {
            arrived += 1;
            Some(buffer)
        }
        other => panic!("{other:?}"),
    });
    assert!(result.is_err());
    pair.receiver.publish();
    assert_eq!((arrived, memory.from_client.post_tail.observe()), (1, 128));
}

/// One send waits for a silent peer and is held; one to another peer has ended. Then central ends two of the
/// first kind, and has not counted the late end yet. The library must not take the younger one for the next.
#[test]
fn sends_to_one_peer_come_back_in_order_whenever_their_ends_are_seen() {
    let mut bed = Testbed::new(&Topology::mesh(3, 16, Mapping::Keep));
    let (mut sender, transmit, _) = bed.open(0);
    let (_silent, _, _) = bed.open(1);
    let (mut other, _, receive) = bed.open(2);
    other.post(receive.split::<1>(BYTES).pop().unwrap(), None).unwrap();
    other.publish();
    let peers = ["client1", "client2", "client1"].map(|name| sender.peer(name).unwrap());
    let buffers: heapless::Vec<_, 3> = transmit.split(BYTES);
    for ((buffer, peer), tag) in buffers.into_iter().zip(peers).zip(0..) {
        sender.send(peer, buffer, 8, Message::tagged(tag)).unwrap();
    }
    sender.publish();
    bed.run();
    assert_eq!(sender.reap().map(|done| done.tag), Some(1));
    for index in [0, 2] {
        bed.clients[0].to_client.set_delivered(index, 1, id(1), u64::from(index / 2));
    }
    assert_eq!(sender.reap().map(|done| (done.tag, done.status)), Some((0, Status::Done)));
    assert_eq!(sender.reap().map(|done| (done.tag, done.status)), Some((2, Status::Done)));
    assert!(sender.reap().is_none());
}
