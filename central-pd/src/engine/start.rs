//! Central's start: it takes over a configuration, and tells every client who it is and whom it may talk to.

use ferry_layout::config::{ClientRecord, Config, FlowRecord, StageRecord};
use ferry_layout::{DomainId, Peer};

use super::Engine;
use super::client::Ports;
use crate::budget::Budget;
use crate::table::ClientSet;

impl Engine {
    /// Takes over a checked configuration and introduces central to every client. `ports` returns the pages
    /// of a client. A client for which it returns none is not served.
    ///
    /// If an earlier central has served these clients, its work is taken up where those pages say that it
    /// stopped (`resume.rs`). This must be called once, on a new engine. Nothing may be mapped in the window
    /// when the engine runs for the first time. Whoever has an audit log for it calls
    /// [`keep_audit`](Self::keep_audit) first.
    pub fn configure(&mut self, config: &Config<'_>, mut ports: impl FnMut(&ClientRecord) -> Option<Ports>) {
        // The guards of one-way flows.
        let mut relaying = ClientSet::EMPTY;
        for flow in config.flows() {
            let guards = config.stages(flow).iter().fold(0, |guards, stage| guards | stage.members);
            let guards = ClientSet::of_bits(guards);
            // The guards of a flow notice each other. Its ends notice them and each other, unless it is
            // one-way.
            self.components.connect(guards);
            if flow.one_way == 0 {
                self.components
                    .connect(guards.union(ClientSet::of_bits(1 << flow.source | 1 << flow.target)));
            } else {
                relaying = relaying.union(guards);
            }
            if let (Some(source), Some(target)) = (DomainId::new(flow.source), DomainId::new(flow.target)) {
                self.flows.grant(source, target, flow);
                let receiver = &mut self.clients[target];
                if flow.one_way == 0 {
                    receiver.senders.insert(source);
                } else {
                    self.one_way.grant(source, target, flow);
                    receiver.leaves_requests = true;
                }
                self.has_urgent |= flow.urgent != 0;
                if flow.stages != 0 || flow.audit != 0 {
                    self.grant_guarded(source, target, flow, config.stages(flow));
                }
            }
        }
        // These could see by maps and unmaps which of the messages of one-way flows were delivered.
        let uncounted = relaying.union(self.components.around(self.one_way.sources));
        for (id, record) in config.clients() {
            self.all.insert(id);
            if record.announcer != ClientRecord::NO_PARTITION {
                let mut partition = ClientSet::EMPTY;
                for (other, _) in config.clients().filter(|(_, other)| other.announcer == record.announcer) {
                    partition.insert(other);
                }
                self.partitions.put(id, partition);
            }
            let client = &mut self.clients[id];
            let sends_to_it = |flow: &&FlowRecord| flow.target == id.number();
            client.has_several_senders = config.flows().iter().filter(sends_to_it).count() > 1;
            client.budget = Budget::of(record);
            client.transmit_buffer.configure(&record.transmit);
            client.receive_buffer.configure(&record.receive);
            client.snapshot_buffer.configure(&record.snapshot);
            if record.guard != 0 {
                (client.is_guard, client.leaves_requests) = (true, true);
                client.inspections.configure(record.receive.bytes);
                // Its requests are all compared with what is pinned.
                client.receive_buffer.hide_bytes();
            }
            client.ports = ports(record);
            if !uncounted.contains(id) {
                client.mappings = client.ports.map(|ports| &ports.to_client.counters);
            }
            if let Some(ports) = client.ports {
                let peers = config.clients().filter_map(|(peer, record)| self.peer(id, peer, record));
                ports.to_client.introduce(id.number(), record.transmit.bytes, record.receive.bytes, peers);
                ports.to_client.wake_for_requests.disarm();
                ports.to_client.wake.arm();
            }
        }
        if !self.partitions.exist() {
            self.served = self.all;
        }
        self.is_connected = self.components.first_part(self.all) == self.all;
        self.share_out_guards();
        self.resume();
    }

    /// Grants a flow with these stages of guards. There may be none, if all its messages are audited.
    fn grant_guarded(
        &mut self,
        source: DomainId,
        target: DomainId,
        record: &FlowRecord,
        stages: &[StageRecord],
    ) {
        if record.one_way == 0 && !stages.is_empty() {
            self.clients[source].guarded.insert(target);
        }
        for guard in self.guards.grant(source, target, record, stages).iter() {
            let inspects = &mut self.clients[guard].inspects;
            inspects.insert(source);
            inspects.insert(target);
        }
    }

    /// Shares out the inspections of each guard, and the table of relays, among the flows. Called when all
    /// flows are granted.
    fn share_out_guards(&mut self) {
        let relayed_of = |source| self.relayed_targets(source).count();
        let relayed = self.one_way.sources.iter().map(relayed_of).sum();
        for source in (0..).map_while(DomainId::new) {
            for target in self.guards.targets(source).iter() {
                let flow = self.guards.flow(source, target);
                let stages = (0..flow.stages()).map(|number| self.guards.stage(flow, number).members);
                let guards = stages.fold(ClientSet::EMPTY, ClientSet::union);
                let clients = &self.clients;
                let bytes = |guard: DomainId| clients[guard].inspections.bytes();
                self.guards.share_out(source, target, guards, bytes);
                if self.one_way.is_granted(source, target) {
                    let most = self.guards.flow(source, target).most_under_way();
                    let one_way = self.one_way.flow_mut(source, target);
                    self.relays.share_out(&mut one_way.relayed, most, relayed);
                }
            }
        }
    }

    /// The entry for `peer` in the directory of `client`. `None` if they share no flow, and `client` guards
    /// no flow of `peer`.
    fn peer(&self, client: DomainId, peer: DomainId, record: &ClientRecord) -> Option<Peer> {
        let longest = |source, target| {
            let guarded = self.guards.flow(source, target).max_message;
            let one_way = self.one_way.flow(source, target).max_message;
            self.flows.get(source, target).max_message.max(guarded).max(one_way)
        };
        let (to, from) = (longest(client, peer), longest(peer, client));
        let inspects = self.clients[client].inspects.contains(peer);
        // A guard has to know how long the messages are that it inspects.
        let inspected = self.guards.targets(peer).iter().map(|target| longest(peer, target)).max();
        let max_message = if inspects { inspected.unwrap_or(0) } else { to };
        (to != 0 || from != 0 || inspects).then(|| Peer {
            name: record.name,
            max_message,
            domain: peer.number(),
            may_send: (to != 0).into(),
            may_receive: (from != 0).into(),
        })
    }
}
