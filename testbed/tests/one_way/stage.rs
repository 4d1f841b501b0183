//! Clients that write their rings by themselves, with one-way flows from client 0.

use ferry_layout::config::{FlowRecord, Mapping};
use ferry_layout::geometry::MAX_ONE_WAY;
use ferry_layout::{Descriptor, Status};
use ferry_testbed::{ClientMemory, Testbed, Topology};

#[path = "../shared/actor.rs"]
mod actor;

pub(crate) use actor::Actor;

pub(crate) const SENDER: u16 = 0;
pub(crate) const RECEIVER: u16 = 1;
/// Another client, with flows to and from the sender that are not one-way, and one to the receiver.
pub(crate) const NEIGHBOUR: u16 = 2;

/// Bytes between two buffers of a client, and of each buffer.
pub(crate) const STRIDE: u32 = 512;

pub(crate) struct Stage {
    pub(crate) bed: Testbed,
    pub(crate) actors: Vec<Actor>,
}

impl Actor {
    /// Sends `length` bytes to `target`, with a tag.
    pub(crate) fn send(&mut self, target: u16, tag: u64, length: u32) -> u32 {
        self.publish(Descriptor { length, target, tag, ..Descriptor::default() })
    }

    /// Posts `length` bytes, from the place of the buffer of this number on.
    pub(crate) fn post(&mut self, buffer: u32, length: u32) {
        self.post_at(buffer * STRIDE, length);
    }

    /// What has arrived since the last call: number in the flow and tag of each message.
    pub(crate) fn take(&mut self) -> Vec<(u64, u64)> {
        self.deliveries().iter().map(|delivery| (delivery.sequence, delivery.tag)).collect()
    }

    pub(crate) fn statuses(&self, indices: std::ops::Range<u32>) -> Vec<Status> {
        indices.filter_map(|index| self.status(index)).collect()
    }
}

/// A one-way flow.
pub(crate) fn one_way(source: u16, target: u16, mapping: Mapping) -> FlowRecord {
    FlowRecord { one_way: 1, max_message: MAX_ONE_WAY, ..Topology::flow(source, target, mapping) }
}

/// Three clients. The only flow between sender and receiver is one-way.
pub(crate) fn topology() -> Topology {
    let mut topology = Topology::mesh(3, 32, Mapping::Each);
    topology.flows = vec![
        one_way(SENDER, RECEIVER, Mapping::Each),
        Topology::flow(SENDER, NEIGHBOUR, Mapping::Each),
        Topology::flow(NEIGHBOUR, SENDER, Mapping::Each),
        one_way(NEIGHBOUR, RECEIVER, Mapping::Keep),
    ];
    topology
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::of(&topology())
    }

    pub(crate) fn of(topology: &Topology) -> Self {
        let mut stage = Self::closed(topology);
        for client in 0..u16::try_from(stage.actors.len()).unwrap() {
            stage.open(client);
        }
        stage
    }

    /// A stage on which no client has started.
    pub(crate) fn closed(topology: &Topology) -> Self {
        let bed = Testbed::new(topology);
        let new = |memory: &ClientMemory| Actor::new(*memory);
        Self { actors: bed.clients.iter().map(new).collect(), bed }
    }

    /// Starts a client, for the first time or anew. Its port is only used to open the epoch.
    pub(crate) fn open(&mut self, client: u16) {
        std::mem::forget(self.bed.open(client));
        let actor = self.actor(client);
        *actor = Actor::new(actor.memory);
    }

    pub(crate) fn actor(&mut self, client: u16) -> &mut Actor {
        &mut self.actors[usize::from(client)]
    }

    pub(crate) fn sender(&mut self) -> &mut Actor {
        self.actor(SENDER)
    }

    pub(crate) fn receiver(&mut self) -> &mut Actor {
        self.actor(RECEIVER)
    }
}
