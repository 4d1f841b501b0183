//! How sends end that central holds: in the order of the ring, or in another order.

use ferry_client::{
    Message, OutgoingByRoute, Peer, Port, ReceiveBuffer, Route, SendError, Status, TransmitBuffer,
};
use ferry_layout::config::Mapping;
use ferry_layout::observe::set_hook;
use ferry_testbed::{Silent, Testbed, Topology};
use heapless::Vec;

const BYTES: u32 = 256;
/// Slots of the ring of sends, and those of them that are kept for each of two peers.
const SLOTS: u32 = 128;
const RESERVED: u32 = 16;

/// A sender and two receivers.
struct Trio {
    bed: Testbed,
    sender: Port<Silent>,
    peers: [Peer; 2],
    transmit: Vec<TransmitBuffer, 160>,
    receivers: [(Port<Silent>, Vec<ReceiveBuffer, 128>); 2],
}

impl Trio {
    fn new() -> Self {
        let mut bed = Testbed::new(&Topology::mesh(3, 16, Mapping::Keep));
        let (sender, transmit, _) = bed.open(0);
        let peers = ["client1", "client2"].map(|name| sender.peer(name).unwrap());
        let receivers = [1, 2].map(|number| {
            let (port, _, receive) = bed.open(number);
            (port, receive.split(BYTES))
        });
        Self { bed, sender, peers, transmit: transmit.split(BYTES), receivers }
    }

    /// Sends one message to receiver `to`, and publishes it.
    fn send(&mut self, to: usize, tag: u64, time_to_live: u32) -> Result<(), SendError> {
        let buffer = self.transmit.pop().unwrap();
        let message = Message { time_to_live, ..Message::tagged(tag) };
        let sent = self.sender.send(self.peers[to], buffer, 8, message);
        self.sender.publish();
        sent.map_err(|refused| {
            self.transmit.push(refused.buffer).ok().unwrap();
            refused.reason
        })
    }

    /// Receiver `of` posts this many buffers, and central runs.
    fn post(&mut self, of: usize, count: usize) {
        let (port, buffers) = &mut self.receivers[of];
        for _ in 0..count {
            port.post(buffers.pop().unwrap(), None).unwrap();
        }
        port.publish();
        self.bed.run();
    }

    /// What comes back now: tags and statuses.
    fn reap(&mut self) -> std::vec::Vec<(u64, Status)> {
        let mut ended = vec![];
        while let Some(done) = self.sender.reap() {
            ended.push((done.tag, done.status));
            self.transmit.push(done.buffer).ok().unwrap();
        }
        ended
    }
}

/// A send that waits lies between those that have ended.
#[test]
fn no_more_is_taken_back_than_is_asked_for() {
    for most in 0..4 {
        let mut trio = Trio::new();
        for (tag, to) in (0..).zip([1, 0, 1, 1]) {
            trio.send(to, tag, 0).unwrap();
        }
        trio.post(1, 3);
        let mut tags = vec![];
        let each = |done: ferry_client::Completion| {
            tags.push(done.tag);
            None
        };
        trio.sender.reap_most(most, each).unwrap();
        assert_eq!(tags, [0, 2, 3][..most as usize]);
    }
}

/// The ring is full again and again, always with sends that wait.
#[test]
fn sends_that_wait_for_one_peer_come_back_in_their_order_lap_after_lap() {
    let mut trio = Trio::new();
    let (mut next, mut expected) = (0_u64, 0_u64);
    for lap in 0..7 {
        while trio.send(0, next, 0).is_ok() {
            next += 1;
        }
        trio.bed.run();
        assert!(!trio.sender.arm(), "all wait");
        assert_eq!(u64::from(trio.sender.outstanding()), next - expected);
        assert_eq!(trio.sender.status(0), Some(Status::Queued));
        // Not the whole ring, so that the next lap begins with sends that waited before.
        let some = 9 + 4 * lap;
        trio.post(0, some);
        assert!(trio.sender.arm());
        // One by one, and all at once.
        if lap % 2 == 0 {
            for (tag, status) in trio.reap() {
                assert_eq!((tag, status), (expected, Status::Done));
                expected += 1;
            }
        } else {
            let transmit = &mut trio.transmit;
            let each = |done: ferry_client::Completion| {
                assert_eq!((done.tag, done.status), (expected, Status::Done));
                expected += 1;
                transmit.push(done.buffer).ok().unwrap();
                None
            };
            trio.sender.reap_each(each).unwrap();
        }
        assert_eq!(u64::from(trio.sender.outstanding()), next - expected);
        let (port, buffers) = &mut trio.receivers[0];
        while let Some(ferry_client::Event::Message { buffer, .. }) = port.receive() {
            buffers.push(buffer).ok().unwrap();
        }
        port.publish();
        assert!(!trio.sender.arm(), "the others still wait");
    }
    assert_eq!(expected, (0..7).map(|lap| 9 + 4 * lap).sum::<u64>());
}

/// The client looked when two sends waited. Since then two more were taken, and all four have ended.
#[test]
fn what_was_taken_behind_sends_that_wait_comes_back_with_them() {
    let mut trio = Trio::new();
    for tags in [0..2, 2..4] {
        for tag in tags {
            trio.send(0, tag, 0).unwrap();
        }
        trio.bed.run();
        if trio.sender.outstanding() == 2 {
            assert!(!trio.sender.arm());
        }
    }
    trio.post(0, 4);
    let mut tags = vec![];
    let each = |done: ferry_client::Completion| {
        tags.push(done.tag);
        None
    };
    trio.sender.reap_each(each).unwrap();
    assert_eq!(tags, [0, 1, 2, 3], "all at once");
}

#[test]
fn a_send_that_expires_behind_others_comes_back_before_them() {
    let mut trio = Trio::new();
    for (tag, time_to_live) in [(0, 0), (1, 1), (2, 0), (3, 1)] {
        trio.send(0, tag, time_to_live).unwrap();
    }
    trio.bed.run();
    assert!(!trio.sender.arm());
    trio.bed.tick();
    assert!(trio.sender.arm());
    assert_eq!(trio.reap(), [(1, Status::Expired), (3, Status::Expired)]);
    assert!(!trio.sender.arm());
    trio.send(0, 4, 0).unwrap();
    trio.post(0, 3);
    assert_eq!(trio.reap(), [0, 2, 4].map(|tag| (tag, Status::Done)));
}

/// Sends that wait for one peer take none of the slots that are kept for another one, whether or not the
/// client has seen that they wait, and they hold up nothing.
#[test]
fn sends_that_wait_for_one_peer_leave_another_its_slots() {
    for sees_them_wait in [false, true] {
        let mut trio = Trio::new();
        let most = u64::from(SLOTS - RESERVED);
        for tag in 0..most {
            trio.send(0, tag, 0).unwrap();
        }
        assert_eq!(trio.send(0, most, 0), Err(SendError::Full));
        trio.bed.run();
        let rooms = |trio: &Trio| trio.peers.map(|peer| trio.sender.room_for(peer));
        assert_eq!(rooms(&trio), [0, 0], "they may end at once");
        assert!(!trio.sender.arm());
        assert_eq!(rooms(&trio), [0, RESERVED]);
        assert_eq!(trio.send(0, most, 0), Err(SendError::Full));
        assert_eq!(rooms(&trio), [0, RESERVED], "what was refused has taken nothing");
        for tag in 0..RESERVED.into() {
            trio.send(1, 1000 + tag, 0).unwrap();
        }
        assert_eq!(trio.send(1, 0, 0), Err(SendError::Full));
        if sees_them_wait {
            trio.bed.run();
            assert!(!trio.sender.arm());
        }
        trio.post(1, RESERVED as usize);
        assert!(trio.sender.arm());
        let expected: std::vec::Vec<_> =
            (1000..1000 + u64::from(RESERVED)).map(|tag| (tag, Status::Done)).collect();
        assert_eq!(trio.reap(), expected);
        trio.post(0, 2);
        assert_eq!(trio.reap(), [(0, Status::Done), (1, Status::Done)]);
    }
}

/// Sends to both peers wait. Each takes slots of its own peer.
#[test]
fn sends_that_wait_take_slots_of_their_own_peer() {
    let mut trio = Trio::new();
    trio.send(0, 0, 0).unwrap();
    for tag in 1..31 {
        trio.send(1, tag, 0).unwrap();
    }
    trio.bed.run();
    assert!(!trio.sender.arm());
    let rooms = trio.peers.map(|peer| trio.sender.room_for(peer));
    assert_eq!(rooms, [SLOTS - 30 - 1, SLOTS - RESERVED - 30]);
}

/// Central ends the oldest send that waits, or the one behind it, between any two accesses of the client. The
/// client sees it before it sleeps.
#[test]
fn an_end_is_seen_whenever_it_comes() {
    /// Runs with an end at access number `at`, or without one. Returns how many accesses there are.
    fn run(ended: u32, at: Option<usize>) -> usize {
        let mut trio = Trio::new();
        let most = SLOTS - RESERVED;
        for tag in 0..most {
            trio.send(0, tag.into(), 0).unwrap();
        }
        trio.bed.run();
        let (to_client, accesses) = (trio.bed.clients[0].to_client, std::rc::Rc::default());
        let (count, mut is_due) = (std::rc::Rc::<std::cell::Cell<usize>>::clone(&accesses), at.is_some());
        set_hook(Some(Box::new(move |_| {
            if is_due && Some(count.get()) == at {
                to_client.status(ended).set(ended, Status::Expired);
                to_client.ended_late.publish(1);
                is_due = false;
            }
            count.set(count.get() + 1);
        })));
        // The second of these looks at what the first has looked at.
        let mut is_seen = trio.sender.arm() | trio.sender.arm();
        // It takes a slot that is kept for this peer, so the others go out of its way.
        let is_sent = trio.send(1, 500, 0).is_ok();
        is_seen |= trio.sender.arm();
        set_hook(None);
        // Central has signalled what it has ended since the client armed its hint.
        is_seen |= trio.sender.arm();
        if at.is_some_and(|at| at < accesses.get()) {
            assert!(is_seen, "an end of {ended} before access {at:?} of {}", accesses.get());
            assert_eq!(trio.reap(), [(ended.into(), Status::Expired)], "before access {at:?}");
        } else {
            assert!(!is_seen && is_sent);
        }
        assert!(trio.reap().is_empty());
        accesses.get()
    }
    for ended in [0, 1, 70] {
        for at in 0..run(ended, None) {
            run(ended, Some(at));
        }
    }
}

#[test]
fn a_chain_behind_sends_that_wait_comes_back_after_them() {
    let mut trio = Trio::new();
    trio.send(0, 0, 0).unwrap();
    trio.bed.run();
    assert!(!trio.sender.arm());
    let mut parts: Vec<_, 16> = (0..3).map(|_| (trio.transmit.pop().unwrap(), 8)).collect();
    trio.sender.send_chain(trio.peers[0], &mut parts, Message::tagged(1)).unwrap();
    trio.sender.publish();
    trio.bed.run();
    assert!(!trio.sender.arm());
    trio.send(0, 2, 0).unwrap();
    trio.post(0, 3);
    assert_eq!(trio.reap(), [0, 1, 1, 1, 2].map(|tag| (tag, Status::Done)));
}

#[test]
fn a_send_that_waited_takes_no_slot_once_it_has_come_back() {
    let mut trio = Trio::new();
    trio.send(0, 1, 0).unwrap();
    trio.bed.run();
    assert!(!trio.sender.arm());
    trio.post(0, 1);
    assert_eq!(trio.reap(), [(1, Status::Done)]);
    assert_eq!(trio.sender.room_for(trio.peers[0]), SLOTS - RESERVED);
}

/// The client has seen that three wait. Behind them are two that wait too, and one that has ended.
#[test]
fn what_has_ended_behind_sends_that_wait_is_not_taken_for_one_of_them() {
    let mut trio = Trio::new();
    (0..3).for_each(|tag| trio.send(0, tag, 0).unwrap());
    trio.bed.run();
    assert!(!trio.sender.arm());
    (3..5).for_each(|tag| trio.send(0, tag, 0).unwrap());
    trio.send(1, 5, 0).unwrap();
    trio.post(1, 1);
    assert_eq!(trio.reap(), [(5, Status::Done)]);
}

#[test]
fn a_slot_that_is_passed_over_is_no_send() {
    let mut trio = Trio::new();
    trio.send(0, 1000, 0).unwrap();
    for tag in 1..u64::from(SLOTS) {
        trio.send(1, tag, 0).unwrap();
        trio.post(1, 1);
        assert_eq!(trio.reap(), [(tag, Status::Done)]);
    }
    trio.send(1, 128, 0).unwrap();
    assert_eq!((trio.sender.outstanding(), trio.sender.room()), (2, SLOTS - 2));
}

/// Takes back everything by a loop.
fn reap_each(trio: &mut Trio) -> std::vec::Vec<u64> {
    let mut tags = vec![];
    let each = |done: ferry_client::Completion| {
        tags.push(done.tag);
        None
    };
    trio.sender.reap_each(each).unwrap();
    tags
}

#[test]
fn a_loop_finds_what_ends_in_another_order() {
    let mut trio = Trio::new();
    trio.send(0, 0, 0).unwrap();
    trio.send(1, 1, 0).unwrap();
    trio.post(1, 1);
    assert_eq!(reap_each(&mut trio), [1]);
    trio.post(0, 1);
    assert_eq!(reap_each(&mut trio), [0]);
}

#[test]
fn what_has_come_back_can_be_sent_by_its_route() {
    let mut trio = Trio::new();
    (1..3).for_each(|tag| trio.send(0, tag, 0).unwrap());
    trio.post(0, 3);
    let route = Route::new(trio.peers[0].domain, false, false);
    let again = |done: ferry_client::Completion| {
        Some(OutgoingByRoute { route, buffer: done.buffer, length: 8, tag: done.tag + 10 })
    };
    trio.sender.reap_most_by_route(1, again).unwrap();
    trio.sender.publish();
    trio.bed.run();
    assert_eq!(trio.reap(), [2, 11].map(|tag| (tag, Status::Done)));
}

/// The first send waits, and the others of its lap expire. The ring passes over its slot, and is then full
/// for one lap, of which central has taken all but the last.
#[test]
fn the_last_send_of_a_lap_is_found_a_slot_after_one_was_passed_over() {
    let mut bed = Testbed::new(&Topology::mesh(2, 16, Mapping::Keep));
    let (mut sender, transmit, _) = bed.open(0);
    let (mut receiver, _, receive) = bed.open(1);
    let peer = sender.peer("client1").unwrap();
    let mut free: Vec<TransmitBuffer, 160> = transmit.split(BYTES);
    let send = |sender: &mut Port<Silent>, free: &mut Vec<TransmitBuffer, 160>, time_to_live| {
        let message = Message { time_to_live, ..Message::default() };
        sender.send(peer, free.pop().unwrap(), 8, message).map_err(|refused| refused.reason)
    };
    for index in 0..SLOTS {
        send(&mut sender, &mut free, index.min(1)).unwrap();
    }
    sender.publish();
    bed.run();
    bed.tick();
    for _ in 1..SLOTS {
        let done = sender.reap().unwrap();
        assert_eq!(done.status, Status::Expired);
        free.push(done.buffer).ok().unwrap();
    }
    send(&mut sender, &mut free, 0).unwrap();
    receiver.post(receive.split::<1>(BYTES).pop().unwrap(), None).unwrap();
    receiver.publish();
    bed.run();
    let done = sender.reap().unwrap();
    assert_eq!(done.status, Status::Done);
    free.push(done.buffer).ok().unwrap();
    for _ in 2..SLOTS {
        send(&mut sender, &mut free, 0).unwrap();
    }
    sender.publish();
    bed.run();
    assert_eq!(send(&mut sender, &mut free, 0), Ok(()));
    assert_eq!(send(&mut sender, &mut free, 0), Err(SendError::Full));
}
