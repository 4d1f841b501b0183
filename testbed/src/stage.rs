//! A stage for the examples in the documentation of `ferry_client`: two clients that are let in, and a
//! central that runs when one of them signals it. On seL4 central has a higher priority than its clients, so
//! it also runs before [`Port::flush`] returns.

use std::cell::RefCell;
use std::rc::Rc;

use ferry_client::{
    Call, Calls, Doorbell, Event, Incoming, Message, Peer, Port, ReceiveBuffer, Regions, Request, Ticket,
    TransmitBuffer,
};
use ferry_layout::config::Mapping;

use crate::{Testbed, Topology};

/// Bytes of a buffer.
const BYTES: u32 = 2048;
/// Buffers of each kind that a client has.
const BUFFERS: usize = 16;

/// Runs central for one client.
#[derive(Clone)]
pub struct Bell {
    bed: Rc<RefCell<Testbed>>,
    client: u16,
}

impl Doorbell for Bell {
    fn ring(&mut self) {
        self.bed.borrow_mut().run_for(self.client);
    }
}

/// One client, with all its buffers.
pub struct Side {
    /// Its port.
    pub port: Port<Bell>,
    /// The other client.
    pub peer: Peer,
    /// Buffers to send.
    pub transmit: Vec<TransmitBuffer>,
    /// Buffers to receive.
    pub receive: Vec<ReceiveBuffer>,
    calls: Calls<4>,
    bed: Rc<RefCell<Testbed>>,
}

/// Central with the clients `client0` and `client1`, each of which may send to the other.
#[must_use]
pub fn bed() -> Testbed {
    Testbed::new(&Topology::mesh(2, 16, Mapping::Each))
}

/// `client0` and `client1`.
#[must_use]
pub fn pair() -> (Side, Side) {
    let bed = Rc::new(RefCell::new(bed()));
    (Side::open(&bed, 0), Side::open(&bed, 1))
}

/// A sender and a receiver, with a guard between them.
pub struct Ends {
    sender: Side,
    receiver: Side,
}

/// A guard, and the two ends of its flow.
#[must_use]
pub fn guarded() -> (Side, Ends) {
    let bed = Testbed::new(&Topology::guarded(&[(&[2], 1)], Mapping::Each, 50));
    let bed = Rc::new(RefCell::new(bed));
    let (sender, mut receiver, guard) = (Side::open(&bed, 0), Side::open(&bed, 1), Side::open(&bed, 2));
    receiver.post();
    (guard, Ends { sender, receiver })
}

impl Ends {
    /// Sends a message.
    pub fn send(&mut self, bytes: &[u8]) {
        self.sender.send(0, bytes);
    }

    /// Whether it has arrived.
    pub fn has_arrived(&mut self) -> bool {
        self.receiver.take().is_some()
    }
}

/// The regions of a client, and what signals central for it.
#[must_use]
pub fn regions() -> (Regions, Bell) {
    let bed = bed();
    let regions = bed.regions(0);
    (regions, Bell { bed: Rc::new(RefCell::new(bed)), client: 0 })
}

impl Side {
    /// Lets a client in.
    pub(crate) fn open(bed: &Rc<RefCell<Testbed>>, client: u16) -> Self {
        let regions = bed.borrow().regions(client);
        let (opening, transmit, receive) = Port::open(regions, Bell { bed: Rc::clone(bed), client });
        let Ok(port) = opening.poll() else { panic!("client {client} was not let in") };
        let peer = port.peer(if client == 0 { "client1" } else { "client0" });
        let transmit = transmit.split::<BUFFERS>(BYTES).into_iter().collect();
        let receive = receive.split::<BUFFERS>(BYTES).into_iter().collect();
        let peer = peer.expect("there are flows in both directions");
        Self { port, peer, transmit, receive, calls: Calls::new(), bed: Rc::clone(bed) }
    }

    /// Posts a buffer for anyone.
    pub fn post(&mut self) {
        let buffer = self.receive.pop().expect("a buffer is free");
        self.port.post(buffer, None).expect("a slot is free");
        self.port.flush();
    }

    /// Sends a message.
    pub fn send(&mut self, tag: u64, bytes: &[u8]) {
        let (buffer, length) = self.filled(bytes);
        self.port.send(self.peer, buffer, length, Message::tagged(tag)).expect("a slot is free");
        self.port.flush();
    }

    /// Takes the next message.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        let Event::Message { buffer, length, .. } = self.port.receive()? else { return None };
        let bytes = buffer.bytes()[..length as usize].to_vec();
        self.receive.push(buffer);
        Some(bytes)
    }

    /// Calls the other client.
    pub fn call(&mut self, bytes: &[u8]) -> Ticket {
        self.post();
        let (buffer, length) = self.filled(bytes);
        let ticket = self.calls.call(&mut self.port, self.peer, buffer, length, Call::default());
        self.port.flush();
        ticket.expect("a call is free")
    }

    /// The reply to a call, which is the next thing that has arrived.
    pub fn answer_to(&mut self, ticket: Ticket) -> Vec<u8> {
        match self.port.receive().map(|event| self.calls.received(event)) {
            Some(Incoming::Reply { ticket: of, buffer, length }) if of == ticket => {
                buffer.bytes()[..length as usize].to_vec()
            }
            other => panic!("{other:?} is no reply to {ticket:?}"),
        }
    }

    /// Answers the call that is the next thing that has arrived.
    pub fn serve(&mut self, answer: impl FnOnce(&[u8]) -> Vec<u8>) {
        let event = self.port.receive().expect("a request has arrived");
        let request = Request::of(event).expect("it is a request");
        let bytes = answer(&request.buffer.bytes()[..request.length as usize]);
        let (buffer, length) = self.filled(&bytes);
        request.caller.reply(&mut self.port, buffer, length, 0).expect("a slot is free");
        self.receive.push(request.buffer);
        self.port.flush();
    }

    /// Lets this many ticks pass.
    pub fn ticks(&self, ticks: u32) {
        for _ in 0..ticks {
            self.bed.borrow_mut().tick();
        }
    }

    fn filled(&mut self, bytes: &[u8]) -> (TransmitBuffer, u32) {
        let mut buffer = self.transmit.pop().expect("a buffer is free");
        buffer.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
        (buffer, u32::try_from(bytes.len()).expect("a short message"))
    }
}
