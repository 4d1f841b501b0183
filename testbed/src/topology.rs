//! The topology of a system under test, and the configuration that describes it to the engine.

use ferry_central::Side;
use ferry_layout::DomainName;
use ferry_layout::config::{
    AuditPlace, BufferRecord, CONFIG_MAGIC, CONFIG_VERSION, ClientRecord, FlowRecord, Header, Mapping,
    StageRecord,
};
use zerocopy::IntoBytes;

/// Bytes of a buffer region with this many frames.
#[must_use]
pub const fn buffer_bytes(frames: usize) -> usize {
    frames * 4096
}

/// Clients and flows. Each client has a transmit and a receive buffer of the same size.
#[derive(Clone, Debug)]
pub struct Topology {
    /// Bytes of each of the two buffers of each client.
    pub clients: Vec<usize>,
    /// The flows.
    pub flows: Vec<FlowRecord>,
    /// Bytes that central copies for each client in one round.
    pub bytes_per_round: u32,
    /// Descriptors that central takes from each client in one round, at most.
    pub messages_per_round: u32,
    /// Binary logarithm of a frame's size in bytes.
    pub frame_bits: u32,
    /// The stages of guards. Every client in one of them is a guard.
    pub stages: Vec<StageRecord>,
    /// Bytes of the audit log; 0 for a system without one.
    pub audit_bytes: usize,
    /// The partition of each client; empty if there are none.
    pub partitions: Vec<u32>,
}

impl Topology {
    /// `count` clients with buffers of `frames` frames. Each client may send to every other one.
    #[must_use]
    pub fn mesh(count: u16, frames: usize, mapping: Mapping) -> Self {
        let pairs = (0..count).flat_map(|source| (0..count).map(move |target| (source, target)));
        let flows = pairs.filter(|(source, target)| source != target);
        Self {
            clients: vec![buffer_bytes(frames); usize::from(count)],
            flows: flows.map(|(source, target)| Self::flow(source, target, mapping)).collect(),
            bytes_per_round: 64 * 1024,
            messages_per_round: 64,
            frame_bits: 12,
            stages: Vec::new(),
            audit_bytes: 0,
            partitions: Vec::new(),
        }
    }

    /// Longest message of a flow with guards, in bytes. A guard with 16 frames has room for 64 of them.
    pub const GUARDED_BYTES: u32 = 1024;

    /// The same with an audit log of this many pages. It gets all messages of the flows that `audits_all`
    /// names.
    #[must_use]
    pub fn audited(mut self, pages: usize, audits_all: impl Fn(&FlowRecord) -> bool) -> Self {
        self.audit_bytes = buffer_bytes(pages);
        for flow in &mut self.flows {
            flow.audit = audits_all(flow).into();
        }
        self
    }

    /// One sender (client 0), one receiver (client 1), and guards from client 2 on. `stages` has, for each
    /// stage, its guards and its quorum. A message has at most [`Self::GUARDED_BYTES`] bytes.
    /// Guards have `verdict_within` ticks.
    #[must_use]
    pub fn guarded(stages: &[(&[u16], u32)], mapping: Mapping, verdict_within: u32) -> Self {
        let highest = stages.iter().flat_map(|(guards, _)| guards.iter()).max().copied().unwrap_or(1);
        let mut topology = Self::mesh(highest + 1, 16, mapping);
        topology.flows.clear();
        topology.add_guarded(0, 1, stages, mapping, verdict_within);
        topology
    }

    /// Adds a flow through these stages of guards, in the form of [`guarded`](Self::guarded).
    ///
    /// # Panics
    /// If there are more stages than a flow can have.
    pub fn add_guarded(
        &mut self,
        source: u16,
        target: u16,
        stages: &[(&[u16], u32)],
        mapping: Mapping,
        verdict_within: u32,
    ) {
        self.flows.push(FlowRecord {
            stages: u16::try_from(stages.len()).expect("few stages"),
            max_message: Self::GUARDED_BYTES,
            first_stage: u32::try_from(self.stages.len()).expect("few stages"),
            verdict_within,
            ..Self::flow(source, target, mapping)
        });
        self.stages.extend(stages.iter().map(|(guards, quorum)| StageRecord {
            members: guards.iter().fold(0, |members, guard| members | 1 << guard),
            quorum: *quorum,
        }));
    }

    /// A flow that neither limits the length of messages nor allows urgent ones.
    #[must_use]
    pub const fn flow(source: u16, target: u16, mapping: Mapping) -> FlowRecord {
        FlowRecord::plain(source, target, false, mapping, u32::MAX)
    }

    /// Address in the window at which the simulated machine expects a client's buffer. The buffers lie far
    /// apart, so that an access past the end of one is not inside another.
    pub(crate) const fn window_address(client: usize, side: Side) -> u64 {
        let offset = match side {
            Side::Transmit => 0,
            Side::Receive => 1 << 31,
            Side::Snapshot => 3 << 30,
        };
        (1 << 36) + ((client as u64) << 32) + offset
    }

    /// The configuration in whole words. A blob has to lie at an address that is a multiple of 8.
    ///
    /// # Panics
    /// If there are more clients than a client number can name.
    #[must_use]
    pub fn encode(&self) -> Vec<u64> {
        let header = Header {
            magic: CONFIG_MAGIC,
            version: CONFIG_VERSION,
            clients: u32::try_from(self.clients.len()).expect("few clients"),
            flows: u32::try_from(self.flows.len()).expect("few flows"),
            tick_channel: Header::NO_TICK,
            tick_period: 1000,
            stages: u32::try_from(self.stages.len()).expect("few stages"),
            audit: if self.audit_bytes == 0 {
                AuditPlace::NONE
            } else {
                AuditPlace { address: 4096, bytes: self.audit_bytes as u64, ..AuditPlace::NONE }
            },
        };
        let guards = self.stages.iter().fold(0, |guards, stage| guards | stage.members);
        let buffer = |client: usize, side: Side| BufferRecord {
            window_address: Self::window_address(client, side),
            first_capability: 0,
            bytes: if side == Side::Snapshot && guards >> client & 1 == 0 {
                0
            } else {
                self.clients[client] as u64
            },
            frame_bits: self.frame_bits,
            reserved: 0,
        };
        let mut blob = header.as_bytes().to_vec();
        for client in 0..self.clients.len() {
            let record = ClientRecord {
                name: DomainName::new(&format!("client{client}")).expect("a short name"),
                out_address: 4096,
                in_address: 4096,
                transmit: buffer(client, Side::Transmit),
                receive: buffer(client, Side::Receive),
                snapshot: buffer(client, Side::Snapshot),
                bytes_per_round: self.bytes_per_round,
                messages_per_round: self.messages_per_round,
                channel: u32::try_from(client).expect("few clients"),
                guard: guards >> client & 1,
                // No client has these channels.
                announcer: self
                    .partitions
                    .get(client)
                    .map_or(ClientRecord::NO_PARTITION, |number| number + 40),
                reserved: 0,
            };
            blob.extend_from_slice(record.as_bytes());
        }
        blob.extend_from_slice(self.flows.as_bytes());
        blob.extend_from_slice(self.stages.as_bytes());
        blob.resize(blob.len().next_multiple_of(8), 0);
        let words = blob.chunks_exact(8).filter_map(|word| word.try_into().ok());
        words.map(u64::from_le_bytes).collect()
    }
}
