//! A call ends once, whatever the server does, and every buffer comes back.

use ferry_client::{
    Call, CallError, Caller, Calls, Event, Incoming, Message, Peer, Port, Reaped, ReceiveBuffer, Request,
    SendError, Status, Stray, Ticket, TransmitBuffer,
};
use ferry_layout::config::Mapping;
use ferry_testbed::{Silent, Testbed, Topology};

/// Bytes of a buffer.
const BYTES: u32 = 1024;

/// A client with what it has.
struct Party {
    port: Port<Silent>,
    transmit: Vec<TransmitBuffer>,
    receive: Vec<ReceiveBuffer>,
}

/// Client 0 calls; clients 1 and 2 serve.
struct Scene {
    bed: Testbed,
    parties: Vec<Party>,
    calls: Calls<4>,
}

impl Scene {
    /// Every client has posted four buffers.
    fn new() -> Self {
        let mut bed = Testbed::new(&Topology::mesh(3, 16, Mapping::Each));
        let parties = (0..3).map(|client| Party::open(&mut bed, client)).collect();
        let mut scene = Self { bed, parties, calls: Calls::new() };
        for client in 0..3 {
            scene.post(client, 4);
        }
        scene
    }

    fn post(&mut self, client: usize, buffers: usize) {
        let party = &mut self.parties[client];
        for buffer in party.receive.drain(..buffers) {
            party.port.post(buffer, None).unwrap();
        }
        party.port.publish();
    }

    fn peer(&self, client: usize, other: usize) -> Peer {
        self.parties[client].port.peer(&format!("client{other}")).unwrap()
    }

    /// Calls `server` and runs central.
    fn call(&mut self, server: usize, call: Call) -> Ticket {
        let peer = self.peer(0, server);
        let Party { port, transmit, .. } = &mut self.parties[0];
        let ticket = self.calls.call(port, peer, transmit.pop().unwrap(), 8, call).unwrap();
        port.publish();
        self.bed.run();
        ticket
    }

    /// The callers of all requests that have arrived at `server`. Their buffers are posted again.
    fn requests(&mut self, server: usize) -> Vec<Caller> {
        let port = &mut self.parties[server].port;
        let mut callers = Vec::new();
        while let Some(event) = port.receive() {
            let request = Request::of(event).unwrap();
            port.post(request.buffer, None).unwrap();
            callers.push(request.caller);
        }
        port.publish();
        callers
    }

    fn reply(&mut self, server: usize, caller: Caller, bytes: &[u8]) {
        let Party { port, transmit, .. } = &mut self.parties[server];
        let mut buffer = transmit.pop().unwrap();
        buffer.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
        caller.reply(port, buffer, u32::try_from(bytes.len()).unwrap(), 0).unwrap();
        port.publish();
        self.bed.run();
    }

    /// Sends a message with any tag, as a hostile server can.
    fn forge(&mut self, server: usize, tag: u64) {
        let peer = self.peer(server, 0);
        let Party { port, transmit, .. } = &mut self.parties[server];
        port.send(peer, transmit.pop().unwrap(), 8, Message::tagged(tag)).unwrap();
        port.publish();
        self.bed.run();
    }

    /// The next thing that has arrived at the caller. Its buffer is posted again, and must be one of the
    /// four.
    fn received(&mut self) -> Option<Seen> {
        let port = &mut self.parties[0].port;
        let (seen, buffer) = match self.calls.received(port.receive()?) {
            Incoming::Reply { ticket, buffer, length } => {
                (Seen::Reply(ticket, buffer.bytes()[..length as usize].to_vec()), buffer)
            }
            Incoming::Stray { source, reason, buffer } => (Seen::Stray(source.number(), reason), buffer),
            Incoming::Request(request) => (Seen::Request, request.buffer),
            Incoming::Other(Event::Message { tag, buffer, .. }) => (Seen::Message(tag), buffer),
            Incoming::Other(other) => panic!("{other:?}"),
        };
        port.post(buffer, None).unwrap();
        port.publish();
        Some(seen)
    }

    /// The next send of the caller that has ended.
    fn reaped(&mut self) -> Option<Ended> {
        let Party { port, transmit, .. } = &mut self.parties[0];
        let (ended, buffer) = match self.calls.reaped(port.reap()?) {
            Reaped::Returned(buffer) => (Ended::Returned, buffer),
            Reaped::Failed { ticket, status, buffer } => (Ended::Failed(ticket, status), buffer),
            Reaped::Other(done) => (Ended::Other(done.tag), done.buffer),
        };
        transmit.push(buffer);
        Some(ended)
    }

    /// Restarts a client.
    fn restart(&mut self, client: usize) {
        self.parties[client] = Party::open(&mut self.bed, u16::try_from(client).unwrap());
    }
}

impl Party {
    fn open(bed: &mut Testbed, client: u16) -> Self {
        let (port, transmit, receive) = bed.open(client);
        let transmit = transmit.split::<16>(BYTES).into_iter().collect();
        let receive = receive.split::<16>(BYTES).into_iter().collect();
        Self { port, transmit, receive }
    }
}

#[derive(PartialEq, Eq, Debug)]
enum Seen {
    Reply(Ticket, Vec<u8>),
    Stray(u16, Stray),
    Request,
    Message(u64),
}

#[derive(PartialEq, Eq, Debug)]
enum Ended {
    Returned,
    Failed(Ticket, Status),
    Other(u64),
}

/// The tag of a reply to the request with this tag.
const fn reply_to(request: u64) -> u64 {
    request | 1 << 62
}

/// The tag of the next request at `server`, whose buffer is posted again.
fn tag_of_request(scene: &mut Scene, server: usize) -> u64 {
    let port = &mut scene.parties[server].port;
    let Some(Event::Message { tag, buffer, .. }) = port.receive() else { panic!("no request has arrived") };
    port.post(buffer, None).unwrap();
    port.publish();
    tag
}

#[test]
fn replies_find_their_calls_in_any_order() {
    let mut scene = Scene::new();
    let tickets = [1, 2, 1].map(|server| scene.call(server, Call::default()));
    let [first, third] = <[Caller; 2]>::try_from(scene.requests(1)).unwrap();
    let [second] = <[Caller; 1]>::try_from(scene.requests(2)).unwrap();
    scene.reply(1, third, b"third");
    scene.reply(2, second, b"second");
    scene.reply(1, first, b"first");
    for (ticket, answer) in [(2, b"third".as_slice()), (1, b"second"), (0, b"first")] {
        assert_eq!(scene.received(), Some(Seen::Reply(tickets[ticket], answer.to_vec())));
    }
    assert!(scene.calls.is_empty());
    assert_eq!([(); 4].map(|()| scene.reaped()).iter().flatten().count(), 3, "all buffers came back");
}

#[test]
fn a_reply_that_comes_before_its_request_was_reaped_ends_the_call() {
    let mut scene = Scene::new();
    let ticket = scene.call(1, Call::default());
    let caller = scene.requests(1).pop().unwrap();
    scene.reply(1, caller, b"soon");
    assert_eq!(scene.received(), Some(Seen::Reply(ticket, b"soon".to_vec())));
    assert_eq!(scene.reaped(), Some(Ended::Returned));
    assert_eq!((scene.reaped(), scene.calls.len()), (None, 0));
}

#[test]
fn a_reply_to_a_call_that_was_never_made_is_the_servers_fault() {
    let mut scene = Scene::new();
    scene.call(1, Call::default());
    let tag = tag_of_request(&mut scene, 1);
    let next_serial = tag + (1 << 8);
    for forged in [next_serial, next_serial + 3, tag + (0xffff << 8)] {
        scene.forge(1, reply_to(forged));
        assert_eq!(scene.received(), Some(Seen::Stray(1, Stray::Never)), "{forged:#x}");
    }
    // A slot that the table does not have, and a slot of another call: the serial number was given away.
    for forged in [tag | 0xff, tag | 1] {
        scene.forge(1, reply_to(forged));
        assert_eq!(scene.received(), Some(Seen::Stray(1, Stray::Ended)), "{forged:#x}");
    }
    assert_eq!(scene.calls.len(), 1, "the call goes on");
}

#[test]
fn a_reply_from_another_server_does_not_end_the_call() {
    let mut scene = Scene::new();
    let ticket = scene.call(1, Call::default());
    let tag = tag_of_request(&mut scene, 1);
    scene.forge(2, reply_to(tag));
    assert_eq!(scene.received(), Some(Seen::Stray(2, Stray::Elsewhere)));
    scene.forge(1, reply_to(tag));
    assert!(matches!(scene.received(), Some(Seen::Reply(of, _)) if of == ticket));
}

#[test]
fn the_second_of_two_replies_is_a_stray_also_when_the_slot_has_a_new_call() {
    let mut scene = Scene::new();
    let first = scene.call(1, Call::default());
    let tag = tag_of_request(&mut scene, 1);
    scene.forge(1, reply_to(tag));
    assert!(matches!(scene.received(), Some(Seen::Reply(of, _)) if of == first));
    scene.forge(1, reply_to(tag));
    assert_eq!(scene.received(), Some(Seen::Stray(1, Stray::Ended)));
    let second = scene.call(1, Call::default());
    assert_eq!(second.slot(), first.slot());
    scene.forge(1, reply_to(tag));
    assert_eq!(scene.received(), Some(Seen::Stray(1, Stray::Ended)));
    assert_eq!(scene.calls.len(), 1, "the new call goes on");
}

#[test]
fn a_reply_after_the_time_out_is_known_as_late() {
    let mut scene = Scene::new();
    let late = scene.call(1, Call { deadline: Some(20), ..Call::default() });
    let patient = scene.call(1, Call { deadline: Some(30), ..Call::default() });
    let [first, second] = <[Caller; 2]>::try_from(scene.requests(1)).unwrap();
    assert_eq!(scene.calls.next_deadline(), Some(20));
    assert_eq!(scene.calls.expire(19), None);
    assert_eq!(scene.calls.expire(20), Some(late));
    assert_eq!(scene.calls.expire(20), None);
    assert_eq!(scene.calls.next_deadline(), Some(30));
    scene.reply(1, first, b"late");
    scene.reply(1, second, b"in time");
    assert_eq!(scene.received(), Some(Seen::Stray(1, Stray::Ended)));
    assert_eq!(scene.received(), Some(Seen::Reply(patient, b"in time".to_vec())));
    assert_eq!([(); 3].map(|()| scene.reaped()), [Some(Ended::Returned), Some(Ended::Returned), None]);
}

#[test]
fn a_request_that_no_buffer_is_posted_for_expires_at_central_and_its_buffer_comes_back() {
    let mut scene = Scene::new();
    scene.restart(1);
    let call = Call { time_to_live: 2, deadline: Some(100), ..Call::default() };
    let (first, second) = (scene.call(1, call), scene.call(1, call));
    // The caller gives the second one up before central does.
    assert!(scene.calls.cancel(second));
    for _ in 0..3 {
        scene.bed.tick();
    }
    assert_eq!(scene.reaped(), Some(Ended::Failed(first, Status::Expired)));
    assert_eq!(scene.reaped(), Some(Ended::Returned), "this call had ended before");
    assert_eq!((scene.reaped(), scene.calls.len()), (None, 0));
    assert_eq!(scene.parties[0].transmit.len(), 16);
}

#[test]
fn a_server_that_restarts_fails_what_waits_and_leaves_the_rest_to_the_time_out() {
    let mut scene = Scene::new();
    let deadline = Some(10);
    let taken = scene.call(1, Call { deadline, ..Call::default() });
    let caller = scene.requests(1).pop().unwrap();
    // These are delivered, and lost with the server's earlier life.
    for _ in 0..3 {
        scene.call(1, Call { deadline, ..Call::default() });
    }
    scene.restart(1);
    scene.bed.run();
    // The new life knows nothing of the old one's callers, but a hostile server might.
    scene.reply(1, caller, b"from before");
    assert_eq!(scene.received(), Some(Seen::Reply(taken, b"from before".to_vec())));
    let mut expired = 0;
    while scene.calls.expire(10).is_some() {
        expired += 1;
    }
    assert_eq!((expired, scene.calls.len()), (3, 0));
}

#[test]
fn a_request_that_waits_when_the_server_restarts_fails_with_peer_reset() {
    let mut scene = Scene::new();
    scene.restart(1);
    let ticket = scene.call(1, Call::default());
    scene.restart(1);
    scene.bed.run();
    assert_eq!(scene.reaped(), Some(Ended::Failed(ticket, Status::PeerReset)));
    assert!(scene.calls.is_empty());
}

#[test]
fn a_reply_to_an_earlier_life_of_the_caller_ends_no_call_of_this_one() {
    let mut scene = Scene::new();
    scene.call(1, Call::default());
    let old = tag_of_request(&mut scene, 1);
    scene.restart(0);
    scene.calls = Calls::new();
    scene.post(0, 4);
    scene.forge(1, reply_to(old));
    assert_eq!(scene.received(), Some(Seen::Stray(1, Stray::Ended)), "before the first call");
    let ticket = scene.call(1, Call::default());
    let new = tag_of_request(&mut scene, 1);
    assert_ne!(old, new, "the same slot and serial number, but another epoch");
    scene.forge(1, reply_to(old));
    assert_eq!(scene.received(), Some(Seen::Stray(1, Stray::Ended)));
    // The serial number begins at bit 8.
    scene.forge(1, reply_to(new + (9 << 8)));
    assert_eq!(scene.received(), Some(Seen::Stray(1, Stray::Never)));
    scene.forge(1, reply_to(new));
    assert!(matches!(scene.received(), Some(Seen::Reply(of, _)) if of == ticket));
}

/// The fields of a tag lie where the module's documentation has them. So a server of another make can read
/// them.
#[test]
fn the_tag_of_a_request_names_the_life_of_its_caller() {
    let mut scene = Scene::new();
    for life in 1..4 {
        assert_eq!(scene.bed.clients[0].to_client.epoch.observe(), life);
        for serial in 0..2 {
            scene.call(1, Call::default());
            let tag = tag_of_request(&mut scene, 1);
            assert_eq!((tag >> 62, tag >> 46 & 0xffff), (0b10, life.into()), "{tag:x}");
            assert_eq!((tag >> 8 & 0xff_ffff, tag & 0xff), (serial, serial), "{tag:x}");
        }
        scene.restart(0);
        scene.calls = Calls::new();
        scene.post(0, 4);
    }
}

#[test]
fn a_call_that_is_refused_leaves_nothing_behind() {
    let mut scene = Scene::new();
    let server = scene.peer(0, 1);
    for _ in 0..4 {
        scene.call(1, Call::default());
    }
    let Party { port, transmit, .. } = &mut scene.parties[0];
    let refused = scene.calls.call(port, server, transmit.pop().unwrap(), 8, Call::default()).unwrap_err();
    assert_eq!(refused.reason, CallError::TooMany);
    let mut calls = Calls::<4>::new();
    let refused = calls.call(port, server, refused.buffer, BYTES + 1, Call::default()).unwrap_err();
    assert_eq!(refused.reason, CallError::Send(SendError::BeyondBuffer));
    assert!(calls.is_empty());
}

#[test]
fn a_reply_that_is_refused_can_be_tried_again() {
    let mut scene = Scene::new();
    scene.call(1, Call::default());
    let caller = scene.requests(1).pop().unwrap();
    let Party { port, transmit, .. } = &mut scene.parties[1];
    let refused = caller.reply(port, transmit.pop().unwrap(), BYTES + 1, 0).unwrap_err();
    assert_eq!(refused.reason, SendError::BeyondBuffer);
    refused.caller.reply(port, refused.buffer, 4, 0).unwrap();
    port.publish();
    scene.bed.run();
    assert!(matches!(scene.received(), Some(Seen::Reply(..))));
}

/// A caller that posts nothing keeps a server's buffer only as long as the server lets it.
#[test]
fn a_reply_that_nobody_takes_expires() {
    let mut scene = Scene::new();
    scene.restart(0);
    scene.calls = Calls::new();
    scene.call(1, Call::default());
    let caller = scene.requests(1).pop().unwrap();
    assert_eq!(caller.source().number(), 0);
    let Party { port, transmit, .. } = &mut scene.parties[1];
    caller.reply(port, transmit.pop().unwrap(), 4, 2).unwrap();
    port.publish();
    scene.bed.run();
    for _ in 0..3 {
        scene.bed.tick();
    }
    assert_eq!(scene.parties[1].port.reap().map(|done| done.status), Some(Status::Expired));
}

#[test]
fn other_messages_pass_through_as_they_are() {
    let mut scene = Scene::new();
    scene.forge(1, 7);
    assert_eq!(scene.received(), Some(Seen::Message(7)));
    // A reply bit alone makes no reply.
    scene.forge(1, 1 << 62);
    assert_eq!(scene.received(), Some(Seen::Message(1 << 62)));
    scene.forge(1, 1 << 63);
    assert_eq!(scene.received(), Some(Seen::Request));
    let server = scene.peer(0, 1);
    let Party { port, transmit, .. } = &mut scene.parties[0];
    port.send(server, transmit.pop().unwrap(), 8, Message::tagged(9)).unwrap();
    port.publish();
    scene.bed.run();
    assert_eq!(scene.reaped(), Some(Ended::Other(9)));
}
