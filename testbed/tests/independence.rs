//! Flows are independent (guarantee 8): whatever one peer fails to do, for however long, stops no exchange
//! with another.

use ferry_client::{Event, Message, Peer, Port, ReceiveBuffer, Status, TransmitBuffer};
use ferry_layout::config::Mapping;
use ferry_testbed::{Silent, Testbed, Topology};

/// Bytes of a buffer.
const BYTES: u32 = 64;
/// Far more messages than any ring has slots, and more than the notes in status words can count.
const LONG: u64 = 100_000;

struct Client {
    port: Port<Silent>,
    transmit: Vec<TransmitBuffer>,
    receive: Vec<ReceiveBuffer>,
}

fn open(bed: &mut Testbed, client: u16) -> Client {
    let (port, transmit, receive) = bed.open(client);
    Client {
        port,
        transmit: transmit.split::<128>(BYTES).into_iter().collect(),
        receive: receive.split::<128>(BYTES).into_iter().collect(),
    }
}

fn system(count: u16) -> (Testbed, Vec<Client>) {
    let mut bed = Testbed::new(&Topology::mesh(count, 2, Mapping::Keep));
    bed.machine.records = false;
    let clients = (0..count).map(|client| open(&mut bed, client)).collect();
    (bed, clients)
}

fn peer(client: &Client, number: u16) -> Peer {
    client.port.peer(&format!("client{number}")).unwrap()
}

impl Client {
    fn post_all(&mut self) {
        while let Some(buffer) = self.receive.pop() {
            if let Err(full) = self.port.post(buffer, None) {
                self.receive.push(full.buffer);
                break;
            }
        }
        self.port.publish();
    }

    /// Takes everything that has arrived. Returns the tags, in order.
    fn take(&mut self) -> Vec<u64> {
        let mut tags = Vec::new();
        while let Some(event) = self.port.receive() {
            match event {
                Event::Message { tag, buffer, length, .. } => {
                    assert_eq!(buffer.bytes()[..8], tag.to_le_bytes(), "its bytes");
                    assert_eq!(length, 8);
                    tags.push(tag);
                    self.receive.push(buffer);
                }
                Event::Returned(buffer) => self.receive.push(buffer),
                Event::Placed { .. } => panic!("nothing is placed"),
            }
        }
        tags
    }

    /// Reaps every send that has ended.
    fn reap(&mut self) {
        while let Some(done) = self.port.reap() {
            assert_eq!(done.status, Status::Done);
            self.transmit.push(done.buffer);
        }
    }

    /// Sends a message if there is a buffer and a slot. Returns whether there was.
    fn send(&mut self, peer: Peer, tag: u64) -> bool {
        let Some(mut buffer) = self.transmit.pop() else { return false };
        buffer.bytes_mut()[..8].copy_from_slice(&tag.to_le_bytes());
        match self.port.send(peer, buffer, 8, Message::tagged(tag)) {
            Ok(()) => true,
            Err(refused) => {
                self.transmit.push(refused.buffer);
                false
            }
        }
    }
}

/// Lets `source` send `count` messages to `target`, which takes them and posts the buffers again. All arrive,
/// once and in order.
#[track_caller]
fn exchange(bed: &mut Testbed, clients: &mut [Client], source: usize, target: usize, count: u64) {
    let to = peer(&clients[source], u16::try_from(target).unwrap());
    let (mut sent, mut arrived, mut idle) = (0, 0, 0);
    while arrived < count {
        clients[source].reap();
        while sent < count && clients[source].send(to, sent) {
            sent += 1;
        }
        clients[source].port.publish();
        clients[target].post_all();
        bed.run();
        let tags = clients[target].take();
        let expected: Vec<u64> = (arrived..arrived + tags.len() as u64).collect();
        assert_eq!(tags, expected, "once, and in order");
        arrived += tags.len() as u64;
        idle = if tags.is_empty() { idle + 1 } else { 0 };
        assert!(idle < 3, "the exchange stopped after {arrived} messages");
    }
    bed.run();
    clients[source].reap();
}

#[test]
fn t110_a_sender_goes_on_beside_a_peer_that_never_posts() {
    let (mut bed, mut clients) = system(3);
    let silent = peer(&clients[0], 1);
    assert!(clients[0].send(silent, 7));
    exchange(&mut bed, &mut clients, 0, 2, LONG);
    // The one message still waits, and is delivered when a buffer is posted.
    assert_eq!(clients[0].port.outstanding(), 1);
    clients[1].post_all();
    bed.run();
    assert_eq!(clients[1].take(), [7]);
    clients[0].reap();
    assert_eq!(clients[0].port.outstanding(), 0);
}

#[test]
fn t111_two_buffers_suffice() {
    let (mut bed, mut clients) = system(3);
    clients[0].transmit.truncate(2);
    let silent = peer(&clients[0], 1);
    assert!(clients[0].send(silent, 7));
    exchange(&mut bed, &mut clients, 0, 2, 2000);
}

/// All peers but one are silent, and each of those gets as many sends as the library allows.
#[test]
fn t112_silent_peers_leave_a_place_for_each_other_one() {
    for count in [3, 5, 9, 32] {
        let (mut bed, mut clients) = system(count);
        let (mut open, _, _) = (clients[0].port.room(), 0, 0);
        for silent in 2..count {
            let silent = peer(&clients[0], silent);
            while clients[0].send(silent, 1) {
                open -= 1;
            }
            clients[0].port.publish();
            bed.run();
            clients[0].reap();
        }
        assert_eq!(clients[0].port.room(), open);
        assert!(clients[0].port.room() >= clients[0].port.reserved(), "{count} clients");
        exchange(&mut bed, &mut clients, 0, 1, 3000);
        // A chain as long as the number of slots that are kept for each peer.
        let parts = clients[0].port.reserved();
        clients[1].post_all();
        let to = peer(&clients[0], 1);
        let mut chain = heapless::Vec::new();
        for _ in 0..parts {
            chain.push((clients[0].transmit.pop().unwrap(), 1)).unwrap();
        }
        clients[0].port.send_chain(to, &mut chain, Message::tagged(0)).unwrap();
        clients[0].port.publish();
        bed.run();
        clients[0].reap();
        assert!(clients[1].port.receive().is_some(), "{count} clients");
    }
}

#[test]
fn t113_a_receiver_posts_on_beside_a_window_and_takes_it_back() {
    let (mut bed, mut clients) = system(3);
    let silent = peer(&clients[2], 1);
    let buffer = clients[2].receive.pop().unwrap();
    let window = clients[2].port.open_window(buffer, silent).unwrap();
    exchange(&mut bed, &mut clients, 0, 2, LONG);
    clients[2].post_all();
    assert!(clients[2].port.withdraw(window), "with all slots in use");
    assert!(!clients[2].port.withdraw(window), "once");
    clients[2].port.publish();
    bed.run();
    let free = clients[2].receive.len();
    clients[2].take();
    assert_eq!(clients[2].receive.len(), free + 1, "the window comes back");
}

#[test]
fn t114_a_receiver_posts_on_beside_buffers_for_a_silent_peer() {
    let (mut bed, mut clients) = system(4);
    // As many buffers as the library allows for each of two peers.
    let mut held = Vec::new();
    for silent in [1, 3] {
        let silent = peer(&clients[2], silent);
        while let Some(buffer) = clients[2].receive.pop() {
            match clients[2].port.post(buffer, Some(silent)) {
                Ok(posted) => held.push(posted),
                Err(full) => {
                    clients[2].receive.push(full.buffer);
                    break;
                }
            }
        }
    }
    assert_eq!(held.len(), 2 * clients[2].port.slots_for_each_peer());
    exchange(&mut bed, &mut clients, 0, 2, LONG / 4);
    // One buffer is filled at last, by the peer that it is for. The others are withdrawn.
    let to = peer(&clients[1], 2);
    assert!(clients[1].send(to, 5));
    clients[1].port.publish();
    bed.run();
    assert_eq!(clients[2].take(), [5]);
    let back = held.into_iter().filter(|posted| clients[2].port.withdraw(*posted)).count();
    clients[2].port.publish();
    bed.run();
    let free = clients[2].receive.len();
    clients[2].take();
    assert_eq!(clients[2].receive.len() - free, back);
}

/// Sends and buffers at once, in both directions, while the silent peer restarts again and again.
#[test]
fn t115_a_peer_that_restarts_again_and_again_holds_up_nobody() {
    let (mut bed, mut clients) = system(3);
    for epoch in 0..20 {
        for (from, to) in [(0, 1), (2, 1)] {
            let to = peer(&clients[from], to);
            for _ in 0..10 {
                assert!(clients[from].send(to, epoch));
            }
            clients[from].port.publish();
        }
        let named = peer(&clients[2], 1);
        let buffer = clients[2].receive.pop().unwrap();
        clients[2].port.post(buffer, Some(named)).unwrap();
        exchange(&mut bed, &mut clients, 0, 2, 300);
        exchange(&mut bed, &mut clients, 2, 0, 300);
        clients[1] = open(&mut bed, 1);
        bed.run();
        for client in [0, 2] {
            while let Some(done) = clients[client].port.reap() {
                assert_eq!(done.status, Status::PeerReset);
                clients[client].transmit.push(done.buffer);
            }
        }
    }
}
