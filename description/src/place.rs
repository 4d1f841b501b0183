//! Where central finds everything: the capabilities of client frames, their homes in the window, and the
//! configuration blob that tells central of both.
//!
//! Each `_tx` and `_rx` region gets its own range of the window, aligned to 2 MiB, and the `_rx` region of a
//! guard a second one, for reading. The ranges follow the order of the clients, the transmit region of each
//! before its receive region. So a frame is always mapped
//! at the same address, neighbours in a region are neighbours in the window, and no frame is mapped over
//! another.

use crate::description::{Buffer, Client, Description};
use crate::limits::{LARGE_PAGE_BYTES, WINDOW_ADDRESS};
use ferry_layout::DomainName;
use ferry_layout::config::{
    AuditPlace, BufferRecord, CONFIG_MAGIC, CONFIG_VERSION, ClientRecord, FlowRecord, Header, StageRecord,
};
use zerocopy::IntoBytes;

/// What central gets in addition to what `system.xml` maps into it.
#[derive(Clone, Debug)]
pub struct Placement {
    /// The frame capabilities.
    pub grants: Vec<Grant>,
    /// The range of central's addresses that needs page tables, but has nothing mapped from the start. None
    /// if there are no clients.
    pub window: Option<Window>,
    /// Contents of the configuration region, from its first byte on.
    pub config: Vec<u8>,
}

/// All frames of one region, as capabilities of central.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grant {
    /// Number of the region in [`System::regions`](crate::System::regions).
    pub region: usize,
    /// Size of the region and of its frames.
    pub buffer: Buffer,
    /// Whether the capabilities have the write right. Only those of receive buffers do, and of the two ranges
    /// of a guard's receive buffer only the first. None has execute or grant.
    pub writable: bool,
    /// Capability pointer of the first frame. The other frames have the pointers that follow.
    pub first_capability: u64,
    /// Address of the first frame's home in the window.
    pub window_address: u64,
}

/// A range of central's addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// First address, a multiple of 2 MiB.
    pub address: u64,
    /// Length, a multiple of 2 MiB.
    pub bytes: u64,
}

/// Assigns capability pointers one after another, from `first` on. For platforms whose domains have one flat
/// CNode.
pub fn sequential(first: u64) -> impl FnMut(Buffer) -> u64 {
    let mut next = first;
    move |buffer| {
        let first = next;
        next += buffer.frames();
        first
    }
}

impl Description {
    /// Assigns capabilities and window addresses. `first_capability` is called for each buffer in turn and
    /// gives the capability pointer of the first frame. The platform decides where they lie in central's
    /// `CSpace`.
    pub fn place(&self, first_capability: &mut dyn FnMut(Buffer) -> u64) -> Placement {
        let mut grants = Vec::new();
        let mut next_address = WINDOW_ADDRESS;
        let mut grant = |buffer: Buffer, writable| {
            let grant = Grant {
                region: buffer.region,
                buffer,
                writable,
                first_capability: first_capability(buffer),
                window_address: next_address,
            };
            next_address += buffer.bytes.next_multiple_of(LARGE_PAGE_BYTES);
            grants.push(grant);
            grant
        };
        let clients: Vec<ClientRecord> = self
            .clients
            .iter()
            .map(|client| ClientRecord {
                // Names that are too long are refused by the rules. Central would refuse an empty name.
                name: DomainName::new(&client.name).unwrap_or_default(),
                out_address: client.out_address,
                in_address: client.in_address,
                transmit: buffer_record(grant(client.transmit, false)),
                receive: buffer_record(grant(client.receive, true)),
                snapshot: if client.is_guard {
                    buffer_record(grant(client.receive, false))
                } else {
                    BufferRecord::NONE
                },
                bytes_per_round: client.bytes_per_round,
                messages_per_round: client.messages_per_round,
                channel: u32::from(client.channel),
                guard: client.is_guard.into(),
                announcer: self.announcer_of(client),
                reserved: 0,
            })
            .collect();
        let bytes = next_address - WINDOW_ADDRESS;
        let window = (bytes > 0).then_some(Window { address: WINDOW_ADDRESS, bytes });
        Placement { grants, window, config: self.config(&clients) }
    }

    /// Number of central's channel to the announcer of a client's partition.
    fn announcer_of(&self, client: &Client) -> u32 {
        let domain = self.system.domains[client.domain].schedule_domain.as_ref();
        let partition = self.partitions.iter().find(|partition| Some(&partition.domain) == domain);
        partition.map_or(ClientRecord::NO_PARTITION, |partition| u32::from(partition.channel))
    }

    fn config(&self, clients: &[ClientRecord]) -> Vec<u8> {
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let header = Header {
            magic: CONFIG_MAGIC,
            version: CONFIG_VERSION,
            clients: count(clients.len()),
            flows: count(self.flows.len()),
            tick_channel: self.tick.as_ref().map_or(Header::NO_TICK, |tick| u32::from(tick.channel)),
            tick_period: self.tick.as_ref().map_or(0, |tick| tick.period_us),
            stages: count(self.flows.iter().map(|flow| flow.stages.len()).sum()),
            audit: self.audit.map_or(AuditPlace::NONE, |audit| AuditPlace {
                address: audit.address,
                bytes: audit.bytes,
                channel: audit.channel.map_or(AuditPlace::NO_CHANNEL, u32::from),
                reserved: 0,
            }),
        };
        let mut stages: Vec<StageRecord> = Vec::new();
        let flows: Vec<FlowRecord> = self
            .flows
            .iter()
            .map(|flow| {
                let first_stage = count(stages.len());
                stages.extend(flow.stages.iter().map(|stage| StageRecord {
                    members: stage.members.iter().fold(0, |members, guard| members | 1 << guard),
                    quorum: stage.quorum,
                }));
                FlowRecord {
                    // The rules allow fewer than this number can hold.
                    stages: u16::try_from(flow.stages.len()).unwrap_or(u16::MAX),
                    first_stage,
                    verdict_within: flow.verdict_within,
                    one_way: flow.one_way.into(),
                    audit: flow.audits_all.into(),
                    ..FlowRecord::plain(flow.source, flow.target, flow.urgent, flow.mapping, flow.max_message)
                }
            })
            .collect();
        [header.as_bytes(), clients.as_bytes(), flows.as_bytes(), stages.as_bytes()].concat()
    }
}

/// Size in bytes of the configuration for this many clients, flows, and stages of guards.
#[must_use]
pub fn config_bytes(clients: usize, flows: usize, stages: usize) -> usize {
    size_of::<Header>()
        + clients * size_of::<ClientRecord>()
        + flows * size_of::<FlowRecord>()
        + stages * size_of::<StageRecord>()
}

fn buffer_record(grant: Grant) -> BufferRecord {
    BufferRecord {
        window_address: grant.window_address,
        first_capability: grant.first_capability,
        bytes: grant.buffer.bytes,
        frame_bits: u32::from(grant.buffer.frame_bits),
        reserved: 0,
    }
}
