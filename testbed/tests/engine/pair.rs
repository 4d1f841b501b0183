//! Central with a few clients, and what each of them has at hand.

use ferry_central::Side;
use ferry_client::{Address, Event, Message, Peer, Port, ReceiveBuffer, Status, TransmitBuffer};
use ferry_layout::config::Mapping;
use ferry_testbed::{Action, Silent, Testbed, Topology};

/// Clients, each with a port and up to 64 buffers to send and to receive. Most tests have two clients.
pub(crate) struct Pair {
    pub(crate) bed: Testbed,
    pub(crate) ports: Vec<Port<Silent>>,
    pub(crate) transmit: Vec<Vec<TransmitBuffer>>,
    pub(crate) receive: Vec<Vec<ReceiveBuffer>>,
}

impl Pair {
    pub(crate) fn new(topology: &Topology, buffer_bytes: u32) -> Self {
        let mut pair = Self {
            bed: Testbed::new(topology),
            ports: Vec::new(),
            transmit: Vec::new(),
            receive: Vec::new(),
        };
        for client in 0..u16::try_from(topology.clients.len()).unwrap() {
            let (port, transmit, receive) = pair.bed.open(client);
            pair.ports.push(port);
            pair.transmit.push(transmit.split::<64>(buffer_bytes).into_iter().collect());
            pair.receive.push(receive.split::<64>(buffer_bytes).into_iter().collect());
        }
        pair.bed.machine.actions.clear();
        pair
    }

    pub(crate) fn two(mapping: Mapping) -> Self {
        Self::new(&Topology::mesh(2, 16, mapping), 4096)
    }

    pub(crate) fn peer(&self, client: usize, other: usize) -> Peer {
        self.ports[client].peer(&format!("client{other}")).unwrap()
    }

    pub(crate) fn post(&mut self, client: usize, from: Option<usize>) {
        let buffer = self.receive[client].pop().unwrap();
        let from = from.map(|from| self.peer(client, from));
        self.ports[client].post(buffer, from).unwrap();
        self.ports[client].publish();
    }

    pub(crate) fn send(&mut self, source: usize, target: usize, bytes: &[u8], message: Message) {
        let mut buffer = self.transmit[source].pop().unwrap();
        buffer.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
        let peer = self.peer(source, target);
        self.ports[source].send(peer, buffer, u32::try_from(bytes.len()).unwrap(), message).unwrap();
        self.ports[source].publish();
    }

    pub(crate) fn reap(&mut self, client: usize) -> Option<Status> {
        let done = self.ports[client].reap()?;
        self.transmit[client].push(done.buffer);
        Some(done.status)
    }

    pub(crate) fn receive(&mut self, client: usize) -> Option<(u16, u64, Vec<u8>)> {
        match self.ports[client].receive()? {
            Event::Message { source, tag, buffer, length, .. } => {
                let bytes = buffer.bytes()[..length as usize].to_vec();
                self.receive[client].push(buffer);
                Some((source.number(), tag, bytes))
            }
            other => panic!("{other:?}"),
        }
    }

    /// Opens a window at `client` for `from`. Returns its place.
    pub(crate) fn open_window(&mut self, client: usize, from: usize) -> Address {
        let window = self.receive[client].pop().unwrap();
        let (place, from) = (window.place(), self.peer(client, from));
        self.ports[client].open_window(window, from).unwrap();
        self.ports[client].publish();
        place
    }

    /// Sends `length` bytes to a place in the receive region of `target`.
    pub(crate) fn place(&mut self, source: usize, target: usize, place: Address, length: u32) {
        let (buffer, to) = (self.transmit[source].pop().unwrap(), self.peer(source, target));
        self.ports[source].send_to(to, place, buffer, length, Message::default()).unwrap();
        self.ports[source].publish();
    }

    /// The copies since the actions were cleared, each with the client whose frames of this side were mapped
    /// last.
    pub(crate) fn copies(&self, side: Side) -> Vec<(u16, u32)> {
        let mut client = None;
        let mut copies = Vec::new();
        for action in &self.bed.machine.actions {
            match *action {
                Action::Map(owner, of, _) if of == side => client = Some(owner),
                Action::Copy(bytes) => copies.push((client.expect("a copy between mapped frames"), bytes)),
                _ => {}
            }
        }
        copies
    }
}
