//! Central's start: it takes over a configuration, and tells every client who it is and whom it may talk to.

use ferry_layout::config::{ClientRecord, Config};
use ferry_layout::{DomainId, Peer};

use super::Engine;
use super::client::Ports;
use crate::budget::Budget;

impl Engine {
    /// Takes over a checked configuration and introduces central to every client. `ports` returns the pages
    /// of a client. A client for which it returns none is not served.
    ///
    /// If an earlier central has served these clients, its work is taken up where those pages say that it
    /// stopped (`resume.rs`). This must be called once, on a new engine. Nothing may be mapped in the window
    /// when the engine runs for the first time.
    pub fn configure(&mut self, config: &Config<'_>, mut ports: impl FnMut(&ClientRecord) -> Option<Ports>) {
        for flow in config.flows() {
            if let (Some(source), Some(target)) = (DomainId::new(flow.source), DomainId::new(flow.target)) {
                self.flows.grant(source, target, flow);
                let target = &mut self.clients[target];
                target.has_several_senders = !target.senders.is_empty();
                target.senders.insert(source);
                self.has_urgent |= flow.urgent != 0;
            }
        }
        for (id, record) in config.clients() {
            self.all.insert(id);
            let client = &mut self.clients[id];
            client.budget = Budget::of(record);
            client.transmit_buffer.configure(&record.transmit);
            client.receive_buffer.configure(&record.receive);
            client.ports = ports(record);
            if let Some(ports) = client.ports {
                let peers = config.clients().filter_map(|(peer, record)| self.peer(id, peer, record));
                ports.to_client.introduce(id.number(), record.transmit.bytes, record.receive.bytes, peers);
                ports.to_client.wake_for_requests.disarm();
                ports.to_client.wake.arm();
            }
        }
        self.resume();
    }

    /// The entry for `peer` in the directory of `client`. `None` if they share no flow.
    fn peer(&self, client: DomainId, peer: DomainId, record: &ClientRecord) -> Option<Peer> {
        let (to, from) = (self.flows.get(client, peer), self.flows.get(peer, client));
        (to.is_granted() || from.is_granted()).then(|| Peer {
            name: record.name,
            max_message: to.max_message,
            domain: peer.number(),
            may_send: to.is_granted().into(),
            may_receive: from.is_granted().into(),
        })
    }
}
