//! What a client can ask its port, and what its port refuses by itself.

use std::cell::Cell;
use std::rc::Rc;

use ferry_client::{
    Call, Calls, DomainId, Event, Message, Peer, Port, ReceiveBuffer, SendError, TransmitBuffer,
};
use ferry_layout::config::Mapping;
use ferry_layout::{Descriptor, flags};
use ferry_testbed::{ClientMemory, Silent, Testbed, Topology};
use heapless::Vec;

/// Bytes of a buffer.
const BYTES: u32 = 256;

struct Client {
    port: Port<Silent>,
    transmit: Vec<TransmitBuffer, 64>,
    receive: Vec<ReceiveBuffer, 64>,
    memory: ClientMemory,
}

fn three() -> (Testbed, [Client; 3]) {
    let mut topology = Topology::mesh(3, 16, Mapping::Each);
    topology.flows.iter_mut().for_each(|flow| flow.urgent = 1);
    let mut bed = Testbed::new(&topology);
    let clients = [0, 1, 2].map(|number: u16| {
        let (port, transmit, receive) = bed.open(number);
        let memory = bed.clients[usize::from(number)];
        Client { port, transmit: transmit.split(BYTES), receive: receive.split(BYTES), memory }
    });
    (bed, clients)
}

#[test]
fn who_it_is_and_who_its_peers_are() {
    let (mut bed, [mut one, mut other, third]) = three();
    let numbers = [&one, &other, &third].map(|client| client.port.domain());
    assert_eq!((numbers, third.port.directory().domain()), ([0, 1, 2], 2));
    assert_eq!(third.port.reserved(), 16);
    let peer: Peer = one.port.peer("client1").unwrap();
    let domain = DomainId::new(1);
    assert_eq!(Port::<Silent>::domain_of(&peer), domain);
    assert_eq!(one.port.peer_of(domain.unwrap()), Some(peer));
    assert_eq!(other.port.peer_of(domain.unwrap()), None);
    let sender = other.port.peer("client0").unwrap();
    one.port.post(one.receive.pop().unwrap(), None).unwrap();
    one.port.publish();
    other.port.send(sender, other.transmit.pop().unwrap(), 4, Message::default()).unwrap();
    other.port.publish();
    bed.run();
    let event = one.port.receive().unwrap();
    assert!(matches!(event, Event::Message { .. }));
    assert_eq!(event.source(), domain);
}

#[test]
fn a_part_of_a_chain_fits_its_buffer() {
    let (_, [mut client, ..]) = three();
    let peer = client.port.peer("client1").unwrap();
    for (lengths, expected) in [
        ([BYTES, BYTES], Ok(())),
        ([BYTES, 1], Ok(())),
        ([0, 0], Ok(())),
        ([BYTES + 1, 1], Err(SendError::BeyondBuffer)),
        ([1, BYTES + 1], Err(SendError::BeyondBuffer)),
        ([1, u32::MAX], Err(SendError::BeyondBuffer)),
    ] {
        let parts = lengths.map(|length| (client.transmit.pop().unwrap(), length));
        let mut parts: Vec<(TransmitBuffer, u32), _> = parts.into_iter().collect();
        let sent = client.port.send_chain(peer, &mut parts, Message::default());
        assert_eq!((sent, parts.len()), (expected, if expected.is_ok() { 0 } else { 2 }), "{lengths:?}");
    }
}

#[test]
fn a_call_is_as_urgent_as_it_is_said_to_be() {
    let (_, [mut client, ..]) = three();
    let server = client.port.peer("client1").unwrap();
    let mut calls = Calls::<4>::new();
    assert!(calls.is_empty());
    for (index, urgent) in (0..).zip([false, true]) {
        let call = Call { urgent, ..Call::default() };
        calls.call(&mut client.port, server, client.transmit.pop().unwrap(), 8, call).unwrap();
        let sent: Descriptor = client.memory.from_client.descriptors.load(index);
        assert_eq!(sent.flags & flags::URGENT != 0, urgent);
    }
    assert!(!calls.is_empty());
}

#[test]
fn a_client_that_does_something_else_asks_for_no_signal() {
    let (_, [mut client, ..]) = three();
    assert!(!client.port.arm(), "there is nothing to do");
    assert!(client.memory.from_client.wake.asks_for_signal());
    client.port.disarm();
    assert!(!client.memory.from_client.wake.asks_for_signal());
}

/// Central asks by two hints: for what it has to do, and for buffers and places that a message may wait for.
#[test]
fn central_is_signalled_for_what_it_asks_for_and_for_nothing_else() {
    let mut bed = Testbed::new(&Topology::mesh(2, 16, Mapping::Each));
    let rings = Rc::new(Cell::new(0));
    let count = Rc::clone(&rings);
    let (opening, transmit, receive) = Port::open(bed.regions(0), move || count.set(count.get() + 1));
    bed.run_for(0);
    let mut port = opening.poll().ok().unwrap();
    let (mut transmit, mut receive) = (transmit.split::<8>(BYTES), receive.split::<8>(BYTES));
    let peer = port.peer("client1").unwrap();
    let to_client = bed.clients[0].to_client;
    for (asks, sends, posts) in
        (0..16).map(|bits| ([bits & 1 != 0, bits & 2 != 0], bits & 4 != 0, bits & 8 != 0))
    {
        for (hint, asks) in [&to_client.wake, &to_client.wake_for_requests].into_iter().zip(asks) {
            if asks { hint.arm() } else { hint.disarm() }
        }
        if sends {
            port.send(peer, transmit.pop().unwrap(), 8, Message::default()).unwrap();
        }
        if posts {
            port.post(receive.pop().unwrap(), None).unwrap();
        }
        rings.set(0);
        port.flush();
        let expected = (sends && asks[0]) || (posts && asks[1]);
        assert_eq!(rings.get(), u32::from(expected), "asks {asks:?}, sends {sends}, posts {posts}");
    }
}

#[test]
fn a_peer_has_as_many_slots_for_requests_as_it_is_said_and_no_others() {
    let (mut bed, [mut one, mut other, _]) = three();
    let [first, second] = ["client1", "client2"].map(|name| one.port.peer(name).unwrap());
    for _ in 0..one.port.slots_for_each_peer() {
        one.port.post(one.receive.pop().unwrap(), Some(first)).unwrap();
    }
    one.port.post(one.receive.pop().unwrap(), Some(second)).unwrap();
    let refused = one.port.post(one.receive.pop().unwrap(), Some(first)).unwrap_err();
    one.port.publish();
    let here = other.port.peer("client0").unwrap();
    other.port.send(here, other.transmit.pop().unwrap(), 4, Message::default()).unwrap();
    other.port.publish();
    bed.run();
    assert!(matches!(one.port.receive(), Some(Event::Message { .. })));
    one.port.post(refused.buffer, Some(first)).unwrap();
    assert!(one.port.post(one.receive.pop().unwrap(), Some(first)).is_err());
}

/// A window keeps its slot, so the ring of requests passes over it in each lap.
#[test]
fn messages_are_taken_while_a_window_stays_open() {
    let (mut bed, [mut one, mut other, _]) = three();
    let (peer, here) = (one.port.peer("client1").unwrap(), other.port.peer("client0").unwrap());
    one.port.open_window(one.receive.pop().unwrap(), peer).unwrap();
    for _ in 0..7 {
        one.port.post(one.receive.pop().unwrap(), None).unwrap();
    }
    one.port.publish();
    for round in 0..200 {
        for _ in 0..2 {
            other.port.send(here, other.transmit.pop().unwrap(), 4, Message::default()).unwrap();
        }
        other.port.publish();
        bed.run();
        let mut count = 0;
        let is_other_next = one.port.receive_messages(|_, buffer| {
            count += 1;
            Some(buffer)
        });
        assert_eq!((count, is_other_next.unwrap()), (2, false), "round {round}");
        one.port.publish();
        bed.run();
        while let Some(done) = other.port.reap() {
            other.transmit.push(done.buffer).ok().unwrap();
        }
    }
}
